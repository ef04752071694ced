"""What has flown since midnight (product contract, section 7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from ..reading import Value
from ..vocabulary import TODAY, Key
from .counter import CONFIRMED_POWER, largest_rise
from .energies import MAXIMUM_TOTAL, METERED
from .meter import MAXIMUM_INTERVAL, Curve, Flow, flow_along, within

LATE = 7200.0
"""s after midnight by which the counters of a device have begun anew whose clock is an hour off."""
DAY = 86400.0
LEAST_SHARE = 0.9
"""A counter that falls by less has not begun anew."""
LONGEST = MAXIMUM_INTERVAL.total_seconds()


class Step(NamedTuple):
    """A value of a counter, and when it was taken (s)."""

    value: float
    at: float

    def follows(self, last: Step) -> bool:
        """Return whether one counter can have shown both."""
        most = largest_rise(CONFIRMED_POWER, min(abs(self.at - last.at), LONGEST))
        return LEAST_SHARE * last.value <= self.value <= last.value + most


@dataclass(slots=True)
class Energy:
    """One energy of a day that began at `since`."""

    since: float = 0.0
    shown: float = 0.0
    last: Step | None = None
    """Of the device's own counter of the day, else of the lifetime total."""
    doubted: Step | None = None
    """What follows nothing, until the next sample agrees."""
    former: float = 0.0
    """What the counter showed before it began anew."""
    is_own: bool = False
    """Whether the device has a counter of its own for it."""
    is_abroad: bool = False
    """Whether that begins anew at another time than local midnight: then its day counts."""


@dataclass(slots=True)
class Today:
    """Energies since local midnight: the rises of a device's own counters of the day, else of its lifetime totals.

    So nothing is counted again where a counter still shows yesterday's, has begun anew before midnight, or flickers.
    Where samples are apart at midnight, a rise is shared out by time unless there are records.
    """

    midnight: float = 0.0
    energies: dict[Key, Energy] = field(default_factory=dict)

    @property
    def values(self) -> dict[Key, Value]:
        """The energies to show (kWh)."""
        return {key: round(energy.shown, 3) for key, energy in self.energies.items()}

    def since(self, key: Key) -> float | None:
        """Return when the day of an energy began (s)."""
        return self.energies[key].since if key in self.energies else None

    def begin(self, midnight: float) -> bool:
        """Begin the day, and return whether that is another than before."""
        self.midnight = midnight
        over = [one for one in self.energies.values() if not one.is_abroad and one.since != midnight]
        for energy in over:
            energy.since, energy.shown = midnight, 0.0
        return bool(over)

    def follow(self, values: Mapping[Key, Value], at: float) -> None:
        """Take the device's own counters of the day from a sample."""
        for key in TODAY & values.keys():
            if (value := within(values[key], 0, MAXIMUM_TOTAL)) is not None:
                self._follow(self._energy(key), Step(value, at))

    def count(self, totals: Mapping[Key, Value], at: float, records: Iterable[tuple[datetime, float]] = ()) -> None:
        """Take the lifetime totals of a battery at some time, for where it has no counters of the day.

        `records` (time, W, positive while discharging) say how much of it has flown since midnight.
        """
        flown = self._recorded(at, [(taken_at.timestamp(), power) for taken_at, power in records])
        for key, of_records in zip(METERED, flown or (None, None), strict=True):
            total = within(totals.get(key), 0, MAXIMUM_TOTAL)
            if total is None or (energy := self._energy(Key(f"{key}_today"))).is_own:
                continue
            last, energy.last = energy.last or Step(total, at), Step(total, at)
            rise = max(total - last.value, 0.0)
            is_split = of_records is not None and last.at < energy.since
            energy.shown += min(rise, of_records or 0.0) if is_split else rise * _share(energy.since, last.at, at)

    def _energy(self, key: Key) -> Energy:
        return self.energies.setdefault(key, Energy(since=self.midnight))

    def _follow(self, energy: Energy, step: Step) -> None:
        if not energy.is_own and not step.value:
            return  # a counter that is 0 may be none
        last, doubted = energy.last, energy.doubted
        if last is None or not energy.is_own:
            last = Step(energy.shown, energy.since)
        if step.at in (last.at, doubted and doubted.at):
            return
        # Nothing of yesterday's is left then, even where it has not fallen.
        is_anew = last.at < energy.since <= step.at - LATE
        if step.follows(last) and not is_anew:
            # Zeros for a while are no new beginning.
            is_back = not last.value and 0 < energy.former <= step.value and step.at - last.at <= LONGEST
            rise = step.value - (energy.former if is_back else last.value)
            energy.shown += max(rise, 0.0) * _share(energy.since, last.at, step.at)
            step = step._replace(value=max(step.value, last.value))
        elif doubted is None or not step.follows(doubted):
            energy.doubted = step
            return
        elif not (step.value or energy.is_abroad) and step.at - doubted.at < LONGEST:
            return  # a device that restarts may show 0 for so long
        elif is_anew or step.value < last.value:
            self._begin_anew(energy, last.at, doubted.at)
            energy.former = last.value
            energy.shown += step.value if step.at >= energy.since else 0.0
        else:  # it has risen by more than was believed
            energy.shown += step.value - last.value if step.at >= energy.since else 0.0
        energy.last, energy.doubted, energy.is_own = step, None, True

    def _begin_anew(self, energy: Energy, last_at: float, at: float) -> None:
        """Begin the day of a plant abroad, whose counter has begun anew between two times."""
        was_abroad = energy.is_abroad
        if at - last_at <= LONGEST:
            energy.is_abroad = LATE <= at - self.midnight <= DAY - LATE
        if energy.is_abroad or was_abroad:
            energy.since, energy.shown = at if energy.is_abroad else self.midnight, 0.0

    def _recorded(self, end: float, records: Curve) -> Flow | None:
        """Return what has flown between midnight and `end`, None where the records do not cover that."""
        points = [(at, power) for at, power in records if self.midnight <= at < end]
        if not points:
            return None
        points = [(self.midnight, points[0][1]), *points, (end, points[-1][1])]
        return (
            flow_along(points) if all(second[0] - first[0] <= LONGEST for first, second in pairwise(points)) else None
        )


def _share(since: float, start: float, end: float) -> float:
    """Return which part of the time between two samples lies after `since`."""
    if end <= since:
        return 0.0
    return min((end - since) / (end - start), 1.0) if end > start else 1.0
