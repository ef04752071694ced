from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
import time

import pytest

from emulator.atess.fields import single, tenths
from emulator.atess.pbd import Pbd
from emulator.atess.plant import CYCLE, Plant

# The schema of the seed 002.
SCHEMA = {
    "int32": """
        bipvBuck1 bipvBuck2 bipvBuck3 bipvBuck4 bipvBuck5 bmsStatus bmsSystemStatus bmsVoltStatus bvbus capacity ibat
        ipv ipv2dc ipv3 ipv4 ipv5 maxChargeCurr maxDischargeCurr maxTemp maxTempGroup maxTempNum maxVoltCell
        maxVoltGroup maxVoltNum minTemp minTempGroup minTempNum minVoltCell minVoltGroup minVoltNum outInductanceCurr1
        outInductanceCurr2 outInductanceTemp outPower outTemp outi outv pac pcsBatChargingPower pcsOutputPower ppv ppv1
        ppv2 ppv3 ppv4 ppv5 pvInductanceTemp pvTemp runModel status systemNo temp vbat vpv vpv2 vpv3 vpv4 vpv5
        """,
    "float": """
        checkTime echargeTimeToday echargeToday edischargeTimeToday edischargeToday epvToday maxVolt minVolt mvpv
        outDailyDischarge outTotalDischarge
        """,
    "double": """
        ebatChargeTimeTotal ebatChargeTotal ebatDischargeTimeTotal ebatDischargeTotal epvTimeToday epvTimeTotal epvTotal
        """,
}
INT32, FLOAT, DOUBLE = (names.split() for names in SCHEMA.values())
TODAY = {
    "epvToday": "epvTotal",
    "echargeToday": "ebatChargeTotal",
    "edischargeToday": "ebatDischargeTotal",
    "outDailyDischarge": "outTotalDischarge",
    "epvTimeToday": "epvTimeTotal",
    "echargeTimeToday": "ebatChargeTimeTotal",
    "edischargeTimeToday": "ebatDischargeTimeTotal",
}
BMS = [
    name
    for name in INT32 + FLOAT
    if name.startswith(("bms", "maxT", "maxV", "minT", "minV", "maxCharge", "maxDischarge"))
]
INPUTS = {
    1: ("vpv", "ipv", "bipvBuck1", None),
    2: ("vpv2", "ipv2dc", "bipvBuck2", "ppv2"),
    3: ("vpv3", "ipv3", "bipvBuck3", "ppv3"),
    4: ("vpv4", "ipv4", "bipvBuck4", "ppv4"),
    5: ("vpv5", "ipv5", "bipvBuck5", "ppv5"),
}

MIDNIGHT = datetime(2026, 3, 22, 23, tzinfo=UTC)
"""of a device at UTC+1"""
STEP = timedelta(minutes=5)
WATTS = {"kW": 1000, "kW_integer": 1000, "W": 1, "tenths_of_kW": 100}
WATTS_OFF = {"kW": 51, "kW_integer": 501, "W": 51, "tenths_of_kW": 51}
MEASURE = {"decimals": 1, "integers": 1, "tenths": 0.1}
MEASURE_OFF = {"decimals": 0.051, "integers": 0.501, "tenths": 0.051}

MEASURED = {
    "vbat": "voltage",
    "ibat": "current",
    "bvbus": "bus_voltage",
    "outv": "output_voltage",
    "outi": "output_current",
    "outInductanceCurr1": "output_inductor_current",
    "outInductanceCurr2": "output_inductor_current",
    "temp": "temperature",
    "pvTemp": "pv_temperature",
    "pvInductanceTemp": "pv_inductor_temperature",
    "outTemp": "output_temperature",
    "outInductanceTemp": "output_inductor_temperature",
    "maxChargeCurr": "charge_current_limit",
    "maxDischargeCurr": "discharge_current_limit",
}


def sampled(device, start=MIDNIGHT, hours=24):
    return [device.truth(start + STEP * step) for step in range(12 * hours + 1)]


def find(device, wanted):
    """The first time of a week when the battery does what is wanted."""
    times = (MIDNIGHT + STEP * step for step in range(7 * 288))
    return next(now for now in times if wanted(device.truth(now)))


def is_charging(truth):
    return truth["power"] < -10000


def is_discharging(truth):
    return truth["power"] > 5000 and truth["pv_power"] > 1000


def is_night(truth):
    return truth["power"] == truth["pv_power"] == 0


def is_full(truth):
    return truth["power"] == 0 and truth["pv_power"] > 0 and truth["soc"] == 100


SITUATIONS = [is_charging, is_discharging, is_night, is_full]


def test_fields_are_those_of_the_seed() -> None:
    assert len(INT32 + FLOAT + DOUBLE) == 76
    names = sorted([*INT32, *FLOAT, *DOUBLE, "deviceSn", "time"])
    for device in (Pbd(), Pbd(inputs=3, has_bms=False)):
        assert list(device.record(MIDNIGHT)) == names
        device.restart_logger(MIDNIGHT)
        assert list(device.record(MIDNIGHT)) == names


@pytest.mark.parametrize("unit", ["kW_integer", "W", "tenths_of_kW"])
@pytest.mark.parametrize("measures", ["integers", "tenths"])
def test_types_are_those_of_the_seed(unit, measures) -> None:
    device = Pbd(power_unit=unit, measures=measures)
    for hour in range(24):
        record = device.record(MIDNIGHT + timedelta(hours=hour))
        assert {type(record[name]) for name in INT32} == {int}
        assert {type(record[name]) for name in FLOAT + DOUBLE} == {float}
        assert {type(record["deviceSn"]), type(record["time"])} == {str}


@pytest.mark.parametrize("inputs", [2, 3])
@pytest.mark.parametrize("seed", range(2))
def test_powers_balance(inputs, seed) -> None:
    for truth in sampled(Pbd(inputs=inputs, seed=seed), hours=48):
        powers = [truth[f"pv{number}_power"] for number in range(1, inputs + 1)]
        assert sum(powers) == pytest.approx(truth["pv_power"])
        assert truth["pv_power"] + truth["power"] == pytest.approx(truth["output_power"], abs=0.01)
        assert truth["voltage"] * truth["current"] == pytest.approx(truth["power"])
        assert truth["output_voltage"] * truth["output_current"] == pytest.approx(truth["output_power"])
        assert 0 < truth["bus_voltage"] - truth["output_voltage"] < 5
        for number, power in enumerate(powers, 1):
            assert truth[f"pv{number}_voltage"] * truth[f"pv{number}_current"] == pytest.approx(power)
            assert truth["bus_voltage"] * truth[f"pv{number}_inductor_current"] == pytest.approx(power)
            assert (500 < truth[f"pv{number}_voltage"] < 800) == (power > 0)
        assert min(powers) >= 0
        assert truth["output_power"] >= 0
        assert -truth["current"] <= truth["charge_current_limit"] * 1.01
    assert f"pv{inputs + 1}_power" not in truth


@pytest.mark.parametrize("inputs", [2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_counters_follow_power_and_soc_follows_them(inputs, seed) -> None:
    samples = sampled(Pbd(inputs=inputs, seed=seed))
    added = {key: samples[-1][key] - samples[0][key] for key in samples[0]}
    assert added["soc"] == pytest.approx(added["energy_charged"] - added["energy_discharged"], abs=0.001)  # of 100 kWh
    for key, power in {
        "pv_energy": lambda truth: truth["pv_power"],
        "output_energy": lambda truth: truth["output_power"],
        "energy_charged": lambda truth: max(-truth["power"], 0),
        "energy_discharged": lambda truth: max(truth["power"], 0),
    }.items():
        assert added[key] > 20
        hours = sum(map(power, samples)) / 12000
        assert added[key] == pytest.approx(hours, rel=0.02)
    for before, after in pairwise(samples):
        stored = sum(
            sign * (after[f"energy_{name}"] - before[f"energy_{name}"])
            for name, sign in (("charged", 1), ("discharged", -1))
        )
        assert after["soc"] - before["soc"] == pytest.approx(stored, abs=0.001)
        assert 10 <= before["soc"] <= 100


@pytest.mark.parametrize("inputs", [2, 3])
def test_times_fit_the_day(inputs) -> None:
    truth = Pbd(inputs=inputs).truth(MIDNIGHT + timedelta(hours=23, minutes=59))
    assert 600 < truth["pv_time_today"] < 800
    assert 200 < truth["charge_time_today"] < 800
    assert 300 < truth["discharge_time_today"] < 1440 - truth["charge_time_today"]


@pytest.mark.parametrize("peak", [55, 75])
def test_every_night_empties_the_battery(peak) -> None:
    """What the simulation of one day at a time rests on."""
    for seed in range(5):
        plant = Plant(seed=seed, peak=peak, capacity=100)
        for day in range(CYCLE + 1):
            dawn = (day * 24 + 6) * 3600
            assert plant.flow(dawn - 1).soc == plant.flow(dawn).soc == plant.reserve


def test_cycles_join() -> None:
    plant = Plant(seed=0, peak=55, capacity=100)
    end = (CYCLE * 24 + 6) * 3600
    before, after, later = (plant.totals(end + second) for second in (-300, 0, 18000))
    assert after.pv_energy == pytest.approx(before.pv_energy)
    assert later.pv_energy == pytest.approx(after.pv_energy + plant.totals(6 * 3600 + 18000).pv_energy)


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("inputs", [2, 3])
def test_every_variant_says_the_truth(situation, inputs) -> None:
    now = find(Pbd(inputs=inputs), situation)
    variants = product(WATTS, MEASURE, ("discharging", "charging"), (True, False))
    for unit, measures, positive, ppv_is_total in variants:
        device = Pbd(inputs=inputs, power_unit=unit, measures=measures, positive=positive, ppv_is_total=ppv_is_total)
        truth, record = device.truth(now), device.record(now)
        assert truth == Pbd(inputs=inputs).truth(now)

        sign = 1 if positive == "discharging" else -1
        total, first = ("ppv", "ppv1") if ppv_is_total else ("ppv1", "ppv")
        powers = {"pac": "power", "outPower": "output_power", total: "pv_power", first: "pv1_power"}
        measured = MEASURED | {}
        for number, (volts, amperes, inductor, power) in list(INPUTS.items())[:inputs]:
            measured |= {volts: f"pv{number}_voltage", amperes: f"pv{number}_current"}
            measured |= {inductor: f"pv{number}_inductor_current"}
            powers |= {power: f"pv{number}_power"} if power else {}
        for name, key in powers.items():
            watts = record[name] * WATTS[unit] * (sign if name == "pac" else 1)
            assert watts == pytest.approx(truth[key], abs=WATTS_OFF[unit])
        for name, key in measured.items():
            value = record[name] * MEASURE[measures] * (sign if name == "ibat" else 1)
            noise = {"vpv": 0.3, "vpv2": 0.5, "ibat": 0.1}.get(name, 0) if not truth[key] else 0
            assert value == pytest.approx(truth[key], abs=MEASURE_OFF[measures] + noise)
        assert record[total] >= record[first]
        # What no variant touches:
        assert record["capacity"] == pytest.approx(truth["soc"], abs=0.5)
        assert record["mvpv"] * 208 == pytest.approx(truth["voltage"], abs=0.11)
        assert record["maxVolt"] == pytest.approx(truth["cell_voltage_max"], abs=1e-6)
        assert record["minVolt"] == pytest.approx(truth["cell_voltage_min"], abs=1e-6)
        assert record["maxTemp"] == pytest.approx(truth["cell_temperature_max"], abs=0.5)


@pytest.mark.parametrize(
    ("situation", "status", "running"), [(is_charging, 4, 2), (is_discharging, 5, 2), (is_night, 3, 0), (is_full, 2, 2)]
)
def test_battery_status(situation, status, running) -> None:
    for positive in ("charging", "discharging"):
        device = Pbd(positive=positive)
        record = device.record(find(device, situation))
        assert (record["bmsStatus"], record["status"]) == (status, running)
        assert (record["maxChargeCurr"] == 0) == (status == 2)
        assert (record["maxDischargeCurr"] == 0) == (status == 3)


def test_near_zero_is_a_little_off() -> None:
    now = find(Pbd(), is_night)
    for positive in ("charging", "discharging"):
        record = Pbd(positive=positive).record(now)
        assert (record["vpv"], record["vpv2"], record["ibat"]) == (0.3, -0.5, -0.1)
        assert (record["ipv"], record["ppv"], record["ppv1"], record["pac"]) == (0, 0, 0, 0)
    record = Pbd(measures="tenths").record(now)
    assert (record["vpv"], record["vpv2"], record["ibat"]) == (3, -5, -1)


@pytest.mark.parametrize("inputs", [2, 3])
def test_unused_inputs_are_zero(inputs) -> None:
    device = Pbd(inputs=inputs)
    records = [device.record(MIDNIGHT + timedelta(hours=hour)) for hour in range(24)]
    for number in (3, 4, 5):
        for name in filter(None, INPUTS[number]):
            assert any(record[name] for record in records) == (number <= inputs)


def test_without_bms() -> None:
    device = Pbd(has_bms=False)
    for hour in range(24):
        now = MIDNIGHT + timedelta(hours=hour)
        record, truth = device.record(now), device.truth(now)
        assert not any(record[name] for name in BMS)
        assert record["mvpv"] == 65.526000977
        assert record["capacity"] == round(truth["soc"])
        assert record["vbat"] > 500
        assert not any(key.startswith(("cell_", "charge_current", "discharge_current")) for key in truth)
    assert len(BMS) == 19


def test_cells_fit_the_battery() -> None:
    device = Pbd(inputs=3)
    for hour in range(48):
        record = device.record(MIDNIGHT + timedelta(hours=hour))
        assert 2.5 < record["minVolt"] < record["mvpv"] < record["maxVolt"] < 3.65
        assert 0 < record["minTemp"] <= record["maxTemp"] < 40
        for name in ("maxVolt", "minVolt"):
            assert 1 <= record[f"{name}Cell"] <= 16
            assert 1 <= record[f"{name}Num"] <= 13
            assert record[f"{name}Group"] == record["bmsVoltStatus"] == 1


def test_numbers_of_single_precision() -> None:
    assert single(1.9) == 1.899999976
    assert tenths(84213.7) == 84213.7
    assert tenths(0.39999999999) == 0.4
    device = Pbd()
    records = [device.record(MIDNIGHT + STEP * step) for step in range(288)]
    for name in FLOAT:
        digits = 3 if "olt" in name or name == "mvpv" else 1
        assert all(abs(record[name] - round(record[name], digits)) < 0.01 for record in records)
        if "Time" not in name:
            assert any(record[name] != round(record[name], digits) for record in records)
    assert all(record[name] == round(record[name], 1) for record in records for name in DOUBLE)


def test_counters_show_the_tenth_that_is_full() -> None:
    device = Pbd()
    for hour in range(48):
        now = MIDNIGHT + timedelta(hours=hour)
        record, truth = device.record(now), device.truth(now)
        for name, key in {"epvToday": "pv_energy_today", "ebatChargeTotal": "energy_charged"}.items():
            assert -0.001 < truth[key] - record[name] < 0.101


@pytest.mark.parametrize("offset", [timedelta(hours=1), timedelta(hours=8), timedelta(hours=-3, minutes=-30)])
def test_day_counters_fall_at_the_midnight_of_the_device(offset) -> None:
    device = Pbd(utc_offset=offset, inputs=3)
    start = datetime(2026, 3, 22, 12, tzinfo=UTC)
    records = [device.record(start + STEP * step) for step in range(2 * 288)]
    assert records[0]["time"] == f"{device.sample_time(start) + offset:%Y-%m-%d %H:%M:%S}"
    midnights = 0
    for before, after in pairwise(records):
        new_day = before["time"][:10] != after["time"][:10]
        midnights += new_day
        for name in TODAY:
            if new_day:
                assert after[name] < before[name]
                assert after[name] <= 5
            else:
                assert after[name] >= before[name]
    assert midnights == 2


def test_lifetime_counters_never_fall() -> None:
    device = Pbd()
    last = device.record(MIDNIGHT)
    first = last
    for step in range(1, 90 * 16):
        record = device.record(MIDNIGHT + timedelta(minutes=91) * step)
        assert all(record[name] >= last[name] for name in TODAY.values())
        last = record
    for name in TODAY.values():
        assert last[name] > first[name] + 90
    seconds = [Pbd(serial=f"S{n}").truth(MIDNIGHT)["energy_discharged"] for n in range(300)]
    assert max(seconds) - min(seconds) < 2


@pytest.mark.parametrize("boundary", [6, 24, 16 * 24 + 6])
def test_lifetime_counters_never_fall_from_second_to_second(boundary) -> None:
    plant = Plant(seed=0, peak=55, capacity=100)
    for before, after in pairwise(plant.totals(boundary * 3600 + second) for second in range(-320, 320)):
        for name in ("pv_energy", "energy_charged", "energy_discharged", "output_energy", "pv_time", "discharge_time"):
            assert tenths(getattr(after, name)) >= tenths(getattr(before, name))


def test_values_hold_until_the_next_sample_arrives() -> None:
    device = Pbd()
    sample = device.sample_time(MIDNIGHT + timedelta(hours=12))
    first = device.record(sample + timedelta(seconds=41))
    assert device.record(sample + timedelta(seconds=319)) == first
    after = device.record(sample + timedelta(seconds=341))
    assert datetime.fromisoformat(after["time"]) - datetime.fromisoformat(first["time"]) == STEP
    assert after["epvTotal"] > first["epvTotal"]


def test_silent_device_keeps_its_last_sample() -> None:
    device = Pbd()
    last = device.record(MIDNIGHT)
    device.silent_since = MIDNIGHT
    assert device.record(MIDNIGHT + timedelta(hours=3)) == last
    device.restart_logger(MIDNIGHT + timedelta(hours=1))
    assert device.record(MIDNIGHT + timedelta(hours=3)) == last


def test_restart_of_the_logger() -> None:
    device = Pbd()
    now = MIDNIGHT + timedelta(hours=12, seconds=7)
    before = device.record(now)
    device.restart_logger(now, minutes=8)
    assert device.record(now - timedelta(seconds=1)) == before
    zeros = device.record(now)
    assert zeros["deviceSn"] == "DEMOPBD001"
    assert zeros["time"] == "2026-03-23 12:00:07"
    assert {value for name, value in zeros.items() if name not in {"deviceSn", "time"}} == {0}
    for minutes in range(1, 9):
        record = device.record(now + timedelta(minutes=minutes))
        assert record["epvTotal"] == record["capacity"] == 0
        assert record["time"] >= zeros["time"]
    assert device.record(now + timedelta(minutes=14)) == Pbd().record(now + timedelta(minutes=14))
    assert device.truth(now)["pv_energy"] > 80000


def test_overrides() -> None:
    device = Pbd(overrides={"status": 3, "runModel": 77})
    device.overrides["vbat"] = None
    record = device.record(MIDNIGHT)
    assert (record["status"], record["runModel"], record["vbat"], len(record)) == (3, 77, None, 78)


def test_seed_and_time_say_everything() -> None:
    later = MIDNIGHT + timedelta(days=3, hours=11)
    assert Pbd(seed=1).record(later) == Pbd(seed=1).record(later)
    assert Pbd(seed=1).truth(later)["pv_power"] != Pbd(seed=2).truth(later)["pv_power"]


def test_speed_hastens_the_plant_but_not_its_clock() -> None:
    slow, fast = Pbd(), Pbd(speed=60)
    assert slow.record(MIDNIGHT)["time"] == fast.record(MIDNIGHT)["time"]
    assert len({device["soc"] for device in sampled(fast, hours=1)}) > 5


def test_years_later_is_quick() -> None:
    device = Pbd(speed=1000)
    start = time.perf_counter()
    for year in range(20):
        device.record(MIDNIGHT + timedelta(days=365 * year))
    assert time.perf_counter() - start < 0.5
