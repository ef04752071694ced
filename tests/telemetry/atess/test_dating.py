"""Which record is new, and when it was taken."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

import pytest

from custom_components.dyness_atess.telemetry.atess.decoder import ConverterDecoder
from custom_components.dyness_atess.telemetry.vocabulary import LIFETIME, Key
from emulator.atess.pbd import Pbd, TimeForm

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
NIGHT = datetime(2026, 6, 21, 0, 30, tzinfo=UTC)
POLL = timedelta(minutes=5, seconds=30)
STALE = timedelta(minutes=30)
UPLOAD = timedelta(minutes=6)


def poll(device: Pbd, start: datetime, hours: float, memory: Any = None) -> tuple[dict[datetime, bool], Any]:
    """Return at which polls the values are shown as those of now. Home Assistant restarts before each."""
    current = {}
    for number in range(round(timedelta(hours=hours) / POLL)):
        now = start + number * POLL
        decoder = ConverterDecoder("pbd", json.loads(json.dumps(memory)))
        reading = decoder.decode(device.answer(now), now)
        memory = decoder.memory
        assert reading.sampled_at
        assert reading.values[Key.LAST_REPORT] == reading.sampled_at <= now
        current[now] = now - reading.sampled_at <= STALE
    return current, memory


@pytest.mark.parametrize("form", ["plain", "zone", "utc", "epoch", "milliseconds"])
@pytest.mark.parametrize("offset", [0, 1, 8, -11])
@pytest.mark.parametrize("start", [NOON, NIGHT])
def test_live_records_are_current(form: TimeForm, offset: int, start: datetime) -> None:
    device = Pbd(time_form=form, utc_offset=timedelta(hours=offset))
    assert all(poll(device, start, 3)[0].values())


@pytest.mark.parametrize("servers", [1, 2, 3])
def test_old_records_are_not_current_for_longer_than_40_minutes(servers: int) -> None:
    """One server that is frozen, or several that take turns with different old records."""
    device = Pbd()
    _, memory = poll(device, NOON, 1)
    device.frozen_at = tuple(NOON + timedelta(minutes=55 - 20 * number) for number in range(servers))
    shown, _ = poll(device, NOON + timedelta(hours=1), 9, memory)
    assert any(shown.values())
    assert not any(is_current for now, is_current in shown.items() if now > NOON + timedelta(minutes=55 + 40 + 6))


def test_live_numbers_under_a_stuck_clock_are_current() -> None:
    device = Pbd(stuck_since=NOON - timedelta(hours=10))
    assert all(poll(device, NOON, 4)[0].values())


@pytest.mark.parametrize(
    ("time", "age"),
    [
        ("2026-06-21 12:00:00", 0),
        ("2026-06-21 00:00:00", 0),  # 12 hours less: perhaps furthest west
        ("2026-06-20 20:30:00", 3.5),  # 15.5 hours less: 3.5 hours old in the west, more elsewhere
        ("2026-06-20T20:30:00", 3.5),
        ("2026-06-21T09:00:00Z", 3),
        ("2026-06-21T17:00:00+08:00", 3),
        ("2026-06-21T20:00:00.0+08:00", 0),
        (1782028800, 4),
        (1782028800000, 4),
        ("1782028800", 4),
        # What no clock can mean.
        *((time, 0) for time in ("1781", 1781, "1781-06-21 12:00:00", "2000-01-01 00:00:00", "9999-12-31 23:59:59")),
        *((time, 0) for time in ("string", "", None, 10**30, [1])),
    ],
)
def test_first_record(time: Any, age: float) -> None:
    reading = ConverterDecoder("pbd").decode({"capacity": 50, "time": time}, NOON)
    assert reading.sampled_at == NOON - timedelta(hours=age)


def test_offset_of_the_clock_dates_what_comes_after_a_gap() -> None:
    device = Pbd(utc_offset=timedelta(hours=8))
    decoder = ConverterDecoder("pbd")
    for number in range(3):
        decoder.decode(device.answer(NOON + number * POLL), NOON + number * POLL)
    assert decoder.memory["clock_offset"] == pytest.approx(8 * 3600, abs=UPLOAD.total_seconds())
    device.offline_since = NOON + timedelta(hours=5)
    evening = NOON + timedelta(hours=9)
    old = ConverterDecoder("pbd", decoder.memory).decode(device.answer(evening), evening)
    assert old.sampled_at
    assert abs(old.sampled_at - device.offline_since) < 2 * UPLOAD
    # What another device of the account has learned is enough.
    seeded = ConverterDecoder("pbd", {"clock_offset": decoder.memory["clock_offset"]})
    assert seeded.decode(device.answer(evening), evening).sampled_at == old.sampled_at


def test_records_repeat_after_hours() -> None:
    decoder = ConverterDecoder("pbd")
    record = {"capacity": 50, "time": "x"}
    decoder.decode(record, NOON)
    decoder.decode(record | {"capacity": 51}, NOON + POLL)
    for minutes in range(10, 200, 5):
        decoder.decode(record | {"capacity": 52 + minutes}, NOON + timedelta(minutes=minutes))
    assert decoder.decode(record, NOON + timedelta(hours=4)).sampled_at == NOON + timedelta(hours=4)


def test_clock_of_home_assistant_was_wrong() -> None:
    decoder = ConverterDecoder("pbd")
    record = {"capacity": 50, "time": "x"}
    decoder.decode(record, NOON + timedelta(days=300))
    decoder.decode(record | {"capacity": 51}, NOON + timedelta(days=300))
    assert decoder.decode(record, NOON).sampled_at == NOON
    assert decoder.decode(record, NOON + timedelta(hours=1)).sampled_at == NOON
    decoder.decode(record | {"capacity": 52}, NOON + timedelta(hours=1))
    assert decoder.decode(record, NOON + timedelta(hours=2)).sampled_at == NOON


def test_offline() -> None:
    device = Pbd()
    decoder = ConverterDecoder("pbd")
    before = decoder.decode(device.answer(NOON), NOON)
    device.overrides = {"status": -1}
    reading = decoder.decode(device.answer(NOON + POLL), NOON + POLL)
    assert reading.sampled_at == before.sampled_at
    assert reading.flags == {Key.ONLINE: False}
    assert reading.values[Key.DEVICE_STATUS] == "offline"
    assert reading.values.keys() - LIFETIME == {Key.DEVICE_STATUS, Key.LAST_REPORT}
    assert ConverterDecoder("pbd").decode(device.answer(NOON), NOON).sampled_at is None
