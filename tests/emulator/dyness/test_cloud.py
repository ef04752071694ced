"""The cloud: signature, envelope, paging, and each fault does what its name says."""

import asyncio
import json
from typing import get_args

import aiohttp
import pytest

from emulator.dyness.catalogue import build
from emulator.dyness.cloud import is_signed
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault, FaultKind

ALARMS = "/v1/alarm/query"
LIST, POINTS, STATION = "/v1/device/storage/list", "/v1/device/realTime/data", "/v1/station/info"
SERIAL, MODULE = "R07E00000000DEMO-BMS", "DEMO000000000001"


# dyness-api 1.3
@pytest.mark.parametrize(
    ("path", "body", "digest", "sign"),
    [
        (LIST, b"{}", "mZFLkyvTelC5g8XnyQrpOw==", "XkJQyL+Ur/c0QGjGfFPxQ/FDrEE="),
        (POINTS, b'{"deviceSn":"TEST-BMS"}', "hy4CxdnMWq6He6pG4Z/xIQ==", "+XLK2oDPA2y7kEG54xos8mQ5Nn4="),
    ],
)
def test_signature(path, body, digest, sign) -> None:
    headers = {"Content-Type": "application/json", "Content-MD5": digest, "Date": "Thu, 17 Sep 2026 14:00:00 GMT"}
    headers["Authorization"] = f"API demo-app-id:{sign}"
    assert is_signed("demo-app-id", "demo-app-secret", path, headers, body)
    assert not is_signed("demo-app-id", "other", path, headers, body)
    assert not is_signed("demo-app-id", "demo-app-secret", f"/openapi/ems-device{path}", headers, body)
    assert not is_signed("demo-app-id", "demo-app-secret", path, headers, body + b" ")
    for name in headers:
        assert not is_signed("demo-app-id", "demo-app-secret", path, headers | {name: "other"}, body)


async def test_envelope(cloud, post, session) -> None:
    assert (await post(POINTS, SERIAL)).json.keys() == {"code", "data", "info"}
    assert (await post(POINTS, SERIAL, secret="other")).json["code"] == "401"
    assert (await post(POINTS, "unknown")).json["code"] == "500"
    assert (await post("/v1/nothing", SERIAL)).status == 404
    async with session.get(f"{cloud.url}{cloud.prefix}{LIST}") as response:
        assert response.status == 405
    assert [call.outcome for call in cloud.calls] == ["200", "401", "500", "404", "405"]
    assert [call.path for call in cloud.calls[:1]] == [POINTS]


async def test_alarms(cloud, post) -> None:
    page = {"pageNum": 1, "pageSize": 10}
    assert (await post(ALARMS, SERIAL, **page)).json["info"] == "Device ID Cannot Be Empty"
    assert (await post(ALARMS, deviceSnList=[SERIAL])).json["code"] == "500"
    assert (await post(ALARMS, deviceSnList=[SERIAL], **page)).json["data"]["pageDate"]["list"] == []
    cloud.devices["A-BMS"] = build("dl5-1", serial="A-BMS", raised=frozenset({"3206", "3405"}))[0]
    data = (await post(ALARMS, deviceSnList=[SERIAL, "A-BMS"], **page)).json["data"]
    assert (data["allCount"], data["readCount"], data["unReadCount"]) == (3, 1, 2)
    assert [row["clearStatus"] for row in data["pageDate"]["list"]] == [1, 2, 2]
    assert [call.serial for call in cloud.calls] == [SERIAL] * 4


async def test_paging(cloud, post) -> None:
    cloud.devices = {f"S{n:02}-BMS": PowerHaus(serial=f"S{n:02}-BMS") for n in range(23)}
    cloud.devices["S22-BMS"].listed = False

    async def page(**fields):
        data = (await post(LIST, **fields)).json["data"]
        return data["total"], [item["deviceSn"] for item in data["list"]]

    serials = list(cloud.devices)[:22]
    assert await page() == (22, serials[:10])
    assert await page(pageNum="2", pageSize="20") == (22, serials[20:])
    assert await page(pageNum=9) == (22, [])
    for wrong in ({"pageSize": 0}, {"pageSize": 201}, {"pageNum": "x"}):
        assert (await post(LIST, **wrong)).json["code"] == "500"
    assert (await post(POINTS, "S22-BMS")).json["code"] == "200"


@pytest.mark.parametrize(
    ("path", "writes"),
    [
        *((path, 1) for path in ("/v1/device/bindSn", "/v1/device/control/toggle", "/v1/group/removeSnByGroup")),
        *((path, 1) for path in ("/v1/device/writeBatch", "/v1/base/set", "/v2/device/SetWorkModeSetting")),
        *((path, 0) for path in (LIST, POINTS, "/v1/device/read", "/v2/device/GetBatterySetting")),
    ],
)
async def test_writes_are_recorded(cloud, post, path, writes) -> None:
    await post(path, SERIAL)
    assert [call.path for call in cloud.writes] == [path] * writes


async def test_rate_limit(cloud, post) -> None:
    cloud.calls_per_second = 2
    cloud.add_fault(Fault("http_500", times=3))
    assert [(await post(LIST)).status for _ in range(3)] == [500, 500, 429]
    await asyncio.sleep(1.05)
    assert [(await post(LIST)).status for _ in range(3)] == [500, 200, 429]


ENVELOPES = {
    "network_anomaly": (200, "500", "Network Anomaly"),
    "network_error": (200, "500", "NETWORK_ERROR"),
    "device_timeout": (200, "500", "Device connection timed out"),
    "access_denied": (200, "401", "ACCESS_DENIED"),
    "rate_limited": (429, "429", "TOO_MANY_REQUESTS"),
    "rate_limited_in_body": (200, "429", "TOO_MANY_REQUESTS"),
}
NO_JSON = {"http_502_html": 502, "empty_body": 200, "html": 200, "garbage": 200, "truncated": 200, "redirect": 302}
DATA = {
    "wrong_types": lambda data: all(isinstance(value, list) for point in data[4:] for value in point.values()),
    "text_data": lambda data: data == "text",
    "null_data": lambda data: data is None,
    "empty_data": lambda data: data == [],
    "points_without_values": lambda data: {point["pointValue"] for point in data} == {""} and data[9]["pointNameCn"],
}
NO_ANSWER = {"hang": TimeoutError, "slow_drip": TimeoutError, "drop": aiohttp.ClientError}


@pytest.mark.parametrize("kind", get_args(FaultKind))
async def test_fault(cloud, post, kind) -> None:
    cloud.add_fault(Fault(kind, times=1))
    if kind in NO_ANSWER:
        with pytest.raises(NO_ANSWER[kind]):
            await asyncio.wait_for(post(POINTS, SERIAL), 0.2)
    else:
        answer = await post(POINTS, SERIAL)
        if kind in ENVELOPES:
            status, code, info = ENVELOPES[kind]
            assert (answer.status, answer.json) == (status, {"code": code, "data": None, "info": info})
        elif kind in NO_JSON:
            assert answer.status == NO_JSON[kind]
            with pytest.raises(ValueError):  # noqa: PT011  UnicodeDecodeError or JSONDecodeError
                _ = answer.json
        elif kind in DATA:
            assert DATA[kind](answer.json["data"])
        else:
            assert (kind, answer.status) == ("http_500", 500)
    assert cloud.calls[0].outcome == kind
    assert (await post(POINTS, SERIAL)).json["code"] == "200"


async def test_faults_hit_what_they_name_the_oldest_first(cloud, post) -> None:
    cloud.add_fault(Fault("http_500", path=POINTS, serial=SERIAL, times=1))
    cloud.add_fault(Fault("http_502_html"))
    assert [(await post(POINTS, MODULE)).status, (await post(STATION, SERIAL)).status] == [502, 502]
    assert [(await post(POINTS, SERIAL)).status for _ in range(2)] == [500, 502]
    cloud.clear_faults()
    assert (await post(POINTS, SERIAL)).status == 200


async def test_control(cloud, post, session) -> None:
    control = f"{cloud.url}/control/faults"
    for order, status in (('{"kind": "http_500"}', 200), ('{"kind": "x"}', 400), ("[]", 400), ("no json", 400)):
        async with session.post(control, data=order) as response:
            assert response.status == status
            json.loads(await response.read())
    assert (await post(LIST)).status == 500
    await session.delete(control)
    assert (await post(LIST)).status == 200
