"""An emulated cloud and a session; what signs is the integration's own code, which has vectors of its own."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import json

import aiohttp
import pytest

from custom_components.dyness_atess.cloud.dyness import authentication
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus

DATE = "Thu, 17 Sep 2026 14:00:00 GMT"

type Post = Callable[..., Awaitable[tuple[int, bytes]]]


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncGenerator[DynessCloud]:
    running = DynessCloud(devices=[PowerHaus()])
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def session(socket_enabled: None) -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def post(cloud: DynessCloud, session: aiohttp.ClientSession) -> Post:
    async def send(path: str, serial: str | None = None, **headers: str) -> tuple[int, bytes]:
        body = json.dumps({"deviceSn": serial}).encode()
        signed = authentication(cloud.app_id, cloud.app_secret, path, body, DATE)
        url = f"{cloud.url}{cloud.prefix}{path}"
        async with session.post(url, data=body, headers=signed | headers, allow_redirects=False) as response:
            return response.status, await response.read()

    return send
