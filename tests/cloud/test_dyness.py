"""The Dyness client over real HTTP: signature, endpoints, and each way in which a read can end."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
import gzip
import logging
from typing import Any, get_args

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.dyness_atess.cloud import dyness, transport
from custom_components.dyness_atess.cloud.dyness import DynessClient, authentication
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
from emulator.dyness.cloud import DynessCloud
from emulator.faults import Fault, FaultKind

SERIAL = "R07E00000000DEMO-BMS"


def account(session: aiohttp.ClientSession, url: str) -> DynessClient:
    return DynessClient(session, url, "id", "secret", AccountQueue())


@asynccontextmanager
async def answering(session: aiohttp.ClientSession, body: bytes, **reply: Any) -> AsyncGenerator[DynessClient]:
    """Serve one answer to everything."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, **reply)

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server:
        yield account(session, str(server.make_url("")))


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


READS: dict[str, Callable[[DynessClient], Awaitable[Any]]] = {
    "storage_list": lambda client: client.storage_list(),
    "realtime_data": lambda client: client.realtime_data(SERIAL),
    "storage_detail": lambda client: client.storage_detail(SERIAL),
    "station_info": lambda client: client.station_info(SERIAL),
    "last_power_data": lambda client: client.last_power_data(SERIAL),
    "last_running_data": lambda client: client.last_running_data(SERIAL),
    "alarms": lambda client: client.alarms(SERIAL),
}
OUTCOMES: dict[str, type[CloudError] | None] = dict.fromkeys(get_args(FaultKind), CloudUnavailable) | {
    **dict.fromkeys(("network_anomaly", "network_error", "device_timeout"), CloudTrouble),
    **dict.fromkeys(("rate_limited", "rate_limited_in_body"), CloudRateLimited),
    **dict.fromkeys(("null_data", "empty_data"), CloudEmpty),
    **dict.fromkeys(("wrong_types", "points_without_values"), None),  # for the decoder to see
    "access_denied": CloudRejected,
}
OF_THE_LIST = dict.fromkeys(("wrong_types", "points_without_values"), CloudUnavailable) | dict.fromkeys(
    ("null_data", "empty_data")  # what an account without devices has
)


@pytest.mark.parametrize("kind", OUTCOMES)
async def test_outcomes(
    cloud: DynessCloud, client: DynessClient, kind: FaultKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call each, whatever it ends in; a 401 counts on core calls only (dyness-api 2.2)."""
    if kind in ("hang", "slow_drip"):
        monkeypatch.setattr(transport, "TIMEOUT", 0.1)
    for name, read in READS.items():
        expected = OF_THE_LIST.get(kind, OUTCOMES[kind]) if name == "storage_list" else OUTCOMES[kind]
        if kind == "access_denied" and name not in ("storage_list", "realtime_data"):
            expected = CloudUnavailable
        well = await read(client)
        cloud.add_fault(Fault(kind))
        try:
            outcome = type(await read(client))
        except CloudError as error:
            outcome = type(error)
        assert outcome is (expected or type(well)), name
        cloud.clear_faults()
        assert await read(client) == well
    assert len(cloud.calls) == 3 * len(READS)


async def test_wrong_secret(cloud: DynessCloud, session: aiohttp.ClientSession) -> None:
    with pytest.raises(CloudRejected):
        await account(session, cloud.url).storage_list()


async def test_unknown_serial_is_refused(client: DynessClient) -> None:
    with pytest.raises(CloudRefused):
        await client.realtime_data("UNKNOWN-BMS")


@pytest.mark.parametrize("hours", [0, -3, 5])
async def test_a_rejection_tells_of_a_wrong_clock(session: aiohttp.ClientSession, hours: int) -> None:
    date = format_datetime(datetime.now(UTC) - timedelta(hours=hours), usegmt=True)
    async with answering(session, b'{"code": "401"}', headers={"Date": date}) as client:
        with pytest.raises(CloudRejected) as raised:
            await client.storage_list()
    assert raised.value.clock_error
    assert abs(raised.value.clock_error - timedelta(hours=hours)) < timedelta(seconds=5)


async def test_nobody_there(cloud: DynessCloud, client: DynessClient) -> None:
    await cloud.stop()
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
    (200, b'{"code": "500", "info": {"nested": []}}', CloudRefused),
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
    async with answering(session, body, status=status, headers={"Retry-After": "7"}) as client:
        if outcome is None:
            assert isinstance(await client.storage_list(), list)
            return
        with pytest.raises(CloudError) as raised:
            await client.storage_list()
    assert type(raised.value) is outcome
    if isinstance(raised.value, CloudRateLimited):
        assert raised.value.retry_after == (7 if status == 429 else None)


async def test_body_too_large(session: aiohttp.ClientSession) -> None:
    body = b" " * (transport.BODY_LIMIT + 1)
    async with answering(session, body) as client:
        with pytest.raises(CloudUnavailable, match="too large"):
            await client.storage_list()
    async with answering(session, gzip.compress(body), headers={"Content-Encoding": "gzip"}) as client:
        with pytest.raises(CloudUnavailable, match="too large"):
            await client.storage_list()


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
