"""The low-voltage family: the seed's payload, its traps, and whatever else a cloud may send."""

from datetime import UTC, datetime
import json
import math
from pathlib import Path
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.dyness_atess.telemetry.dyness.decoder import decode
from custom_components.dyness_atess.telemetry.dyness.families.low_voltage import LOW_VOLTAGE
from custom_components.dyness_atess.telemetry.dyness.points import sample_time
from custom_components.dyness_atess.telemetry.raw import number
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import PROTECTIONS, WARNINGS, Key

PAYLOAD = Path(__file__).parents[3] / "emulator" / "dyness" / "payloads" / "powerhaus.json"
SEED: list[dict[str, Any]] = json.loads(PAYLOAD.read_text(encoding="utf-8"))["points"]


def seed(**changes: Any) -> list[dict[str, Any]]:
    """Return the seed's points with other values, by point id behind an underscore."""
    values = {name.removeprefix("_"): value for name, value in changes.items()}
    return [point | ({"pointValue": values[point["pointId"]]} if point["pointId"] in values else {}) for point in SEED]


SEED_VALUES = """
soc 100 soh 100 voltage 53.2 current 0 power 0 module_count 1 cell_voltage_spread 2
cell_voltage_max 3.327 cell_voltage_max_module 1 cell_voltage_max_cell 1
cell_voltage_min 3.325 cell_voltage_min_module 1 cell_voltage_min_cell 2
cell_temperature_max 15.0 cell_temperature_max_module 1 cell_temperature_max_sensor 1
cell_temperature_min 14.9 cell_temperature_min_module 1 cell_temperature_min_sensor 2
mosfet_temperature_max 17.3 bms_temperature_max 11.1 bms_temperature_min 11.1
charge_voltage_limit 56.5 discharge_voltage_limit 48 charge_current_limit 0 discharge_current_limit 100
"""
SEED_TIME = datetime(2026, 3, 23, 21, 57, 27, tzinfo=UTC)


def test_seed() -> None:
    reading = decode(SEED)
    assert reading.family == "low_voltage"
    keys, texts = SEED_VALUES.split()[::2], SEED_VALUES.split()[1::2]
    expected = dict(zip(keys, map(float, texts), strict=True))
    assert reading.values == expected | {"status": "idle", "last_report": SEED_TIME}
    bits = {key for rule in LOW_VOLTAGE.rules for key in rule.keys if key in WARNINGS | PROTECTIONS}
    assert len(bits) == 22
    expected_off = {*bits, Key.ALARM, Key.WARNING, Key.CHARGING, Key.CHARGE_ENABLED, Key.FULL_CHARGE_REQUESTED}
    expected_off |= {Key.FORCE_CHARGE_1, Key.FORCE_CHARGE_2}
    assert reading.flags == {key: key is Key.DISCHARGE_ENABLED for key in expected_off | {Key.DISCHARGE_ENABLED}}
    assert reading.sampled_at == SEED_TIME
    assert reading.firmware == "2.50-62.0.11"
    assert reading.modules == ("DEMO000000000001",)
    assert not reading.unknown
    assert not reading.implausible
    assert math.copysign(1, float(reading.values[Key.CURRENT])) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("current", "status", "power"),
    [
        ("12.5", "charging", -665.0),
        ("-12.5", "discharging", 665.0),
        ("0.4", "idle", -21.3),
        ("-0.5", "discharging", 26.6),
    ],
)
def test_signs(current: str, status: str, power: float) -> None:
    """The cloud's current is positive while charging (dyness-api 10.9); ours while discharging."""
    reading = decode(seed(_700=current))
    assert reading.values[Key.CURRENT] == -float(current)
    assert reading.values[Key.POWER] == power
    assert reading.values[Key.STATUS] == status
    assert reading.flags[Key.CHARGING] == (status == "charging")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"_800": "146"}, Key.SOC),
        ({"_1200": "-1"}, Key.SOH),
        ({"_1300": "3327"}, Key.CELL_VOLTAGE_MAX),
        ({"_1500": "0.0"}, Key.CELL_VOLTAGE_MIN),
        ({"_1800": "-273.1"}, Key.CELL_TEMPERATURE_MAX),
        ({"_900": "27.8"}, Key.CYCLES),
        ({"_600": "6553.5"}, Key.VOLTAGE),
        ({"_700": "-3276.8"}, Key.CURRENT),
        ({"_3900": "6553.5"}, Key.DISCHARGE_CURRENT_LIMIT),
        ({"_400": "255"}, Key.MODULE_COUNT),
        ({"_1401": "2", "_1400": "513"}, Key.CELL_VOLTAGE_MAX_MODULE),
    ],
)
def test_what_cannot_be_is_not_shown(changes: dict[str, str], key: Key) -> None:
    reading = decode(seed(**changes))
    assert key not in reading.values
    assert {point.value for point in reading.implausible} == set(changes.values())


def test_a_better_point_takes_the_place_of_one_that_cannot_be() -> None:
    reading = decode(seed(_1401="255", _1402="0", _1400="258", _4100="65535", _3406="1", _3203="2"))
    assert (reading.values[Key.CELL_VOLTAGE_MAX_MODULE], reading.values[Key.CELL_VOLTAGE_MAX_CELL]) == (1, 2)
    assert reading.flags[Key.ALARM]
    assert Key.CELL_TEMPERATURE_LOW not in reading.flags
    assert {point.id for point in reading.implausible} == {"1401", "1402", "3203", "4100"}


@pytest.mark.parametrize("zero", ["0", "0.0", 0, "-0"])
def test_a_battery_without_voltage_says_nothing(zero: Any) -> None:
    reading = decode(seed(_600=zero, _800="0"))
    assert reading.empty
    assert reading.understood
    assert reading.implausible
    assert reading.sampled_at


@pytest.mark.parametrize(
    ("text", "modules"),
    [("null", ()), ("--", ()), ("0,N/A", ()), ("DEMO01-BDU-01, DEMO02-A,DEMO01-BDU-01", ("DEMO01-BDU-01", "DEMO02-A"))],
)
def test_modules_have_serial_numbers(text: str, modules: tuple[str, ...]) -> None:
    assert decode(seed(_SUB=text)).modules == modules


def test_alarms() -> None:
    top_of_charge = decode(seed(_3206="1", _3200="32"))
    assert top_of_charge.flags[Key.CELL_VOLTAGE_HIGH]
    assert top_of_charge.flags[Key.WARNING]
    assert not top_of_charge.flags[Key.ALARM]
    assert decode(seed(_4100="3")).flags[Key.ALARM]
    assert decode(seed(_3406="1")).flags[Key.ALARM]
    without_total = [point for point in SEED if point["pointId"] != "4100"]
    assert decode(without_total).flags[Key.ALARM] is False


@pytest.mark.parametrize("nothing", ["", None, " "])
def test_empty_is_no_value(nothing: str | None) -> None:
    reading = decode(seed(_700=nothing, _4100=nothing, _T=nothing))
    assert not reading.values.keys() & {Key.CURRENT, Key.POWER, Key.STATUS, Key.LAST_REPORT}
    assert Key.CHARGING not in reading.flags
    assert reading.sampled_at is None


@pytest.mark.parametrize(
    "text", ["NaN", "inf", "1e400", "-Infinity", "1_000", "１００", "0x10", "12,5", "1" * 5000, "电"]
)
def test_what_is_no_number_is_kept_as_unknown(text: str) -> None:
    reading = decode(seed(_600=text))
    assert not reading.values.keys() & {Key.VOLTAGE, Key.POWER}
    assert [point.value for point in reading.unknown] == [text]


def test_names_decide_where_ids_collide() -> None:
    """1400 is the state of charge of a tower (dyness-api 6.0)."""
    tower = [
        {"pointId": "1000", "pointValue": "-1.0", "pointNameCn": "电流"},
        {"pointId": "1100", "pointValue": "532.8", "pointNameCn": "总压"},
        {"pointId": "1400", "pointValue": "87", "pointNameCn": "SOC"},
    ]
    assert decode(tower).family == "high_voltage"
    assert decode(tower).values[Key.SOC] == 87
    renamed = [point | ({"pointNameCn": "SOC"} if point["pointId"] == "1400" else {}) for point in SEED]
    reading = decode(renamed)
    assert reading.values[Key.SOC] == 100
    assert [point.id for point in reading.unknown] == ["1400"]


def test_names_that_nobody_knows() -> None:
    """They are trusted where everything else fits, and the reading says so."""
    renamed = [point | {"pointNameCn": f"Field {point['pointId']}"} for point in SEED]
    reading = decode(renamed)
    assert reading.values == decode(SEED).values
    assert reading.by_position
    assert not decode(SEED).by_position
    # A value that cannot be, or too much that is something else: this is no such battery.
    assert decode([point | ({"pointValue": "230"} if point["pointId"] == "800" else {}) for point in renamed]).empty
    strange = [point | ({"pointNameCn": "绝缘电阻"} if number % 4 == 0 else {}) for number, point in enumerate(renamed)]
    assert decode(strange).empty


@pytest.mark.parametrize(
    ("point_id", "name", "key", "family"),
    [
        ("600", "电压频率", Key.VOLTAGE, "by_name"),
        ("800", "舱内湿度", Key.SOC, "by_name"),
        ("700", "总电流(mA)", Key.CURRENT, "low_voltage"),
        ("1300", "单芯电阻", Key.CELL_VOLTAGE_MAX, "low_voltage"),
        ("3800", "最大充电功率", Key.CHARGE_CURRENT_LIMIT, "low_voltage"),
        ("1800", "电池软件版本", Key.CELL_TEMPERATURE_MAX, "low_voltage"),
        ("1200", "最小SOC", Key.SOH, "low_voltage"),
    ],
)
def test_names_of_another_quantity(point_id: str, name: str, key: Key, family: str) -> None:
    """They refuse the point, and the family where it is essential."""
    reading = decode([point | ({"pointNameCn": name} if point["pointId"] == point_id else {}) for point in SEED])
    assert key not in reading.values
    assert reading.family == family


def test_duplicates_and_strangers() -> None:
    strangers = [
        {"pointId": "800", "pointValue": "3", "pointNameCn": "平均SOC"},
        {"pointId": "424242", "pointValue": "7", "pointNameCn": "新"},
        {"pointId": "195-196", "pointValue": "7"},
        {"pointId": 700, "pointValue": 3, "pointNameCn": None},
        "text",
        None,
        [],
        {"pointId": ["800"], "pointValue": {"nested": 1}, "pointNameCn": 5},
    ]
    reading = decode([*SEED, *strangers])
    assert reading.values[Key.SOC] == 100
    assert reading.values[Key.CURRENT] == 0
    assert [(point.id, point.value) for point in reading.unknown] == [
        ("800", "3"),
        ("424242", "7"),
        ("195-196", "7"),
        ("700", "3"),
    ]


@pytest.mark.parametrize("data", [None, {}, [], "text", 5, [[]], {"list": SEED}])
def test_nothing_to_decode(data: Any) -> None:
    assert decode(data) == Reading()
    assert decode(data).empty


def test_only_labels_are_empty() -> None:
    assert decode([point | {"pointValue": None} for point in SEED]).empty
    assert decode([point for point in SEED if point["pointId"] in ("T", "SUB")]).values == {}


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-23 21:57:27",
        "2026-03-23T21:57:27Z",
        "2026-03-23T21:57:27.480",
        "2026-03-23 22:57:27+01:00",
        "2026-03-23 22:57:27 UTC+01:00",
        "2026-03-23T16:57:27-0500",
    ],
)
def test_sample_time_is_utc_or_says_otherwise(text: str) -> None:
    taken_at = sample_time(text)
    assert taken_at is not None
    assert taken_at.replace(microsecond=0) == datetime(2026, 3, 23, 21, 57, 27, tzinfo=UTC)
    assert taken_at.tzinfo is UTC


@pytest.mark.parametrize("text", ["2026-13-01 00:00:00", "2026-03-23", "0", "yesterday", "0001-01-01T00:00:00+23:59"])
def test_what_is_no_time(text: str) -> None:
    assert sample_time(text) is None


@given(st.floats() | st.integers() | st.text())
def test_number(value: float | str) -> None:
    result = number(str(value))
    if result is None:
        return
    assert math.isfinite(result)
    assert result == pytest.approx(float(value))
