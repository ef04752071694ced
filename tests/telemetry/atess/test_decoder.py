"""What follows from several records: powers in every variant, direction, counters of the day, memory."""

from datetime import UTC, datetime, timedelta
from itertools import product
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.dyness_atess.telemetry.atess.decoder import ConverterDecoder
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import Key
from emulator.atess.pbd import Hps, Measures, Pbd, Sign

MIDNIGHT = datetime(2026, 3, 22, 23, tzinfo=UTC)
"""Of a device at UTC+1."""
POLL = timedelta(minutes=5, seconds=30)
HOURS = {"night": 1, "morning": 8, "noon": 12, "evening": 20}
WITHOUT_BATTERY = {
    *(Key.VOLTAGE, Key.CURRENT, Key.POWER, Key.STATUS, Key.CHARGING, Key.SOC, Key.BATTERY_STATUS, Key.CELL_VOLTAGE_MAX),
    *(Key.ENERGY_CHARGED, Key.ENERGY_DISCHARGED, Key.ENERGY_CHARGED_TODAY, Key.CHARGE_TIME, Key.CHARGE_TIME_TODAY),
}


def restarted(decoder: ConverterDecoder, kind: str = "pbd") -> ConverterDecoder:
    return ConverterDecoder(kind, json.loads(json.dumps(decoder.memory)))


def readings(device: Pbd, start: datetime, count: int, **arguments: Any) -> list[tuple[Reading, dict[str, float]]]:
    """Decode what a device shows, poll by poll, with the truth."""
    decoder = ConverterDecoder("hps" if isinstance(device, Hps) else "pbd", **arguments)
    times = [start + number * POLL for number in range(count)]
    return [(decoder.decode(device.answer(now), now), device.truth(now)) for now in times]


def wrong(reading: Reading, truth: dict[str, float], measures: Measures) -> dict[Key, Any]:
    """Return the powers and currents that are further from the truth than 2 % and 100 W, or 1 A in whole numbers."""
    found = {}
    for key in Key:
        if not key.endswith(("power", "voltage", "current")) or key not in truth or key not in reading.values:
            continue
        volts = {"power": "voltage", "output_power": "output_voltage"}.get(key, "output_voltage")
        slack = 100 + (3 if key == Key.PV_POWER else 1) * (truth.get(volts, 0.0) if measures == "integers" else 0)
        tolerance = 0.02 * abs(truth[key]) + slack if key.endswith("power") else 1.0
        if abs(float(reading.values[key]) - truth[key]) > tolerance:  # type: ignore[arg-type]
            found[key] = reading.values[key], truth[key]
    return found


@pytest.mark.parametrize("hour", HOURS.values(), ids=HOURS)
@pytest.mark.parametrize("measures", ["decimals", "integers", "tenths"])
@pytest.mark.parametrize("kind", ["PBD", "PBD without BMS", "PBD without battery", "HPS"])
def test_powers_are_right_from_the_first_record(kind: str, measures: Measures, hour: float) -> None:
    variants = product(("discharging", "charging"), (1, 3) if kind != "HPS" else (1,), (0.1, 1.0, 4.5))
    for positive, inputs, size in variants:
        variant: dict[str, Any] = {"measures": measures, "positive": positive, "inputs": inputs, "size": size}
        variant |= {"has_bms": "without BMS" not in kind, "has_battery": "without battery" not in kind}
        device = Hps(**variant) if kind == "HPS" else Pbd(**variant)
        for reading, truth in readings(device, MIDNIGHT + timedelta(hours=hour), 8):
            assert wrong(reading, truth, measures) == {}
            assert Key.PV_POWER in reading.values
            assert kind == "HPS" or Key.OUTPUT_POWER in reading.values
            if kind in ("PBD", "HPS") and abs(truth["current"]) > 2:
                assert Key.POWER in reading.values
            if kind == "PBD without battery":
                assert not WITHOUT_BATTERY & {*reading.values, *reading.flags}
            elif measures == "decimals":
                assert Key.SOC in reading.values


def test_undecided_scale_shows_nothing_that_depends_on_it() -> None:
    """Tenths, at night, without a battery."""
    device = Pbd(has_battery=False, measures="tenths", overrides={"temp": 90})
    zeros = dict.fromkeys(("pvTemp", "pvInductanceTemp", "outTemp", "outInductanceTemp"), 0)
    night = MIDNIGHT + timedelta(hours=1)
    decoder = ConverterDecoder("pbd")
    reading = decoder.decode(device.record(night) | zeros, night)
    assert not {key for key in reading.values if key.endswith(("voltage", "current", "temperature"))}
    assert reading.values[Key.PV_POWER] == 0
    assert decoder.memory["scale"] == [None, "", 0]
    noon = MIDNIGHT + timedelta(hours=12)
    assert decoder.decode(device.record(noon), noon).values[Key.AMBIENT_TEMPERATURE] == 9
    assert restarted(decoder).decode(device.record(night), night).values[Key.AMBIENT_TEMPERATURE] == 9


def test_a_changed_scale_is_noticed_and_never_shown_wrong() -> None:
    device, noon = Pbd(), MIDNIGHT + timedelta(hours=12)
    decoder = ConverterDecoder("pbd")
    for measures in ("decimals", "tenths", "decimals"):
        device.measures = measures
        shown = []
        for _ in range(5):
            noon += POLL
            reading = decoder.decode(device.answer(noon), noon)
            assert wrong(reading, device.truth(noon), device.measures) == {}
            shown.append(Key.PV_POWER in reading.values)
        assert shown[2:] == [True] * 3


@pytest.mark.parametrize("positive", ["discharging", "charging"])
@pytest.mark.parametrize("counters", [True, False])
def test_direction_without_bms(positive: Sign, counters: bool) -> None:
    """It follows from the counters of the day, or from output and inputs."""
    device = Pbd(has_bms=False, positive=positive)
    device.overrides = {} if counters else dict.fromkeys(("echargeToday", "edischargeToday"))
    shown = readings(device, MIDNIGHT + timedelta(hours=5), 130)
    assert all(wrong(reading, truth, "decimals") == {} for reading, truth in shown)
    assert sum(Key.POWER in reading.values for reading, _ in shown) > 90


def test_direction_turns_after_three_contrary_witnesses() -> None:
    decoder = ConverterDecoder("pbd")
    record = {"vbat": 500.5, "ibat": 20, "status": 2}
    powers = []
    for number, status in enumerate((0, 5, 5, 4, 5, 4, 0, 4, 4, 4)):
        reading = decoder.decode(record | {"bmsStatus": status, "temp": number}, MIDNIGHT + number * POLL)
        powers.append(reading.values.get(Key.POWER))
    assert powers == [None, 10010, 10010, None, 10010, None, None, None, -10010, -10010]
    assert decoder.memory["sign"] == [-1.0, "battery status", 0]


def test_a_better_witness_overrules_the_balance() -> None:
    decoder = ConverterDecoder("pbd")
    record = {"vbat": 500.5, "ibat": 20, "outv": 700, "outi": 20, "vpv": 600, "ipv": 0.1, "status": 2}
    assert decoder.decode(record, MIDNIGHT).values[Key.POWER] == 10010
    assert decoder.decode(record | {"bmsStatus": 4}, MIDNIGHT + POLL).values[Key.POWER] == -10010
    assert decoder.decode(record | {"temp": 20}, MIDNIGHT + 2 * POLL).values[Key.POWER] == -10010
    assert Key.POWER not in decoder.decode(record | {"bmsStatus": 5}, MIDNIGHT + 3 * POLL).values


def test_option_overrides_witnesses() -> None:
    device, noon = Pbd(), MIDNIGHT + timedelta(hours=9)
    (reading, truth), *_ = readings(device, noon, 1, battery_sign=-1)
    assert reading.values[Key.CURRENT] == pytest.approx(-truth["current"], abs=0.1)


NOON, TODAY = datetime(2026, 6, 21, 12, tzinfo=UTC), "2026-06-21 12:00:00"


@pytest.mark.parametrize(
    ("records", "shown"),
    [
        # A fall needs two records; one of zeros adds nothing.
        ([12.5, 0, 12.6], [12.5, 12.5, 12.6]),
        ([12.5, 0, 0.1, 0.2], [12.5, 12.5, 0.1, 0.2]),
        ([12.5, 12.6, 12.5, 12.7], [12.5, 12.6, 12.6, 12.7]),
        ([0, 12.5], [None, 12.5]),
        ([0, 0, 0.1], [None, 0, 0.1]),
        ([12.5, 6553.5, 12.6], [12.5, None, 12.6]),
        # Midnight of its own clock.
        ([12.5, (0, "2026-06-22 00:03:00"), (0.1, "2026-06-22 00:08:00")], [12.5, 0, 0.1]),
        ([12.5, (0, "2026-06-20 23:59:00"), 12.6], [12.5, 12.5, 12.6]),
    ],
)
def test_counters_of_the_day(records: list[Any], shown: list[float | None]) -> None:
    decoder = ConverterDecoder("pbd")
    for number, (record, expected) in enumerate(zip(records, shown, strict=True)):
        today, time = record if isinstance(record, tuple) else (record, TODAY)
        content = {"status": 2, "epvToday": today, "temp": number + 1, "time": time}
        for _ in range(2):  # the same record once more is no second one
            reading = decoder.decode(content, NOON + number * POLL)
            assert reading.values.get(Key.PV_ENERGY_TODAY) == expected
        decoder = restarted(decoder)


def test_old_record_leaves_the_counters_of_the_day() -> None:
    """Of servers that take turns one is still at yesterday."""
    decoder = ConverterDecoder("pbd")
    old, new = {"epvToday": 30, "time": "2026-06-20 23:58:00"}, {"epvToday": 0.1, "time": "2026-06-21 00:04:00"}
    decoder.decode(old, NOON)
    decoder.decode(new, NOON + POLL)
    decoder.decode(old, NOON + 2 * POLL)
    new |= {"epvToday": 0.2}
    assert decoder.decode(new, NOON + 3 * POLL).values[Key.PV_ENERGY_TODAY] == 0.2


@pytest.mark.parametrize("device", [Pbd(measures="tenths"), Pbd(has_bms=False, positive="charging"), Hps()])
def test_restart_goes_on(device: Pbd) -> None:
    kind = "hps" if isinstance(device, Hps) else "pbd"
    decoder, restarting = ConverterDecoder(kind), ConverterDecoder(kind)
    for number in range(100):
        now = MIDNIGHT + timedelta(hours=16) + number * POLL
        assert restarting.decode(device.answer(now), now) == decoder.decode(device.answer(now), now)
        restarting = restarted(restarting, kind)
        assert restarting.memory == decoder.memory


SCALARS = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.floats(-2000, 20000), st.integers(-9, 9999)),
    st.sampled_from(["", "0", "-0.0", "NaN", "1e400", "12", "65.535", "1e-5", "٣", "n/a", 10**400, 1e308]),
    st.sampled_from([TODAY, "2026-06-21T12:00:00Z", 1782028800, "9999-12-31T23:59:59-14:00", "0001-01-01"]),
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
PARTS = ("scale", "sign", "parts", "today", "last", "last_at", "records", "time", "clock_offset")
MEMORY = st.dictionaries(st.sampled_from(PARTS), JSON | st.dictionaries(st.sampled_from(PARTS + tuple(Key)), JSON))


@given(MEMORY | JSON)
def test_any_memory(memory: Any) -> None:
    decoder = ConverterDecoder("pbd", memory)
    decoder.decode({"capacity": 50, "time": TODAY, "epvToday": 5, "vbat": 500, "ibat": 5, "bmsStatus": 4}, NOON)
    json.dumps(decoder.memory, allow_nan=False)


@pytest.mark.parametrize(
    "damage",
    [
        *({"scale": [5.0, "x", 0]}, {"sign": [1.0, "x", 3]}, {"sign": 7}, {"today": {"soc": "x"}}, {"parts": 5}),
        *(
            {"records": {"1": [float("nan"), 0]}},
            {"clock_offset": "x"},
            {"records": 5},
            {"last": [None]},
            {"falling": []},
        ),
    ],
)
def test_damaged_memory_begins_anew(damage: dict[str, Any]) -> None:
    decoder = ConverterDecoder("pbd")
    decoder.decode(Pbd().record(NOON), NOON)
    assert decoder.memory != ConverterDecoder("pbd").memory
    assert ConverterDecoder("pbd", decoder.memory | damage).memory == ConverterDecoder("pbd").memory
