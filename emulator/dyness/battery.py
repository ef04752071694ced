"""A battery in a house with solar panels, as a pure function of time.

Everything is in units of the battery (% and C rate, 1 C = capacity per hour), so that a model of any size can use it.
Every day starts at dawn with the battery at its reserve, because a night always takes more than the battery holds.
So the state at any time takes the simulation of one day, however long the battery is watched. The days repeat after
CYCLE of them, so that even what has flown since EPOCH takes no more than one cycle to know (`throughput.py`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
import math
from random import Random
from typing import NamedTuple

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86400
DAWN = 6 * 3600
MINUTES = 1440
CYCLE = 16
"""days"""
NOISE_MINUTES = 10
USES = 20
"""of appliances in a day"""

type Taper = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class BatteryState:
    """A moment of the battery. Charging is positive, as in the vendor's raw data (dyness-api 6.1, point 700)."""

    soc: float
    """%"""
    rate: float
    """C, as the limit (0 when full), what the panels give and what the house takes"""
    charge_limit: float
    hour: float
    """of the emulated plant-local day"""
    solar: float = 0.0
    load: float = 0.0
    rested: float = 0.0
    """hours since a current has flown"""
    last_rate: float = 0.0
    """C that flew before the rest"""


class Minute(NamedTuple):
    """A minute of a simulated day. All but the state of charge (%, at its start) is in C and constant."""

    soc: float
    rate: float
    solar: float
    load: float
    rested: float
    """hours at its start"""
    last_rate: float


@dataclass(frozen=True, kw_only=True)
class Battery:
    """How the battery is used. `taper` gives the charge limit in C from a state of charge in % on.

    `appliances` is what the largest of those takes that come and go within minutes, in C.
    """

    seed: int = 0
    speed: float = 1.0
    utc_offset: timedelta = timedelta(hours=1)
    reserve: float = 10.0
    taper: Taper = ((0, 0.5), (95, 0.3), (98, 0.1), (100, 0.0))
    appliances: float = 0.0

    def local(self, now: datetime) -> float:
        """Give emulated plant-local seconds since EPOCH; emulated time runs `speed` times as fast."""
        return (now - EPOCH).total_seconds() * self.speed + self.utc_offset.total_seconds()

    def day(self, number: int) -> tuple[Minute, ...]:
        """Give the minutes from one dawn to the next."""
        return _day(self.seed, self.reserve, self.taper, self.appliances, number % CYCLE)

    def at(self, now: datetime) -> BatteryState:
        """Give the state at `now`."""
        local = self.local(now)
        day, index, part = split(local)
        minute = self.day(day)[index]
        soc = round(minute.soc + minute.rate * 100 / 60 * part, 9)
        return BatteryState(
            soc=soc,
            rate=minute.rate,
            charge_limit=_charge_limit(self.taper, soc),
            hour=local % DAY / 3600,
            solar=minute.solar,
            load=minute.load,
            rested=0.0 if minute.rate else minute.rested + part / 60,
            last_rate=minute.last_rate,
        )

    def full_charges(self, local: float) -> int:
        """Count the days since EPOCH on which it has become full, up to the dawn before a plant-local time."""
        cycle, day = divmod(split(local)[0], CYCLE)
        full = [_is_filled(self.seed, self.reserve, self.taper, self.appliances, number) for number in range(CYCLE)]
        return cycle * sum(full) + sum(full[:day])


def split(local: float) -> tuple[int, int, float]:
    """Tell the day that began at dawn, the minute of it, and the part of the minute that has passed."""
    day, second = divmod(local - DAWN, DAY)
    minute, part = divmod(second / 60, 1)
    return int(day), min(int(minute), MINUTES - 1), part


@lru_cache(maxsize=64)
def _day(seed: int, reserve: float, taper: Taper, appliances: float, day: int) -> tuple[Minute, ...]:
    """Simulate from dawn to dawn."""
    chance = Random(f"{seed}/{day}")
    weather = chance.uniform(0.35, 1.0)
    clouds = _noise(chance, 0.75, 1.0)
    habits = _noise(chance, 0.8, 1.2)
    used = _uses(chance, appliances)
    soc, rested, last_rate, minutes = reserve, 3.0, -0.05, []
    for minute in range(MINUTES):
        hour = (DAWN / 3600 + minute / 60) % 24
        solar = sunshine(hour) * weather * clouds[minute]
        load = consumption(hour) * habits[minute] + used[minute]
        rate = min(solar - load, _charge_limit(taper, soc), (100 - soc) * 0.6)
        rate = max(rate, (reserve - soc) * 0.6)
        minutes.append(Minute(soc, rate, solar, load, rested, last_rate))
        soc = round(soc + rate / 0.6, 9)
        rested, last_rate = (0.0, rate) if rate else (rested + 1 / 60, last_rate)
    return tuple(minutes)


@lru_cache(maxsize=64)
def _is_filled(seed: int, reserve: float, taper: Taper, appliances: float, day: int) -> bool:
    return any(minute.soc >= 100 for minute in _day(seed, reserve, taper, appliances, day))


def sunshine(hour: float) -> float:
    """Solar power of a clear day in C."""
    height: float = math.sin(math.pi * (hour - 6.5) / 13) if 6.5 < hour < 19.5 else 0.0
    return 0.55 * float(height**1.3)


def consumption(hour: float) -> float:
    """What the house takes in C: little by night, a breakfast, a long evening."""
    curve = ((0, 0.055), (6, 0.05), (7, 0.1), (9, 0.06), (17, 0.07), (19, 0.16), (21.5, 0.15), (23, 0.07), (24, 0.055))
    return interpolate(curve, hour)


def interpolate(curve: tuple[tuple[float, float], ...], x: float) -> float:
    """Read a value off a curve of straight pieces."""
    for (left, low), (right, high) in pairwise(curve):
        if x <= right:
            return low + (high - low) * (x - left) / (right - left)
    return curve[-1][1]


def _charge_limit(taper: Taper, soc: float) -> float:
    return next(limit for start, limit in reversed(taper) if soc >= start)


def _noise(chance: Random, low: float, high: float) -> list[float]:
    """A factor per minute that wanders between `low` and `high`."""
    knots = [chance.uniform(low, high) for _ in range(MINUTES // NOISE_MINUTES + 1)]
    return [
        left + (right - left) * step / NOISE_MINUTES for left, right in pairwise(knots) for step in range(NOISE_MINUTES)
    ]


def _uses(chance: Random, largest: float) -> list[float]:
    """What kettle, oven and washing machine take in each minute: mostly minutes, at times an hour, none by night."""
    used = [0.0] * MINUTES
    for _ in range(USES if largest else 0):
        begin, minutes = chance.randrange(MINUTES * 2 // 3), min(round(2 + chance.expovariate(1 / 12)), 60)
        power = largest * chance.uniform(0.3, 1)
        used[begin : begin + minutes] = [other + power for other in used[begin : begin + minutes]]
    return used
