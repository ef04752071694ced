"""What a whole battery holds and does, where its master does not say it (dyness-api 8)."""

from collections.abc import MutableMapping, Sequence
import math

from ..reading import Reading, Value
from ..vocabulary import Key, Status

CAPACITIES = (0.0, 10_000.0)
"""kWh between which a capacity is believed."""
TOLERANCE = 0.02
"""By which modules of one model differ."""
IDLE_CURRENT = 0.5
"""A of each module; less counts as none."""

_ADDED = (Key.CURRENT, Key.POWER, Key.ENERGY_RATED, Key.ENERGY_REMAINING, Key.CAPACITY_FULL, Key.CAPACITY_REMAINING)
_EXTREMES = (
    (Key.CELL_VOLTAGE_MAX, max, "cell"),
    (Key.CELL_VOLTAGE_MIN, min, "cell"),
    (Key.CELL_TEMPERATURE_MAX, max, "sensor"),
    (Key.CELL_TEMPERATURE_MIN, min, "sensor"),
)


def add_capacity(
    values: MutableMapping[Key, Value],
    *,
    chosen: float | None,
    modules: Sequence[float | None],
    station: float | None,
    station_is_total: bool,
    points_are_of_one_module: bool,
) -> None:
    """Add what is rated and what is left (kWh), as far as they are known, to the values of a master.

    What is left follows the state of charge and of health where no point has it. How deep the battery may be discharged
    is not known (Junior Boxes apart), so it counts down to empty.

    The capacity is what the user has `chosen`, or the master's own (unless its points are those of one of several
    modules), or that of its modules (None for one where it is not known yet), or that of its `station` in the cloud.
    """
    count = values.get(Key.MODULE_COUNT)
    if points_are_of_one_module and (len(modules) > 1 or (isinstance(count, int) and count > 1)):
        values.pop(Key.ENERGY_RATED, None)
        values.pop(Key.ENERGY_REMAINING, None)
    if station is not None and not CAPACITIES[0] < station < CAPACITIES[1]:
        station = None
    rated = chosen or values.get(Key.ENERGY_RATED) or _of_modules(count, modules, station)
    if not rated and (count == 1 or station_is_total):
        rated = station
    if not isinstance(rated, float | int):
        return
    if rated != values.get(Key.ENERGY_RATED):
        values.pop(Key.ENERGY_REMAINING, None)
    values[Key.ENERGY_RATED] = rated
    soc, soh = values.get(Key.SOC), values.get(Key.SOH) or 100
    if isinstance(soc, float | int) and isinstance(soh, float | int):
        # What the modules have would be more exact, and is older.
        values.setdefault(Key.ENERGY_REMAINING, round(rated * soc / 100 * soh / 100, 3))


def _of_modules(count: Value | None, modules: Sequence[float | None], station: float | None) -> float | None:
    """Return the sum where all are known, or so many times one as there are where those that are known are equal."""
    known = [capacity for capacity in modules if capacity]
    if not known:
        return None
    if len(known) == len(modules) and count in (None, len(modules)):
        return round(sum(known), 3)
    if not isinstance(count, int) or max(known) > (1 + TOLERANCE) * min(known):
        return None
    each = sum(known) / len(known)

    def station_says(number: int) -> bool:
        return station is not None and math.isclose(station, each * number, rel_tol=TOLERANCE)

    # Some stations have the capacity of one module, some count the coordinator.
    fits = station is None or station_says(1) or station_says(count + 1)
    is_sure = station_says(count) or (fits and 2 * len(known) > count)
    return round(each * count, 3) if is_sure else None


def combine_modules(
    values: MutableMapping[Key, Value], flags: MutableMapping[Key, bool], modules: Sequence[Reading]
) -> None:
    """Make of the values of one module, which a master shows as its own, those of all that are parallel to it.

    `modules` are the readings of all, in the order of their numbers. What one does not know is not known of all.
    """
    if len(modules) < 2:
        return
    for key in (*_ADDED, Key.SOC, Key.STATUS):
        values.pop(key, None)
    flags.pop(Key.CHARGING, None)
    values.update({key: round(sum(amounts), 3) for key in _ADDED if (amounts := _of_all(modules, key))})
    levels = _of_all(modules, Key.SOC)
    weights = _of_all(modules, Key.ENERGY_RATED) or _of_all(modules, Key.CAPACITY_FULL)
    if levels and any(weights):
        values[Key.SOC] = round(math.sumprod(levels, weights) / sum(weights), 1)
    if isinstance(current := values.get(Key.CURRENT), float | int):
        direction = Status.DISCHARGING if current > 0 else Status.CHARGING
        status = Status.IDLE if abs(current) < IDLE_CURRENT * len(modules) else direction
        values[Key.STATUS], flags[Key.CHARGING] = status, status is Status.CHARGING
    for extreme, choose, place in _EXTREMES:
        if amounts := _of_all(modules, extreme):
            number, position = amounts.index(choose(amounts)), Key(f"{extreme}_{place}")
            values.pop(position, None)
            of_module = modules[number].values
            values.update({key: of_module[key] for key in (extreme, position) if key in of_module})
            values[Key(f"{extreme}_module")] = number + 1
    highest, lowest = values.get(Key.CELL_VOLTAGE_MAX), values.get(Key.CELL_VOLTAGE_MIN)
    if isinstance(highest, float | int) and isinstance(lowest, float | int):
        values[Key.CELL_VOLTAGE_SPREAD] = round((highest - lowest) * 1000)


def _of_all(modules: Sequence[Reading], key: Key) -> list[float]:
    """Return the numbers of all modules, none where one has none."""
    found = [value for module in modules if isinstance(value := module.values.get(key), float | int)]
    return found if len(found) == len(modules) else []
