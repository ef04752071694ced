"""The batteries of an account as one."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import combinations
import math
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..telemetry.vocabulary import TODAY, Key
from .coordinator import ReadingsCoordinator
from .memory import Memory

MEASURED = (Key.SOC, Key.POWER, Key.ENERGY_REMAINING, Key.ENERGY_RATED)
COUNTED = (Key.ENERGY_CHARGED, Key.ENERGY_DISCHARGED, Key.ENERGY_CHARGED_TODAY, Key.ENERGY_DISCHARGED_TODAY)

SIMULTANEOUS = timedelta(seconds=10)
LEAST_CURRENT = 1.0
"""A; less is alike everywhere."""
COMPARED, ALIKE = 12, 0.8
"""How many simultaneous samples are compared, and which part of them has to be alike."""
TOLERANCE = 0.01
"""By which the voltages differ that are measured at two ends of one cable."""


class Combined:
    """What the batteries of an account hold and do together, once there are two.

    Batteries behind one combiner box each report the current of all of them (dyness-api 10.12). That is told by their
    simultaneous samples: nearly all have the same current, to the last digit, at the same voltage. Then their power is
    that of one, and what is metered from it counts once; what a device has counted itself, and what it holds, is added.
    Batteries that upload at different times cannot be compared and are added.

    Energies rise by what those of the batteries rise by, so that they neither fall when a battery is removed nor jump
    by all that another has ever counted when it is added.
    """

    def __init__(self, devices: Mapping[str, ReadingsCoordinator], memory: Memory, entry_id: str) -> None:
        """Go on from what is remembered; anything malformed is begun anew."""
        self.values: dict[Key, float] = {}
        """What can be told now."""
        self.keys: set[Key] = set()
        """What all batteries have; none is forgotten."""
        self.on_change: list[Callable[[], None]] = []
        self._devices = devices
        self._memory = memory
        self._entry_id = entry_id
        self._alike: dict[tuple[str, str], tuple[Any, deque[bool]]] = {}
        self._energies: dict[Key, dict[str, Any]] = {}
        for key, energy in memory.recall(entry_id).get("combined", {}).items():
            if key in COUNTED:
                self._energies[Key(key)] = energy

    def since(self, key: Key) -> float | None:
        """Return when the day of an energy began (s)."""
        return self._energies[key]["since"] if key in self._energies and key in TODAY else None

    @callback
    def follow(self, coordinator: ReadingsCoordinator) -> None:
        """Take a battery into account, now and later."""
        coordinator.on_end += (coordinator.async_add_listener(self.update), self.update)
        self.update()

    @callback
    def update(self) -> None:
        """Add up anew."""
        masters = [found for found in self._devices.values() if not found.is_module]
        parts = [part for part in masters if (Platform.SENSOR, Key.SOC) in part.quantities and not part.is_disabled]
        is_complete = all(found.data or found.retries.since is not None for found in masters)
        if not self.keys and (len(parts) < 2 or not is_complete):
            return
        own = [{key for _, key in part.quantities} for part in parts]
        self.keys |= {
            key for key in (*MEASURED, *COUNTED) if own and all({key, Key.ENERGY_RATED} <= has for has in own)
        }
        self._compare(parts)
        before, self.values = self.values, self._measure(parts)
        for key in COUNTED:
            self._count(key, parts)
        self._memory.keep(self._entry_id, combined={key.value: energy for key, energy in self._energies.items()})
        self.values |= {key: round(energy["total"], 3) for key, energy in self._energies.items()}
        if self.values != before:
            for listener in self.on_change:
                listener()

    def _compare(self, parts: Sequence[ReadingsCoordinator]) -> None:
        for one, other in combinations(parts, 2):
            numbers = [_number(part, key) for key in (Key.CURRENT, Key.VOLTAGE) for part in (one, other)]
            if None in numbers or not one.sampled_at or not other.sampled_at:
                continue
            current, other_current, voltage, other_voltage = (number or 0.0 for number in numbers)
            pair, times = (one.serial, other.serial), (one.sampled_at, other.sampled_at)
            compared, alike = self._alike.get(pair, (None, deque[bool](maxlen=COMPARED)))
            is_loaded = max(abs(current), abs(other_current)) >= LEAST_CURRENT
            if times != compared and is_loaded and abs(times[0] - times[1]) <= SIMULTANEOUS:
                alike.append(current == other_current and math.isclose(voltage, other_voltage, rel_tol=TOLERANCE))
                self._alike[pair] = times, alike

    def _is_counted(self, part: ReadingsCoordinator, parts: Sequence[ReadingsCoordinator]) -> bool:
        """Return whether the current of a battery is not that of one before it."""
        pairs = [self._alike.get((before.serial, part.serial)) for before in parts[: parts.index(part)]]
        return not any(pair and sum(pair[1]) >= ALIKE * len(pair[1]) for pair in pairs)

    def _measure(self, parts: Sequence[ReadingsCoordinator]) -> dict[Key, float]:
        values: dict[Key, float] = {}
        if rated := _of_all(parts, Key.ENERGY_RATED):
            values[Key.ENERGY_RATED] = round(sum(rated), 3)
        if not all(part.last_update_success and part.is_current for part in parts):
            return values
        if remaining := _of_all(parts, Key.ENERGY_REMAINING):
            values[Key.ENERGY_REMAINING] = round(sum(remaining), 3)
        if rated and sum(rated) and (levels := _of_all(parts, Key.SOC)):
            values[Key.SOC] = round(math.sumprod(levels, rated) / sum(rated), 1)
        if powers := _of_all(parts, Key.POWER):
            counted = [power for part, power in zip(parts, powers, strict=True) if self._is_counted(part, parts)]
            values[Key.POWER] = round(sum(counted), 1)
        return values

    def _count(self, key: Key, parts: Sequence[ReadingsCoordinator]) -> None:
        """Add by what the energies of the batteries have risen."""
        total, midnight = Key(key.removesuffix("_today")), dt_util.start_of_local_day().timestamp()
        now = {
            part: [value, part.today.since(key) or 0.0] for part in parts if (value := _number(part, key)) is not None
        }
        if (energy := self._energies.get(key)) is None:
            if key not in self.keys or len(now) < len(parts):
                return
            energy = self._energies[key] = {
                "total": 0.0,
                "since": midnight,
                "of": {part.serial: [0.0, 0.0] for part in now},
            }
        if key in TODAY and energy["since"] < midnight:
            energy |= {"total": 0.0, "since": midnight}
        for part, (value, since) in now.items():
            last, last_since = energy["of"].get(part.serial, (value, since))
            rise = max(value - last if since == last_since else value, 0.0)
            if self._is_counted(part, parts) or not part.energies.is_metered(total):
                energy["total"] += rise
        serials = {part.serial for part in parts}
        energy["of"] = {serial: last for serial, last in energy["of"].items() if serial in serials}
        energy["of"] |= {part.serial: last for part, last in now.items()}


def _number(part: ReadingsCoordinator, key: Key) -> float | None:
    value = part.data.values.get(key) if part.data else None
    return value if isinstance(value, float | int) else None


def _of_all(parts: Sequence[ReadingsCoordinator], key: Key) -> list[float]:
    """Return the numbers of all batteries, none where one has none."""
    found = [value for part in parts if (value := _number(part, key)) is not None]
    return found if len(found) == len(parts) else []
