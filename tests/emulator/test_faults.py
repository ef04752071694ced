import asyncio
import json
from typing import get_args

import aiohttp
import pytest

from emulator import faults
from emulator.faults import Fault, FaultKind

LIST = "/v1/device/storage/list"
POINTS = "/v1/device/realTime/data"
STATION = "/v1/station/info"
SERIAL = "R07E00000000DEMO-BMS"

ENVELOPES = {
    "network_anomaly": (200, "500", "Network Anomaly"),
    "network_error": (200, "500", "NETWORK_ERROR"),
    "device_timeout": (200, "500", "Device connection timed out"),
    "access_denied": (200, "401", "ACCESS_DENIED"),
    "rate_limited": (429, "429", "TOO_MANY_REQUESTS"),
    "rate_limited_in_body": (200, "429", "TOO_MANY_REQUESTS"),
}
NOT_JSON = {"http_502_html": 502, "empty_body": 200, "html": 200, "garbage": 200, "truncated": 200, "redirect": 302}
DATA = ["wrong_types", "text_data", "null_data", "empty_data", "points_without_values"]


def test_every_kind_is_tested() -> None:
    others = {"hang", "drop", "slow_drip", "http_500"}
    assert set(get_args(FaultKind)) == {*ENVELOPES, *NOT_JSON, *DATA, *others}


@pytest.mark.parametrize("kind", ENVELOPES)
async def test_refusals(cloud, post, kind) -> None:
    cloud.add_fault(Fault(kind))
    answer = await post(POINTS, SERIAL)
    status, code, info = ENVELOPES[kind]
    assert (answer.status, answer.json) == (status, {"code": code, "data": None, "info": info})
    assert cloud.calls[0].outcome == kind


@pytest.mark.parametrize("kind", NOT_JSON)
async def test_what_is_not_json(cloud, post, kind) -> None:
    cloud.add_fault(Fault(kind))
    answer = await post(POINTS, SERIAL)
    assert answer.status == NOT_JSON[kind]
    with pytest.raises(ValueError):  # noqa: PT011  UnicodeDecodeError or JSONDecodeError
        _ = answer.json
    assert (answer.content == b"") == (kind in {"empty_body", "redirect"})


async def test_garbage_is_no_text(cloud, post) -> None:
    cloud.add_fault(Fault("garbage"))
    with pytest.raises(UnicodeDecodeError):
        (await post(LIST)).content.decode()


async def test_truncated_is_the_beginning_of_the_answer(cloud, post) -> None:
    whole = (await post(POINTS, SERIAL)).content.decode()
    cloud.add_fault(Fault("truncated"))
    part = (await post(POINTS, SERIAL)).content.decode()
    assert part
    assert whole.startswith(part)


async def test_redirect_leads_to_a_page(cloud, session) -> None:
    cloud.add_fault(Fault("redirect"))
    async with session.post(f"{cloud.url}/openapi/ems-device{LIST}") as response:
        assert response.history[0].status == 302
        assert (response.status, response.content_type) == (200, "text/html")


async def test_http_500(cloud, post) -> None:
    cloud.add_fault(Fault("http_500"))
    answer = await post(LIST)
    assert (answer.status, answer.json["status"]) == (500, 500)


async def test_drop(cloud, post) -> None:
    cloud.add_fault(Fault("drop", times=1))
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await post(LIST)
    assert (await post(LIST)).status == 200


@pytest.mark.parametrize("path", [LIST, POINTS, STATION])
@pytest.mark.parametrize("kind", DATA)
async def test_data(cloud, post, kind, path) -> None:
    right = (await post(path, SERIAL)).json
    cloud.add_fault(Fault(kind))
    wrong = (await post(path, SERIAL)).json
    assert wrong | {"data": None} == right | {"data": None}
    data = wrong["data"]
    match kind:
        case "text_data":
            assert data == "text"
        case "null_data":
            assert data is None
        case "empty_data":
            assert data == ([] if path == POINTS else {})
        case "wrong_types":
            assert type(data) is type(right["data"])
            assert all(not isinstance(value, list) for value in scalars(right["data"]))
            assert '"pointId": ["T"]' in json.dumps(data) or path != POINTS
            assert data != right["data"]
        case "points_without_values":
            values = data if path == POINTS else [{"pointValue": value} for value in scalars(data)]
            assert values
            assert {item["pointValue"] for item in values} <= {"", None}
    if (kind, path) == ("points_without_values", POINTS):
        assert [item["pointId"] for item in data] == [item["pointId"] for item in right["data"]]
        assert [item["pointNameCn"] for item in data] == [item["pointNameCn"] for item in right["data"]]


def scalars(value):
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for item in value for leaf in scalars(item)] if isinstance(value, list) else [value]


async def test_hang(cloud, post) -> None:
    cloud.add_fault(Fault("hang", times=1))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(post(LIST), 0.2)
    assert cloud.calls[0].outcome == "hang"
    assert (await post(LIST)).status == 200


async def test_slow_drip(cloud, post, monkeypatch) -> None:
    right = (await post(STATION, SERIAL)).content
    cloud.add_fault(Fault("slow_drip"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(post(STATION, SERIAL), 0.2)
    monkeypatch.setattr(faults, "DRIP_SECONDS", 0.0001)
    assert (await post(STATION, SERIAL)).content == right


@pytest.mark.parametrize("kind", ["hang", "slow_drip"])
async def test_stop_does_not_wait_for_open_requests(cloud, post, kind) -> None:
    cloud.add_fault(Fault(kind))
    waiting = [asyncio.create_task(post(LIST)) for _ in range(3)]
    async with asyncio.timeout(2):
        while len(cloud.calls) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    start = asyncio.get_running_loop().time()
    await cloud.stop()
    assert asyncio.get_running_loop().time() - start < 0.6
    async with asyncio.timeout(1):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(outcome, aiohttp.ClientError) for outcome in outcomes)


async def test_times(cloud, post) -> None:
    cloud.add_fault(Fault("http_500", times=2))
    assert [(await post(LIST)).status for _ in range(3)] == [500, 500, 200]


async def test_until_cleared(cloud, post) -> None:
    cloud.add_fault(Fault("http_500"))
    assert [(await post(LIST)).status for _ in range(3)] == [500, 500, 500]
    cloud.clear_faults()
    assert (await post(LIST)).status == 200


async def test_one_path_and_one_serial(cloud, post) -> None:
    cloud.add_fault(Fault("http_500", path=POINTS, serial=SERIAL))
    assert (await post(POINTS, SERIAL)).status == 500
    assert (await post(POINTS, "DEMO000000000001")).status == 200
    assert (await post(STATION, SERIAL)).status == 200
    assert (await post(LIST)).status == 200


async def test_the_oldest_fault_acts_first(cloud, post) -> None:
    cloud.add_fault(Fault("http_500", times=1))
    cloud.add_fault(Fault("http_502_html", times=1))
    assert [(await post(LIST)).status for _ in range(3)] == [500, 502, 200]


async def test_a_call_over_the_limit_uses_no_fault_up(cloud, post) -> None:
    cloud.calls_per_second = 1
    await post(LIST)
    cloud.add_fault(Fault("http_500", times=1))
    assert (await post(LIST)).status == 429
    cloud.calls_per_second = None
    assert (await post(LIST)).status == 500


@pytest.mark.parametrize("wrong", [{"kind": "x"}, {"times": 0}, {"times": "1"}, {"times": True}, {"path": 1}])
def test_a_fault_that_makes_no_sense(wrong) -> None:
    with pytest.raises((TypeError, ValueError)):
        Fault(**({"kind": "hang"} | wrong))
