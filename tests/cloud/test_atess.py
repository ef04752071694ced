"""The ATESS client over real HTTP."""

from collections.abc import AsyncGenerator
import logging

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
    CloudRejected,
    CloudUnavailable,
    CloudUnreachable,
)
from custom_components.dyness_atess.cloud.queue import AccountQueue
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.faults import Fault, FaultKind

SERIAL = "DEMOPBD001"


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


def client_at(server: TestServer, session: aiohttp.ClientSession) -> AtessClient:
    return AtessClient(session, f"http://{server.host}:{server.port}", "1", "t", AccountQueue())


def test_authorization() -> None:
    assert authorization("1234", "abc") == "Basic MTIzNDphYmM="
    assert authorization("", "Basic MTIzNDphYmM=") == "Basic MTIzNDphYmM="
    assert authorization("1234", "Basic MTIzNDphYmM=") == "Basic MTIzNDphYmM="
    assert authorization("", "abc") == "abc"


@pytest.mark.parametrize("success", [0, 200, "0", "200"])
async def test_record(cloud: AtessCloud, session: aiohttp.ClientSession, success: int | str) -> None:
    cloud.success = success
    record = await client_of(cloud, session).pbd_data_last(SERIAL)
    assert record["deviceSn"] == SERIAL
    assert len(record) == 78


async def test_ready_made_header(cloud: AtessCloud, session: aiohttp.ClientSession) -> None:
    ready = authorization(cloud.api_id, cloud.api_token)
    assert await AtessClient(session, cloud.url, "", ready, AccountQueue()).pbd_data_last(SERIAL)


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_rejected(cloud: AtessCloud, session: aiohttp.ClientSession, status: int) -> None:
    cloud.statuses = {403: status}
    with pytest.raises(CloudRejected):
        await AtessClient(session, cloud.url, cloud.api_id, "wrong", AccountQueue()).pbd_data_last(SERIAL)


@pytest.mark.parametrize("status", [200, 400])
async def test_unknown_serial_is_an_answer(cloud: AtessCloud, session: aiohttp.ClientSession, status: int) -> None:
    cloud.statuses = {400: status}
    with pytest.raises(CloudUnavailable) as raised:
        await client_of(cloud, session).pbd_data_last("NOBODY0001")
    assert raised.value.answered


UNAVAILABLE: list[FaultKind] = [
    "network_anomaly",
    "http_500",
    "http_502_html",
    "drop",
    "empty_body",
    "html",
    "garbage",
    "truncated",
    "text_data",
    "redirect",
]


@pytest.mark.parametrize("kind", UNAVAILABLE)
async def test_unavailable(cloud: AtessCloud, session: aiohttp.ClientSession, kind: FaultKind) -> None:
    cloud.add_fault(Fault(kind))
    client = client_of(cloud, session)
    with pytest.raises(CloudUnavailable) as raised:
        await client.pbd_data_last(SERIAL)
    assert not raised.value.answered
    # aiohttp itself asks once more where a kept connection is dropped under a GET.
    assert len(cloud.calls) <= (2 if kind == "drop" else 1)
    cloud.clear_faults()
    assert await client.pbd_data_last(SERIAL)


async def test_time_out(cloud: AtessCloud, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", 0.2)
    cloud.add_fault(Fault("hang"))
    with pytest.raises(CloudUnavailable, match="no answer in"):
        await client_of(cloud, session).pbd_data_last(SERIAL)


@pytest.mark.parametrize("kind", ["null_data", "empty_data"])
async def test_empty(cloud: AtessCloud, session: aiohttp.ClientSession, kind: FaultKind) -> None:
    cloud.add_fault(Fault(kind))
    with pytest.raises(CloudEmpty):
        await client_of(cloud, session).pbd_data_last(SERIAL)


async def test_nobody_there(cloud: AtessCloud, session: aiohttp.ClientSession) -> None:
    await cloud.stop()
    with pytest.raises(CloudUnreachable):
        await client_of(cloud, session).pbd_data_last(SERIAL)


ANSWERS = [
    (200, b'{"code": 0}', CloudEmpty),
    (200, b'{"code": 0, "data": [1]}', CloudUnavailable),
    (200, b'{"code": "403"}', CloudRejected),
    (403, b"<html>no access</html>", CloudRejected),
    (401, b"", CloudRejected),
    (200, b'{"code": 429}', CloudRateLimited),
    (429, b"", CloudRateLimited),
    (200, b'{"code": 500, "msg": "fail"}', CloudUnavailable),
    (200, b'{"code": 12345}', CloudUnavailable),
    (200, b'{"msg": "operate successfully", "data": {"soc": 1}}', CloudUnavailable),
    (404, b'{"code": 0, "data": {"soc": 1}}', CloudUnavailable),
]


@pytest.mark.parametrize(("status", "body", "outcome"), ANSWERS, ids=[str(number) for number in range(len(ANSWERS))])
async def test_answers(session: aiohttp.ClientSession, status: int, body: bytes, outcome: type[CloudError]) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        with pytest.raises(CloudError) as raised:
            await AtessClient(session, f"http://{server.host}:{server.port}", "1", "t", AccountQueue()).pbd_data_last(
                SERIAL
            )
    assert type(raised.value) is outcome


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
            with pytest.raises(CloudUnavailable):
                await AtessClient(
                    session, f"http://{server.host}:{server.port}", "1", "t", AccountQueue()
                ).pbd_data_last(SERIAL)
    assert reached == []


async def test_nothing_secret_is_logged(
    cloud: AtessCloud, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await client_of(cloud, session).pbd_data_last(SERIAL)
    cloud.add_fault(Fault("access_denied"))
    with pytest.raises(CloudRejected):
        await client_of(cloud, session).pbd_data_last(SERIAL)
    assert "/pbd/data-last" in caplog.text
    for private in (SERIAL, cloud.api_token, authorization(cloud.api_id, cloud.api_token)):
        assert private not in caplog.text
