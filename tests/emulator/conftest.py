"""A running cloud and a client that signs by itself, independently of the emulator and of the integration."""

import base64
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
import hashlib
import hmac
import json
from typing import Any, NamedTuple

import aiohttp
import pytest

from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus

NOW = datetime(2026, 3, 23, 21, 58, 30, tzinfo=UTC)


class Answer(NamedTuple):
    status: int
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncGenerator[DynessCloud]:
    running = DynessCloud(devices=[PowerHaus()], clock=lambda: NOW, calls_per_second=None)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def session(socket_enabled: None) -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def post(cloud: DynessCloud, session: aiohttp.ClientSession) -> Any:
    async def send(path: str, serial: str | None = None, *, secret: str | None = None, **fields: Any) -> Answer:
        body = json.dumps(fields | ({} if serial is None else {"deviceSn": serial})).encode()
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        date = "Thu, 17 Sep 2026 14:00:00 GMT"
        text = f"POST\n{digest}\napplication/json\n{date}\n{path}"
        key = (secret or cloud.app_secret).encode()
        sign = base64.b64encode(hmac.new(key, text.encode(), "sha1").digest()).decode()
        headers = {"Content-Type": "application/json;charset=UTF-8", "Content-MD5": digest, "Date": date}
        headers["Authorization"] = f"API {cloud.app_id}:{sign}"
        url = f"{cloud.url}{cloud.prefix}{path}"
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            return Answer(response.status, await response.read())

    return send
