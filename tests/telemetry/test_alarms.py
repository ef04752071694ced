"""Which alarms rise and end, and what the cloud's words about them may show."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.dyness_atess.telemetry.alarms import AlarmEvent, Alarms, alarm_attributes
from custom_components.dyness_atess.telemetry.dyness.alarm_list import decode_alarms
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import ALARMS, PROTECTIONS, WARNINGS, Key

NOON = datetime(2026, 3, 23, 11, 0, tzinfo=UTC)
BITS = sorted(PROTECTIONS | WARNINGS)
HIGH, LOW = Key.CELL_VOLTAGE_HIGH, Key.CELL_VOLTAGE_LOW_PROTECTION


def sample(number: int, *on: Key, off: tuple[Key, ...] = (), **values: Any) -> Reading:
    """Make the sample with this number, in which bits are on; the others of the two that are most used are off."""
    flags = {HIGH: False, LOW: False} | dict.fromkeys(off, False) | dict.fromkeys(on, True)
    sampled_at = NOON + timedelta(minutes=5 * number)
    return Reading(flags=flags, values={Key(key): value for key, value in values.items()}, sampled_at=sampled_at)


def told(events: list[AlarmEvent]) -> list[tuple[str, str]]:
    return [(str(event.type), event.attributes["kind"]) for event in events]


def test_what_is_on_at_first_is_no_news() -> None:
    alarms = Alarms()
    assert alarms.compare(sample(0, LOW)) == []
    assert alarms.compare(sample(1, LOW)) == []
    assert told(alarms.compare(sample(2))) == [("protection_cleared", LOW)]


def test_what_was_known_before_a_start_is_compared_with() -> None:
    assert Alarms(sample(0, LOW)).compare(sample(40, LOW)) == []
    assert told(Alarms(sample(0)).compare(sample(40, LOW))) == [("protection_raised", LOW)]
    assert told(Alarms(sample(0, LOW)).compare(sample(40))) == [("protection_cleared", LOW)]


def test_the_most_severe_comes_last() -> None:
    alarms = Alarms(sample(0, Key.CHARGE_OVERCURRENT))
    events = alarms.compare(sample(1, LOW, HIGH, off=(Key.CHARGE_OVERCURRENT,)))
    assert told(events) == [
        ("warning_cleared", Key.CHARGE_OVERCURRENT),
        ("warning_raised", HIGH),
        ("protection_raised", LOW),
    ]


def test_a_bit_that_flickers_within_one_sample_rises_once() -> None:
    alarms = Alarms(sample(0))
    events = [event for on in ((HIGH,), (), (HIGH,), ()) for event in alarms.compare(sample(1, *on))]
    assert told(events) == [("warning_raised", HIGH)]
    assert told(alarms.compare(sample(2))) == [("warning_cleared", HIGH)]


def test_a_bit_that_a_sample_leaves_out_stays() -> None:
    alarms = Alarms(sample(0, HIGH))
    assert alarms.compare(Reading(sampled_at=NOON + timedelta(minutes=5))) == []
    assert alarms.compare(sample(2, HIGH)) == []


@given(st.lists(st.tuples(st.booleans(), st.frozensets(st.sampled_from(BITS))), max_size=30))
def test_rising_and_ending_alternate(samples: list[tuple[bool, frozenset[Key]]]) -> None:
    alarms, number, on = Alarms(sample(0, off=tuple(BITS))), 0, set[str]()
    for is_new, bits in samples:
        number += is_new
        off = tuple(key for key in BITS if key not in bits)
        for event in alarms.compare(
            Reading(flags=sample(0, *bits, off=off).flags, sampled_at=sample(number).sampled_at)
        ):
            kind = event.attributes["kind"]
            assert (kind in on) != event.rises
            on ^= {kind}
            assert str(event.type).startswith("warning" if kind in WARNINGS else "protection")
        assert on == set(alarms.active) >= bits
        assert not is_new or on == bits


def test_a_total_without_a_bit_is_an_alarm_of_its_own() -> None:
    alarms = Alarms(sample(0, off=(Key.ALARM, Key.WARNING, Key.FAULT)))
    assert alarms.compare(sample(1, HIGH, Key.ALARM, Key.WARNING))[0].attributes["kind"] == HIGH
    totals = alarms.compare(sample(2, Key.ALARM, Key.WARNING, Key.FAULT))
    assert told(totals) == [
        ("warning_cleared", HIGH),
        ("protection_raised", Key.ALARM),
        ("protection_raised", Key.FAULT),
        ("warning_raised", Key.WARNING),
    ]


def test_what_both_the_battery_and_its_module_tell_of_is_told_once() -> None:
    master, module = Alarms(sample(0)), Alarms(sample(0))
    assert told(module.compare(sample(1, HIGH), master.active, 2)) == [("warning_raised", HIGH)]
    assert master.compare(sample(1, HIGH), module.active) == []
    assert module.compare(sample(2), master.active, 2) == []
    assert told(master.compare(sample(2), module.active)) == [("warning_cleared", HIGH)]


def test_what_belongs_to_an_alarm() -> None:
    places = {"cell_voltage_max": 3.61, "cell_voltage_max_module": 2, "cell_voltage_max_cell": 5, "soc": 99}
    (event,) = Alarms(sample(0)).compare(sample(1, HIGH, cell_voltage_min=3.4, power=20.0, **places))
    expected = {"kind": HIGH, "module": 2, "cell": 5, "cell_voltage_max": 3.61, "soc": 99, "expected": True}
    assert event.attributes == expected
    (event,) = Alarms(sample(0)).compare(sample(1, HIGH, cell_voltage_max=3.61, cell_voltage_max_cell=5), module=3)
    assert event.attributes == {"kind": HIGH, "module": 3, "cell": 5, "cell_voltage_max": 3.61, "expected": False}
    (event,) = Alarms(sample(0)).compare(sample(1, Key.CELL_TEMPERATURE_LOW_PROTECTION, cell_temperature_min=-1.5))
    assert event.attributes["cell_temperature_min"] == -1.5


@pytest.mark.parametrize(
    ("on", "soc", "expected"),
    [
        ([HIGH], 97, True),
        ([HIGH, Key.MODULE_VOLTAGE_HIGH], 100.0, True),
        ([HIGH], 96.9, False),
        ([HIGH], None, False),
        ([HIGH, Key.ALARM], 100, False),
        ([HIGH, Key.CELL_VOLTAGE_IMBALANCE], 100, False),
        ([LOW], 100, False),
        ([], 100, False),
    ],
)
def test_the_words_of_a_full_battery(on: list[Key], soc: float | None, expected: bool) -> None:
    flags = {Key.ALARM: False, Key.WARNING: bool(on)} | dict.fromkeys(on, True)
    attributes = alarm_attributes({Key.SOC: soc} if soc is not None else {}, flags)
    assert attributes[Key.WARNING] == {"active": sorted(set(on) & WARNINGS), "expected": expected}
    assert attributes[Key.ALARM] == {"active": sorted(set(on) & PROTECTIONS)}


def test_what_has_no_alarms_has_no_attributes() -> None:
    assert alarm_attributes({Key.SOC: 50}, {Key.CHARGING: True}) == {}


def test_every_kind_is_an_alarm() -> None:
    assert {Key(kind) for kind in BITS} | {Key.ALARM, Key.WARNING, Key.FAULT} == ALARMS


def row(text: Any = "Cell overvoltage alarm", **fields: Any) -> dict[str, Any]:
    return {"eventContent": text, "solution": "Call us.", "beginTime": "2026-03-23 11:55:00", "clearStatus": 2} | fields


def words(*rows: Any, private: tuple[str, ...] = ()) -> dict[str, str]:
    return decode_alarms({"pageDate": {"list": list(rows)}}, NOON, private)


def test_the_newest_alarm_that_is_on() -> None:
    older, newer = row("Older", beginTime="2026-03-22 20:00:00"), row("Cell  overvoltage\nalarm ")
    assert words(older, newer) == {"text": "Cell overvoltage alarm", "advice": "Call us."}
    assert words(older, newer, row("Another"))["text"] == "Cell overvoltage alarm; Another"
    assert words(older, row(clearStatus="1"))["text"] == "Older"
    assert words(row(beginTime="2025-03-23 11:55:00")) == {}
    assert words(row(beginTime="soon"), row(beginTime=None), 7, None) == {}
    assert words(row(None, solution=["x"])) == {}
    assert words(row(solution="")) == {"text": "Cell overvoltage alarm"}


@pytest.mark.parametrize(
    "text",
    [
        *("Alarm of R07E00000000ABCD-BMS", "module l300250703151234 is low", "write to jane.doe@example.org"),
        *("https://example.org/x", "call +49 170 1234567", "at 192.168.178.23", "a4:cf:12:9b:00:7e", "48.1234567 N"),
        *("Battery of Villa Sunshine", "SN CYG-x7 is off", "bad \x07 sign"),
    ],
)
def test_nothing_private_in_the_words(text: str) -> None:
    assert words(row(text), private=("Villa Sunshine", "CYG-x7", "")) == {"advice": "Call us."}
    assert words(
        row("Cell 12 of 16 too high, level 1 (3650 mV)", solution=text), private=("villa sunshine", "cyg-X7")
    ) == {"text": "Cell 12 of 16 too high, level 1 (3650 mV)"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["pageDate", "list", "eventContent", "solution", "beginTime", "clearStatus"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANYTHING, st.lists(ANYTHING, max_size=3))
def test_words_of_any_form(data: Any, rows: list[Any]) -> None:
    for found in (decode_alarms(data, NOON, ["private"]), words(*rows), words(*map(row, rows))):
        assert found.keys() <= {"text", "advice"}
        assert all(isinstance(text, str) and 0 < len(text) <= 500 for text in found.values())
