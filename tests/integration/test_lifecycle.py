"""Start, restart, reload, unload, and devices that come and go."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import cast
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess import async_remove_config_entry_device
from custom_components.dyness_atess.const import DOMAIN
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import Replay
from emulator.faults import Fault, FaultKind

from .conftest import SERIAL, Poll, all_states, state

SECOND = "R07E00000002DEMO-BMS"


async def restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Unload and set up again, as a restart does as far as an integration can see."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=False)


@pytest.mark.parametrize("kind", ["hang", "network_anomaly", "rate_limited", "null_data", "drop", "http_500"])
async def test_started_while_the_cloud_is_down(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll, kind: FaultKind
) -> None:
    before = all_states(hass)
    cloud.add_fault(Fault(kind))
    with (
        patch("custom_components.dyness_atess.PATIENCE", 0.1),
        patch("custom_components.dyness_atess.cloud.transport.TIMEOUT", 0.5),
    ):
        await restart(hass, loaded)
        assert loaded.state is ConfigEntryState.LOADED
        assert all_states(hass) == dict.fromkeys(before, "unavailable")
        device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, SERIAL), loaded.entry_id)
        assert device
        assert (device.model, device.sw_version) == ("PowerHaus", "2.50-62.0.11")
        await hass.async_block_till_done(wait_background_tasks=True)
    cloud.clear_faults()
    await poll()
    assert all_states(hass) | {"last_report": ""} == before | {"last_report": ""}


async def test_first_start_while_the_cloud_is_down(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    cloud.add_fault(Fault("http_500"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert not all_states(hass)
    cloud.clear_faults()
    await poll()
    assert state(hass, "soc") == "100"


async def test_unload_leaves_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert loaded.state is ConfigEntryState.NOT_LOADED
    cloud.calls.clear()
    for _ in range(3):
        await poll(31)
    assert not cloud.calls
    assert set(all_states(hass).values()) == {"unavailable"}


async def test_unload_during_a_call(hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud) -> None:
    cloud.add_fault(Fault("hang"))
    with patch("custom_components.dyness_atess.PATIENCE", 0.1):
        assert await hass.config_entries.async_setup(entry.entry_id)
    async with asyncio.timeout(2):
        assert await hass.config_entries.async_unload(entry.entry_id)
    own = [task for task in asyncio.all_tasks() if "dyness" in repr(task).lower() and "test_" not in repr(task)]
    assert not own


async def test_reload(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    before = all_states(hass)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert all_states(hass) == before


async def test_a_second_device_appears_without_reload(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    seed = cast("Replay", cloud.devices[SERIAL])
    cloud.devices[SECOND] = replace(seed, serial=SECOND)
    for _ in range(7):
        await poll()
    assert state(hass, "soc", SECOND) == "100"
    assert state(hass, "work_status", SECOND) == "fault"
    cloud.add_fault(Fault("network_anomaly", serial=SECOND))
    await poll()
    assert state(hass, "soc", SECOND) == "unavailable"
    assert state(hass, "soc", SERIAL) == "100"


async def test_a_listed_device_without_data_is_no_device(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud
) -> None:
    """A collector may be listed beside its battery and never have points."""
    cloud.devices[SECOND] = replace(cast("Replay", cloud.devices[SERIAL]), serial=SECOND)
    cloud.add_fault(Fault("null_data", serial=SECOND))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)) == 1


async def test_firmware_update(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll) -> None:
    seed = cast("Replay", cloud.devices[SERIAL])
    listing = seed.recording["listing"] | {"firmwareVersion": "2.50-70.0.1"}
    cloud.devices[SERIAL] = replace(seed, recording=seed.recording | {"listing": listing})
    for _ in range(7):
        await poll()
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, SERIAL), loaded.entry_id)
    assert device
    assert device.sw_version == "2.50-70.0.1"


async def test_a_stale_device_can_be_deleted(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    cloud: DynessCloud,
    poll: Poll,
) -> None:
    cloud.devices[SECOND] = replace(cast("Replay", cloud.devices[SERIAL]), serial=SECOND)
    for _ in range(7):
        await poll()
    del cloud.devices[SECOND]
    registry = dr.async_get(hass)

    async def delete(serial: str) -> bool:
        device = registry.async_get_device_by_identifier((DOMAIN, serial), loaded.entry_id)
        assert device
        if allowed := await async_remove_config_entry_device(hass, loaded, device):
            registry.async_remove_device(device.id)
        return allowed

    assert not await delete(SECOND)  # still on the list, as far as is known
    for _ in range(7):
        await poll()
    assert state(hass, "soc", SECOND) == "unavailable"
    assert await delete(SECOND)
    assert not await delete(SERIAL)
    await poll(31)
    await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not registry.async_get_device_by_identifier((DOMAIN, SECOND), loaded.entry_id)
    assert not [entity for entity in er.async_get(hass).entities.values() if entity.unique_id.startswith(SECOND)]
    assert state(hass, "soc") == "100"


async def test_an_incomplete_list_removes_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    cast("Replay", cloud.devices[SERIAL]).listed = False
    for _ in range(8):
        await poll()
    assert state(hass, "soc") == "100"
    await restart(hass, loaded)
    assert state(hass, "soc") == "100"


async def test_calls_are_spaced(hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud) -> None:
    """With the real spacing the vendor's limit is never met, though several devices begin together."""
    for number in range(2, 4):
        serial = f"R07E0000000{number}DEMO-BMS"
        cloud.devices[serial] = replace(cast("Replay", cloud.devices[SERIAL]), serial=serial)
    cloud.calls_per_second = 2
    with patch("custom_components.dyness_atess.cloud.queue.SPACING", 1.0):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert len(cloud.calls) >= 7
    assert "429" not in [call.outcome for call in cloud.calls]
    assert all(after.at - before.at > timedelta(seconds=0.8) for before, after in pairwise(cloud.calls))
