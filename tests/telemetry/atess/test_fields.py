"""Every field of a record, and the traps of its names."""

from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.dyness_atess.telemetry.atess.decoder import ConverterDecoder
from custom_components.dyness_atess.telemetry.atess.fields import FIELDS, Measure
from custom_components.dyness_atess.telemetry.raw import Point
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import LIFETIME, Key

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
NAMES: list[str] = json.loads(Path(__file__).with_name("pbd_fields.json").read_text())
CONNECTED = {"status": 2, "vpv": 620, "ipv": 10, "vbat": 520, "ibat": 10}


def decode(kind: str = "pbd", **record: Any) -> Reading:
    """Decode a first record of a battery whose sign is known."""
    return ConverterDecoder(kind, battery_sign=1).decode(record, NOW)


def test_every_field_has_one_row() -> None:
    assert len(NAMES) == 78
    assert sorted(row.name for row in FIELDS["pbd"]) == sorted(NAMES)
    for rows in FIELDS.values():
        assert len({row.name for row in rows}) == len(rows)


def test_only_powers_and_the_serial_are_no_quantity() -> None:
    without = {row.name: row.measure for row in FIELDS["pbd"] if row.key is None}
    assert without.pop("deviceSn") is Measure.TEXT
    assert set(without.values()) == {Measure.POWER}
    keys = [row.key for row in FIELDS["pbd"] if row.key]
    assert len(keys) == len(set(keys))
    assert {row.key for rows in FIELDS.values() for row in rows if row.measure is Measure.LIFETIME} <= LIFETIME


@pytest.mark.parametrize(
    ("record", "key", "value"),
    [
        # capacity is the state of charge, not Ah; 0 % of a battery without voltage is no data.
        ({"capacity": "87"}, Key.SOC, 87),
        ({"capacity": 0, "vbat": 0, "echargeToday": 1}, Key.SOC, None),
        # mvpv is the mean cell voltage, and has nothing to do with the inputs.
        ({"mvpv": 3.3550000190734863}, Key.CELL_VOLTAGE_AVERAGE, 3.355),
        ({"mvpv": 65.526}, Key.CELL_VOLTAGE_AVERAGE, None),
        # Volt is the voltage, VoltCell where it is.
        ({"maxVolt": 3.436, "minVolt": 3.326}, Key.CELL_VOLTAGE_SPREAD, 110),
        ({"maxVoltCell": 11}, Key.CELL_VOLTAGE_MAX_CELL, 11),
        ({"minVoltCell": 4.5}, Key.CELL_VOLTAGE_MIN_CELL, None),
        ({"maxVoltNum": 2}, Key.CELL_VOLTAGE_MAX_MODULE, 2),
        ({"minVoltGroup": 3}, Key.CELL_VOLTAGE_MIN_GROUP, 3),
        ({"minTemp": -5}, Key.CELL_TEMPERATURE_MIN, -5),
        ({"minTempNum": 7}, Key.CELL_TEMPERATURE_MIN_SENSOR, 7),
        (CONNECTED | {"maxChargeCurr": 200}, Key.CHARGE_CURRENT_LIMIT, 200),
        # checkTime is a duration, no time of day.
        ({"checkTime": 60.0}, Key.SELF_CHECK_TIME, 60),
        # Today minutes, in total hours.
        ({"epvTimeToday": 607.0999755859375}, Key.PV_TIME_TODAY, 607.1),
        ({"echargeTimeToday": 1501}, Key.CHARGE_TIME_TODAY, None),
        ({"ebatChargeTimeTotal": 1501}, Key.CHARGE_TIME, 1501),
        # Single precision, and a small negative number that is read as unsigned.
        ({"outTotalDischarge": 52428.80078125}, Key.OUTPUT_ENERGY, 52428.8),
        ({"epvToday": 6553.5}, Key.PV_ENERGY_TODAY, None),
        (CONNECTED | {"vpv2": 6553.1}, Key.PV2_VOLTAGE, None),
        (CONNECTED | {"temp": 6553.1}, Key.AMBIENT_TEMPERATURE, None),
        (CONNECTED | {"temp": -12.5}, Key.AMBIENT_TEMPERATURE, -12.5),
        # There is neither vpv1 nor ipv1 nor ipv2; an offset is no input.
        ({"vpv": 620.5, "status": 2}, Key.PV1_VOLTAGE, 620.5),
        (CONNECTED | {"vpv2": 610, "ipv2dc": 9}, Key.PV2_CURRENT, 9),
        (CONNECTED | {"vpv3": 3.5, "ipv3": 0.1}, Key.PV3_VOLTAGE, None),
        # Powers are products, whatever the cloud's own say.
        (CONNECTED | {"ppv": 7, "ppv1": 9}, Key.PV_POWER, 6200),
        (CONNECTED | {"pac": 9.9}, Key.POWER, 5200),
        (CONNECTED | {"ibat": -10}, Key.POWER, -5200),
        (CONNECTED | {"outv": 700, "outi": 11, "outPower": 1}, Key.OUTPUT_POWER, 7700),
        (CONNECTED | {"vpv": None}, Key.PV_POWER, None),
        (CONNECTED | {"ibat": 0.9}, Key.STATUS, "idle"),
        (CONNECTED | {"ibat": 1}, Key.STATUS, "discharging"),
        (CONNECTED | {"ibat": -1}, Key.STATUS, "charging"),
        ({"status": 6}, Key.DEVICE_STATUS, "single_pv"),
        ({"status": 5}, Key.DEVICE_STATUS, None),
        ({"status": "2"}, Key.DEVICE_STATUS, "running"),
        ({"status": 2.5}, Key.DEVICE_STATUS, None),
        ({"status": 2, "runModel": 1}, Key.RUN_MODE, "ems"),
        ({"bmsStatus": 3}, Key.BATTERY_STATUS, "discharge_disabled"),
        ({"bmsStatus": 6}, Key.BATTERY_STATUS, None),
        ({"systemNo": 0, "status": 2}, Key.PARALLEL_SYSTEM_NUMBER, 0),
    ],
)
def test_value(record: dict[str, Any], key: Key, value: float | str | None) -> None:
    assert decode(**record).values.get(key) == value


@pytest.mark.parametrize(
    ("record", "key", "value"),
    [
        ({"fac": 49.98, "status": 5}, Key.OUTPUT_FREQUENCY, 49.98),
        ({"fac": 4998, "status": 5}, Key.OUTPUT_FREQUENCY, None),
        ({"status": 2}, Key.DEVICE_STATUS, "on_grid"),
        ({"status": 7}, Key.DEVICE_STATUS, "switching_off_grid"),
        ({"status": 2, "temp6": 31.5}, Key.AMBIENT_TEMPERATURE, 31.5),
        # Of models for high voltage vpv is one half.
        ({"status": 2, "vpv": 400, "pv1Volt": 800, "ipv": 10}, Key.PV1_POWER, 8000),
        ({"status": 2, "vpv": 400, "pv1Volt": 0, "ipv": 10}, Key.PV_POWER, 4000),
        # What further inputs give is not known.
        ({"status": 2, "vpv": 400, "ipv": 10, "pv2Volt": 400}, Key.PV_POWER, None),
        ({"eloadTotal": 5000.1}, Key.LOAD_ENERGY, 5000.1),
        # Nothing confirms its unit yet.
        ({"loadActivePower": 5, "status": 2}, Key.LOAD_POWER, None),
    ],
)
def test_value_of_an_hps(record: dict[str, Any], key: Key, value: float | str | None) -> None:
    assert decode("hps", **record).values.get(key) == value


@pytest.mark.parametrize(
    ("record", "flags"),
    [
        ({"status": 2}, {Key.FAULT: False}),
        ({"status": 3}, {Key.FAULT: True}),
        ({"status": 9}, {}),
        ({"bmsStatus": 1}, {Key.CHARGE_ENABLED: False, Key.DISCHARGE_ENABLED: False}),
        ({"bmsStatus": 2}, {Key.CHARGE_ENABLED: False, Key.DISCHARGE_ENABLED: True}),
        ({"bmsStatus": 0, "capacity": 50}, {}),
        ({"bmsVoltStatus": 1}, {Key.BATTERY_RELAY: True}),
        ({"bmsVoltStatus": 0, "capacity": 50}, {}),
        ({"vbat": 500, "ibat": -20}, {Key.CHARGING: True}),
    ],
)
def test_flags(record: dict[str, Any], flags: dict[Key, bool]) -> None:
    assert decode(**record).flags == flags


def test_what_nobody_understands_is_kept() -> None:
    reading = decode(
        capacity=5, status=5, bmsVoltStatus=2, new=5, deviceSn="UMD0D00000", vbat="n/a", temp={"a": 1}, ppv="", pac=None
    )
    assert {(point.id, point.value) for point in reading.unknown} == {
        *(("status", "5"), ("bmsVoltStatus", "2"), ("new", "5"), ("vbat", "n/a"))
    }
    assert [point.id for point in decode(status=2, vbat=10**400).unknown] == ["vbat"]
    assert decode(status=2, mvpv=65.5).implausible == (Point(id="mvpv", name="", value="65.5"),)


def test_what_has_been_seen_may_become_zero() -> None:
    decoder = ConverterDecoder("pbd")
    first = {"status": 2, "maxChargeCurr": 0, "bmsVoltStatus": 0, "bmsStatus": 0, "vpv3": 0, "vbat": 500}
    seen = {Key.CHARGE_CURRENT_LIMIT, Key.BATTERY_STATUS, Key.PV3_VOLTAGE}
    assert not seen & decoder.decode(first, NOW).values.keys()
    decoder.decode({"maxChargeCurr": 200, "bmsVoltStatus": 1, "bmsStatus": 4, "vpv3": 620, "vbat": 500}, NOW)
    reading = decoder.decode(first, NOW)
    assert [reading.values[key] for key in sorted(seen)] == ["idle", 0, 0]
    assert not reading.flags[Key.BATTERY_RELAY]
    assert decoder.decode({"capacity": 50, "vbat": 500}, NOW).values[Key.SOC] == 50
    assert Key.SOC not in decoder.decode({"capacity": 0, "vbat": 0, "temp": 20}, NOW).values


@pytest.mark.parametrize(
    "data",
    [
        *(None, {}, [], "", "null", 0, 1.5, True, [{"status": 2}]),
        dict.fromkeys(NAMES, 0) | {"deviceSn": "UMD0D00000", "time": "2026-06-21 12:00:00"},
        dict.fromkeys(NAMES, "0.0") | {"more": 0},
        dict.fromkeys(NAMES),
    ],
)
def test_empty(data: Any) -> None:
    reading = ConverterDecoder("pbd").decode(data, NOW)
    assert reading.empty
    assert reading.family == "pbd"
