import pytest

from emulator.dyness.catalogue import build
from tests.emulator.dyness.test_decoding import DAWN, DAY, MOMENTS, assert_tells, names, numbers, singles, values

# dyness-api 6.4
MASTER = {
    "1100": "voltage",
    "1400": "soc",
    "1500": "soh",
    "1600": "energy_remaining",
    "1700": "energy_rated",
    "1800": "cycles",
    "1900": "energy_charged",
    "2000": "charge_current_limit",
    "2100": "discharge_current_limit",
    "2400": "cell_voltage_max",
    "2500": "cell_voltage_max_module",
    "2600": "cell_voltage_max_cell",
    "2700": "cell_voltage_min",
    "2800": "cell_voltage_min_module",
    "2900": "cell_voltage_min_cell",
    "3000": "cell_temperature_max",
    "3100": "cell_temperature_max_module",
    "3200": "cell_temperature_max_sensor",
    "3300": "cell_temperature_min",
    "3400": "cell_temperature_min_module",
    "3500": "cell_temperature_min_sensor",
    "5001": "cell_voltage_imbalance",
    "5002": "cell_temperature_imbalance",
    "9999999": "alarm",
}
NAMED = {
    "10": "BDU序列号",
    "20": "PCB序列号",
    "30": "Boot版本号",
    "40": "硬件版本号",
    "50": "APP版本号",
    "1000": "电流",
    "1100": "总压",
    "1200": "电池状态",
    "1300": "继电器状态",
    "1400": "SOC",
    "1500": "SOH",
    "1600": "电池剩余电量",
    "1700": "电池额定电量",
    "1800": "电池循环次数",
    "1900": "累计充电电量",
    "2000": "建议充电电流",
    "2100": "建议放电电流",
    "2200": "正极绝缘电阻值",
    "2300": "负极绝缘电阻值",
    "2400": "最高单压值",
    "2700": "最低单压值",
}
# name in the catalogue -> modules, cells and temperatures of each, rated kWh
TOWERS = {
    "tower-t14": (4, 30, 2, 14.21),
    "tower-13": (13, 30, 2, 46.18),
    "tower-pro-tp7": (2, 30, 8, 7.68),
    "tower-pro-tp11": (3, 30, 8, 11.52),
    "tower-pro-tp15": (4, 30, 8, 15.36),
    "stack100-7s": (7, 16, 4, 35.84),
    "stack100-8s": (8, 16, 4, 40.96),
    "stack100-10s": (10, 16, 4, 51.2),
    "stack100-expanded": (13, 16, 4, 66.56),
}
CLOSED = {"tower-t17": 17.76, "tower-t21": 21.31, "tower-pair": 21.31}


def decode(texts, *, stuck=False):
    table = {key: name for key, name in MASTER.items() if not (stuck and key in ("2600", "2900"))}
    current = float(texts["1000"])
    return numbers(texts, table) | {
        "current": -current,
        "power": round(-current * float(texts["1100"]), 1),
        "cell_voltage_spread": round((float(texts["2400"]) - float(texts["2700"])) * 1000),
    }


def decode_module(texts):
    cells = [float(texts[str(11200 + 100 * cell)]) for cell in range(int(texts["11100"]))]
    count = int(texts["14200"]) if "14200" in texts else 4
    warmth = [float(texts[str(14300 + 100 * place)]) for place in range(count)]
    return singles(cells, warmth)


@pytest.mark.parametrize("name", [*TOWERS, *CLOSED])
def test_master_points(name) -> None:
    for device in build(name):
        stuck = name in ("tower-t21", "tower-pair")
        for now in MOMENTS:
            texts = values(device, now)
            assert_tells(device, now, decode(texts, stuck=stuck))
            assert (texts["2200"], texts["2300"]) == ("", "")
            assert not stuck or texts["2600"] == texts["2900"] == "1"
            assert float(texts["1600"]) <= float(texts["1700"])
            soc = 100 * float(texts["1600"]) / float(texts["1700"])
            assert int(texts["1400"]) - 0.1 <= soc < int(texts["1400"]) + 1.1
            assert "600" not in texts
            assert "4000" not in texts or name.startswith("stack")
        assert NAMED.items() <= names(device, DAWN).items()
        assert {names(device, DAWN)[point] for point in ("3000", "3100", "3500", "9999999")} == {""}
        rated = TOWERS[name][3] if name in TOWERS else CLOSED[name]
        assert float(values(device, DAWN)["1700"]) == rated


@pytest.mark.parametrize("name", TOWERS)
def test_modules(name) -> None:
    (device,) = build(name)
    modules, cells, sensors, _ = TOWERS[name]
    for now in MOMENTS[::4]:
        master = values(device, now)
        answers = [values(module, now) for module in device.modules]
        assert master["SUB"].split(",") == [module.serial for module in device.modules]
        assert [module.serial for module in device.modules] == [
            f"{device.serial}-{number:02d}" for number in range(1, modules + 1)
        ]
        decoded = [decode_module(texts) for texts in answers]
        for number, (module, texts) in enumerate(zip(device.modules, answers, strict=True), 1):
            assert_tells(module, now, decoded[number - 1])
            assert {key for key in module.truth(now) if key.startswith("cell_") and key.endswith("_voltage")} == {
                f"cell_{cell:02d}_voltage" for cell in range(1, cells + 1)
            }
            assert (texts["11000"], texts["11100"]) == (str(number), str(cells))
            # Beyond the counts stand placeholders.
            assert [texts[str(11200 + 100 * cell)] for cell in range(cells, 30)] == ["0.0"] * (30 - cells)
            if "14200" in texts:
                assert texts["14200"] == str(sensors)
                assert [texts[str(14300 + 100 * place)] for place in range(sensors, 8)] == ["0.0"] * (8 - sensors)
            assert texts.get("10010") == (None if name == "tower-t14" else module.serial)
            assert not {"10000", "10200", "10300", "600"} & texts.keys()
        total = sum(sum(value for key, value in cell.items() if key.endswith("_voltage")) for cell in decoded)
        assert total == pytest.approx(float(master["1100"]), abs=0.051)
        box, place = int(master["2500"]), int(master["2600"])
        assert answers[box - 1][str(11100 + 100 * place)] == master["2400"]
        assert max(module["cell_voltage_max"] for module in decoded) == float(master["2400"])
        assert min(module["cell_temperature_min"] for module in decoded) == float(master["3300"])


def test_only_a_stack_has_no_count_of_temperatures() -> None:
    without = {name for name in TOWERS if "14200" not in values(build(name)[0].modules[0], DAWN)}
    assert without == {name for name in TOWERS if name.startswith("stack")}
    module = values(build("stack100-7s")[0].modules[0], DAWN)
    assert ("14600" in module, "14700" in module) == (True, False)


def test_a_stack_has_the_voltage_of_the_report() -> None:
    """#28: 532.8 V."""
    (device,) = build("stack100-10s")
    shown = [float(values(device, now)["1100"]) for now in DAY]
    assert min(shown) < 532.8 < max(shown)


@pytest.mark.parametrize("name", CLOSED)
def test_closed_towers(name) -> None:
    """F14."""
    for device in build(name):
        assert values(device, DAWN)["SUB"] is None
        assert list(device.modules) == []


def test_combiner_box() -> None:
    """Both towers report the current of both."""
    first, second = build("tower-pair")
    for now in DAY[::8]:
        one, other = values(first, now), values(second, now)
        assert (one["T"], one["1000"]) == (other["T"], other["1000"])
        alone = first.battery.at(first.sample_time(now)).rate * 37
        assert float(one["1000"]) == pytest.approx(2 * alone, abs=0.051)
    assert first.serial != second.serial
    assert values(first, DAWN)["10"] != values(second, DAWN)["10"]
    assert first.measure_modules(DAWN) != second.measure_modules(DAWN)


def test_alarm_registers() -> None:
    (device,) = build("tower-pro-tp7")
    texts = values(device, DAWN)
    for register in range(4400, 5000, 100):
        assert [texts[str(register + bit)] for bit in range(9)] == ["0"] * 9
    assert not device.truth(DAWN)["alarm"]
    assert "5001" not in texts
    device.raised = frozenset({"4402", "4403"})
    texts = values(device, DAWN)
    assert (texts["4400"], texts["4402"], texts["4403"], texts["4404"], texts["9999999"]) == ("6", "1", "1", "0", "1")
    assert device.truth(DAWN)["alarm"]


@pytest.mark.parametrize("name", ["tower-t14", "stack100-7s"])
def test_alarm_flags(name) -> None:
    (device,) = build(name, raised=frozenset({"5001"}))
    texts = values(device, DAWN)
    shown = [texts[point] for point in ("5001", "5002", "5003", "5101", "5102", "5104", "9999999")]
    assert shown == ["1", "0", "0", "0", "0", "0", "1"]
    assert "4400" not in texts
    truth = device.truth(DAWN)
    assert (truth["alarm"], truth["cell_voltage_imbalance"], truth["cell_temperature_imbalance"]) == (True, True, False)


def test_placeholders_are_not_frost() -> None:
    """A cell group at 0.0 °C within the count is a value."""
    (device,) = build("tower-t14", warmer_by=-16.5)
    shown = [values(device.modules[0], now) for now in DAY]
    assert any(texts["14300"].startswith("-") for texts in shown)
    assert all(texts["14500"] == "0.0" for texts in shown)
