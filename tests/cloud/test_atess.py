"""The ATESS client over real HTTP: records, its limit, and answers of other forms than the emulator's."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Literal

import aiohttp
import pytest

from custom_components.dyness_atess.cloud.atess import AtessClient, authorization
from custom_components.dyness_atess.cloud.errors import (
    CloudEmpty,
    CloudError,
    CloudRateLimited,
    CloudRefused,
    CloudRejected,
    CloudTrouble,
    CloudUnavailable,
)
from custom_components.dyness_atess.cloud.queue import AccountQueue
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Hps

from .conftest import PBD, answering

NIGHT = datetime(2026, 6, 21, 1, tzinfo=UTC)


def test_authorization() -> None:
    assert authorization("1234", "abc") == "Basic MTIzNDphYmM="
    assert authorization("", "Basic MTIzNDphYmM=") == "Basic MTIzNDphYmM="
    assert authorization("1234", "Basic MTIzNDphYmM=") == "Basic MTIzNDphYmM="
    assert authorization("", "abc") == "abc"


@pytest.mark.parametrize("success", [0, 200, "0", "200"])
async def test_record(atess_cloud: AtessCloud, atess_client: AtessClient, success: int | str) -> None:
    atess_cloud.success = success
    record = await atess_client.data_last("pbd", PBD)
    assert record["deviceSn"] == PBD
    assert len(record) == 78


@pytest.mark.parametrize("form", ["central", "string"])
async def test_hps(atess_cloud: AtessCloud, atess_client: AtessClient, form: Literal["central", "string"]) -> None:
    """Only its first read asks both forms, and a record that is missing says more than a device of the other form."""
    device = atess_cloud.devices["H"] = Hps(serial="H", form=form, frozen_at=(NIGHT,), null_at_night=True)
    with pytest.raises(CloudEmpty):
        await atess_client.data_last("hps", "H")
    device.frozen_at = ()
    device.null_at_night = False
    atess_cloud.calls.clear()
    for _ in range(3):
        assert (await atess_client.data_last("hps", "H"))["deviceSn"] == "H"
    assert len(atess_cloud.calls) == (3 if form == "central" else 4)
    with pytest.raises(CloudUnavailable) as raised:
        await atess_client.data_last("hps", PBD)
    assert isinstance(raised.value, CloudRefused)


@pytest.mark.parametrize("limit", [280, 300, 330])
async def test_limit_in_the_body(atess_cloud: AtessCloud, atess_client: AtessClient, limit: float) -> None:
    """Asking every 330 s, a little late or early, leaves no hole of 30 minutes."""
    now, last, oldest = NIGHT, NIGHT, timedelta()
    atess_cloud.clock, atess_cloud.limit = lambda: now, limit
    for number in range(60):
        now += timedelta(seconds=330 + (number % 3 - 1))
        oldest = max(oldest, now - last)
        with suppress(CloudRateLimited):
            await atess_client.data_last("pbd", PBD)
            last = now
    assert oldest < timedelta(minutes=12)
    assert (limit == 330) == any(call.outcome == "10012" for call in atess_cloud.calls)


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


def client_of(session: aiohttp.ClientSession, url: str) -> AtessClient:
    return AtessClient(session, url, "1", "t", AccountQueue())


@pytest.mark.parametrize(("status", "body", "outcome"), ANSWERS, ids=[str(number) for number in range(len(ANSWERS))])
async def test_answers(session: aiohttp.ClientSession, status: int, body: bytes, outcome: type[CloudError]) -> None:
    async with answering(status=status, body=body) as url:
        with pytest.raises(CloudError) as raised:
            await client_of(session, url).data_last("pbd", PBD)
    assert type(raised.value) is outcome
    assert not isinstance(raised.value, CloudRefused)


@pytest.mark.parametrize(("status", "code"), [(200, b"500"), (200, b"400"), (400, b"500")])
async def test_refused_serial(session: aiohttp.ClientSession, status: int, code: bytes) -> None:
    """The form distinguishes it from trouble with the network."""
    async with answering(status=status, body=b'{"code": %b, "msg": "fail"}' % code) as url:
        with pytest.raises(CloudUnavailable) as raised:
            await client_of(session, url).data_last("pbd", PBD)
    assert isinstance(raised.value, CloudRefused)


@pytest.mark.parametrize("body", [b"{%b}", b'{"code": null, %b}', b'{"code": 0, "msg": "limit", %b}'])
async def test_a_good_record_is_a_record(session: aiohttp.ClientSession, body: bytes) -> None:
    async with answering(status=200, body=body % RECORD) as url:
        assert await client_of(session, url).data_last("pbd", PBD) == {"vbat": 1}


async def test_credentials_stay_with_their_host(atess_cloud: AtessCloud, session: aiohttp.ClientSession) -> None:
    async with answering(status=307, headers={"Location": f"{atess_cloud.url}/steal"}) as url:
        with pytest.raises(CloudUnavailable):
            await client_of(session, url).data_last("pbd", PBD)
    assert not atess_cloud.calls
