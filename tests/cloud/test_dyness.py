"""The Dyness client over real HTTP: signature, endpoints, and each way in which a read can end."""

from dataclasses import replace
import logging
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer
import pytest

from custom_components.dyness_atess.cloud import dyness, transport
from custom_components.dyness_atess.cloud.dyness import DynessClient, authentication
from custom_components.dyness_atess.cloud.errors import (
    CloudEmpty,
    CloudError,
    CloudRateLimited,
    CloudRejected,
    CloudUnavailable,
    CloudUnreachable,
)
from custom_components.dyness_atess.cloud.queue import AccountQueue
from emulator.dyness.cloud import DynessCloud
from emulator.faults import Fault, FaultKind

SERIAL = "R07E00000000DEMO-BMS"


@pytest.mark.parametrize(
    ("path", "body", "digest", "signature"),
    [
        ("/v1/device/storage/list", b"{}", "mZFLkyvTelC5g8XnyQrpOw==", "XkJQyL+Ur/c0QGjGfFPxQ/FDrEE="),
        (
            "/v1/device/realTime/data",
            b'{"deviceSn":"TEST-BMS"}',
            "hy4CxdnMWq6He6pG4Z/xIQ==",
            "+XLK2oDPA2y7kEG54xos8mQ5Nn4=",
        ),
    ],
)
def test_signature(path: str, body: bytes, digest: str, signature: str) -> None:
    headers = authentication("demo-app-id", "demo-app-secret", path, body, "Thu, 17 Sep 2026 14:00:00 GMT")
    assert headers == {
        "Content-Type": "application/json;charset=UTF-8",
        "Content-MD5": digest,
        "Date": "Thu, 17 Sep 2026 14:00:00 GMT",
        "Authorization": f"API demo-app-id:{signature}",
    }


async def test_reads(cloud: DynessCloud, client: DynessClient) -> None:
    (device,) = await client.storage_list()
    assert device["deviceSn"] == SERIAL
    assert device["deviceModelName"] == "PowerHaus"
    assert len(await client.realtime_data(SERIAL, "R07E00000000DEMO")) == len(
        cloud.devices[SERIAL].points(cloud.clock())
    )
    assert (await client.storage_detail(SERIAL))["voltage"] == "51.2"
    assert (await client.station_info(SERIAL))["batteryCapacity"] == "5.12"
    assert {call.outcome for call in cloud.calls} == {"200"}


async def test_all_pages(cloud: DynessCloud, client: DynessClient, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = cloud.devices.pop(SERIAL)
    serials = [f"R07E0000000{number:05}-BMS" for number in range(23)]
    cloud.devices.update({serial: replace(seed, serial=serial) for serial in serials})
    monkeypatch.setattr(dyness, "PAGE_SIZE", 10)
    assert [device["deviceSn"] for device in await client.storage_list()] == serials
    assert len(cloud.calls) == 3


UNAVAILABLE: list[FaultKind] = [
    "network_anomaly",
    "network_error",
    "device_timeout",
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
@pytest.mark.parametrize("read", ["storage_list", "realtime_data", "storage_detail", "station_info"])
async def test_unavailable(cloud: DynessCloud, client: DynessClient, kind: FaultKind, read: str) -> None:
    cloud.add_fault(Fault(kind))
    arguments = () if read == "storage_list" else (SERIAL,)
    with pytest.raises(CloudUnavailable) as raised:
        await getattr(client, read)(*arguments)
    assert not isinstance(raised.value, CloudUnreachable)
    assert not raised.value.answered
    assert len(cloud.calls) == 1
    cloud.clear_faults()
    assert await getattr(client, read)(*arguments)


@pytest.mark.parametrize("kind", ["hang", "slow_drip"])
async def test_time_out(
    cloud: DynessCloud, client: DynessClient, kind: FaultKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert transport.TIMEOUT == 15
    monkeypatch.setattr(transport, "TIMEOUT", 0.2)
    cloud.add_fault(Fault(kind))
    with pytest.raises(CloudUnavailable, match="no answer in"):
        await client.realtime_data(SERIAL)


@pytest.mark.parametrize("kind", ["rate_limited", "rate_limited_in_body"])
async def test_rate_limited(cloud: DynessCloud, client: DynessClient, kind: FaultKind) -> None:
    cloud.add_fault(Fault(kind))
    with pytest.raises(CloudRateLimited):
        await client.realtime_data(SERIAL)


async def test_access_denied_counts_on_core_calls_only(cloud: DynessCloud, client: DynessClient) -> None:
    cloud.add_fault(Fault("access_denied"))
    for core in (client.storage_list(), client.realtime_data(SERIAL)):
        with pytest.raises(CloudRejected):
            await core
    for other in (client.storage_detail(SERIAL), client.station_info(SERIAL)):
        with pytest.raises(CloudUnavailable):
            await other


async def test_wrong_secret(cloud: DynessCloud, session: aiohttp.ClientSession) -> None:
    with pytest.raises(CloudRejected):
        await DynessClient(session, cloud.url, cloud.app_id, "wrong", AccountQueue()).storage_list()


@pytest.mark.parametrize("kind", ["null_data", "empty_data"])
async def test_empty(cloud: DynessCloud, client: DynessClient, kind: FaultKind) -> None:
    cloud.add_fault(Fault(kind))
    assert await client.storage_list() == []
    for read in (client.realtime_data, client.storage_detail, client.station_info):
        with pytest.raises(CloudEmpty):
            await read(SERIAL)


async def test_wrong_types_in_the_device_list(cloud: DynessCloud, client: DynessClient) -> None:
    cloud.add_fault(Fault("wrong_types"))
    with pytest.raises(CloudUnavailable):
        await client.storage_list()


async def test_unknown_serial_is_an_answer(client: DynessClient) -> None:
    with pytest.raises(CloudUnavailable) as raised:
        await client.realtime_data("UNKNOWN-BMS")
    assert raised.value.answered


async def test_nobody_there(cloud: DynessCloud, client: DynessClient) -> None:
    await cloud.stop()
    with pytest.raises(CloudUnreachable):
        await client.storage_list()


async def test_name_not_resolved(socket_enabled: None) -> None:
    class Resolver(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[Any]:
            raise OSError("no such name")

        async def close(self) -> None:
            pass

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Resolver())) as session:
        with pytest.raises(CloudUnreachable):
            await DynessClient(session, "https://open-api.example", "id", "secret", AccountQueue()).storage_list()


async def test_no_tls(cloud: DynessCloud, session: aiohttp.ClientSession) -> None:
    client = DynessClient(session, cloud.url.replace("http:", "https:"), cloud.app_id, cloud.app_secret, AccountQueue())
    with pytest.raises(CloudUnreachable):
        await client.storage_list()


ANSWERS = [
    (200, b'{"code": 0, "data": {"list": []}}', None),
    (200, b'{"code": "0", "data": {"list": null}}', None),
    (200, b'{"code": 200.0, "data": null}', CloudUnavailable),
    (200, b'{"code": true, "data": null}', CloudUnavailable),
    (200, b'{"code": null, "data": null}', CloudUnavailable),
    (200, b'{"data": {"list": []}}', CloudUnavailable),
    (200, b"[]", CloudUnavailable),
    (200, b"null", CloudUnavailable),
    (200, b"[" * 100_000, CloudUnavailable),
    (200, b'{"code": "' + b"9" * 5000 + b'"}', CloudUnavailable),
    (200, b'{"code": "200", "data": {"list": "text"}}', CloudUnavailable),
    (200, b'{"code": "200", "data": {"list": {"a": 1}}}', CloudUnavailable),
    (200, b'{"code": "200", "data": [{"deviceSn": "A-BMS"}]}', None),
    (200, b'{"code": "500", "info": "TOO_MANY_REQUESTS"}', CloudRateLimited),
    (200, b'{"code": "500", "sourceCode": "TOO_MANY_REQUESTS"}', CloudRateLimited),
    (200, b'{"code": "500", "info": {"nested": []}}', CloudUnavailable),
    (401, b'{"code": "401", "info": "ACCESS_DENIED"}', CloudRejected),
    (401, b"{}", CloudRejected),
    (403, b'{"code": "403"}', CloudUnavailable),
    (404, b'{"status": 404, "error": "Not Found"}', CloudUnavailable),
    (404, b"", CloudUnavailable),
    (400, b'{"code": "200", "data": {"list": []}}', CloudUnavailable),
    (503, b'{"code": "200", "data": {"list": []}}', CloudUnavailable),
    (429, b"", CloudRateLimited),
]


@pytest.mark.parametrize(("status", "body", "outcome"), ANSWERS, ids=[str(number) for number in range(len(ANSWERS))])
async def test_answers(
    session: aiohttp.ClientSession, status: int, body: bytes, outcome: type[CloudError] | None
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={"Retry-After": "7"})

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server:
        client = DynessClient(session, f"http://{server.host}:{server.port}", "id", "secret", AccountQueue())
        if outcome is None:
            assert isinstance(await client.storage_list(), list)
            return
        with pytest.raises(CloudError) as raised:
            await client.storage_list()
    assert type(raised.value) is outcome
    if isinstance(raised.value, CloudRateLimited):
        assert raised.value.retry_after == (7 if status == 429 else None)


async def test_body_too_large(session: aiohttp.ClientSession) -> None:
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" " * 1024 * 1024)
            sent += 1
        return response

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server:
        with pytest.raises(CloudUnavailable, match="too large"):
            await DynessClient(
                session, f"http://{server.host}:{server.port}", "id", "secret", AccountQueue()
            ).storage_list()
    assert sent < 20


async def test_nothing_secret_is_logged(
    cloud: DynessCloud, client: DynessClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await client.realtime_data(SERIAL)
    cloud.add_fault(Fault("access_denied"))
    with pytest.raises(CloudRejected):
        await client.realtime_data(SERIAL)
    assert "/v1/device/realTime/data" in caplog.text
    for private in (SERIAL, "R07E", cloud.app_id, cloud.app_secret):
        assert private not in caplog.text
