"""Capacity and content of a battery, from what speaks of it."""

from typing import Any

import pytest

from custom_components.dyness_atess.telemetry.energy.capacity import add_capacity, combine_modules
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import Key, Status


def energy(values: dict[Key, Any], **sources: Any) -> tuple[Any, Any]:
    values = dict(values)
    unknown: dict[str, Any] = {"chosen": None, "modules": [], "station": None}
    add_capacity(values, **{**unknown, "station_is_total": False, "points_are_of_one_module": False, **sources})
    return values.get(Key.ENERGY_RATED), values.get(Key.ENERGY_REMAINING)


@pytest.mark.parametrize(
    ("count", "modules", "station", "rated"),
    [
        (1, [], 5.12, 5.12),
        (1, [10.24], 5.12, 10.24),
        (3, [5.12, 5.12, 10.24], 10.24, 20.48),
        # One of them is silent, or not listed, or was replaced.
        (3, [5.12, 5.12], None, 15.36),
        (3, [5.12, 5.12], 15.36, 15.36),
        (3, [5.12, 5.12], 5.12, 15.36),
        (3, [5.12, 5.12, None], 5.12, 15.36),
        (3, [5.12, 5.06], None, 15.27),
        (3, [5.12], 15.36, 15.36),
        (3, [5.12, 5.12, 5.12, 5.12], None, 15.36),
        (6, [5.12] * 5, 35.84, 30.72),
        (1, [5.12, 5.12], 5.12, 5.12),
        # The third of a PowerBox Pro is twice as large.
        (3, [5.12, 5.12], 10.24, None),
        (3, [5.12, 10.24], 5.12, None),
        (3, [None, None, 10.24], 10.24, None),
        # Neither the coordinator's share nor a guess is shown as fact.
        (6, [], 35.84, None),
        (6, [], 5.12, None),
        (6, [5.12], None, None),
        (6, [5.12] * 6, 35.84, 30.72),
        (None, [5.12, 5.12], None, 10.24),
        (None, [], 5.12, None),
        (1, [], 0.0, None),
        (1, [], 1e6, None),
    ],
)
def test_low_voltage(
    count: int | None, modules: list[float | None], station: float | None, rated: float | None
) -> None:
    values: dict[Key, Any] = {} if count is None else {Key.MODULE_COUNT: count}
    assert energy(values, modules=modules, station=station)[0] == rated


def test_the_user_has_the_last_word() -> None:
    values = {Key.MODULE_COUNT: 1, Key.SOC: 50, Key.ENERGY_RATED: 14.2, Key.ENERGY_REMAINING: 7.0}
    assert energy(values, chosen=20, modules=[5.12], station=35.84) == (20, 10)
    assert energy(values, station=35.84) == (14.2, 7.0)


@pytest.mark.parametrize(
    ("modules", "expected"),
    [([], (16.077, 8.0)), ([16.077], (16.077, 8.0)), ([16.077, None], (None, None)), ([16.077] * 2, (32.154, 16.077))],
)
def test_a_master_that_speaks_for_one_module_of_several(
    modules: list[float | None], expected: tuple[float | None, float | None]
) -> None:
    own = {Key.SOC: 50, Key.ENERGY_RATED: 16.077, Key.ENERGY_REMAINING: 8.0}
    assert energy(own, modules=modules, points_are_of_one_module=True) == expected
    assert energy(own, modules=modules) == (16.077, 8.0)


def test_a_master_whose_other_module_is_silent() -> None:
    own = {Key.SOC: 50, Key.ENERGY_RATED: 16.077, Key.MODULE_COUNT: 2}
    assert energy(own, modules=[16.077], points_are_of_one_module=True) == (None, None)
    assert energy(own, modules=[16.077], station=32.154, points_are_of_one_module=True) == (32.154, 16.077)


@pytest.mark.parametrize(
    ("values", "station_is_total", "expected"),
    [
        ({Key.SOC: 50, Key.MODULE_COUNT: 1}, False, (10, 5)),
        ({Key.SOC: 50, Key.MODULE_COUNT: 1, Key.SOH: 80}, False, (10, 4)),
        ({Key.SOC: 50, Key.MODULE_COUNT: 1, Key.SOH: 0}, False, (10, 5)),
        ({Key.SOC: 0, Key.MODULE_COUNT: 1}, False, (10, 0)),
        ({Key.MODULE_COUNT: 1}, False, (10, None)),
        ({Key.SOC: 50}, True, (10, 5)),
        ({Key.SOC: 50}, False, (None, None)),
        # Empty is a value.
        ({Key.SOC: 1, Key.ENERGY_RATED: 14.2, Key.ENERGY_REMAINING: 0.0}, True, (14.2, 0.0)),
    ],
)
def test_remaining(values: dict[Key, Any], expected: tuple[Any, Any], *, station_is_total: bool) -> None:
    assert energy(values, station=10.0, station_is_total=station_is_total) == expected


# A master that shows one of its parallel modules.


def module(soc: float, rated: float, ampere: float, lowest: float, **more: Any) -> Reading:
    known = {"soc": soc, "energy_rated": rated, "energy_remaining": rated * soc / 100, "current": ampere}
    highest = {"cell_voltage_max": 3.31, "cell_voltage_max_cell": 3}
    values = known | highest | {"cell_voltage_min": lowest, "cell_voltage_min_cell": 9} | more
    return Reading(values={Key(key): value for key, value in values.items() if value is not None})


def combined(*modules: Reading) -> tuple[dict[Key, Any], dict[Key, bool]]:
    values, flags = {**modules[0].values, Key.VOLTAGE: 52.1, Key.STATUS: "idle"}, {Key.CHARGING: False}
    combine_modules(values, flags, modules)
    return values, flags


def test_parallel_modules() -> None:
    values, flags = combined(
        module(80, 5.12, -10, 3.3, power=-520, cell_temperature_max=28, cell_temperature_max_sensor=2),
        module(20, 15.36, -30, 3.29, power=-1560, cell_temperature_max=22, cell_voltage_min_cell=7),
    )
    known = {"soc": 35, "energy_rated": 20.48, "energy_remaining": 7.168, "current": -40, "power": -2080}
    highest = {"cell_voltage_max": 3.31, "cell_voltage_max_module": 1, "cell_voltage_max_cell": 3}
    lowest = {"cell_voltage_min": 3.29, "cell_voltage_min_module": 2, "cell_voltage_min_cell": 7}
    warmest = {"cell_temperature_max": 28, "cell_temperature_max_module": 1, "cell_temperature_max_sensor": 2}
    others = {"voltage": 52.1, "status": "charging", "cell_voltage_spread": 20}
    expected = known | highest | lowest | warmest | others
    assert (values, flags) == (expected, {Key.CHARGING: True})
    # What follows from the sums is the same.
    assert energy(values, modules=[5.12, 15.36], points_are_of_one_module=True) == (20.48, 7.168)


@pytest.mark.parametrize(
    ("currents", "status"),
    [((0.4, 0.5), Status.IDLE), ((0.4, 0.7), Status.DISCHARGING), ((5, -5), Status.IDLE), ((5, -6.1), Status.CHARGING)],
)
def test_status_of_parallel_modules(currents: tuple[float, float], status: Status) -> None:
    values, flags = combined(*(module(50, 5.12, current, 3.3) for current in currents))
    assert (values[Key.STATUS], flags[Key.CHARGING]) == (status, status is Status.CHARGING)


def test_what_one_module_does_not_know() -> None:
    unknown = {"current": None, "energy_rated": None, "cell_voltage_min_cell": None}
    values, flags = combined(
        module(80, 5.12, 10, 3.3, capacity_full=100), module(20, 5.12, 10, 3.2, capacity_full=300, **unknown)
    )
    assert not {Key.CURRENT, Key.STATUS, Key.ENERGY_RATED, Key.CELL_VOLTAGE_MIN_CELL} & values.keys()
    assert flags == {}
    assert (values[Key.SOC], values[Key.CAPACITY_FULL]) == (35, 400)


def test_a_single_module_is_all_there_is() -> None:
    one = module(80, 5.12, 10, 3.3)
    assert combined(one) == ({**one.values, Key.VOLTAGE: 52.1, Key.STATUS: "idle"}, {Key.CHARGING: False})
