"""From a record of a converter to a Reading, whose meaning depends on the records before it."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import probatio as vol

from ..raw import Point, number
from ..reading import Reading
from ..vocabulary import LIFETIME, BatteryStatus, DeviceStatus, Key, Status
from .dating import FURTHEST_WEST, GAP, date
from .evidence import CONTRARY, IDLE_CURRENT, LEAST_RISE, SCALED, decide, direction, scale
from .fields import FIELDS, Field, Measure

LEAST = {Measure.VOLTAGE: 50.0, Measure.CURRENT: IDLE_CURRENT}  # of a part that exists; offsets are less
OFFSET_POWER = 50.0  # W; for a smaller product of voltage and current it does not matter whether they are tenths
CIRCUITS = ("", "output_", "pv1_", "pv2_", "pv3_", "pv4_", "pv5_")  # what has a voltage, a current and so a power
_DECISION = vol.ExactSequence([vol.In((None, 1.0, 0.1, -1.0)), str, vol.In(range(CONTRARY))])
_MEMORY = vol.Schema(
    {
        vol.Optional("records", default=dict): {str: float},
        vol.Optional("time", default=""): str,
        vol.Optional("clock_offset", default=FURTHEST_WEST): float,
        vol.Optional("last_at", default=0.0): float,
        vol.Optional("last", default=dict): {str: float},
        vol.Optional("today", default=dict): {str: float},
        vol.Optional("parts", default=lambda: ["pv1"]): [str],  # whatever is for the sun has an input
        vol.Optional("scale", default=lambda: [None, "", 0]): _DECISION,
        vol.Optional("sign", default=lambda: [None, "", 0]): _DECISION,
    }
)


class ConverterDecoder:
    """Decodes the records of one converter, in the order in which they come."""

    def __init__(self, kind: str, memory: Any = None, *, battery_sign: int | None = None) -> None:
        """Go on from an earlier `memory`; the sign is 1 where the battery's current is positive in discharge, or -1."""
        self._kind = kind
        self.battery_sign = battery_sign
        try:
            self._memory = _MEMORY(memory or {})
        except vol.Invalid:
            self._memory = _MEMORY({})

    @property
    def memory(self) -> dict[str, Any]:
        """What has been learned, for JSON."""
        return deepcopy(self._memory)

    def decode(self, data: Any, received_at: datetime) -> Reading:
        """Decode the `data` of one answer, whatever it is. Never raises."""
        memory, fields, content = self._memory, FIELDS[self._kind], data if isinstance(data, dict) else {}
        texts = {str(name): str(it).strip()[:200] for name, it in content.items() if isinstance(it, str | int | float)}
        labels = {row.key: texts.pop(row.name, "") for row in fields if row.measure is Measure.TEXT}
        numbers = ((row, number(texts.get(row.name, ""))) for row in fields)
        rows = [(row, float(it)) for row, it in numbers if it is not None and (not row.states or it in row.states)]
        if not any(sent for _, sent in rows):
            return Reading(family=self._kind)  # all is 0 after a restart of the data logger: that is no measurement
        last_at, last, is_new, is_new_day = memory["last_at"], memory["last"], False, False
        sampled_at = datetime.fromtimestamp(last_at, UTC) if last_at else None
        is_offline = any(row.states and row.states[sent] is DeviceStatus.OFFLINE for row, sent in rows)
        if not is_offline:
            by_name = {row.name: sent for row, sent in rows}
            sampled_at, is_new, is_new_day = date(memory, labels[Key.LAST_REPORT], by_name, received_at)
        evidence = scale(rows)
        if evidence and is_new:
            decide(memory["scale"], *evidence)
        factor = None if evidence and evidence[0] != memory["scale"][0] else memory["scale"][0]
        shown: dict[Key, Any] = {}
        implausible: list[Point] = []
        for row, sent in rows:
            text = texts.pop(row.name)
            if row.measure in SCALED and not factor:
                continue
            meaning = _meaning(row, sent, factor or 1.0)
            if meaning is None:
                implausible.append(Point(row.name, "", text))
            elif self._exists(row, meaning) and row.key:
                shown[row.key] = meaning
        sent_there = {row.key: sent for row, sent in rows if row.part in (None, *memory["parts"])}
        powers = self._powers(shown if factor else sent_there, is_scaled=bool(factor))
        if is_new:
            memory["last"] = {key: value for key, value in shown.items() if isinstance(value, float)}
            if evidence := direction(shown, last if 0 <= memory["last_at"] - last_at <= GAP else {}, powers):
                decide(memory["sign"], *evidence)
        for key in [key for key in shown if key.endswith("_today")]:
            least = memory["today"].get(key, 2 * LEAST_RISE) - LEAST_RISE
            # A fall is confirmed by midnight or by the next record.
            if is_new and (shown[key] >= least or is_new_day or last.get(key, least) < least):
                memory["today"][key] = shown[key]
            shown[key] = memory["today"].get(key)
        self._derive(shown, powers)
        if is_offline:
            shown = {key: shown[key] for key in shown.keys() & {*LIFETIME, Key.DEVICE_STATUS}} | {Key.ONLINE: False}
        shown[Key.LAST_REPORT] = sampled_at
        return Reading(
            family=self._kind,
            values={key: value for key, value in shown.items() if not isinstance(value, bool | None)},
            flags={key: value for key, value in shown.items() if isinstance(value, bool)},
            sampled_at=sampled_at,
            unknown=tuple(Point(name, "", text) for name, text in texts.items() if text),
            implausible=tuple(implausible),
        )

    def _exists(self, row: Field, meaning: Any) -> bool:
        """Return whether the part of the device that a field belongs to has ever been seen to be there."""
        parts = self._memory["parts"]
        if row.part not in (None, *parts) and meaning is not BatteryStatus.IDLE:
            parts += [row.part] if isinstance(meaning, str) or abs(meaning) > LEAST.get(row.measure, 0.0) else []
        return row.part in (None, *parts)

    def _powers(self, numbers: Mapping[Any, Any], *, is_scaled: bool) -> dict[Key, float | None]:
        """Return voltage x current in W of what exists, and the sum of the inputs; None where they are not known."""
        powers: dict[Key, float | None] = {}
        for of in CIRCUITS:
            if f"{of}voltage" in numbers and f"{of}current" in numbers:
                product = round(numbers[f"{of}voltage"] * numbers[f"{of}current"]) + 0.0
                unscaled = 0.0 if abs(product) <= OFFSET_POWER else None
                powers[Key(f"{of}power")] = product if is_scaled else unscaled
        inputs = [powers.get(Key(f"{part}_power")) for part in self._memory["parts"] if f"{part}_" in CIRCUITS]
        powers[Key.PV_POWER] = None if None in inputs else sum(filter(None, inputs), 0.0)
        return powers

    def _derive(self, shown: dict[Key, Any], powers: Mapping[Key, float | None]) -> None:
        """Add what follows from the values of this same record, in the signs of the product."""
        current, (decided, _, contrary) = shown.pop(Key.CURRENT, None), self._memory["sign"]
        power, sign = powers.get(Key.POWER), self.battery_sign or (None if contrary else decided)
        shown |= {**powers, Key.POWER: None if power is None or not sign else power * sign + 0.0}  # never -0.0
        if current is not None and sign:
            shown[Key.CURRENT] = current = current * sign + 0.0
            flowing = Status.CHARGING if current < 0 else Status.DISCHARGING
            shown[Key.STATUS] = Status.IDLE if abs(current) < IDLE_CURRENT else flowing
            shown[Key.CHARGING] = shown[Key.STATUS] is Status.CHARGING
        if not shown.get(Key.SOC) and not shown.get(Key.VOLTAGE, 1.0):
            shown.pop(Key.SOC, None)  # 0 % of no battery voltage is no data
        if Key.CELL_VOLTAGE_MAX in shown and Key.CELL_VOLTAGE_MIN in shown:
            shown[Key.CELL_VOLTAGE_SPREAD] = round((shown[Key.CELL_VOLTAGE_MAX] - shown[Key.CELL_VOLTAGE_MIN]) * 1000)
        if state := shown.get(Key.DEVICE_STATUS):
            shown[Key.FAULT] = state in (DeviceStatus.ERROR, DeviceStatus.PERMANENT_ERROR)
        if battery := shown.get(Key.BATTERY_STATUS):
            both = BatteryStatus.CHARGE_AND_DISCHARGE_DISABLED
            shown[Key.CHARGE_ENABLED] = battery not in (both, BatteryStatus.CHARGE_DISABLED)
            shown[Key.DISCHARGE_ENABLED] = battery not in (both, BatteryStatus.DISCHARGE_DISABLED)


def _meaning(row: Field, sent: float, factor: float) -> Any:
    """Return what a number means, None where it cannot be."""
    if row.states:
        return row.states[sent]
    (low, high), value = row.measure.value, sent * factor if row.measure in SCALED else sent
    if not low <= value <= high:
        return None
    if row.measure is Measure.WHOLE:
        return int(value) if value.is_integer() else None
    return round(value, 3 if row.measure is Measure.CELL_VOLTAGE else 2) + 0.0  # single precision adds digits
