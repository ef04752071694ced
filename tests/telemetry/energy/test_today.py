"""Energies since midnight: own counters, totals, midnights of all kinds, and whatever comes."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
import math
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.dyness_atess.telemetry.energy.today import Today
from custom_components.dyness_atess.telemetry.vocabulary import Key

from .restarts import restarted

MIDNIGHT = datetime(2026, 6, 21, tzinfo=UTC)
DAY = 86400.0
PV, CHARGED = Key.PV_ENERGY_TODAY, Key.ENERGY_CHARGED_TODAY


class House:
    """Days are of 24 hours. Every step is a restart, which changes nothing; energies fall when a day begins only.

    `sums` are what statistics make of each energy and the time since when it counts.
    """

    def __init__(self) -> None:
        self.today, self.uninterrupted = Today(), Today()
        self.shown: dict[Key, tuple[float, float | None]] = {}
        self.sums: dict[Key, float] = {}

    def look(self, hours: float, act: Callable[[Today, float], None] = lambda _today, _at: None) -> dict[Key, Any]:
        at = (MIDNIGHT + timedelta(hours=hours)).timestamp()
        for today in (self.today, self.uninterrupted):
            today.begin(at // DAY * DAY)
            act(today, at)
        return self._check()

    def counter(self, hours: float, value: Any, key: Key = PV) -> Any:
        return self.look(hours, lambda today, at: today.follow({key: value}, at))[key]

    def total(self, hours: float, value: Any, records: Iterable[tuple[float, float]] = ()) -> Any:
        told = [(MIDNIGHT + timedelta(hours=then), power) for then, power in records]
        return self.look(hours, lambda today, at: today.count({Key.ENERGY_CHARGED: value}, at, told))[CHARGED]

    def _check(self) -> dict[Key, Any]:
        self.today = restarted(self.today)
        assert self.today == self.uninterrupted
        for key, value in self.today.values.items():
            assert isinstance(value, float)
            assert 0 <= value < math.inf
            since = self.today.since(key)
            before, began = self.shown.get(key, (value, since))
            rise = value - (before if since == began else 0)
            assert rise >= 0, key
            self.sums[key] = self.sums.get(key, 0) + rise
            self.shown[key] = value, since
        return dict(self.today.values)


def day_of(values: Iterable[tuple[float, Any]]) -> list[Any]:
    house = House()
    return [house.counter(hours, value) for hours, value in values]


M = 1 / 12
STORIES: dict[str, tuple[list[tuple[float, Any]], list[Any]]] = {
    "it counts": ([(9, 1.5), (9 + M, 1.6), (9 + 2 * M, 1.6), (10, 3.25)], [1.5, 1.6, 1.6, 3.25]),
    "no counter": ([(9, 0), (10, 0.0), (23.9, 0), (24.1, 0)], [0, 0, 0, 0]),
    "it begins anew on time": (
        [(23.9, 12), (23.98, 12.1), (24.05, 0.04), (24.13, 0.1), (24.2, 0.2)],
        [12, 12.1, 0, 0.1, 0.2],
    ),
    "some minutes late": ([(23.97, 12), (24.03, 12), (24.1, 12), (24.18, 0.1), (24.27, 0.2)], [12, 0, 0, 0, 0.2]),
    "some minutes early": (
        [(23.8, 12), (23.9, 0.1), (23.98, 0.2), (24.07, 0.3), (24.15, 0.4)],
        [12, 12, 12.2, None, None],
    ),
    "little yesterday, more today": (
        [(20, 0.05), (23.99, 0.05), (24.01, 0.06), (24.1, 0.5)],
        [0.05, 0.05, None, 0.445],
    ),
    "a night without": ([(20, 12), (24.5, 0), (24.6, 0), (32, 0.1), (32.1, 0.2)], [12, 0, 0, 0.1, 0.2]),
    "away over midnight": ([(20, 12), (30, 2.5), (30.1, 2.6), (30.2, 2.7)], [12, 0, 2.6, 2.7]),
    "away over midnight, and more than yesterday": ([(20, 2), (38, 5), (38.1, 5.1)], [2, 0, 5.1]),
    "away for two days": ([(20, 9), (71, 9.5), (71.1, 9.6)], [9, 0, 9.6]),
    "a glitch": (
        [(9, 1.5), (9.1, 6553.5), (9.2, 1.6), (9.3, 0), (9.4, 1.7), (9.5, 0.2), (9.6, 1.8)],
        [1.5, 1.5, 1.6, 1.6, 1.7, 1.7, 1.8],
    ),
    "a glitch at first": ([(9, 65535), (9.1, 1.5), (9.2, 1.6)], [0, 1.5, 1.6]),
    "it flickers": ([(9, 5.0), (9.1, 4.9), (9.2, 4.9), (9.3, 5.0), (9.4, 5.1)], [5, 5, 5, 5, 5.1]),
    "zeros for a while": ([(20, 5), (20.1, 0), (20.2, 0), (20.3, 5.1), (20.4, 5.2)], [5, 5, 5, 5.1, 5.2]),
    "zeros for longer": ([(9, 5), (9.1, 0), (9.2, 0), (9.3, 0), (9.4, 5.1), (9.5, 5.2)], [5, 5, 5, 0, 0.1, 0.2]),
    "zeros before it counts anew": ([(20, 5), (21.8, 0), (21.9, 0), (22, 0.1), (22.1, 0.2)], [5, 5, 5, 5.1, 5.2]),
    "the same sample again": ([(9, 5), (9.1, 2), (9.1, 2), (9.2, 5.1)], [5, 5, 5, 5.1]),
    "what is no number": (
        [(9, 5), (9.1, math.nan), (9.2, "x"), (9.3, -1), (9.4, 10**400), (9.5, 5.1)],
        [*[5] * 5, 5.1],
    ),
}


@pytest.mark.parametrize(("values", "expected"), STORIES.values(), ids=STORIES.keys())
def test_story(values: list[tuple[float, Any]], expected: list[Any]) -> None:
    shown = day_of(values)
    wrong = [
        (got, want)
        for got, want in zip(shown, expected, strict=True)
        if want is not None and got != pytest.approx(want)
    ]
    assert not wrong, shown


def test_a_plant_abroad() -> None:
    """Its own day counts, once it has been seen."""
    house = House()
    day = [(hour / 12, 0.5 * ((hour / 12 - 15) % 24)) for hour in range(9 * 12, 60 * 12)]
    for hours, value in day:
        shown = house.counter(hours, value)
        if hours > 15.2:
            assert shown == pytest.approx(value, abs=0.05) or (hours - 15) % 24 < 0.2
    assert house.sums[PV] == pytest.approx(0.5 * (59.9 - 9), abs=0.1)


def test_a_clock_that_was_ahead() -> None:
    house = House()
    house.total(9, 100)
    house.total(10, 101)
    assert house.total(24 * 300, 102) == pytest.approx(0, abs=0.1)
    assert house.total(11, 102.5) == 0.5
    assert house.total(12, 103) == 1


# Lifetime totals.


def test_totals() -> None:
    house = House()
    assert [house.total(hours, total) for hours, total in ((9, 500), (10, 501), (10.1, 501.5))] == [0, 1, 1.5]
    assert house.total(20, 400) == 1.5
    assert house.total(21, 400.5) == 2
    house.look(24.01)
    assert house.today.values == {CHARGED: 0}
    assert house.today.since(CHARGED) == (MIDNIGHT + timedelta(hours=24)).timestamp()


RECORDS = [(24 + number / 12, -500.0) for number in range(24)]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], 2),
        (RECORDS, 1),
        ([(22 + number / 12, -500.0) for number in range(48)], 1),
        (RECORDS[:10] + RECORDS[14:], 2),
        (RECORDS[4:], 2),
        (RECORDS[:-4], 2),
        ([(at, power * 20) for at, power in RECORDS], 4),
        ([(at, -power) for at, power in RECORDS], 0),
    ],
)
def test_a_gap_across_midnight(records: list[tuple[float, float]], expected: float) -> None:
    """What flowed before midnight stays on its day: by the records since then, else by time."""
    house = House()
    house.total(20, 500)
    house.total(22, 501)
    assert house.total(26, 505, records) == pytest.approx(expected, abs=0.01)


def test_the_own_counter_counts_once() -> None:
    """Beside the total from which the day was told before."""
    house = House()
    house.total(9, 500)
    assert house.total(10, 501) == 1
    assert house.counter(10, 0, CHARGED) == 1
    assert house.counter(11, 1.25, CHARGED) == 1.25
    assert house.total(12, 507) == 1.25


STEPS = st.lists(
    st.tuples(
        st.sampled_from([M, M, M, M, 0.5, 7, 26]), st.floats(0, 3), st.sampled_from(["", "", "", "spike", "zero"])
    ),
    min_size=5,
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from([0, 0.05, 0.15, 1, -0.05, -0.15, -1]))
def test_nothing_is_counted_twice(steps: list[tuple[float, float, str]], late: float) -> None:
    """Days of a counter whose clock is late or early, with gaps and glitches."""
    house, hours, flown, of_day = House(), 8.0, 0.0, 3.0
    house.counter(hours, of_day)
    was_glitch = False
    for step, power, glitch in steps:
        before, hours = hours, hours + step
        energy = power * min(step, 1)
        # Flows right before the sample.
        is_new = (before - late) // 24 != (hours - late) // 24
        of_day = (energy if (hours - late) % 24 > min(step, 1) else 0) if is_new else of_day + energy
        flown += energy
        shown = {"spike": 6553.5, "zero": 0.0}.get(glitch, of_day) if not was_glitch else of_day
        was_glitch = shown != of_day
        house.counter(hours, shown)
    house.look(hours + 48)
    assert house.sums[PV] <= flown + 0.01


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 100), st.one_of(st.floats(), st.integers(), st.text(), st.none())), max_size=30))
def test_whatever_comes(samples: list[tuple[float, Any]]) -> None:
    house = House()
    for hours, value in samples:
        house.look(hours, lambda today, at, v=value: today.follow({PV: v}, at))
        house.look(hours, lambda today, at, v=value: today.count({Key.ENERGY_CHARGED: v}, at))
