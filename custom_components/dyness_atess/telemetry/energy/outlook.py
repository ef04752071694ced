"""How long a battery takes to be full, or down to its reserve (battery-health 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
import math

from ..reading import Reading, Value
from ..vocabulary import Key
from .capacity import CAPACITIES
from .meter import MAXIMUM_POWER, within

RESERVE = 10.0
"""%; down to which an inverter discharges, where its owner says nothing else"""
MAXIMUM_AGE = timedelta(minutes=15)
"""An older sample says nothing about the future."""
WINDOW = 1800.0
"""s; the power is the mean over so much"""
MAXIMUM_GAP = 1200.0
"""s"""
IDLE_POWER = 20.0
"""W; less counts as none, of a large battery less than it can give for IDLE_HOURS"""
IDLE_HOURS = 200.0
FULL = 99.0
"""%; the last one lasts for as long as the cells take to be balanced"""
LONGEST = 48 * 60
STEP, STEADY = 0.2, 10
"""By which share of what remains (at least so many minutes) a value is corrected at once."""
LOW, HYSTERESIS = 5.0, 3.0
"""% above the reserve"""


def add_level(reading: Reading, before: Reading | None, reserve: float) -> None:
    """Add both halves of a battery's power, neither negative, and whether it is almost down to its reserve (%)."""
    soc, power = reading.values.get(Key.SOC), reading.values.get(Key.POWER)
    if isinstance(power, float | int):
        reading.values[Key.CHARGE_POWER], reading.values[Key.DISCHARGE_POWER] = max(0.0, -power), max(0.0, power)
    if isinstance(soc, float | int):
        was_low = before is not None and before.flags.get(Key.BATTERY_LOW, False)
        reading.flags[Key.BATTERY_LOW] = soc <= reserve + LOW + (HYSTERESIS if was_low else 0.0)


@dataclass(slots=True)
class Outlook:
    """Looks ahead from successive samples of one battery. Its times count against each other only."""

    samples: list[tuple[float, float]] = field(default_factory=list)
    """Times and W of the last half hour, as long as the battery does the same."""
    soc: float = 0.0
    """State of charge (%), finer than the battery reports it."""
    limits: dict[int, float] = field(default_factory=dict)
    """Charge current limits (A) by the whole % at which they were last seen while charging."""
    minutes: int | None = None
    reserve: float = 0.0

    def add(self, values: Mapping[Key, Value], at: float, reserve: float) -> dict[Key, Value]:
        """Take a sample of a time (s) and return the minutes that remain: to full or to empty, if any.

        The same sample again changes nothing, unless the reserve (%) is another one.
        """
        soc, rated = within(values.get(Key.SOC), 0, 100), within(values.get(Key.ENERGY_RATED), *CAPACITIES)
        power = within(values.get(Key.POWER), -MAXIMUM_POWER, MAXIMUM_POWER)
        if soc is None or power is None or not rated:
            return {}
        if abs(power) < max(IDLE_POWER, rated * 1000 / IDLE_HOURS):
            power = 0.0
        percent = rated * 10 * (within(values.get(Key.SOH), 1, 100) or 100) / 100  # Wh
        last_at, last_power = self.samples[-1] if self.samples else (0.0, 0.0)
        remaining = None if self.minutes is None else self.minutes - (at - last_at) / 60
        if at != last_at:
            is_followed = 0 < at - last_at <= MAXIMUM_GAP
            counted = self.soc - (last_power + power) / 2 * (at - last_at) / 3600 / percent
            most = min(soc + (0.999 if soc.is_integer() else 0.0), 100.0)
            self.soc = min(max(counted if is_followed else soc + 0.5, soc), most)
            is_same = is_followed and last_power * power > 0
            earlier = [sample for sample in self.samples if at - sample[0] <= WINDOW] if is_same else []
            self.samples = [*earlier, (at, power)]
            remaining = remaining if is_same else None
        elif reserve == self.reserve:
            return self._shown
        else:
            remaining = None
        self.reserve = reserve
        hours = self._to_full(values, soc, percent) if power < 0 else self._to_empty(soc, percent)
        self.minutes = None if hours is None or hours * 60 > LONGEST else round(hours * 60)
        if self.minutes is not None and remaining is not None and remaining >= STEADY:
            least, most = math.ceil((1 - STEP) * remaining), math.floor((1 + STEP) * remaining)
            self.minutes = min(max(self.minutes, least), most)
        return self._shown

    @property
    def _shown(self) -> dict[Key, Value]:
        if self.minutes is None:
            return {}
        return {Key.TIME_TO_FULL if self.samples[-1][1] < 0 else Key.TIME_TO_EMPTY: self.minutes}

    @property
    def _power(self) -> float | None:
        """W; None where there is one sample only."""
        if len(self.samples) < 2 or not self.samples[-1][1]:
            return None
        energy = sum((one + other) / 2 * (end - start) for (start, one), (end, other) in pairwise(self.samples))
        return abs(energy) / (self.samples[-1][0] - self.samples[0][0])

    def _to_full(self, values: Mapping[Key, Value], soc: float, percent: float) -> float | None:
        """Return the hours at the present power, or at what the battery takes where that is less."""
        limit, voltage = within(values.get(Key.CHARGE_CURRENT_LIMIT), 0, 1e4), within(values.get(Key.VOLTAGE), 1, 2e3)
        if limit:
            self.limits[int(soc)] = limit
        if soc >= FULL or limit == 0 or (power := self._power) is None:
            return None
        most, hours = limit or math.inf, 0.0
        for step in range(int(self.soc), 100):
            most = self.limits.get(step, most)
            hours += percent * min(step + 1 - self.soc, 1.0) / min(power, (voltage or math.inf) * most)
        return hours

    def _to_empty(self, soc: float, percent: float) -> float | None:
        power = self._power
        return None if soc <= self.reserve or power is None else (self.soc - self.reserve) * percent / power
