"""However a cloud writes its numbers down, the same W, V, A, signs and totals come out, and nothing wrong before."""

from itertools import product
import json
from typing import Any

import pytest

from custom_components.dyness_atess.telemetry.atess.decoder import PbdDecoder
from custom_components.dyness_atess.telemetry.atess.learning import PowerUnit
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import Key, Status

from .pbd_day import INTERVAL, MIDNIGHT, Plant, Writing, day

WRITINGS = [
    Writing(power=power, tenths=form == "tenths", whole=form == "whole", discharging=sign, total_first=total_first)
    for power, form, sign, total_first in product(PowerUnit, ("decimals", "whole", "tenths"), (1, -1), (True, False))
]


def truth(plant: Plant) -> dict[Key, float]:
    """What is to come out."""
    powers = {Key(f"pv{number}_power"): voltage * current for number, (voltage, current) in plant.pv.items()}
    return powers | {
        Key.VOLTAGE: plant.battery_voltage,
        Key.CURRENT: plant.battery_current,
        Key.POWER: plant.battery_power,
        Key.PV_POWER: plant.pv_power,
        Key.PV1_VOLTAGE: plant.pv[1][0],
        Key.PV2_CURRENT: plant.pv[2][1],
        Key.OUTPUT_POWER: plant.output,
        Key.BUS_VOLTAGE: 700,
        Key.PV_CONVERTER_TEMPERATURE: 41.5,
        Key.CELL_TEMPERATURE_MAX: 29,
        Key.CHARGE_CURRENT_LIMIT: 200,
        Key.DISCHARGE_CURRENT_LIMIT: 250,
        Key.PV_ENERGY: plant.pv_energy,
        Key.ENERGY_CHARGED: plant.charged,
        Key.ENERGY_DISCHARGED: plant.discharged,
        Key.OUTPUT_ENERGY: plant.delivered,
        Key.PV_ENERGY_TODAY: plant.today["pv"],
    }


def wrong(reading: Reading, plant: Plant, writing: Writing, *, signed: bool) -> dict[Key, Any]:
    """Return the shown values that are further from the truth than writing them down explains."""
    found = {}
    for key, true in truth(plant).items():
        if (value := reading.values.get(key)) is None:
            continue
        shown, expected = float(value), true
        tolerance = writing.tolerance if key.endswith("power") else 0.55 if writing.whole else 0.06
        if not signed and key in (Key.CURRENT, Key.POWER):
            shown, expected = abs(shown), abs(expected)
        if abs(shown - expected) > tolerance:
            found[key] = shown, expected
    return found


@pytest.mark.parametrize("writing", WRITINGS, ids=str)
def test_every_writing_ends_the_same(writing: Writing) -> None:
    decoder = PbdDecoder()
    shown: set[Key] = set()
    for plant in day():
        reading = decoder.decode(plant.record(writing), plant.time)
        assert wrong(reading, plant, writing, signed=True) == {}
        shown |= reading.values.keys()
        if Key.CURRENT in reading.values and abs(plant.battery_current) > 1.5:
            expected = Status.CHARGING if plant.battery_current < 0 else Status.DISCHARGING
            assert reading.values[Key.STATUS] == expected
        if plant.time.hour == 12:
            assert truth(plant).keys() <= reading.values.keys()
            assert not reading.implausible
            assert not reading.unknown
    assert not {key for key in shown if key.startswith(("pv4_", "pv5_"))}
    assert Key.CELL_VOLTAGE_MAX_GROUP not in shown
    learned = decoder.findings["learned"]
    assert learned["scale"]["decided"] == ("tenths" if writing.tenths else "whole")
    assert learned["sign"]["decided"] == writing.discharging
    assert learned["pv_total_field"]["decided"] == ("ppv" if writing.total_first else "ppv1")
    assert {unit["decided"] for unit in learned["power_unit"].values()} == {writing.power}
    assert learned["inputs"] == [1, 2, 3]
    assert decoder.findings["battery_sign"] == {"used": writing.discharging, "confirmed": True}
    json.dumps(decoder.findings)


@pytest.mark.parametrize("size", [0.2, 0.05])
@pytest.mark.parametrize("writing", WRITINGS, ids=str)
def test_small_powers_mislead_nobody(writing: Writing, size: float) -> None:
    decoder = PbdDecoder()
    for plant in day(Plant(size=size)):
        reading = decoder.decode(plant.record(writing), plant.time)
        assert wrong(reading, plant, writing, signed=True) == {}
        assert not reading.implausible
    assert decoder.findings["learned"]["power_unit"]["pv_total"]["decided"] == writing.power


@pytest.mark.parametrize("total_first", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_total_in_another_unit(*, whole: bool, total_first: bool) -> None:
    # As in the sister API (atess-api 5.1).
    writing = Writing(pv_total=PowerUnit.WATT, whole=whole, total_first=total_first)
    decoder = PbdDecoder()
    for plant in day():
        reading = decoder.decode(plant.record(writing), plant.time)
        assert wrong(reading, plant, writing, signed=True) == {}
        if plant.time.hour == 12:
            assert truth(plant).keys() <= reading.values.keys()


def test_single_input() -> None:
    decoder = PbdDecoder()
    for plant in day():
        plant.pv = {1: plant.pv[1], 2: (0.0, 0.0), 3: (0.0, 0.0)}
        reading = decoder.decode(plant.record(Writing()), plant.time)
        if plant.time.hour == 12:
            assert reading.values[Key.PV_POWER] == reading.values[Key.PV1_POWER]
            assert Key.PV2_VOLTAGE not in reading.values
            assert Key.PV2_POWER not in reading.values
            alone = plant.record(Writing()) | {"ppv": None}
            reading = decoder.decode(alone, plant.time)
            assert reading.values[Key.PV_POWER] == reading.values[Key.PV1_POWER]
    assert decoder.findings["learned"]["inputs"] == [1]


def test_one_of_the_two_powers_missing() -> None:
    decoder = PbdDecoder()
    plants = [decoder.decode(plant.record(Writing()), plant.time) and plant for plant in day(hours=12)]
    plant = plants[-1]
    values = decoder.decode(plant.record(Writing()) | {"ppv1": ""}, plant.time).values
    assert values[Key.PV_POWER] == pytest.approx(plant.pv_power, abs=100)
    assert Key.PV1_POWER not in values
    values = decoder.decode(plant.record(Writing()) | {"ppv": None}, plant.time).values
    assert values[Key.PV1_POWER] == pytest.approx(plant.pv[1][0] * plant.pv[1][1], abs=100)
    assert Key.PV_POWER not in values


def test_no_management_system() -> None:
    """The counters of the day confirm the sign, and flip it."""
    for sign in (1, -1):
        decoder = PbdDecoder()
        for plant in day():
            record = plant.record(Writing(discharging=sign))
            record |= {name: 0 for name in record if name.startswith(("bms", "max", "min"))}
            reading = decoder.decode(record, plant.time)
        assert decoder.findings["learned"]["sign"]["decided"] == sign
        flags = {Key.CHARGE_ENABLED, Key.DISCHARGE_ENABLED, Key.BATTERY_RELAY}
        keys = {Key.BATTERY_STATUS, Key.CELL_VOLTAGE_MAX, Key.CELL_VOLTAGE_SPREAD, Key.CHARGE_CURRENT_LIMIT}
        assert not flags & reading.flags.keys()
        assert not keys & reading.values.keys()


def test_powers_wait_for_the_unit() -> None:
    decoder = PbdDecoder()
    powers = [Key.POWER in decoder.decode(p.record(Writing()), p.time).values for p in day(hours=0.5)]
    assert powers == [False, False, True, True, True, True]


def test_same_sample_counts_once() -> None:
    decoder = PbdDecoder()
    plant = next(day())
    record = plant.record(Writing())
    for _ in range(20):
        assert Key.POWER not in decoder.decode(record, plant.time).values
        assert Key.POWER not in decoder.decode(record | {"time": None}, plant.time).values
    assert decoder.findings["learned"]["power_unit"]["battery"]["decided"] is None


def test_overrides() -> None:
    decoder = PbdDecoder(power_unit=PowerUnit.WATT, battery_sign=-1)
    plant = next(day())
    values = decoder.decode(plant.record(Writing(power=PowerUnit.WATT, discharging=-1)), plant.time).values
    assert values[Key.POWER] == pytest.approx(plant.battery_power, abs=1)
    assert values[Key.CURRENT] == pytest.approx(plant.battery_current, abs=0.1)
    assert decoder.findings["overrides"] == {"power_unit": "watt", "battery_sign": -1}
    assert decoder.findings["battery_sign"] == {"used": -1, "confirmed": False}


def test_power_that_contradicts_volts_and_amperes_is_not_shown() -> None:
    decoder = PbdDecoder()
    for plant in day(hours=12):
        decoder.decode(plant.record(Writing()), plant.time)
    plant.step()
    record = plant.record(Writing()) | {"pac": 3000, "ppv": 9999}
    reading = decoder.decode(record, plant.time)
    assert not {Key.POWER, Key.PV_POWER} & reading.values.keys()
    assert {point.id: point.value for point in reading.implausible} == {"pac": "3000", "ppv": "9999"}
    assert decoder.findings["disbelieved"] == {"power": 1, "pv_power": 1}


def test_confused_inputs_show_no_total() -> None:
    """Neither of the two is the power of all inputs: both are that of the first."""
    decoder = PbdDecoder()
    for plant in day(hours=12):
        record = plant.record(Writing())
        values = decoder.decode(record | {"ppv": record["ppv1"]}, plant.time).values
        assert abs(float(values.get(Key.PV_POWER, plant.pv_power)) - plant.pv_power) < max(4e3, 0.6 * plant.pv_power)
    assert Key.PV1_POWER in values
    assert Key.PV_POWER not in values


def test_a_changed_cloud_is_noticed() -> None:
    decoder = PbdDecoder()
    plant = Plant()
    for _ in day(plant, hours=12):
        decoder.decode(plant.record(Writing()), plant.time)
    watts = Writing(power=PowerUnit.WATT, discharging=-1, tenths=True)
    for _ in day(plant, hours=1):
        reading = decoder.decode(plant.record(watts), plant.time)
        assert wrong(reading, plant, watts, signed=False) == {}
    for _ in day(plant, hours=4):
        reading = decoder.decode(plant.record(watts), plant.time)
    assert wrong(reading, plant, watts, signed=True) == {}
    assert truth(plant).keys() <= reading.values.keys()


def test_a_wrapped_battery_voltage_does_not_make_tenths() -> None:
    """There is no battery, and its small negative voltage arrives as 6553.1."""
    decoder = PbdDecoder()
    for number in range(10):
        record = {"time": str(number), "vbat": 6553.1, "vpv": 620, "ipv": 400, "ppv": 248, "ppv1": 248}
        reading = decoder.decode(record, MIDNIGHT + number * INTERVAL)
    assert reading.values[Key.PV1_VOLTAGE] == 620
    assert reading.values[Key.PV_POWER] == 248_000
    assert Key.VOLTAGE not in reading.values


def test_power_of_no_circuit_has_the_unit_of_all_others() -> None:
    decoder = PbdDecoder()
    for plant in day(hours=12):
        values = decoder.decode(plant.record(Writing()) | {"pcsOutputPower": 24.8}, plant.time).values
    assert values[Key.PCS_OUTPUT_POWER] == 24800
