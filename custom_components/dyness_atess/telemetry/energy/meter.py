"""What flows into and out of a battery, from samples of its power (product contract, section 7)."""

from collections.abc import Iterable
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
"""By which the state of charge may differ because both ends are rounded: within it a straight line tells more."""
OF_CAPACITY, OF_RECORDS = 0.05, 0.2
"""By which share of each the records may differ from the state of charge: rounding, heat, cells that have aged."""
LARGEST = 2.5e11
"""What no total (kWh) and no time (s) exceeds."""

type Flow = tuple[float, float]
"""kWh that were charged, and kWh that were discharged; neither is negative."""


def within(value: Any, least: float, most: float) -> float | None:
    """Return a number that lies within bounds, None for anything else."""
    return float(value) if isinstance(value, float | int) and least <= value <= most else None


def stored(value: Any, least: float = 0.0) -> float:
    """Return a number from disk, or raise."""
    if (number := within(value, least, LARGEST)) is None:
        raise ValueError("no such number")
    return number


class Sample(NamedTuple):
    """Time (s), power (W, positive while discharging), state of charge (%) and capacity (kWh)."""

    at: float
    power: float
    soc: float | None
    capacity: float | None


class Meter:
    """Tells what has flown since the last sample, as far as it is known by then."""

    def __init__(self, memory: Any) -> None:
        """Go on from an earlier meter's `memory`; raises where it is malformed."""
        last, before_gap = memory
        self._last = stored_sample(last)
        self._before_gap = stored_sample(before_gap)
        """The sample before the last one, if what flowed between the two is still to be found out."""

    @property
    def memory(self) -> list[Any]:
        """What `__init__` goes on from, as JSON."""
        return [sample and list(sample) for sample in (self._last, self._before_gap)]

    @property
    def gap(self) -> tuple[datetime, datetime] | None:
        """The times between which too much is missing to be interpolated, until it is filled."""
        if self._before_gap is None or self._last is None:
            return None
        return datetime.fromtimestamp(self._before_gap.at, UTC), datetime.fromtimestamp(self._last.at, UTC)

    def add(self, sample: Sample) -> Flow:
        """Return what has flown since the last sample: nothing yet in a gap, or after a clock was put back."""
        last, self._last, self._before_gap = self._last, sample, None
        if last is None or sample.at <= last.at:
            return 0.0, 0.0
        if sample.at - last.at > MAXIMUM_INTERVAL.total_seconds():
            self._before_gap = last
            return 0.0, 0.0
        return flow_along([(last.at, last.power), (sample.at, sample.power)])

    def fill(
        self, records: Iterable[tuple[datetime, float]], counted: tuple[float | None, float | None] = (None, None)
    ) -> Flow:
        """Close the gap by records of times and W, and by the state of charge where they cannot be the whole truth.

        `counted` is what the device's own counters tell of it (charged, discharged), as far as it has them.
        """
        before, after, self._before_gap = self._before_gap, self._last, None
        if before is None or after is None:
            return 0.0, 0.0
        points = sorted((taken_at.timestamp(), power) for taken_at, power in records)
        capacity, gained = after.capacity or before.capacity, _gained(before, after)
        flow = told(before, after, points)
        if flow or capacity is None or gained is None:
            return flow or (0.0, 0.0)
        net, (charged, discharged) = gained * capacity, counted
        if charged is not None:
            return charged, max(charged - net, 0.0)
        if discharged is not None:
            return max(discharged + net, 0.0), discharged
        return _told_in_part(before, after, points, net, capacity) or (max(net, 0.0), max(-net, 0.0))


def told(before: Sample, after: Sample, records: Iterable[tuple[float, float]]) -> Flow | None:
    """Return what records of times (s) and W tell of the time between two samples.

    None where they leave out too much to be interpolated, or contradict the change of the state of charge.
    """
    inside = [(at, power) for at, power in records if before.at < at < after.at and abs(power) <= MAXIMUM_POWER]
    points = [(before.at, before.power), *inside, (after.at, after.power)]
    if any(end - start > MAXIMUM_INTERVAL.total_seconds() for (start, _), (end, _) in pairwise(points)):
        return None
    charged, discharged = flow_along(points)
    net, capacity, gained = charged - discharged, after.capacity or before.capacity, _gained(before, after)
    if capacity is None or gained is None:
        return charged, discharged
    contradicts = abs(net - gained * capacity) > OF_CAPACITY * capacity + OF_RECORDS * abs(net)
    return None if contradicts else (charged, discharged)


def _told_in_part(
    before: Sample, after: Sample, records: Iterable[tuple[float, float]], net: float, capacity: float
) -> Flow | None:
    """Return what records tell of a part of a gap, as after midnight, and what is left of the `net` (kWh) for the rest.

    None where more is left than can have flowed.
    """
    inside = [(at, power) for at, power in records if before.at < at < after.at and abs(power) <= MAXIMUM_POWER]
    points = [(before.at, before.power), *inside, (after.at, after.power)]
    charged = discharged = straight = seconds = 0.0
    for first, second in pairwise(points):
        gain, loss = flow_along((first, second))
        if (interval := second[0] - first[0]) > MAXIMUM_INTERVAL.total_seconds():
            straight += gain - loss
            seconds += interval
        else:
            charged += gain
            discharged += loss
    rest = net - charged + discharged
    if abs(rest) > MAXIMUM_RATE * seconds / 3600 * capacity:
        return None
    if abs(rest - straight) <= ROUNDING * capacity:
        rest = straight
    return charged + max(rest, 0.0), discharged + max(-rest, 0.0)


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


def _gained(before: Sample, after: Sample) -> float | None:
    """Return by which share of its capacity the battery is fuller, None where the state of charge does not tell."""
    if before.soc is None or after.soc is None:
        return None
    gained = (after.soc - before.soc) / 100
    return gained if abs(gained) <= MAXIMUM_RATE * (after.at - before.at) / 3600 else None


def stored_sample(memory: Any) -> Sample | None:
    """Return a sample from disk, or raise."""
    if memory is None:
        return None
    at, power, soc, capacity = memory
    rest = (None if number is None else stored(number) for number in (soc, capacity))
    return Sample(stored(at), stored(power, -MAXIMUM_POWER), *rest)
