"""A model of Home Assistant's recorder: the rows that it makes of one entity's states.

A row of five minutes is made from the states within them and the one before, held; states that are no number are left
out. The row of an hour is made of its rows of five minutes. After a stop all rows since then are made from the last
state, and nothing distinguishes them from measured ones. Times are seconds since the epoch.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import pairwise
import math
from statistics import fmean

from custom_components.dyness_atess.telemetry.energy.statistics import HOUR, SLOT, Mean, Total


class Recorded[Row]:
    """One entity: its states and rows."""

    def __init__(self, begin: float) -> None:
        """Nothing was recorded before."""
        self._states: list[tuple[float, float | None]] = []
        self.fives: dict[float, Row] = {}
        self.hours: dict[float, Row] = {}
        self._next = int(begin // SLOT * SLOT)

    def show(self, at: float, value: float | None) -> None:
        """Take a new state; None is none that is a number."""
        if not self._states or self._states[-1][1] != value:
            self._states.append((at, value))

    def compile(self, now: float) -> None:
        """Make all rows of what has ended."""
        while self._next + SLOT <= now:
            start, self._next = self._next, self._next + SLOT
            first = max(bisect_right(self._states, (start, -math.inf)) - 1, 0)
            last = bisect_left(self._states, (start + SLOT, -math.inf))
            states = [(max(at, start), value) for at, value in self._states[first:last] if value is not None]
            if states and (row := self._row(start, states)):
                self.fives[start] = row
            if self._next % HOUR == 0:
                hour = self._next - HOUR
                parts = [self.fives[at] for at in range(hour, self._next, SLOT) if at in self.fives]
                if hour in self.hours:
                    raise ValueError("imported before it was compiled: every entity of the house loses this hour")
                if parts:
                    self.hours[hour] = self._summary(parts)

    def complete(self, rows: Mapping[float, Row]) -> None:
        """Import hours as `async_import_statistics` does."""
        self.hours.update(rows)

    def _row(self, start: float, states: list[tuple[float, float]]) -> Row | None:
        raise NotImplementedError

    def _summary(self, parts: list[Row]) -> Row:
        raise NotImplementedError


class Measured(Recorded[Mean]):
    """A measurement."""

    def _row(self, start: float, states: list[tuple[float, float]]) -> Mean | None:
        ends = [*(at for at, _ in states[1:]), start + SLOT]
        area = sum(value * (end - at) for (at, value), end in zip(states, ends, strict=True))
        values = [value for _, value in states]
        return Mean(area / (start + SLOT - states[0][0]), min(values), max(values))

    def _summary(self, parts: list[Mean]) -> Mean:
        return Mean(
            fmean(part.mean for part in parts), min(part.min for part in parts), max(part.max for part in parts)
        )


class Counted(Recorded[Total]):
    """A total that never falls."""

    _last: Total | None = None

    def _row(self, start: float, states: list[tuple[float, float]]) -> Total | None:
        state = states[-1][1]
        last = self._last or Total(states[0][1], 0.0)
        self._last = Total(state, last.sum + state - last.state)
        return self._last

    def _summary(self, parts: list[Total]) -> Total:
        return parts[-1]

    def changes(self) -> dict[float, float]:
        """Return by how much each hour's sum is above that of the hour before it."""
        return {hour: self.hours[hour].sum - self.hours[before].sum for before, hour in pairwise(sorted(self.hours))}
