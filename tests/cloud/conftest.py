"""Clients of ours before emulated clouds, over real HTTP."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.dyness_atess.cloud.atess import AtessClient
from custom_components.dyness_atess.cloud.dyness import DynessClient
from custom_components.dyness_atess.cloud.queue import AccountQueue
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import Replay
from emulator.server import EmulatedCloud

PAYLOAD = Path(__file__).parents[2] / "emulator" / "dyness" / "payloads" / "powerhaus.json"
SERIAL, PBD = "R07E00000000DEMO-BMS", "DEMOPBD001"


@asynccontextmanager
async def running[Cloud: EmulatedCloud](cloud: Cloud) -> AsyncGenerator[Cloud]:
    """Let a cloud listen."""
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


@asynccontextmanager
async def answering(**answer: Any) -> AsyncGenerator[str]:
    """Serve one answer to everything; give the address."""

    async def respond(_: web.Request) -> web.Response:
        return web.Response(**answer)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", respond)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def session(socket_enabled: None) -> AsyncGenerator[aiohttp.ClientSession]:
    """A session of the caller's."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> AccountQueue:
    """A queue of calls without the vendor's spacing."""
    monkeypatch.setattr("custom_components.dyness_atess.cloud.queue.SPACING", 0)
    monkeypatch.setattr("custom_components.dyness_atess.cloud.queue.PAUSE", 0)
    return AccountQueue()


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncGenerator[DynessCloud]:
    """A cloud with the battery of the seed."""
    async with running(DynessCloud(devices=[Replay.from_file(PAYLOAD)])) as cloud:
        yield cloud


@pytest.fixture
async def atess_cloud(socket_enabled: None) -> AsyncGenerator[AtessCloud]:
    """A cloud with a PBD."""
    async with running(AtessCloud(devices=[Pbd(serial=PBD)])) as cloud:
        yield cloud


@pytest.fixture
def client(cloud: DynessCloud, session: aiohttp.ClientSession, queue: AccountQueue) -> DynessClient:
    """A client of the first with the right credentials."""
    return DynessClient(session, cloud.url, cloud.app_id, cloud.app_secret, queue)


@pytest.fixture
def atess_client(atess_cloud: AtessCloud, session: aiohttp.ClientSession, queue: AccountQueue) -> AtessClient:
    """A client of the other."""
    return AtessClient(session, atess_cloud.url, atess_cloud.api_id, atess_cloud.api_token, queue)
