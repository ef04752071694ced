"""The Dyness client over real HTTP: signature, pages, and answers of other forms than the emulator's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
import gzip

import aiohttp
import pytest

from custom_components.dyness_atess.cloud import dyness, transport
from custom_components.dyness_atess.cloud.dyness import DynessClient, authentication
from custom_components.dyness_atess.cloud.errors import (
    CloudError,
    CloudRateLimited,
    CloudRefused,
    CloudRejected,
    CloudUnavailable,
)
from custom_components.dyness_atess.cloud.queue import AccountQueue
from emulator.dyness.cloud import DynessCloud

from .conftest import SERIAL, answering


def client_of(session: aiohttp.ClientSession, url: str) -> DynessClient:
    return DynessClient(session, url, "id", "secret", AccountQueue())


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


async def test_wrong_secret(cloud: DynessCloud, session: aiohttp.ClientSession) -> None:
    with pytest.raises(CloudRejected):
        await client_of(session, cloud.url).storage_list()


async def test_unknown_serial_is_refused(client: DynessClient) -> None:
    with pytest.raises(CloudRefused):
        await client.realtime_data("UNKNOWN-BMS")


@pytest.mark.parametrize("hours", [0, -3, 5])
async def test_a_rejection_tells_of_a_wrong_clock(session: aiohttp.ClientSession, hours: int) -> None:
    date = format_datetime(datetime.now(UTC) - timedelta(hours=hours), usegmt=True)
    async with answering(body=b'{"code": "401"}', headers={"Date": date}) as url:
        with pytest.raises(CloudRejected) as raised:
            await client_of(session, url).storage_list()
    assert raised.value.clock_error
    assert abs(raised.value.clock_error - timedelta(hours=hours)) < timedelta(seconds=5)


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
    async with answering(body=body, status=status, headers={"Retry-After": "7"}) as url:
        client = client_of(session, url)
        if outcome is None:
            assert isinstance(await client.storage_list(), list)
            return
        with pytest.raises(CloudError) as raised:
            await client.storage_list()
    assert type(raised.value) is outcome
    if isinstance(raised.value, CloudRateLimited):
        assert raised.value.retry_after == (7 if status == 429 else None)


async def test_retry_after_a_date(session: aiohttp.ClientSession) -> None:
    for minutes, seconds in ((5, 300), (-5, 0)):
        date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
        async with answering(body=b"", status=429, headers={"Retry-After": date}) as url:
            with pytest.raises(CloudRateLimited) as raised:
                await client_of(session, url).storage_list()
        assert raised.value.retry_after == pytest.approx(seconds, abs=2)


SPACES = b" " * (transport.BODY_LIMIT + 1)


@pytest.mark.parametrize(
    ("body", "encoding", "error"),
    [
        (SPACES, "identity", "too large"),
        (gzip.compress(SPACES), "gzip", "too large"),
        (b"garbage", "gzip", "connection lost"),
    ],
    ids=["too large", "too large when unpacked", "garbage"],
)
async def test_a_body_that_is_refused(session: aiohttp.ClientSession, body: bytes, encoding: str, error: str) -> None:
    async with answering(body=body, headers={"Content-Encoding": encoding}) as url:
        with pytest.raises(CloudUnavailable, match=error):
            await client_of(session, url).storage_list()
