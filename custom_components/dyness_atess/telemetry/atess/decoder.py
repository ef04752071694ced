"""From a record of a converter to a Reading.

What a record means depends on the records before it, so that each device has a decoder of its own, with a memory.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
import json
from typing import Any

from ..raw import Point, number
from ..reading import Reading
from ..vocabulary import LIFETIME, BatteryStatus, DeviceStatus, Key, Status
from .dating import date
from .evidence import CIRCUITS, CONTRARY, IDLE_CURRENT, INPUTS, LEAST_RISE, SCALED, decide, direction, scale
from .fields import BATTERY, FIELDS, Field, Measure

LEAST = {Measure.VOLTAGE: 50.0, Measure.CURRENT: IDLE_CURRENT}  # of an input or a battery that exists; offsets are less
OFFSET_POWER = 50.0  # W; for a smaller product of voltage and current it does not matter whether they are tenths
NEIGHBOURS = 1800.0  # s; records further apart are not compared


class ConverterDecoder:
    """Decodes the records of one converter, in the order in which they come."""

    def __init__(self, kind: str, memory: Any = None, *, battery_sign: int | None = None) -> None:
        """Go on from the `memory` of an earlier decoder, if it is one.

        `battery_sign` is 1 where the cloud's battery current is positive while discharging, -1 while charging, and None
        to tell it from the numbers.
        """
        self._kind, self._battery_sign = kind, battery_sign
        self._last: tuple[float, dict[Key, Any]] = 0.0, {}
        """The last new record: when it came, and what it said."""
        try:
            self._memory = _copy(memory or {})
        except ArithmeticError, AttributeError, LookupError, TypeError, ValueError:
            self._memory = _copy({})

    @property
    def memory(self) -> dict[str, Any]:
        """What has been learned, for JSON."""
        return _copy(self._memory)

    @property
    def findings(self) -> dict[str, Any]:
        """What was decided and by what, and what is withheld until it is, for diagnostics."""
        withheld = {
            "voltages, currents, temperatures: whole or tenths": self._memory["scale"][0] is None,
            "battery current and power: direction": BATTERY in self._memory["parts"] and self._direction is None,
        }
        return {
            **{name: self.memory[name] for name in ("scale", "sign", "parts", "clock_offset")},
            "battery_sign": self._battery_sign,
            "withheld": [name for name, is_withheld in withheld.items() if is_withheld],
        }

    def decode(self, data: Any, received_at: datetime) -> Reading:
        """Decode the `data` of one answer, whatever it is. Never raises."""
        texts = {str(name): _text(value) for name, value in data.items()} if isinstance(data, dict) else {}
        rows: list[tuple[Field, float]] = []
        time = ""
        for row in FIELDS[self._kind]:
            if row.measure is Measure.TEXT:
                text = texts.pop(row.name, "")
                time = text if row.key else time
            elif (sent := number(texts.get(row.name, ""))) is not None:
                rows.append((row, float(sent)))
        if not any(sent for _, sent in rows):
            # All is 0 after a restart of the data logger: that is no measurement.
            return Reading(family=self._kind, unknown=() if rows else _points(texts))
        now, is_new, is_new_day = received_at.timestamp(), False, False
        is_offline = any(row.states and row.states.get(sent) is DeviceStatus.OFFLINE for row, sent in rows)
        if is_offline:
            taken = [taken for taken, _ in self._memory["records"].values() if 0 <= taken <= now]
            sampled_at = datetime.fromtimestamp(max(taken), UTC) if taken else None
        else:
            numbers = [(row.name, sent) for row, sent in rows]
            sampled_at, is_new, is_new_day = date(self._memory, time, numbers, received_at)
        evidence = scale(rows)
        if evidence and is_new:
            decide(self._memory["scale"], *evidence)
        factor = self._memory["scale"][0]
        if evidence and evidence[0] != factor:
            factor = None
        known: list[tuple[Field, Any]] = []
        implausible: dict[str, str] = {}
        for row, sent in rows:
            try:
                known.append((row, _meaning(row, sent, factor)))
            except LookupError:
                continue
            except ValueError:
                implausible[row.name] = texts[row.name]
            del texts[row.name]
        measured = _by_key(known)
        powers = _powers(measured, _by_key(rows), factor)
        if is_new:
            (then, last), self._last = self._last, (now, measured)
            if told := direction(measured, last if 0 < now - then <= NEIGHBOURS else {}, powers):
                decide(self._memory["sign"], *told)
        shown = _by_key([(row, meaning) for row, meaning in known if self._exists(row, meaning)])
        for key in [key for key in shown if key.endswith("_today")]:
            shown[key] = self._today_so_far(key, shown[key], is_new=is_new, is_new_day=is_new_day)
        self._derive(shown, powers)
        if is_offline:
            shown = {key: shown[key] for key in shown.keys() & {*LIFETIME, Key.DEVICE_STATUS}} | {Key.ONLINE: False}
        shown[Key.LAST_REPORT] = sampled_at
        return Reading(
            family=self._kind,
            values={key: value for key, value in shown.items() if not isinstance(value, bool | None)},
            flags={key: value for key, value in shown.items() if isinstance(value, bool)},
            sampled_at=sampled_at,
            unknown=_points(texts),
            implausible=_points(implausible),
        )

    def _exists(self, row: Field, meaning: Any) -> bool:
        """Return whether the part of the device that a field belongs to has ever been seen to be there."""
        parts, least = self._memory["parts"], LEAST.get(row.measure, 0.0) if row.part != row.name else 0.0
        if row.part not in (None, *parts) and meaning not in (None, BatteryStatus.IDLE):
            parts += [row.part] if isinstance(meaning, str) or abs(meaning) > least else []
        return meaning is not None and row.part in (None, *parts)

    def _today_so_far(self, key: Key, value: float, *, is_new: bool, is_new_day: bool) -> float | None:
        """Return what a counter of the day shows, once a fall is confirmed by midnight or by the next record."""
        today, falling = self._memory["today"], self._memory["falling"]
        last: float | None = today.get(key)
        falls = not value if last is None else value < last - LEAST_RISE
        if not is_new or (falls and not is_new_day and key not in falling):
            falling += [key] if is_new else []
            return last
        self._memory["falling"] = [other for other in falling if other != key]
        today[key] = value
        return value

    @property
    def _direction(self) -> float | None:
        """1 where the cloud's battery current is positive while discharging, -1 while charging, None where unclear."""
        decided, _, contrary = self._memory["sign"]
        return self._battery_sign or (None if contrary else decided)

    def _derive(self, shown: dict[Key, Any], powers: Mapping[Key, float | None]) -> None:
        """Add what follows from the values of this same record, in the signs of the product."""
        existing = [power for power in INPUTS if power.removesuffix("_power") in self._memory["parts"]]
        shown |= {power: powers.get(power) for power in (*existing, Key.OUTPUT_POWER)}
        inputs = INPUTS.keys() & powers if self._memory["scale"][0] is None else existing
        known = [powers.get(power) for power in inputs]
        shown[Key.PV_POWER] = sum(filter(None, known)) if known and None not in known else None
        current, sign = shown.pop(Key.CURRENT, None), self._direction
        if current is not None and sign:
            current, power = current * sign + 0.0, powers.get(Key.POWER)  # never -0.0
            shown |= {Key.CURRENT: current, Key.POWER: None if power is None else power * sign + 0.0}
            flowing = Status.CHARGING if current < 0 else Status.DISCHARGING
            shown[Key.STATUS] = Status.IDLE if abs(current) < IDLE_CURRENT else flowing
            shown[Key.CHARGING] = shown[Key.STATUS] is Status.CHARGING
        if not shown.get(Key.SOC) and not shown.get(Key.VOLTAGE, 1.0):
            shown.pop(Key.SOC, None)  # 0 % of no battery voltage is no data
        if Key.CELL_VOLTAGE_MAX in shown and Key.CELL_VOLTAGE_MIN in shown:
            spread = shown[Key.CELL_VOLTAGE_MAX] - shown[Key.CELL_VOLTAGE_MIN]
            shown[Key.CELL_VOLTAGE_SPREAD] = round(spread * 1000)
        if state := shown.get(Key.DEVICE_STATUS):
            shown[Key.FAULT] = state in (DeviceStatus.ERROR, DeviceStatus.PERMANENT_ERROR)
        if battery := shown.get(Key.BATTERY_STATUS):
            both = BatteryStatus.CHARGE_AND_DISCHARGE_DISABLED
            shown[Key.CHARGE_ENABLED] = battery not in (both, BatteryStatus.CHARGE_DISABLED)
            shown[Key.DISCHARGE_ENABLED] = battery not in (both, BatteryStatus.DISCHARGE_DISABLED)


def _copy(memory: Any) -> dict[str, Any]:
    """Return what was learned, or raise one of many errors where `memory` is something else."""
    offset = memory.get("clock_offset")
    copy: dict[str, Any] = {
        "records": {key: [float(taken), float(last)] for key, (taken, last) in memory.get("records", {}).items()},
        "time": str(memory.get("time", "")),
        "day": str(memory.get("day", "")),
        "clock_offset": None if offset is None else float(offset),
        # Whatever is for the sun has an input.
        "parts": [str(part) for part in memory.get("parts", ["pv1"])],
        "today": {Key(key): float(value) for key, value in memory.get("today", {}).items()},
        "falling": [Key(key) for key in memory.get("falling", ())],
    }
    for name, choices in (("scale", (None, 1.0, 0.1)), ("sign", (None, 1.0, -1.0))):
        decided, by, contrary = memory.get(name, (None, "", 0))
        if decided not in choices or contrary not in range(CONTRARY):
            raise ValueError("no decision")
        copy[name] = [decided, str(by), contrary]
    json.dumps(copy, allow_nan=False)
    return copy


def _meaning(row: Field, sent: float, factor: float | None) -> Any:
    """Return what a number means, None where it is not known whether it is in tenths.

    Raises:
        LookupError: a state that has no name.
        ValueError: it cannot be.
    """
    if row.states:
        return row.states[sent]
    if (unit := factor if row.measure in SCALED else 1.0) is None:
        return None
    low, high = row.measure.value
    is_number = row.measure is Measure.NUMBER
    if not low <= sent * unit <= high or (is_number and not sent.is_integer()):
        raise ValueError("cannot be")
    # Single precision adds digits.
    return int(sent) if is_number else round(sent * unit, 3 if row.measure is Measure.CELL_VOLTAGE else 2) + 0.0


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


def _points(texts: Mapping[str, str]) -> tuple[Point, ...]:
    return tuple(Point(id=name, name="", value=text) for name, text in texts.items() if text)


def _text(value: Any) -> str:
    """Return what a field holds, in characters that can be stored; empty where it holds nothing."""
    if isinstance(value, dict | list) or (isinstance(value, int) and value.bit_length() > 128):
        return type(value).__name__ if value else ""
    return "" if value is None else str(value).strip().encode("ascii", "backslashreplace").decode()[:200]
