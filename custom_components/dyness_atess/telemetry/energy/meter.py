"""What flows into and out of a battery, from samples of its power (product contract, section 7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

MAXIMUM_INTERVAL = timedelta(minutes=11)
"""Power is interpolated over so much: one lost upload of five minutes, and some delay. Over two, a whole kettle or
cloud can have come and gone."""
MAXIMUM_POWER = 100_000.0
"""W; more than any home battery gives, and less than a current that is not known (0xFFFF tenths) makes of 48 V."""
MAXIMUM_RATE = 2.0
"""C; a state of charge that changes faster has been corrected by the battery."""
ROUNDING = 0.01
"""By which the state of charge may differ because both ends are rounded: within it a straight line is better."""
OF_CAPACITY, OF_RECORDS = 0.05, 0.2
"""By which share of each the records may differ from the state of charge: rounding, heat, cells that have aged."""
type Flow = tuple[float, float]
"""kWh that were charged, and kWh that were discharged; neither is negative."""
type Curve = list[tuple[float, float]]
"""Times (s) and values, which go straight from one to the next."""


def within(value: Any, least: float, most: float) -> float | None:
    """Return a number that lies within bounds, None for anything else."""
    return float(value) if isinstance(value, (float, int)) and least <= value <= most else None


class Sample(NamedTuple):
    """Time (s), power (W, positive while discharging), state of charge (%) and capacity (kWh)."""

    at: float
    power: float
    soc: float | None
    capacity: float | None


@dataclass(slots=True)
class Meter:
    """Counts what has flown since the last sample, as far as it is known by then."""

    last: Sample | None = None
    before_gap: Sample | None = None
    """The sample before the last one, if what flowed between the two is still to be found out."""

    @property
    def gap(self) -> tuple[datetime, datetime] | None:
        """The times between which too much is missing to be interpolated, until it is filled."""
        if self.before_gap is None or self.last is None:
            return None
        return datetime.fromtimestamp(self.before_gap.at, UTC), datetime.fromtimestamp(self.last.at, UTC)

    def add(self, sample: Sample) -> Flow:
        """Return what has flown since the last sample: nothing yet in a gap, or after a clock was put back."""
        last, self.last, self.before_gap = self.last, sample, None
        if last is None or sample.at <= last.at:
            return 0.0, 0.0
        if sample.at - last.at > MAXIMUM_INTERVAL.total_seconds():
            self.before_gap = last
            return 0.0, 0.0
        return flow_along([(last.at, last.power), (sample.at, sample.power)])

    def fill(
        self, records: Iterable[tuple[datetime, float]], counted: tuple[float | None, float | None] = (None, None)
    ) -> Flow:
        """Close the gap by records of times and W, and by the state of charge where they cannot be the whole truth.

        `counted` is what the device's own counters rose by (charged, discharged), as far as it has them.
        """
        before, after, self.before_gap = self.before_gap, self.last, None
        if before is None or after is None:
            return 0.0, 0.0
        points = sorted((taken_at.timestamp(), power) for taken_at, power in records)
        if flow := recorded(before, after, points):
            return flow
        if (gained := _gained(before, after)) is None:
            return 0.0, 0.0
        charged, discharged = counted
        if charged is not None:
            return charged, max(charged - gained, 0.0)
        if discharged is not None:
            return max(discharged + gained, 0.0), discharged
        return _partly_recorded(before, after, points, gained) or (max(gained, 0.0), max(-gained, 0.0))


def recorded(before: Sample, after: Sample, records: Curve) -> Flow | None:
    """Return what has flown between two samples by records of times (s) and W.

    None where they leave out too much to be interpolated, or contradict the change of the state of charge.
    """
    points = _between(before, after, records)
    if any(end - start > MAXIMUM_INTERVAL.total_seconds() for (start, _), (end, _) in pairwise(points)):
        return None
    charged, discharged = flow_along(points)
    net, gained = charged - discharged, _gained(before, after)
    tolerance = OF_CAPACITY * _capacity(before, after) + OF_RECORDS * abs(net)
    return None if gained is not None and abs(net - gained) > tolerance else (charged, discharged)


def _partly_recorded(before: Sample, after: Sample, records: Curve, gained: float) -> Flow | None:
    """Return what has flown by records of a part of a gap, as after midnight, and by the gain for the rest of it.

    None where more is left than can have flowed.
    """
    capacity = _capacity(before, after)
    charged = discharged = straight = seconds = 0.0
    for first, second in pairwise(_between(before, after, records)):
        flow = flow_along((first, second))
        if (interval := second[0] - first[0]) > MAXIMUM_INTERVAL.total_seconds():
            straight += flow[0] - flow[1]
            seconds += interval
        else:
            charged += flow[0]
            discharged += flow[1]
    rest = gained - charged + discharged
    if abs(rest) > MAXIMUM_RATE * seconds / 3600 * capacity:
        return None
    if abs(rest - straight) <= ROUNDING * capacity:
        rest = straight
    return charged + max(rest, 0.0), discharged + max(-rest, 0.0)


def _between(before: Sample, after: Sample, records: Curve) -> Curve:
    inside = [(at, power) for at, power in records if before.at < at < after.at and abs(power) <= MAXIMUM_POWER]
    return [(before.at, before.power), *inside, (after.at, after.power)]


def flow_along(points: Iterable[tuple[float, float]]) -> Flow:
    """Return what flows between points of time and W, each direction straight from point to point.

    Where the sign changes, mostly a load has come or gone at some moment between: half of both is right on average.
    Straight through zero would lose up to 3 % of a month (docs/energy.md).
    """
    charged = discharged = 0.0
    for (start, first), (end, second) in pairwise(points):
        charged -= (min(first, 0.0) + min(second, 0.0)) * (end - start) / 7_200_000
        discharged += (max(first, 0.0) + max(second, 0.0)) * (end - start) / 7_200_000
    return charged, discharged


def _capacity(before: Sample, after: Sample) -> float:
    return after.capacity or before.capacity or 0.0


def _gained(before: Sample, after: Sample) -> float | None:
    """Return by how many kWh the battery is fuller, None where the state of charge is not known or was corrected."""
    capacity = _capacity(before, after)
    if before.soc is None or after.soc is None or not capacity:
        return None
    gained = (after.soc - before.soc) / 100
    return gained * capacity if abs(gained) <= MAXIMUM_RATE * (after.at - before.at) / 3600 else None
