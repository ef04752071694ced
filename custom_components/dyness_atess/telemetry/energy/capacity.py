"""Capacity and content of a whole battery in kWh, from the most reliable source that there is (dyness-api 8)."""

from collections.abc import Mapping, MutableMapping, Sequence
import math

from ..dyness.family import Family
from ..reading import Value
from ..vocabulary import Key

CAPACITIES = (0.0, 10_000.0)
"""kWh between which a capacity is believed."""


def add_energy(
    family: Family | None,
    values: MutableMapping[Key, Value],
    *,
    chosen: float | None = None,
    modules: Sequence[Value | None] = (),
    station: float | None = None,
) -> None:
    """Add what is rated and what is left, as far as it can be told, to the values of a master.

    What is left follows the state of charge and of health where no point has it. How deep the battery may be discharged
    is not known (Junior Boxes apart), so it counts down to empty.

    Args:
        family: the master's.
        values: of its sample.
        chosen: capacity by the user's own word.
        modules: capacity of each module that was ever seen, None where it is not known.
        station: what the cloud has for the plant.
    """
    if family and family.is_module and len(modules) > 1:
        # Its own points are those of one module.
        values.pop(Key.ENERGY_RATED, None)
        values.pop(Key.ENERGY_REMAINING, None)
    rated = (
        chosen
        or values.get(Key.ENERGY_RATED)
        or _of_modules(values, modules)
        or _of_station(family, values, modules, station)
    )
    if not isinstance(rated, float | int):
        return
    if rated != values.get(Key.ENERGY_RATED):
        values.pop(Key.ENERGY_REMAINING, None)
    values[Key.ENERGY_RATED] = rated
    soc, soh = values.get(Key.SOC), values.get(Key.SOH, 100)
    if isinstance(soc, float | int) and isinstance(soh, float | int):
        # What the modules have would be more exact, and is up to half an hour older.
        values.setdefault(Key.ENERGY_REMAINING, round(rated * soc / 100 * soh / 100, 3))


def _of_modules(values: Mapping[Key, Value], modules: Sequence[Value | None]) -> float | None:
    """Return the sum, if each module is known and none is missing."""
    known = _known(modules)
    complete = len(known) == len(modules) == values.get(Key.MODULE_COUNT, len(modules))
    return round(sum(known), 3) if complete else None


def _of_station(
    family: Family | None, values: Mapping[Key, Value], modules: Sequence[Value | None], station: float | None
) -> float | None:
    """Return the capacity of the plant.

    With several modules the cloud may mean one, or all, or the coordinator too: there it is only believed where it fits
    to the modules that are known.
    """
    if station is None or not CAPACITIES[0] < station < CAPACITIES[1]:
        return None
    count = values.get(Key.MODULE_COUNT)
    if count == 1 or (family and family.station_is_total):
        return station
    known = _known(modules)
    if not isinstance(count, int) or len(known) < len(modules) or len(set(known)) != 1:
        return None
    fits = any(math.isclose(station, known[0] * number, rel_tol=0.02) for number in (1, count))
    return round(known[0] * count, 3) if fits else None


def _known(modules: Sequence[Value | None]) -> list[float]:
    return [capacity for capacity in modules if isinstance(capacity, float | int)]
