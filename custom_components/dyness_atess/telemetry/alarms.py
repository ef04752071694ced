"""Alarms of a device: which are on, which of them are normal, and what rises and ends from sample to sample."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from .reading import Reading, Value
from .vocabulary import ALARMS, PROTECTIONS, WARNINGS, Key

NORMAL_WHEN_FULL = frozenset({Key.CELL_VOLTAGE_HIGH, Key.MODULE_VOLTAGE_HIGH})
FULL = 97
"""% from which on these warnings are normal (battery-health 5)."""
TOTALS = {Key.ALARM, Key.WARNING}
_BITS = PROTECTIONS | WARNINGS

_MEASURED = {
    "cell_voltage_high": (Key.CELL_VOLTAGE_MAX,),
    "cell_voltage_low": (Key.CELL_VOLTAGE_MIN,),
    "cell_voltage_imbalance": (Key.CELL_VOLTAGE_SPREAD, Key.CELL_VOLTAGE_MAX, Key.CELL_VOLTAGE_MIN),
    "cell_temperature_high": (Key.CELL_TEMPERATURE_MAX,),
    "cell_temperature_low": (Key.CELL_TEMPERATURE_MIN,),
    "cell_temperature_imbalance": (Key.CELL_TEMPERATURE_MAX, Key.CELL_TEMPERATURE_MIN),
    "mosfet_temperature_high": (Key.MOSFET_TEMPERATURE_MAX,),
    "module_voltage_high": (Key.VOLTAGE, Key.CHARGE_VOLTAGE_LIMIT),
    "module_voltage_low": (Key.VOLTAGE, Key.DISCHARGE_VOLTAGE_LIMIT),
    "charge_overcurrent": (Key.CURRENT, Key.CHARGE_CURRENT_LIMIT),
    "discharge_overcurrent": (Key.CURRENT, Key.DISCHARGE_CURRENT_LIMIT),
}
"""What belongs to an alarm, with the state of charge; of a single extreme also where it is."""


AlarmEventType = StrEnum("AlarmEventType", "PROTECTION_RAISED PROTECTION_CLEARED WARNING_RAISED WARNING_CLEARED")


class AlarmEvent(NamedTuple):
    """An alarm that has risen or is over."""

    type: AlarmEventType
    rises: bool
    attributes: dict[str, Any]


def alarm_attributes(values: Mapping[Key, Value], flags: Mapping[Key, bool]) -> dict[Key, Mapping[str, Any]]:
    """Return which bits are behind the totals of a device, and whether they say no more than that it is full."""
    attributes: dict[Key, Mapping[str, Any]] = {}
    if Key.ALARM in flags:
        attributes[Key.ALARM] = {"active": sorted(str(key) for key in PROTECTIONS if flags.get(key))}
    if Key.WARNING in flags:
        active = sorted(str(key) for key in WARNINGS if flags.get(key))
        expected = bool(active) and _is_expected(active, values, flags)
        attributes[Key.WARNING] = {"active": active, "expected": expected}
    return attributes


class Alarms:
    """The alarms of one device or module, from sample to sample."""

    def __init__(self, known: Reading | None = None) -> None:
        """Begin with what was last known. Without it the first sample is what is known, and no news."""
        self.active: dict[Key, bool] = {}
        """What is on, and whether that was expected when it rose."""
        self._last: Reading | None = None
        if known:
            self.compare(known)

    def compare(self, reading: Reading, elsewhere: Collection[Key] = (), module: int | None = None) -> list[AlarmEvent]:
        """Return what is over and what has risen, but for what is on `elsewhere` in the same battery.

        What a sample leaves out stays as it was, and within one sample nothing ends, so that what flickers rises once.
        """
        last, self._last = self._last, reading
        flags, events = reading.flags, []
        is_same_sample = last is not None and reading.sampled_at is not None and reading.sampled_at == last.sampled_at
        is_explained = not _BITS.isdisjoint(key for key, is_on in flags.items() if is_on)
        for key in sorted(ALARMS & flags.keys(), key=lambda key: (flags[key], key not in WARNINGS, key)):
            rises = flags[key]
            if rises == (key in self.active) or (key in TOTALS and is_explained if rises else is_same_sample):
                continue
            if rises:
                expected = self.active[key] = _is_expected([key], reading.values, flags)
            else:
                expected = self.active.pop(key)
            if last and key not in elsewhere:
                kind = "warning" if key in WARNINGS or key is Key.WARNING else "protection"
                attributes = _attributes(key, reading.values, module) | {"expected": expected}
                type_ = AlarmEventType(f"{kind}_{'raised' if rises else 'cleared'}")
                events.append(AlarmEvent(type_, rises, attributes))
        return events


def _is_expected(active: Collection[str], values: Mapping[Key, Value], flags: Mapping[Key, bool]) -> bool:
    soc = values.get(Key.SOC)
    is_full = isinstance(soc, float | int) and soc >= FULL
    return is_full and not flags.get(Key.ALARM) and NORMAL_WHEN_FULL.issuperset(active)


def _attributes(key: Key, values: Mapping[Key, Value], module: int | None) -> dict[str, Any]:
    """Return the kind of an alarm, where it is, and the measurements that belong to it."""
    named: dict[str, Value] = {str(other): value for other, value in values.items()}
    measured = _MEASURED.get(key.removesuffix("_protection"), ())
    place = {}
    if len(measured) == 1:
        place = {part: named.get(f"{measured[0]}_{part}") for part in ("module", "cell", "sensor")}
    if module is not None:
        place["module"] = module
    shown = {key: named.get(key) for key in (*measured, Key.SOC)}
    return {"kind": str(key)} | {str(name): value for name, value in (place | shown).items() if value is not None}
