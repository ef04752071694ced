"""What hourly statistics lack after a gap, and what a day's history says of it (product contract, section 7).

Times are seconds since the epoch, energies kWh. Rows are those of a recorder that makes them as Home Assistant does:
each five minutes from what was shown in them, the last value held, and each hour from its five minutes.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
import math
from statistics import fmean
from typing import NamedTuple

from .meter import MAXIMUM_INTERVAL, Curve, Sample, flow_along, recorded

HOUR, SLOT = 3600, 300
SAME_KWH, SAME_MEAN = 1e-4, 0.01
"""By which two values may differ and still be the same: kWh, and W or %."""
LONGEST = MAXIMUM_INTERVAL.total_seconds()
KEPT, MOST = 86400, 12
"""Gaps that touch the same hour are planned together, so done ones stay so long, and no more of them."""
LARGEST_STEP = 10.0
"""% by which the state of charge changes between records; where it jumps, the history is not of this time."""


class Total(NamedTuple):
    """A row of a total: its state, and the sum that goes on where the state begins anew."""

    state: float
    sum: float


class Mean(NamedTuple):
    """A row of a measurement."""

    mean: float
    min: float
    max: float


class Shown(NamedTuple):
    """A sample, when it was shown, and the totals shown with it (charged, discharged)."""

    at: float
    sample: Sample
    totals: tuple[float | None, float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """A time of which a recorder knows nothing, and the history of its last day."""

    before: Shown | None
    """The last sample before, None where nothing was ever shown before."""
    returned_at: float
    """When the first sample after was shown; its totals without what had flown in the gap."""
    after: Shown
    """The sample at the time of the history, shown with that."""
    day: float
    """Local midnight, where the history begins."""
    records: tuple[Sample, ...]

    @property
    def left_at(self) -> float:
        """When the last value before was shown."""
        return self.before.at if self.before else -math.inf

    @property
    def samples(self) -> list[Sample]:
        """What is known from the sample before on, or from midnight: nothing where that has holes or cannot be."""
        start = self.before.sample.at if self.before else -math.inf
        known = [*(record for record in self.records if start < record.at < self.after.sample.at), self.after.sample]
        if self.before and (start >= self.day or known[0].at - start <= LONGEST):
            known.insert(0, self.before.sample)
        elif known[0].at - self.day > LONGEST:
            return []
        flow = recorded(known[0], known[-1], [(sample.at, sample.power) for sample in known[1:-1]])
        return known if flow and len(known) > 2 else []

    @property
    def powers(self) -> Curve:
        """W, positive while discharging."""
        return [(sample.at, sample.power) for sample in self.samples]

    @property
    def socs(self) -> Curve:
        """%; nothing where the history does not have it, or that of another time."""
        samples = self.samples
        curve = [(sample.at, sample.soc) for sample in samples if sample.soc is not None]
        steps = [(second[0] - first[0], abs(second[1] - first[1])) for first, second in pairwise(curve)]
        is_whole = all(seconds <= LONGEST and change <= LARGEST_STEP for seconds, change in steps)
        return curve if is_whole and curve and curve[0][0] - samples[0].at <= LONGEST else []


@dataclass(slots=True)
class Gaps:
    """Notices the gaps of one battery, and keeps those whose hours may still be completed."""

    last: Shown | None = None
    before: Shown | None = None
    returned_at: float | None = None
    """When the gap ended whose history is still to be asked for."""
    closed: list[Gap] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether history is wanted."""
        return self.returned_at is not None

    def note(self, shown: Shown) -> None:
        """Remember what is shown from now on."""
        before, self.last = self.last, shown
        if before is None or shown.sample.at - before.sample.at > LONGEST:
            self.before, self.returned_at = before, shown.at
        elif self.returned_at is not None and shown.at - self.returned_at > KEPT:
            self.returned_at = None

    def close(self, shown: Shown, day: float | None, records: Iterable[tuple[float, float, float | None]]) -> None:
        """Take the history for a gap whose energies are shown by now: times, W, %; `day` is when it begins."""
        before, returned_at, self.returned_at, self.last = self.before, self.returned_at, None, shown
        if returned_at is None or day is None:
            return
        start, end = before.sample.at if before else 0.0, shown.sample.at
        inside = tuple(Sample(at, power, soc, None) for at, power, soc in records if start < at < end)
        gap = Gap(before=before, returned_at=returned_at, after=shown, day=day, records=inside)
        recent = [old for old in self.closed if shown.at - old.after.at < KEPT]
        self.closed = [*recent, *([gap] if gap.samples else [])][-MOST:]


def plan_totals(gaps: Iterable[Gap], direction: int, rows: Mapping[float, Total], compiled: float) -> dict[int, Total]:
    """Return the rows of a total (0: charged, 1: discharged) that a recorder lacks or has held since before a gap.

    `rows` are by their hour, from before the gaps until now; hours that end after `compiled` are still to be made.
    """
    found: dict[int, Total] = {}
    for gap in gaps:
        found |= _plan_total(gap, direction, rows, compiled)
    return found


def _plan_total(gap: Gap, direction: int, rows: Mapping[float, Total], compiled: float) -> dict[int, Total]:
    """Return the rows of one gap. What the history does not cover has flown before its midnight."""
    before, after = gap.before.totals[direction] if gap.before else None, gap.after.totals[direction]
    older = [hour for hour in rows if hour <= gap.left_at]
    samples = gap.samples
    if before is None or after is None or after <= before or not older or not samples:
        return {}
    curve: Curve = [(samples[0].at, 0.0)]
    for first, second in pairwise(samples):
        flow = flow_along([(first.at, first.power), (second.at, second.power)])
        curve.append((second.at, curve[-1][1] + flow[direction]))
    if gap.before and samples[0] is not gap.before.sample:
        missing = max(after - before - curve[-1][1], 0.0)
        curve = [(gap.day - 1, 0.0), (gap.day, missing), *((at, missing + kwh) for at, kwh in curve)]
    if not curve[-1][1]:
        return {}
    scale = (after - before) / curve[-1][1]
    last = rows[max(older)]
    offset = last.sum - last.state
    end = int(gap.after.at // HOUR * HOUR)
    highest = min((row.sum for hour, row in rows.items() if hour >= end), default=after + offset) - offset
    found = {}
    for hour in range(int(gap.left_at // HOUR * HOUR), min(end, int(compiled)), HOUR):
        state = min(before + scale * _value(curve, hour + HOUR), highest)
        old = rows.get(hour)
        if old is None or (abs(old.state - before) < SAME_KWH and state - old.state >= SAME_KWH):
            found[hour] = Total(round(state, 4), round(state + offset, 4))
    return found


def plan_means(
    gaps: Iterable[tuple[Gap, Curve]], rows: Mapping[float, Mean], fives: Mapping[float, Mean], compiled: float
) -> dict[int, Mean]:
    """Return the rows of a measurement that a recorder lacks, or has made with values held in gaps.

    `fives` are its rows of five minutes, by their beginning: what they measured outside of the gaps counts.
    """
    curves = [(gap, curve) for gap, curve in gaps if curve]
    hours = set[int]()
    for gap, curve in curves:
        first, last = max(gap.left_at, curve[0][0]), min(gap.returned_at, compiled - 1)
        hours.update(range(int(first // HOUR * HOUR), int(last) + 1, HOUR))
    found = {}
    for hour in sorted(hours):
        slots = range(hour, hour + HOUR, SLOT)
        lost = {start: curve for gap, curve in curves for start in slots if _is_lost(gap, start, rows, fives)}
        measured = [fives[start] for start in slots if start in fives and start not in lost]
        completed = [_value(curve, start + SLOT / 2) for start, curve in lost.items() if _is_covered(curve, start)]
        old = rows.get(hour)
        is_ours = old is None or measured or old.max - old.min < SAME_MEAN
        if completed and len(completed) == len(lost) and is_ours:
            parts = [*(Mean(value, value, value) for value in completed), *measured]
            low, high = min(part.min for part in parts), max(part.max for part in parts)
            new = Mean(round(fmean(part.mean for part in parts), 4), low, high)
            if old is None or max(abs(a - b) for a, b in zip(old, new, strict=True)) > SAME_MEAN:
                found[hour] = new
    return found


def _is_lost(gap: Gap, start: float, rows: Collection[float], fives: Collection[float]) -> bool:
    """Return whether five minutes lie in a gap, the last of them with the value shown before it and after it."""
    hour = start // HOUR * HOUR
    # What was there before the first sample of a new entry is of an earlier one, and measured.
    is_of_others = gap.before is None and (start in fives or (hour in rows and hour + HOUR < gap.returned_at))
    return gap.left_at < start < gap.returned_at and not is_of_others


def _is_covered(curve: Curve, start: float) -> bool:
    return curve[0][0] - SLOT <= start <= curve[-1][0] + SLOT


def _value(curve: Curve, at: float) -> float:
    """Return the value at a time; before and after the curve that of its ends."""
    right = bisect_right(curve, (at, math.inf))
    if right in (0, len(curve)):
        return curve[min(right, len(curve) - 1)][1]
    (start, first), (end, second) = curve[right - 1 : right + 1]
    return first + (second - first) * (at - start) / (end - start)
