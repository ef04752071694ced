"""Recognition, and what a family table does with its points, apart from any device."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.dyness_atess.telemetry.dyness import decoder, recognition
from custom_components.dyness_atess.telemetry.dyness.decoder import READ_BY_NAME, decode, decode_dongle, decode_running
from custom_components.dyness_atess.telemetry.dyness.families import FAMILIES
from custom_components.dyness_atess.telemetry.dyness.family import Family, Kind
from custom_components.dyness_atess.telemetry.dyness.history import latest_soc, samples
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import Key
from emulator.dyness.catalogue import build
from emulator.dyness.low_voltage import LowVoltage
from emulator.dyness.models import DL5

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[3] / "docs" / "adding-a-family.md"


def points(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return points without names."""
    return [{"pointId": point_id, "pointValue": value} for point_id, value in values.items()]


def named(values: dict[tuple[str, str], Any]) -> list[dict[str, Any]]:
    return [{"pointId": i, "pointNameCn": name, "pointValue": value} for (i, name), value in values.items()]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_tables(family: Family) -> None:
    assert family.essential <= family.by_id.keys()
    ids = [rule.id for rule in family.rules]
    assert len(ids) == len(set(ids))
    without_value = (Kind.UNUSED, Kind.SAMPLE_TIME, Kind.SERIALS, Kind.FIRMWARE)
    for rule in (*family.rules, *family.running):
        assert bool(rule.keys) == (rule.kind not in without_value), rule


def test_example_of_the_document() -> None:
    """The one file of the document makes the points of the document a family."""
    blocks = [
        "\n".join(line[4:] for line in block.splitlines())
        for block in re.findall(r"(?:^(?: {4}.*)?\n)+", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    (source,) = [block for block in blocks if "EXAMPLE = Family(" in block]
    package = decoder.__name__.rpartition(".")[0] + ".families"
    module: dict[str, Any] = {"__package__": package, "__name__": f"{package}.example"}
    exec(compile(source.strip(), str(DOCUMENT), "exec"), module)  # noqa: S102
    (sample,) = [block for block in blocks if "70020" in block and "EXAMPLE" not in block]
    data = [eval(line) for line in sample.strip().splitlines()]  # noqa: S307
    assert decode(data).family == READ_BY_NAME
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recognition, "FAMILIES", (*FAMILIES, module["EXAMPLE"]))
        reading = decode(data)
    assert reading.family == "example"
    assert reading.values == {
        Key.VOLTAGE: 51.9,
        Key.CURRENT: 12.4,
        Key.SOC: 64,
        Key.STATUS: "discharging",
        Key.POWER: 643.6,
    }


MODULE: Any = LowVoltage(serial="DEMOFIFTEEN-BMS", model=replace(DL5, cells=15)).modules[0]
TOWER_MODULE = build("tower-t14")[0].modules[0]


def module(changes: dict[str, str] | None = None) -> Reading:
    """Decode the answer of a module by day, with some other values."""
    return decode(replace(MODULE, overrides=changes or {}).points(NOW))


@pytest.mark.parametrize(
    ("changes", "on"),
    [
        ({"14500": "2"}, {Key.CELL_VOLTAGE_HIGH, Key.WARNING}),
        ({"14500": "1"}, {Key.CELL_VOLTAGE_LOW, Key.WARNING}),
        ({"14500": "240"}, {Key.WARNING}),
        ({"15800": "240"}, set()),
        ({"16800": "128"}, {Key.MODULE_VOLTAGE_LOW_PROTECTION, Key.ALARM}),
        ({"16800": "32"}, {Key.CELL_TEMPERATURE_HIGH_PROTECTION, Key.ALARM}),
        ({"16900": "6"}, {Key.CHARGE_MOSFET, Key.DISCHARGE_MOSFET}),
        ({"17000": "8"}, {Key.FULLY_CHARGED}),
    ],
)
def test_module_states(changes: dict[str, str], on: set[Key]) -> None:
    usual = dict.fromkeys(("16900", "17000"), "0")
    assert {key for key, state in module(usual | changes).flags.items() if state} - {Key.CHARGING} == on


def test_a_full_module_is_never_fuller() -> None:
    assert module({"14000": "201", "14100": "200"}).values[Key.SOC] == 100
    assert Key.SOC not in module({"14000": "250", "14100": "200"}).values
    for remaining in ("0", "100"):
        unknown = module({"14000": remaining, "14100": "0"}).values
        assert not {Key.SOC, Key.ENERGY_RATED, Key.ENERGY_REMAINING} & unknown.keys()


def test_running_data() -> None:
    running = decode_running("cygni", {"pvPower": "3000", "gridPower": 1200, "activePower": 9, "pv1Voltage": None})
    assert running == {Key.PV_POWER: 3000, Key.GRID_POWER: -1200, Key.OUTPUT_POWER: 9}
    assert decode_running("low_voltage", {"pvPower": "3000"}) == {}
    assert decode_running(None, {"pvPower": "3000"}) == {}


def test_junior_box_tracker_counts_only_without_a_total() -> None:
    pack = {"600": "25.6", "800": "50"}
    assert decode(points(pack | {"4800": "120"})).values[Key.PV_POWER] == 120
    for sent in ({"4800": "120", "5900": "240"}, {"5900": "240", "4800": "120"}):
        assert decode(points(pack | sent)).values[Key.PV_POWER] == 240


TOWER = {("1000", "电流"): "-12.0", ("1100", "总压"): "400.0", ("1400", "SOC"): "50", ("4300", "箱数(个)"): "4"}


@pytest.mark.parametrize(
    ("name", "point_id", "key"),
    [("风扇状态", "3800", Key.FAN), ("加热膜状态", "3900", Key.HEATER), ("均衡", "4000", Key.BALANCING)],
)
def test_tower_says_what_is_on_by_name(name: str, point_id: str, key: Key) -> None:
    assert decode(named(TOWER | {(point_id, name): "2"})).flags[key]
    assert decode(named(TOWER | {(point_id, name): "0"})).flags[key] is False
    for other in ("", "Wert", f"{name}温度"):
        assert key not in decode(named(TOWER | {(point_id, other): "2"})).flags
    assert decode(named(TOWER)).values[Key.MODULE_COUNT] == 4


@pytest.mark.parametrize(
    ("byte", "current", "status"),
    [
        ("2", "-12.0", "discharging"),
        ("1", "12.0", "charging"),
        ("17", "12.0", "charging"),
        ("3", "0.0", "idle"),
        ("0", "0.1", "sleeping"),
        ("1", "-12.0", None),
        ("2", "0.0", None),
        ("170", "-12.0", None),
        ("2", "", None),
        ("7", "-12.0", None),
    ],
)
def test_tower_status_is_believed_where_the_current_agrees(byte: str, current: str, status: str | None) -> None:
    values = decode(named(TOWER | {("1200", "电池状态"): byte, ("1000", "电流"): current})).values
    assert values.get(Key.BATTERY_STATUS) == status


def test_a_meter_is_no_battery() -> None:
    """Its ids are those of a module, and its names say what it is."""
    names = [*(f"{phase}相{what}" for phase in "ABC" for what in ("电压", "电流", "功率")), "频率", "功率因数"]
    meter = {(str(10300 + 100 * place), name): "3.3" for place, name in enumerate(names)} | {("13500", "频率"): "50.0"}
    for known in (None, "module"):
        reading = decode(named(meter), known)
        assert reading.family is None
        assert not reading.understood
    assert decode(points({"10300": "230.1", "13500": "50.0"})).family is None


@pytest.mark.parametrize(("device", "first"), [(MODULE, 10300), (TOWER_MODULE, 11200)])
def test_restarted_modules_say_nothing(device: Any, first: int) -> None:
    """All of their cells are 0, and nothing else is."""
    cells = {str(first + 100 * cell): "0.000" for cell in range(device.master.model.cells)}
    reading = decode(replace(device, overrides=cells).points(NOW))
    assert reading.empty
    assert reading.understood


def test_dongle() -> None:
    assert decode_dongle(points({"800000": "-61", "5": "1"})) == {Key.SIGNAL_STRENGTH: -61}
    assert decode_dongle(points({"800000": "0"})) == {}
    assert decode_dongle(None) == {}


def test_family_is_kept_until_the_points_say_another() -> None:
    partial = points({"700": "1.0", "1300": "3.3"})
    assert decode(partial).family is None
    assert decode(partial, "low_voltage").family == "low_voltage"
    assert decode(partial, "no such family").family is None
    assert decode(MODULE.points(NOW), "low_voltage").family == "module"
    strangers = named({("700", "x"): "1", ("1300", "y"): "2"})
    assert decode(strangers, "low_voltage").family is None


NEW = {("1", "SOC"): "64", ("2", "总压"): "410.5", ("3", "电流"): "-2.5", ("4", "温度"): "25", ("5", "新"): "7"}


def test_by_name() -> None:
    """The sign of a current that nobody has seen is withheld until something has shown it."""
    reading = decode(named(NEW))
    assert reading.family == READ_BY_NAME
    assert reading.values == {Key.SOC: 64, Key.VOLTAGE: 410.5, Key.BATTERY_TEMPERATURE: 25}
    assert not reading.flags
    assert [point.id for point in reading.unknown] == ["5"]
    for sign, status in ((1, "charging"), (-1, "discharging")):
        known = decode(named(NEW), sign=sign).values
        assert known[Key.CURRENT] == -2.5 * sign
        assert known[Key.POWER] == pytest.approx(-1026.2 * sign, abs=0.1)
        assert known[Key.STATUS] == status


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        # The system comes before its cluster, and both before a word that says nothing of whose it is.
        ({"SOC": "50", "簇电压": "401", "总电压": "410"}, {Key.SOC: 50, Key.VOLTAGE: 410}),
        ({"电压": "230", "电池电压": "51.2"}, {Key.VOLTAGE: 51.2}),
        ({"SOC": "50", "簇电压": "0", "总电压": "410"}, {Key.SOC: 50, Key.VOLTAGE: 410}),
        ({"State of charge (%)": "50", "Spannung": "51.2"}, {Key.SOC: 50, Key.VOLTAGE: 51.2}),
        ({"系統SOC": "50", "電芯最高電壓": "3.33", "今日充電電量(kWh)": "2.5"}, None),
        ({"SOC：": "50", "最大允许充电电流（A）": "40", "Ladezyklen": "12"}, None),
        # A meter, a dongle.
        ({"电压": "230", "电流": "5", "频率": "50"}, {}),
        ({"Voltage": "5.1", "Temperature": "30", "Cell signal": "-70"}, {}),
    ],
)
def test_words(sent: dict[str, str], shown: dict[Key, Any] | None) -> None:
    reading = decode(named({(str(number), name): value for number, (name, value) in enumerate(sent.items(), 9000)}))
    if shown is None:
        assert sorted(map(str, reading.values.values())) == sorted(sent.values())
    else:
        assert reading.values == shown
    assert reading.understood == bool(reading.values)


def test_the_first_of_equal_names_counts() -> None:
    assert decode(named({("1", "SOC"): "64", ("2", "SOC"): "99"})).values == {Key.SOC: 64}


def test_only_common_points() -> None:
    """What lists a battery without points has nothing that a table is missing for."""
    empty = decode(named({("T", "数据采集时间"): "2026-01-01 00:00:00", ("SUB", ""): "null"}))
    assert empty.empty
    assert empty.understood
    assert not decode(named({("9", "新"): "1"})).understood


@pytest.mark.parametrize(
    ("records", "soc"),
    [
        ([("2026-09-01 11:50:00", "41"), ("2026-09-01 11:55:00", "42"), ("2026-09-01 12:00:00", None)], 42),
        ([("2026-09-01 11:55:00", "0"), ("2026-09-01 11:50:00", "41")], 0),
        ([("2026-09-01T13:55:00.5+02:00", "42"), ("2026-09-01T11:50:00Z", "41")], 42),
        ([("2026-09-01 11:44:00", "41")], None),
        ([("2026-08-31 11:55:00", "41")], None),
        ([("2026-09-01 15:00:00", "41")], None),
        ([("2026-09-01 11:55:00", "146"), ("2026-09-01 11:50:00", "41")], 41),
        ([(None, "41"), ("nonsense", "41"), ("2026-09-01 11:55:00", "x")], None),
        ([], None),
    ],
)
def test_state_of_charge_from_the_history(records: list[tuple[str | None, str | None]], soc: float | None) -> None:
    rows: list[Any] = [{"createTime": time, "soc": value} for time, value in records]
    assert latest_soc([*rows, "text", None, []], NOW) == soc


@pytest.mark.parametrize(
    ("record", "power"),
    [
        ({"realTimePower": 500, "realTimeCurrent": -10.0}, -500),
        ({"realTimeCurrent": 10.0}, -512),
        ({"realTimeCurrent": 10.0, "realTimeVoltage": "50"}, -500),
        ({"realTimeCurrent": 655.35}, None),
        ({"realTimeCurrent": -327.68}, None),
        ({"realTimeCurrent": 10.0, "realTimeVoltage": 6553.5}, -512),
        ({"realTimePower": 65535, "realTimeCurrent": 10.0}, -512),
        ({"realTimePower": None, "realTimeCurrent": [10]}, None),
    ],
)
def test_what_cannot_be_is_not_counted(record: dict[str, Any], power: float | None) -> None:
    """The bounds of what is counted are those of what is shown."""
    rows = [record | {"createTime": "2026-09-01 12:00:00"}, "text", None]
    counted = samples(rows, current_sign=-1, voltage=51.2)
    assert counted == ([] if power is None else [(NOW, power, None)])
