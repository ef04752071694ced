"""Totals that follow a device's own counters: named stories, and whatever comes. All are restarted at every step."""

import math
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.dyness_atess.telemetry.energy.energies import Energies
from custom_components.dyness_atess.telemetry.vocabulary import Key

from .device import CHARGED, DISCHARGED, PV, Device, at

FFFF = 65535.5
DAY = 24 * 60.0


def shown(values: list[Any], step: float = 5) -> list[float | None]:
    device = Device(metered=False)
    return [device.add(step * number, {PV: value}).get(PV) for number, value in enumerate(values)]


STORIES: dict[str, tuple[list[Any], list[float | None]]] = {
    "it counts": ([5000, 5000.5, 5000.5, 5001.2], [None, 5000.5, 5000.5, 5001.2]),
    "a new device": ([0.0, 0.0, 0.4, 0.9], [None, 0, 0.4, 0.9]),
    "a glitch at first": ([FFFF, 5000, 5000.4, 5001], [None, None, 5000.4, 5001]),
    "a glitch": ([5000, 5000, FFFF, 5000.5], [None, 5000, 5000, 5000.5]),
    "a glitch that falls": ([50, 50.3, 12, 50.6], [None, 50.3, 50.3, 50.6]),
    "a glitch of 18 kWh": ([100, 100, 118, 100.2], [None, 100, 100, 100.2]),
    "18 kWh that are confirmed": ([100, 100, 118, 118, 118.1], [None, 100, 100, 100, 118.1]),
    "a glitch that stays for a day": ([5000, 5000, *[FFFF] * 288, 5000.6], [None, *[5000] * 289, 5000.6]),
    "glitches that never agree": ([50, 50, 9000, 200, 8000, 300, FFFF, 52], [None, *[50] * 6, 52]),
    "a counter that begins anew": ([5000, 5000, 0, 0.4, 0.9, 1.5], [None, 5000, 5000, 5000, 5000.9, 5001.5]),
    "two of them": (
        [10, 10, 0, 0.5, 1, 1.5, 0, 0.2, 0.4, 0.6],
        [None, 10, 10, 10, 11, 11.5, 11.5, 11.5, 11.9, 12.1],
    ),
    "another counter that is higher": (
        [5000, 5000, 7000, 7000.2, 7000.2, 7000.7, 7001],
        [None, *[5000] * 4, 5000.7, 5001],
    ),
    "zeros for a night": ([5000, 5000, *[0] * 100, 5000.6], [None, *[5000] * 101, 5000.6]),
    "zeros for a night, and a new counter": (
        [5000, 5000, *[0] * 100, 0.3, 0.3, 0.8],
        [None, *[5000] * 103, 5000.8],
    ),
    "zeros and other nonsense": ([5000, 5000, 0, 17, 0, 17, 0, 5000.3], [None, *[5000] * 6, 5000.3]),
    "zeros before the real counter": ([0, 0, 30, 30, 30.2, 30.5], [None, 0, 0, 0, 0, 0.5]),
    "two counters in turn": ([50, 50, 3000, 50.2, 3000.1, 50.4, 3000.2], [None, 50, 50, 50.2, 50.2, 50.4, 50.4]),
    "what is no number": ([5, 5, math.nan, math.inf, -1, "6", [], 10**400, 1e300, 5.5], [None, *[5] * 8, 5.5]),
    "no number at first": ([math.nan, -3, 5000, 5000], [None, None, None, 5000]),
}


@pytest.mark.parametrize(("values", "expected"), STORIES.values(), ids=STORIES.keys())
def test_story(values: list[Any], expected: list[float | None]) -> None:
    assert shown(values) == expected


def test_a_month_of_silence() -> None:
    device = Device(metered=False)
    for minutes, value, expected in (
        (0, 1000, None),
        (5, 1000, 1000),
        (30 * DAY, 6400, 1000),
        (30 * DAY + 5, 1000.5, 1000.5),
        (60 * DAY, 6400, 1000.5),
        (60 * DAY + 5, 6400.2, 1000.5),
        (60 * DAY + 10, 6400.4, 6400.4),
    ):
        assert device.add(minutes, {PV: value}).get(PV) == expected


def test_the_old_counter_comes_back_after_zeros_and_an_outage() -> None:
    device = Device(metered=False)
    for minutes, value in ((0, 200), (5, 200), (10, 0), (15, 0), (20, 0), (DAY, 300), (DAY + 5, 300), (DAY + 10, 300)):
        device.add(minutes, {PV: value})
    assert device.shown[PV] == 300


def test_a_large_charger_is_never_far_behind() -> None:
    """At 250 kW each rise has to be confirmed."""
    values = [1000 + 250 * 5 / 60 * number for number in range(30)]
    behind = [value - total for value, total in zip(values, shown(values), strict=True) if total is not None]
    assert max(behind) < 3 * 250 * 5 / 60
    assert min(behind[-3:]) < 0.001


def test_the_same_or_an_older_sample_is_no_evidence() -> None:
    device = Device(metered=False)
    for minutes in (5, 5, 5, 4):
        assert device.add(minutes, {PV: 5000}) == {}
    for minutes, value in ((10, 5000), (10, 0), (10, 0.5), (10, 0.9), (3, 7000), (15, 5000.5)):
        device.add(minutes, {PV: value})
    assert device.shown == {PV: 5000.5}


def test_each_key_for_itself() -> None:
    device = Device(metered=False)
    device.add(0, {PV: 5000, Key.CHARGE_TIME: 300.5, Key.SOC: 50, Key.PV_ENERGY_TODAY: 3})
    assert device.add(5, {PV: FFFF, Key.CHARGE_TIME: 300.6, Key.SOC: 50}) == {Key.CHARGE_TIME: 300.6}
    assert device.add(10, {Key.SOC: 50}) == {}


# Counters, and what is metered.


def charging(**counters: Any) -> dict[Key, Any]:
    """0.1 kWh in five minutes."""
    return {Key.POWER: -1200.0, **{Key(key): value for key, value in counters.items()}}


def test_a_counter_is_shown_instead_of_what_is_metered() -> None:
    device = Device()
    assert device.add(0, charging(energy_charged=5000)) == {DISCHARGED: 0}
    assert device.add(5, charging(energy_charged=5000.1)) == {CHARGED: 5000.1, DISCHARGED: 0}
    # A counter that was seen stays the one that counts.
    assert device.add(10, charging()) == {CHARGED: 5000.1, DISCHARGED: 0}
    assert device.add(15, charging(energy_charged=5000.3)) == {CHARGED: 5000.3, DISCHARGED: 0}


def test_a_counter_that_comes_later_goes_on_from_what_was_metered() -> None:
    device = Device()
    counters: list[dict[str, Any]] = [{}, {}, {CHARGED: FFFF}, {CHARGED: 5000}, {CHARGED: 5000.1}, {CHARGED: 5000.6}]
    totals = [device.add(5 * number, charging(**counter))[CHARGED] for number, counter in enumerate(counters)]
    assert totals == [0, 0.1, 0.2, 0.3, 0.4, 0.9]


def test_a_counter_of_zero_may_be_none() -> None:
    device = Device()
    totals = [device.add(5 * number, charging(energy_charged=0.0))[CHARGED] for number in range(4)]
    assert totals == [0, 0.1, 0.2, 0.3]
    totals = [device.add(20 + 5 * number, charging(energy_charged=0.1 * number + 0.3))[CHARGED] for number in range(3)]
    assert totals == [0.4, 0.5, 0.6]


# Whatever comes.

counters = st.one_of(st.floats(), st.sampled_from([0.0, FFFF, 5000.0, -1]), st.floats(0, 20_000))
steps = st.sampled_from([0.0, 5.0, 5.0, 5.0, 5.0, 60.0, 6000.0, -5.0, -600.0])


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[float, dict[Key, Any]]]:
    """Minutes and values of a counter that rises, is lost, shows nonsense, and begins anew."""
    counter, minutes, found = draw(st.floats(0, 6000)), 0.0, []
    for _ in range(draw(st.integers(1, 25))):
        minutes += draw(steps)
        event = draw(st.sampled_from(["rise", "rise", "rise", "rise", "nonsense", "zero", "reset", "none"]))
        counter = draw(st.floats(0, 10)) if event == "reset" else counter + draw(st.floats(0, 2))
        value = {"zero": 0.0, "nonsense": draw(counters)}.get(event, counter)
        found.append((minutes, charging() if event == "none" else charging(energy_charged=value)))
    return found


@settings(max_examples=100, deadline=None)
@given(histories())
def test_it_never_falls_never_jumps_and_restarts_change_nothing(history: list[tuple[float, dict[Key, Any]]]) -> None:
    device, whole = Device(), Energies()
    before: dict[Key, Any] = {}
    earliest = min(minutes for minutes, _ in history)
    for minutes, values in history:
        after = device.add(minutes, values)
        assert after == whole.add(values, at(minutes), metered=True)
        assert device.energies.memory == whole.memory
        if CHARGED in before and CHARGED in after:
            most = 500 * (max(at for at, _ in history) - earliest) / 60 + 100 * 11 / 60 + 1
            assert after[CHARGED] - before[CHARGED] <= most
        before = after


@settings(max_examples=100, deadline=None)
@given(st.floats(100, 5000), st.lists(st.tuples(st.floats(0, 2), st.integers(0, 2)), min_size=1, max_size=30))
def test_nonsense_between_is_as_if_it_were_not(counter: float, uploads: list[tuple[float, int]]) -> None:
    values: list[tuple[float, bool]] = [(counter, False), (counter, True)]
    for rise, glitches in uploads:
        counter += rise
        values += [(value, False) for value in (0.0, counter + 1000)[:glitches]] + [(counter, True)]
    totals = shown([value for value, _ in values])
    for total, (value, is_real) in zip(totals, values, strict=True):
        assert not is_real or total == round(value, 3)


@settings(max_examples=100, deadline=None)
@given(st.floats(100, 5000), st.integers(0, 30), st.floats(0, 50), st.lists(st.floats(0.1, 2), min_size=3, max_size=30))
def test_a_new_counter_counts_from_its_first_sample(total: float, zeros: int, first: float, rises: list[float]) -> None:
    values = [total, total, *[0.0] * zeros, first]
    for rise in rises:
        values.append(values[-1] + rise)
    # Soon after zeros the first value may have come from them.
    counted = {values[-1] - first, values[-1] if zeros else values[-1] - first}
    assert any(shown(values)[-1] == pytest.approx(total + amount, abs=2e-3) for amount in counted)
