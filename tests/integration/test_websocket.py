"""What the screen gets to see of a battery: `dyness_atess/battery`."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.dyness_atess.account.connection import digest
from custom_components.dyness_atess.account.picture import picture
from custom_components.dyness_atess.const import DOMAIN
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault

from .conftest import VERSION, Live, Poll, account_entry, device_of, one, state

SERIAL, MODULE = "R07E00000000DEMO-BMS", "DEMO000000000001"


@pytest.fixture
async def cloud() -> AsyncGenerator[DynessCloud]:
    """A cloud with a PowerHaus whose module answers."""
    cloud = DynessCloud(devices=[PowerHaus(serial=SERIAL, module_serial=MODULE)])
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


type Look = Callable[[str], Awaitable[dict[str, Any]]]


class Screen:
    """A page that shows one battery."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def ask(self, device_id: str) -> Any:
        """Subscribe, and return what that ends in."""
        await self.client.send_json_auto_id({"type": "dyness_atess/battery", "device_id": device_id})
        return await self.client.receive_json()

    async def picture(self, *, after: str = "", **expected: Any) -> dict[str, Any]:
        """Return the next picture in which that stands, of a sample that is younger."""
        async with asyncio.timeout(5):
            while True:
                picture = (await self.client.receive_json())["event"]
                is_expected = all(picture.get(key) == value for key, value in expected.items())
                if is_expected and picture.get("sampled_at", "z") > after:
                    return dict(picture)

    async def is_quiet(self) -> bool:
        """Return whether nothing is sent any more."""
        try:
            async with asyncio.timeout(0.1):
                await self.client.receive_json()
        except TimeoutError:
            return True
        return False


@pytest.fixture
async def screen(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Screen:
    assert await async_setup_component(hass, "websocket_api", {})
    assert await async_setup_component(hass, DOMAIN, {})  # before the server of the tests begins
    return Screen(await hass_ws_client(hass))


async def test_battery(
    hass: HomeAssistant, poll: Poll, loaded: MockConfigEntry, screen: Screen, cloud: DynessCloud
) -> None:
    master, module = device_of(hass, loaded, SERIAL), device_of(hass, loaded, MODULE)
    assert (await screen.ask(module.id))["success"]
    picture = await screen.picture()
    assert (picture["state"], picture["version"]) == ("ready", VERSION)
    assert (picture["name"], picture["kind"]) == (master.name, "battery")
    assert (picture["outage"], picture["until"]) == (None, None)
    for key in ("soc", "power", "voltage", "current"):
        assert picture[key] == float(state(hass, key) or "")
    assert picture["status"] == state(hass, "status")
    assert picture["sampled_at"] == loaded.runtime_data.devices[SERIAL].sampled_at.isoformat()
    assert picture["extremes"]["cell_voltage_max"] == float(state(hass, "cell_voltage_max") or "")
    (shown,) = picture["modules"]
    assert (shown["id"], shown["number"]) == (digest(MODULE), 1)
    assert len(shown["cells"]) == 16
    assert all(2.5 < cell < 3.7 for cell in shown["cells"])
    assert shown["entities"] == [None] * 16  # single cells are off
    assert max(shown["cells"]) - min(shown["cells"]) < 0.2
    assert shown["temperatures"]
    assert SERIAL not in str(picture)
    assert MODULE not in str(picture)

    await poll()
    assert await screen.picture(after=picture["sampled_at"])


async def test_what_has_not_changed_is_not_sent_again(
    hass: HomeAssistant, loaded: MockConfigEntry, screen: Screen
) -> None:
    await screen.ask(device_of(hass, loaded, SERIAL).id)
    await screen.picture()
    battery = loaded.runtime_data.devices[SERIAL]
    battery.data.values["soc"] = 55.5
    for coordinator in (battery, *loaded.runtime_data.coordinators):
        coordinator.async_update_listeners()
    assert (await screen.picture())["soc"] == 55.5
    assert await screen.is_quiet()


async def test_a_battery_that_is_deleted(hass: HomeAssistant, loaded: MockConfigEntry, screen: Screen) -> None:
    device = device_of(hass, loaded, SERIAL)
    await screen.ask(device.id)
    await screen.picture(state="ready")
    await loaded.runtime_data.async_remove(SERIAL)
    dr.async_get(hass).async_remove_device(device.id)
    await screen.picture(state="gone")
    assert (await screen.ask(device.id))["error"]["code"] == "not_found"


async def test_single_cells_that_are_on_are_named(hass: HomeAssistant, cloud: DynessCloud, screen: Screen) -> None:
    entry = account_entry(cloud, options={"single_cells": True})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await screen.ask(device_of(hass, entry, SERIAL).id)
    (module,) = (await screen.picture())["modules"]
    for entity_id, voltage in zip(module["entities"], module["cells"], strict=True):
        assert float(hass.states.get(entity_id).state) == voltage


async def test_waits_for_the_account_and_survives_its_reload(
    hass: HomeAssistant, loaded: MockConfigEntry, screen: Screen
) -> None:
    device = device_of(hass, loaded, SERIAL)
    await hass.config_entries.async_unload(loaded.entry_id)
    assert (await screen.ask(device.id))["success"]
    assert await screen.picture() == {"version": VERSION, "state": "starting"}
    for soc in (41.5, 42.5):  # never what the battery itself says: that is a whole number
        await hass.config_entries.async_setup(loaded.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        await screen.picture(state="ready")
        coordinator = loaded.runtime_data.devices[SERIAL]
        coordinator.data.values["soc"] = soc
        coordinator.async_update_listeners()
        await screen.picture(state="ready", soc=soc)
        await hass.config_entries.async_unload(loaded.entry_id)
        await screen.picture(state="starting")


async def test_unsubscribes(hass: HomeAssistant, poll: Poll, loaded: MockConfigEntry, screen: Screen) -> None:
    coordinators = list(loaded.runtime_data.coordinators)
    before = [len(coordinator._listeners) for coordinator in coordinators]
    answer = await screen.ask(device_of(hass, loaded, SERIAL).id)
    await screen.picture()
    assert [len(coordinator._listeners) for coordinator in coordinators] == [count + 1 for count in before]
    coordinators[0].async_update_listeners()
    await screen.client.send_json_auto_id({"type": "unsubscribe_events", "subscription": answer["id"]})
    assert (await screen.client.receive_json())["success"]
    await poll()
    assert await screen.is_quiet()
    assert [len(coordinator._listeners) for coordinator in coordinators] == before


async def test_what_is_none_of_ours(hass: HomeAssistant, loaded: MockConfigEntry, screen: Screen) -> None:
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    foreign = dr.async_get(hass).async_get_or_create(config_entry_id=other.entry_id, identifiers={("other", "1")})
    account = dr.async_get(hass).async_get_or_create(  # all its batteries as one
        config_entry_id=loaded.entry_id,
        identifiers={(DOMAIN, loaded.entry_id)},
        entry_type=dr.DeviceEntryType.SERVICE,
    )
    for device_id in ("", "unknown", foreign.id, account.id):
        answer = await screen.ask(device_id)
        assert (answer["success"], answer["error"]["code"]) == (False, "not_found")


async def test_only_for_who_may_read_every_entity(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    screen: Screen,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    device = device_of(hass, loaded, SERIAL)
    reader = Screen(await hass_ws_client(hass, hass_read_only_access_token))
    entities = [entity.entity_id for entity in er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)]
    of_module = next(entity for entity in entities if "module" in entity)
    allowed: dict[str, Any] = {entity: {POLICY_READ: True} for entity in entities}
    for policy, success in (
        ({"entities": {"entity_ids": allowed}}, True),
        ({"entities": {"entity_ids": {key: value for key, value in allowed.items() if key != of_module}}}, False),
        ({"entities": {"domains": {"light": True}}}, False),
        ({"entities": True}, True),
    ):
        hass_read_only_user.mock_policy(policy)
        answer = await reader.ask(device.id)
        assert answer["success"] is success
        if success:
            assert (await reader.picture())["state"] == "ready"
        else:
            assert answer["error"]["code"] == "unauthorized"
    assert "ERROR" not in caplog.text


async def test_who_may_read_nothing_sees_no_device_without_entities(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    reader = Screen(await hass_ws_client(hass, hass_read_only_access_token))
    hass_read_only_user.mock_policy({"entities": {"domains": {"light": True}}})
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, loaded.entry_id):
        if entity.device_id:
            registry.async_remove(entity.entity_id)
    answer = await reader.ask(device_of(hass, loaded, SERIAL).id)
    assert answer["error"]["code"] == "unauthorized"


async def test_permission_that_is_taken_away(
    hass: HomeAssistant,
    poll: Poll,
    loaded: MockConfigEntry,
    screen: Screen,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    reader = Screen(await hass_ws_client(hass, hass_read_only_access_token))
    await reader.ask(device_of(hass, loaded, SERIAL).id)
    await reader.picture()
    hass_read_only_user.mock_policy({"entities": {"domains": {"light": True}}})
    await poll()
    assert await reader.is_quiet()


@pytest.fixture
def look(hass: HomeAssistant, hass_ws_client: WebSocketGenerator, hass_admin_user: MockUser) -> Look:
    """Another time, another login and another connection."""

    async def look(device_id: str) -> dict[str, Any]:
        token = await hass.auth.async_create_refresh_token(hass_admin_user, "https://here")
        screen = Screen(await hass_ws_client(hass, hass.auth.async_create_access_token(token)))
        await screen.ask(device_id)
        picture = await screen.picture()
        await screen.client.close()
        return picture

    return look


async def test_outage_of_the_cloud(
    hass: HomeAssistant, poll: Poll, loaded: MockConfigEntry, cloud: DynessCloud, look: Look
) -> None:
    battery = device_of(hass, loaded, SERIAL).id
    before = await look(battery)
    assert before["outage"] is None
    cloud.add_fault(Fault("network_anomaly"))
    for _ in range(3):
        await poll()
    picture = await look(battery)
    assert picture["outage"] == "cloud"
    last = before.keys() - {"outage"}
    assert {key: picture[key] for key in last} == {key: before[key] for key in last}
    cloud.clear_faults()
    for _ in range(3):
        await poll()
    assert (await look(battery))["outage"] is None


async def test_dongle_without_network(
    hass: HomeAssistant, poll: Poll, loaded: MockConfigEntry, cloud: DynessCloud, look: Look
) -> None:
    """The cloud goes on to answer, with the last sample that it has."""
    cloud.devices[SERIAL].offline_since = cloud.clock()
    for _ in range(8):
        await poll()
    picture = await look(device_of(hass, loaded, SERIAL).id)
    assert picture["outage"] == "device"


async def test_converter(hass: HomeAssistant, screen: Screen) -> None:
    atess = AtessCloud(devices=[Pbd(serial="DEMOPBD001")])
    await atess.start()
    entry = account_entry(atess, "DEMOPBD001")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await screen.ask(device_of(hass, entry, "DEMOPBD001").id)
    picture = await screen.picture()
    assert (picture["kind"], picture["modules"]) == ("converter", [])
    assert [given["number"] for given in picture["inputs"]] == [
        number for number in range(1, 6) if state(hass, f"pv{number}_voltage", "DEMOPBD001")
    ]
    for given in picture["inputs"]:
        assert given["power"] == float(state(hass, f"pv{given['number']}_power", "DEMOPBD001") or "")
    await atess.stop()


async def test_alarms_say_which_module(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-2", overrides={"800": "98"})
    _, entry = await live.start(device)

    def alarms() -> list[tuple[Any, ...]]:
        shown = picture(entry.runtime_data, device.serial)
        return [tuple(alarm[name] for name in ("key", "protection", "expected", "module")) for alarm in shown["alarms"]]

    assert alarms() == []
    second: Any = device.modules[1]
    device.raised, second.raised = frozenset({"3405", "3208"}), frozenset({"16600"})
    await live(6)
    assert alarms() == [
        ("cell_voltage_low_protection", True, False, None),
        ("module_voltage_high", False, False, 2),  # not once more of the battery
    ]
    low, high = picture(entry.runtime_data, device.serial)["alarms"]
    assert getattr(hass.states.get(low["entity_id"]), "state", None) == "on"
    assert high["entity_id"] is None  # bits of modules are off at first
    modules = picture(entry.runtime_data, device.serial)["modules"]
    assert [module["alarms"] for module in modules] == [[], ["module_voltage_high"]]

    device.raised, second.raised = frozenset({"3206"}), frozenset()
    await live(6)
    assert alarms() == [("cell_voltage_high", False, True, None)]


async def test_tower(hass: HomeAssistant, live: Live) -> None:
    device = one("tower-t14")
    _, entry = await live.start(device)
    await live(20)
    shown = picture(entry.runtime_data, device.serial)
    assert [module["number"] for module in shown["modules"]] == list(range(1, len(device.modules) + 1))
    assert {len(module["cells"]) for module in shown["modules"]} == {30}
    assert len({module["id"] for module in shown["modules"]}) == len(device.modules)
    assert len(json.dumps(shown)) < 30_000


async def test_waiting_for_calls(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-6")
    _, entry = await live.start(device, hourly_calls=12)
    account, seen = entry.runtime_data, []

    def look() -> None:
        shown = picture(account, device.serial)
        if shown["outage"] == "calls":
            seen.append((datetime.now(UTC), datetime.fromisoformat(shown["until"])))

    entry.runtime_data.queue._not_before = hass.loop.time() + 45 * 60  # as after a 429 that says so
    await live(60, look)
    assert seen
    assert all(now < until + timedelta(minutes=1) for now, until in seen)
    assert picture(account, device.serial)["outage"] is None
