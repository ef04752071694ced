"""A client of ours before an emulated cloud, over real HTTP."""

from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import pytest

from custom_components.dyness_atess.cloud.dyness import DynessClient
from custom_components.dyness_atess.cloud.queue import AccountQueue
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import Replay

PAYLOAD = Path(__file__).parents[2] / "emulator" / "dyness" / "payloads" / "powerhaus.json"


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncGenerator[DynessCloud]:
    """A cloud with the battery of the seed; its limit of calls is off."""
    cloud = DynessCloud(devices=[Replay.from_file(PAYLOAD)])
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


@pytest.fixture
async def session(socket_enabled: None) -> AsyncGenerator[aiohttp.ClientSession]:
    """A session of the caller's."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def client(cloud: DynessCloud, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> DynessClient:
    """A client with the right credentials and without the vendor's spacing."""
    monkeypatch.setattr("custom_components.dyness_atess.cloud.queue.SPACING", 0)
    monkeypatch.setattr("custom_components.dyness_atess.cloud.queue.PAUSE", 0)
    return DynessClient(session, cloud.url, cloud.app_id, cloud.app_secret, AccountQueue())
