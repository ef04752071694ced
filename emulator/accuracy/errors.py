"""How far what is shown of a month is from what has flown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import fmean, quantiles

from custom_components.dyness_atess.telemetry.energy.meter import Flow
from custom_components.dyness_atess.telemetry.energy.statistics import HOUR

from ..benchmark.recorder import Counted
from .houses import APPLIANCES, BEGIN, DAYS, HOUSES, House
from .month import DAY, Month, Outage, by_day, outages

WAYS = {"ours": "this integration", "bare": "without filling", "held": "last power held", "integral": "integral helper"}
DAY_ERROR = 0.02
"""Share by which a day that is right enough may be wrong."""
MINUTES = 5
"""Between the samples of a device."""
LATE = 400
"""s by which a sample may be shown after it was taken"""


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


def pooled(measured: Iterable[Measured]) -> Measured:
    """Put all together."""
    found = Measured()
    for one in measured:
        found.extend(one)
    return found
