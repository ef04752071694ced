"""Lithium iron phosphate cells: voltages and temperatures that belong to a state of a battery."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
import math
from random import Random

from .battery import EPOCH, Battery, BatteryState, interpolate

# Open circuit voltage (V) over state of charge (%), of a LithiumWerks cell at C/32 (battery-health 1). Above PLATEAU
# the knee is what counts.
LFP_CURVE = (
    (0, 2.010),
    (1, 2.702),
    (2, 2.864),
    (3, 2.956),
    (5, 3.072),
    (7.5, 3.164),
    (10, 3.203),
    (15, 3.216),
    (20, 3.241),
    (25, 3.262),
    (30, 3.278),
    (40, 3.295),
    (50, 3.299),
    (60, 3.303),
    (65, 3.307),
    (70, 3.316),
    (78, 3.333),
)
CHARGING, DISCHARGING = 0.019, -0.008
"""V of hysteresis"""
RESISTANCE, KINK, RESISTANCE_BEYOND = 0.35, 0.1, 0.1
"""V per C up to that many C, and beyond them"""
KNEE, STEEPNESS, KNEE_AT = 0.098, 3.7, 99.7
"""V, per %, %"""
FULL_AT = 99.82
"""% that the fullest cell has when the battery is full: then it has 3.50 V, or more at a large current"""
SPREAD = 0.0025
"""V per unit by which a cell differs from the others"""
BEHIND = 0.2
"""% by which ordinary cells are behind the fullest at most"""
BALANCED_TO = 0.1
"""%; below this difference the management system does not balance: it is 30 mV at the top"""
WEEK = 7 * 86400


@dataclass(frozen=True, kw_only=True)
class OddCell:
    """A cell that is unlike the others: weak (`capacity` below 1), fuller, or leaking (`drift` below 0).

    At the top it is `ahead` % of the fullest ordinary cell, and each week since `since` by `drift` % more. Each full
    charge takes `balanced` % of that away.
    """

    module: int = 1
    cell: int = 1
    capacity: float = 1.0
    ahead: float = 0.0
    drift: float = 0.0
    since: datetime = EPOCH
    balanced: float = 0.07

    def lead(self, battery: Battery, now: datetime) -> float:
        """Give by how much it is ahead, in %."""
        local, since = battery.local(now), battery.local(self.since)
        apart = self.ahead + self.drift * (local - since) / WEEK
        charges = battery.full_charges(local) - battery.full_charges(since) if self.balanced else 0
        left = max(abs(apart) - self.balanced * charges, min(abs(apart), BALANCED_TO))
        return math.copysign(left, apart)


type Leads = Mapping[int, tuple[float, float]]
"""By the number of an odd cell of a module: its lead in %, and its capacity as a share of the others'."""


def cell_voltages(
    state: BatteryState, count: int, seed: int, odd: Leads | None = None, lead: float = 0.0
) -> list[float]:
    """Voltages in V, to the mV. `lead` is that of the fullest cell of the battery, with which the charge ends."""
    voltages = []
    for number, spread in enumerate(_spreads(count, seed), 1):
        ahead, capacity = (odd or {}).get(number, ((spread / 0.4 - 1) / 2 * BEHIND, 1.0))
        own_soc = FULL_AT - (100 - state.soc) / capacity + ahead - lead
        voltages.append(round(_cell_voltage(own_soc, state) + spread * (SPREAD + state.rate / 200), 3))
    return voltages


def mean_voltage(soc: float, rate: float) -> float:
    """Voltage in V of a cell in the middle of the others, while the current flows."""
    return _cell_voltage(FULL_AT - 100 + soc - BEHIND / 2, BatteryState(soc=soc, rate=rate, charge_limit=0, hour=0))


def _cell_voltage(own_soc: float, state: BatteryState) -> float:
    """Add up what a cell has. At rest, what is above its open circuit loses a tenth in 5 minutes and 8 % an hour."""
    relaxed = 1 - 1.2 * state.rested if state.rested < 1 / 12 else 0.9 * 0.92 ** (state.rested - 1 / 12)
    flowing = state.rate or state.last_rate
    hysteresis = CHARGING if flowing > 0 else DISCHARGING if flowing < 0 else 0.0
    knee = KNEE * math.exp(STEEPNESS * (own_soc - KNEE_AT))
    size = abs(state.rate)
    polarisation = math.copysign(RESISTANCE * min(size, KINK) + RESISTANCE_BEYOND * max(size - KINK, 0), state.rate)
    return interpolate(LFP_CURVE, max(own_soc, 0)) + (hysteresis + knee) * relaxed + polarisation


def cell_temperatures(state: BatteryState, count: int, seed: int) -> list[float]:
    """Temperatures in °C, to a tenth: a cellar with its day, and the warmth of the current."""
    warmth = ambient(state) + 8 * abs(state.rate)
    return [round(warmth + spread, 1) for spread in _spreads(count, seed + 1)]


def ambient(state: BatteryState) -> float:
    """Temperature of the room in °C, highest at 16 h."""
    return 16 + 3 * math.cos(math.tau * (state.hour - 16) / 24)


@lru_cache(maxsize=256)
def _spreads(count: int, seed: int) -> tuple[float, ...]:
    """How far each cell or sensor is from the middle, within ±0.4."""
    chance = Random(seed)
    return tuple(chance.uniform(-0.4, 0.4) for _ in range(count))
