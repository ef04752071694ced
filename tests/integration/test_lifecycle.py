"""Start, restart and unload, devices that come and go, and what is kept over all of it."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import logging
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess import async_remove_config_entry_device
from custom_components.dyness_atess.account.memory import DELAY
from custom_components.dyness_atess.cloud.dyness import DynessClient
from custom_components.dyness_atess.const import DOMAIN
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault, FaultKind

from .conftest import SERIAL, Live, device_of, issues, logged, number, one, serials_of, state, states_of

SECOND, MODULE, OTHER_MODULE = "R07E00000002DEMO-BMS", "DEMO000000000001", "DEMO000000000002"


def two() -> list[PowerHaus]:
    return [PowerHaus(), PowerHaus(serial=SECOND, module_serial=OTHER_MODULE)]


async def delete(hass: HomeAssistant, entry: MockConfigEntry, serial: str) -> bool:
    """Delete a device as its page does."""
    found = device_of(hass, entry, serial)
    if allowed := await async_remove_config_entry_device(hass, entry, found):
        dr.async_get(hass).async_remove_device(found.id)
    return allowed


def everything(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return all states of the account's devices."""
    devices = [device.serial_number for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)]
    states = {serial: states_of(hass, entry, serial) for serial in devices if serial}
    return {f"{serial}-{key}": shown for serial, of in states.items() for key, shown in of.items()}


@pytest.mark.parametrize("kind", ["hang", "rate_limited", "null_data"])
async def test_started_while_the_cloud_is_down(hass: HomeAssistant, live: Live, kind: FaultKind) -> None:
    cloud, entry = await live.start(*two(), one("cygni"), single_cells=True)
    await live(6)
    before = everything(hass, entry)
    cloud.add_fault(Fault(kind))
    await live.restart(entry, stopped_for=31)
    await live(1)
    states = everything(hass, entry)
    assert states.keys() == before.keys()
    assert {states[f"{serial}-online"] for serial in (SERIAL, SECOND, MODULE, OTHER_MODULE)} == {"off"}
    assert {states[f"{SERIAL}-{key}"] for key in ("soc", "voltage", "status", "alarm")} == {"unavailable"}
    assert {states[f"{MODULE}-{key}"] for key in ("soc", "cell_01_voltage", "alarm")} == {"unavailable"}
    device = device_of(hass, entry, SERIAL)
    assert (device.model, device.sw_version) == ("PowerHaus", "2.50-62.0.11")
    assert device_of(hass, entry, MODULE).via_device_id == device.id
    cloud.clear_faults()
    await live(11)
    assert everything(hass, entry).keys() == before.keys()
    assert "unavailable" not in everything(hass, entry).values()


@pytest.mark.parametrize("kind", ["rate_limited", "http_500", "network_anomaly"])
async def test_the_first_list_is_asked_again_after_seconds(hass: HomeAssistant, live: Live, kind: FaultKind) -> None:
    """And not after half an hour; what lasts longer is in `test_fault_matrix.py`."""
    _, entry = await live.start(PowerHaus(), faults=[Fault(kind, times=1)])
    assert entry.state is ConfigEntryState.LOADED
    await live(1.5)
    assert state(hass, "online") == "on"


@pytest.mark.parametrize("stopped_for", [0.5, 12.0])
async def test_a_restart_costs_no_reading(hass: HomeAssistant, live: Live, stopped_for: float) -> None:
    """What was read is shown again at once, and its device is asked when that is due."""
    cloud, entry = await live.start(*two(), single_cells=True)
    await live(6)
    before, sampled_at = everything(hass, entry), cloud.devices[SERIAL].sample_time(datetime.now(UTC))
    cloud.calls.clear()
    cloud.add_fault(Fault("network_anomaly", path="/v1/device/storage/list"))
    await live.restart(entry, stopped_for=stopped_for)
    assert everything(hass, entry) == before | {key: "unavailable" for key in before if key.endswith("work_status")}
    await live(6)
    asked = next(call.at for call in cloud.calls if (call.path, call.serial) == ("/v1/device/realTime/data", SERIAL))
    due = timedelta(minutes=5 if stopped_for < 5 else 12)
    assert due <= asked - sampled_at < due + timedelta(minutes=6)


async def test_unload_leaves_nothing(hass: HomeAssistant, live: Live) -> None:
    cloud, entry = await live.start(PowerHaus())
    cloud.add_fault(Fault("hang"))
    await live(5.5)
    assert cloud.calls[-1].outcome == "hang"
    await live.until(hass.config_entries.async_unload(entry.entry_id))
    own = [task for task in asyncio.all_tasks() if "dyness" in repr(task).lower() and "test_" not in repr(task)]
    assert not own
    cloud.calls.clear()
    await live(90)
    assert not cloud.calls
    assert {shown.state for shown in hass.states.async_all()} == {"unavailable"}


async def test_devices_that_come(hass: HomeAssistant, live: Live) -> None:
    """With a row that never has points, and a firmware update."""
    first, second = two()
    cloud, entry = await live.start(first)
    cloud.devices[SECOND] = second
    empty_row = PowerHaus(serial="R07E00000003DEMO-BMS")
    cloud.devices[empty_row.serial] = empty_row
    cloud.add_fault(Fault("null_data", serial=empty_row.serial))
    first.model = replace(first.model, firmware="2.50-70.0.1")
    await live(35)
    assert device_of(hass, entry, SERIAL).sw_version == "2.50-70.0.1"
    assert device_of(hass, entry, OTHER_MODULE).via_device_id == device_of(hass, entry, SECOND).id
    assert number(hass, "voltage", OTHER_MODULE)
    assert not device_of(hass, entry, empty_row.serial)


async def test_no_devices(hass: HomeAssistant, live: Live) -> None:
    battery = PowerHaus(listed=False)
    _, entry = await live.start(battery)
    assert issues(hass, "no_devices")
    await live.until(hass.config_entries.async_unload(entry.entry_id))
    assert not issues(hass, "no_devices")
    await live.restart(entry)
    assert issues(hass, "no_devices")
    battery.listed = True
    await live(35)
    assert not issues(hass, "no_devices")
    assert state(hass, "online") == "on"


async def test_devices_that_go(
    hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture, hass_storage: dict[str, Any]
) -> None:
    """Only their owner removes them, and only what would not come back; with its modules, and not for ever."""
    cloud, entry = await live.start(*two())
    battery = cloud.devices.pop(SECOND)
    assert not await delete(hass, entry, SECOND)  # still on the list, as far as is known
    await live(31)
    assert state(hass, "online", SECOND) == "off"
    cloud.add_fault(Fault("network_anomaly", path="/v1/device/storage/list"))
    await live.restart(entry)
    assert not await delete(hass, entry, SECOND)  # before the first list
    await live.until(hass.config_entries.async_unload(entry.entry_id))
    assert not await delete(hass, entry, SECOND)  # while it is not loaded
    cloud.clear_faults()
    await live.until(hass.config_entries.async_setup(entry.entry_id))
    assert not await delete(hass, entry, SERIAL)
    assert await delete(hass, entry, SECOND)
    caplog.clear()
    await live(70)
    assert logged(caplog) == []
    assert not device_of(hass, entry, SECOND)
    assert not device_of(hass, entry, OTHER_MODULE)
    assert entry.runtime_data.devices.keys() == {SERIAL, MODULE}
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]
    assert stored.keys() == {SERIAL, MODULE, entry.entry_id}
    assert SECOND not in str(stored)
    cloud.devices[SECOND] = battery
    await live(35)
    assert number(hass, "voltage", OTHER_MODULE)
    assert device_of(hass, entry, OTHER_MODULE).via_device_id == device_of(hass, entry, SECOND).id
    await live.until(hass.config_entries.async_remove(entry.entry_id))
    await live(1)
    assert not [key for key in hass_storage if entry.entry_id in key]


async def test_a_module_that_goes_and_comes(hass: HomeAssistant, live: Live) -> None:
    """A list that leaves it out, or an empty answer, takes nothing away; half an hour of silence its values."""
    device = one("dl5-2")
    cloud, entry = await live.start(device)
    module, other = serials_of(device)
    cloud.add_fault(Fault("null_data", serial=module))
    device.sub = ("null",)
    await live(24)
    assert state(hass, "online", module) == "on"
    assert not await delete(hass, entry, module)
    await live(10)
    assert state(hass, "voltage", module) == "unavailable"
    assert number(hass, "voltage", other)
    assert await delete(hass, entry, module)
    await live(11)
    assert not device_of(hass, entry, module)
    device.sub = ("all",)
    cloud.clear_faults()
    await live(11)
    assert number(hass, "voltage", module)


@contextmanager
def held(method: str, serial: str) -> Generator[tuple[asyncio.Event, asyncio.Event]]:
    """Hold answers about a device back: the first event says that there is one; while the second is set they go on."""
    asked, released, call = asyncio.Event(), asyncio.Event(), getattr(DynessClient, method)
    released.set()

    async def hold(client: DynessClient, device: str, *arguments: Any) -> Any:
        answer = await call(client, device, *arguments)
        if device == serial:
            asked.set()
            await released.wait()
        return answer

    with patch.object(DynessClient, method, hold):
        yield asked, released


@pytest.mark.parametrize("unloaded", [False, True])
async def test_an_answer_for_what_is_gone(hass: HomeAssistant, live: Live, *, unloaded: bool) -> None:
    """It neither brings back a battery that its owner deleted, nor its repair, nor its memory."""
    (stranger,) = [replace(one("future-low-voltage"), serial=SECOND)]
    with held("realtime_data", SECOND) as (_, released):
        cloud, entry = await live.start(PowerHaus(), stranger)
        assert issues(hass, "read_by_name")
        account = entry.runtime_data
        released.clear()
        reading = asyncio.ensure_future(account.devices[SECOND].async_refresh())
        await live(0.1)
        cloud.devices.pop(SECOND)
        account.device_list.async_ask()
        await live(0.1)
        assert await delete(hass, entry, SECOND)
        if unloaded:
            await live.until(hass.config_entries.async_unload(entry.entry_id))
        released.set()
        await live.until(asyncio.wait_for(reading, None))
    await live(1)
    assert account.devices.keys() == {SERIAL, MODULE}
    assert account.memory.recall(SECOND) == {}
    assert not device_of(hass, entry, SECOND)
    assert not issues(hass, "read_by_name")


async def test_a_mistyped_account_leaves_no_queue(hass: HomeAssistant, live: Live) -> None:
    cloud, _ = await live.start(PowerHaus())
    flow = hass.config_entries.flow
    form: Any = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    account = {"app_id": "mistyped", "app_secret": "secret", "region": "other"}
    for answer in ({"next_step_id": "dyness"}, account, {"base_url": cloud.url}):
        form = await live.until(flow.async_configure(form["flow_id"], answer))
    assert form["errors"] == {"base": "invalid_auth"}
    queues = hass.data["dyness_atess_connections"]
    assert queues.keys() == {f"dyness:{cloud.app_id}", "dyness:mistyped"}
    flow.async_abort(form["flow_id"])
    assert queues.keys() == {f"dyness:{cloud.app_id}"}


async def test_memory_that_is_closed(hass: HomeAssistant, live: Live, hass_storage: dict[str, Any]) -> None:
    """What still runs while an account is unloaded writes no file of it later: not into the next one, nor behind it."""
    _, entry = await live.start(*two())
    memory = entry.runtime_data.memory
    await live.until(hass.config_entries.async_remove(entry.entry_id))
    memory.keep(SERIAL, family="late")
    await live(90)
    assert not [key for key in hass_storage if entry.entry_id in key]


async def test_history_for_what_is_gone(hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture) -> None:
    """It brings a battery back neither, when its owner deletes it while the history of a gap is on its way."""
    with held("last_power_data", SECOND) as (asked, released):
        cloud, entry = await live.start(*two())
        account = entry.runtime_data
        cloud.add_fault(Fault("network_anomaly", serial=SECOND))
        await live(30)
        released.clear()
        asked.clear()
        cloud.clear_faults()
        await live(6)
        assert asked.is_set()
        cloud.devices.pop(SECOND)
        account.device_list.async_ask()
        await live(0.1)
        caplog.clear()
        assert await delete(hass, entry, SECOND)
        released.set()
        await live(1)
    assert account.memory.recall(SECOND) == {}
    assert SECOND not in account.devices
    assert not device_of(hass, entry, SECOND)
    assert logged(caplog) == []


def learned(**content: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda stored: stored | {"data": {serial: known | content for serial, known in stored["data"].items()}}


def answers(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda stored: stored | {"data": {serial: change(answer) for serial, answer in stored["data"].items()}}


DAMAGES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "newer": lambda stored: stored | {"version": 2},
    "a little newer": lambda stored: stored | {"minor_version": 5},
    "not an object": lambda stored: stored | {"data": 42},
    "a list": lambda stored: stored | {"data": [None, {}]},
    "a device that is null": lambda stored: stored | {"data": stored["data"] | {SERIAL: None}},
    "an unknown family": learned(family="a family of the future"),
    "a list of modules": learned(modules=[MODULE]),
    "a module without a number": learned(modules={MODULE: "one"}),
    "a module with a number that is none": learned(modules={MODULE: -1}),
    "no capacity": learned(capacity=None),
    "energies without form": learned(energies={"totals": 7}),
    "huge energies": learned(energies={"totals": {"energy_charged": 1e300}}),
    "answers: no time": answers(lambda answer: {"raw": answer["raw"]}),
    "answers: nothing": answers(lambda _: {}),
    "answers: a time that is none": answers(lambda answer: answer | {"received_at": 5}),
    "answers: no points": answers(lambda answer: answer | {"raw": {"a": [None]}}),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_a_damaged_memory(
    hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture, hass_storage: dict[str, Any], name: str
) -> None:
    _, entry = await live.start(*two())
    await live(6)
    before = everything(hass, entry)
    await live.until(hass.config_entries.async_unload(entry.entry_id))
    key = f"{DOMAIN}.{entry.entry_id}" + (".answers" if name.startswith("answers") else "")
    hass_storage[key] = DAMAGES[name](deepcopy(hass_storage[key]))
    caplog.clear()
    await live.restart(entry)
    await live(6)
    assert everything(hass, entry).keys() == before.keys()
    assert "unavailable" not in everything(hass, entry).values()
    assert number(hass, "energy_charged", SERIAL) < 1e6
    assert [level for level, _ in logged(caplog, logging.WARNING)] in ([], ["WARNING"])


async def test_the_memory_is_written_however_often_it_changes(
    hass: HomeAssistant, live: Live, hass_storage: dict[str, Any]
) -> None:
    _, entry = await live.start(PowerHaus())
    memory, key = entry.runtime_data.memory, f"{DOMAIN}.{entry.entry_id}"
    for count in range(10):
        memory.keep("serial", capacity=count)
        await live(DELAY / 60 / 2)
    assert hass_storage[key]["data"]["serial"]["capacity"] >= 7
