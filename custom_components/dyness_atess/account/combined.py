"""The batteries of an account as one."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
import math
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import callback

from ..telemetry.vocabulary import TODAY, Key
from .coordinator import ReadingsCoordinator, last_midnight
from .memory import Memory

COUNTED = (Key.ENERGY_CHARGED, Key.ENERGY_DISCHARGED, Key.ENERGY_CHARGED_TODAY, Key.ENERGY_DISCHARGED_TODAY)
KEYS = {Key.SOC, Key.POWER, Key.ENERGY_REMAINING, Key.ENERGY_RATED, *COUNTED}

SIMULTANEOUS = timedelta(seconds=10)
LEAST_CURRENT = 1.0
"""A; less is alike everywhere."""
COMPARED, ALIKE = 12, 0.8
"""How many simultaneous samples are compared, and which part of them has to be alike."""
TOLERANCE = 0.01
"""By which voltages differ that are measured at two ends of one cable."""


@dataclass(slots=True)
class Sum:
    """An energy of all batteries, and that of each when it was last added (kWh), by serial number."""

    total: float = 0.0
    of: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Sums:
    """All of them; those of the day since a midnight (s)."""

    midnight: float = 0.0
    energies: dict[Key, Sum] = field(default_factory=dict)


class Combined:
    """What the batteries of an account hold and do together, once there are two.

    Batteries behind one combiner box each report the current of all of them (dyness-api 10.12). That is seen from their
    simultaneous samples: nearly all have the same current, to the last digit, at the same voltage. Then their power is
    that of one, and what is metered from it counts once; what a device has counted itself, and what it holds, is added.
    Batteries that upload at different times cannot be compared and are added.

    Energies rise by what those of the batteries rise by, so that they neither fall when a battery is removed nor jump
    by all that another one has ever counted when it is added.
    """

    def __init__(self, devices: Mapping[str, ReadingsCoordinator], memory: Memory, entry_id: str) -> None:
        """Go on from what is remembered."""
        self.values: dict[Key, float] = {}
        """What is known now."""
        self.keys: set[Key] = set()
        """What all batteries have; none is forgotten."""
        self.on_change: list[Callable[[], None]] = []
        self._devices = devices
        self._is_due = False
        self._sums = memory.state(entry_id, "combined", Sums)
        self._parts: list[ReadingsCoordinator] = []
        self._compared: dict[tuple[str, ...], Any] = {}
        self._repeating: set[str] = set()
        """Batteries whose current is that of one before them."""
        self._alike: defaultdict[tuple[str, ...], deque[bool]] = defaultdict(lambda: deque(maxlen=COMPARED))
        for coordinator in devices.values():
            self.follow(coordinator)
        self.update()

    def since(self, key: Key) -> float | None:
        """Return when the day of an energy began (s)."""
        return self._sums.midnight if key in TODAY else None

    @callback
    def follow(self, coordinator: ReadingsCoordinator) -> None:
        """Take a battery into account, now and later."""
        if coordinator.key in self._devices and not coordinator.is_module:
            coordinator.async_add_listener(self._update_soon)

    @callback
    def _update_soon(self) -> None:
        """Add up anew, once for all batteries that a list changes at a time."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self.update)

    @callback
    def update(self) -> None:
        """Add up anew."""
        self._is_due = False
        masters = [found for found in self._devices.values() if not (found.is_module or found.is_disabled)]
        self._parts = [found for found in masters if (Platform.SENSOR, Key.SOC) in found.quantities]
        is_complete = all(found.data or found.retries.since is not None for found in masters)
        if not self.keys and (len(self._parts) < 2 or not is_complete):
            return
        if self._parts:
            of_all = set.intersection(*(part.quantities for part in self._parts))
            self.keys |= {key for _, key in of_all} & KEYS
        if Key.ENERGY_RATED not in self.keys:
            self.keys.discard(Key.SOC)
        self._compare()
        before, self.values = self.values, self._measured()
        self._count()
        if self.values != before:
            for listener in list(self.on_change):
                listener()

    def _compare(self) -> None:
        """Find out whose current is that of another one."""
        times = {part: part.sampled_at for part in self._parts if part.sampled_at}
        for pair in pairwise(sorted(times, key=lambda part: times[part])):
            one, other = sorted(pair, key=lambda part: part.serial)
            serials, when = (one.serial, other.serial), (times[one], times[other])
            currents, voltages = _numbers(Key.CURRENT, one, other), _numbers(Key.VOLTAGE, one, other)
            is_new = abs(when[0] - when[1]) <= SIMULTANEOUS and self._compared.get(serials) != when
            if is_new and currents and voltages and max(map(abs, currents)) >= LEAST_CURRENT:
                self._compared[serials] = when
                is_alike = currents[0] == currents[1] and math.isclose(*voltages, rel_tol=TOLERANCE)
                self._alike[serials].append(is_alike)
        there = {part.serial for part in self._parts}
        alike = [pair for pair, seen in self._alike.items() if sum(seen) >= ALIKE * len(seen)]
        self._repeating = {second for first, second in alike if first in there}

    def _measured(self) -> dict[Key, float]:
        parts, values = self._parts, dict[Key, float]()
        if rated := _numbers(Key.ENERGY_RATED, *parts):
            values[Key.ENERGY_RATED] = round(sum(rated), 3)
        if not all(part.last_update_success and part.is_current for part in parts):
            return values
        if remaining := _numbers(Key.ENERGY_REMAINING, *parts):
            values[Key.ENERGY_REMAINING] = round(sum(remaining), 3)
        if sum(rated) and (levels := _numbers(Key.SOC, *parts)):
            values[Key.SOC] = round(math.sumprod(levels, rated) / sum(rated), 1)
        if powers := _numbers(Key.POWER, *parts):
            counted = [power for part, power in zip(parts, powers, strict=True) if part.serial not in self._repeating]
            values[Key.POWER] = round(sum(counted), 1)
        return values

    def _count(self) -> None:
        """Add by what the energies of the batteries have risen."""
        sums, energies = self._sums, self._sums.energies
        if sums.midnight != (midnight := last_midnight()):
            sums.midnight = midnight
            for key in TODAY & energies.keys():
                of, days = energies[key].of, {part.serial: part.today.energies.get(key) for part in self._parts}
                abroad = {serial for serial, day in days.items() if day and day.is_abroad}
                energies[key] = Sum(of={serial: of[serial] for serial in abroad & of.keys()})
        for key in COUNTED:
            begun = [part for part in self._parts if key not in TODAY or part.today.midnight == midnight]
            now = {part: value for part in begun for value in _numbers(key, part)}
            if key not in energies:
                if key not in self.keys or len(now) < len(self._parts):
                    continue
                energies[key] = Sum(of={part.serial: 0.0 for part in now})
            energy = energies[key]
            energy.of = {serial: value for serial, value in energy.of.items() if serial in self._devices}
            for part, value in now.items():
                last = energy.of.get(part.serial, 0.0 if key in TODAY else value)
                is_metered = part.energies.is_metered(Key(key.removesuffix("_today")))
                if not (is_metered and part.serial in self._repeating):
                    energy.total += max(value - last, 0.0)
                energy.of[part.serial] = value
            self.values[key] = round(energy.total, 3)


def _numbers(key: Key, *parts: ReadingsCoordinator) -> list[float]:
    """Return the numbers of all batteries, none where one has none."""
    values = [part.data.values.get(key) if part.data else None for part in parts]
    found = [value for value in values if isinstance(value, float | int)]
    return found if len(found) == len(parts) else []
