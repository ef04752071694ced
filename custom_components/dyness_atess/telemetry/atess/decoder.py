"""From a record of a converter to a Reading.

What a record means depends on the records before it, so that each device has a decoder of its own, with a memory.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
import math
from typing import Any

from ..raw import Point, number
from ..reading import Reading
from ..vocabulary import LIFETIME, BatteryStatus, DeviceStatus, Key, Status
from .dating import Dating
from .evidence import CIRCUITS, IDLE_CURRENT, INPUTS, LEAST_RISE, SCALED, Decision, direction, rise, scale
from .fields import BATTERY, FIELDS, OTHER_INPUTS, Field, Measure

LEAST = {Measure.VOLTAGE: 50.0, Measure.CURRENT: IDLE_CURRENT}  # of an input or a battery that exists; offsets are less
OFFSET_POWER = 50.0  # W; for a smaller product of voltage and current it does not matter whether they are tenths
LEAST_LOAD = 0.5  # kWh by which the counter of the load must rise to tell the unit of its power
NEIGHBOURS = 1800.0  # s; records further apart are not compared

_UNITS = (1000.0, 100.0, 1.0)
_TODAY = frozenset(key for key in Key if key.endswith("_today"))
_CHARGE_DISABLED = (BatteryStatus.CHARGE_DISABLED, BatteryStatus.CHARGE_AND_DISCHARGE_DISABLED)
_DISCHARGE_DISABLED = (BatteryStatus.DISCHARGE_DISABLED, BatteryStatus.CHARGE_AND_DISCHARGE_DISABLED)


class ConverterDecoder:
    """Decodes the records of one converter, in the order in which they come."""

    def __init__(self, kind: str, memory: Any = None, *, battery_sign: int | None = None) -> None:
        """Go on from the `memory` of an earlier decoder, as far as it is one.

        `battery_sign` is 1 where the cloud's battery current is positive while discharging, -1 while charging, and None
        to tell it from the numbers.
        """
        self._kind, self._battery_sign = kind, battery_sign
        self._rows = {row.name: row for row in FIELDS[kind]}
        self._last: tuple[float, dict[Key, Any]] = 0.0, {}
        """The last new record: when it came, and what it said."""
        try:
            self._restore(memory if isinstance(memory, Mapping) else {})
        except ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError:
            self._restore({})

    def _restore(self, memory: Mapping[str, Any]) -> None:
        self._dating = Dating(memory.get("dating", {}))
        self._scale = Decision((1.0, 0.1), memory.get("scale"))
        self._sign = Decision((1.0, -1.0), memory.get("sign"))
        self._load_unit = Decision(_UNITS, memory.get("load_unit"))
        self._parts = {row.part for row in self._rows.values() if row.part in ["pv1", *memory.get("parts", ())]}
        """Those that have been seen to exist; whatever is for the sun has an input."""
        today = {Key(key): float(value) for key, value in memory.get("today", {}).items()}
        self._today = {key: value for key, value in today.items() if 0 <= value < math.inf}
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
        """What was decided and by what, and what is withheld until it is, for diagnostics."""
        withheld = {
            "voltages, currents, temperatures: whole or tenths": self._scale.decided is None,
            "battery current and power: direction": BATTERY in self._parts and self._direction is None,
            "PV power: inputs without a known current": OTHER_INPUTS in self._parts,
        }
        return {
            **{name: self.memory[name] for name in ("scale", "sign", "load_unit", "parts")},
            "battery_sign": self._battery_sign,
            "clock_offset": self._dating.offset,
            "withheld": [name for name, is_withheld in withheld.items() if is_withheld],
        }

    def decode(self, data: Any, received_at: datetime) -> Reading:
        """Decode the `data` of one answer, whatever it is. Never raises."""
        numbers, time, unknown = self._read(data)
        if not any(numbers.values()):
            # All is 0 after a restart of the data logger: that is no measurement.
            return Reading(family=self._kind, unknown=() if numbers else tuple(unknown))
        rows = [(self._rows[name], sent) for name, sent in numbers.items()]
        is_offline = any(row.states and row.states.get(sent) is DeviceStatus.OFFLINE for row, sent in rows)
        if is_offline:
            sampled_at, is_new, is_new_day = self._dating.newest, False, False
        else:
            sampled_at, is_new, is_new_day = self._dating.date(time, numbers, received_at)
        evidence = scale(rows)
        if evidence and is_new:
            self._scale.add(*evidence)
        factor = None if evidence and evidence[0] != self._scale.decided else self._scale.decided
        units = dict.fromkeys(SCALED, factor) | {Measure.LOAD_POWER: self._load_unit.decided, Measure.POWER: None}
        known: list[tuple[Field, Any]] = []
        implausible: list[Point] = []
        for row, sent in rows:
            try:
                known.append((row, _meaning(row, sent, units)))
            except LookupError:
                unknown.append(_point(row.name, f"{sent:.15g}"))
            except ValueError:
                implausible.append(_point(row.name, f"{sent:.15g}"))
        measured, raw = _by_key(known), _by_key(rows)
        powers = _powers(measured, raw, factor)
        if is_new:
            self._learn(measured, raw, powers, received_at.timestamp())
        shown = _by_key([(row, meaning) for row, meaning in known if self._exists(row, meaning)])
        for key in shown.keys() & _TODAY:
            shown[key] = self._today_so_far(key, shown[key], is_new=is_new, is_new_day=is_new_day)
        self._derive(shown, powers)
        if is_offline:
            shown = {key: shown[key] for key in shown.keys() & {*LIFETIME, Key.DEVICE_STATUS}} | {Key.ONLINE: False}
        if sampled_at:
            shown[Key.LAST_REPORT] = sampled_at
        return Reading(
            family=self._kind,
            values={key: value for key, value in shown.items() if not isinstance(value, bool | None)},
            flags={key: value for key, value in shown.items() if isinstance(value, bool)},
            sampled_at=sampled_at,
            unknown=tuple(unknown),
            implausible=tuple(implausible),
        )

    def _read(self, data: Any) -> tuple[dict[str, float], str, list[Point]]:
        """Return the numbers of an answer by field, its time, and what is neither."""
        texts = {str(name): _text(value) for name, value in data.items()} if isinstance(data, dict) else {}
        numbers, time = {}, ""
        for name, row in self._rows.items():
            if row.measure is Measure.TEXT:
                time = texts.pop(name, "") if row.key else texts.pop(name, "") and time
            elif (value := number(texts.get(name, ""))) is not None:
                numbers[name] = float(value)
                del texts[name]
        return numbers, time, [_point(name, text) for name, text in texts.items() if text]

    def _exists(self, row: Field, meaning: Any) -> bool:
        """Return whether the part of the device that a field belongs to has ever been seen to be there."""
        if row.part and meaning and meaning is not BatteryStatus.IDLE:
            least = 0.0 if row.part == row.name else LEAST.get(row.measure, 0.0)
            if isinstance(meaning, str) or abs(meaning) > least:
                self._parts.add(row.part)
        return meaning is not None and (row.part is None or row.part in self._parts)

    def _today_so_far(self, key: Key, value: float, *, is_new: bool, is_new_day: bool) -> float | None:
        """Return what a counter of the day shows, once a fall is confirmed by midnight or by the next record."""
        last = self._today.get(key)
        falls = not value if last is None else value < last - LEAST_RISE
        if falls and not is_new_day and not (is_new and key in self._falling):
            self._falling |= {key} if is_new else set()
            return last
        self._falling.discard(key)
        self._today[key] = value
        return value

    @property
    def _direction(self) -> float | None:
        """1 where the cloud's battery current is positive while discharging, -1 while charging, None where unclear."""
        return self._battery_sign or (None if self._sign.contrary else self._sign.decided)

    def _learn(
        self, now: dict[Key, Any], sent: Mapping[Key, float], powers: Mapping[Key, float | None], received_at: float
    ) -> None:
        """Learn the battery's direction and the unit of the load's power from a new record and the one before it."""
        (then, last), self._last = self._last, (received_at, now)
        seconds = received_at - then
        last = last if 0 < seconds <= NEIGHBOURS else {}
        if told := direction(now, last, powers):
            self._sign.add(*told)
        if (load := rise(now, last, Key.LOAD_ENERGY_TODAY)) >= LEAST_LOAD:
            watts = load * 3.6e6 / seconds
            for unit in _UNITS:
                if watts / 3 <= sent.get(Key.LOAD_POWER, 0.0) * unit <= watts * 3:
                    self._load_unit.add(unit, "counter of the load")

    def _derive(self, shown: dict[Key, Any], powers: Mapping[Key, float | None]) -> None:
        """Add what follows from the values of this same record, in the signs of the product."""
        existing = [power for power in INPUTS if power.removesuffix("_power") in self._parts]
        shown |= {power: powers.get(power) for power in (*existing, Key.OUTPUT_POWER)}
        inputs = existing if self._scale.decided else INPUTS.keys() & powers
        if inputs and OTHER_INPUTS not in self._parts and None not in (known := [powers.get(key) for key in inputs]):
            shown[Key.PV_POWER] = sum(filter(None, known))
        current, sign = shown.pop(Key.CURRENT, None), self._direction
        if current is not None and sign:
            power, is_idle = powers.get(Key.POWER), abs(current) < IDLE_CURRENT
            shown[Key.CURRENT] = current * sign + 0.0  # never -0.0
            shown[Key.POWER] = None if power is None else power * sign + 0.0
            shown[Key.STATUS] = (
                Status.IDLE if is_idle else Status.DISCHARGING if current * sign > 0 else Status.CHARGING
            )
            shown[Key.CHARGING] = shown[Key.STATUS] is Status.CHARGING
        if not shown.get(Key.SOC) and not shown.get(Key.VOLTAGE, 1.0):
            shown.pop(Key.SOC, None)  # 0 % of no battery voltage is no data
        if Key.CELL_VOLTAGE_MAX in shown and Key.CELL_VOLTAGE_MIN in shown:
            spread = shown[Key.CELL_VOLTAGE_MAX] - shown[Key.CELL_VOLTAGE_MIN]
            shown[Key.CELL_VOLTAGE_SPREAD] = round(spread * 1000)
        if state := shown.get(Key.DEVICE_STATUS):
            shown[Key.FAULT] = state in (DeviceStatus.ERROR, DeviceStatus.PERMANENT_ERROR)
        if battery := shown.get(Key.BATTERY_STATUS):
            shown[Key.CHARGE_ENABLED] = battery not in _CHARGE_DISABLED
            shown[Key.DISCHARGE_ENABLED] = battery not in _DISCHARGE_DISABLED


def _meaning(row: Field, sent: float, units: Mapping[Measure, float | None]) -> Any:
    """Return what a number means, None where its unit is not known.

    Raises:
        LookupError: a state that has no name.
        ValueError: it cannot be.
    """
    if row.measure in (Measure.STATE, Measure.FLAG):
        states: Mapping[float, Any] = row.states or {0.0: False, 1.0: True}
        return states[sent]
    if (unit := units.get(row.measure, 1.0)) is None:
        return None
    low, high = row.measure.value
    if not low <= sent * unit <= high or (row.measure is Measure.NUMBER and not sent.is_integer()):
        raise ValueError("cannot be")
    if row.measure is Measure.NUMBER:
        return int(sent)
    # Single precision adds digits.
    return round(sent * unit, 3 if row.measure is Measure.CELL_VOLTAGE else 2) + 0.0


def _by_key(values: Iterable[tuple[Field, Any]]) -> dict[Key, Any]:
    """Return what is known by quantity; of two fields for the same one the last that is not 0."""
    by_key: dict[Key, Any] = {}
    for row, value in values:
        if row.key and value is not None and (value or row.key not in by_key):
            by_key[row.key] = value
    return by_key


def _powers(measured: Mapping[Key, Any], sent: Mapping[Key, float], factor: float | None) -> dict[Key, float | None]:
    """Return voltage x current in W of every circuit that has both, None where they are not known or believed."""
    powers: dict[Key, float | None] = {}
    for power, (voltage, current) in CIRCUITS.items():
        if voltage in measured and current in measured:
            powers[power] = round(measured[voltage] * measured[current]) + 0.0
        elif voltage in sent and current in sent:
            is_none = factor is None and abs(sent[voltage] * sent[current]) <= OFFSET_POWER
            powers[power] = 0.0 if is_none else None
    return powers


def _point(name: str, text: str) -> Point:
    return Point(id=name, name="", value=text)


def _text(value: Any) -> str:
    """Return what a field holds, in characters that can be stored; empty where it holds nothing."""
    match value:
        case None:
            return ""
        case dict() | list():
            return type(value).__name__ if value else ""
        case int() if value.bit_length() > 128:
            return hex(value)[:40]  # Python writes no decimals of thousands of digits
    return str(value).strip().encode("ascii", "backslashreplace").decode()[:200]
