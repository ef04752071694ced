"""A real Home Assistant against the emulated cloud."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Iterable
from datetime import UTC, datetime, timedelta
import json
import logging
from pathlib import Path
import time
from typing import Any, cast
from unittest.mock import PropertyMock, patch

from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.dyness_atess.cloud import transport
from custom_components.dyness_atess.const import DOMAIN
from custom_components.dyness_atess.telemetry.vocabulary import OUTLOOK
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.dyness.catalogue import build
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import Replay
from emulator.dyness.storage import Storage
from emulator.faults import Fault
from emulator.server import EmulatedCloud

REPOSITORY = Path(__file__).parents[2]
PAYLOAD = REPOSITORY / "emulator" / "dyness" / "payloads" / "powerhaus.json"
VERSION = json.loads((REPOSITORY / "custom_components" / DOMAIN / "manifest.json").read_text())["version"]
SERIAL = "R07E00000000DEMO-BMS"
NOON = datetime(2026, 3, 23, 11, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _integration(
    request: pytest.FixtureRequest, enable_custom_integrations: None, socket_enabled: None
) -> Generator[None]:
    """Let the integration load and reach loopback; call without spacing and ceiling where time goes on by itself."""
    if "live" in request.fixturenames:
        yield
        return
    request.getfixturevalue("freezer")  # what a battery does at other hours is no matter of when the tests run
    with (
        patch("custom_components.dyness_atess.cloud.queue.SPACING", 0),
        patch("custom_components.dyness_atess.cloud.queue.PAUSE", 0),
        patch("custom_components.dyness_atess.account.account.CEILING", 1_000_000),
    ):
        yield


@pytest.fixture
async def cloud() -> AsyncGenerator[DynessCloud]:
    """A cloud with the battery of the seed, whose sample seems to have arrived just now."""
    cloud = DynessCloud(devices=[Replay.from_file(PAYLOAD)])
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


def account_entry(cloud: EmulatedCloud, *serials: str, **fields: Any) -> MockConfigEntry:
    """Make an account of either cloud, with devices that its owner added."""
    if isinstance(cloud, AtessCloud):
        title, kind, unique_id = "ATESS", "converter", f"atess:{cloud.api_id}"
        data = {"api_id": cloud.api_id, "api_token": cloud.api_token, "server": cloud.url}
    else:
        assert isinstance(cloud, DynessCloud)
        title, kind, unique_id = "Dyness", "storage", f"dyness:{cloud.app_id}"
        data = {"app_id": cloud.app_id, "app_secret": cloud.app_secret, "region": cloud.url}
    subentries: Any = [
        {"data": {"device_sn": serial, "kind": "pbd"}, "subentry_type": kind, "title": serial, "unique_id": serial}
        for serial in serials
    ]
    return MockConfigEntry(
        domain=DOMAIN, title=title, unique_id=unique_id, data=data, subentries_data=subentries, **fields
    )


@pytest.fixture
def entry(hass: HomeAssistant, cloud: DynessCloud) -> MockConfigEntry:
    """An account of that cloud, not set up yet."""
    entry = account_entry(cloud)
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """The account, set up."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@pytest.fixture
def freezer(request: pytest.FixtureRequest) -> Generator[FrozenDateTimeFactory]:
    """A clock that begins at noon, can be put forward and goes on from there: time-outs of real calls still end."""
    with freeze_time(NOON, tick="live" not in request.fixturenames) as frozen:
        yield cast("FrozenDateTimeFactory", frozen)


type Poll = Callable[[float], Awaitable[None]]


@pytest.fixture
def poll(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Poll:
    """Let minutes pass, with all that is due in them."""

    async def poll(minutes: float = 6) -> None:
        freezer.tick(minutes * 60)
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)

    return poll


class Live:
    """Lets hours pass: time stands still while anything happens, and jumps to the next timer where nothing does.

    Calls keep the spacing, the ceiling and the pauses of the account's queue, and nobody waits for them.
    """

    def __init__(self, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
        self._hass, self.freezer = hass, freezer
        self._in_flight = 0
        """Calls of the cloud, and what threads do."""
        self.clouds: list[EmulatedCloud] = []
        hass.loop.set_debug(False)
        self._run_in_executor = hass.loop.run_in_executor

    def run_in_executor(self, *arguments: Any) -> asyncio.Future[Any]:
        future = self._run_in_executor(*arguments)
        self._in_flight += 1
        future.add_done_callback(self._done)
        return future

    def _done(self, _: object) -> None:
        self._in_flight -= 1

    async def exchange(self, *arguments: Any, **content: Any) -> transport.Answer:
        self._in_flight += 1
        try:
            return await transport.exchange(*arguments, **content)
        finally:
            self._in_flight -= 1

    async def start(
        self, *devices: Any, faults: Iterable[Fault] = (), added: Iterable[str] = (), **options: Any
    ) -> tuple[Any, MockConfigEntry]:
        """Make a cloud with these devices, and set its account up; PBDs are added by their owner, as are some more."""
        is_atess = isinstance(devices[0], Pbd)
        cloud: EmulatedCloud = AtessCloud(devices=devices) if is_atess else DynessCloud(devices=devices)
        self.clouds.append(cloud)
        await cloud.start()
        for fault in faults:
            cloud.add_fault(fault)
        entry = account_entry(cloud, *(cloud.devices if is_atess else added), options=options)
        entry.add_to_hass(self._hass)
        await self.until(self._hass.config_entries.async_setup(entry.entry_id))
        return cloud, entry

    async def restart(self, *entries: MockConfigEntry, stopped_for: float = 0.0) -> None:
        """Do as when the process ends and another begins some minutes later: what is only in memory is gone."""
        for entry in entries:
            await self.until(self._hass.config_entries.async_unload(entry.entry_id))
        self._hass.data["dyness_atess_connections"].clear()
        self.freezer.tick(stopped_for * 60)
        for entry in entries:
            await self.until(self._hass.config_entries.async_setup(entry.entry_id))
            assert entry.state is ConfigEntryState.LOADED

    async def until[Result](self, doing: Coroutine[Any, Any, Result]) -> Result:
        """Let so much time pass as something takes."""
        task = asyncio.ensure_future(doing)
        await self._settle()
        while not task.done():
            await self._step(datetime.now(UTC) + timedelta(hours=1))
            await self._settle()
        return await task

    async def __call__(self, minutes: float, look: Callable[[], object] = lambda: None) -> None:
        """Let so much time pass, and look each time that something has happened."""
        end = datetime.now(UTC) + timedelta(minutes=minutes)
        while await self._step(end):
            look()
        await self._settle()
        look()

    async def _step(self, end: datetime) -> bool:
        await self._settle()
        loop: Any = asyncio.get_running_loop()
        left = (end - datetime.now(UTC)).total_seconds()
        timers = [timer.when() - loop.time() for timer in loop._scheduled if not timer.cancelled()]
        self.freezer.tick(min(max(min(timers, default=left), 0.0) + 0.001, max(left, 0.0)))
        return left > 0

    async def _settle(self) -> None:
        loop: Any = asyncio.get_running_loop()
        quiet, began = 0, time.clock_gettime(time.CLOCK_MONOTONIC)
        while quiet < 3:
            await asyncio.sleep(0)
            is_held = any(cloud.calls and cloud.calls[-1].outcome == "hang" for cloud in self.clouds)
            patience = 0.005 if is_held else 1.0
            waits = self._in_flight and time.clock_gettime(time.CLOCK_MONOTONIC) - began < patience
            quiet = 0 if loop._ready or waits else quiet + 1


@pytest.fixture
async def live(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> AsyncGenerator[Live]:
    """Hours of real patience, from noon on."""
    live = Live(hass, freezer)
    with (
        patch("custom_components.dyness_atess.cloud.dyness.exchange", live.exchange),
        patch("custom_components.dyness_atess.cloud.atess.exchange", live.exchange),
        patch.object(hass.loop, "run_in_executor", live.run_in_executor),
    ):
        yield live
        for entry in hass.config_entries.async_loaded_entries(DOMAIN):
            await live.until(hass.config_entries.async_unload(entry.entry_id))
        for cloud in live.clouds:
            await cloud.stop()
            assert not cloud.writes


@pytest.fixture
def everything_on() -> Generator[None]:
    """Add what is off at first too."""
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", PropertyMock(return_value=True)):
        yield


def one(name: str, **options: Any) -> Any:
    """Make the only device that has this name in the catalogue."""
    (device,) = build(name, **options)
    return device


def serials_of(device: Storage) -> list[str]:
    """Return the serial numbers of its modules."""
    return [module.serial for module in device.modules]


def states_of(hass: HomeAssistant, entry: MockConfigEntry, serial: str) -> dict[str, str]:
    """Return the states of a device by key, but for what comes and goes, and the time of its last event."""
    found: dict[str, str] = {}
    for registered in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        owner, _, key = registered.unique_id.rpartition("-")
        comes_and_goes = key in OUTLOOK or registered.domain == "event"
        if owner == serial and not comes_and_goes and (shown := hass.states.get(registered.entity_id)):
            assert key not in found, registered.unique_id
            found[key] = shown.state
    return found


def device_of(hass: HomeAssistant, entry: MockConfigEntry, serial: str) -> Any:
    """Return what the device registry has of it."""
    return dr.async_get(hass).async_get_device_by_identifier((DOMAIN, serial), entry.entry_id)


def issues(hass: HomeAssistant, key: str) -> list[ir.IssueEntry]:
    """Return the repairs of a kind."""
    return [issue for issue in ir.async_get(hass).issues.values() if issue.translation_key == key and issue.active]


def logged(caplog: pytest.LogCaptureFixture, least: int = logging.INFO) -> list[tuple[str, str]]:
    """Return what the integration wrote, by level."""
    return [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name.startswith("custom_components.dyness_atess") and record.levelno >= least
    ]


def number(hass: HomeAssistant, key: str, serial: str) -> float:
    """Return the state of an entity that has to be a number."""
    return float(state(hass, key, serial) or "missing")


def state(hass: HomeAssistant, key: str, serial: str = SERIAL) -> str | None:
    """Return the state of the entity with this key, or None where there is no such entity."""
    registry = er.async_get(hass)
    for entity in registry.entities.values():
        if entity.unique_id == f"{serial}-{key}":
            found = hass.states.get(entity.entity_id)
            return found.state if found else None
    return None


def all_states(hass: HomeAssistant) -> dict[str, str]:
    """Return all states of the integration by key, of all devices together."""
    registry = er.async_get(hass)
    keys = {entity.entity_id: entity.unique_id.rpartition("-")[2] for entity in registry.entities.values()}
    return {keys[found.entity_id]: found.state for found in hass.states.async_all() if found.entity_id in keys}
