"""Lifetime totals of the counters that a device has itself (product contract, section 7)."""

from collections.abc import Mapping, Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from ..dyness.family import Family
from ..dyness.history import MAXIMUM_POWER
from ..reading import Value
from ..vocabulary import LIFETIME, Key
from .meter import CAPACITIES, MAXIMUM_CLOCK_LEAD, MAXIMUM_ENERGY, MAXIMUM_RATE

STEPS = 3
"""So many values, each higher than the one before, show a counter that counts: zeros and other constants do not."""
LAG = timedelta(minutes=6)
"""By so much a counter may be older than its sample: an upload, and what a clock is wrong by."""
SLACK = 1.0
"""kWh or hours that a counter may rise by at once; it may come in whole ones."""
RESOLUTION = 0.1
SINGLE_PRECISION = 2e-7
"""How far a counter may fall, absolutely and in proportion: some come in single precision (atess-api 8)."""
PATIENCE = timedelta(days=1)
"""For so long a counter that a device should have may be missing; then its energy is metered."""

_HOURS = (Key.CHARGE_TIME, Key.DISCHARGE_TIME, Key.PV_TIME)
_BATTERY = (Key.ENERGY_CHARGED, Key.ENERGY_DISCHARGED)


def most_per_hour(key: Key, *, rated: Any = None, power: float = MAXIMUM_POWER / 1000) -> float:
    """Return the kWh or hours that a counter rises by in an hour at the most.

    Args:
        key: of the total.
        rated: capacity of the battery in kWh, if known.
        power: highest power of the device in kW.
    """
    if key in _HOURS:
        return 2.0
    if key in _BATTERY and isinstance(rated, float | int) and CAPACITIES[0] <= rated <= CAPACITIES[1]:
        return MAXIMUM_RATE * rated
    return power


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mark:
    """What a counter showed."""

    counter: float
    at: datetime

    @classmethod
    def remembered(cls, memory: Mapping[str, Any]) -> Self | None:
        """Return what `json` wrote, None if it is none."""
        counter, at = _amount(memory.get("counter")), _instant(memory.get("at"))
        return None if counter is None or at is None else cls(counter=counter, at=at)

    @property
    def json(self) -> dict[str, Any]:
        return {"counter": self.counter, "at": self.at.isoformat()}

    def leads_to(self, counter: float, at: datetime, most: float) -> bool:
        """Return whether the same counter can show that, if it rises by `most` an hour at the most."""
        hours = (max(at - self.at, timedelta(0)) + LAG) / timedelta(hours=1)
        tolerance = RESOLUTION + SINGLE_PRECISION * self.counter
        return self.counter - tolerance <= counter <= self.counter + SLACK + most * hours

    def moved(self, counter: float, at: datetime) -> Self:
        return replace(self, counter=max(self.counter, counter), at=at)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """Samples that agree with one another and not with the accepted one."""

    first: float
    last: _Mark
    steps: int = 1
    """How many values, each higher than the one before."""

    @classmethod
    def remembered(cls, memory: Any) -> Self | None:
        """Return what `json` wrote, None if it is none."""
        match memory:
            case {"first": first, "steps": int(steps)} if 0 < steps < STEPS:
                last = _Mark.remembered(memory)
                if last and (amount := _amount(first)) is not None and amount <= last.counter:
                    return cls(first=amount, last=last, steps=steps)
        return None

    @property
    def json(self) -> dict[str, Any]:
        return {"first": self.first, "steps": self.steps, **self.last.json}

    def moved(self, counter: float, at: datetime) -> Self:
        steps = self.steps + (counter > self.last.counter)
        return replace(self, last=self.last.moved(counter, at), steps=steps)


class Lifetime:
    """A total that never falls and never jumps, whatever its counter does: glitches, falls to 0, begins anew."""

    def __init__(self, total: Any = None, memory: Any = None, *, metered: bool = False) -> None:
        """Go on from a total and the `memory` of an earlier one, as far as they are sound.

        Args:
            total: what was shown last.
            memory: of the counter. Without it a first counter that is higher than `total` is taken for its own.
            metered: whether `total` is none of the counter's.
        """
        self._total = _amount(total)
        self._metered = metered
        content: Mapping[str, Any] = memory if isinstance(memory, Mapping) and self._total is not None else {}
        self._accepted = _Mark.remembered(content)
        self._run = _Run.remembered(content.get("run")) if self._accepted else None
        self._heard = _instant(content.get("heard")) if self._accepted else None
        """When the newest sample was taken by its own time."""

    @property
    def total(self) -> float | None:
        """What to show; None before the first sample."""
        return self._total

    @property
    def memory(self) -> dict[str, Any]:
        """What `__init__` goes on from beside the total, as JSON."""
        if self._accepted is None:
            return {}
        return self._accepted.json | {
            "heard": self._heard.isoformat() if self._heard else None,
            "run": self._run.json if self._run else None,
        }

    def add(self, value: Any, at: datetime, most: float, *, now: datetime) -> bool:
        """Take a sample of the counter, and return whether it is believed. One that is not newer changes nothing.

        Args:
            value: of the counter.
            at: when the device took the sample.
            most: by how much the counter rises in an hour at the most.
            now: our own time.
        """
        counter = _amount(value)
        if counter is None or at.utcoffset() is None:
            return False
        heard, taken_at = self._heard, min(at, now)
        # A time that was far ahead was wrong: until then no other would be newer.
        is_new = heard is None or (at != heard if heard - now > MAXIMUM_CLOCK_LEAD else at > heard)
        accepted = self._accepted
        if accepted is None:
            return self._begin(_Mark(counter=counter, at=taken_at), at)
        fits = accepted.leads_to(counter, taken_at, most)
        if not is_new:
            return fits
        self._heard = at
        run = self._run if self._run and self._run.last.leads_to(counter, taken_at, most) else None
        # One that rose too far stays too far, however much time passes; from zeros the old one may come back.
        if fits and not (run and (run.steps > 1 or run.first > accepted.counter)):
            self._accepted, self._run = accepted.moved(counter, taken_at), None
            self._follow(accepted.counter, counter)
            return True
        self._run = (
            run.moved(counter, taken_at) if run else _Run(first=counter, last=_Mark(counter=counter, at=taken_at))
        )
        if self._run.steps < STEPS:
            return False
        self._accepted = self._run.last
        self._rise(self._run.last.counter - self._run.first)
        self._run = None
        return True

    def _begin(self, mark: _Mark, heard: datetime) -> bool:
        if self._total and not mark.counter:
            return False  # the device has just begun itself: from 0 to its real counter would be too far
        if self._total is None or (mark.counter >= self._total and not self._metered):
            self._total = mark.counter
        self._accepted, self._heard = mark, heard
        return True

    def _follow(self, before: float, counter: float) -> None:
        """As long as the total is the counter's own figure, keep it exactly that."""
        if self._total == before:
            self._total = max(before, counter)
        else:
            self._rise(counter - before)

    def _rise(self, amount: float) -> None:
        total = self._total or 0.0
        self._total = max(total, min(round(total + amount, 6), MAXIMUM_ENERGY))


class Totals:
    """All lifetime totals of a device: of its own counters, and metered where it has none."""

    def __init__(self, memory: Mapping[str, Any]) -> None:
        """Go on from what is remembered of the device."""
        self._counted: dict[str, float] = dict(memory.get("totals", {}))
        self._counters: dict[str, Any] = dict(memory.get("counters", {}))
        self._awaited: dict[str, float] = dict(memory.get("awaited", {}))
        """Since when counters that the device should have are missing, in seconds."""
        # Version 0.1.0 showed what was metered at once.
        self._metered: dict[str, float] = dict(memory.get("metered", _metered(memory.get("meter", {}))))
        """Totals that are shown without having been counted by the device."""

    @property
    def memory(self) -> dict[str, dict[str, Any]]:
        """What `__init__` goes on from, as JSON."""
        return {
            "totals": self._counted,
            "counters": self._counters,
            "awaited": self._awaited,
            "metered": self._metered,
        }

    def count(
        self, values: Mapping[Key, Value], at: datetime, *, rated: Any = None, now: datetime
    ) -> dict[Key, float | int]:
        """Return the totals of the counters in a sample.

        Args:
            values: of the sample.
            at: when it was taken.
            rated: capacity of the battery in kWh, if known.
            now: our own time.
        """
        found = {}
        for key, value in values.items():
            if key in LIFETIME:
                shown = self._counted.get(key, self._metered.get(key))
                lifetime = Lifetime(shown, self._counters.get(key), metered=key not in self._counted)
                lifetime.add(value, at, most_per_hour(key, rated=rated), now=now)
                if lifetime.memory:
                    found[key] = self._counted[str(key)] = lifetime.total or 0.0
                    self._counters[str(key)] = lifetime.memory
                    self._metered.pop(key, None)
                    self._awaited.pop(key, None)
                elif key in self._counted:
                    found[key] = self._counted[key]
        return found

    def meter(
        self, amounts: Mapping[Key, float | None], at: datetime, *, expected: AbstractSet[Key]
    ) -> dict[Key, float | int]:
        """Return the totals of what the sample has no counters for.

        Args:
            amounts: what was metered.
            at: when the sample was taken.
            expected: counters that the device should have.
        """
        found = {}
        for key, amount in amounts.items():
            if key in self._counted:
                found[key] = self._counted[key]  # a counter that was there once stays the one that counts
            elif amount is not None and (key in self._metered or key not in expected or self._is_missing(key, at)):
                found[key] = self._metered[str(key)] = round(amount, 3)
        return found

    def _is_missing(self, key: Key, at: datetime) -> bool:
        since = self._awaited.setdefault(str(key), at.timestamp())
        return at.timestamp() - since >= PATIENCE.total_seconds()


def expected_counters(family: Family, points: Any) -> set[Key]:
    """Return the lifetime totals that a device counts itself, whether this sample has a value for them or not."""
    listed = {item.get("pointId") for item in points if isinstance(item, dict)} if isinstance(points, list) else set()
    rules = [*family.running, *(rule for rule in family.rules if rule.id in listed)]
    return {key for rule in rules for key in rule.keys if key in LIFETIME}


def lifetimes(memory: Any) -> dict[Key, Lifetime]:
    """Return the totals of a device that keeps each of them with its counter, as far as they are sound."""
    found = {}
    for key, content in memory.items() if isinstance(memory, Mapping) else ():
        match content:
            case {"total": total}:
                lifetime = Lifetime(total, content)
            case [total, at]:  # of version 0.1.0
                lifetime = Lifetime(total, {"counter": total, "at": at})
            case _:
                continue
        if key in LIFETIME and lifetime.total is not None:
            found[Key(key)] = lifetime
    return found


def sound_lifetimes(memory: dict[str, Any]) -> dict[str, Any]:
    """Return what `lifetimes` can use of its memory."""
    return {
        str(key): memory[key] if isinstance(memory[key], list) else {"total": lifetime.total, **lifetime.memory}
        for key, lifetime in lifetimes(memory).items()
    }


def sound_counters(memory: Any) -> dict[str, Any]:
    """Return what can be used of the memories of counters."""
    items = memory.items() if isinstance(memory, dict) else ()
    sound = {key: Lifetime(0.0, content).memory for key, content in items}
    return {key: content for key, content in sound.items() if content}


def _metered(meter: Any) -> dict[str, float]:
    found = {}
    for key, name in ((Key.ENERGY_CHARGED, "charged"), (Key.ENERGY_DISCHARGED, "discharged")):
        amount = _amount(meter.get(name)) if isinstance(meter, Mapping) else None
        if amount is not None:
            found[str(key)] = round(amount, 3)
    return found


def _amount(value: Any) -> float | None:
    is_number = isinstance(value, float | int) and not isinstance(value, bool)
    return value + 0 if is_number and 0 <= value <= MAXIMUM_ENERGY else None  # never -0.0


def _instant(text: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except OverflowError, TypeError, ValueError:
        return None
