from datetime import UTC, datetime, timedelta
from itertools import pairwise
import json
from pathlib import Path
import time

import pytest

from emulator.dyness.battery import Battery
from emulator.dyness.cells import LFP_CURVE, cell_voltages
from emulator.dyness.powerhaus import PowerHaus

PAYLOAD = Path(__file__).parents[3] / "emulator/dyness/payloads/powerhaus.json"
DAWN = datetime(2026, 3, 23, 5, tzinfo=UTC)
STEP = timedelta(minutes=5)


def values(device, now):
    return {point["pointId"]: point["pointValue"] for point in device.points(now)}


def sampled(device, start=DAWN, samples=288):
    return [values(device, start + STEP * step) for step in range(samples)]


def full_day(seed=0):
    """A day on which the battery gets full."""
    device = PowerHaus(seed=seed)
    days = (sampled(device, DAWN + timedelta(days=day)) for day in range(10))
    return next(day for day in days if any(sample["800"] == "100" for sample in day))


def test_points_are_those_of_the_dump() -> None:
    recorded = json.loads(PAYLOAD.read_text())["points"]
    points = PowerHaus().points(DAWN)
    assert [(p["pointId"], p["pointNameCn"]) for p in points] == [(p["pointId"], p["pointNameCn"]) for p in recorded]
    assert [p["pointId"] for p in points if not p["pointValue"]] == [
        p["pointId"] for p in recorded if not p["pointValue"]
    ]


def test_payload_is_the_dump() -> None:
    payload = json.loads(PAYLOAD.read_text())
    points = {point["pointId"]: (point["pointValue"], point["pointNameCn"]) for point in payload["points"]}
    assert len(points) == len(payload["points"]) == 92
    assert points["SUB"] == ("DEMO000000000001", "子设备列表")
    assert points["T"] == ("2026-03-23 21:57:27", "数据采集时间")
    assert points["600"] == ("53.2", "平均电压")
    assert points["1100"] == ("", "平均SOH")
    assert points["1400"] == ("257", "单芯最高电压的编号最小的模块")
    assert points["3800"] == ("0.0", "最大充电电流")
    assert points["4000"] == ("64", "充放电状态")
    assert points["4007"] == ("1", "Discharge enable")
    assert sum(name == "空" for _, name in points.values()) == 13
    assert sum(value == "" for value, _ in points.values()) == 9
    assert (payload["listing"]["workStatus"], payload["listing"]["productType"]) == ("Fault", "1")
    assert (payload["detail"]["collectorSn"], payload["detail"]["productType"]) == (None, None)


def test_cadence_and_latency() -> None:
    """Watched every second for an hour: twelve samples 300 s apart, each seen first 20 to 40 s after its time."""
    device = PowerHaus()
    seen = {}
    for second in range(3900):
        now = DAWN + timedelta(seconds=second)
        seen.setdefault(device.sample_time(now), now)
    samples = list(seen)[1:]
    assert len(samples) >= 12
    assert {later - earlier for earlier, later in pairwise(samples)} == {STEP}
    delays = {(seen[sample] - sample).total_seconds() for sample in samples}
    assert min(delays) >= 20
    assert max(delays) <= 40
    assert len(delays) > 3


def test_phase_is_of_the_device() -> None:
    phases = {PowerHaus(serial=f"S{n}").sample_time(DAWN).timestamp() % 300 for n in range(20)}
    assert len(phases) > 10


def test_times_are_those_of_the_sample() -> None:
    device = PowerHaus()
    sample = device.sample_time(DAWN)
    text = sample.strftime("%Y-%m-%d %H:%M:%S")
    assert values(device, DAWN)["T"] == values(device, DAWN)["TIME"] == text
    assert device.running(DAWN)["dateTime"] == text
    local = (sample + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S")
    assert device.detail(DAWN)["dataUpdateTime"] == f"{local} UTC+01:00"
    device.utc_offset = timedelta(hours=-3, minutes=-30)
    assert device.detail(DAWN)["dataUpdateTime"].endswith(" UTC-03:30")


def test_values_hold_until_the_next_sample_arrives() -> None:
    device = PowerHaus()
    sample = device.sample_time(DAWN + timedelta(hours=5))
    first = device.points(sample + timedelta(seconds=41))
    assert device.points(sample + timedelta(seconds=319)) == first
    assert device.points(sample + timedelta(seconds=341)) != first


def test_silent_device_keeps_its_last_sample() -> None:
    device = PowerHaus()
    last = device.points(DAWN)
    device.silent_since = DAWN
    assert device.points(DAWN + timedelta(hours=3)) == last


@pytest.mark.parametrize("seed", range(4))
def test_soc_is_bounded_and_moves_both_ways_every_day(seed) -> None:
    device = PowerHaus(seed=seed)
    for day in range(4):
        levels = [int(sample["800"]) for sample in sampled(device, DAWN + timedelta(days=day))]
        assert 0 <= min(levels) < max(levels) <= 100
        peak = levels.index(max(levels))
        evening = 287 - levels[::-1].index(max(levels))
        assert max(levels) - levels[0] > 30
        assert max(levels) - levels[-1] > 30
        assert levels[: peak + 1] == sorted(levels[: peak + 1])
        assert levels[evening:] == sorted(levels[evening:], reverse=True)
        assert max(abs(left - right) for left, right in pairwise(levels)) <= 5


def test_soc_never_jumps_from_one_day_to_the_next() -> None:
    """Every night empties the battery: what the simulation of one day at a time rests on."""
    for seed in range(5):
        battery = Battery(seed=seed)
        for day in range(60):
            dawn = DAWN + timedelta(days=day)
            before, after = battery.at(dawn - timedelta(seconds=1)), battery.at(dawn)
            assert before.soc == after.soc == battery.reserve


def test_soc_is_steady_and_exact_at_its_ends() -> None:
    """Every ten seconds of three days it is where the current of the moment before has brought it."""
    battery = Battery()
    states = [battery.at(DAWN + timedelta(seconds=10 * step)) for step in range(3 * 8640)]
    assert (min(state.soc for state in states), max(state.soc for state in states)) == (10, 100)
    for before, after in pairwise(states):
        assert after.soc == pytest.approx(before.soc + before.rate * 100 / 360, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_soc_is_the_integral_of_the_current(seed) -> None:
    for day in range(3):
        samples = sampled(PowerHaus(seed=seed), DAWN + timedelta(days=day))
        level = float(samples[0]["800"])
        for before, after in pairwise(samples):
            level += (float(before["700"]) + float(after["700"])) / 2 / 12  # of 100 Ah in five minutes
            assert level == pytest.approx(float(after["800"]), abs=2.5)


@pytest.mark.parametrize("seed", range(3))
def test_energy_fits_the_capacity(seed) -> None:
    samples = sampled(PowerHaus(seed=seed))
    powers = [float(sample["600"]) * float(sample["700"]) for sample in samples]
    steps = [(left + right) / 2 / 12000 for left, right in pairwise(powers)]
    levels = [int(sample["800"]) for sample in samples]
    stored = 5.12 * (max(levels) - levels[0]) / 100
    charged, discharged = sum(step for step in steps if step > 0), -sum(step for step in steps if step < 0)
    assert charged == pytest.approx(stored, rel=0.07)
    assert discharged == pytest.approx(stored, rel=0.07)
    assert discharged < charged


def test_night_and_day() -> None:
    device = PowerHaus()
    for day in range(7):
        noon, night = (float(values(device, DAWN + timedelta(days=day, hours=hour))["700"]) for hour in (4, 15))
        assert noon > 0 > night
        afternoon, morning = (values(device, DAWN + timedelta(days=day, hours=hour)) for hour in (10, 23))
        assert float(afternoon["2800"]) - float(morning["2800"]) > 4


def test_charge_current_tapers() -> None:
    limits = {}
    for sample in full_day():
        limits.setdefault(sample["3800"], set()).add(int(sample["800"]))
        assert float(sample["700"]) <= float(sample["3800"])
    assert list(limits) == ["50.0", "30.0", "10.0", "0.0"]
    assert limits["0.0"] == {100}
    assert max(limits["50.0"]) == 94


def test_enable_bits() -> None:
    day = full_day()
    assert {sample["4000"] for sample in day} == {"192", "64"}
    for sample in day:
        bits = sum(int(sample[f"400{bit + 1}"]) << bit for bit in range(8))
        assert int(sample["4000"]) == bits
        assert (sample["4008"] == "0") == (sample["3800"] == "0.0") == (sample["800"] == "100")
        assert sample["4007"] == "1"


def test_work_status_is_fault_when_full() -> None:
    device = PowerHaus()
    statuses = set()
    for step in range(288):
        now = DAWN + STEP * step
        status = device.listing(now)["workStatus"]
        statuses.add(status)
        assert (status == "Fault") == (values(device, now)["800"] == "100")
    assert statuses == {"Fault", "RunMode", "StandBy"}


def test_cells_fit_the_pack() -> None:
    for sample in sampled(PowerHaus(seed=2)):
        low, high = float(sample["1500"]), float(sample["1300"])
        assert len(sample["1300"].split(".")[1]) == 3
        assert 2.5 < low < high < 3.65
        assert 16 * low - 0.06 <= float(sample["600"]) <= 16 * high + 0.06
        for point in (1400, 1600, 1900, 2100):
            packed, module, position = (int(sample[str(point + offset)]) for offset in range(3))
            assert packed == module * 256 + position
            assert 1 <= position <= (16 if point < 1700 else 4)
        assert 0 < float(sample["3000"]) <= float(sample["2800"]) < float(sample["2000"]) <= float(sample["1800"]) < 40
        assert float(sample["1800"]) < float(sample["2300"]) < 60


def test_voltage_follows_charge_and_current() -> None:
    curve = [voltage for _, voltage in LFP_CURVE]
    assert curve == sorted(curve)
    states = [PowerHaus().battery.at(DAWN + STEP * step) for step in range(288)]
    charging = next(state for state in states if state.soc > 50)
    discharging = next(state for state in reversed(states) if state.soc > charging.soc)
    assert charging.rate > 0 > discharging.rate
    assert sum(cell_voltages(charging, 16, 0)) > sum(cell_voltages(discharging, 16, 0)) + 0.2


def test_seed_and_time_say_everything() -> None:
    later = DAWN + timedelta(days=3, hours=6)
    assert PowerHaus(seed=1).points(later) == PowerHaus(seed=1).points(later)
    assert values(PowerHaus(seed=1), later)["700"] != values(PowerHaus(seed=2), later)["700"]


def test_speed_hastens_the_battery_but_not_its_clock() -> None:
    slow, fast = PowerHaus(), PowerHaus(speed=60)
    assert values(slow, DAWN)["T"] == values(fast, DAWN)["T"]
    assert len({sample["800"] for sample in sampled(slow, samples=6)}) <= 2
    assert len({sample["800"] for sample in sampled(fast, samples=6)}) >= 3


def test_years_later_is_quick() -> None:
    device = PowerHaus(speed=1000)
    start = time.perf_counter()
    for year in range(20):
        device.points(DAWN + timedelta(days=365 * year))
    assert time.perf_counter() - start < 0.5
