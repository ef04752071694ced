"""The battery of the seed, through the whole path."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.const import DOMAIN
from custom_components.dyness_atess.telemetry.dyness.families.low_voltage import LOW_VOLTAGE
from custom_components.dyness_atess.telemetry.vocabulary import PROTECTIONS, WARNINGS
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import Replay

from .conftest import SERIAL, Poll, all_states

MEASURED = {
    "soc": 100,
    "soh": 100,
    "voltage": 53.2,
    "current": 0,
    "power": 0,
    "cell_voltage_max": 3.327,
    "cell_voltage_max_module": 1,
    "cell_voltage_max_cell": 1,
    "cell_voltage_min": 3.325,
    "cell_voltage_min_module": 1,
    "cell_voltage_min_cell": 2,
    "cell_voltage_spread": 2,
    "cell_temperature_max": 15.0,
    "cell_temperature_max_module": 1,
    "cell_temperature_max_sensor": 1,
    "cell_temperature_min": 14.9,
    "cell_temperature_min_module": 1,
    "cell_temperature_min_sensor": 2,
    "mosfet_temperature_max": 17.3,
    "bms_temperature_max": 11.1,
    "bms_temperature_min": 11.1,
    "charge_voltage_limit": 56.5,
    "discharge_voltage_limit": 48.0,
    "charge_current_limit": 0.0,
    "discharge_current_limit": 100.0,
    "module_count": 1,
    "energy_rated": 5.12,
    "energy_remaining": 5.12,
}
TOTALS = {"energy_charged": 0, "energy_discharged": 0}
BITS = {key for rule in LOW_VOLTAGE.rules for key in rule.keys if key in WARNINGS | PROTECTIONS}
OFF = {*BITS, "alarm", "warning", "charging", "charge_enabled"}
OFF |= {"full_charge_requested", "force_charge_1", "force_charge_2"}


async def test_values(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    states = all_states(hass)
    reported = datetime.fromisoformat(states.pop("last_report"))
    assert timedelta(0) < datetime.now(UTC) - reported < timedelta(minutes=6)
    assert {key: float(states.pop(key)) for key in MEASURED | TOTALS} == MEASURED | TOTALS
    assert states == {
        "status": "idle",
        "work_status": "fault",
        "online": "on",
        "discharge_enabled": "on",
        **dict.fromkeys(OFF, "off"),
    }


async def test_sample_time_is_utc(hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud) -> None:
    """The seed as it was recorded: months old, so nothing but its age is current."""
    cloud.devices[SERIAL] = replace(cast("Replay", cloud.devices[SERIAL]), current=False)
    await hass.config.async_set_time_zone("Asia/Riyadh")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    states = all_states(hass)
    assert states.pop("last_report") == "2026-03-23T21:57:27+00:00"
    assert states.pop("online") == "off"
    assert states.pop("work_status") == "fault"
    assert {key: float(states.pop(key)) for key in TOTALS} == TOTALS
    assert states.keys() == {*MEASURED, *OFF, "status", "discharge_enabled"}
    assert set(states.values()) == {"unavailable"}


async def test_device(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, SERIAL), loaded.entry_id)
    assert device
    assert device.name == "PowerHaus"
    assert device.manufacturer == "Dyness"
    assert device.model == "PowerHaus"
    assert device.model_id == "145"
    assert device.serial_number == SERIAL
    assert device.sw_version == "2.50-62.0.11"


async def test_any_model_name_gives_the_same(hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud) -> None:
    named, nameless = "R07E00000001DEMO-BMS", "R07E00000002DEMO-BMS"
    seed = cast("Replay", cloud.devices.pop(SERIAL))
    for serial, name in ((named, "Foo 9000"), (nameless, "")):
        listing = seed.recording["listing"] | {"deviceModelName": name, "deviceName": name}
        cloud.devices[serial] = replace(seed, serial=serial, recording=seed.recording | {"listing": listing})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    registry = er.async_get(hass)
    states: dict[str, dict[str, str]] = {named: {}, nameless: {}}
    for entity in registry.entities.values():
        serial, _, key = entity.unique_id.rpartition("-")
        if serial not in states:
            continue  # the account's own
        found = hass.states.get(entity.entity_id)
        assert found
        states[serial][key] = found.state
    assert states[named] | {"last_report": ""} == states[nameless] | {"last_report": ""}
    assert states[named].keys() == {
        *MEASURED,
        *TOTALS,
        *OFF,
        "status",
        "work_status",
        "online",
        "discharge_enabled",
        "last_report",
    }


async def test_classes(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """What the energy dashboard, triggers and cards choose by."""
    registry = er.async_get(hass)
    states = {
        entity.unique_id.rpartition("-")[2]: hass.states.get(entity.entity_id) for entity in registry.entities.values()
    }
    batteries = [key for key, found in states.items() if found and found.attributes.get("device_class") == "battery"]
    assert batteries == ["soc"]
    soc, power, cell = states["soc"], states["power"], states["cell_voltage_max"]
    assert soc
    assert power
    assert cell
    assert soc.attributes["state_class"] == SensorStateClass.MEASUREMENT
    assert power.attributes["device_class"] == SensorDeviceClass.POWER
    assert power.attributes[ATTR_UNIT_OF_MEASUREMENT] == "W"
    cell_entity = registry.async_get(cell.entity_id)
    assert cell_entity
    assert cell_entity.options["sensor"]["suggested_display_precision"] == 3


async def test_calls(loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll) -> None:
    own = [call.path for call in cloud.calls if call.serial in (None, SERIAL)]
    assert sorted(own) == ["/v1/device/realTime/data", "/v1/device/storage/list", "/v1/station/info"]
    cloud.calls.clear()
    await poll()
    assert [call.path for call in cloud.calls if call.serial == SERIAL] == ["/v1/device/realTime/data"]
