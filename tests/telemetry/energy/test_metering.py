"""Energies that are metered: by hand, with wrong clocks and memories, and against emulated batteries."""

from collections.abc import Iterator
from datetime import datetime, timedelta
import math
from random import Random
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.dyness_atess.telemetry.dyness.history import powers
from custom_components.dyness_atess.telemetry.energy.energies import Energies
from custom_components.dyness_atess.telemetry.vocabulary import Key
from emulator.dyness.catalogue import build
from emulator.dyness.history import PowerHistory
from emulator.dyness.storage import Storage
from emulator.dyness.throughput import since_epoch

from .device import CHARGED, DISCHARGED, Device, at, restarted

RATED = 5.0

type Upload = tuple[float, Any, Any]
"""Minutes after START, W, %"""


def sample(power: Any, soc: Any = None, rated: Any = RATED, cell: Any = None) -> dict[Key, Any]:
    values = {Key.POWER: power, Key.SOC: soc, Key.ENERGY_RATED: rated, Key.CELL_VOLTAGE_MIN: cell}
    return {key: value for key, value in values.items() if value is not None}


def metered(*uploads: Upload, rated: Any = RATED) -> Device:
    device = Device()
    for minutes, power, soc in uploads:
        device.add(minutes, sample(power, soc, rated))
    return device


def totals(device: Device) -> tuple[float, float]:
    return device.shown[CHARGED], device.shown[DISCHARGED]


def every(step: float, power: float, end: float = 60) -> list[tuple[datetime, float]]:
    return [(at(step * number), power) for number in range(int(end / step) + 1)]


@pytest.mark.parametrize(
    ("uploads", "charged", "discharged"),
    [
        ([(0, 1200, None)], 0, 0),
        ([(0, 1200, None), (5, 1200, None)], 0, 0.1),
        ([(0, -1200, None), (5, -1200, None)], 0.1, 0),
        ([(0, 0, None), (10, 1200, None)], 0, 0.1),
        # It crosses zero after 7.5 and after 2.5 of 10 minutes.
        ([(0, -1800, None), (10, 600, None)], 0.113, 0.013),
        ([(0, 600, None), (10, -1800, None)], 0.113, 0.013),
        ([(0, 1200, None), (11, 1200, None)], 0, 0.22),
        # Repeated, and from a server that lags.
        ([(0, 1200, None), (5, 1200, None), (5, 9000, None), (3, -9000, None)], 0, 0.1),
        # What cannot be leaves no trace: the next sample is interpolated from the one before.
        ([(0, 1200, None), (2, math.nan, None), (3, 100_001, None), (4, "x", None), (5, 1200, None)], 0, 0.1),
    ],
)
def test_interpolated(uploads: list[Upload], charged: float, discharged: float) -> None:
    device = metered(*uploads)
    assert totals(device) == (charged, discharged)
    assert device.energies.gap is None


def test_nothing_without_a_power() -> None:
    assert Device().add(0, {Key.SOC: 50}) == {}
    assert Device(metered=False).add(0, sample(1200)) == {}


@pytest.mark.parametrize(
    ("uploads", "charged", "discharged"),
    [
        ([(0, 3000, 80), (60, 3000, 60)], 0, 1),
        ([(0, 3000, 20), (60, 3000, 60)], 2, 0),
        ([(0, 3000, 20), (11.1, 3000, 26)], 0.3, 0),
        # A step may be one of rounding. It is kept until it is more; back again it was nothing.
        ([(0, 500, 50), (60, 500, 51), (120, 500, 50), (180, 500, 51), (240, 500, 50)], 0, 0),
        ([(0, 500, 50), (60, 500, 51), (120, 500, 52), (180, 500, 53)], 0.1, 0),
        # Nobody knows.
        ([(0, 3000, None), (60, 3000, 60)], 0, 0),
        ([(0, 3000, 101), (60, 3000, 60)], 0, 0),
        ([(0, 3000, 60), (60, 3000, math.nan)], 0, 0),
        # The battery has corrected itself.
        ([(0, -500, 40), (12, 0, 100)], 0, 0),
        # Then all goes on: 5 minutes of 1200 W after a gap.
        ([(0, 1200, 80), (60, 1200, 60), (65, 1200, 60)], 0, 1.1),
    ],
)
def test_gap_without_history(uploads: list[Upload], charged: float, discharged: float) -> None:
    device = metered(*uploads)
    assert device.fill() == {CHARGED: pytest.approx(charged), DISCHARGED: pytest.approx(discharged)}
    assert device.energies.gap is None


@pytest.mark.parametrize("rated", [None, 0.0, -5.0, math.nan, math.inf, 1e9])
def test_gap_without_capacity(rated: Any) -> None:
    device = metered((0, 3000, 80), (60, 3000, 60), rated=rated)
    assert device.fill() == {CHARGED: 0, DISCHARGED: 0}


@pytest.mark.parametrize(("cell", "discharged"), [(None, 0), (0.0, 0), (3.25, 0), (2.9, 2.5)])
def test_zeros_fill_no_gap_unless_the_cells_agree(cell: float | None, discharged: float) -> None:
    device = metered((0, 0, 50))
    device.add(60, sample(0, 0, cell=cell))
    assert device.fill() == {CHARGED: 0, DISCHARGED: pytest.approx(discharged)}
    device.add(120, sample(0, 50))
    assert device.fill()[CHARGED] == pytest.approx(discharged)


def test_a_gap_is_open_until_the_next_sample() -> None:
    device = metered((0, 3000, 80), (60, 3000, 60), (60, 3000, 60), (59, 3000, 60))
    assert device.energies.gap == (at(0), at(60))
    device.add(65, sample(1200, 60))
    assert device.energies.gap is None
    assert totals(device) == pytest.approx((0, 1 + 2.1 / 12))
    assert device.fill(every(10, 3000)) == device.shown


def test_no_history_is_asked_for_where_the_device_counts() -> None:
    device = Device()
    for minutes in (0, 5, 60):
        device.add(minutes, sample(1200) | {CHARGED: 50 + minutes / 60, DISCHARGED: 50})
    assert device.energies.gap is None


@pytest.mark.parametrize(
    ("records", "charged", "discharged"),
    [
        (every(5, 1200), 0, 1.2),
        (every(11, 1200), 0, 1.2),
        # Without regard to the order, and without those outside the gap, or that cannot be.
        ([*reversed(every(5, 1200)), (at(-5), -9000.0), (at(65), -9000.0), (at(7), math.nan), (at(8), 1e9)], 0, 1.2),
        # 20 % are 1 kWh: records that do not cover the gap, that disagree, or that have the other sign.
        (every(12, 1200), 0, 1),
        (every(5, 1200, end=45), 0, 1),
        (every(5, 1200)[3:], 0, 1),
        (every(5, 500), 0, 1),
        (every(5, 1700), 0, 1),
        (every(5, -1200), 0, 1),
    ],
)
def test_gap_with_history(records: list[tuple[datetime, float]], charged: float, discharged: float) -> None:
    device = metered((0, 1200, 80), (60, 1200, 60))
    assert device.fill(records) == {CHARGED: pytest.approx(charged), DISCHARGED: pytest.approx(discharged)}
    assert device.energies.gap is None


def test_history_counts_where_nothing_contradicts_it() -> None:
    device = metered((0, -1200, None), (60, -1200, 60))
    assert device.fill(every(5, -1200)) == {CHARGED: 1.2, DISCHARGED: 0}


# Clocks.


@pytest.mark.parametrize("ahead", [-600, 11, 60, 60 * 24 * 365])
def test_a_clock_that_is_wrong_loses_nothing(ahead: float) -> None:
    device = metered(*((ahead + 5 * number, 1200, None) for number in range(13)))
    assert totals(device) == pytest.approx((0, 1.2))


def test_a_clock_that_was_ahead_once() -> None:
    device = metered(*((minutes, 1200, 50) for minutes in (0, 5, 60 * 24 * 365, 10, 15, 15, 20, 25, 30)))
    assert totals(device) == pytest.approx((0, 0.3))
    device.add(35, sample(1200) | {CHARGED: 50})
    device.add(40, sample(1200) | {CHARGED: 50})
    device.add(45, sample(1200) | {CHARGED: 52})
    assert totals(device) == pytest.approx((2, 0.6))


def test_a_server_that_lags_by_hours_is_no_clock() -> None:
    device = metered(*((minutes, 1200, None) for fresh in range(0, 60, 5) for minutes in (fresh, fresh - 180)))
    assert totals(device) == pytest.approx((0, 1.1))


# Whatever comes.

numbers = st.one_of(st.floats(), st.floats(-6000, 6000), st.floats(0, 100), st.integers(-3000, 3000), st.text())
events = st.tuples(
    st.one_of(st.integers(-30, 400), st.integers(-(10**9), 10**9)),
    st.builds(sample, numbers, st.none() | st.integers(0, 100) | numbers, st.just(RATED) | numbers, numbers),
    st.none() | st.lists(st.tuples(st.integers(-30, 400).map(at), st.floats())),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.floats(0, 2e9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(events, max_size=12))
def test_it_never_raises_never_falls_and_restarts_change_nothing(history: list[tuple[float, Any, Any]]) -> None:
    device, whole = Device(), Energies()
    for minutes, values, records in history:
        assert device.add(minutes, values) == whole.add(values, at(minutes), metered=True)
        assert device.energies.gap == whole.gap
        if records is not None:
            assert device.fill(records) == whole.fill(records)
        assert device.energies.memory == whole.memory
        assert all(math.isfinite(total) for total in device.shown.values())


@settings(max_examples=100, deadline=None)
@given(json_values, st.randoms(use_true_random=False))
def test_any_memory(garbage: Any, chance: Random) -> None:
    """What is malformed in one place is malformed; from then on all is as ever."""
    device = metered((0, 1200, 80), (5, 1200, 80), (90, 1200, 60), (5, 1200, 60), (10, 1200, 60))
    for minutes in (95, 100, 105):
        device.add(minutes, sample(1200) | {Key.PV_ENERGY: minutes**2})
    content: Any = {"memory": device.energies.memory}
    root = content
    while True:
        key = chance.choice(list(content) if isinstance(content, dict) else range(len(content)))
        if not isinstance(content[key], dict | list) or not content[key] or chance.random() < 0.2:
            break
        content = content[key]
    content[key] = garbage
    for remembered in (root["memory"], garbage):
        device = Device()
        device.energies = Energies(remembered)
        for minutes in (200, 205, 300):
            device.add(minutes, sample(1200, 50) | {Key.PV_ENERGY: minutes})
        device.fill([(at(250), 1200)])


# Against emulated batteries.

DAYS = 3


def upload_times() -> Iterator[datetime]:
    return (at(5 * number + 2) for number in range(DAYS * 288))


def take(emulated: Storage, device: Device, now: datetime) -> datetime:
    """Read it, and return when the sample was taken."""
    truth: dict[str, Any] = emulated.truth(now)
    sampled_at = datetime.fromisoformat(truth["last_report"])
    device.add((sampled_at - at(0)) / timedelta(minutes=1), sample(truth["power"], truth["soc"], truth["energy_rated"]))
    return sampled_at


def flown(emulated: Storage, start: datetime, end: datetime) -> tuple[float, float]:
    """The true integral, charged and discharged in kWh."""
    battery = emulated.battery
    between = since_epoch(battery, battery.local(end)).plus(since_epoch(battery, battery.local(start)), -1)
    return between.charged * emulated.kilowatt_hours, between.discharged * emulated.kilowatt_hours


def outages(chance: Random) -> Iterator[datetime]:
    """Upload times with a gap of up to six hours in every half day."""
    times = list(upload_times())
    for half in range(0, len(times), 144):
        length = chance.randint(3, 72)
        begin = half + chance.randint(1, 143 - length)
        yield from (*times[half:begin], *times[begin + length : half + 144])


@pytest.mark.parametrize(("name", "nth", "within"), [("powerhaus", 1, 0.01), ("dl5-3", 1, 0.01), ("dl5-3", 2, 0.02)])
@pytest.mark.parametrize("seed", range(2))
def test_emulated_days(name: str, nth: int, within: float, seed: int) -> None:
    (emulated,) = build(name, seed=seed)
    device = Device()
    first, *_, last = [take(emulated, device, now) for now in list(upload_times())[::nth]]
    assert device.energies.gap is None
    assert totals(device) == pytest.approx(flown(emulated, first, last), rel=within)
    assert min(totals(device)) > emulated.energy_rated


@pytest.mark.parametrize("seed", range(2))
def test_emulated_gaps_with_history(seed: int) -> None:
    (emulated,) = build("dl5-3", seed=seed, utc_offset=timedelta(hours=6))  # half days begin at noon and midnight
    device, sampled, gaps = Device(), [], 0
    for now in outages(Random(seed)):  # noqa: S311
        sampled.append(take(emulated, device, now))
        if gap := device.energies.gap:
            gaps += 1
            device.fill(powers(emulated.power_history(now), *gap, current_sign=-1))
    assert gaps == 2 * DAYS
    assert totals(device) == pytest.approx(flown(emulated, sampled[0], sampled[-1]), rel=0.02)


@pytest.mark.parametrize("seed", range(2))
def test_emulated_gaps_without_history(seed: int) -> None:
    (emulated,) = build("powerhaus", seed=seed)
    device, sampled = Device(), []
    for now in outages(Random(seed)):  # noqa: S311
        sampled.append(take(emulated, device, now))
        device.fill()
    charged, discharged = flown(emulated, sampled[0], sampled[-1])
    found = totals(device)
    # The state of charge only tells the difference; its rounding does not add up.
    assert found[0] - found[1] == pytest.approx(charged - discharged, abs=0.1 * emulated.energy_rated)
    assert found[0] <= charged + 0.1 * emulated.energy_rated


@pytest.mark.parametrize(
    "history",
    [
        None,
        PowerHistory(yesterday=True),
        PowerHistory(null_tail=30),
        PowerHistory(shift=timedelta(hours=6)),
        PowerHistory(shift=timedelta(hours=-6)),
    ],
)
def test_emulated_history_that_is_of_no_use(history: PowerHistory | None) -> None:
    (emulated,) = build("dl5-3", history=history)
    device, noon = Device(), at(5 * 60)
    for now in (noon - timedelta(hours=3), noon):
        take(emulated, device, now)
    assert device.energies.gap
    without = restarted(device.energies)
    records = powers(emulated.power_history(noon), *device.energies.gap, current_sign=-1)
    assert device.fill(records) == without.fill([])
