"""From a record of a converter to a Reading.

What a record means depends on the records before it, so that each device has a decoder of its own, with a memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..reading import Reading
from ..vocabulary import BatteryStatus, DeviceStatus, Key
from .dating import Dating
from .fields import BATTERY, FIELDS, OTHER_INPUTS, Field, Measure

IDLE_CURRENT = 1.0
"""A; a smaller current counts as none. It may come in whole amperes, and has an offset of some tenths."""
LEAST_VOLTAGE = 50.0
"""V that an input or a battery must once have had to exist; less can be the offset of an unused one."""
LEAST_BATTERY = 160.0
"""V; a converter that works has more, so that a number above it is no tenths, unless it is above all bounds."""
OFFSET_POWER = 50.0
"""W; a product of voltage and current up to which it does not matter whether they are tenths."""
LEAST_BALANCE = 2000.0
"""W that must flow into the battery or out of it, for output and inputs to tell which."""
LEAST_RISE = 0.05
"""kWh; the counters of a day have a resolution of 0.1."""
LEAST_LOAD = 0.5
"""kWh from which on a rise of the load's counter tells the unit of its power."""
NEIGHBOURS = timedelta(minutes=30)
CONTRARY = 3

INPUTS = {Key(f"pv{n}_power"): (Key(f"pv{n}_voltage"), Key(f"pv{n}_current")) for n in range(1, 6)}
"""Power of each PV input, and what it is the product of."""
_CIRCUITS = INPUTS | {
    Key.POWER: (Key.VOLTAGE, Key.CURRENT),
    Key.OUTPUT_POWER: (Key.OUTPUT_VOLTAGE, Key.OUTPUT_CURRENT),
}
_SCALED = (Measure.VOLTAGE, Measure.CURRENT, Measure.TEMPERATURE)
_TODAY = (Measure.ENERGY_TODAY, Measure.MINUTES_TODAY)
_WORKING = (DeviceStatus.RUNNING, DeviceStatus.ON_GRID, DeviceStatus.OFF_GRID, DeviceStatus.SINGLE_PV)
_CHARGE_DISABLED = (BatteryStatus.CHARGE_DISABLED, BatteryStatus.CHARGE_AND_DISCHARGE_DISABLED)
_DISCHARGE_DISABLED = (BatteryStatus.DISCHARGE_DISABLED, BatteryStatus.CHARGE_AND_DISCHARGE_DISABLED)
_BALANCE = "balance of output and inputs"


class Decision:
    """What the first evidence says, until three pieces in a row say otherwise."""

    def __init__(self, choices: Sequence[float], memory: Any = None) -> None:
        """Go on from `memory`, or raise an error where it is none."""
        self.choices = choices
        self.decided, self.by, self.contrary = memory or (None, "", 0)
        if self.decided not in (None, *choices) or self.contrary not in range(CONTRARY):
            raise ValueError("no decision")

    @property
    def memory(self) -> tuple[float | None, str, int]:
        """What `__init__` goes on from, for JSON and for diagnostics."""
        return self.decided, self.by, self.contrary

    def add(self, choice: float, by: str) -> None:
        """Take in a piece of evidence."""
        self.contrary = 0 if choice == self.decided else self.contrary + 1
        if self.contrary and (self.decided is None or self.contrary == CONTRARY):
            self.decided, self.by, self.contrary = choice, by, 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sample:
    """The numbers of one record whose meaning is clear. The battery's current has the cloud's own sign."""

    taken_at: datetime
    values: dict[Key, Any]
    powers: dict[Key, float]
    """W, of the circuits whose voltage and current are known."""


class ConverterDecoder:
    """Decodes the records of one converter, in the order in which they come."""

    def __init__(self, kind: str, memory: Any = None, *, battery_sign: int | None = None) -> None:
        """Go on from the `memory` of an earlier decoder; what is no such memory is left aside.

        Args:
            kind: "pbd" or "hps".
            memory: what an earlier decoder has learned.
            battery_sign: 1 where the cloud's battery current is positive while discharging, -1 where it is positive
                while charging; None to tell it from the numbers.
        """
        self._kind, self._battery_sign = kind, battery_sign
        self._rows = {row.name: row for row in FIELDS[kind]}
        self._last: _Sample | None = None
        try:
            self._restore(memory if isinstance(memory, Mapping) else {})
        except ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError:
            self._restore({})

    def _restore(self, memory: Mapping[str, Any]) -> None:
        self._dating = Dating(memory.get("dating", {}))
        self._scale = Decision((1.0, 0.1), memory.get("scale"))
        self._sign = Decision((1.0, -1.0), memory.get("sign"))
        self._load_unit = Decision((1000.0, 100.0, 1.0), memory.get("load_unit"))
        self._parts = {row.part for row in self._rows.values() if row.part in list(memory.get("parts", ()))} - {None}
        low, high = Measure.ENERGY_TODAY.value
        today = {Key(key): float(value) for key, value in memory.get("today", {}).items()}
        self._today = {key: value for key, value in today.items() if low <= value <= high}
        self._falling = {Key(key) for key in memory.get("falling", ())}
        """Counters of the day that the last record showed to fall, for the next one to confirm."""

    @property
    def memory(self) -> dict[str, Any]:
        """What has been learned, for JSON."""
        return {
            "dating": self._dating.memory,
            "scale": self._scale.memory,
            "sign": self._sign.memory,
            "load_unit": self._load_unit.memory,
            "parts": sorted(filter(None, self._parts)),
            "today": dict(self._today),
            "falling": sorted(self._falling),
        }

    @property
    def findings(self) -> dict[str, Any]:
        """What was decided and why, and what is withheld until it is, for diagnostics."""
        withheld = {
            "V, A, °C: whole or tenths": self._scale.decided is None,
            "battery current and power: direction": BATTERY in self._parts and self._direction is None,
            "PV power: inputs without a known current": OTHER_INPUTS in self._parts,
        }
        return {
            **{name: self.memory[name] for name in ("scale", "sign", "load_unit", "parts")},
            "battery_sign": self._battery_sign,
            "clock_offset": self._dating.offset,
            "withheld": [name for name, is_so in withheld.items() if is_so],
        }

    def decode(self, data: Any, received_at: datetime) -> Reading:
        """Decode the `data` of one answer, whatever it is. Never raises."""
        numbers, time, unknown = self._read(data)
        if not any(numbers.values()):
            # All is 0 after a restart of the data logger: that is no measurement.
            return Reading(family=self._kind, unknown=() if numbers else tuple(unknown))
        sent: dict[Key, Field] = {}
        for row in self._rows.values():
            if row.key and row.name in numbers and (numbers[row.name] or row.key not in sent):
                sent[row.key] = row
        by_key = {key: numbers[row.name] for key, row in sent.items()}
        is_offline = by_key.get(Key.DEVICE_STATUS) == -1
        taken_at, is_new, is_new_day = self._dating.date(time, numbers, received_at)
        if (factor := self._factor(numbers, by_key, learn=is_new)) is not None:
            others = (numbers[row.name] * factor for row in self._rows.values() if not row.key and row.name in numbers)
        values: dict[Key, Any] = {}
        implausible = []
        for key, row in sent.items():
            try:
                value = self._meaning(row, by_key[key], factor)
            except LookupError:
                unknown.append(self._point)
        return Reading()
