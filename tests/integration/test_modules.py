"""Modules behind a battery, single cells, and what the options change."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, cast

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess import async_remove_config_entry_device
from custom_components.dyness_atess.account.budget import OLDEST_MODULE, calls_of_modules, module_interval
from custom_components.dyness_atess.const import DOMAIN
from custom_components.dyness_atess.telemetry.vocabulary import CELL_VOLTAGES
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault

from .conftest import SERIAL, Poll, state

MODULE = "DEMO000000000001"


@pytest.fixture
async def cloud() -> AsyncGenerator[DynessCloud]:
    """A cloud with a battery that behaves, and the module behind it."""
    cloud = DynessCloud(devices=[PowerHaus(serial=SERIAL, module_serial=MODULE)], calls_per_second=None)
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


def device_of(hass: HomeAssistant, entry: MockConfigEntry, serial: str) -> dr.DeviceEntry:
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, serial), entry.entry_id)
    assert device
    return device


def cells(hass: HomeAssistant, entry: MockConfigEntry) -> list[er.RegistryEntry]:
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return [found for found in registered if found.unique_id.removeprefix(f"{MODULE}-") in CELL_VOLTAGES]


async def test_a_module_is_a_device_below_its_battery(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    module = device_of(hass, loaded, MODULE)
    master = device_of(hass, loaded, SERIAL)
    assert module.via_device_id == master.id
    assert module.name == "PowerHaus module 1"
    assert module.serial_number == MODULE
    for key in ("soc", "voltage", "current", "cell_voltage_max", "cell_voltage_min", "cell_voltage_spread", "cycles"):
        assert state(hass, key, MODULE) not in (None, "unknown", "unavailable"), key
    assert float(state(hass, "cell_temperature_1", MODULE) or "x") > -20
    assert float(state(hass, "energy_rated") or "x") == pytest.approx(5.12, abs=0.3)


async def test_single_cells(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud) -> None:
    single = cells(hass, loaded)
    assert len(single) == 16
    assert {found.disabled_by for found in single} == {er.RegistryEntryDisabler.INTEGRATION}
    registry = er.async_get(hass)
    registry.async_update_entity(single[3].entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    for shown in (True, False, True):
        form: Any = await hass.config_entries.options.async_init(loaded.entry_id)
        assert form["step_id"] == "dyness"
        await hass.config_entries.options.async_configure(
            form["flow_id"], {"single_cells": shown, "hourly_calls": 1_000}
        )
        await hass.async_block_till_done(wait_background_tasks=True)
        values = [state(hass, f"cell_{number:02}_voltage", MODULE) for number in range(1, 17)]
        assert [value is not None for value in values] == [shown and number != 4 for number in range(1, 17)]
        assert all(2.5 < float(value) < 3.7 for value in values if value)
    assert loaded.runtime_data.queue.hourly_calls == 1_000
    assert state(hass, "cell_17_voltage", MODULE) is None


async def test_capacity_by_hand(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    for capacity, expected in ((10.24, 10.24), (None, 10.24), (0, 5.12)):
        form: Any = await hass.config_entries.options.async_init(loaded.entry_id)
        changes = {} if capacity is None else {"device": SERIAL, "capacity": capacity}
        options = {"single_cells": False, "hourly_calls": 1_000}
        await hass.config_entries.options.async_configure(form["flow_id"], options | changes)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert float(state(hass, "energy_rated") or "x") == pytest.approx(expected, abs=0.3)
        soc = float(state(hass, "soc") or "x")
        assert float(state(hass, "energy_remaining") or "x") == pytest.approx(expected * soc / 100, abs=0.4)


async def test_a_module_falls_silent_and_is_removed_by_its_owner(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    assert not await async_remove_config_entry_device(hass, loaded, device_of(hass, loaded, MODULE))
    cloud.add_fault(Fault("null_data", serial=MODULE))
    await poll()
    assert state(hass, "voltage", MODULE) not in (None, "unavailable")
    for _ in range(7):
        await poll()
    assert state(hass, "voltage", MODULE) == "unavailable"
    assert state(hass, "voltage") not in (None, "unavailable")
    device = device_of(hass, loaded, MODULE)
    assert await async_remove_config_entry_device(hass, loaded, device)
    dr.async_get(hass).async_remove_device(device.id)
    assert MODULE not in loaded.runtime_data.devices


async def test_a_known_module_comes_back_after_a_restart_without_it(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    assert await hass.config_entries.async_unload(loaded.entry_id)
    cloud.add_fault(Fault("network_anomaly"))
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "voltage", MODULE) == "unavailable"
    assert device_of(hass, loaded, MODULE).name == "PowerHaus module 1"
    cloud.clear_faults()
    await poll()
    assert state(hass, "voltage", MODULE) not in (None, "unavailable")


def test_modules_share_what_the_budget_leaves() -> None:
    assert module_interval(46, 1).total_seconds() == 300
    assert module_interval(46, 4).total_seconds() == pytest.approx(4 * 3600 / 46 / 0.9, abs=1)
    assert module_interval(46, 13) < OLDEST_MODULE
    assert module_interval(0, 3) == OLDEST_MODULE
    for modules in range(1, 50):
        assert module_interval(calls_of_modules(modules), modules) <= OLDEST_MODULE
        assert calls_of_modules(modules) * 20 >= modules * 60


async def test_too_small_a_budget_is_told(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    issues = ir.async_get(hass)
    issue = (DOMAIN, f"budget_{loaded.entry_id}")
    assert not issues.async_get_issue(*issue)
    for calls, told in ((17, True), (18, False)):
        form: Any = await hass.config_entries.options.async_init(loaded.entry_id)
        await hass.config_entries.options.async_configure(
            form["flow_id"], {"single_cells": False, "hourly_calls": calls}
        )
        await hass.async_block_till_done()
        found = issues.async_get_issue(*issue)
        assert bool(found) == told
        if found:
            assert found.translation_placeholders == {"masters": "1", "modules": "1", "calls": "17", "needed": "18"}


async def test_calls_in_the_last_hour(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud) -> None:
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id("sensor", DOMAIN, f"{loaded.entry_id}-calls_last_hour")
    assert entity_id
    assert registry.entities[entity_id].disabled_by is er.RegistryEntryDisabler.INTEGRATION
    registry.async_update_entity(entity_id, disabled_by=None)
    await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    found = hass.states.get(entity_id)
    assert found
    assert int(found.state) == len(cloud.calls)
    assert SERIAL in loaded.runtime_data.devices
    assert len(loaded.runtime_data.devices) == 2


async def test_the_list_of_modules_names_its_master(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    master = cast("PowerHaus", cloud.devices[SERIAL])
    cloud.devices[SERIAL] = replace(master, module_serial=f"{SERIAL},{MODULE},,{MODULE}")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.runtime_data.devices.keys() == {SERIAL, MODULE}
