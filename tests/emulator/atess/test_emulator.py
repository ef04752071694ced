"""What the other tests rely on; that records tell the truth is what the decoder's tests compare."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import json
from pathlib import Path

import pytest

from emulator.atess.cloud import AtessCloud, basic
from emulator.atess.pbd import Hps, Pbd
from emulator.faults import Fault

NOW = datetime(2026, 3, 23, 11, 58, 30, tzinfo=UTC)
BASIC = basic("demo-api-id", "demo-api-token")
NAMES = json.loads((Path(__file__).parents[2] / "telemetry" / "atess" / "pbd_fields.json").read_text())
STEP = timedelta(minutes=5)
WITHOUT_DATA = {"code": 500, "data": None, "msg": "fail"}


@asynccontextmanager
async def running(**arguments):
    cloud = AtessCloud(devices=[Pbd(), Hps(form="string")], clock=lambda: NOW, **arguments)
    await cloud.start()
    try:
        yield cloud
    finally:
        await cloud.stop()


async def ask(cloud, session, path="/pbd/data-last", serial="DEMOPBD001", *, method="GET", authorization=BASIC):
    headers = {"Authorization": authorization, "Accept-Language": "en"}
    url = f"{cloud.url}/api/v1{path}?deviceSn={serial}"
    async with session.request(method, url, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_answers(socket_enabled, session) -> None:
    async with running(success="0", statuses={403: 401}) as cloud:
        right = {"code": "0", "data": Pbd().record(NOW), "msg": "operate successfully"}
        assert await ask(cloud, session) == (200, right)
        assert (await ask(cloud, session, authorization="other"))[0] == 401
        assert (await ask(cloud, session, serial="OTHER"))[1]["code"] == "400"
        assert (await ask(cloud, session, "/hps/data-last", "DEMOHPS001"))[1]["data"] is None
        assert (await ask(cloud, session, "/hps/data-last-small", "DEMOHPS001"))[1]["data"]["fac"] == 50.02
        assert (await ask(cloud, session, "/hps/data-last"))[1]["code"] == "400"
        assert (await ask(cloud, session, "/pbd/setting"))[0] == 404
        cloud.add_fault(Fault("null_data", serial="DEMOPBD001", times=1))
        assert (await ask(cloud, session))[1] == right | {"data": None}
        assert not cloud.writes


async def test_limit_in_the_body(socket_enabled, session) -> None:
    async with running(limit=300) as cloud:
        outcomes = []
        for seconds in (0, 299, 301, 590, 602):
            cloud.clock = lambda seconds=seconds: NOW + timedelta(seconds=seconds)
            outcomes.append((await ask(cloud, session))[1]["code"])
        assert outcomes == [0, 10012, 0, 10012, 0]


async def test_writes_are_recorded_and_fail(socket_enabled, session) -> None:
    async with running() as cloud:
        assert await ask(cloud, session, "/pbd/setting", method="PUT") == (200, WITHOUT_DATA)
        assert [call.path for call in cloud.writes] == ["/pbd/setting"]


@pytest.mark.parametrize(
    "variant", [{}, {"has_battery": False}, {"has_bms": False}, {"inputs": 3, "measures": "tenths"}]
)
def test_record(variant) -> None:
    device = Pbd(**variant)
    assert sorted(device.record(NOW)) == sorted(NAMES)
    records = [device.record(NOW + number * STEP) for number in range(400)]
    assert [any(record[name] for record in records) for name in ("ipv3", "ipv4")] == [variant.get("inputs") == 3, False]
    assert any(record["vbat"] for record in records) == device.has_battery
    for before, after in pairwise(records):
        is_new_day = before["time"][:10] != after["time"][:10]
        assert all(after[name] >= before[name] for name in NAMES if name.endswith("Total"))
        assert is_new_day == (after["epvTimeToday"] + after["epvToday"] < before["epvTimeToday"] + before["epvToday"])


def test_logger_that_is_silent_or_restarts() -> None:
    device = Pbd(silent_since=NOW)
    assert device.record(NOW + timedelta(hours=3)) == device.record(NOW)
    device.silent_since = None
    device.restart_logger(NOW, minutes=8)
    zeros = device.record(NOW)
    assert (zeros.pop("deviceSn"), zeros.pop("time")) == ("DEMOPBD001", "2026-03-23 12:58:30")
    assert set(zeros.values()) == {0}
    assert device.record(NOW + timedelta(minutes=14)) == Pbd().record(NOW + timedelta(minutes=14))


def test_no_record_at_night() -> None:
    device = Pbd(null_at_night=True)
    assert device.answer(NOW) == device.record(NOW)
    assert device.answer(NOW + timedelta(hours=12)) is None
