"""Totals of a device's own counters: named stories, whatever comes, restarts at any time, and with what is metered."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
import json
import math
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.dyness_atess.telemetry.dyness.decoder import family_by_name
from custom_components.dyness_atess.telemetry.energy.counter import (
    LAG,
    SLACK,
    STEPS,
    Lifetime,
    Totals,
    expected_counters,
    lifetimes,
    most_per_hour,
    sound_counters,
    sound_lifetimes,
)
from custom_components.dyness_atess.telemetry.vocabulary import LIFETIME, Key

START = datetime(2026, 6, 21, 6, tzinfo=UTC)
MOST = 28.4
"""kWh an hour: a Tower T14 at 2 C."""
UPLOAD = 5.0
FFFF = 6553.5
CHARGED, DISCHARGED, PV = Key.ENERGY_CHARGED, Key.ENERGY_DISCHARGED, Key.PV_ENERGY


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def add(lifetime: Lifetime, value: Any, minutes: float, *, now: float | None = None, most: float = MOST) -> bool:
    return lifetime.add(value, at(minutes), most, now=at(minutes if now is None else now))


def restarted(lifetime: Lifetime) -> Lifetime:
    return Lifetime(*json.loads(json.dumps([lifetime.total, lifetime.memory], allow_nan=False)))


def shown(values: Iterable[Any], lifetime: Lifetime | None = None, *, restarts: bool = False) -> list[float | None]:
    """The totals at one upload after the other; those that are missing in between are None."""
    lifetime = lifetime or Lifetime()
    found = []
    for number, value in enumerate(values):
        if value is not None:
            add(lifetime, value, UPLOAD * number)
        if restarts and lifetime.memory:
            lifetime = restarted(lifetime)
        found.append(lifetime.total)
    return found


# Stories.

STORIES: dict[str, tuple[list[Any], list[float | None]]] = {
    "it counts": ([5000.0, 5000.5, 5000.5, 5001.2], [5000.0, 5000.5, 5000.5, 5001.2]),
    "as the device writes it": ([5000, 5001, 5003.25], [5000, 5001, 5003.25]),
    "a new battery": ([0.0, 0.0, 0.4, 0.9], [0.0, 0.0, 0.4, 0.9]),
    "empty, a glitch, and a BMS that is replaced": (
        [None, 5000.0, FFFF, 5000.5, 0.0, 0.4, 0.9, 1.5],
        [None, 5000.0, 5000.0, 5000.5, 5000.5, 5000.5, 5001.4, 5002.0],
    ),
    "a replaced BMS whose counter is higher": (
        [5000.0, 7000.0, 7000.2, 7000.2, 7000.7, 7001.0],
        [5000.0, 5000.0, 5000.0, 5000.0, 5000.7, 5001.0],
    ),
    "a first sample that is a glitch": (
        [FFFF, 5000.0, 5000.4, 5000.4, 5001.0, 5001.5],
        [FFFF, FFFF, FFFF, FFFF, 6554.5, 6555.0],
    ),
    "zeros for a night": ([5000.0, *[0.0] * 100, 5000.6, 5001.0], [5000.0, *[5000.0] * 100, 5000.6, 5001.0]),
    "zeros for a night, and a new counter": (
        [5000.0, *[0.0] * 100, 0.3, 0.3, 0.8, 1.0],
        [5000.0, *[5000.0] * 100, 5000.0, 5000.0, 5000.8, 5001.0],
    ),
    "zeros and other nonsense": ([5000.0, 0.0, 17.0, 0.0, 17.0, 0.0, 5000.3], [5000.0] * 6 + [5000.3]),
    "a constant for two weeks": ([5000.0, *[FFFF] * 4000, 5000.6], [5000.0, *[5000.0] * 4000, 5000.6]),
    "a glitch that falls, while it counts": ([50.0, 50.3, 12.0, 50.6], [50.0, 50.3, 50.3, 50.6]),
    "glitches that never agree": (
        [5000.0, 9000.0, 200.0, 8000.0, 300.0, FFFF, 5002.0],
        [5000.0] * 6 + [5002.0],
    ),
    "two counters in turn": (
        [5000.0, 30.0, 5000.2, 30.1, 5000.4, 30.2, 5000.6],
        [5000, 5000, 5000.2, 5000.2, 5000.4, 5000.4, 5000.6],
    ),
    "two resets": (
        [10.0, 0.0, 0.5, 1.0, 1.5, 0.0, 0.2, 0.4, 0.6],
        [10.0, 10.0, 10.0, 11.0, 11.5, 11.5, 11.5, 11.9, 12.1],
    ),
    "single precision": ([2_100_000.25, 2_100_000.0, 2_100_000.5], [2_100_000.25, 2_100_000.25, 2_100_000.5]),
    "what is no number": (
        [5000.0, math.nan, math.inf, -math.inf, -1, 1e300, "5001", True, [], 10**400, 5000.5],
        [5000.0] * 10 + [5000.5],
    ),
    "a first sample that is no number": ([math.nan, -3, 5000.0], [None, None, 5000.0]),
    "zero before the real counter": ([0.0, 5000.0, 5000.1, 5000.2, 5000.4], [0.0, 0.0, 0.0, 0.2, 0.4]),
}


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(("values", "expected"), STORIES.values(), ids=STORIES.keys())
def test_story(values: list[Any], expected: list[float | None], *, restarts: bool) -> None:
    found = shown(values, restarts=restarts)
    assert found == expected


def test_it_may_count_while_nobody_looks() -> None:
    lifetime = Lifetime()
    add(lifetime, 5000.0, 0)
    assert add(lifetime, 5300.0, 60 * 12)
    assert lifetime.total == 5300.0
    assert not add(lifetime, 5400.0, 60 * 14)


def test_the_old_counter_comes_back_after_an_outage() -> None:
    """Zeros, then half a day without any sample: from 0 it could have come as far, but it did not begin anew."""
    lifetime = Lifetime()
    for value, minutes in ((200.0, 0), (0.0, 5), (0.0, 10), (200.6, 720)):
        add(lifetime, value, minutes)
    assert lifetime.total == 200.6


def test_a_new_counter_that_reaches_the_old_one() -> None:
    lifetime = Lifetime()
    for value, minutes in ((30.0, 0), (0.0, 5), (1.0, 10), (31.0, 120)):
        add(lifetime, value, minutes)
    assert lifetime.total == 61.0


def test_the_same_sample_again_is_no_evidence() -> None:
    lifetime = Lifetime()
    add(lifetime, 5000.0, 0)
    for value in (0.0, 0.4, 0.9, 1.4):
        assert not add(lifetime, value, 5)
    assert not add(lifetime, 0.4, 4)
    assert add(lifetime, 5000.0, 5)
    assert lifetime.total == 5000.0
    # One that is older neither counts nor takes back what has been found out.
    for value, minutes in ((0.4, 10), (5000.0, 3), (0.9, 15)):
        add(lifetime, value, minutes)
    assert lifetime.total == 5000.9


@pytest.mark.parametrize("ahead", [11, 60, 60 * 24 * 365])
def test_a_device_clock_that_is_ahead(ahead: float) -> None:
    lifetime = Lifetime()
    for number in range(4):
        add(lifetime, 5000.0 + number, ahead + 5 * number, now=5 * number)
    assert lifetime.total == 5003.0
    # It is set right.
    add(lifetime, 5004.0, 30)
    assert lifetime.total == 5004.0
    assert not add(lifetime, 5100.0, 35)


def test_our_own_clock_that_was_wrong() -> None:
    lifetime = Lifetime()
    add(lifetime, 5000.0, 60 * 24 * 365)
    for number in range(4):
        add(lifetime, 5000.0 + number, 5 * number)
        lifetime = restarted(lifetime)
    assert lifetime.total == 5003.0
    lifetime.add(5004.0, at(20), MOST, now=datetime(1970, 1, 1, tzinfo=UTC))
    assert lifetime.total == 5004.0


def test_a_time_without_zone() -> None:
    assert not Lifetime().add(1.0, START.replace(tzinfo=None), MOST, now=START)


# What was shown before.


@pytest.mark.parametrize(
    ("total", "values", "expected"),
    [
        # Of version 0.1.0: the same counter, and one that was a glitch or has begun anew.
        (3360.73, [3360.73, 3361.0], [3360.73, 3361.0]),
        (3360.73, [3395.5, 3396.0], [3395.5, 3396.0]),
        (6553.5, [5000.5, 5001.0], [6553.5, 6554.0]),
        (6553.5, [0.9, 1.9], [6553.5, 6554.5]),
        # 0 before a device has begun itself.
        (3360.73, [0.0, 0.0, 3361.0], [3360.73, 3360.73, 3361.0]),
    ],
)
def test_total_without_a_counter(total: float, values: list[float], expected: list[float]) -> None:
    assert shown(values, Lifetime(total)) == expected


@pytest.mark.parametrize("first", [5000.0, 4.0, 13.25])
def test_total_that_was_metered(first: float) -> None:
    assert shown([0.0, first, first + 1], Lifetime(13.25, metered=True)) == [13.25, 13.25, 14.25]


def test_highest_rates() -> None:
    assert most_per_hour(CHARGED, rated=14.2) == 28.4
    assert most_per_hour(CHARGED, rated=math.nan) == most_per_hour(DISCHARGED, rated="x") == 100
    assert most_per_hour(Key.PV_ENERGY, rated=14.2) == most_per_hour(CHARGED) == 100
    assert most_per_hour(Key.PV_ENERGY, power=1000.0) == 1000
    assert most_per_hour(Key.PV_TIME, power=1000.0) == 2


# Whatever comes.

counters = st.one_of(st.floats(), st.sampled_from([0.0, FFFF, 5000.0, 65535, -1]), st.floats(0, 20000))
steps = st.floats(0, 2) | st.just(0.0)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[float, Any]]:
    """Minutes and values of a counter that rises, is lost, shows nonsense, and begins anew."""
    counter, minutes, found = draw(st.floats(0, 6000)), 0.0, []
    for _ in range(draw(st.integers(1, 25))):
        minutes += draw(st.sampled_from([0.0, 5.0, 5.0, 5.0, 5.0, 60.0, 6000.0]))
        event = draw(st.sampled_from(["rise", "rise", "rise", "rise", "nonsense", "zero", "reset", "older"]))
        counter = draw(st.floats(0, 10)) if event == "reset" else counter + draw(steps)
        taken = minutes - draw(st.floats(0, 60)) if event == "older" else minutes
        value = {"zero": 0.0, "nonsense": draw(counters)}.get(event, counter)
        found.append((taken, value))
    return found


@settings(max_examples=200, deadline=None)
@given(histories() | st.lists(st.tuples(st.floats(-(10**6), 10**6), counters), max_size=15))
def test_never_falls_and_never_jumps(history: list[tuple[float, Any]]) -> None:
    lifetime, before, since = Lifetime(), None, 0.0
    pending, now = 0, -math.inf
    for minutes, value in history:
        now = max(now, minutes)
        add(lifetime, value, minutes, now=now)
        pending += 1
        after = lifetime.total
        if before is not None:
            assert after is not None
            assert math.isfinite(after)
            assert after >= before
            if after > before:
                hours = max(minutes - since, 0) / 60 + pending * LAG / timedelta(hours=1)
                assert after - before <= MOST * hours + SLACK * pending + 1e-3
                since, pending = minutes, 0
        elif after is not None:
            since, pending = minutes, 0
        before = after


@settings(max_examples=150, deadline=None)
@given(histories(), st.sets(st.integers(0, 24)))
def test_restarts_change_nothing(history: list[tuple[float, Any]], restarts: set[int]) -> None:
    whole, interrupted = Lifetime(), Lifetime()
    for number, (minutes, value) in enumerate(history):
        assert add(whole, value, minutes) == add(interrupted, value, minutes)
        if number in restarts:
            interrupted = restarted(interrupted)
        assert (interrupted.total, interrupted.memory) == (whole.total, whole.memory)


@settings(max_examples=100, deadline=None)
@given(st.floats(1, 5000), st.lists(st.tuples(steps, st.integers(0, 3)), min_size=1, max_size=30))
def test_it_shows_the_counter_whatever_comes_between(counter: float, uploads: list[tuple[float, int]]) -> None:
    """Up to two samples of nonsense at a time are as if they were not."""
    lifetime, minutes = Lifetime(), 0.0
    for rise, glitches in uploads:
        counter += rise
        for value in (0.0, counter + 1000, 0.0)[:glitches]:
            minutes += UPLOAD
            if lifetime.memory:
                add(lifetime, value, minutes)
        minutes += UPLOAD
        add(lifetime, counter, minutes)
        assert lifetime.total == counter


@settings(max_examples=100, deadline=None)
@given(
    st.floats(100, 5000), st.integers(0, 30), st.floats(0, 50), st.lists(st.floats(0.1, 2), min_size=STEPS, max_size=30)
)
def test_a_new_counter_counts_from_its_first_sample(total: float, zeros: int, first: float, rises: list[float]) -> None:
    lifetime, minutes = Lifetime(), 0.0
    add(lifetime, total, minutes)
    values = [0.0] * zeros + [first]
    for rise in rises:
        values.append(values[-1] + rise)
    for value in values:
        minutes += UPLOAD
        add(lifetime, value, minutes)
    begin = 0.0 if zeros and first < SLACK + MOST * 11 / 60 else first
    assert lifetime.total == pytest.approx(total + values[-1] - begin, abs=1e-3)


# What is remembered.

MARK = {"counter": 5.0, "at": START.isoformat()}
RUN = {"first": 0.0, "steps": 2, "counter": 0.4, "at": at(5).isoformat()}
MEMORY = MARK | {"heard": at(5).isoformat(), "run": RUN}


@pytest.mark.parametrize(
    "damaged",
    [
        *({}, [], "oops", 7, None),
        *(MEMORY | {"counter": value} for value in (None, -1, "5", math.nan, math.inf, True, 1e300, 10**400)),
        *(MEMORY | {"at": value} for value in (None, 5, "", "2026-06-21T06:00:00", "0001-01-01T00:00:00+14:00")),
    ],
)
def test_of_a_damaged_counter_the_total_is_left(damaged: Any) -> None:
    lifetime = Lifetime(7.0, damaged)
    assert (lifetime.total, lifetime.memory) == (7.0, {})
    assert sound_counters({"energy_charged": damaged}) == {}
    assert add(lifetime, 8.0, 10)
    assert lifetime.total == 8.0


@pytest.mark.parametrize(
    "run",
    [
        *([], "oops", 7, {}),
        *(RUN | {"steps": steps} for steps in (0, STEPS, -1, 1.5, "2", None, 10**9)),
        *(RUN | {"first": first} for first in (None, "0", math.nan, 0.5, -1)),
        *(RUN | {"at": time} for time in (None, "now")),
    ],
)
def test_of_a_damaged_run_the_counter_is_left(run: Any) -> None:
    assert Lifetime(7.0, MEMORY | {"run": run, "heard": "?"}).memory == MARK | {"heard": None, "run": None}


@pytest.mark.parametrize("total", [None, -1, "7", math.nan, math.inf, True, [], 1e300])
def test_without_a_total_there_is_nothing(total: Any) -> None:
    assert (Lifetime(total, MEMORY).total, Lifetime(total, MEMORY).memory) == (None, {})


def test_undamaged_memory_stays_as_it_is() -> None:
    assert sound_counters({"energy_charged": MEMORY, "pv_energy": 7}) == {"energy_charged": MEMORY}
    assert sound_counters([MEMORY]) == {}


def test_those_that_are_kept_with_their_counters() -> None:
    found = lifetimes(
        {
            "pv_energy": {"total": 7.0, **MEMORY},
            "output_energy": [9.0, START.isoformat()],
            "soc": [50.0, START.isoformat()],
            "energy_charged": [math.nan, START.isoformat()],
            "energy_discharged": [50],
            "charge_time": [3.0, "yesterday"],
            "pv_time": "oops",
        }
    )
    assert {key: lifetime.total for key, lifetime in found.items()} == {
        PV: 7.0,
        Key.OUTPUT_ENERGY: 9.0,
        Key.CHARGE_TIME: 3.0,
    }
    assert found[PV].memory == MEMORY
    assert found[Key.OUTPUT_ENERGY].memory == {"counter": 9.0, "at": START.isoformat(), "heard": None, "run": None}
    assert lifetimes([1]) == lifetimes(None) == {}
    undamaged = {"pv_energy": {"total": 7.0, **MEMORY}, "output_energy": [9.0, START.isoformat()]}
    assert sound_lifetimes(undamaged | {"soc": [50.0, START.isoformat()]}) == undamaged


# All totals of a device.


class Device:
    """One that is restarted with every sample."""

    def __init__(self, memory: dict[str, Any] | None = None, expected: set[Key] | None = None) -> None:
        self.memory = memory or {}
        self.expected = {CHARGED} if expected is None else expected

    def read(self, minutes: float, counters: dict[Key, Any], metered: dict[Key, float | None]) -> dict[Key, Any]:
        totals = Totals(json.loads(json.dumps(self.memory)))
        found: dict[Key, Any] = totals.count(counters, at(minutes), rated=14.2, now=at(minutes))
        missing = {key: amount for key, amount in metered.items() if key not in found}
        found |= totals.meter(missing, at(minutes), expected=self.expected)
        self.memory |= totals.memory
        return found


DAY = 24 * 60.0


def test_a_counter_that_is_empty_at_first_is_waited_for() -> None:
    device = Device()
    assert device.read(0, {}, {CHARGED: 0.0, DISCHARGED: 0.0}) == {DISCHARGED: 0.0}
    assert device.read(5, {}, {CHARGED: 0.1, DISCHARGED: 0.2}) == {DISCHARGED: 0.2}
    assert device.read(10, {CHARGED: 5000.0}, {CHARGED: 0.2, DISCHARGED: 0.2}) == {CHARGED: 5000.0, DISCHARGED: 0.2}
    # Then it is the one that counts.
    assert device.read(2 * DAY, {}, {CHARGED: 9.0, DISCHARGED: 0.2}) == {CHARGED: 5000.0, DISCHARGED: 0.2}


def test_a_counter_that_does_not_come_is_metered_after_a_day() -> None:
    device = Device()
    assert device.read(0, {}, {CHARGED: 0.0}) == {}
    assert device.read(DAY - 5, {}, {CHARGED: 7.5}) == {}
    assert device.read(DAY, {}, {CHARGED: 7.6}) == {CHARGED: 7.6}
    assert device.read(DAY + 5, {}, {CHARGED: 7.71234}) == {CHARGED: 7.712}
    # When it comes after all, it goes on from there.
    assert device.read(DAY + 10, {CHARGED: 5000.0}, {CHARGED: 7.8}) == {CHARGED: 7.712}
    assert device.read(DAY + 15, {CHARGED: 5000.5}, {}) == {CHARGED: 8.212}
    assert device.read(DAY + 20, {}, {CHARGED: 9.0}) == {CHARGED: 8.212}


def test_zeros_are_metered_where_metering_was_shown() -> None:
    device = Device(expected=set())
    assert device.read(0, {}, {CHARGED: 3.0}) == {CHARGED: 3.0}
    assert device.read(5, {CHARGED: 0.0}, {CHARGED: 3.2}) == {CHARGED: 3.2}
    assert device.read(10, {CHARGED: 0.5}, {CHARGED: 3.4}) == {CHARGED: 3.2}
    assert device.read(15, {CHARGED: 0.7}, {}) == {CHARGED: 3.4}


def test_memory_of_version_0_1_0() -> None:
    meter = {"charged": 13.308575, "discharged": 2.0}
    device = Device({"totals": {"energy_charged": 3360.73}, "meter": meter}, {CHARGED, DISCHARGED})
    amounts: dict[Key, float | None] = {CHARGED: 14.0, DISCHARGED: 2.1}
    # It showed at once what was metered: that goes on.
    assert device.read(0, {}, amounts) == {CHARGED: 3360.73, DISCHARGED: 2.1}
    assert device.read(5, {CHARGED: 3361.0, DISCHARGED: 900.0}, {}) == {CHARGED: 3361.0, DISCHARGED: 2.1}
    assert device.read(10, {CHARGED: 0.0, PV: 0.0}, {}) == {CHARGED: 3361.0, PV: 0.0}


def test_a_counter_of_version_0_1_0_that_is_0_now() -> None:
    device = Device({"totals": {"pv_energy": 70.5}})
    assert device.read(0, {PV: 0.0, Key.SOC: 50.0}, {}) == {PV: 70.5}
    assert device.read(5, {PV: 71.0}, {}) == {PV: 71.0}


@pytest.mark.parametrize(
    ("family", "points", "expected"),
    [
        ("high_voltage", [], set()),
        ("high_voltage", None, set()),
        ("high_voltage", [{"pointId": "1900", "pointValue": ""}], {CHARGED}),
        ("cygni", [], {PV, Key.ENERGY_IMPORTED, Key.ENERGY_EXPORTED}),
        # Only a Junior Box lists counters among the points of low voltage.
        ("low_voltage", [{"pointId": "800", "pointValue": "50"}, "oops"], set()),
        ("low_voltage", [{"pointId": "7100", "pointValue": ""}], {CHARGED}),
    ],
)
def test_expected_counters(family: str, points: Any, expected: set[Key]) -> None:
    found = family_by_name(family)
    assert found
    assert expected_counters(found, points) == expected
    assert expected <= LIFETIME
