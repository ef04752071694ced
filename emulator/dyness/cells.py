"""Lithium iron phosphate cells: voltages and temperatures that belong to a state of a battery."""

from functools import lru_cache
import math
from random import Random

from .battery import BatteryState, interpolate

# Open circuit voltage (V) over state of charge (%); the top is that of a rested full cell, as in the PowerHaus dump.
LFP_CURVE = (
    (0, 2.80),
    (5, 3.06),
    (10, 3.19),
    (20, 3.245),
    (30, 3.275),
    (40, 3.287),
    (60, 3.298),
    (70, 3.312),
    (90, 3.322),
    (100, 3.326),
    (101, 3.329),
)
RESISTANCE = 0.06
"""V per C"""
SPREAD = 0.0025
"""V at rest per % that a cell is fuller"""


def cell_voltages(state: BatteryState, count: int, seed: int) -> list[float]:
    """Voltages in V, to the mV. Each cell is a little fuller or emptier than the battery; a full charge lifts them."""
    return [
        round(
            _cell_voltage(state.soc + spread, state.rate, RESISTANCE + spread / 200, state.soc) + spread * SPREAD,
            3,
        )
        for spread in _spreads(count, seed)
    ]


def mean_voltage(soc: float, rate: float) -> float:
    """Voltage in V of a cell that is as full as the battery."""
    return _cell_voltage(soc, rate, RESISTANCE, soc)


def _cell_voltage(own_soc: float, rate: float, resistance: float, soc: float) -> float:
    rise = max(soc - 95, 0) / 5 * 0.1 if rate > 0 else 0.0
    return interpolate(LFP_CURVE, max(own_soc, 0)) + resistance * rate + rise


def cell_temperatures(state: BatteryState, count: int, seed: int) -> list[float]:
    """Temperatures in °C, to a tenth: a cellar with its day, and the warmth of the current."""
    warmth = ambient(state) + 8 * abs(state.rate)
    return [round(warmth + spread, 1) for spread in _spreads(count, seed + 1)]


def ambient(state: BatteryState) -> float:
    """Temperature of the room in °C, highest at 16 h."""
    return 16 + 3 * math.cos(math.tau * (state.hour - 16) / 24)


@lru_cache(maxsize=256)
def _spreads(count: int, seed: int) -> tuple[float, ...]:
    """How far each cell or sensor is from the middle, in % or °C, within ±0.4."""
    chance = Random(seed)
    return tuple(chance.uniform(-0.4, 0.4) for _ in range(count))
