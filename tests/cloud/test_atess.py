"""The ATESS client over real HTTP."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
import logging
from typing import Literal

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.dyness_atess.cloud import transport
from custom_components.dyness_atess.cloud.atess import AtessClient, authorization
from custom_components.dyness_atess.cloud.errors import (
    CloudEmpty,
    CloudError,
    CloudRateLimited,
    CloudRefused,
    CloudRejected,
    CloudTrouble,
    CloudUnavailable,
    CloudUnreachable,
)
from custom_components.dyness_atess.cloud.queue import AccountQueue
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Hps, Pbd
from emulator.faults import Fault, FaultKind

SERIAL = "DEMOPBD001"
NIGHT = datetime(2026, 6, 21, 1, tzinfo=UTC)


@pytest.fixture
async def cloud(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[AtessCloud]:
    monkeypatch.setattr("custom_components.dyness_atess.cloud.queue.SPACING", 0)
    monkeypatch.setattr("custom_components.dyness_atess.cloud.queue.PAUSE", 0)
    cloud = AtessCloud(devices=[Pbd(serial=SERIAL)])
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


def client_of(cloud: AtessCloud, session: aiohttp.ClientSession) -> AtessClient:
    return AtessClient(session, cloud.url, cloud.api_id, cloud.api_token, AccountQueue())


def test_authorization() -> None:
    assert authorization("1234", "abc") == "Basic MTIzNDphYmM="
    assert authorization("", "Basic MTIzNDphYmM=") == "Basic MTIzNDphYmM="
    assert authorization("1234", "Basic MTIzNDphYmM=") == "Basic MTIzNDphYmM="
    assert authorization("", "abc") == "abc"


@pytest.mark.parametrize("success", [0, 200, "0", "200"])
async def test_record(cloud: AtessCloud, session: aiohttp.ClientSession, success: int | str) -> None:
    cloud.success = success
    record = await client_of(cloud, session).data_last("pbd", SERIAL)
    assert record["deviceSn"] == SERIAL
    assert len(record) == 78


UNAVAILABLE: list[FaultKind] = [
    *("network_anomaly", "network_error", "device_timeout", "http_500", "http_502_html", "drop", "empty_body", "html"),
    *("garbage", "truncated", "text_data", "redirect"),
]


@pytest.mark.parametrize("kind", UNAVAILABLE)
async def test_unavailable(cloud: AtessCloud, session: aiohttp.ClientSession, kind: FaultKind) -> None:
    cloud.add_fault(Fault(kind))
    client = client_of(cloud, session)
    with pytest.raises(CloudUnavailable) as raised:
        await client.data_last("pbd", SERIAL)
    assert not isinstance(raised.value, CloudRefused)
    # aiohttp itself asks once more where a kept connection is dropped under a GET.
    assert len(cloud.calls) <= (2 if kind == "drop" else 1)
    cloud.clear_faults()
    assert await client.data_last("pbd", SERIAL)


async def test_time_out(cloud: AtessCloud, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", 0.2)
    cloud.add_fault(Fault("hang"))
    with pytest.raises(CloudUnavailable, match="no answer in"):
        await client_of(cloud, session).data_last("pbd", SERIAL)


@pytest.mark.parametrize("kind", ["null_data", "empty_data"])
async def test_empty(cloud: AtessCloud, session: aiohttp.ClientSession, kind: FaultKind) -> None:
    cloud.add_fault(Fault(kind))
    with pytest.raises(CloudEmpty):
        await client_of(cloud, session).data_last("pbd", SERIAL)


async def test_nobody_there(cloud: AtessCloud, session: aiohttp.ClientSession) -> None:
    await cloud.stop()
    with pytest.raises(CloudUnreachable):
        await client_of(cloud, session).data_last("pbd", SERIAL)


@pytest.mark.parametrize("form", ["central", "string"])
async def test_hps(cloud: AtessCloud, session: aiohttp.ClientSession, form: Literal["central", "string"]) -> None:
    """Only its first read asks both forms, and a record that is missing says more than a device of the other form."""
    device = cloud.devices["H"] = Hps(serial="H", form=form, frozen_at=(NIGHT,), null_at_night=True)
    client = client_of(cloud, session)
    with pytest.raises(CloudEmpty):
        await client.data_last("hps", "H")
    device.frozen_at = ()
    device.null_at_night = False
    cloud.calls.clear()
    for _ in range(3):
        assert (await client.data_last("hps", "H"))["deviceSn"] == "H"
    assert len(cloud.calls) == (3 if form == "central" else 4)
    with pytest.raises(CloudUnavailable) as raised:
        await client.data_last("hps", SERIAL)
    assert isinstance(raised.value, CloudRefused)


@pytest.mark.parametrize("limit", [280, 300, 330])
async def test_limit_in_the_body(session: aiohttp.ClientSession, cloud: AtessCloud, limit: float) -> None:
    """Asking every 330 s, a little late or early, leaves no hole of 30 minutes."""
    now, last, oldest = NIGHT, NIGHT, timedelta()
    cloud.clock, cloud.limit = lambda: now, limit
    client = client_of(cloud, session)
    for number in range(60):
        now += timedelta(seconds=330 + (number % 3 - 1))
        oldest = max(oldest, now - last)
        with suppress(CloudRateLimited):
            await client.data_last("pbd", SERIAL)
            last = now
    assert oldest < timedelta(minutes=12)
    assert (limit == 330) == any(call.outcome == "10012" for call in cloud.calls)


RECORD = b'"data": {"vbat": 1}'
ANSWERS = [
    (200, b'{"code": 0}', CloudEmpty),
    (200, b'{"code": "0", "data": null, "msg": ""}', CloudEmpty),
    (200, b'{"code": 0, "data": [1]}', CloudUnavailable),
    (200, b'{"msg": "operate successfully"}', CloudUnavailable),
    (200, b'{"code": "403"}', CloudRejected),
    (403, b"<html>no access</html>", CloudRejected),
    (401, b"", CloudRejected),
    (200, b'{"code": 429}', CloudRateLimited),
    (429, b"", CloudRateLimited),
    (200, b'{"code": 10012, "msg": "error"}', CloudRateLimited),
    (200, b'{"code": "10012"}', CloudRateLimited),
    (200, b'{"code": 500, "msg": "Request too frequently"}', CloudRateLimited),
    (200, b'{"code": 0, "data": null, "msg": "API rate LIMIT exceeded"}', CloudRateLimited),
    (200, b'{"code": 500, "msg": "Network Anomaly"}', CloudTrouble),
    (200, b'{"code": 12345}', CloudRateLimited),
    (200, b'{"code": [1], "msg": 5}', CloudRateLimited),
    (404, b'{"code": 0, "data": {"vbat": 1}}', CloudUnavailable),
]


@asynccontextmanager
async def answering(session: aiohttp.ClientSession, status: int, body: bytes) -> AsyncGenerator[AtessClient]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        yield AtessClient(session, f"http://{server.host}:{server.port}", "1", "t", AccountQueue())


@pytest.mark.parametrize(("status", "body", "outcome"), ANSWERS, ids=[str(number) for number in range(len(ANSWERS))])
async def test_answers(session: aiohttp.ClientSession, status: int, body: bytes, outcome: type[CloudError]) -> None:
    async with answering(session, status, body) as client:
        with pytest.raises(CloudError) as raised:
            await client.data_last("pbd", SERIAL)
    assert type(raised.value) is outcome
    assert not isinstance(raised.value, CloudRefused)


@pytest.mark.parametrize(("status", "code"), [(200, b"500"), (200, b"400"), (400, b"500")])
async def test_refused_serial(session: aiohttp.ClientSession, status: int, code: bytes) -> None:
    """The form tells it from trouble with the network."""
    async with answering(session, status, b'{"code": %b, "msg": "fail"}' % code) as client:
        with pytest.raises(CloudUnavailable) as raised:
            await client.data_last("pbd", SERIAL)
    assert isinstance(raised.value, CloudRefused)


@pytest.mark.parametrize("body", [b"{%b}", b'{"code": null, %b}', b'{"code": 0, "msg": "limit", %b}'])
async def test_a_good_record_is_a_record(session: aiohttp.ClientSession, body: bytes) -> None:
    async with answering(session, 200, body % RECORD) as client:
        assert await client.data_last("pbd", SERIAL) == {"vbat": 1}


async def test_credentials_stay_with_their_host(session: aiohttp.ClientSession) -> None:
    reached: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        reached.append(request.headers.get("Authorization", ""))
        return web.json_response({"code": 0, "data": {"soc": 1}})

    other = web.Application()
    other.router.add_get("/{path:.*}", elsewhere)
    async with TestServer(other) as target:

        async def redirect(_: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(f"http://{target.host}:{target.port}/steal")

        app = web.Application()
        app.router.add_get("/{path:.*}", redirect)
        async with TestServer(app) as server:
            client = AtessClient(session, f"http://{server.host}:{server.port}", "1", "t", AccountQueue())
            with pytest.raises(CloudUnavailable):
                await client.data_last("pbd", SERIAL)
    assert reached == []


async def test_nothing_secret_is_logged(
    cloud: AtessCloud, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await client_of(cloud, session).data_last("pbd", SERIAL)
    cloud.add_fault(Fault("access_denied"))
    with pytest.raises(CloudRejected):
        await client_of(cloud, session).data_last("pbd", SERIAL)
    assert "/pbd/data-last" in caplog.text
    for private in (SERIAL, cloud.api_token, authorization(cloud.api_id, cloud.api_token)):
        assert private not in caplog.text
