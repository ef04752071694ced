"""A replay returns the recorded answer."""

from datetime import UTC, datetime
import json

import pytest

from emulator.dyness.devices import PAYLOADS, stamp
from emulator.dyness.replay import Replay, replay_all

PAYLOAD = PAYLOADS / "powerhaus.json"
NOW = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
POINTS = [
    {"flag": False, "pointId": "T", "pointValue": "2026-03-23 21:57:27", "pointNameCn": "数据采集时间"},
    {"flag": False, "pointId": "600", "pointValue": None, "pointNameCn": "平均电压"},
]


def test_payload() -> None:
    recorded = json.loads(PAYLOAD.read_text())
    device = Replay.from_file(PAYLOAD, current=False)
    assert (device.serial, device.listed) == (recorded["listing"]["deviceSn"], True)
    assert device.points(NOW) == recorded["points"]
    assert (device.listing(NOW), device.detail(NOW)) == (recorded["listing"], recorded["detail"])
    assert device.station() == recorded["station"]


def test_current_replaces_the_times_only() -> None:
    recorded = json.loads(PAYLOAD.read_text())["points"]
    device = Replay.from_file(PAYLOAD, serial="OTHER-BDU")
    points = device.points(NOW)
    changed = {new["pointId"]: new["pointValue"] for old, new in zip(recorded, points, strict=True) if old != new}
    assert changed == dict.fromkeys(("T", "TIME"), stamp(device.sample_time(NOW)))
    assert device.listing(NOW)["deviceSn"] == device.detail(NOW)["deviceSn"] == "OTHER-BDU"
    assert (device.listing(NOW)["collectorSn"], device.detail(NOW)["collectorSn"]) == ("OTHER", None)


@pytest.mark.parametrize("content", [POINTS, {"code": "200", "data": POINTS, "info": ""}])
def test_bare_points(tmp_path, content) -> None:
    file = tmp_path / "tower.json"
    file.write_text(json.dumps(content))
    (device,) = replay_all(file, current=False)
    assert device.points(NOW) == POINTS
    assert device.serial == device.listing(NOW)["deviceSn"] == "tower-BMS"
