"""Every field of a PBD's record, and the traps of its names."""

from datetime import UTC, datetime
import json
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.dyness_atess.binary_sensor import BINARY_SENSORS
from custom_components.dyness_atess.sensor import SENSORS
from custom_components.dyness_atess.telemetry.atess.decoder import PbdDecoder
from custom_components.dyness_atess.telemetry.atess.fields import FIELDS, PV_POWER_FIELDS, Measure
from custom_components.dyness_atess.telemetry.atess.learning import PowerUnit
from custom_components.dyness_atess.telemetry.raw import Point
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import LIFETIME, Key

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
NAMES: list[str] = json.loads(Path(__file__).with_name("pbd_fields.json").read_text())
SEEDS = sorted((Path(__file__).parents[4] / "shared" / "seeds").glob("002_*.txt"))
CONNECTED = {"vpv": 620, "ipv": 10, "vbat": 520, "ibat": 10}


def decode(**record: Any) -> Reading:
    """Decode a first record of a cloud of known units."""
    return PbdDecoder(power_unit=PowerUnit.KILOWATT, battery_sign=1).decode(record, NOW)


def test_every_field_has_one_row() -> None:
    assert len(NAMES) == 78
    assert sorted(row.name for row in FIELDS) == sorted(NAMES)


@pytest.mark.skipif(not SEEDS, reason="the vendor's page is not here")
def test_the_list_is_the_vendors() -> None:
    schema = SEEDS[0].read_text(encoding="utf-8").partition("(OpenApiPbdDataVo)")[2]
    fields = re.findall(r"^(\w+)\n(?:integer|number|string).*\noptional$", schema, re.MULTILINE)
    assert fields == [*NAMES, "msg"]
    example = json.loads(schema.partition("\nExample\n")[2].rpartition("\nModified at")[0])
    assert list(example["data"]) == NAMES


def test_every_field_is_an_entity_or_a_property() -> None:
    entities = {description.key for description in (*SENSORS, *BINARY_SENSORS)}
    keys = [row.key for row in FIELDS if row.key]
    assert set(keys) <= entities
    assert len(keys) == len(set(keys))
    assert {row.name for row in FIELDS if not row.key} == {"deviceSn", *PV_POWER_FIELDS}
    assert {row.measure for row in FIELDS if not row.key} == {Measure.SERIAL, Measure.PV_POWER}
    assert {row.key for row in FIELDS if row.measure is Measure.LIFETIME} <= LIFETIME


@pytest.mark.parametrize(
    ("record", "key", "value"),
    [
        # capacity is the state of charge, not Ah.
        ({"capacity": 87}, Key.SOC, 87),
        ({"capacity": "87"}, Key.SOC, 87),
        # mvpv is the mean cell voltage, and has nothing to do with the inputs.
        ({"mvpv": 3.3550000190734863}, Key.CELL_VOLTAGE_AVERAGE, 3.355),
        ({"mvpv": 65.526}, Key.CELL_VOLTAGE_AVERAGE, None),
        ({"mvpv": 10.5}, Key.CELL_VOLTAGE_AVERAGE, None),
        # Volt is the voltage, VoltCell where it is.
        ({"maxVolt": 3.436}, Key.CELL_VOLTAGE_MAX, 3.436),
        ({"minVolt": 3.326}, Key.CELL_VOLTAGE_MIN, 3.326),
        ({"maxVolt": 3.436, "minVolt": 3.326}, Key.CELL_VOLTAGE_SPREAD, 110),
        ({"maxVoltCell": 11}, Key.CELL_VOLTAGE_MAX_CELL, 11),
        ({"minVoltCell": 4}, Key.CELL_VOLTAGE_MIN_CELL, 4),
        ({"minVoltCell": 4.5}, Key.CELL_VOLTAGE_MIN_CELL, None),
        ({"maxVoltNum": 2}, Key.CELL_VOLTAGE_MAX_MODULE, 2),
        ({"minVoltGroup": 3}, Key.CELL_VOLTAGE_MIN_GROUP, 3),
        ({"maxTemp": 32}, Key.CELL_TEMPERATURE_MAX, 32),
        ({"minTemp": -5}, Key.CELL_TEMPERATURE_MIN, -5),
        ({"minTempNum": 7}, Key.CELL_TEMPERATURE_MIN_SENSOR, 7),
        ({"maxTempGroup": 1}, Key.CELL_TEMPERATURE_MAX_GROUP, 1),
        ({"maxChargeCurr": 200}, Key.CHARGE_CURRENT_LIMIT, 200),
        # checkTime is a duration, no time of day.
        ({"checkTime": 60.0}, Key.SELF_CHECK_TIME, 60),
        # Today minutes, in total hours.
        ({"epvTimeToday": 607.0999755859375}, Key.PV_TIME_TODAY, 607.1),
        ({"epvTimeTotal": 759.5}, Key.PV_TIME, 759.5),
        ({"echargeTimeToday": 1501}, Key.CHARGE_TIME_TODAY, None),
        ({"ebatChargeTimeTotal": 1501}, Key.CHARGE_TIME, 1501),
        ({"ebatDischargeTimeTotal": 8.9}, Key.DISCHARGE_TIME, 8.9),
        # Single precision.
        ({"epvToday": 1.899999976}, Key.PV_ENERGY_TODAY, 1.9),
        ({"outTotalDischarge": 52428.80078125}, Key.OUTPUT_ENERGY, 52428.8),
        ({"epvTotal": "38788.2"}, Key.PV_ENERGY, 38788.2),
        ({"edischargeToday": 0, "capacity": 5}, Key.ENERGY_DISCHARGED_TODAY, 0),
        # There is neither vpv1 nor ipv1 nor ipv2.
        ({"vpv": 620.5}, Key.PV1_VOLTAGE, 620.5),
        ({"ipv": 12.25}, Key.PV1_CURRENT, 12.25),
        ({"vpv2": 610, "ipv2dc": 9}, Key.PV2_CURRENT, 9),
        ({"vpv2": 610}, Key.PV2_VOLTAGE, 610),
        (CONNECTED | {"bipvBuck1": 8}, Key.PV1_INDUCTOR_CURRENT, 8),
        # An offset is no input.
        ({"vpv2": -0.5, "status": 2}, Key.PV2_VOLTAGE, None),
        ({"vpv3": 3, "ipv3": 0.1}, Key.PV3_VOLTAGE, None),
        (CONNECTED | {"vpv": -0.5, "ipv": 2}, Key.PV1_VOLTAGE, -0.5),
        # A negative number that is read as unsigned.
        (CONNECTED | {"vpv2": 6553.1}, Key.PV2_VOLTAGE, None),
        (CONNECTED | {"temp": 6553.1}, Key.AMBIENT_TEMPERATURE, None),
        (CONNECTED | {"temp": -12.5}, Key.AMBIENT_TEMPERATURE, -12.5),
        (CONNECTED | {"outPower": 24.8}, Key.OUTPUT_POWER, 24800),
        (CONNECTED | {"pcsOutputPower": 24.8}, Key.PCS_OUTPUT_POWER, 24800),
        ({"pac": 5.2, "ibat": 10}, Key.POWER, 5200),
        ({"pac": 5.2, "ibat": -10}, Key.POWER, -5200),
        ({"pac": -5.2}, Key.POWER, -5200),
        ({"ibat": 0.4}, Key.STATUS, "idle"),
        ({"ibat": -0.9}, Key.STATUS, "idle"),
        ({"ibat": 1}, Key.STATUS, "discharging"),
        ({"ibat": -1}, Key.STATUS, "charging"),
        ({"status": 0, "runModel": 1}, Key.DEVICE_STATUS, "standby"),
        ({"status": 6}, Key.DEVICE_STATUS, "single_pv"),
        ({"status": 5}, Key.DEVICE_STATUS, None),
        ({"status": "2"}, Key.DEVICE_STATUS, "running"),
        ({"status": 2, "runModel": 0}, Key.RUN_MODE, "normal"),
        ({"runModel": 7}, Key.RUN_MODE, None),
        ({"bmsStatus": 3}, Key.BATTERY_STATUS, "discharge_disabled"),
        ({"bmsStatus": 9}, Key.BATTERY_STATUS, None),
        ({"bmsSystemStatus": 1}, Key.BMS_SYSTEM_STATUS, 1),
        ({"systemNo": 0, "status": 2}, Key.PARALLEL_SYSTEM_NUMBER, 0),
    ],
)
def test_value(record: dict[str, Any], key: Key, value: float | str | None) -> None:
    assert decode(**record).values.get(key) == value


@pytest.mark.parametrize(
    ("record", "flags"),
    [
        ({"status": 2}, {Key.FAULT: False}),
        ({"status": 3}, {Key.FAULT: True}),
        ({"status": 4}, {Key.FAULT: True}),
        ({"status": 9}, {}),
        ({"bmsStatus": 1}, {Key.CHARGE_ENABLED: False, Key.DISCHARGE_ENABLED: False}),
        ({"bmsStatus": 2}, {Key.CHARGE_ENABLED: False, Key.DISCHARGE_ENABLED: True}),
        ({"bmsStatus": 3}, {Key.CHARGE_ENABLED: True, Key.DISCHARGE_ENABLED: False}),
        ({"bmsStatus": 4}, {Key.CHARGE_ENABLED: True, Key.DISCHARGE_ENABLED: True}),
        ({"bmsStatus": 0, "capacity": 50}, {}),
        ({"bmsVoltStatus": 1}, {Key.BATTERY_RELAY: True}),
        ({"bmsVoltStatus": 2}, {}),
        ({"bmsVoltStatus": 0, "capacity": 50}, {}),
        ({"ibat": -20}, {Key.CHARGING: True}),
        ({"ibat": 20}, {Key.CHARGING: False}),
    ],
)
def test_flags(record: dict[str, Any], flags: dict[Key, bool]) -> None:
    assert decode(**record).flags == flags


def test_unknown_states_are_kept() -> None:
    reading = decode(status=5, runModel=7, bmsVoltStatus=2)
    assert {(point.id, point.value) for point in reading.unknown} == {
        ("status", "5"),
        ("runModel", "7"),
        ("bmsVoltStatus", "2"),
    }
    assert not reading.implausible


def test_what_has_been_seen_may_become_zero() -> None:
    decoder = PbdDecoder()
    first = {"status": 2, "maxChargeCurr": 0, "bmsVoltStatus": 0, "bmsStatus": 0, "vpv3": 0, "maxVoltGroup": 0}
    seen = {Key.CHARGE_CURRENT_LIMIT, Key.BATTERY_STATUS, Key.PV3_VOLTAGE, Key.CELL_VOLTAGE_MAX_GROUP}
    assert not seen & decoder.decode(first, NOW).values.keys()
    decoder.decode({"maxChargeCurr": 200, "bmsVoltStatus": 1, "bmsStatus": 4, "vpv3": 620, "maxVoltGroup": 1}, NOW)
    reading = decoder.decode(first, NOW)
    assert [reading.values[key] for key in sorted(seen)] == ["idle", 0, 0, 0]
    assert not reading.flags[Key.BATTERY_RELAY]
    assert reading.flags[Key.CHARGE_ENABLED]


def test_unknown_fields_and_texts() -> None:
    reading = decode(capacity=50, new=5, deviceSn="UMD0D00000", vbat="n/a", ibat=True, temp={"a": 1}, ppv="", pac=None)
    assert reading.values == {Key.SOC: 50, Key.LAST_REPORT: NOW}
    assert set(reading.unknown) == {
        Point(id="new", name="", value="5"),
        Point(id="vbat", name="", value="n/a"),
        Point(id="ibat", name="", value="True"),
        Point(id="temp", name="", value="dict"),
    }


@pytest.mark.parametrize(
    "data",
    [
        *(None, {}, [], "", "null", 0, 1.5, True, [{"status": 2}]),
        {"deviceSn": "UMD0D00000", "time": "2026-06-21 12:00:00"},
        dict.fromkeys(NAMES, 0) | {"deviceSn": "UMD0D00000", "time": "2026-06-21 12:00:00"},
        dict.fromkeys(NAMES, "0.0") | {"more": 0},
        dict.fromkeys(NAMES),
        dict.fromkeys(NAMES, ""),
    ],
)
def test_empty(data: Any) -> None:
    reading = PbdDecoder().decode(data, NOW)
    assert reading.empty
    assert reading.family == "pbd"


def test_record_of_another_device_is_kept_for_diagnostics() -> None:
    reading = decode(foo=1)
    assert not reading.values
    assert reading.unknown == (Point(id="foo", name="", value="1"),)
