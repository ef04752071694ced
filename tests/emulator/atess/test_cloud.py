import asyncio
import base64
from contextlib import asynccontextmanager
from datetime import UTC, datetime
import json
from typing import get_args

import aiohttp
import pytest

from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.faults import Fault, FaultKind

NOW = datetime(2026, 3, 23, 11, 58, 30, tzinfo=UTC)
LAST = "/pbd/data-last"
SERIAL = "DEMOPBD001"
BASIC = "Basic " + base64.b64encode(b"demo-api-id:demo-api-token").decode()
GOOD = "operate successfully"
DENIED = {"code": 403, "data": None, "msg": "no access"}
FAIL = {"code": 500, "data": None, "msg": "fail"}


@asynccontextmanager
async def running(**arguments):
    cloud = AtessCloud(**({"devices": [Pbd()], "clock": lambda: NOW} | arguments))
    await cloud.start()
    try:
        yield cloud
    finally:
        await cloud.stop()


@pytest.fixture
async def atess(socket_enabled):
    async with running() as cloud:
        yield cloud


@pytest.fixture
def get(session):
    async def send(cloud, serial=SERIAL, *, path=LAST, method="GET", authorization=BASIC, language="en", follow=False):
        headers = {"Authorization": authorization, "Accept-Language": language}
        async with session.request(
            method,
            f"{cloud.url}/api/v1{path}",
            params={} if serial is None else {"deviceSn": serial},
            headers={name: value for name, value in headers.items() if value is not None},
            allow_redirects=follow,
        ) as response:
            return response.status, await response.json(content_type=None)

    return send


@pytest.fixture
def control(atess, session):
    async def send(method, what, **arguments):
        async with session.request(method, f"{atess.url}/control/{what}", **arguments) as response:
            return response.status, await response.json()

    return send


async def test_data_last(atess, get) -> None:
    record = Pbd().record(NOW)
    assert await get(atess) == (200, {"code": 0, "data": record, "msg": GOOD})
    assert [(call.path, call.serial, call.outcome) for call in atess.calls] == [(LAST, SERIAL, "0")]
    assert atess.writes == []


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "demo-api-token",
        "demo-api-id:demo-api-token",
        BASIC.removeprefix("Basic "),
        BASIC.lower(),
        "Basic " + base64.b64encode(b"demo-api-id:other").decode(),
        "Basic " + base64.b64encode(b"other:demo-api-token").decode(),
        "Basic " + base64.b64encode(b":demo-api-token").decode(),
    ],
)
async def test_any_other_authorization_is_denied(atess, get, authorization) -> None:
    assert await get(atess, authorization=authorization) == (200, DENIED)


async def test_credentials_of_the_account(socket_enabled, get) -> None:
    async with running(api_id="4711", api_token="abc") as cloud:
        assert await get(cloud) == (200, DENIED)
        authorization = "Basic NDcxMTphYmM="
        assert (await get(cloud, authorization=authorization))[1]["code"] == 0


@pytest.mark.parametrize("value", ["0123abcd", "Basic NDcxMTphYmM=", "Bearer x y"])
async def test_ready_made_authorization(socket_enabled, get, value) -> None:
    async with running(authorization=value) as cloud:
        assert (await get(cloud, authorization=value))[1]["code"] == 0
        assert await get(cloud) == (200, DENIED)


async def test_language_is_required(atess, get) -> None:
    status, answer = await get(atess, language=None)
    assert (status, answer["code"], answer["data"]) == (200, 500, None)


@pytest.mark.parametrize("serial", ["UMD0D23202", "demopbd001", "", None])
async def test_unknown_serial(atess, get, serial) -> None:
    assert await get(atess, serial) == (200, {"code": 400, "data": None, "msg": "not found"})


@pytest.mark.parametrize("success", [0, 200, "0", "200"])
async def test_success_code(socket_enabled, get, success) -> None:
    async with running(success=success) as cloud:
        _, answer = await get(cloud)
        assert answer["code"] == success
        assert type(answer["code"]) is type(success)
        assert answer["msg"] == (GOOD if success in {0, "0"} else "")
        assert len(answer["data"]) == 78
        denied = (await get(cloud, authorization="x"))[1]["code"]
        assert denied == type(success)(403)


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_status_of_a_denial(socket_enabled, get, status) -> None:
    async with running(statuses={403: status, 400: 404}) as cloud:
        assert await get(cloud, authorization="x") == (status, DENIED)
        assert (await get(cloud, "other"))[0] == 404
        assert (await get(cloud))[0] == 200
        cloud.add_fault(Fault("access_denied"))
        assert await get(cloud) == (status, DENIED)


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/pbd/setting", LAST, "/datalog"])
async def test_writes_are_recorded_and_fail(atess, get, method, path) -> None:
    assert await get(atess, path=path, method=method) == (200, FAIL)
    assert [(call.path, call.serial, call.outcome) for call in atess.writes] == [(path, SERIAL, "500")]
    assert atess.calls == atess.writes


async def test_other_paths(atess, get, session) -> None:
    for path in ("/pbd/setting", "/hps/data-last"):
        status, answer = await get(atess, path=path)
        assert (status, answer["status"]) == (404, 404)
    async with session.get(f"{atess.url}/pbd/data-last") as response:
        assert response.status == 404
    assert atess.writes == []


async def test_several_devices(atess, get) -> None:
    atess.devices["DEMOPBD002"] = Pbd(serial="DEMOPBD002", inputs=3)
    records = [(await get(atess, serial))[1]["data"] for serial in (SERIAL, "DEMOPBD002")]
    assert [record["deviceSn"] for record in records] == [SERIAL, "DEMOPBD002"]
    assert [bool(record["ipv3"]) for record in records] == [False, True]


async def test_limit(socket_enabled, get) -> None:
    async with running(calls_per_second=1) as cloud:
        await get(cloud)
        status, answer = await get(cloud)
        assert (status, answer["code"]) == (429, 429)


ENVELOPES = {
    "network_anomaly": (200, FAIL),
    "network_error": (200, FAIL | {"msg": "network error"}),
    "device_timeout": (200, FAIL | {"msg": "device connection timed out"}),
    "access_denied": (200, DENIED),
    "rate_limited": (429, {"code": 429, "data": None, "msg": "too frequently"}),
    "rate_limited_in_body": (200, {"code": 429, "data": None, "msg": "too frequently"}),
}
NOT_JSON = {"http_502_html": 502, "empty_body": 200, "html": 200, "garbage": 200, "truncated": 200, "redirect": 302}
DATA = {"null_data": None, "empty_data": {}, "text_data": "text"}
OTHERS = {"hang", "slow_drip", "drop", "http_500", "wrong_types", "points_without_values"}


def test_every_kind_is_tested() -> None:
    assert set(get_args(FaultKind)) == {*ENVELOPES, *NOT_JSON, *DATA, *OTHERS}


@pytest.mark.parametrize("kind", get_args(FaultKind))
async def test_faults(atess, get, session, kind) -> None:
    right = (await get(atess))[1]
    atess.add_fault(Fault(kind, path=LAST, serial=SERIAL))
    if kind in ENVELOPES:
        assert await get(atess) == ENVELOPES[kind]
    elif kind in NOT_JSON:
        headers = {"Authorization": BASIC, "Accept-Language": "en"}
        url = f"{atess.url}/api/v1{LAST}?deviceSn={SERIAL}"
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            assert response.status == NOT_JSON[kind]
            content = await response.read()
        with pytest.raises(ValueError):  # noqa: PT011  UnicodeDecodeError or JSONDecodeError
            json.loads(content)
    elif kind in DATA:
        assert await get(atess) == (200, right | {"data": DATA[kind]})
    elif kind in {"hang", "slow_drip"}:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(get(atess), 0.1)
    elif kind == "drop":
        with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
            await get(atess)
    elif kind == "http_500":
        status, answer = await get(atess)
        assert (status, answer["status"]) == (500, 500)
    elif kind == "wrong_types":
        assert (await get(atess))[1]["data"] == {name: [value] for name, value in right["data"].items()}
    elif kind == "points_without_values":
        identity = {name: right["data"][name] for name in ("deviceSn", "time")}
        assert (await get(atess))[1]["data"] == dict.fromkeys(right["data"]) | identity
    assert atess.calls[-1].outcome == kind
    atess.clear_faults()
    assert (await get(atess))[1] == right


async def test_redirect_leads_to_a_page(atess, session) -> None:
    atess.add_fault(Fault("redirect"))
    async with session.get(f"{atess.url}/api/v1{LAST}") as response:
        assert (response.status, response.content_type) == (200, "text/html")


async def test_control(atess, get, control) -> None:
    fault = {"kind": "network_anomaly", "path": LAST, "serial": SERIAL, "times": 1}
    assert await control("POST", "faults", json=fault) == (200, fault)
    assert await get(atess) == (200, FAIL)
    await get(atess, path="/pbd/setting", method="PUT")
    assert [call["outcome"] for call in (await control("GET", "calls"))[1]] == ["network_anomaly", "500"]
    assert [call["path"] for call in (await control("GET", "writes"))[1]] == ["/pbd/setting"]
    status, (device,) = await control("GET", "devices")
    assert (status, device["serial"], device["type"]) == (200, SERIAL, "Pbd")
    assert device["record"] == Pbd().record(NOW)
    assert device["truth"] == Pbd().truth(NOW)


async def test_restart_of_the_logger(atess, get, control) -> None:
    order = {"serial": SERIAL, "minutes": 10}
    assert await control("POST", "restart", json=order) == (200, order)
    data = (await get(atess))[1]["data"]
    assert (data["deviceSn"], data["time"]) == (SERIAL, "2026-03-23 12:58:30")
    assert {value for name, value in data.items() if name not in {"deviceSn", "time"}} == {0}
    assert len(atess.calls) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        "no json",
        "[]",
        "{}",
        '{"serial": "DEMOPBD001"}',
        '{"serial": "other", "minutes": 10}',
        '{"serial": "DEMOPBD001", "minutes": 0}',
        '{"serial": "DEMOPBD001", "minutes": 1e999}',
    ],
)
async def test_a_wrong_restart_is_refused(atess, get, control, wrong) -> None:
    status, answer = await control("POST", "restart", data=wrong)
    assert status == 400
    assert answer["error"]
    assert (await get(atess))[1]["data"]["vbat"] > 500
