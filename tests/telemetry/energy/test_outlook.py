"""Time to full and to empty, of simulated batteries whose end is known (battery-health 3)."""

from collections.abc import Iterator
from dataclasses import replace
import math
from random import Random
from typing import Any, NamedTuple

from hypothesis import given, strategies as st
import pytest

from custom_components.dyness_atess.telemetry.energy.outlook import Outlook, add_level
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import OUTLOOK, Key

from .restarts import restarted

CAPACITY, VOLTAGE, SOH = 5.12, 52.0, 98.0
RESERVE = 10.0
TAPER = ((99, 0.03), (98, 0.1), (95, 0.3), (0, 0.5))
"""C from a whole % on"""
LEAST = 20
"""min; below it a step of some minutes is more than a fifth"""
START = 1.8e9


class Step(NamedTuple):
    """A sample (s, values) and the minutes that truly remain, to full or to empty."""

    at: float
    values: dict[Key, Any]
    truth: float


def limit(soc: float) -> float:
    """Return the charge current limit in A at a state of charge."""
    return next(rate for start, rate in TAPER if soc >= start) * CAPACITY * 1000 / VOLTAGE


def battery(power: float, *, noise: float = 0.0, seed: int = 0, soc: float | None = None) -> Iterator[Step]:
    """Charge (power in W below 0) or discharge a battery at a steady power, with a sample each five minutes or so."""
    chance = Random(seed)  # noqa: S311
    percent = CAPACITY * 10 * SOH / 100
    soc = soc if soc is not None else (12.3 if power < 0 else 96.7)
    seconds: list[tuple[float, float]] = []
    while RESERVE < soc < 100:
        flow = max(power, -VOLTAGE * limit(soc))
        seconds.append((soc, flow))
        soc -= flow * 10 / 3600 / percent
    upload = chance.uniform(0, 30)
    while upload < len(seconds):
        soc, flow = seconds[int(upload)]
        values = {
            Key.SOC: int(soc),
            Key.POWER: flow * max(chance.gauss(1, noise), 0.02),
            Key.VOLTAGE: VOLTAGE,
            Key.ENERGY_RATED: CAPACITY,
            Key.SOH: SOH,
            Key.CHARGE_CURRENT_LIMIT: limit(int(soc)),
        }
        yield Step(START + upload * 10, values, (len(seconds) - upload) / 6)
        upload += 30 + chance.uniform(-0.5, 0.5)


def told(outlook: Outlook, step: Step, reserve: float = RESERVE) -> float | None:
    """Return the only value that there may be."""
    shown = outlook.add(step.values, step.at, reserve)
    assert shown.keys() <= ({Key.TIME_TO_FULL} if step.values[Key.POWER] < 0 else {Key.TIME_TO_EMPTY})
    (minutes,) = shown.values() or (None,)
    assert minutes is None or isinstance(minutes, int)
    return minutes


@pytest.mark.parametrize("power", [-2400, -1100, -400, 2500, 900, 300])
def test_steady_power(power: float) -> None:
    """The second time, when the limits near full are known, it is right all the way."""
    outlook = Outlook()
    for _ in range(2):
        outlook = restarted(replace(outlook, samples=[], minutes=None))
        errors, last = [], None
        for step in battery(power):
            minutes = told(outlook, step)
            if minutes is not None:
                errors.append(abs(minutes - step.truth) - 0.03 * step.truth)
            elif last is not None:
                assert step.values[Key.SOC] >= 99 or step.values[Key.SOC] <= RESERVE
            last = minutes
    assert len(errors) > 15
    assert max(errors) < 6


@given(
    st.sampled_from([0.02, 0.05, 0.15, 0.4]),
    st.sampled_from([-2400, -1100, 2500, 900]),
    st.integers(0, 1000),
    st.booleans(),
)
def test_no_jump(noise: float, power: float, seed: int, is_learned: bool) -> None:
    """Whatever the noise, no step beyond the minutes that have passed is larger than a fifth."""
    outlook = Outlook()
    if is_learned:
        for step in battery(power):
            outlook.add(step.values, step.at - 1e6, RESERVE)
    last: tuple[float, float] | None = None
    values = 0
    for step in battery(power, noise=noise, seed=seed):
        minutes = told(outlook, step)
        if minutes is not None and last and last[1] >= LEAST:
            expected = last[1] - (step.at - last[0]) / 60
            assert abs(minutes - expected) <= 0.2 * expected
            values += 1
        last = None if minutes is None else (step.at, minutes)
    assert values > 10


def test_it_follows_a_real_change() -> None:
    """Of the load: within the half hour that the power is the mean of, and as long again."""
    outlook = Outlook()
    steps = list(battery(600, soc=95))[:12]
    for step in steps:
        told(outlook, step)
    later = list(battery(2400, soc=float(steps[-1].values[Key.SOC])))
    errors = []
    for step in later[1:]:
        minutes = told(outlook, step._replace(at=steps[-1].at - START + step.at))
        errors.append(None if minutes is None else abs(minutes - step.truth))
    assert None not in errors[:12]
    assert all(error is None or error < 10 for error in errors[10:])


def test_another_direction() -> None:
    """The first value after two samples; none from before."""
    outlook = Outlook()
    evening, morning = list(battery(900, soc=60))[:20], list(battery(-1500, soc=40))
    assert [told(outlook, step) for step in evening][-1]
    shift = evening[-1].at + 300 - START
    first, second, third = (told(outlook, step._replace(at=step.at + shift)) for step in morning[:3])
    assert first is None
    assert third
    assert second == pytest.approx(morning[1].truth, rel=0.25)  # the limits near full are not known yet
    idle = morning[3].values | {Key.POWER: -20.0}
    assert outlook.add(idle, morning[3].at + shift, RESERVE) == {}
    again = [told(outlook, step._replace(at=step.at + shift)) for step in morning[4:6]]
    assert [minutes is None for minutes in again] == [True, False]


@pytest.mark.parametrize(("gap", "is_new"), [(10, False), (25, True), (600, True), (-60, True)])
def test_a_gap(gap: float, is_new: bool) -> None:
    """Nothing from before a long one. Behind a clock that was put back it begins anew too."""
    outlook = Outlook()
    steps = list(battery(700, soc=90))
    for step in steps[:20]:
        assert told(outlook, step) or step is steps[0]
    shift = gap * 60 - 300
    after = [told(outlook, step._replace(at=step.at + shift)) for step in steps[20:22]]
    assert [minutes is None for minutes in after] == [is_new, False]
    assert after[1] == pytest.approx(steps[21].truth, rel=0.05)


USUAL = {Key.SOC: 50, Key.POWER: 1000.0, Key.ENERGY_RATED: 5.12, Key.VOLTAGE: 52.0, Key.CHARGE_CURRENT_LIMIT: 50.0}


def twice(values: dict[Key, Any], reserve: float = RESERVE) -> dict[Key, Any]:
    """Return what the second of two equal samples tells."""
    outlook = Outlook()
    outlook.add(values, START, reserve)
    return dict(outlook.add(values, START + 300, reserve))


@pytest.mark.parametrize(
    ("changes", "reserve", "expected"),
    [
        ({}, 10, {Key.TIME_TO_EMPTY: 122}),
        ({Key.SOH: 50}, 10, {Key.TIME_TO_EMPTY: 60}),
        ({}, 0, {Key.TIME_TO_EMPTY: 153}),
        ({}, 49, {Key.TIME_TO_EMPTY: 2}),
        ({}, 50, {}),
        ({Key.SOC: 8}, 10, {}),
        ({Key.POWER: 45.0}, 10, {Key.TIME_TO_EMPTY: 2760}),
        ({Key.POWER: 40.0}, 10, {}),
        ({Key.POWER: 24.0}, 10, {}),
        ({Key.ENERGY_RATED: 2.0, Key.POWER: 19.0}, 10, {}),
        ({Key.POWER: 0.0}, 10, {}),
        ({Key.POWER: -1000.0}, 10, {Key.TIME_TO_FULL: 150}),
        ({Key.POWER: -1000.0, Key.CHARGE_CURRENT_LIMIT: 5.0}, 10, {Key.TIME_TO_FULL: 579}),
        ({Key.POWER: -1000.0, Key.CHARGE_CURRENT_LIMIT: 0}, 10, {}),
        ({Key.POWER: -1000.0, Key.CHARGE_CURRENT_LIMIT: "?", Key.VOLTAGE: None}, 10, {Key.TIME_TO_FULL: 150}),
        ({Key.POWER: -1000.0, Key.SOC: 99}, 10, {}),
        ({Key.POWER: -100.0, Key.SOC: 1}, 10, {}),
        ({Key.SOC: 50.4}, 10, {Key.TIME_TO_EMPTY: 124}),
    ],
)
def test_when_there_is_a_value(changes: dict[Key, Any], reserve: float, expected: dict[Key, int]) -> None:
    found = twice(USUAL | changes, reserve)
    assert found.keys() == expected.keys()
    assert list(found.values()) == pytest.approx(list(expected.values()), abs=1)


JUNK = st.sampled_from([None, "", "5", math.nan, math.inf, -math.inf, -1, 0, 99.5, 1e308, 10**400, True])


@given(st.lists(st.tuples(st.dictionaries(st.sampled_from(sorted(USUAL)), JUNK), st.integers(0, 5000)), max_size=8))
def test_junk(samples: list[tuple[dict[Key, Any], float]]) -> None:
    """Nothing raises, and what is kept stays JSON that it goes on from."""
    outlook = Outlook()
    for values, at in samples:
        found = outlook.add(USUAL | values, at, RESERVE)
        assert all(isinstance(minutes, int) and 0 <= minutes <= 48 * 60 * 1.2 for minutes in found.values())
        outlook = restarted(outlook)


@given(st.integers(0, 100), st.sets(st.integers(0, 40)))
def test_a_restart_changes_nothing(seed: int, restarts: set[int]) -> None:
    """Nor does the same sample again."""
    one, other = Outlook(), Outlook()
    for number, step in enumerate(battery(-1400, noise=0.1, seed=seed)):
        shown = one.add(step.values, step.at, RESERVE)
        assert other.add(step.values, step.at, RESERVE) == shown
        if number in restarts:
            other = restarted(other)
        assert other.add(step.values, step.at, RESERVE) == shown


def test_another_reserve() -> None:
    """It counts at once, and no step is too large."""
    outlook = Outlook()
    for step in list(battery(900, soc=80))[:10]:
        before = told(outlook, step)
    assert before
    percent = CAPACITY * SOH / 100 / 100
    for reserve in (60, 0, 90, 20):
        after = told(outlook, step, reserve)
        rest = before - (reserve - RESERVE) * percent / 0.9 * 60
        assert after == (pytest.approx(rest, abs=2) if rest > 0 else None)


def test_limits_are_learned_while_charging_only() -> None:
    outlook = Outlook()
    for step in battery(-2400):
        outlook.add(step.values, step.at, RESERVE)
    learned = dict(outlook.limits)
    assert learned == {soc: limit(soc) for soc in learned}
    assert {95, 98, 99} <= learned.keys()
    for power, amperes in ((900.0, 1.0), (0.0, 1.0), (-900.0, 0)):
        outlook.add(USUAL | {Key.SOC: 60, Key.POWER: power, Key.CHARGE_CURRENT_LIMIT: amperes}, START * 1.1, RESERVE)
    assert outlook.limits == learned


@pytest.mark.parametrize("power", [-700, 0, 0.0, -0.0, 1200.5])
def test_halves(power: float) -> None:
    reading = Reading(values={Key.POWER: power})
    add_level(reading, None, RESERVE)
    charging, discharging = reading.values[Key.CHARGE_POWER], reading.values[Key.DISCHARGE_POWER]
    assert isinstance(charging, float | int)
    assert isinstance(discharging, float | int)
    assert discharging - charging == power
    assert min(charging, discharging) == 0
    assert not str(charging).startswith("-")
    assert not str(discharging).startswith("-")
    assert not OUTLOOK & reading.values.keys()
    assert not reading.flags


def test_low() -> None:
    """On at five percent above the reserve, off above eight."""
    reading = None
    found = []
    for soc in (40, 18, 16, 15, 16, 18, 19, 16, 10, 3):
        after = Reading(values={Key.SOC: soc})
        add_level(after, reading, RESERVE)
        found.append(after.flags[Key.BATTERY_LOW])
        reading = after
    assert found == [False, False, False, True, True, True, False, False, True, True]
    junk = Reading(values={Key.SOC: "?", Key.POWER: "?"})
    add_level(junk, reading, RESERVE)
    assert junk.values.keys() == {Key.SOC, Key.POWER}
    assert not junk.flags
