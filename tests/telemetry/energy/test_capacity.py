"""Capacity and content of a battery, from what speaks of it."""

from typing import Any

import pytest

from custom_components.dyness_atess.telemetry.energy.capacity import add_capacity
from custom_components.dyness_atess.telemetry.vocabulary import Key


def energy(
    values: dict[Key, Any],
    *,
    chosen: float | None = None,
    modules: list[float | None] | None = None,
    station: float | None = None,
    station_is_total: bool = False,
    points_are_of_one_module: bool = False,
) -> tuple[Any, Any]:
    values = dict(values)
    add_capacity(
        values,
        chosen=chosen,
        modules=modules or [],
        station=station,
        station_is_total=station_is_total,
        points_are_of_one_module=points_are_of_one_module,
    )
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


def test_empty_is_a_value() -> None:
    values = {Key.SOC: 1, Key.ENERGY_RATED: 14.2, Key.ENERGY_REMAINING: 0.0}
    assert energy(values) == (14.2, 0.0)
    assert energy({Key.MODULE_COUNT: 1, Key.SOC: 0}, station=5.12) == (5.12, 0)


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


@pytest.mark.parametrize(("soh", "remaining"), [(80, 4), (0, 5), (None, 5)])
def test_health(soh: float | None, remaining: float) -> None:
    values = {Key.MODULE_COUNT: 1, Key.SOC: 50} | ({} if soh is None else {Key.SOH: soh})
    assert energy(values, station=10.0) == (10, remaining)


def test_without_a_state_of_charge() -> None:
    assert energy({Key.MODULE_COUNT: 1}, station=10.0) == (10, None)


def test_inverter() -> None:
    assert energy({Key.SOC: 50}, station=30.72, station_is_total=True) == (30.72, 15.36)
