"""Capacity and content of a whole battery in kWh, from the most reliable source that there is (dyness-api 8)."""

from collections.abc import MutableMapping, Sequence
import math

from ..reading import Value
from ..vocabulary import Key

CAPACITIES = (0.0, 10_000.0)
"""kWh between which a capacity is believed."""
TOLERANCE = 0.02
"""By which modules of one model differ."""


def add_capacity(
    values: MutableMapping[Key, Value],
    *,
    chosen: float | None,
    modules: Sequence[float | None],
    station: float | None,
    station_is_total: bool,
    points_are_of_one_module: bool,
) -> None:
    """Add what is rated and what is left, as far as it can be told, to the values of a master.

    What is left follows the state of charge and of health where no point has it. How deep the battery may be discharged
    is not known (Junior Boxes apart), so it counts down to empty.

    Args:
        values: of its sample.
        chosen: kWh by the user's own word.
        modules: kWh of each module that ever answered.
        station: kWh that the cloud has for the plant.
        station_is_total: whether that is known to be all of it.
        points_are_of_one_module: whether the master's own points are, where there are several.
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
    is_told = station_says(count) or (fits and 2 * len(known) > count)
    return round(each * count, 3) if is_told else None
