"""Measures everything, prints it, and writes it to docs/energy.md. Takes some minutes on one core."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import fmean, quantiles

from custom_components.dyness_atess.telemetry.energy.statistics import HOUR

from ..benchmark.__main__ import table
from ..benchmark.recorder import Counted
from .houses import APPLIANCES, BEGIN, DAYS, GLITCH, HOUSES, House
from .month import DAY, LAGGING, LOST, Month, Outage, by_day, outages

DOCUMENT = Path(__file__).parents[2] / "docs" / "energy.md"
MONTHS = 10
"""Of the same samples, each with other gaps."""
WAYS = {"ours": "this integration", "bare": "without filling", "held": "last power held", "integral": "integral helper"}
LATE = 400
"""s by which a sample may be shown after it was taken"""
MONTH, MONTH_WITH_GAPS, DAY_ERROR, SHARE_OF_DAYS, HOUR_MEAN, HOUR_MOST = 0.005, 0.015, 0.02, 0.95, 25.0, 150.0
"""What is aimed at: shares, and Wh."""


@dataclass
class Errors:
    """Of both energies of one house in one way."""

    months: list[float] = field(default_factory=list)
    """shares"""
    days: list[float] = field(default_factory=list)
    """shares"""
    hours: dict[str, list[float]] = field(default_factory=lambda: {"live": [], "told": [], "untold": []})
    """Wh; live ones are near no gap, of those in gaps the history tells some"""

    def add(self, house: House, totals: Sequence[Counted], kinds: dict[str, list[int]]) -> None:
        """Compare a month with what has flown."""
        begin = BEGIN.timestamp()
        truths = zip(*(house.energy(begin + day * DAY, begin + (day + 1) * DAY) for day in range(DAYS)), strict=True)
        for direction, (total, truth) in enumerate(zip(totals, truths, strict=True)):
            days, changes = by_day(total), total.changes()
            self.months.append(abs(sum(days) / sum(truth) - 1))
            self.days += [abs(found / flown - 1) for found, flown in zip(days, truth, strict=True)]
            for kind, hours in kinds.items():
                flown_in = {hour: house.energy(hour, hour + HOUR)[direction] for hour in hours}
                self.hours[kind] += [1000 * abs(changes.get(hour, 0.0) - flown_in[hour]) for hour in hours]

    @property
    def right_days(self) -> float:
        """Return the share of days that are right enough."""
        return sum(error <= DAY_ERROR for error in self.days) / len(self.days)

    def hourly(self, kind: str) -> tuple[float, float]:
        """Return mean and 95th percentile (Wh)."""
        return fmean(self.hours[kind]), quantiles(self.hours[kind], n=20)[-1]


def kinds_of_hours(month: Month) -> dict[str, list[int]]:
    """Sort the hours of a month by what is known of them."""
    found: dict[str, list[int]] = {"live": [], "told": [], "untold": []}
    begin = int(BEGIN.timestamp())
    for hour in range(begin, begin + DAYS * DAY, HOUR):
        inside = [gap for gap in month.gaps if gap.start - LATE < hour + HOUR and hour < gap.end + LATE]
        if inside:
            found["told" if all(_is_told(month, hour, gap) for gap in inside) else "untold"].append(hour)
        elif not any(gap.start < hour < gap.end + 2 * HOUR for gap in month.gaps):
            found["live"].append(hour)
    return found


def _is_told(month: Month, hour: int, gap: Outage) -> bool:
    return any(
        known.left_at <= gap.start and gap.end <= known.returned_at and known.day <= max(known.left_at, hour)
        for known in month.histories
    )


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was found of one house."""

    calm: Errors
    """a month without gaps and without sudden loads"""
    without: Errors
    """a month without gaps"""
    with_gaps: dict[str, Errors]
    """some months, in each way"""


def measure(name: str) -> Measured:
    """Let a house live a month without gaps, and some with them."""
    found = Measured(calm=Errors(), without=Errors(), with_gaps={way: Errors() for way in WAYS})
    for errors, appliances in ((found.calm, 0.0), (found.without, APPLIANCES)):
        house = HOUSES[name](appliances)
        month = Month(house=house, gaps=[], chance=Random(name))
        month.run()
        errors.add(house, month.ours, kinds_of_hours(month))
    for number in range(MONTHS):
        chance = Random(f"{name} {number}")
        month = Month(house=house, gaps=outages(chance), chance=chance)
        month.run()
        kinds = kinds_of_hours(month)
        for way, errors in found.with_gaps.items():
            errors.add(house, getattr(month, way), kinds)
    return found


def percent(errors: Sequence[float], most: float | None = None) -> str:
    """Write the mean and the largest of some errors, in bold where one is above `most`."""
    text = f"{fmean(errors):.2%} ({max(errors):.2%})"
    return f"**{text}**" if most is not None and max(errors) > most else text


def share_of_days(errors: Errors, *, is_ours: bool = True) -> str:
    """Write it, in bold where it is too small."""
    text = f"{errors.right_days:.1%}"
    return f"**{text}**" if is_ours and errors.right_days < SHARE_OF_DAYS else text


def wh(errors: Errors, kind: str, *, mean: float | None = None, most: float | None = None) -> str:
    """Write mean and 95th percentile of some hours, in bold where one is above what is aimed at."""
    if not errors.hours[kind]:
        return "–"
    found = errors.hourly(kind)
    text = f"{found[0]:.0f} / {found[1]:.0f}"
    is_above = (mean is not None and found[0] > mean) or (most is not None and found[1] > most)
    return f"**{text}**" if is_above else text


def months_table(measured: dict[str, Measured]) -> str:
    """Write the errors of months."""
    return table(
        *(
            {"": name, "calm, without gaps": percent(found.calm.months, MONTH)}
            | {"without gaps": percent(found.without.months, MONTH)}
            | {"with gaps": percent(found.with_gaps["ours"].months, MONTH_WITH_GAPS)}
            | {WAYS[way]: percent(found.with_gaps[way].months) for way in ("held", "integral")}
            for name, found in measured.items()
        )
    )


def days_table(measured: dict[str, Measured]) -> str:
    """Write which share of the days is right."""
    return table(
        *(
            {"": name, "calm, without gaps": share_of_days(found.calm), "without gaps": share_of_days(found.without)}
            | {"with gaps": share_of_days(found.with_gaps["ours"])}
            | {WAYS[way]: share_of_days(found.with_gaps[way], is_ours=False) for way in ("bare", "held", "integral")}
            for name, found in [*measured.items(), ("all", pooled(measured.values()))]
        )
    )


def hours_table(measured: dict[str, Measured]) -> str:
    """Write the errors of hours."""
    rows = []
    for name, found in measured.items():
        ours = found.with_gaps["ours"]
        live = ours.hourly("live")
        limits = {"mean": min(HOUR_MEAN, live[0]), "most": min(HOUR_MOST, live[1])}
        rows.append(
            {"": name, "live": wh(ours, "live"), "hours": f"{len(ours.hours['told']) // 2}"}
            | {"completed": wh(ours, "told", **limits)}
            | {WAYS[way]: wh(found.with_gaps[way], "told") for way in ("bare", "held", "integral")}
            | {"other hours": f"{len(ours.hours['untold']) // 2}", "their error": wh(ours, "untold")}
        )
    return table(*rows)


def pooled(measured: Iterable[Measured]) -> Measured:
    """Put the days of all houses together."""
    found = Measured(calm=Errors(), without=Errors(), with_gaps={way: Errors() for way in WAYS})
    for house in measured:
        found.calm.days += house.calm.days
        found.without.days += house.without.days
        for way, errors in found.with_gaps.items():
            errors.days += house.with_gaps[way].days
    return found


def main() -> None:
    """Measure and write."""
    measured = {name: measure(name) for name in HOUSES}
    text = (Path(__file__).parent / "energy.txt").read_text(encoding="utf-8")
    text = text.format(
        months=months_table(measured),
        days=days_table(measured),
        hours=hours_table(measured),
        days_of_month=DAYS,
        months_of_gaps=MONTHS,
        lagging=LAGGING,
        lost=LOST,
        zeros=GLITCH,
        month=MONTH,
        month_with_gaps=MONTH_WITH_GAPS,
    )
    print(text)  # noqa: T201
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
