"""Capacity and content of a battery, from what speaks of it."""

from typing import Any

import pytest

from custom_components.dyness_atess.telemetry.dyness.decoder import family_by_name
from custom_components.dyness_atess.telemetry.energy.capacity import add_energy
from custom_components.dyness_atess.telemetry.vocabulary import Key


def energy(family: str, values: dict[Key, Any], **sources: Any) -> tuple[Any, Any]:
    values = dict(values)
    add_energy(family_by_name(family), values, **sources)
    return values.get(Key.ENERGY_RATED), values.get(Key.ENERGY_REMAINING)


@pytest.mark.parametrize(
    ("count", "modules", "station", "rated"),
    [
        (1, [], 5.12, 5.12),
        (1, [10.24], 5.12, 10.24),
        (3, [5.12, 5.12, 10.24], 10.24, 20.48),
        # One of them has not answered, or is not listed.
        (3, [5.12, 5.12, None], 5.12, None),
        (3, [None, None, 10.24], 10.24, None),
        (3, [5.12, 5.12], 15.36, 15.36),
        (3, [5.12, 5.12], 5.12, 15.36),
        (3, [5.12, 5.12], 10.24, None),
        (3, [5.12, 10.24], 5.12, None),
        (3, [5.12, 5.12], None, None),
        # Neither the coordinator's share nor a guess is shown as fact.
        (6, [], 35.84, None),
        (6, [], 5.12, None),
        (6, [5.12] * 6, 35.84, 30.72),
        # A module that was taken away is still remembered.
        (1, [5.12, 5.12], 5.12, 5.12),
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
    assert energy("low_voltage", values, modules=modules, station=station)[0] == rated


def test_the_user_has_the_last_word() -> None:
    values = {Key.MODULE_COUNT: 1, Key.SOC: 50, Key.ENERGY_RATED: 14.2, Key.ENERGY_REMAINING: 7.0}
    assert energy("high_voltage", values, chosen=20, modules=[5.12], station=35.84) == (20, 10)
    assert energy("high_voltage", values, station=35.84) == (14.2, 7.0)


def test_empty_is_a_value() -> None:
    values = {Key.SOC: 1, Key.ENERGY_RATED: 14.2, Key.ENERGY_REMAINING: 0.0}
    assert energy("high_voltage", values) == (14.2, 0.0)
    assert energy("low_voltage", {Key.MODULE_COUNT: 1, Key.SOC: 0}, station=5.12) == (5.12, 0)


def test_a_master_that_speaks_for_one_module_of_several() -> None:
    own = {Key.SOC: 50, Key.ENERGY_RATED: 16.077, Key.ENERGY_REMAINING: 8.0}
    assert energy("module", own) == (16.077, 8.0)
    assert energy("module", own, modules=[16.077]) == (16.077, 8.0)
    assert energy("module", own, modules=[16.077, None]) == (None, None)
    assert energy("module", own, modules=[16.077, 16.077]) == (32.154, 16.077)


def test_health() -> None:
    values = {Key.MODULE_COUNT: 1, Key.SOC: 50, Key.SOH: 80}
    assert energy("low_voltage", values, station=10.0) == (10, 4)
    assert energy("low_voltage", {Key.MODULE_COUNT: 1}, station=10.0) == (10, None)


def test_inverter() -> None:
    assert energy("cygni", {Key.SOC: 50}, station=30.72) == (30.72, 15.36)
