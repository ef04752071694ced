"""What follows from the values of one and the same sample."""

from collections.abc import Mapping, MutableMapping

from ..reading import Value
from ..vocabulary import CELL_VOLTAGES, PROBE_TEMPERATURES, PROTECTIONS, WARNINGS, BatteryStatus, Key, Status
from .family import Family, Kind

_NUMBERS = (float, int)

_AT = {
    BatteryStatus.CHARGING: Status.CHARGING,
    BatteryStatus.DISCHARGING: Status.DISCHARGING,
    BatteryStatus.IDLE: Status.IDLE,
    BatteryStatus.SLEEPING: Status.IDLE,
}
"""What the current must say for a battery's own word to be believed: whether it is that word is not known."""


def derive(
    family: Family,
    sign: int | None,
    values: MutableMapping[Key, Value],
    flags: MutableMapping[Key, bool],
    *,
    cells: int,
    holes: set[Kind],
) -> None:
    """Add to `values` and `flags` what they say together, in our signs.

    `sign` is 1 where the vendor's current is positive while discharging, None where nobody knows; `cells` is 0 where
    their number is not known. What has `holes` has no extremes.
    """
    _current(family, sign, values, flags)
    _extremes(values, holes)
    _capacity(cells * family.nominal_cell_voltage, values)
    highest, lowest = _number(values, Key.CELL_VOLTAGE_MAX), _number(values, Key.CELL_VOLTAGE_MIN)
    if highest is not None and lowest is not None:
        values[Key.CELL_VOLTAGE_SPREAD] = round((highest - lowest) * 1000)
    for total, bits in ((Key.WARNING, WARNINGS), (Key.ALARM, PROTECTIONS)):
        if states := flags.keys() & bits:
            flags[total] = flags.get(total, False) or any(flags[key] for key in states)


def _number(values: Mapping[Key, Value], key: Key) -> float | None:
    value = values.get(key)
    return value if isinstance(value, _NUMBERS) else None


def _current(
    family: Family, sign: int | None, values: MutableMapping[Key, Value], flags: MutableMapping[Key, bool]
) -> None:
    reported = values.pop(Key.BATTERY_STATUS, None)
    for key in (Key.CURRENT, Key.POWER):
        if (vendors := _number(values, key)) is not None:
            if sign is None:
                del values[key]
            else:
                values[key] = vendors * sign + 0  # never -0.0
    current, voltage = _number(values, Key.CURRENT), _number(values, Key.VOLTAGE)
    if current is None:
        return
    if abs(current) < family.idle_current:
        status = Status.IDLE
    else:
        status = Status.DISCHARGING if current > 0 else Status.CHARGING
    values[Key.STATUS] = status
    flags[Key.CHARGING] = status is Status.CHARGING
    if isinstance(reported, BatteryStatus) and _AT[reported] is status:
        values[Key.BATTERY_STATUS] = reported
    if voltage is not None:
        values.setdefault(Key.POWER, round(voltage * current, 1) + 0.0)


def _extremes(values: MutableMapping[Key, Value], holes: set[Kind]) -> None:
    """Give the extremes of single cells and probes where no point does."""
    for kind, singles, highest, lowest, place in (
        (Kind.CELL_VOLTAGE, CELL_VOLTAGES, Key.CELL_VOLTAGE_MAX, Key.CELL_VOLTAGE_MIN, "cell"),
        (Kind.TEMPERATURE, PROBE_TEMPERATURES, Key.CELL_TEMPERATURE_MAX, Key.CELL_TEMPERATURE_MIN, "sensor"),
    ):
        if kind in holes:
            continue
        known = {
            number: value
            for number, key in enumerate(singles, 1)
            if key in values and (value := _number(values, key)) is not None
        }
        if not known:
            continue
        for extreme, choose in ((highest, max), (lowest, min)):
            if extreme not in values:
                number = choose(known, key=known.__getitem__)
                values[extreme] = known[number]
                values[Key(f"{extreme}_{place}")] = number


_OVERFULL = 1.05
"""A full module may have a little more in it than its capacity."""


def _capacity(nominal_voltage: float, values: MutableMapping[Key, Value]) -> None:
    """Tell charge and energy from ampere-hours (dyness-api 8); energy only where the voltage is known."""
    full, remaining = _number(values, Key.CAPACITY_FULL), _number(values, Key.CAPACITY_REMAINING)
    if not full:
        return
    if remaining is not None and remaining > full:
        remaining = full if remaining <= _OVERFULL * full else None
    if remaining is not None:
        values.setdefault(Key.SOC, round(remaining / full * 100, 1))
    for amperehours, energy in ((full, Key.ENERGY_RATED), (remaining, Key.ENERGY_REMAINING)):
        if nominal_voltage and amperehours is not None:
            values.setdefault(energy, round(amperehours * nominal_voltage / 1000, 3))
