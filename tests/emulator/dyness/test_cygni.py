import pytest

from emulator.dyness.catalogue import build
from tests.emulator.dyness.test_decoding import DAWN, DAY, MOMENTS, assert_tells, integral, names, numbers, values

# dyness-api 6.6
POINTS = {
    "164": "internal_temperature",
    "165": "heatsink_temperature",
    "166": "inverter_module_temperature",
    "170": "voltage",
    "171": "current",
    "172": "power",
    "195-196": "energy_charged",
    "197": "energy_charged_today",
    "198-199": "energy_discharged",
    "200": "energy_discharged_today",
    "2003": "battery_temperature",
    "2004": "charge_current_limit",
    "2005": "discharge_current_limit",
    "2010": "soc",
    "2011": "soh",
}
# dyness-api 3.5
RUNNING = {
    "pvPower": "pv_power",
    "loadPower": "load_power",
    "gridPower": "grid_power",
    "activePower": "inverter_power",
    "pv1Voltage": "pv1_voltage",
    "pv1Current": "pv1_current",
    "pv1Power": "pv1_power",
    "pv2Voltage": "pv2_voltage",
    "pv2Current": "pv2_current",
    "pv2Power": "pv2_power",
    "batteryPower": "power",
    "batteryVoltage": "voltage",
    "batteryCurrent": "current",
    "batterySoc": "soc",
    "batterySoh": "soh",
    "batteryTemperature": "battery_temperature",
    "buyEnergy": "energy_imported_today",
    "sellEnergy": "energy_exported_today",
    "totalBuyEnergy": "energy_imported",
    "totalSellEnergy": "energy_exported",
    "dayGeneration": "pv_energy_today",
    "totalGeneration": "pv_energy",
    "internalTemperature": "internal_temperature",
    "heatDissipationTemperature": "heatsink_temperature",
}


def test_points() -> None:
    """Its sign is that of the product contract already: negative is charging (#17)."""
    (device,) = build("cygni")
    for now in MOMENTS:
        texts = values(device, now)
        assert texts.keys() == {"T", "173", *POINTS}
        assert_tells(device, now, numbers(texts, POINTS))
        assert float(texts["170"]) * float(texts["171"]) == pytest.approx(float(texts["172"]), rel=0.005, abs=30)
    assert set(names(device, DAWN).values()) == {"数据采集时间", ""}
    assert list(device.modules) == []


def test_charging_is_negative() -> None:
    (device,) = build("cygni")
    samples = [values(device, now) for now in DAY]
    for before, after in zip(samples, samples[2:], strict=False):
        if int(after["2010"]) > int(before["2010"]):
            assert float(before["171"]) < 0 or float(after["171"]) < 0
    assert {texts["173"] for texts in samples} >= {"1", "2"}
    assert any(400 < float(texts["170"]) < 410 for texts in samples)


def test_running_data() -> None:
    (device,) = build("cygni")
    for now in MOMENTS:
        running = device.running(now)
        assert len(running) == 87
        assert {type(value) for value in running.values()} <= {str, type(None)}
        assert_tells(device, now, numbers(running, RUNNING))
        assert running["dateTime"] == values(device, now)["T"]
        grid, load, pv, battery, output = (
            int(running[key]) for key in ("gridPower", "loadPower", "pvPower", "batteryPower", "activePower")
        )
        assert output == pv + battery
        assert output == grid + load
        assert load > 0
        assert pv >= 0
        assert int(running["pv1Power"]) + int(running["pv2Power"]) == pytest.approx(pv, abs=1)


def test_grid_is_not_the_output() -> None:
    (device,) = build("cygni", seed=0)
    truths = [device.truth(now) for now in DAY]
    assert any(truth["grid_power"] > 500 for truth in truths)
    assert any(truth["grid_power"] < 0 for truth in truths)
    assert all(truth["inverter_power"] - truth["grid_power"] > 100 for truth in truths)


def test_counters_are_the_integrals_of_the_powers() -> None:
    (device,) = build("cygni", seed=0)
    samples = [device.truth(now) for now in DAY]
    for key, power, sign in (
        ("pv_energy", "pv_power", 1),
        ("energy_exported", "grid_power", 1),
        ("energy_imported", "grid_power", -1),
        ("energy_charged", "power", -1),
        ("energy_discharged", "power", 1),
    ):
        counted = [sample[key] for sample in samples]
        assert counted == sorted(counted)
        flown = integral([{"power": max(sign * sample[power], 0) / 1000} for sample in samples], "power")
        assert counted[-1] - counted[0] == pytest.approx(flown, rel=0.05, abs=0.3)


def test_null_at_night() -> None:
    """F37."""
    (device,) = build("cygni", null_at_night=True)
    noon, night = DAY[72], DAY[200]
    assert device.running(noon)["pvPower"] is not None
    assert {key for key, value in device.running(night).items() if value is not None} == {
        "dateTime",
        "sn",
        "lastUpdateTime",
    }
    assert "pv_power" in device.truth(noon)
    assert "pv_power" not in device.truth(night)
    assert values(device, night)["2010"]


def test_history_has_its_sign() -> None:
    (device,) = build("cygni")
    records = device.power_history(DAY[150])
    levels = [int(record["soc"]) for record in records if record["soc"]]
    lowest = levels.index(min(levels))
    rise = [record for record in records[lowest:] if record["soc"] and int(record["soc"]) < max(levels)]
    assert min(record["realTimePower"] for record in rise) < 0


@pytest.mark.parametrize("name", ["dl5-1", "tower-t14", "junior-box", "powerbrick-sc"])
def test_pure_batteries_have_no_running_data(name) -> None:
    running = build(name)[0].running(DAWN)
    assert {key for key, value in running.items() if value is not None} == {"dateTime", "sn", "lastUpdateTime"}
