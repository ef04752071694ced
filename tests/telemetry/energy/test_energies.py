"""Lifetime energies, counted and metered: named stories, whatever comes, and against emulated batteries."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
import json
import math
from random import Random
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.dyness_atess.telemetry.dyness.history import samples
from custom_components.dyness_atess.telemetry.energy.energies import Energies
from custom_components.dyness_atess.telemetry.state import dump, load
from custom_components.dyness_atess.telemetry.vocabulary import Key
from emulator.dyness.catalogue import build
from emulator.dyness.storage import Storage
from emulator.dyness.throughput import since_epoch

from .restarts import restarted

START = datetime(2026, 6, 21, 6, tzinfo=UTC)
CHARGED, DISCHARGED, PV = Key.ENERGY_CHARGED, Key.ENERGY_DISCHARGED, Key.PV_ENERGY
FFFF = 65535.5
HOUR, DAY = 60, 24 * 60

type Values = dict[Key, Any]


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def sample(power: Any, soc: Any = None, rated: Any = 5.0, **more: Any) -> Values:
    values = {Key.POWER: power, Key.SOC: soc, Key.ENERGY_RATED: rated}
    values |= {Key(key): value for key, value in more.items()}
    return {key: value for key, value in values.items() if value is not None}


class Device:
    """One that is restarted at every step, which changes nothing; its totals never fall."""

    def __init__(self, *, metered: bool = True) -> None:
        self.energies, self.uninterrupted = Energies(), Energies()
        self.metered = metered
        self.shown: Values = {}

    @property
    def totals(self) -> tuple[float, float]:
        return self.shown[CHARGED], self.shown[DISCHARGED]

    def add(self, minutes: float, values: Values) -> Values:
        expected = self.uninterrupted.add(values, at(minutes), metered=self.metered)
        return self._checked(self.energies.add(values, at(minutes), metered=self.metered), expected)

    def fill(self, records: Iterable[tuple[datetime, float]] = ()) -> Values:
        records = list(records)
        return self._checked(self.energies.fill(records), self.uninterrupted.fill(records))

    def _checked(self, shown: Values, expected: Values) -> Values:
        self.energies = restarted(self.energies)
        assert shown == expected
        assert self.energies == self.uninterrupted
        assert self.energies.gap == self.uninterrupted.gap
        assert all(self.shown.get(key, 0) <= total < math.inf for key, total in shown.items())
        self.shown |= shown
        return shown


def metered(*uploads: tuple[float, Any, Any], rated: Any = 5.0) -> Device:
    """Minutes, W, %."""
    device = Device()
    for minutes, power, soc in uploads:
        device.add(minutes, sample(power, soc, rated))
    return device


# Counters.


def counted(values: Iterable[Any]) -> list[float | None]:
    device = Device(metered=False)
    return [device.add(5 * number, {PV: value}).get(PV) for number, value in enumerate(values)]


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
    "it begins anew": ([5000, 5000, 0, 0.4, 0.9, 1.5], [None, 5000, 5000, 5000, 5000.9, 5001.5]),
    "twice": ([10, 10, 0, 0.5, 1, 1.5, 0, 0.2, 0.4, 0.6], [None, 10, 10, 10, 11, 11.5, 11.5, 11.5, 11.9, 12.1]),
    "a higher one": ([5000, 5000, 7000, 7000.2, 7000.2, 7000.7, 7001], [None, *[5000] * 4, 5000.7, 5001]),
    "zeros for a night": ([5000, 5000, *[0] * 100, 5000.6], [None, *[5000] * 101, 5000.6]),
    "zeros, and a new one": ([5000, 5000, *[0] * 9, 0.3, 0.3, 0.8], [None, *[5000] * 12, 5000.8]),
    "zeros and other nonsense": ([5000, 5000, 0, 17, 0, 17, 0, 5000.3], [None, *[5000] * 6, 5000.3]),
    "zeros before the real counter": ([0, 0, 30, 30, 30.2, 30.5], [None, 0, 0, 0, 0, 0.5]),
    "two in turn": ([50, 50, 3000, 50.2, 3000.1, 50.4, 3000.2], [None, 50, 50, 50.2, 50.2, 50.4, 50.4]),
    "what is no number": ([5, 5, math.nan, math.inf, -1, "6", [], 10**400, 1e300, 5.5], [None, *[5] * 8, 5.5]),
    "no number at first": ([math.nan, -3, 5000, 5000], [None, None, None, 5000]),
}


@pytest.mark.parametrize(("values", "expected"), STORIES.values(), ids=STORIES.keys())
def test_story(values: list[Any], expected: list[float | None]) -> None:
    assert counted(values) == expected


@pytest.mark.parametrize(
    "samples",
    [
        [(30 * DAY, 6400, 1000), (30 * DAY + 5, 1000.5, 1000.5)],
        [(30 * DAY, 6400, 1000), (30 * DAY + 5, 6400.2, 1000), (30 * DAY + 10, 6400.4, 6400.4)],
        # The old counter comes back after zeros and an outage.
        [(10, 0, 1000), (15, 0, 1000), (DAY, 1100, 1000), (DAY + 5, 1100, 1000), (DAY + 10, 1100, 1100)],
        # A clock that was ahead for one sample.
        [(365 * DAY, 1000.5, 1000.5), (10, 1001, 1000.5), (15, 1001, 1000.5), (20, 1004, 1004)],
        [(365 * DAY, 1000.5, 1000.5), *((minutes, 1100, 1000.5) for minutes in (10, 15, 20, 25)), (30, 1100, 1100)],
        # The same sample again, and an older one, are no evidence.
        [(10, 0, 1000), (10, 0.5, 1000), (10, 0.9, 1000), (3, 0.9, 1000), (15, 1000.5, 1000.5)],
    ],
)
def test_silence_and_times(samples: list[tuple[float, float, float]]) -> None:
    device = Device(metered=False)
    for minutes, value, expected in ((0, 1000, None), (0, 1000, None), (5, 1000, 1000), *samples):
        assert device.add(minutes, {PV: value}).get(PV) == expected


def test_a_large_charger_is_never_far_behind() -> None:
    """At 250 kW each rise has to be confirmed."""
    values = [1000 + 250 * 5 / 60 * number for number in range(30)]
    first, *totals = counted(values)
    assert first is None
    behind = [value - (total or 0) for value, total in zip(values[1:], totals, strict=True)]
    assert max(behind) < 3 * 250 * 5 / 60
    assert min(behind[-3:]) < 0.001


def test_each_key_for_itself() -> None:
    device = Device(metered=False)
    device.add(0, {PV: 5000, Key.CHARGE_TIME: 300.5, Key.SOC: 50, Key.PV_ENERGY_TODAY: 3})
    assert device.add(5, {PV: FFFF, Key.CHARGE_TIME: 300.6, Key.SOC: 50}) == {Key.CHARGE_TIME: 300.6}
    assert device.add(10, {Key.SOC: 50}) == {}


@settings(max_examples=100, deadline=None)
@given(st.floats(100, 5000), st.lists(st.tuples(st.floats(0, 2), st.integers(0, 2)), min_size=1, max_size=30))
def test_nonsense_between_is_as_if_it_were_not(counter: float, uploads: list[tuple[float, int]]) -> None:
    values: list[tuple[float, bool]] = [(counter, False), (counter, True)]
    for rise, glitches in uploads:
        counter += rise
        values += [(value, False) for value in (0.0, counter + 1000)[:glitches]] + [(counter, True)]
    for total, (value, is_real) in zip(counted(value for value, _ in values), values, strict=True):
        assert not is_real or total == round(value, 3)


# A counter, and what is metered: 0.1 kWh in five minutes.


@pytest.mark.parametrize(
    ("counters", "totals"),
    [
        ([None, None, None], [0, 0.1, 0.2]),
        # A counter that was seen stays the one that counts.
        ([5000, 5000.1, None, 5000.3], [None, 5000.1, 5000.1, 5000.3]),
        # One that comes later goes on from what was metered until it was confirmed.
        ([None, None, FFFF, 5000, 5000.1, 5000.6], [0, 0.1, 0.2, 0.3, 0.4, 0.9]),
        # One that is 0 may be none.
        ([0, 0, 0, 0, 0.3, 0.4, 0.5], [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
    ],
)
def test_counted_or_metered(counters: list[float | None], totals: list[float | None]) -> None:
    device = Device()
    for number, (counter, total) in enumerate(zip(counters, totals, strict=True)):
        shown = device.add(5 * number, sample(-1200, energy_charged=counter))
        assert (shown.get(CHARGED), shown[DISCHARGED]) == (total, 0)


def test_no_history_is_asked_for_where_the_device_counts() -> None:
    device = Device()
    for minutes in (0, 5, 60):
        device.add(minutes, sample(1200, energy_charged=50 + minutes / 60, energy_discharged=50))
    assert device.energies.gap is None


# Metered.


@pytest.mark.parametrize(
    ("uploads", "charged", "discharged"),
    [
        ([(0, 1200, None)], 0, 0),
        ([(0, 1200, None), (5, 1200, None)], 0, 0.1),
        ([(0, 0, None), (10, 1200, None)], 0, 0.1),
        # From one direction to the other, at some moment between.
        ([(0, -1800, None), (10, 600, None)], 0.15, 0.05),
        ([(0, 600, None), (10, -1800, None)], 0.15, 0.05),
        ([(0, 1200, None), (11, 1200, None)], 0, 0.22),
        # Repeated, and from a server that lags.
        ([(0, 1200, None), (5, 1200, None), (5, 9000, None), (3, -9000, None)], 0, 0.1),
        # What cannot be leaves no trace: the next sample is interpolated from the one before.
        ([(0, 1200, None), (2, math.nan, None), (3, 100_001, None), (4, "x", None), (5, 1200, None)], 0, 0.1),
        # A clock that is ahead by minutes, by hours, or a year behind.
        *(([(ahead + 5 * number, 1200, None) for number in range(13)], 0, 1.2) for ahead in (11, 7 * HOUR, -365 * DAY)),
        # It was ahead once: three samples later all goes on, from a server that repeats some.
        ([(minutes, 1200, 50) for minutes in (0, 5, 365 * DAY, 10, 15, 15, 20, 25, 30)], 0, 0.3),
        # A server that lags, in a row, and by hours in turn with one that does not.
        ([(minutes, 1200, None) for minutes in (0, 10, 20, 30, 10, 15, 20, 35)], 0, 0.7),
        ([(minutes, 1200, None) for fresh in range(0, 65, 5) for minutes in (fresh, fresh - 180)], 0, 1.2),
    ],
)
def test_interpolated(uploads: list[Any], charged: float, discharged: float) -> None:
    device = metered(*uploads)
    assert device.totals == (charged, discharged)
    assert device.energies.gap is None


def test_sudden_loads() -> None:
    """The sun charges, and a load that takes more comes and goes at any moment: both add up over many of them."""
    chance, flown, uploads, is_on, until = Random(1), [0.0, 0.0], [], False, 0.0  # noqa: S311
    for second in range(0, 10 * DAY * 60, 10):
        if second >= until:
            is_on, until = not is_on, second + chance.expovariate(1 / 900)
        power = 1500 if is_on else -1000
        flown[is_on] += abs(power) / 360_000
        if second % 300 == 0:
            uploads.append((second / 60, power, None))
    totals = metered(*uploads).totals
    assert totals == (pytest.approx(flown[False], rel=0.02), pytest.approx(flown[True], rel=0.02))


def test_nothing_without_a_power() -> None:
    assert Device().add(0, {Key.SOC: 50}) == {}
    assert Device(metered=False).add(0, sample(1200)) == {}


@pytest.mark.parametrize(
    ("uploads", "charged", "discharged"),
    [
        ([(0, 3000, 80), (60, 3000, 60)], 0, 1),
        ([(0, 3000, 20), (60, 3000, 60)], 2, 0),
        ([(0, 3000, 20), (11.1, 3000, 26)], 0.3, 0),
        # A step of one may be of rounding: within it the power tells.
        ([(20 * number, 0, 50 + number % 2) for number in range(9)], 0, 0),
        ([(0, -500, 50), (60, -500, 51), (120, -500, 52)], 0.1, 0),
        ([(0, -190, 50), (15, -190, 51), (26, 190, 51), (41, 190, 50), (52, -190, 50), (67, -190, 51)], 0.13, 0.082),
        # Nobody knows.
        ([(0, 3000, None), (60, 3000, 60)], 0, 0),
        ([(0, 3000, 101), (60, 3000, 60)], 0, 0),
        ([(0, 3000, 60), (60, 3000, math.nan)], 0, 0),
        # The battery has corrected itself.
        ([(0, -500, 40), (12, 0, 100)], 0, 0),
        # The next sample closes the gap: then 5 minutes of 1200 W.
        ([(0, 1200, 80), (60, 1200, 60), (65, 1200, 60)], 0, 1.1),
    ],
)
def test_gap_without_history(uploads: list[Any], charged: float, discharged: float) -> None:
    device = metered(*uploads)
    assert device.fill() == {CHARGED: charged, DISCHARGED: discharged}
    assert device.energies.gap is None


@pytest.mark.parametrize("rated", [None, 0.0, -5.0, math.nan, math.inf, 1e9, "5"])
def test_gap_without_capacity(rated: Any) -> None:
    assert metered((0, 3000, 80), (60, 3000, 60), rated=rated).fill() == {CHARGED: 0, DISCHARGED: 0}


@pytest.mark.parametrize("rated", [(5.0, None), (None, 5.0)])
def test_capacity_that_is_known_at_one_end(rated: tuple[Any, Any]) -> None:
    device = Device()
    device.add(0, sample(3000, 80, rated[0]))
    device.add(60, sample(3000, 60, rated[1]))
    assert device.fill() == {CHARGED: 0, DISCHARGED: 1}


@pytest.mark.parametrize(("cell", "flown"), [(None, 0), (0.0, 0), (3.25, 0), (2.9, 2.5)])
def test_zeros_fill_no_gap_unless_the_cells_agree(cell: float | None, flown: float) -> None:
    device = metered((0, 0, 50))
    device.add(60, sample(0, 0, cell_voltage_min=cell))
    assert device.fill() == {CHARGED: 0, DISCHARGED: flown}
    device.add(120, sample(0, 50))
    assert device.fill() == {CHARGED: flown, DISCHARGED: flown}


def every(step: float, power: float, end: float = 60) -> list[tuple[datetime, float]]:
    return [(at(step * number), power) for number in range(int(end / step) + 1)]


@pytest.mark.parametrize(
    ("records", "discharged"),
    [
        (every(5, 1200), 1.2),
        (every(11, 1200), 1.2),
        # Without regard to the order, and without those outside the gap, or that cannot be.
        ([*reversed(every(5, 1200)), (at(-5), -9000.0), (at(65), -9000.0), (at(7), math.nan), (at(8), 1e9)], 1.2),
        # 20 % are 1 kWh: records that do not cover the gap, that disagree, or that have the other sign.
        (every(12, 1200), 1),
        (every(5, 1200, end=45), 1),
        (every(5, 1200)[3:], 1),
        (every(5, 500), 1),
        (every(5, 1700), 1),
        (every(5, -1200), 1),
    ],
)
def test_gap_with_history(records: list[tuple[datetime, float]], discharged: float) -> None:
    device = metered((0, 1200, 80), (60, 1200, 60))
    assert device.energies.gap == (at(0), at(60))
    assert device.fill(records) == {CHARGED: 0, DISCHARGED: discharged}
    assert device.fill(records) == {CHARGED: 0, DISCHARGED: discharged}


def test_history_counts_where_nothing_contradicts_it() -> None:
    assert metered((0, -1200, None), (60, -1200, 60)).fill(every(5, -1200)) == {CHARGED: 1.2, DISCHARGED: 0}


def test_gap_over_midnight() -> None:
    """The history begins within it: what it does not tell of the change of the state of charge flowed before."""
    records = [(when, -1200.0) for when, _ in every(5, 0, end=120) if when >= at(60)]
    assert metered((0, 1200, 80), (120, -1200, 80)).fill(records) == {CHARGED: 1.2, DISCHARGED: 1.2}
    too_much = [(when, -9000.0) for when, _ in every(5, 0) if when >= at(12)]
    assert metered((0, 0, 80), (60, 0, 80)).fill(too_much) == {CHARGED: 0, DISCHARGED: 0}


@pytest.mark.parametrize(("soc", "discharged"), [(80, 3), (60, 4), (20, 6), (None, 0)])
def test_gap_beside_a_counter(soc: float | None, discharged: float) -> None:
    """What was charged and did not stay was discharged."""
    device = Device()
    for minutes, charged, level in ((0, 50.0, 80), (5, 50.0, 80), (125, 53.0, soc)):
        device.add(minutes, sample(0, level, energy_charged=charged))
    assert device.fill() == {CHARGED: 53, DISCHARGED: discharged}


# Whatever comes.

numbers = st.one_of(st.floats(), st.floats(-6000, 6000), st.floats(0, 100), st.sampled_from([0, FFFF, 5000, -1, "x"]))
steps = st.sampled_from([0, 5, 5, 5, 5, 60, 6000, -5, -600, 10**9, -(10**9)])


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[float, Values, Any]]:
    """Minutes, values with a counter that rises, is lost, shows nonsense or begins anew, and records."""
    counter, minutes = draw(st.floats(0, 6000)), 0
    found: list[tuple[float, Values, Any]] = []
    for _ in range(draw(st.integers(1, 20))):
        minutes += draw(steps)
        event = draw(st.sampled_from(["rise", "rise", "rise", "rise", "nonsense", "zero", "reset", "none"]))
        counter = draw(st.floats(0, 10)) if event == "reset" else counter + draw(st.floats(0, 2))
        value = {"zero": 0.0, "nonsense": draw(numbers), "none": None}.get(event, counter)
        values = sample(draw(numbers), draw(st.integers(0, 100) | numbers), energy_charged=value)
        records = draw(st.none() | st.lists(st.tuples(st.integers(-30, 400).map(at), st.floats())))
        found.append((minutes, values, records))
    return found


@settings(max_examples=100, deadline=None)
@given(histories())
def test_it_never_raises_and_never_falls(history: list[tuple[float, Values, Any]]) -> None:
    device = Device()
    for minutes, values, records in history:
        if -(10**9) <= minutes <= 4 * 10**9:
            device.add(minutes, values)
            if records is not None:
                device.fill(records)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.floats(0, 2e9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(json_values, st.randoms(use_true_random=False))
def test_any_memory(garbage: Any, chance: Random) -> None:
    """Garbage instead of it, and anywhere within."""
    before = metered((0, 1200, 80), (5, 1200, 80), (90, 1200, 60), (5, 1200, 60), (10, 1200, 60))
    for minutes in (95, 100, 105):
        before.add(minutes, sample(1200, pv_energy=minutes**2))
    root: Any = [json.loads(json.dumps(dump(before.energies)))]
    content = root
    while True:
        key = chance.choice(list(content) if isinstance(content, dict) else range(len(content)))
        if not isinstance(content[key], dict | list) or not content[key] or chance.random() < 0.2:
            break
        content = content[key]
    content[key] = garbage
    device = Device()
    with suppress(ValueError):
        device.energies, device.uninterrupted = load(Energies, root[0]), load(Energies, root[0])
    for minutes in (200, 205, 300):
        device.add(minutes, sample(1200, 50, pv_energy=minutes))
    device.fill([(at(250), 1200)])


# Against emulated batteries.

DAYS = 3
UPLOADS = [at(5 * number + 2) for number in range(DAYS * 288)]


def take(emulated: Storage, device: Device, now: datetime) -> datetime:
    """Read it, and return when the sample was taken."""
    truth: dict[str, Any] = emulated.truth(now)
    sampled_at = datetime.fromisoformat(truth["last_report"])
    device.add((sampled_at - START) / timedelta(minutes=1), sample(truth["power"], truth["soc"], truth["energy_rated"]))
    return sampled_at


def flown(emulated: Storage, start: datetime, end: datetime) -> tuple[float, float]:
    """The true integral, charged and discharged in kWh."""
    battery = emulated.battery
    between = since_epoch(battery, battery.local(end)).plus(since_epoch(battery, battery.local(start)), -1)
    return between.charged * emulated.kilowatt_hours, between.discharged * emulated.kilowatt_hours


def outages(chance: Random) -> Iterator[datetime]:
    """Upload times with a gap of up to six hours in every half day."""
    for half in range(0, len(UPLOADS), 144):
        length = chance.randint(3, 72)
        begin = half + chance.randint(1, 143 - length)
        yield from (*UPLOADS[half:begin], *UPLOADS[begin + length : half + 144])


@pytest.mark.parametrize(("name", "nth", "within"), [("powerhaus", 1, 0.01), ("dl5-3", 1, 0.01), ("dl5-3", 2, 0.02)])
def test_emulated_days(name: str, nth: int, within: float) -> None:
    (emulated,) = build(name)
    device = Device()
    first, *_, last = [take(emulated, device, now) for now in UPLOADS[::nth]]
    assert device.energies.gap is None
    assert device.totals == pytest.approx(flown(emulated, first, last), rel=within)
    assert min(device.totals) > emulated.energy_rated


@pytest.mark.parametrize("seed", range(2))
def test_emulated_gaps(seed: int) -> None:
    (emulated,) = build("dl5-3", seed=seed, utc_offset=timedelta(hours=6))  # half days begin at noon and midnight
    device, without, sampled, gaps = Device(), Device(), [], 0
    for now in outages(Random(seed)):  # noqa: S311
        sampled.append(take(emulated, device, now))
        take(emulated, without, now)
        without.fill()
        if device.energies.gap:
            gaps += 1
            told = samples(emulated.power_history(now), current_sign=-1)
            device.fill((at, power) for at, power, _ in told)
    charged, discharged = flown(emulated, sampled[0], sampled[-1])
    assert gaps == 2 * DAYS
    assert device.totals == pytest.approx((charged, discharged), rel=0.02)
    # Without it the difference is known only; the rounding of the state of charge does not add up.
    net = without.totals[0] - without.totals[1]
    assert net == pytest.approx(charged - discharged, abs=0.1 * emulated.energy_rated)
