from datetime import timedelta
from itertools import pairwise
import json

import pytest

from emulator.dyness.catalogue import CATALOGUE, build
from emulator.dyness.future import EmptyRow, NamelessModel
from emulator.dyness.high_voltage import HighVoltage
from tests.emulator.dyness.test_decoding import DAWN, DAY, MOMENTS, integral, values

# dyness-api 5: name, code, suffix, batteryCategory
MODELS = {
    ("Junior Box", "1", "-BMS", "1"),
    ("DL5.0C", "15", "-BMS", "2"),
    ("PowerBox Pro", "16", "-BMS", "2"),
    ("PowerDepot H5B", "21", "-BMS", "2"),
    ("Tower T14", "25", "-BDU", "3"),
    ("Tower T17", "26", "-BDU", "3"),
    ("Tower T21", "", "-BDU", "3"),
    ("Tower Pro TP7", "7", "-BDU", "3"),
    ("Tower Pro TP11", "", "-BDU", "3"),
    ("Tower Pro TP15", "", "-BDU", "3"),
    ("PowerBox G2", "42", "-BMS", "2"),
    ("PowerBrick", "43", "-BMS", "2"),
    ("Stack100-7S", "50", "-BDU", "3"),
    ("Stack100-8S", "", "-BDU", "3"),
    ("Stack100-10S", "53", "-BDU", "3"),
    ("PowerDepot G2", "144", "-BMS", "2"),
    ("PowerHaus", "145", "-BMS", "2"),
    ("Cygni 10.0HS-M8", "192", "", None),
    ("PowerBrick SC", "226", "-BMS", "2"),
    ("PowerBrick Plus", "328", "-BMS", "2"),
}
INVENTED = {"Tower T46", "PowerNext 12", "Enigma"}
# dyness-api 8: name in the catalogue -> what station/info says, and what is true, in kWh
CAPACITIES = {
    "powerhaus": (5.12, 5.12),
    "dl5-1": (5.12, 5.12),
    "dl5-3": (5.12, 15.36),
    "dl5-6": (5.12, 30.72),
    "dl5-6-coordinator": (35.84, 30.72),
    "powerbox-pro": (10.24, 10.24),
    "powerbox-pro-2-packs": (10.24, 20.48),
    "powerdepot-g2": (5.12, 15.36),
    "powerbox-g2-a": (20.48, 20.48),
    "powerbrick-b": (14.336, 14.336),
    "powerbrick-sc": (16.076, 16.077),
    "tower-t14": (14.208, 14.208),
    "stack100-7s": (35.84, 35.84),
    "stack100-expanded": (35.84, 66.56),
    "cygni": (30.72, 30.72),
}
EVERY = [pytest.param(device, id=device.serial) for name in CATALOGUE for device in build(name)]
MEASURING = [param for param in EVERY if not isinstance(param.values[0], EmptyRow | NamelessModel)]


@pytest.mark.parametrize("device", EVERY)
def test_every_point_is_text_or_null_and_stands_once(device) -> None:
    for now in MOMENTS[::2]:
        for answering in (device, *device.modules):
            points = answering.points(now)
            values(answering, now)
            assert all(set(point) == {"flag", "pointId", "pointValue", "pointNameCn"} for point in points)
            assert all(isinstance(point["pointValue"], str | None) for point in points)
            assert not [point for point in points if (point["pointValue"] or "").startswith("-0.0")]
            assert {type(value) for value in answering.truth(now).values()} <= {float, int, str, bool}
            json.dumps([points, answering.truth(now)])


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_name_and_a_time_say_everything(name) -> None:
    now = DAY[100]
    for first, second in zip(build(name), build(name), strict=True):
        assert first.points(now) == second.points(now)
        assert first.truth(now) == second.truth(now)
        assert first.listing(now) == second.listing(now)
        assert [module.points(now) for module in first.modules] == [module.points(now) for module in second.modules]


def test_no_serial_stands_twice() -> None:
    serials = [known.serial for name in CATALOGUE for device in build(name) for known in (device, *device.modules)]
    assert len(serials) == len(set(serials))


def test_models_are_those_of_the_reference() -> None:
    rows = [device.listing(DAWN) for name in CATALOGUE for device in build(name)]
    shown = {
        (
            row["deviceModelName"],
            row["deviceModelCode"],
            row["deviceSn"].removeprefix(row["collectorSn"]),
            row["batteryCategory"],
        )
        for row in rows
        if row["deviceModelName"] not in INVENTED
    }
    # The dongle has no suffix, whatever the model.
    assert shown - {("PowerBox G2", "42", "", "2")} == MODELS
    assert {row["productType"] for row in rows if row["deviceModelName"].startswith("Cygni")} == {"2"}
    assert next(row for row in rows if row["deviceModelName"] == "Tower T14")["systemType"] == "20017"
    assert all(row["collectorSn"] and row["firmwareVersion"] for row in rows)


@pytest.mark.parametrize("name", CAPACITIES)
def test_capacity(name) -> None:
    device = build(name)[0]
    told, true = CAPACITIES[name]
    assert float(device.station()["batteryCapacity"]) == told
    assert device.energy_rated == true
    assert device.truth(DAWN)["energy_rated"] == pytest.approx(true, abs=0.005)


def test_what_the_list_says_against_all_truth() -> None:
    (device,) = build("tower-t14", model_name="", communication="Offline", work_status="Charging")
    row, detail = device.listing(DAWN), device.detail(DAWN)
    assert (row["deviceModelName"], detail["deviceModelName"], row["deviceModelCode"]) == ("", "", "25")
    assert (row["deviceCommunicationStatus"], row["deviceCommunicationStatusCode"]) == ("Offline", "2")
    assert row["workStatus"] == "Charging"
    assert (detail["voltage"], detail["current"]) == ("384", "37")
    assert device.points(DAWN)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "powerhaus",
            "dl5-3",
            "powerbox-pro-2-packs",
            "powerdepot-g2",
            "powerbrick-a",
            "powerbox-g2-b",
            "powerbrick-sc",
        ),
        *("junior-box", "tower-t14", "tower-pair", "tower-pro-tp7", "stack100-7s", "cygni", "future-high-voltage"),
    ],
)
def test_charge_and_energy_add_up(name) -> None:
    """Over a day the state of charge is the integral of the current, and the counters are that of the power."""
    device = build(name)[0]
    samples = [device.truth(now) for now in DAY]
    parallel = device.parallel if isinstance(device, HighVoltage) else 1
    capacity = device.system_capacity
    level = float(samples[0]["soc"])
    for before, after in pairwise(samples):
        level -= (before["current"] + after["current"]) / 2 / 12 / capacity * 100
        assert level == pytest.approx(after["soc"], abs=4)
        assert 0 <= after["soc"] <= 100
        assert 2.8 * device.cells_in_series < after["voltage"] < 3.6 * device.cells_in_series
    assert {sample["status"] for sample in samples} >= {"charging", "discharging"}
    for key, sign in (("energy_charged", -1), ("energy_discharged", 1)):
        if key in samples[0]:
            counted = [sample[key] for sample in samples]
            assert counted == sorted(counted)
            flown = [{"power": max(sign * sample["power"], 0) / 1000 / parallel} for sample in samples]
            assert counted[-1] - counted[0] == pytest.approx(integral(flown, "power"), rel=0.05, abs=0.25)
            assert counted[-1] - counted[0] > 0.2 * device.energy_rated


@pytest.mark.parametrize("device", MEASURING)
def test_truth_tells_when_the_sample_was_taken(device) -> None:
    now = DAWN + timedelta(minutes=3)
    taken = device.sample_time(now)
    assert device.truth(now)["last_report"] == taken.isoformat()
    assert values(device, now)["T"] == taken.strftime("%Y-%m-%d %H:%M:%S")
    assert timedelta() < now - taken < timedelta(minutes=6)
    for module in device.modules:
        assert module.truth(now)["last_report"] == taken.isoformat()


def test_points_that_are_overridden_absent_or_null() -> None:
    (device,) = build("dl5-1", overrides={"800": "146", "1200": None, "NEW": "x"}, absent=frozenset({"700"}))
    shown = values(device, DAWN)
    assert (shown["800"], shown["1200"], shown["NEW"], "700" in shown) == ("146", None, "x", False)
    assert device.truth(DAWN)["soc"] <= 100


def test_frost() -> None:
    for name in ("dl5-1", "powerbrick-b", "tower-t14", "cygni"):
        (mild,), (cold,) = build(name), build(name, warmer_by=-40)
        for one, other in zip((mild, *mild.modules), (cold, *cold.modules), strict=True):
            for key, value in one.truth(DAWN).items():
                if "temperature" in key and type(value) is float:
                    assert other.truth(DAWN)[key] == pytest.approx(value - 40, abs=0.11)
                    assert other.truth(DAWN)[key] < 0


def test_two_masters_of_one_model_differ() -> None:
    first, second = (build("dl5-1", serial=f"S{number}-BMS")[0] for number in range(2))
    assert first.measure_module(DAWN, 1).cells != second.measure_module(DAWN, 1).cells


def test_silent_module_keeps_its_last_sample() -> None:
    for name in ("dl5-2", "tower-t14"):
        (device,) = build(name)
        one, other = device.modules[:2]
        last = one.points(DAWN), one.truth(DAWN), other.points(DAWN)
        one.silent_since = DAWN
        later = DAWN + timedelta(hours=2)
        assert (one.points(later), one.truth(later)) == last[:2]
        assert other.points(later) != last[2]


async def test_thirteen_modules_over_http(cloud, post) -> None:
    cloud.devices = {device.serial: device for name in ("tower-13", "dl5-6-coordinator") for device in build(name)}
    rows = (await post("/v1/device/storage/list")).json["data"]["list"]
    assert [row["deviceModelName"] for row in rows] == ["Tower T46", "DL5.0C", "DL5.0C"]

    async def read(serial):
        points = (await post("/v1/device/realTime/data", serial)).json["data"]
        return {point["pointId"]: point["pointValue"] for point in points}

    tower = await read(rows[0]["deviceSn"])
    modules = [await read(serial) for serial in tower["SUB"].split(",")]
    assert [module["11000"] for module in modules] == [str(number) for number in range(1, 14)]
    cells = [float(module[str(11200 + 100 * cell)]) for module in modules for cell in range(int(module["11100"]))]
    assert len(cells) == 390
    assert sum(cells) == pytest.approx(float(tower["1100"]), abs=0.06)
    assert (await read(rows[1]["deviceSn"]))["400"] == "6"
    assert await read(rows[2]["deviceSn"]) == {}
