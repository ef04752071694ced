"""What hourly statistics lack after a gap: random gaps on a model of the recorder, and each rule by itself."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
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

SEQUENCES = int(os.environ.get("SEQUENCES", "60"))
"""Random sequences of gaps; 1,000 were run once for the figures of `docs/energy.md`."""
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
                self.known = Gaps(json.loads(json.dumps(self.known.memory)))
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
            for recorded in (self.power, self.soc, *self.totals):
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
                for mine, other in zip((found.power, found.soc, *found.totals), (bare.power, bare.soc, *bare.totals)):
                    assert mine.hours[hour] == other.hours[hour]
    print(f"\n{SEQUENCES} sequences, {gaps} gaps, {over_midnight} of them over midnight")
    print(f"filled: {filled}\nlive: {live}\nunfilled: {unfilled}")
    assert fmean(filled.energy) <= min(25, fmean(live.energy))
    assert filled.of_95_percent <= min(150, live.of_95_percent)
    assert fmean(filled.power) <= fmean(live.power)
    assert fmean(unfilled.energy) > 10 * fmean(filled.energy)
