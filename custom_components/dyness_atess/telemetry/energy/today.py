"""What has flown since midnight (product contract, section 7)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from ..reading import Value
from ..vocabulary import TODAY, Key
from .counter import CONFIRMED_POWER, largest_rise
from .energies import MAXIMUM_TOTAL, METERED
from .meter import MAXIMUM_INTERVAL, Flow, flow_along, stored, within

LATE = 7200.0
"""s after midnight by which the counters of a device have begun anew whose clock is an hour off."""
DAY = 86400.0
LEAST_SHARE = 0.9
"""A counter that falls by less has not begun anew."""


class _Step(NamedTuple):
    value: float
    at: float

    def follows(self, last: _Step, longest: float = MAXIMUM_INTERVAL.total_seconds()) -> bool:
        """Whether one counter can have shown both."""
        seconds = min(abs(self.at - last.at), longest)
        return LEAST_SHARE * last.value <= self.value <= last.value + largest_rise(CONFIRMED_POWER, seconds)


@dataclass(slots=True, kw_only=True)
class _Energy:
    """One energy of a day that began at `since`."""

    since: float
    shown: float = 0.0
    last: _Step | None = None
    """Of the device's own counter of the day, else of the lifetime total."""
    doubted: _Step | None = None
    """What follows nothing, until the next sample agrees."""
    former: float = 0.0
    """What the counter showed before it began anew."""
    is_own: bool = False
    """Whether the device has a counter of its own for it."""
    is_abroad: bool = False
    """Whether that begins anew at another time than local midnight: then its day counts."""


class Today:
    """Energies since local midnight: the rises of a device's own counters of the day, else of its lifetime totals.

    So nothing is counted twice where a counter still shows yesterday's, has begun anew before midnight, or flickers.
    Where samples are apart at midnight, a rise is shared out by time unless records tell more.
    """

    def __init__(self, memory: Any = None) -> None:
        """Go on from what `memory` returned; anything malformed is begun anew."""
        self._midnight = 0.0
        try:
            self._energies = {Key(key): _load(energy) for key, energy in (memory or {}).items()}
        except AttributeError, LookupError, TypeError, ValueError:
            self._energies = {}

    @property
    def memory(self) -> dict[str, Any]:
        """What `__init__` goes on from, as JSON."""
        return {
            str(key): asdict(energy)
            | {"last": energy.last and [*energy.last], "doubted": energy.doubted and [*energy.doubted]}
            for key, energy in self._energies.items()
        }

    @property
    def energies(self) -> dict[Key, Value]:
        """The energies to show (kWh)."""
        return {key: round(energy.shown, 3) for key, energy in self._energies.items()}

    def since(self, key: Key) -> float | None:
        """Return when the day of an energy began (s)."""
        return self._energies[key].since if key in self._energies else None

    def begin(self, midnight: float, now: float) -> bool:
        """Begin the day that is `now`, and return whether that is another than before."""
        self._midnight = midnight
        over = [one for one in self._energies.values() if not one.is_abroad and one.since < midnight]
        over += [one for one in self._energies.values() if one.since > now]  # a clock was put back
        for energy in over:
            energy.shown, energy.since = 0.0, midnight
        return bool(over)

    def follow(self, values: Mapping[Key, Value], at: float) -> None:
        """Take the device's own counters of the day from a sample."""
        for key in TODAY & values.keys():
            if (value := within(values[key], 0, MAXIMUM_TOTAL)) is not None:
                self._follow(self._energy(key), _Step(value, at))

    def count(self, totals: Mapping[Key, Value], at: float, records: Iterable[tuple[datetime, float]] = ()) -> None:
        """Take the lifetime totals of a battery at some time, for where it has no counters of the day.

        `records` (time, W, positive while discharging) tell what has flown of it since midnight.
        """
        flown = _since(self._midnight, at, [(taken_at.timestamp(), power) for taken_at, power in records])
        for key, of_records in zip(METERED, flown or (None, None), strict=True):
            total, energy = within(totals.get(key), 0, MAXIMUM_TOTAL), self._energies.get(Key(f"{key}_today"))
            if total is None or (energy and energy.is_own):
                continue
            energy = energy or self._energy(Key(f"{key}_today"))
            step = _Step(total, at)
            last, energy.last = energy.last or step, step
            rise = max(total - last.value, 0.0)
            is_split = of_records is not None and last.at < energy.since
            energy.shown += min(rise, of_records or 0.0) if is_split else rise * _share(energy.since, last.at, at)

    def _energy(self, key: Key) -> _Energy:
        return self._energies.setdefault(key, _Energy(since=self._midnight))

    def _follow(self, energy: _Energy, step: _Step) -> None:
        if not energy.is_own and not step.value:
            return  # a counter that is 0 may be none
        last = (energy.last if energy.is_own else None) or _Step(energy.shown, energy.since)
        doubted = energy.doubted
        if step.at in (last.at, doubted and doubted.at):
            return
        # Nothing of yesterday's is left then, even where it has not fallen.
        is_new_day = last.at < energy.since <= step.at - LATE
        if not is_new_day and (step.follows(last) if energy.is_own else step.follows(last, DAY)):
            is_back = not last.value and 0 < energy.former <= step.value
            rise = step.value - (energy.former if is_back and _is_short(last.at, step.at) else last.value)
            rise = max(rise, 0.0) * _share(energy.since, last.at, step.at)
            step = step._replace(value=max(step.value, last.value))
        elif doubted is None or not step.follows(doubted):
            energy.doubted = step
            return
        elif energy.is_own and (is_new_day or step.value < last.value):
            self._begin_anew(energy, last, doubted)
            rise = step.value if step.at >= energy.since else 0.0
        else:
            rise = max(step.value - last.value, 0.0) if step.at >= energy.since else 0.0
        energy.shown += rise
        energy.last, energy.doubted, energy.is_own = step, None, True

    def _begin_anew(self, energy: _Energy, last: _Step, fallen: _Step) -> None:
        """Note that a counter has begun anew between two samples."""
        energy.former = last.value
        is_abroad = last.at - LATE >= self._midnight >= fallen.at + LATE - DAY
        if is_abroad or energy.is_abroad:
            energy.since, energy.shown = fallen.at, 0.0
        energy.is_abroad = is_abroad or (energy.is_abroad and not _is_short(last.at, fallen.at))


def _is_short(start: float, end: float) -> bool:
    return abs(end - start) <= MAXIMUM_INTERVAL.total_seconds()


def _share(since: float, start: float, end: float) -> float:
    """Return which part of the time between two samples lies after `since`."""
    if end <= since:
        return 0.0
    return min((end - since) / (end - start), 1.0) if end > start else 1.0


def _since(midnight: float, end: float, records: Sequence[tuple[float, float]]) -> Flow | None:
    """Return what has flown between midnight and `end`, None where the records do not cover that."""
    points = [(at, power) for at, power in records if midnight <= at < end]
    if not points:
        return None
    points = [(midnight, points[0][1]), *points, (end, points[-1][1])]
    return flow_along(points) if all(_is_short(start, stop) for (start, _), (stop, _) in pairwise(points)) else None


def _load(memory: Any) -> _Energy:
    last, doubted = (memory[name] and _Step(*map(stored, memory[name])) for name in ("last", "doubted"))
    return _Energy(
        since=stored(memory["since"]),
        shown=stored(memory["shown"]),
        last=last,
        doubted=doubted,
        former=stored(memory["former"]),
        is_own=memory["is_own"] is True,
        is_abroad=memory["is_abroad"] is True,
    )
