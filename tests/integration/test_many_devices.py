"""What devices of one account do to each other: age while they wait, dead ones among living, those that come and go."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
import logging
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.dyness_atess import async_remove_config_entry_device
from custom_components.dyness_atess.account.memory import DELAY, Memory
from custom_components.dyness_atess.cloud.dyness import DynessClient
from custom_components.dyness_atess.const import DOMAIN
from emulator.dyness.catalogue import build
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault

from .conftest import NOON, SERIAL, Poll, state

SECOND = "R07E00000002DEMO-BMS"
MODULE, OTHER_MODULE = "DEMO000000000001", "DEMO000000000002"

type Live = Callable[..., Awaitable[None]]


@pytest.fixture
async def cloud(freezer: FrozenDateTimeFactory) -> AsyncGenerator[DynessCloud]:
    """Two batteries with a module each."""
    freezer.move_to(NOON)
    masters = [PowerHaus(serial=SERIAL, module_serial=MODULE), PowerHaus(serial=SECOND, module_serial=OTHER_MODULE)]
    cloud = DynessCloud(devices=masters, calls_per_second=None)
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


@pytest.fixture
def live(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Live:
    """Let time pass in small steps, in which what waits for its turn goes on waiting."""

    async def live(span: timedelta, look: Callable[[], object] | None = None) -> None:
        end = dt_util.utcnow() + span
        while dt_util.utcnow() < end:
            freezer.tick(20)
            async_fire_time_changed(hass)
            await hass.async_block_till_done()
            quiet = 0
            while quiet < 5:  # every call that may begin has its answer before time goes on
                is_busy = any(queue._busy for queue in hass.data["dyness_atess_queues"].values())
                await asyncio.sleep(0.001 if is_busy else 0)
                quiet = 0 if is_busy else quiet + 1
            if look:
                look()

    return live


def device(hass: HomeAssistant, entry: MockConfigEntry, serial: str) -> Any:
    return dr.async_get(hass).async_get_device_by_identifier((DOMAIN, serial), entry.entry_id)


async def delete(hass: HomeAssistant, entry: MockConfigEntry, serial: str) -> None:
    found = device(hass, entry, serial)
    assert await async_remove_config_entry_device(hass, entry, found)
    dr.async_get(hass).async_remove_device(found.id)
    await hass.async_block_till_done()


async def test_values_age_while_they_wait(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, live: Live
) -> None:
    """The cloud wants an hour of silence: what is shown does not stay current for as long as nobody may ask."""
    total = state(hass, "energy_charged")
    queue = "custom_components.dyness_atess.cloud.queue"
    with patch(f"{queue}.PAUSE", 3600), patch(f"{queue}.LONGEST_PAUSE", 3600):
        cloud.add_fault(Fault("rate_limited", times=1))
        await live(timedelta(minutes=20))
        assert state(hass, "soc") not in (None, "unavailable")
        await live(timedelta(minutes=20))
    assert state(hass, "online") == "off"
    assert state(hass, "soc") == "unavailable"
    assert state(hass, "energy_charged") == total
    await live(timedelta(minutes=40))
    assert state(hass, "soc") not in (None, "unavailable")
    assert state(hass, "online") == "on"


async def test_rows_that_never_answer_leave_the_calls_to_the_others(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud, live: Live
) -> None:
    dead = [f"R07E0000000{number}DEAD-BMS" for number in range(3)]
    for serial in dead:
        cloud.devices[serial] = PowerHaus(serial=serial, module_serial="")
        cloud.add_fault(Fault("network_anomaly", serial=serial))
    hass.config_entries.async_update_entry(entry, options={"hourly_calls": 60})
    with patch("custom_components.dyness_atess.PATIENCE", 0.1):
        assert await hass.config_entries.async_setup(entry.entry_id)
    await live(timedelta(hours=1))
    cloud.calls.clear()
    battery = entry.runtime_data.devices[SERIAL]
    ages: list[timedelta] = []
    await live(timedelta(hours=2), lambda: ages.append(dt_util.utcnow() - battery.sampled_at))
    calls = Counter(call.serial for call in cloud.calls)
    assert calls[SERIAL] >= 20, calls
    assert calls[SECOND] >= 20, calls
    assert all(calls[serial] <= 8 for serial in dead)
    assert max(ages) < timedelta(minutes=16)
    assert state(hass, "voltage", MODULE) not in (None, "unavailable")


async def test_a_battery_goes_with_its_modules_and_comes_back(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll, caplog: pytest.LogCaptureFixture
) -> None:
    battery = cloud.devices.pop(SECOND)
    for _ in range(8):
        await poll()
    await delete(hass, loaded, SECOND)
    caplog.clear()
    for _ in range(8):
        await poll()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert loaded.runtime_data.devices.keys() == {SERIAL, MODULE}
    assert not device(hass, loaded, OTHER_MODULE)
    assert loaded.runtime_data.memory.recall(SECOND) == {}

    cloud.devices[SECOND] = battery
    for _ in range(8):
        await poll()
    for serial in (SECOND, OTHER_MODULE):
        assert state(hass, "voltage", serial) not in (None, "unavailable")
    assert device(hass, loaded, OTHER_MODULE).via_device_id == device(hass, loaded, SECOND).id


async def test_a_module_that_was_deleted_comes_back(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    cloud.add_fault(Fault("network_anomaly", serial=MODULE))
    for _ in range(8):
        await poll()
    await delete(hass, loaded, MODULE)
    cloud.clear_faults()
    await poll()
    await poll()
    assert state(hass, "voltage", MODULE) not in (None, "unavailable")


async def test_a_time_in_the_future_does_not_keep_values_current(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    """A dongle whose clock is in another zone, and which then falls silent."""
    now = cloud.clock()
    ahead = PowerHaus(serial=SERIAL, module_serial="", utc_offset=timedelta(hours=1))
    ahead.silent_since = now + timedelta(hours=8)
    with patch.object(cloud, "clock", lambda: now + timedelta(hours=8)):
        cloud.devices[SERIAL] = ahead
        await poll()
        assert state(hass, "online") == "on"
        for _ in range(5):
            await poll()
        assert state(hass, "online") == "on"
        await poll()
        assert state(hass, "online") == "off"
        assert state(hass, "soc") == "unavailable"


async def test_a_list_of_modules_has_a_bound(hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud) -> None:
    serials = ",".join(f"DEMO{number:012}" for number in range(2000))
    cloud.devices[SERIAL] = PowerHaus(serial=SERIAL, module_serial=serials)
    hass.config_entries.async_update_entry(entry, options={"hourly_calls": 3})
    with patch("custom_components.dyness_atess.PATIENCE", 0.1):
        assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert len(entry.runtime_data.devices) < 200


async def test_the_memory_is_written_however_often_it_changes(
    hass: HomeAssistant, loaded: MockConfigEntry, freezer: FrozenDateTimeFactory, hass_storage: dict[str, Any]
) -> None:
    memory, key = loaded.runtime_data.memory, f"{DOMAIN}.{loaded.entry_id}"
    for number in range(10):
        memory.keep("serial", {"number": number})
        freezer.tick(DELAY / 2)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
    assert hass_storage[key]["data"]["serial"]["number"] >= 7


async def test_nothing_is_written_after_unloading(
    hass: HomeAssistant, loaded: MockConfigEntry, poll: Poll, hass_storage: dict[str, Any]
) -> None:
    memory, key = loaded.runtime_data.memory, f"{DOMAIN}.{loaded.entry_id}"
    assert await hass.config_entries.async_remove(loaded.entry_id)
    assert key not in hass_storage
    memory.keep("serial", {"late": 1})
    await poll()
    assert key not in hass_storage


async def test_the_budget_counts_every_endpoint(hass: HomeAssistant, start: Any, poll: Poll) -> None:
    """An inverter takes two calls each time: the points and the running data."""
    inverters = [build("cygni", serial=f"DEMOCYGNI{number}")[0] for number in range(3)]
    _, entry = await start(*inverters, hourly_calls=60)
    await poll()
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"budget_{entry.entry_id}")
    assert issue
    assert issue.translation_placeholders == {"masters": "3", "modules": "0", "calls": "60", "needed": "74"}


async def test_a_new_budget_takes_no_reload(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud, live: Live
) -> None:
    """And serves at once who waits because of the old one."""
    hass.config_entries.async_update_entry(entry, options={"hourly_calls": 12})
    with patch("custom_components.dyness_atess.PATIENCE", 0.1):
        assert await hass.config_entries.async_setup(entry.entry_id)
    await live(timedelta(minutes=40))
    account = entry.runtime_data
    assert account.queue.state["waiting"] > 2
    cloud.calls.clear()
    hass.config_entries.async_update_entry(entry, options={"hourly_calls": 300})
    await live(timedelta(minutes=1))
    assert account.queue.state["waiting"] == 0
    assert 3 <= len(cloud.calls) <= 8
    assert entry.runtime_data is account


class Held:
    """Holds the answers for one serial number back."""

    def __init__(self, serial: str) -> None:
        self.arrived, self.released = asyncio.Event(), asyncio.Event()
        original = DynessClient.realtime_data

        async def hold(client: DynessClient, asked: str, *arguments: Any) -> Any:
            answer = await original(client, asked, *arguments)
            if asked == serial:
                self.arrived.set()
                await self.released.wait()
            return answer

        self.patch = patch.object(DynessClient, "realtime_data", hold)


async def test_an_answer_for_a_deleted_battery(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    account = loaded.runtime_data
    held = Held(SECOND)
    with held.patch:
        reading = asyncio.create_task(account.devices[SECOND].async_refresh())
        await held.arrived.wait()
        cloud.devices.pop(SECOND)
        await account.inventory.async_refresh()
        await delete(hass, loaded, SECOND)
        held.released.set()
        await reading
    await poll()
    assert account.devices.keys() == {SERIAL, MODULE}
    assert account.memory.recall(SECOND) == {}
    assert not device(hass, loaded, SECOND)


async def test_an_answer_while_unloading(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud) -> None:
    """The first answer of a new battery comes when the platforms are gone already."""
    new = "R07E00000003DEMO-BMS"
    cloud.devices[new] = PowerHaus(serial=new, module_serial="")
    held = Held(new)
    close = Memory.async_close

    async def close_slowly(memory: Memory) -> None:
        await close(memory)
        held.released.set()
        await asyncio.sleep(0.2)

    with held.patch, patch.object(Memory, "async_close", close_slowly):
        await loaded.runtime_data.inventory.async_refresh()
        await held.arrived.wait()
        assert await hass.config_entries.async_unload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert {found.state for found in hass.states.async_all()} == {"unavailable"}


async def test_an_account_without_devices_leaves_no_file(
    hass: HomeAssistant, loaded: MockConfigEntry, poll: Poll, hass_storage: dict[str, Any]
) -> None:
    loaded.runtime_data.inventory.listed = set()
    for serial in (SERIAL, SECOND):
        await delete(hass, loaded, serial)
    assert await hass.config_entries.async_remove(loaded.entry_id)
    await poll()
    assert f"{DOMAIN}.{loaded.entry_id}" not in hass_storage


async def test_a_rejected_device_that_is_deleted_asks_for_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    cloud.add_fault(Fault("access_denied", serial=SECOND))
    await poll()
    assert list(loaded.async_get_active_flows(hass, {SOURCE_REAUTH}))
    cloud.devices.pop(SECOND)
    for _ in range(8):
        await poll()
    await delete(hass, loaded, SECOND)
    await poll()
    assert not list(loaded.async_get_active_flows(hass, {SOURCE_REAUTH}))
