import asyncio
import base64
from datetime import timedelta
import hashlib
import hmac

import aiohttp
import pytest

from emulator.dyness.cloud import DynessCloud, is_signed
from emulator.dyness.powerhaus import PowerHaus
from emulator.server import Call

LIST = "/v1/device/storage/list"
POINTS = "/v1/device/realTime/data"
SERIAL = "R07E00000000DEMO-BMS"
MODULE = "DEMO000000000001"
DATE = "Thu, 17 Sep 2026 14:00:00 GMT"
# dyness-api 1.3
VECTORS = [
    (LIST, b"{}", "mZFLkyvTelC5g8XnyQrpOw==", "XkJQyL+Ur/c0QGjGfFPxQ/FDrEE="),
    (POINTS, b'{"deviceSn":"TEST-BMS"}', "hy4CxdnMWq6He6pG4Z/xIQ==", "+XLK2oDPA2y7kEG54xos8mQ5Nn4="),
]


def signed(vector, **changes):
    path, body, digest, sign = vector
    request = {
        "method": "POST",
        "path": path,
        "body": body,
        "headers": {
            "Content-Type": "application/json",
            "Content-MD5": digest,
            "Date": DATE,
            "Authorization": f"API demo-app-id:{sign}",
        },
        "app_id": "demo-app-id",
        "app_secret": "demo-app-secret",
    }
    request["headers"] |= changes.pop("headers", {})
    return is_signed(**(request | changes))


@pytest.mark.parametrize("vector", VECTORS)
def test_signature_vectors(vector) -> None:
    assert signed(vector)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"path": "/openapi/ems-device" + LIST},
        {"body": b"{ }"},
        {"app_id": "other"},
        {"app_secret": "other"},
        {"headers": {"Date": "Thu, 17 Sep 2026 14:00:01 GMT"}},
        {"headers": {"Date": ""}},
        {"headers": {"Content-Type": "text/plain"}},
        {"headers": {"Content-MD5": hashlib.md5(b"{}", usedforsecurity=False).hexdigest()}},
        {"headers": {"Content-MD5": base64.b64encode(b"wrong").decode()}},
        {"headers": {"Authorization": VECTORS[0][3]}},
        {"headers": {"Authorization": f"api demo-app-id:{VECTORS[0][3]}"}},
        {"headers": {"Authorization": f"API other:{VECTORS[0][3]}"}},
        {"headers": {"Authorization": f"API demo-app-id:{VECTORS[1][3]}"}},
    ],
)
def test_signature_of_anything_else(change) -> None:
    assert not signed(VECTORS[0], **change)


def test_a_date_is_needed() -> None:
    path, body, digest, _ = VECTORS[0]
    text = f"POST\n{digest}\napplication/json\n\n{path}"
    sign = base64.b64encode(hmac.digest(b"demo-app-secret", text.encode(), "sha1")).decode()
    assert not signed((path, body, digest, sign), headers={"Date": ""})


async def test_signature_over_http(cloud, post) -> None:
    assert (await post(LIST)).json["info"] == "Request successful"
    answer = await post(LIST, secret="other")
    assert (answer.status, answer.json) == (200, {"code": "401", "data": None, "info": "ACCESS_DENIED"})
    answer = await post(LIST, headers={"Content-Type": "text/plain"})
    assert answer.json["code"] == "401"
    assert [call.outcome for call in cloud.calls] == ["200", "401", "401"]


async def test_list(post) -> None:
    data = (await post(LIST)).json["data"]
    assert (data["pageNum"], data["pageSize"], data["total"]) == (1, 10, 1)
    (item,) = data["list"]
    assert item["deviceSn"] == SERIAL
    assert item["collectorSn"] == "R07E00000000DEMO"
    assert item["deviceModelCode"] == "145"


async def test_paging(cloud, post) -> None:
    cloud.devices = {f"S{n:02}-BMS": PowerHaus(serial=f"S{n:02}-BMS") for n in range(23)}

    async def page(**fields):
        data = (await post(LIST, **fields)).json["data"]
        return data["total"], [item["deviceSn"] for item in data["list"]]

    serials = list(cloud.devices)
    assert await page() == (23, serials[:10])
    assert await page(pageNum=3) == (23, serials[20:])
    assert await page(pageNum="2", pageSize="20") == (23, serials[20:])
    assert await page(pageNum=9) == (23, [])
    assert await page(deviceSn="S07-BMS") == (1, ["S07-BMS"])
    for wrong in ({"pageSize": 0}, {"pageSize": 201}, {"pageNum": "x"}, {"pageNum": None}):
        assert (await post(LIST, **wrong)).json["code"] == "500"


async def test_unlisted_devices_still_answer(cloud, post) -> None:
    cloud.devices[SERIAL].listed = False
    assert (await post(LIST)).json["data"] == {"list": [], "pageNum": 1, "pageSize": 10, "total": 0}
    assert (await post(POINTS, SERIAL)).json["code"] == "200"


async def test_devices_may_come_and_go(cloud, post) -> None:
    cloud.devices["NEW-BMS"] = PowerHaus(serial="NEW-BMS")
    assert (await post(LIST)).json["data"]["total"] == 2
    assert (await post(POINTS, "NEW-BMS")).json["code"] == "200"
    del cloud.devices["NEW-BMS"]
    assert (await post(POINTS, "NEW-BMS")).json["code"] == "500"


async def test_points_are_strings(post) -> None:
    points = (await post(POINTS, SERIAL)).json["data"]
    assert len(points) == 92
    assert all(set(point) == {"flag", "pointId", "pointValue", "pointNameCn"} for point in points)
    assert all(isinstance(point["pointValue"], str) for point in points)


async def test_module_answers_but_is_not_listed(post) -> None:
    points = {point["pointId"]: point["pointValue"] for point in (await post(POINTS, MODULE)).json["data"]}
    assert points["10000"] == MODULE
    cells = [float(points[str(10300 + 100 * cell)]) for cell in range(int(points["10200"]))]
    assert sum(cells) == pytest.approx(float(points["13500"]), abs=0.01)
    master = {point["pointId"]: point["pointValue"] for point in (await post(POINTS, SERIAL)).json["data"]}
    assert f"{max(cells):.3f}" == master["1300"]
    assert cells.index(max(cells)) + 1 == int(master["1402"])
    assert (points["T"], points["13400"]) == (master["T"], master["700"])
    assert int(float(points["14000"])) == int(master["800"])
    assert MODULE not in [item["deviceSn"] for item in (await post(LIST)).json["data"]["list"]]


@pytest.mark.parametrize("fields", [{}, {"deviceSn": ""}, {"deviceSn": "NOBODY-BMS"}, {"deviceSn": 7}])
async def test_unknown_serial(post, fields) -> None:
    answer = await post(POINTS, **fields)
    assert (answer.status, answer.json) == (200, {"code": "500", "data": None, "info": "Device ID Cannot Be Empty"})


async def test_other_reads(post) -> None:
    detail = (await post("/v1/device/household/storage/detail", SERIAL)).json["data"]
    assert detail["deviceSn"] == SERIAL
    assert (await post("/v1/station/info", SERIAL)).json["data"]["batteryCapacity"] == "5.12"
    history = (await post("/v1/device/getLastPowerDataBySn", SERIAL, pageSize=1)).json["data"]
    assert [history[0]["createTime"], history[1]["createTime"]] == ["2026-03-22 23:00:00", "2026-03-22 23:05:00"]
    assert history[-1]["createTime"] == "2026-03-23 21:55:00"
    assert len(history) == 276
    assert {value for bucket in history for key, value in bucket.items() if key != "createTime"} == {None}
    running = (await post("/v1/device/getLastRunningDataBySn", SERIAL)).json["data"]
    assert len(running) == 87
    assert {key for key, value in running.items() if value is not None} == {"dateTime", "sn", "lastUpdateTime"}


@pytest.mark.parametrize(
    ("path", "info"),
    [
        ("/v1/device/bindSn", "The device is bound by someone else"),
        ("/v1/device/unBindSn", "Network Anomaly"),
        ("/v1/device/batchUnBindSn", "Network Anomaly"),
        ("/v1/battery/setting/set", "Network Anomaly"),
        ("/v1/systemTime/setting/single/set", "Network Anomaly"),
        ("/v1/inverter/setting/single/set", "Network Anomaly"),
        ("/v1/device/control/toggle", "Network Anomaly"),
        ("/v1/control/setGirdConnectedPowerLimit", "Network Anomaly"),
        ("/v1/device/writeBatch", "Network Anomaly"),
        ("/v1/group/removeSnByGroup", "Network Anomaly"),
        ("/v1/group/batchSetChargeConfig", "Network Anomaly"),
        ("/v1/equipment/group/delete", "Network Anomaly"),
        ("/v2/device/SetWorkModeSetting", "Network Anomaly"),
    ],
)
async def test_writes_are_refused_and_recorded(cloud, post, path, info) -> None:
    answer = await post(path, SERIAL)
    assert (answer.status, answer.json) == (200, {"code": "500", "data": None, "info": info})
    assert cloud.writes == cloud.calls == [Call(at=cloud.clock(), path=path, serial=SERIAL, outcome="500")]


async def test_reads_are_not_writes(cloud, post) -> None:
    for path in (LIST, POINTS, "/v1/device/read", "/v1/battery/setting/detail", "/v2/device/GetBatterySetting"):
        await post(path, SERIAL)
    assert len(cloud.calls) == 5
    assert cloud.writes == []


async def test_method_and_path(cloud, post, session) -> None:
    async with session.get(f"{cloud.url}/openapi/ems-device{LIST}") as response:
        assert response.status == 405
    answer = await post("/v1/device/storage/lists")
    assert (answer.status, answer.json["status"], "code" in answer.json) == (404, 404, False)
    async with session.post(f"{cloud.url}/openapi/emsdevice{LIST}") as response:
        assert response.status == 404


async def test_rate_limit(cloud, post) -> None:
    cloud.calls_per_second = 2
    answers = [await post(LIST) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].json == {"code": "429", "data": None, "info": "TOO_MANY_REQUESTS"}
    await asyncio.sleep(1.05)
    assert [(await post(LIST)).status for _ in range(3)] == [200, 200, 429]


async def test_refused_calls_do_not_prolong_the_limit(cloud, post) -> None:
    cloud.calls_per_second = 1
    await post(LIST)
    await asyncio.sleep(0.6)
    assert (await post(LIST)).status == 429
    await asyncio.sleep(0.45)
    assert (await post(LIST)).status == 200


async def test_calls_carry_the_time_of_the_cloud(cloud, post) -> None:
    start = cloud.clock()
    times = iter(start + timedelta(minutes=5) * step for step in range(9))
    cloud.clock = lambda: next(times)
    await post("/v1/nothing", SERIAL)
    await post("/v1/nothing")
    assert cloud.calls == [
        Call(at=start, path="/v1/nothing", serial=SERIAL, outcome="404"),
        Call(at=start + timedelta(minutes=5), path="/v1/nothing", serial=None, outcome="404"),
    ]


async def test_restart_on_the_same_port(cloud, post) -> None:
    url, port = cloud.url, int(cloud.url.rsplit(":", 1)[1])
    await cloud.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await post(LIST)
    await cloud.start(port=port)
    assert cloud.url == url
    assert (await post(LIST)).status == 200


def test_no_url_before_the_start() -> None:
    with pytest.raises(RuntimeError):
        _ = DynessCloud(devices=[]).url
