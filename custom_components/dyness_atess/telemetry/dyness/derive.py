"""What follows from the values of one and the same sample."""

from collections.abc import Mapping, MutableMapping

from ..reading import Value
from ..vocabulary import CELL_VOLTAGES, PROBE_TEMPERATURES, PROTECTIONS, WARNINGS, Key, Status
from .family import Family


def derive(
    family: Family, counts: Mapping[str, int], values: MutableMapping[Key, Value], flags: MutableMapping[Key, bool]
) -> None:
    """Add to `values` and `flags` what they say together, in our signs."""
    _current(family, values, flags)
    _cells(values)
    _capacity(family, counts, values)
    highest, lowest = _number(values, Key.CELL_VOLTAGE_MAX), _number(values, Key.CELL_VOLTAGE_MIN)
    if highest is not None and lowest is not None:
        values[Key.CELL_VOLTAGE_SPREAD] = round((highest - lowest) * 1000)
    for total, bits in ((Key.WARNING, WARNINGS), (Key.ALARM, PROTECTIONS)):
        if states := flags.keys() & bits:
            flags[total] = flags.get(total, False) or any(flags[key] for key in states)


def _number(values: Mapping[Key, Value], key: Key) -> float | None:
    value = values.get(key)
    return value if isinstance(value, float | int) else None


def _current(family: Family, values: MutableMapping[Key, Value], flags: MutableMapping[Key, bool]) -> None:
    for key in (Key.CURRENT, Key.POWER):
        if (vendors := _number(values, key)) is not None:
            values[key] = vendors * family.current_sign + 0.0  # never -0.0
    current, voltage = _number(values, Key.CURRENT), _number(values, Key.VOLTAGE)
    if current is None:
        return
    if abs(current) < family.idle_current:
        status = Status.IDLE
    else:
        status = Status.DISCHARGING if current > 0 else Status.CHARGING
    values[Key.STATUS] = status
    flags[Key.CHARGING] = status is Status.CHARGING
    if voltage is not None:
        values.setdefault(Key.POWER, round(voltage * current, 1) + 0.0)


def _cells(values: MutableMapping[Key, Value]) -> None:
    """Give the extremes of single cells and probes where no point does."""
    for singles, highest, lowest, place in (
        (CELL_VOLTAGES, Key.CELL_VOLTAGE_MAX, Key.CELL_VOLTAGE_MIN, "cell"),
        (PROBE_TEMPERATURES, Key.CELL_TEMPERATURE_MAX, Key.CELL_TEMPERATURE_MIN, "sensor"),
    ):
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


def _capacity(family: Family, counts: Mapping[str, int], values: MutableMapping[Key, Value]) -> None:
    """Tell charge and energy from ampere-hours (dyness-api 8)."""
    full, remaining = _number(values, Key.CAPACITY_FULL), _number(values, Key.CAPACITY_REMAINING)
    if full is None or full <= 0:
        return
    if remaining is not None and 0 <= remaining <= full:
        values.setdefault(Key.SOC, round(remaining / full * 100, 1))
    cells = next((counts[series.count_id] for series in family.series if series.count_id in counts), 0)
    for amperehours, energy in ((full, Key.ENERGY_RATED), (remaining, Key.ENERGY_REMAINING)):
        if cells and amperehours is not None:
            values.setdefault(energy, round(amperehours * cells * family.nominal_cell_voltage / 1000, 3))
