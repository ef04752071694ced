from datetime import UTC, datetime
import json
from pathlib import Path

import pytest

from emulator.dyness.replay import Replay, replay_all

PAYLOAD = Path(__file__).parents[3] / "emulator/dyness/payloads/powerhaus.json"
NOW = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
POINTS = [
    {"flag": False, "pointId": "T", "pointValue": "2026-03-23 21:57:27", "pointNameCn": "数据采集时间"},
    {"flag": False, "pointId": "600", "pointValue": None, "pointNameCn": "平均电压"},
]


@pytest.fixture
def write(tmp_path):
    def file(content):
        path = tmp_path / "tower.json"
        path.write_text(json.dumps(content))
        return path

    return file


def test_payload() -> None:
    recorded = json.loads(PAYLOAD.read_text())
    device = Replay.from_file(PAYLOAD, current=False)
    assert device.serial == "R07E00000000DEMO-BMS"
    assert device.listed
    assert device.points(NOW) == recorded["points"]
    assert device.listing(NOW) == recorded["listing"]
    assert device.detail(NOW) == recorded["detail"]
    assert device.station() == recorded["station"]


def test_current_replaces_the_times_only() -> None:
    recorded = json.loads(PAYLOAD.read_text())["points"]
    device = Replay.from_file(PAYLOAD)
    points = device.points(NOW)
    changed = {new["pointId"]: new["pointValue"] for old, new in zip(recorded, points, strict=True) if old != new}
    time = device.sample_time(NOW).strftime("%Y-%m-%d %H:%M:%S")
    assert changed == {"T": time, "TIME": time}
    assert time.startswith("2027-01-02 0")


def test_another_serial() -> None:
    device = Replay.from_file(PAYLOAD, serial="OTHER-BDU")
    assert device.serial == device.listing(NOW)["deviceSn"] == device.detail(NOW)["deviceSn"] == "OTHER-BDU"
    assert device.listing(NOW)["collectorSn"] == "OTHER"
    assert device.detail(NOW)["collectorSn"] is None


@pytest.mark.parametrize("content", [POINTS, {"code": "200", "data": POINTS, "info": "Request successful"}])
def test_bare_points(write, content) -> None:
    (device,) = replay_all(write(content), current=False)
    assert device.points(NOW) == POINTS
    assert device.serial == device.listing(NOW)["deviceSn"] == "tower-BMS"
    assert device.listed
    assert device.detail(NOW) is device.station() is None
    assert Replay.from_file(write(content), serial="X").serial == "X"


def test_diagnostics(write) -> None:
    master = {"serial": "a1", "listing": {"deviceSn": "**REDACTED**"}, "detail": None, "station": {"x": "1"}}
    module = {"serial": "b2", "listing": None, "points": POINTS[:1]}
    content = {"home_assistant": {}, "data": {"devices": [master | {"points": POINTS}, module]}}
    first, second = replay_all(write(content))
    assert (first.serial, first.listing(NOW), first.listed) == ("a1", {"deviceSn": "a1"}, True)
    assert (first.detail(NOW), first.station()) == (None, {"x": "1"})
    assert (second.serial, second.listing(NOW), second.listed) == ("b2", None, False)
    assert [point["pointId"] for point in second.points(NOW)] == ["T"]
    assert Replay.from_file(write(content)).serial == "a1"


@pytest.mark.parametrize("content", [{}, {"code": "500", "data": None}, {"data": {"devices": []}}, "text"])
def test_anything_else(write, content) -> None:
    with pytest.raises(ValueError, match="holds no recorded device"):
        replay_all(write(content))


async def test_over_http(cloud, post) -> None:
    cloud.devices = {device.serial: device for device in replay_all(PAYLOAD, current=False)}
    recorded = json.loads(PAYLOAD.read_text())
    answer = await post("/v1/device/realTime/data", "R07E00000000DEMO-BMS")
    assert answer.json == {"code": "200", "data": recorded["points"], "info": "Request successful"}
    assert (await post("/v1/device/storage/list")).json["data"]["list"] == [recorded["listing"]]
