"""A real Home Assistant against the emulated cloud."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.dyness_atess.const import DOMAIN
from emulator.atess.cloud import AtessCloud
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import Replay
from emulator.dyness.storage import Storage
from emulator.faults import Fault
from emulator.server import EmulatedCloud

PAYLOAD = Path(__file__).parents[2] / "emulator" / "dyness" / "payloads" / "powerhaus.json"
SERIAL = "R07E00000000DEMO-BMS"
NOON = datetime(2026, 3, 23, 11, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _integration(enable_custom_integrations: None, socket_enabled: None) -> Generator[None]:
    """Let the integration load, reach loopback, and call without the vendor's spacing."""
    with (
        patch("custom_components.dyness_atess.cloud.queue.SPACING", 0),
        patch("custom_components.dyness_atess.cloud.queue.PAUSE", 0),
        patch("custom_components.dyness_atess.account.account.CEILING", 1_000_000),
    ):
        yield


@pytest.fixture
async def cloud() -> AsyncGenerator[DynessCloud]:
    """A cloud with the battery of the seed, whose sample seems to have arrived just now."""
    cloud = DynessCloud(devices=[Replay.from_file(PAYLOAD)], calls_per_second=None)
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
def freezer() -> Generator[FrozenDateTimeFactory]:
    """A clock that can be put forward and goes on from there: time-outs of real calls still end."""
    with freeze_time(tick=True) as frozen:
        yield frozen


type Poll = Callable[[float], Awaitable[None]]


@pytest.fixture
def poll(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Poll:
    """Let minutes pass, with all that is due in them."""

    async def poll(minutes: float = 6) -> None:
        freezer.tick(minutes * 60)
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)

    return poll


type Start = Callable[..., Awaitable[tuple[DynessCloud, MockConfigEntry]]]


@pytest.fixture
async def start(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> AsyncGenerator[Start]:
    """Make a cloud with these devices, and set its account up at noon."""
    clouds = []
    freezer.move_to(NOON)

    async def start(
        *devices: Storage, faults: Iterable[Fault] = (), **options: Any
    ) -> tuple[DynessCloud, MockConfigEntry]:
        cloud = DynessCloud(devices=devices, calls_per_second=None)
        for fault in faults:
            cloud.add_fault(fault)
        clouds.append(cloud)
        await cloud.start()
        entry = account_entry(cloud, options=options)
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        return cloud, entry

    yield start
    for cloud in clouds:
        await cloud.stop()
        assert not cloud.writes


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
