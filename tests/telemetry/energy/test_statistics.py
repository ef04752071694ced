"""What hourly statistics lack after a gap: random gaps on a model of the recorder, and each rule by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
import os
from random import Random
from statistics import fmean, quantiles
from typing import Any

import pytest

from custom_components.dyness_atess.telemetry.energy.energies import METERED, Energies
from custom_components.dyness_atess.telemetry.energy.meter import Sample
from custom_components.dyness_atess.telemetry.energy.statistics import (
    HOUR,
    Gap,
    Gaps,
    Mean,
    Shown,
    Total,
    plan_means,
    plan_totals,
)
from custom_components.dyness_atess.telemetry.vocabulary import Key
from emulator.benchmark.recorder import Counted, Measured

from .restarts import restarted

SEQUENCES = int(os.environ.get("SEQUENCES", "30"))
"""Random sequences of gaps; more by hand."""
BEGIN = datetime(2026, 3, 23, tzinfo=UTC).timestamp()
STEP, PERIOD, DAY = 30, 300, 86400
CAPACITY = 15.0


class House:
    """Power (W, positive while discharging), state of charge (%) and what has flown (kWh), each STEP seconds."""

    def __init__(self, chance: Random, seconds: float) -> None:
        self.powers, self.socs, self.flown = list[float](), list[float](), [(0.0, 0.0)]
        soc, load, drift, until = chance.uniform(20, 90), 0.0, 0.0, 0.0
        for at in range(0, int(seconds) + STEP, STEP):
            if at >= until:
                until = at + chance.expovariate(1 / 3600)
                load = chance.choice((-1, 0, 1)) * min(chance.expovariate(1 / 1200), 4000)
            drift = max(min(drift + chance.gauss(0, 10), 200), -200)
            power = max(min(load + drift, 4000), -4000)
            if (soc >= 99 and power < 0) or (soc <= 11 and power > 0):
                power = 0.0
            charged, discharged = self.flown[-1]
            energy = abs(power) * STEP / 3.6e6
            self.powers.append(power)
            self.socs.append(soc)
            self.flown.append((charged + energy * (power < 0), discharged + energy * (power > 0)))
            soc -= power * STEP / 3.6e6 / CAPACITY * 100

    def power(self, at: float) -> float:
        return self.powers[int((at - BEGIN) // STEP)]

    def soc(self, at: float) -> float:
        return float(int(self.socs[int((at - BEGIN) // STEP)]))

    def energy(self, hour: float) -> tuple[float, float]:
        first, last = (self.flown[int((at - BEGIN) // STEP)] for at in (hour, hour + HOUR))
        return last[0] - first[0], last[1] - first[1]

    def mean(self, hour: float) -> float:
        return fmean(self.powers[int((hour - BEGIN) // STEP) : int((hour + HOUR - BEGIN) // STEP)])

    def history(self, now: float) -> tuple[float, list[tuple[float, float, float | None]]]:
        """The day so far; the newest record is empty as always."""
        day = now // DAY * DAY
        return day, [(at, self.power(at), self.soc(at)) for at in range(int(day), int(now // PERIOD * PERIOD), PERIOD)]


@dataclass
class Watched:
    """A house in a Home Assistant that has gaps, and what its recorder makes of it."""

    chance: Random
    house: House
    gaps: list[tuple[float, float, bool]]
    """From, until, and whether Home Assistant was stopped in it; else the cloud was away."""
    fills: bool = True
    power: Measured = field(default_factory=lambda: Measured(BEGIN))
    soc: Measured = field(default_factory=lambda: Measured(BEGIN))
    totals: tuple[Counted, Counted] = field(default_factory=lambda: (Counted(BEGIN), Counted(BEGIN)))
    known: Gaps = field(default_factory=Gaps)
    calls: int = 0

    @property
    def recorded(self) -> tuple[Any, ...]:
        return self.power, self.soc, *self.totals

    def run(self, end: float) -> None:
        energies, compiled, last = Energies(), 0.0, BEGIN
        phase = self.chance.uniform(0, PERIOD)
        for sampled in (BEGIN + phase + number * PERIOD for number in range(int((end - BEGIN) // PERIOD) - 1)):
            at = sampled + self.chance.uniform(20, 90)
            if any(start <= at < until for start, until, _ in self.gaps):
                continue
            stopped = max((until for start, until, stops in self.gaps if stops and last < start < at), default=last)
            # What was not running compiles afterwards, and stayed as it was until then.
            if at - last > 1800:
                for measured in (self.power, self.soc):
                    measured.show(max(last + 1800, stopped), None)
            compiled = self.compile(at, compiled, first=stopped)
            power, soc, last = self.house.power(sampled), self.house.soc(sampled), at
            values = {Key.POWER: power, Key.SOC: soc, Key.ENERGY_RATED: CAPACITY}
            told = energies.add(values, datetime.fromtimestamp(sampled, UTC), metered=True)
            self.power.show(at, power)
            self.soc.show(at, soc)
            self.show(at, told)
            self.known.note(self.shown(at, sampled, told))
            if self.known.is_open:
                day, records = self.house.history(at)
                self.calls += 1
                if energies.gap:
                    told = energies.fill((datetime.fromtimestamp(when, UTC), watts) for when, watts, _ in records)
                self.show(at + 3, told)
                self.known.close(self.shown(at + 3, sampled, told), day, records)
                self.known = restarted(self.known)
                compiled = min(compiled, at // HOUR * HOUR)
        self.compile(end, compiled, first=last)

    def show(self, at: float, told: dict[Key, Any]) -> None:
        for total, key in zip(self.totals, METERED, strict=True):
            total.show(at, told[key])

    def shown(self, at: float, sampled: float, told: dict[Key, Any]) -> Shown:
        sample = Sample(sampled, self.house.power(sampled), self.house.soc(sampled), CAPACITY)
        return Shown(at, sample, (told[METERED[0]], told[METERED[1]]))

    def compile(self, now: float, compiled: float, *, first: float) -> float:
        """Compile hour by hour, and complete after each, from the `first` moment on that anything runs."""
        for hour in range(int(max(compiled, BEGIN) // HOUR * HOUR), int(now), HOUR):
            end = min(hour + HOUR, now)
            for recorded in self.recorded:
                recorded.compile(end)
            if self.fills and end == hour + HOUR and end > first:
                self.complete(end)
        return now // HOUR * HOUR

    def complete(self, compiled: float) -> int:
        plan = self.plan(compiled)
        for recorded, rows in plan:
            recorded.complete(rows)
        return sum(len(rows) for _, rows in plan)

    def plan(self, compiled: float) -> list[tuple[Any, dict[int, Any]]]:
        closed = self.known.closed
        return [
            *(
                (total, plan_totals(closed, direction, total.hours, compiled))
                for direction, total in enumerate(self.totals)
            ),
            *(
                (
                    measured,
                    plan_means([(gap, getattr(gap, name)) for gap in closed], measured.hours, measured.fives, compiled),
                )
                for measured, name in ((self.power, "powers"), (self.soc, "socs"))
            ),
        ]


def gaps_of(chance: Random, begin: float, end: float) -> Iterator[tuple[float, float, bool]]:
    at = begin
    while True:
        start = at + chance.uniform(0.3, 8) * HOUR
        at = start + min(chance.expovariate(1 / 5), 20) * HOUR + 11 * 60
        if at > end:
            return
        yield start, at, chance.random() < 0.5


def watched(seed: int, *, fills: bool = True) -> tuple[Watched, float]:
    chance = Random(seed)  # noqa: S311
    end = BEGIN + 40 * HOUR
    house = House(chance, 41 * HOUR)
    gaps = list(gaps_of(chance, BEGIN + 2 * HOUR, end - 2 * HOUR))
    found = Watched(chance, house, gaps, fills)
    found.run(end)
    return found, end


@dataclass
class Figures:
    """Errors of hours: of both energies, in Wh, and of the mean power, in W."""

    energy: list[float] = field(default_factory=list)
    power: list[float] = field(default_factory=list)

    def add(self, found: Watched, hour: int) -> None:
        for direction, total in enumerate(found.totals):
            rise = total.hours[hour].sum - total.hours[hour - HOUR].sum
            self.energy.append(abs(rise - found.house.energy(hour)[direction]) * 1000)
        if row := found.power.hours.get(hour):
            self.power.append(abs(row.mean - found.house.mean(hour)))

    @property
    def of_95_percent(self) -> float:
        return quantiles(self.energy, n=20)[18]

    def __str__(self) -> str:
        energy = f"energies of {len(self.energy) // 2} hours, mean error {fmean(self.energy):.1f} Wh"
        return f"{energy}, 95 % within {self.of_95_percent:.0f} Wh; power {fmean(self.power):.1f} W"


def test_random_gaps() -> None:
    """Nothing is counted twice, no sum falls, nothing outside of the gaps changes, and a second plan is empty."""
    filled, live, unfilled = Figures(), Figures(), Figures()
    gaps = over_midnight = 0
    for seed in range(SEQUENCES):
        (found, end), (bare, _) = watched(seed), watched(seed, fills=False)
        closed = [gap for gap in found.known.closed if gap.before]
        gaps += len(found.gaps)
        over_midnight += sum(gap.left_at < gap.day for gap in closed)
        assert found.calls == len(found.gaps) + 1, "one call for each gap, and one for the first day"
        assert not any(rows for _, rows in found.plan(end))
        for total, other in zip(found.totals, bare.totals, strict=True):
            assert min(total.changes().values()) > -1e-9
            assert total.hours[max(total.hours)] == other.hours[max(other.hours)]
            assert {round(row.sum - row.state, 3) for row in total.hours.values()} <= {0.0, -0.0}
        for hour in range(int(BEGIN) + HOUR, int(end), HOUR):
            # A gap of what is shown begins with the last value before it, and samples are older than they are shown.
            inside = [gap for gap in found.gaps if gap[0] - 400 < hour + HOUR and gap[1] + 400 > hour]
            is_covered = all(
                any(gap.left_at <= start and gap.returned_at >= until and gap.left_at >= gap.day for gap in closed)
                for start, until, _ in inside
            )
            if inside and is_covered:
                filled.add(found, hour)
                unfilled.add(bare, hour)
            elif not inside and not any(gap[0] < hour < gap[1] + 2 * HOUR for gap in found.gaps):
                live.add(found, hour)
                for mine, other in zip(found.recorded, bare.recorded, strict=True):
                    assert mine.hours[hour] == other.hours[hour]
    print(f"\n{SEQUENCES} sequences, {gaps} gaps, {over_midnight} of them over midnight")  # noqa: T201
    print(f"filled: {filled}\nlive: {live}\nunfilled: {unfilled}")  # noqa: T201
    assert fmean(filled.energy) <= min(25, fmean(live.energy))
    assert filled.of_95_percent <= min(150, live.of_95_percent)
    assert fmean(filled.power) <= fmean(live.power)
    assert fmean(unfilled.energy) > 10 * fmean(filled.energy)


NOON = BEGIN + 12 * HOUR
HELD = Total(100.0, 7.0)
ROWS = {BEGIN + hour * HOUR: HELD for hour in range(7, 11)} | {BEGIN + 11 * HOUR: Total(104.5, 11.5)}
"""Held since before a gap: 100 kWh when the sum was 7."""


def shown(at: float, charged: float | None, *, power: float = -1000, soc: float | None = 50) -> Shown:
    return Shown(at, Sample(at - 40, power, soc, None), (charged, 0.0))


def gap_of(
    *, since: float = NOON - 3.6 * HOUR, until: float = NOON - 0.4 * HOUR, charged: float = 103.2, **fields: Any
) -> Gap:
    """3.2 hours of 1 kW, from 08:24 to 11:36."""
    records = [Sample(at, -1000.0, 50.0, None) for at in range(int(BEGIN), int(until), PERIOD) if at > since - 40]
    known: dict[str, Any] = {
        "before": shown(since, 100.0),
        "returned_at": until,
        "after": shown(until, charged),
        "day": BEGIN,
        "records": tuple(records),
    }
    return Gap(**(known | fields))


def changes(rows: dict[int, Total], before: float = 100.0) -> dict[int, float]:
    """What each row is above the one before it, by the hour of the day."""
    states = [before, *(row.state for row in rows.values())]
    return {
        round((hour - BEGIN) / HOUR): round(after - earlier, 2)
        for hour, earlier, after in zip(rows, states, states[1:], strict=False)
    }


def test_a_gap_of_three_hours() -> None:
    """Both ends too: the hour in which it begins, and the sum at the beginning of that in which it ends."""
    found = plan_totals([gap_of()], 0, ROWS, NOON)
    assert changes(found) == {8: 0.61, 9: 1.0, 10: 1.0}
    assert {round(row.state - row.sum, 6) for row in found.values()} == {93.0}
    assert not plan_totals([gap_of()], 0, ROWS | found, NOON)
    assert not plan_totals([gap_of()], 1, ROWS, NOON), "nothing was discharged"
    assert changes(plan_totals([gap_of()], 0, ROWS, NOON - 2 * HOUR)) == {8: 0.61, 9: 1.0}, "10:00 is not compiled yet"


def test_hours_without_rows() -> None:
    rows = {hour: row for hour, row in ROWS.items() if hour < BEGIN + 8 * HOUR}
    assert changes(plan_totals([gap_of()], 0, rows, NOON)) == {8: 0.61, 9: 1.0, 10: 1.0}


def test_an_hour_that_was_measured() -> None:
    rows = ROWS | {BEGIN + 9 * HOUR: Total(100.5, 7.5)}
    assert BEGIN + 9 * HOUR not in plan_totals([gap_of()], 0, rows, NOON)


def test_a_total_that_rises_late() -> None:
    """No row stands above those that come after it, or they would fall."""
    rows = ROWS | {BEGIN + 11 * HOUR: Total(100.7, 7.7)}
    assert max(row.sum for row in plan_totals([gap_of()], 0, rows, NOON).values()) == pytest.approx(7.7)


def test_a_counter_in_steps() -> None:
    """What is shown stays the truth; the history tells when."""
    assert changes(plan_totals([gap_of(charged=104.0)], 0, ROWS, NOON)) == {8: 0.76, 9: 1.25, 10: 1.25}


@pytest.mark.parametrize("change", [{"charged": 100.0}, {"charged": 99.0}, {"before": None}, {"records": ()}])
def test_nothing_to_tell(change: dict[str, Any]) -> None:
    assert not plan_totals([gap_of(**change)], 0, ROWS, NOON)


def test_sums_that_begin_anew() -> None:
    assert not plan_totals([gap_of()], 0, {NOON - HOUR: Total(0.0, 0.0)}, NOON)


def test_midnight_inside() -> None:
    """The history begins there; what it does not tell has flown before, and stands in the last hour of that day."""
    evening = BEGIN - 3.5 * HOUR
    rows = {BEGIN + hour * HOUR: HELD for hour in range(-5, 2)}
    gap = gap_of(since=evening, until=BEGIN + 2.5 * HOUR, charged=105.0)
    assert changes(plan_totals([gap], 0, rows, NOON)) == {-1: 2.51, 0: 1.0, 1: 1.0}
    assert min(plan_means([(gap, gap.powers)], {}, {}, NOON)) == BEGIN


def test_means() -> None:
    """Hours of the gap are those of the history; in both hours at its ends what was measured counts."""
    gap = gap_of()
    held = Mean(-500.0, -500.0, -500.0)
    hours = {BEGIN + hour * HOUR: held for hour in range(7, 12)}
    fives = dict.fromkeys(range(int(BEGIN) + 7 * HOUR, int(NOON), PERIOD), held)
    found = plan_means([(gap, gap.powers)], hours, fives, NOON)
    told = Mean(-1000.0, -1000.0, -1000.0)
    assert found[int(BEGIN) + 9 * HOUR] == found[int(BEGIN) + 10 * HOUR] == told
    assert found[int(BEGIN) + 8 * HOUR] == Mean(pytest.approx((5 * -500 + 7 * -1000) / 12, abs=0.1), -1000, -500)
    assert found[int(BEGIN) + 11 * HOUR] == Mean(pytest.approx((4 * -500 + 8 * -1000) / 12, abs=0.1), -1000, -500)
    assert len(found) == 4
    assert not plan_means([(gap, gap.powers)], hours | found, fives, NOON)
    measured = {BEGIN + 9 * HOUR: Mean(-500.0, -700.0, -300.0)}
    assert int(BEGIN) + 9 * HOUR not in plan_means([(gap, gap.powers)], hours | measured, fives, NOON)


def test_two_gaps_in_one_hour() -> None:
    first = gap_of(since=BEGIN + 8.2 * HOUR, until=BEGIN + 9.2 * HOUR, charged=101.0)
    second = gap_of(
        since=BEGIN + 9.6 * HOUR, until=BEGIN + 10.6 * HOUR, charged=102.4, before=shown(BEGIN + 9.6 * HOUR, 101.4)
    )
    fives = dict.fromkeys(range(int(BEGIN) + 7 * HOUR, int(NOON), PERIOD), Mean(-400.0, -400.0, -400.0))
    gaps = [(gap, gap.powers) for gap in (first, second)]
    found = plan_means(gaps, {}, fives, NOON)
    assert found[int(BEGIN) + 9 * HOUR].mean == pytest.approx((5 * -400 + 7 * -1000) / 12, abs=0.1)
    assert not plan_means(gaps, found, fives, NOON)


@pytest.mark.parametrize("socs", [[None] * 50, [50, 50, 50, 90], [99]])
def test_states_of_charge_of_another_time(socs: list[float | None]) -> None:
    """What is missing, jumps or is not that of the samples is not shown; power is."""
    gap = gap_of()
    records = tuple(record._replace(soc=socs[number % len(socs)]) for number, record in enumerate(gap.records))
    gap = gap_of(records=records)
    assert gap.powers
    assert not gap.socs


def test_contradicted_by_the_state_of_charge() -> None:
    after = shown(NOON - 0.4 * HOUR, 103.2, soc=50)
    gap = gap_of(after=after._replace(sample=after.sample._replace(capacity=5.0)))
    assert not gap.samples, "3.2 kWh of 5 are 64 %, not 0"


def test_a_history_that_never_comes() -> None:
    known = Gaps()
    for minutes in range(0, 26 * 60, 5):
        known.note(shown(BEGIN + minutes * 60, 100.0))
        known = restarted(known)
        assert known.is_open is (minutes <= 24 * 60)


def test_few_gaps_are_kept() -> None:
    known = Gaps()
    for number in range(60):
        at = BEGIN + (number + 2) * 1200
        known.note(shown(at, 100.0 + number))
        records = [(when, -1000.0, 50.0) for when in range(int(BEGIN), int(at), PERIOD)]
        known.close(shown(at, 100.0 + number), BEGIN, records)
        assert not known.is_open
    assert len(known.closed) == 12
    known.note(shown(NOON + 2 * DAY, 200.0))
    known.close(shown(NOON + 2 * DAY, 200.0), BEGIN + 2 * DAY, [])
    assert not known.closed
