"""When a device is asked: its rhythm, its retries, and the pace of modules, in simulated hours."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from hypothesis import given, strategies as st
import pytest

from custom_components.dyness_atess.account.schedule import PERIOD, Pace, Retries, Rhythm

HOUR = 3600.0
START = 1_780_000_000.0
ANSWER = 0.4
"""Seconds that a call takes."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A sample, and from when on it can be read."""

    sampled_at: float
    arrives_at: float


type Gap = Callable[[Random], float]


def uploads(
    *, phase: float = 0, hours: float = 6, gap: Gap = lambda _: PERIOD, latency: Gap = lambda _: 30.0, seed: int = 0
) -> list[Upload]:
    random, time, made = Random(seed), START + phase - PERIOD, []  # noqa: S311
    while time < START + hours * HOUR:
        made.append(Upload(sampled_at=time, arrives_at=time + latency(random)))
        time += gap(random)
    return made


def asked(made: list[Upload], hours: float = 6, *, clock: float = 0) -> list[tuple[float, Upload]]:
    """Follow a device whose clock is `clock` seconds ahead; return when it was asked, and what it answered."""
    rhythm, now, asks = Rhythm(), max(START, made[0].arrives_at), []
    while now < START + hours * HOUR:
        newest = max((upload for upload in made if upload.arrives_at <= now), key=lambda upload: upload.sampled_at)
        asks.append((now, newest))
        now += rhythm.answered(newest.sampled_at + clock, now) + ANSWER
    return asks


def ages(reads: list[tuple[float, Upload]], begin: float, end: float) -> tuple[float, float]:
    """Return the mean and the 95th percentile of the age of what is shown, second by second."""
    every_second = sorted(
        second - upload.sampled_at
        for (at, upload), (until, _) in pairwise([*reads, (end, reads[-1][1])])
        for second in range(int(max(at, begin)), int(min(until, end)))
    )
    return sum(every_second) / len(every_second), every_second[int(0.95 * len(every_second))]


def figures(made: list[Upload], *, begin: float = 0, hours: float = 6, clock: float = 0) -> tuple[float, float, float]:
    """Return mean and 95th percentile of the age as multiples of the least possible, and the calls per upload."""
    asks = asked(made, hours, clock=clock)
    begin, end = START + begin * HOUR, START + hours * HOUR
    mean, high = ages(asks, begin, end)
    least_mean, least_high = ages([(upload.arrives_at, upload) for upload in made], begin, end)
    count = sum(begin <= upload.arrives_at < end for upload in made)
    return mean / least_mean, high / least_high, sum(at >= begin for at, _ in asks) / count


def late(random: Random) -> float:
    return random.uniform(20, 40)


def jittering(random: Random) -> float:
    return PERIOD + random.uniform(-40, 40)


@pytest.mark.parametrize("phase", [PERIOD / 8 * eighth for eighth in range(8)])
@pytest.mark.parametrize(("gap", "latency"), [(PERIOD, None), (PERIOD, late), (303.0, None)])
def test_as_fresh_as_can_be_in_every_phase(phase: float, gap: float, latency: Gap | None) -> None:
    made = uploads(phase=phase, gap=lambda _: gap, latency=latency or (lambda _: 30.0), seed=int(phase))
    mean, high, calls = figures(made)
    assert mean <= 1.065
    assert high <= 1.05
    assert calls <= 1.2


def test_jitter_costs_neither_much_age_nor_many_calls() -> None:
    each = [figures(uploads(phase=PERIOD / 8 * eighth, gap=jittering, seed=eighth)) for eighth in range(8)]
    mean, _, calls = (sum(column) / len(each) for column in zip(*each, strict=True))
    assert mean <= 1.25
    assert calls <= 1.35
    assert max(figure[0] for figure in each) <= 1.3


@pytest.mark.parametrize("latency", [None, late])
@pytest.mark.parametrize("clock", [-10800, -660, -100, -45, -20, 20, 45, 100, 200, 660, 10800])
def test_a_clock_that_is_wrong_costs_no_more_than_some_hours_of_learning(clock: float, latency: Gap | None) -> None:
    made = uploads(phase=100, hours=6, latency=latency or (lambda _: 30.0))
    mean, _, calls = figures(made, begin=3, clock=clock)
    assert mean <= 1.07
    assert calls <= 1.25
    assert figures(made, clock=clock)[0] <= 1.35  # over all hours; blind polling every five minutes has 1.8


@pytest.mark.parametrize(("period", "learned_after"), [(60.0, 1), (180.0, 1), (600.0, 4), (900.0, 6), (1200.0, 12)])
def test_another_period_is_learned(period: float, learned_after: float) -> None:
    hours = learned_after + 6
    made = uploads(gap=lambda _: period, hours=hours)
    mean, _, calls = figures(made, begin=learned_after, hours=hours)
    assert mean <= 1.14
    assert calls <= 1.3


def test_the_first_answer_locks() -> None:
    """Nothing has to be learned, and nothing stored, for the second ask to come just after the second sample."""
    for age in range(5, 330, 5):
        wait = Rhythm().answered(START - age, START)
        assert (START + wait - (START - age)) % PERIOD == pytest.approx(30)
        assert 5 <= wait <= 1.5 * PERIOD


@pytest.mark.parametrize("lost", [1, 2, 3, 36])
def test_a_gap_changes_little(lost: int) -> None:
    """A lost upload or hours without one: asked once per period meanwhile, and in time again when they come."""
    made = uploads(hours=8)
    made = made[:30] + made[30 + lost :]
    asks = asked(made, hours=8)
    gap_begins, gap_ends = made[29].arrives_at + PERIOD, made[30].arrives_at
    assert sum(gap_begins <= at < gap_ends for at, _ in asks) <= lost + 3
    found = {upload.sampled_at: at for at, upload in reversed(asks)}
    assert all(found[upload.sampled_at] - upload.arrives_at < 15 for upload in made[31:-1])


@pytest.mark.parametrize("minutes", [4, 180])
def test_an_outage_of_ours_teaches_nothing(minutes: float) -> None:
    """Nobody asked meanwhile, so that the first answer afterwards comes after its time."""
    rhythm, now = Rhythm(), START + 30
    for _ in range(5):
        now += rhythm.answered(START + (now - 30 - START) // PERIOD * PERIOD, now)
    learned = replace(rhythm)
    now += minutes * 60
    wait = rhythm.answered(START + (now - 30 - START) // PERIOD * PERIOD, now)
    assert (now + wait - START) % PERIOD == pytest.approx(30, abs=10)
    assert rhythm.period == pytest.approx(learned.period, abs=1)
    assert abs(rhythm.delay - learned.delay) <= 1


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=40))
def test_asks_by_hand_teach_nothing(moments: list[float]) -> None:
    """However often somebody asks before the time: neither the delay changes nor the time itself."""
    rhythm = Rhythm()
    due = START + 40 + rhythm.answered(START, START + 40)
    now = START + 40
    for moment in moments:
        now += (due - 6 - now) * moment
        assert now + rhythm.answered(START, now) == pytest.approx(due)
    assert (rhythm.period, rhythm.delay) == (PERIOD, 30.0)


@given(
    st.lists(
        st.tuples(st.none() | st.floats(-1e5, 1e12) | st.floats(START - 1e4, START + 1e4), st.floats(0, 1e5)),
        max_size=30,
    )
)
def test_whatever_a_device_says_of_the_time_it_is_asked_again(story: list[tuple[float | None, float]]) -> None:
    rhythm, now = Rhythm(), START
    for sampled_at, later in story:
        now += later
        assert 5 <= rhythm.answered(sampled_at, now) <= 1.5 * 1800 + 5


def test_a_device_that_has_always_a_new_sample_is_not_asked_for_ever_more_often() -> None:
    rhythm, now, asks = Rhythm(), START, 0
    while now < START + 200 * HOUR:
        now += rhythm.answered(now, now)
        asks += 1
    assert asks <= 200 * 60


@pytest.mark.parametrize(
    ("outage", "back_within", "calls_below"), [(299.0, 70.0, 8), (HOUR, 300.0, 20), (6 * HOUR, 300.0, 80)]
)
def test_retries(outage: float, back_within: float, calls_below: int) -> None:
    retries, now = Retries(), START
    asks = [now]
    while now < START + outage:
        now += retries.failed(now)
        asks.append(now)
    assert asks[1] - asks[0] == 10
    assert now - (START + outage) <= back_within
    assert len(asks) - 1 < calls_below
    assert retries.failed(asks[0] + 7 * HOUR) == 1800
    retries.succeeded()
    assert retries.failed(now) == 10


@given(wanted=st.integers(0, 128), calls=st.floats(0, 500), gaps=st.lists(st.floats(1, 2000), min_size=2, max_size=60))
def test_pace(wanted: int, calls: float, gaps: list[float]) -> None:
    """Never more than are wanted, than there are calls for; and no call is left unused while modules wait."""
    pace, now, taken = Pace(), START, []
    for gap in gaps:
        now += gap
        taken.append(pace.take(wanted, calls, now))
        assert taken[-1] <= wanted
    allowed = calls * (sum(gaps[1:]) + PERIOD) / HOUR
    assert sum(taken) <= allowed + 1
    if max(taken) < wanted:
        assert sum(taken) >= allowed - max(1, allowed * 0.02)
