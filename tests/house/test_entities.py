"""What is on at first, and what is a battery to Home Assistant (product contract, section 3)."""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.sensor import SensorDeviceClass

from custom_components.dyness_atess import binary_sensor, sensor
from custom_components.dyness_atess.telemetry.vocabulary import PROTECTIONS, WARNINGS, Key


def test_one_house_is_one_battery() -> None:
    sensors = (*sensor.SENSORS, *sensor.SINGLE_CELLS)
    assert [one.key for one in sensors if one.device_class is SensorDeviceClass.BATTERY] == [Key.SOC]
    of_module = {one.key: sensor.for_module(one) for one in sensors}
    assert SensorDeviceClass.BATTERY not in {one.device_class for one in of_module.values()}
    low = {one.key: one for one in binary_sensor.BINARY_SENSORS if one.device_class is BinarySensorDeviceClass.BATTERY}
    assert {key: one.entity_registry_enabled_default for key, one in low.items()} == {Key.BATTERY_LOW: False}
    soc = of_module[Key.SOC]
    assert (soc.native_unit_of_measurement, soc.state_class) == ("%", "measurement")


def test_the_logbook_shows_events_and_not_samples() -> None:
    """Home Assistant leaves out of it what has a unit or a state class."""
    logged = {
        one.key
        for one in sensor.SENSORS
        if one.entity_registry_enabled_default and not (one.native_unit_of_measurement or one.state_class)
    }
    states = {one.key for one in sensor.SENSORS if one.options}
    assert logged == states | {Key.MODULE_COUNT}


def test_bits_are_on_at_first_on_a_master_and_off_on_a_module() -> None:
    off = {one.key for one in binary_sensor.BINARY_SENSORS if not one.entity_registry_enabled_default}
    assert off == {Key.BATTERY_LOW}
    on = {
        one.key
        for one in map(binary_sensor.for_module, binary_sensor.BINARY_SENSORS)
        if one.entity_registry_enabled_default
    }
    assert on >= {Key.ALARM, Key.WARNING}
    assert not on & (WARNINGS | PROTECTIONS)


def test_single_cells_are_off_at_first() -> None:
    assert not any(one.entity_registry_enabled_default for one in sensor.SINGLE_CELLS)
