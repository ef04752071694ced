"""What follows from the values of one and the same sample."""

from collections.abc import MutableMapping
from typing import Any

from ..vocabulary import CELL_VOLTAGES, PROBE_TEMPERATURES, PROTECTIONS, WARNINGS, BatteryStatus, Key, Status
from .family import Family, Kind

NOMINAL_CELL_VOLTAGE = 3.2
"""V of a lithium iron phosphate cell, which all known families have."""
OVERFULL = 1.05
"""A full module may have a little more in it than its capacity."""
_EXTREMES = (
    (Kind.CELL_VOLTAGE, CELL_VOLTAGES, Key.CELL_VOLTAGE_MAX, Key.CELL_VOLTAGE_MIN, "cell"),
    (Kind.TEMPERATURE, PROBE_TEMPERATURES, Key.CELL_TEMPERATURE_MAX, Key.CELL_TEMPERATURE_MIN, "sensor"),
)

type Values = MutableMapping[Key, Any]
type Flags = MutableMapping[Key, bool]


def derive(family: Family, sign: int | None, values: Values, flags: Flags, *, cells: int, holes: set[Kind]) -> None:
    """Add to `values` and `flags` what they say together, in our signs.

    `sign` is 1 where the vendor's current is positive while discharging, None where nobody knows; `cells` is 0 where
    their number is not known. What has `holes` has no extremes.
    """
    _current(family, sign, values, flags)
    _extremes(values, holes)
    _capacity(cells * NOMINAL_CELL_VOLTAGE, values)
    if Key.CELL_VOLTAGE_MAX in values and Key.CELL_VOLTAGE_MIN in values:
        values[Key.CELL_VOLTAGE_SPREAD] = round((values[Key.CELL_VOLTAGE_MAX] - values[Key.CELL_VOLTAGE_MIN]) * 1000)
    for total, bits in ((Key.WARNING, WARNINGS), (Key.ALARM, PROTECTIONS)):
        if states := flags.keys() & bits:
            flags[total] = flags.get(total, False) or any(flags[key] for key in states)


def _current(family: Family, sign: int | None, values: Values, flags: Flags) -> None:
    reported = values.pop(Key.BATTERY_STATUS, None)
    for key in (Key.CURRENT, Key.POWER):
        vendors = values.pop(key, None)
        if vendors is not None and sign is not None:
            values[key] = vendors * sign + 0  # never -0.0
    current = values.get(Key.CURRENT)
    if current is None:
        return
    if abs(current) < family.idle_current:
        status = Status.IDLE
    else:
        status = Status.DISCHARGING if current > 0 else Status.CHARGING
    values[Key.STATUS] = status
    flags[Key.CHARGING] = status is Status.CHARGING
    # The battery's own word is believed where the current agrees.
    if reported and status == (Status.IDLE if reported is BatteryStatus.SLEEPING else reported):
        values[Key.BATTERY_STATUS] = reported
    if Key.VOLTAGE in values:
        values.setdefault(Key.POWER, round(values[Key.VOLTAGE] * current, 1) + 0.0)


def _extremes(values: Values, holes: set[Kind]) -> None:
    """Give the extremes of single cells and probes where no point does."""
    for kind, singles, highest, lowest, place in _EXTREMES:
        known = {number: values[key] for number, key in enumerate(singles, 1) if key in values}
        if known and kind not in holes:
            for extreme, choose in ((highest, max), (lowest, min)):
                if extreme not in values:
                    number = choose(known, key=known.__getitem__)
                    values[extreme] = known[number]
                    values[Key(f"{extreme}_{place}")] = number


def _capacity(nominal_voltage: float, values: Values) -> None:
    """Tell charge and energy from ampere-hours (dyness-api 8); energy only where the voltage is known."""
    full, remaining = values.get(Key.CAPACITY_FULL), values.get(Key.CAPACITY_REMAINING)
    if not full:
        return
    if remaining is not None and remaining > full:
        remaining = full if remaining <= OVERFULL * full else None
    if remaining is not None:
        values.setdefault(Key.SOC, round(remaining / full * 100, 1))
    for amperehours, energy in ((full, Key.ENERGY_RATED), (remaining, Key.ENERGY_REMAINING)):
        if nominal_voltage and amperehours is not None:
            values.setdefault(energy, round(amperehours * nominal_voltage / 1000, 3))
