"""Solar panels, a battery and a load behind one PBD, as a pure function of time.

As in `battery.py` every day starts at dawn with the battery at its reserve, because a night always takes more than it
holds. The days repeat after CYCLE of them, so that even the lifetime totals take no more than one cycle to know.
"""

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import accumulate
from random import Random

from ..dyness.battery import DAWN, DAY, consumption, sunshine

CYCLE = 16
"""days"""
STEP = 300
"""s"""
STEPS = DAY // STEP
ASLEEP = 0.3
"""kW; below that the converter does not start"""
TAPER = ((0, 0.5), (95, 0.3), (98, 0.1), (100, 0.0))
"""Charge limit in C from a state of charge in % on"""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Powers in kW. They hold for one step, in which the state of charge moves in a straight line."""

    available: float
    """what the panels could give"""
    pv: float
    battery: float
    """positive while discharging"""
    output: float
    soc: float
    """%"""
    charge_limit: float
    """C"""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Energies in kWh and times in hours, since EPOCH or of a part of it."""

    pv_energy: float = 0.0
    energy_charged: float = 0.0
    energy_discharged: float = 0.0
    output_energy: float = 0.0
    pv_time: float = 0.0
    charge_time: float = 0.0
    discharge_time: float = 0.0

    def plus(self, other: Totals, times: float = 1) -> Totals:
        """Add `other`, `times` times."""
        return Totals(
            **{field.name: getattr(self, field.name) + getattr(other, field.name) * times for field in fields(Totals)}
        )


@dataclass(frozen=True, kw_only=True)
class Plant:
    """What is installed. All times are seconds of plant-local time since EPOCH."""

    seed: int
    peak: float
    """kW"""
    capacity: float
    """kWh"""
    reserve: float = 10.0
    """%"""
    storage: bool = True

    def flow(self, local: float) -> Flow:
        """Give the powers and the state of charge at a time."""
        _, day, step, elapsed = _place(local)
        flow = _days(self)[day][step]
        return replace(flow, soc=round(flow.soc - 100 * flow.battery * elapsed / self.capacity, 6))

    def totals(self, local: float) -> Totals:
        """Give the totals from EPOCH to a time."""
        cycle, day, step, elapsed = _place(local)
        whole = Totals().plus(_sums(self)[-1][-1], cycle)
        return whole.plus(_sums(self)[day][step]).plus(_rates(_days(self)[day][step]), elapsed)


def _place(local: float) -> tuple[int, int, int, float]:
    """Split a time into cycle, day of it, step of that, and the hours since that step began."""
    day, second = divmod(local - DAWN, DAY)
    cycle, day = divmod(int(day), CYCLE)
    step = min(int(second // STEP), STEPS - 1)
    return cycle, day, step, (second - step * STEP) / 3600


def _rates(flow: Flow) -> Totals:
    """What an hour of `flow` adds."""
    return Totals(
        pv_energy=flow.pv,
        energy_charged=max(-flow.battery, 0),
        energy_discharged=max(flow.battery, 0),
        output_energy=flow.output,
        pv_time=float(flow.pv > 0),
        charge_time=float(flow.battery < 0),
        discharge_time=float(flow.battery > 0),
    )


@lru_cache(maxsize=16)
def _days(plant: Plant) -> tuple[tuple[Flow, ...], ...]:
    """Simulate a cycle of days, each from dawn to dawn."""
    return tuple(_day(plant, day) for day in range(CYCLE))


@lru_cache(maxsize=16)
def _sums(plant: Plant) -> tuple[tuple[Totals, ...], ...]:
    """Totals from the beginning of the cycle to that of every step; those of the last day end with the whole cycle."""
    flat = [flow for day in _days(plant) for flow in day]
    sums = tuple(accumulate(flat, lambda total, flow: total.plus(_rates(flow), STEP / 3600), initial=Totals()))
    return tuple(sums[day * STEPS : (day + 1) * STEPS + (day == CYCLE - 1)] for day in range(CYCLE))


def _day(plant: Plant, day: int) -> tuple[Flow, ...]:
    chance = Random(f"{plant.seed}/{day}")
    weather = chance.uniform(0.35, 1.0)
    percent = 100 * STEP / 3600 / plant.capacity
    """what a kW makes of the state of charge in one step"""
    soc, flows = plant.reserve, []
    for step in range(STEPS):
        hour = ((DAWN + step * STEP) / 3600) % 24
        available = round(plant.peak * sunshine(hour) / sunshine(13) * weather * chance.uniform(0.75, 1.0), 6)
        if available < ASLEEP:
            available = 0.0
        load = round(plant.capacity * consumption(hour) * chance.uniform(0.8, 1.2), 6)
        limit = next(limit for start, limit in reversed(TAPER) if soc >= start)
        charge = min(available - load, limit * plant.capacity, (100 - soc) / percent)
        charge = round(max(charge, (plant.reserve - soc) / percent) * plant.storage, 6)
        pv = round(min(available, load + charge), 6)
        output = round(pv - charge, 6)
        flows.append(Flow(available=available, pv=pv, battery=0.0 - charge, output=output, soc=soc, charge_limit=limit))
        soc = min(max(round(soc + charge * percent, 6), plant.reserve), 100.0)
    return tuple(flows)
