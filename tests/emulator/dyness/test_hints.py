"""What the cloud says beside the points, true or not: SUB, the power history, rows without a battery, new models."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
import sys

import pytest

from emulator.dyness.catalogue import CATALOGUE, build
from emulator.dyness.history import PowerHistory
from tests.emulator.dyness.test_decoding import DAWN, DAY, MOMENTS, STEP, assert_tells, names, numbers, values

KNOWN_NAMES = {
    "future-low-voltage": {
        "平均电压": "voltage",
        "平均SOC": "soc",
        "最小SOH": "soh",
        "单芯最高电压": "cell_voltage_max",
        "单芯最低电压": "cell_voltage_min",
        "单芯最高温度": "cell_temperature_max",
        "单芯最低温度": "cell_temperature_min",
        "温度": "temperature",
    },
    "future-high-voltage": {
        "总压": "voltage",
        "SOC": "soc",
        "SOH": "soh",
        "最高单压值": "cell_voltage_max",
        "最低单压值": "cell_voltage_min",
        "电池剩余电量": "energy_remaining",
        "电池额定电量": "energy_rated",
        "电池循环次数": "cycles",
        "累计充电电量": "energy_charged",
        "温度": "temperature",
    },
}


def subs(device, samples=24):
    return [values(device, now).get("SUB", "absent") for now in DAY[:samples]]


def test_all_modules_by_default() -> None:
    (device,) = build("dl5-3")
    assert set(subs(device)) == {"DEMODL53M01,DEMODL53M02,DEMODL53M03"}
    assert set(subs(build("dl5-4")[0])) == {",".join(f"DEMODL54-DYNESS0{number}" for number in range(1, 5))}


def test_flapping() -> None:
    """F10, F11: each sample something else, and the modules answer all the time."""
    (device,) = build("dl5-3-flapping")
    one, two, three = (module.serial for module in device.modules)
    seen = subs(device)
    assert seen[:8] != seen[8:16]
    assert {"absent", None, one, f"{one},{two},{three}", f"{three},{two},{one}"} <= set(seen)
    assert f"{device.serial},{one},{two},{three}" in seen
    partial = {text for text in seen if text and text.count(",") == 1}
    assert partial == {f"{one},{two}", f"{one},{three}", f"{two},{three}"}
    for now in DAY[:24]:
        assert [values(module, now)["10000"] for module in device.modules] == [one, two, three]
    assert all(values(device, now)["400"] == "3" for now in DAY[:24])


@pytest.mark.parametrize(
    ("turn", "expected"), [("null", None), ("empty", ""), ("absent", "absent"), ("single", "DEMODL52M01")]
)
def test_one_state_of_sub(turn, expected) -> None:
    (device,) = build("dl5-2", sub=(turn,))
    assert set(subs(device)) == {expected}
    device.sub = ("all",)
    assert set(subs(device)) == {"DEMODL52M01,DEMODL52M02"}


@pytest.mark.parametrize("name", ["dl5-3", "powerbrick-sc", "tower-t14", "tower-pair", "junior-box"])
def test_history(name) -> None:
    """Ascending from the local midnight, in UTC, with the newest bucket empty."""
    device = build(name)[0]
    now = DAY[60]
    records = device.power_history(now)
    times = [datetime.strptime(record["createTime"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for record in records]
    assert times[0] == datetime(2026, 3, 22, 23, tzinfo=UTC)
    assert {later - earlier for earlier, later in pairwise(times)} == {STEP}
    assert now - STEP < times[-1] <= now
    assert records[-1] == dict.fromkeys(records[-1]) | {"createTime": records[-1]["createTime"]}
    filled = [record for record in records if record["soc"] is not None]
    assert filled == records[: len(filled)]
    assert len(records) - len(filled) in (1, 2)
    last = filled[-1]
    assert isinstance(last["soc"], str)
    assert type(last["realTimePower"]) in (int, float)
    assert int(last["soc"]) == pytest.approx(device.truth(now)["soc"], abs=4)
    assert last["realTimePower"] * device.truth(now)["power"] < 0  # positive while charging
    for record, after in pairwise(filled):
        assert record["realTimePower"] >= 0 or int(after["soc"]) <= int(record["soc"])


def test_history_of_a_junior_box_is_not_of_the_pack() -> None:
    """dyness-api 3.4: 17 to 20 V, and a whole number."""
    records = [record for record in build("junior-box")[0].power_history(DAY[100]) if record["realTimePower"]]
    assert all(isinstance(record["realTimePower"], int) for record in records)
    strong = [record for record in records if abs(record["realTimePower"]) > 100]
    assert all(17 < record["realTimePower"] / record["realTimeCurrent"] < 20 for record in strong)
    assert strong


def test_history_of_a_powerhaus_is_null() -> None:
    records = build("powerhaus")[0].power_history(DAY[100])
    assert {value for record in records for key, value in record.items() if key != "createTime"} == {None}


def test_history_that_lies() -> None:
    def history(**options):
        return build("dl5-1", history=PowerHistory(**options))[0].power_history(DAY[120])

    true = history()
    assert [record["soc"] for record in history(shift=timedelta(hours=2))][24:-1] == [record["soc"] for record in true][
        :-25
    ]
    assert {record["soc"] for record in history(soc_only_null=True)} == {None}
    assert any(record["realTimePower"] for record in history(soc_only_null=True))
    assert [record["soc"] for record in history(null_tail=3)][-3:] == [None] * 3
    yesterday = history(yesterday=True)
    assert len(yesterday) == 288
    assert (yesterday[0]["createTime"], yesterday[-1]["createTime"]) == ("2026-03-21 23:00:00", "2026-03-22 22:55:00")
    assert yesterday[-2]["soc"] is not None


def test_history_ends_with_a_silent_dongle() -> None:
    (device,) = build("dl5-1", silent_since=DAY[60])
    records = device.power_history(DAY[120])
    filled = [record["createTime"] for record in records if record["soc"]]
    assert filled[-1] <= DAY[60].strftime("%Y-%m-%d %H:%M:%S")
    assert len(records) - len(filled) > 55


def test_rows_without_a_battery() -> None:
    """F17."""
    for name, serials in {
        "dl5-6-coordinator": ["DEMODL56COORDINATOR-BMS", "DEMODL56COORDINATORC-BMS"],
        "powerbox-g2-listed-twice": ["DEMOPOWERBOXG2LISTEDTWICE-BMS", "DEMOPOWERBOXG2LISTEDTWICE"],
    }.items():
        battery, row = build(name)
        assert [battery.listing(DAWN)["deviceSn"], row.listing(DAWN)["deviceSn"]] == serials
        assert battery.points(DAWN)
        assert (row.points(DAWN), row.truth(DAWN), list(row.modules)) == ([], {}, [])
        assert battery.listing(DAWN)["collectorSn"] == "DEMO" + name.upper().replace("-", "")


@pytest.mark.parametrize("name", KNOWN_NAMES)
def test_known_names_under_unknown_ids(name) -> None:
    (device,) = build(name)
    every = set()
    for other in CATALOGUE:
        if not other.startswith("future"):
            every |= {point for known in build(other) for point in values(known, DAWN)}
    assert set(values(device, DAWN)) & every == {"T", "SUB", "TIME"}
    for now in MOMENTS:
        texts, called = values(device, now), names(device, now)
        by_name = {called[point]: text for point, text in texts.items()}
        current = float(by_name["总电流" if name == "future-low-voltage" else "电流"])
        decoded = numbers(by_name, KNOWN_NAMES[name])
        assert decoded.keys() == set(KNOWN_NAMES[name].values())
        assert_tells(device, now, decoded | {"current": -current})
        assert {"均衡能量", "", "Humidity"} <= by_name.keys()


def test_nothing_is_known_of_the_nameless() -> None:
    (device,) = build("future-nameless")
    assert not set(names(device, DAWN).values()) & {"", *KNOWN_NAMES["future-high-voltage"]} - {""}
    assert "T" not in values(device, DAWN)
    assert device.truth(DAWN) == {}


async def test_command_line() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulator", "--port", "0", "--device", "tower-t14", "--device", "dl5-6-coordinator"),
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(10):
            line = (await process.stdout.readline()).decode()
    finally:
        process.kill()
        await process.wait()
    assert "DEMOTOWERT14-BDU, DEMODL56COORDINATOR-BMS, DEMODL56COORDINATORC-BMS." in line
