"""Measures everything, prints it, and writes it to docs/energy.md. Takes a quarter of an hour on two cores."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import fmean, quantiles, stdev

from custom_components.dyness_atess.telemetry.energy.meter import Flow
from custom_components.dyness_atess.telemetry.energy.statistics import HOUR

from ..benchmark.__main__ import table
from ..benchmark.recorder import Counted
from .houses import APPLIANCES, BEGIN, DAYS, GLITCH, HOUSES, House
from .month import DAY, LAGGING, LOST, Month, Outage, by_day, outages

DOCUMENT = Path(__file__).parents[2] / "docs" / "energy.md"
MONTHS = 10
"""Of each house, each with other weather and other gaps."""
WAYS = {"ours": "this integration", "bare": "without filling", "held": "last power held", "integral": "integral helper"}
MINUTES = 5
"""Between the samples of a device."""
LATE = 400
"""s by which a sample may be shown after it was taken"""
MONTH, MONTH_WITH_GAPS, DAY_ERROR, SHARE_OF_DAYS, HOUR_MEAN, HOUR_MOST = 0.005, 0.015, 0.02, 0.95, 25.0, 150.0
"""What is aimed at: shares, and Wh."""


@dataclass
class Errors:
    """Of both energies of one house in one way."""

    months: list[tuple[float, float]] = field(default_factory=list)
    """shares by which too much was charged and discharged"""
    days: list[float] = field(default_factory=list)
    """shares"""
    hours: dict[str, list[float]] = field(default_factory=lambda: {"live": [], "told": [], "untold": []})
    """Wh; live ones are near no gap, of those in gaps the history tells some"""

    def add(self, house: House, totals: Sequence[Counted], kinds: dict[str, list[int]]) -> None:
        """Compare a month with what has flown."""
        self.add_days(house, [by_day(total) for total in totals])
        for direction, total in enumerate(totals):
            changes = total.changes()
            for kind, hours in kinds.items():
                flown_in = {hour: house.energy(hour, hour + HOUR)[direction] for hour in hours}
                self.hours[kind] += [1000 * abs(changes.get(hour, 0.0) - flown_in[hour]) for hour in hours]

    def add_days(self, house: House, found: Sequence[Sequence[float]]) -> None:
        """Compare the days of a month (kWh charged, kWh discharged) with what has flown."""
        begin = BEGIN.timestamp()
        flown = zip(*(house.energy(begin + day * DAY, begin + (day + 1) * DAY) for day in range(DAYS)), strict=True)
        pairs = list(zip(found, flown, strict=True))
        charged, discharged = (sum(days) / sum(truth) - 1 for days, truth in pairs)
        self.months.append((charged, discharged))
        self.days += [abs(one / other - 1) for days, truth in pairs for one, other in zip(days, truth, strict=True)]

    def extend(self, others: Errors) -> None:
        """Take those of more months."""
        self.months += others.months
        self.days += others.days
        for kind, hours in others.hours.items():
            self.hours[kind] += hours

    @property
    def of_months(self) -> list[float]:
        """Of both energies, without their sign."""
        return [abs(error) for month in self.months for error in month]

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


@dataclass(kw_only=True)
class Measured:
    """What was found of one house."""

    calm: Errors = field(default_factory=Errors)
    """months without gaps and without sudden loads"""
    without: Errors = field(default_factory=Errors)
    """months without gaps"""
    sampled: Errors = field(default_factory=Errors)
    """what the true power at one minute in five says of the same months"""
    with_gaps: dict[str, Errors] = field(default_factory=lambda: {way: Errors() for way in WAYS})
    """months, in each way"""

    def extend(self, other: Measured) -> None:
        """Take more months."""
        self.calm.extend(other.calm)
        self.without.extend(other.without)
        self.sampled.extend(other.sampled)
        for way, errors in other.with_gaps.items():
            self.with_gaps[way].extend(errors)


def measure(name: str, weather: int) -> Measured:
    """Let a house live a month without gaps, and the same one with them."""
    found, chance = Measured(), Random(f"{name} {weather}")
    for errors, appliances in ((found.calm, 0.0), (found.without, APPLIANCES)):
        house = HOUSES[name](appliances, weather)
        month = Month(house=house, gaps=[], chance=chance)
        month.run()
        errors.add(house, month.ours, kinds_of_hours(month))
    add_sampled(found.sampled, house)
    month = Month(house=house, gaps=outages(chance), chance=chance)
    month.run()
    kinds = kinds_of_hours(month)
    for way, errors in found.with_gaps.items():
        errors.add(house, getattr(month, way), kinds)
    return found


def add_sampled(errors: Errors, house: House) -> None:
    """Count one minute in five for all of them, whichever of the five it is: on average that is the truth."""
    begin = int(BEGIN.timestamp())
    minutes = [house.energy(at, at + 60) for at in range(begin, begin + DAYS * DAY, 60)]
    per_day = DAY // 60
    for first in range(MINUTES):
        counted: list[Flow] = [minutes[number // MINUTES * MINUTES + first] for number in range(len(minutes))]
        days = [counted[start : start + per_day] for start in range(0, len(counted), per_day)]
        errors.add_days(house, [[sum(flow[direction] for flow in day) for day in days] for direction in (0, 1)])


def percent(errors: Errors, most: float | None = None) -> str:
    """Write the mean and the largest error of months, in bold where one is above `most`."""
    found = errors.of_months
    text = f"{fmean(found):.2%} ({max(found):.2%})"
    return f"**{text}**" if most is not None and max(found) > most else text


def signed(errors: Errors) -> str:
    """Write what months have too much on average, and how sure that is."""
    both = [
        f"{fmean(found):+.2%} ± {stdev(found) / len(found) ** 0.5:.2%}" for found in zip(*errors.months, strict=True)
    ]
    return " / ".join(both).replace("-", "−")


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
            {"": name, "calm, without gaps": percent(found.calm, MONTH)}
            | {"without gaps": percent(found.without, MONTH), "samples tell": percent(found.sampled)}
            | {"with gaps": percent(found.with_gaps["ours"], MONTH_WITH_GAPS)}
            | {WAYS[way]: percent(found.with_gaps[way]) for way in ("held", "integral")}
            for name, found in measured.items()
        )
    )


def signs_table(measured: dict[str, Measured]) -> str:
    """Write to which side months are wrong."""
    return table(
        *(
            {"": name, "calm, without gaps": signed(found.calm), "without gaps": signed(found.without)}
            | {"with gaps": signed(found.with_gaps["ours"])}
            for name, found in measured.items()
        )
    )


def days_table(measured: dict[str, Measured]) -> str:
    """Write which share of the days is right."""
    return table(
        *(
            {"": name, "calm, without gaps": share_of_days(found.calm), "without gaps": share_of_days(found.without)}
            | {"samples tell": share_of_days(found.sampled, is_ours=False)}
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
    """Put all together."""
    found = Measured()
    for one in measured:
        found.extend(one)
    return found


def main() -> None:
    """Measure and write."""
    months = [(name, weather) for name in HOUSES for weather in range(1, MONTHS + 1)]
    with ProcessPoolExecutor() as processes:
        found = list(zip(months, processes.map(measure, *zip(*months, strict=True)), strict=True))
    measured = {name: pooled(one for (of, _), one in found if of == name) for name in HOUSES}
    text = (Path(__file__).parent / "energy.txt").read_text(encoding="utf-8")
    text = text.format(
        months=months_table(measured),
        signs=signs_table(measured),
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
