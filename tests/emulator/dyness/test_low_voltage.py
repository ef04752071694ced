from datetime import timedelta
import json
from pathlib import Path

import pytest

from emulator.dyness.catalogue import build
from tests.emulator.dyness.test_decoding import (
    DAWN,
    DAY,
    MOMENTS,
    assert_tells,
    moment,
    names,
    numbers,
    singles,
    values,
)

DUMP = json.loads((Path(__file__).parents[3] / "emulator/dyness/payloads/powerhaus.json").read_text())["points"]
# dyness-api 6.1
SYSTEM = {
    "400": "module_count",
    "600": "voltage",
    "800": "soc",
    "900": "cycles",
    "1200": "soh",
    "1300": "cell_voltage_max",
    "1401": "cell_voltage_max_module",
    "1402": "cell_voltage_max_cell",
    "1500": "cell_voltage_min",
    "1601": "cell_voltage_min_module",
    "1602": "cell_voltage_min_cell",
    "1800": "cell_temperature_max",
    "1901": "cell_temperature_max_module",
    "1902": "cell_temperature_max_sensor",
    "2000": "cell_temperature_min",
    "2101": "cell_temperature_min_module",
    "2102": "cell_temperature_min_sensor",
    "2300": "mosfet_temperature_max",
    "2800": "bms_temperature_max",
    "3000": "bms_temperature_min",
    "3201": "cell_voltage_imbalance",
    "3202": "mosfet_temperature_high",
    "3203": "cell_temperature_low",
    "3204": "cell_temperature_high",
    "3205": "cell_voltage_low",
    "3206": "cell_voltage_high",
    "3207": "module_voltage_low",
    "3208": "module_voltage_high",
    "3305": "internal_communication_error",
    "3306": "discharge_overcurrent",
    "3307": "charge_overcurrent",
    "3308": "cell_temperature_imbalance",
    "3402": "mosfet_temperature_high_protection",
    "3403": "cell_temperature_low_protection",
    "3404": "cell_temperature_high_protection",
    "3405": "cell_voltage_low_protection",
    "3406": "cell_voltage_high_protection",
    "3407": "module_voltage_low_protection",
    "3408": "module_voltage_high_protection",
    "3504": "system_fault_protection",
    "3506": "discharge_overcurrent_protection",
    "3507": "charge_overcurrent_protection",
    "3600": "charge_voltage_limit",
    "3700": "discharge_voltage_limit",
    "3800": "charge_current_limit",
    "3900": "discharge_current_limit",
    "4004": "full_charge_requested",
    "4005": "force_charge_2",
    "4006": "force_charge_1",
    "4007": "discharge_enabled",
    "4008": "charge_enabled",
    "4100": "alarm",
}
# dyness-api 6.3
MODULE = {
    "12400": "bms_temperature",
    "13500": "voltage",
    "13900": "cycles",
    "14000": "capacity_remaining",
    "14100": "capacity_full",
    "18600": "charge_current_limit",
}
# dyness-api 6.2
JUNIOR = {
    "4600": "pv_voltage",
    "4700": "pv_current",
    "4800": "pv_power",
    "4900": "mppt_voltage",
    "5000": "mppt_current",
    "5100": "mppt_power",
    "5200": "output1_voltage",
    "5300": "output1_current",
    "5400": "output1_power",
    "5500": "output2_voltage",
    "5600": "output2_current",
    "5700": "output2_power",
    "5800": "bus_voltage",
    "5900": "pv_power",
    "6100": "output_power",
    "6500": "power_limit",
    "6600": "discharge_depth",
    "6900": "heatsink_temperature",
    "7000": "ambient_temperature",
    "7100": "energy_charged",
    "7200": "energy_charged_today",
    "7300": "energy_discharged",
    "7400": "energy_discharged_today",
    "7500": "pv_energy",
    "7600": "pv_energy_today",
    "7700": "output_energy",
    "7800": "output_energy_today",
    "999999": "alarm",
}
VARIANT_A = [
    *("powerhaus", "dl5-1", "dl5-2", "dl5-3", "dl5-4", "dl5-6", "dl5-6-coordinator", "powerbox-pro"),
    *("powerbox-pro-2-packs", "powerdepot-g2", "powerdepot-h5b", "powerbox-g2-a", "powerbrick-a", "powerbrick-a-1"),
    "junior-box",
]
VARIANT_B = ["powerbox-g2-b", "powerbrick-b", "powerbrick-sc", "powerbrick-plus"]


def decode_system(texts):
    current = float(texts["700"])
    decoded = numbers(texts, SYSTEM) | {"current": -current, "power": -current * float(texts["600"])}
    decoded["power"] = round(decoded["power"], 1)
    decoded["cell_voltage_spread"] = round((float(texts["1300"]) - float(texts["1500"])) * 1000)
    return decoded


def decode_module(texts):
    current, voltage = float(texts["13400"]), float(texts["13500"])
    cells = [float(texts[str(10300 + 100 * cell)]) for cell in range(int(texts["10200"]))]
    warmth = [float(texts[str(12500 + 100 * place)]) for place in range(int(texts["12300"]) - 1)]
    return (
        numbers(texts, MODULE)
        | singles(cells, warmth)
        | {
            "current": -current,
            "power": round(-current * voltage, 1),
            "discharge_current_limit": abs(float(texts["19200"])),
            "alarm": any(texts[str(point)] != "0" for point in state_ids(len(cells), len(warmth))),
        }
    )


def state_ids(cells, sensors):
    return [
        *(14300 + 100 * cell for cell in range(cells)),
        *(16000 + 100 * sensor for sensor in range(sensors + 1)),
        *(16500, 16600, 16700),
    ]


@pytest.mark.parametrize("name", VARIANT_A)
def test_system_points(name) -> None:
    device = build(name)[0]
    for now in MOMENTS:
        texts = values(device, now)
        assert_tells(device, now, decode_system(texts))
        for point in (1400, 1600, 1900, 2100):
            packed, module, position = (int(texts[str(point + offset)]) for offset in range(3))
            assert packed == module * 256 + position
        for register in (3200, 3300, 3400, 3500, 4000):
            bits = sum(int(texts[str(register + bit + 1)]) << bit for bit in range(8))
            assert int(texts[str(register)]) == bits
        assert not any(texts[point] for point in ("1000", "1100", "1700", "2200", "2500", "2600", "2700"))


@pytest.mark.parametrize("name", VARIANT_A)
def test_system_points_are_those_of_the_dump(name) -> None:
    device = build(name)[0]
    known = list(names(device, DAWN).items())[: len(DUMP)]
    if name == "junior-box":
        assert list(names(device, DAWN))[len(DUMP)] == "310"
    assert known == [(point["pointId"], point["pointNameCn"]) for point in DUMP]


@pytest.mark.parametrize("name", VARIANT_A)
def test_modules_make_the_system(name) -> None:
    device = build(name)[0]
    for now in MOMENTS[::3]:
        texts = values(device, now)
        modules = [values(module, now) for module in device.modules]
        assert texts["SUB"].split(",") == [module.serial for module in device.modules]
        assert [module["10000"] for module in modules] == texts["SUB"].split(",")
        if name == "powerdepot-h5b":
            assert (texts["400"], len(modules)) == ("3", 2)
            continue
        assert int(texts["400"]) == len(modules)
        decoded = [decode_module(module) for module in modules]
        assert -sum(module["current"] for module in decoded) == pytest.approx(float(texts["700"]), abs=0.051)
        voltages = [module["voltage"] for module in decoded]
        assert sum(voltages) / len(voltages) == pytest.approx(float(texts["600"]), abs=0.051)
        for texts_of, pick, key in (("1300", max, "cell_voltage_max"), ("1500", min, "cell_voltage_min")):
            assert float(texts[texts_of]) == pick(module[key] for module in decoded)
        number, cell = int(texts["1401"]), int(texts["1402"])
        assert modules[number - 1][str(10200 + 100 * cell)] == texts["1300"]
        full = sum(module["capacity_full"] for module in decoded)
        assert full * 51.2 / 1000 == pytest.approx(device.energy_rated, abs=0.001)
        left = sum(module["capacity_remaining"] for module in decoded)
        assert int(100 * left / full + 1e-3) == int(texts["800"])


@pytest.mark.parametrize("name", [*VARIANT_A, *VARIANT_B])
def test_module_points(name) -> None:
    device = build(name)[0]
    for now in MOMENTS:
        for module in device.modules:
            texts = values(module, now)
            assert_tells(module, now, decode_module(texts))
            soc = 100 * float(texts["14000"]) / float(texts["14100"])
            assert module.truth(now)["soc"] == pytest.approx(soc)
            assert float(texts["13600"]) <= 65.535
            assert float(texts["13800"]) == min(float(texts["14100"]), 65.535)
            second, third = int(texts["16900"]), int(texts["17000"])
            assert bool(second & 2) == module.truth(now)["charge_mosfet"]
            assert bool(second & 4) == module.truth(now)["discharge_mosfet"]
            assert bool(third & 128) == (float(texts["13400"]) > 0)
            assert bool(third & 64) == (float(texts["13400"]) < 0)
            assert bool(third & 8) == module.truth(now)["fully_charged"]


def test_every_id_of_the_module_schema() -> None:
    shown = set(values(build("dl5-1")[0].modules[0], DAWN))
    assert shown == {"T", "10001"} | {
        str(point)
        for first, last in ((10000, 11800), (12300, 12800), (13400, 17200), (18100, 19200))
        for point in range(first, last + 1, 100)
    }


def test_a_powerbox_pro_counts_ah_beyond_100() -> None:
    (device,) = build("powerbox-pro")
    texts = [values(device.modules[0], now) for now in DAY]
    assert {text["14100"] for text in texts} == {"200.000"}
    assert any(float(text["14000"]) > 146 for text in texts)


def test_module_alarm() -> None:
    module = build("dl5-2")[0].modules[1]
    assert not module.truth(DAWN)["alarm"]
    module.raised = frozenset({"14500"})
    assert values(module, DAWN)["14500"] == "2"
    assert module.truth(DAWN)["alarm"]


@pytest.mark.parametrize("name", ["powerdepot-g2", "powerbrick-a", "powerbrick-a-1", "powerbox-g2-a"])
def test_cycles_in_standby_only(name) -> None:
    """F28."""
    device = build(name)[0]
    samples = [values(device, now) for now in DAY[::3]]
    assert {(texts["700"] == "0.0", texts["900"] != "") for texts in samples} == {(True, True), (False, False)}
    assert all(("cycles" in device.truth(now)) == (values(device, now)["900"] != "") for now in MOMENTS)
    assert {values(build("dl5-1")[0], now)["900"] for now in MOMENTS} == {""}


def test_charge_limit_of_a_powerdepot() -> None:
    """F26."""
    (device,) = build("powerdepot-g2", seed=0)
    full_day = next(day for day in range(16) if device.battery.at(DAY[108] + timedelta(days=day)).soc == 100)
    shown = [values(device, now + timedelta(days=full_day))["3800"] for now in DAY[:109]]
    assert list(dict.fromkeys(shown)) == ["120.0", "60.0", "40.0", "20.0", "0.0"]


def test_high_voltage_warning_at_the_top() -> None:
    """F41."""
    (device,) = build("powerbrick-a-1", seed=0)
    times = [now + timedelta(days=day) for day in range(16) for now in DAY[108:]]
    full = moment(device, lambda truth: truth["soc"] == 100, times)
    texts = values(device, full)
    assert (texts["3206"], texts["3208"], texts["3200"], texts["4100"], texts["4008"]) == ("1", "1", "160", "0", "0")
    truth = device.truth(full)
    assert (truth["warning"], truth["alarm"], truth["cell_voltage_high"]) == (True, False, True)
    assert_tells(device, full, decode_system(texts))


@pytest.mark.parametrize("name", ["dl5-1", "junior-box"])
def test_raised_bits(name) -> None:
    (device,) = build(name, raised=frozenset({"3203", "3403", "3504", "4004"}))
    texts = values(device, DAWN)
    assert (texts["3200"], texts["3400"], texts["3500"], texts["4100"]) == ("4", "4", "8", "1")
    assert int(texts["4000"]) & 8
    truth = device.truth(DAWN)
    assert truth["warning"]
    assert truth["alarm"]
    assert truth["cell_temperature_low_protection"]
    assert truth["full_charge_requested"]
    assert_tells(device, DAWN, decode_system(texts))


@pytest.mark.parametrize("name", VARIANT_B)
def test_five_digit_master(name) -> None:
    (device,) = build(name)
    for now in MOMENTS:
        texts = values(device, now)
        assert "600" not in texts
        assert texts["10000"] == device.listing(now)["collectorSn"]
        assert_tells(device, now, decode_module(texts))
        soc = 100 * float(texts["14000"]) / float(texts["14100"])
        if name in ("powerbrick-sc", "powerbrick-plus"):
            assert texts["23800"] == ""
            assert device.truth(now)["soc"] == pytest.approx(soc)
        else:
            assert device.truth(now)["soc"] == int(texts["23800"]) == int(soc + 1e-3)
        module = values(device.modules[0], now)
        assert {key: module[key] for key in module if key not in ("10000", "10001")}.items() <= texts.items()


@pytest.mark.parametrize("name", ["powerbrick-a-1", "powerbrick-b", "powerbox-g2-a"])
def test_variant_switch(name) -> None:
    """F32: one serial, other points; the battery itself goes on as it was."""
    switch, back = DAY[100], DAY[200]
    (device,), (steady,) = build(name, switches=(switch, back)), build(name)
    other = build(name, variant="B" if steady.variant == "A" else "A")[0]
    for now in MOMENTS:
        expected = other if switch <= device.sample_time(now) < back else steady
        assert {key: text for key, text in values(device, now).items() if key not in ("300", "10100")} == {
            key: text for key, text in values(expected, now).items() if key not in ("300", "10100")
        }
        assert device.truth(now) == expected.truth(now)
        assert device.truth(now)["current"] == steady.truth(now)["current"]
    firmware = [device.listing(now)["firmwareVersion"] for now in MOMENTS]
    assert len(set(firmware)) == 3
    assert device.modules[0].serial == steady.modules[0].serial


def test_junior_box() -> None:
    (device,) = build("junior-box")
    for now in DAY[::6]:
        texts = values(device, now)
        assert_tells(device, now, decode_system(texts) | numbers(texts, JUNIOR))
        pv, battery, output = (int(texts[point]) for point in ("5900", "6000", "6100"))
        assert pv == battery + output
        assert output == int(texts["5400"]) + int(texts["5700"]) >= 0
        assert float(texts["4600"]) * float(texts["4700"]) == pytest.approx(pv, abs=2.5)
        assert battery == pytest.approx(float(texts["600"]) * float(texts["700"]), abs=1)
    assert {"310", "4500", *(str(point) for point in range(6200, 6800, 100)), "7900", "8000"} <= texts.keys()
    assert all(str(point) in texts for point in range(8100, 9700, 100))
    assert {names(device, DAWN)[point] for point in JUNIOR} == {""}


def test_junior_box_counts_by_its_own_day() -> None:
    """Its midnight is that of the house, an hour before that of UTC."""
    (device,) = build("junior-box")
    before, after = (device.truth(DAWN.replace(hour=hour, minute=minute)) for hour, minute in ((22, 50), (23, 15)))
    for key in ("energy_charged", "energy_discharged", "pv_energy", "output_energy"):
        assert before[key] <= after[key] <= before[key] + 0.1
        assert after[f"{key}_today"] < 0.1 < before[f"{key}_today"]
    days = [device.truth(DAWN.replace(hour=22, minute=50) + timedelta(days=day)) for day in range(2)]
    assert days[1]["pv_energy"] - days[0]["pv_energy"] == pytest.approx(days[1]["pv_energy_today"], abs=0.03)
