"""Cells near the ends of their charge behave as those that have been measured (battery-health 1, 6)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from emulator.dyness.battery import EPOCH, BatteryState
from emulator.dyness.catalogue import build
from emulator.dyness.cells import OddCell, cell_voltages, mean_voltage

SUNNY = datetime(2026, 3, 23, tzinfo=UTC)
WEEK = timedelta(days=7)


def voltages(soc: float, rate: float = 0.0, **others) -> list[float]:
    return cell_voltages(BatteryState(soc=soc, rate=rate, charge_limit=0.1, hour=12, **others), 16, 1)


def battery(*odd: OddCell):
    (device,) = build("powerhaus", seed=0, odd_cells=odd)
    return device


def apart(device, now: datetime, *, soc: float = 100.0) -> list[float]:
    """By how many mV each cell is above the third, in a slow charge at this state of charge."""
    leads = {cell: cell.lead(device.battery, now) for cell in device.odd_cells}
    odd = {cell.cell: (lead, cell.capacity) for cell, lead in leads.items()}
    state = BatteryState(soc=soc, rate=0.005, charge_limit=0.1, hour=12)
    cells = cell_voltages(state, 16, 1, odd, max(0.0, *leads.values()))
    return [1000 * (cell - cells[2]) for cell in cells]


def test_the_knee() -> None:
    """360 mV per % at 3.45 V, an e-fold in 1 / 3.7 %; a few mV in the middle."""
    before, after = (max(voltages(soc, 0.005)) for soc in (99.9, 99.96))
    assert before < 3.45 < after
    assert (after - before) / 0.06 == pytest.approx(0.36, abs=0.04)
    assert all(1000 * (max(cells) - min(cells)) <= 4 for soc in range(15, 97) if (cells := voltages(soc, 0.1)))
    assert max(voltages(100.0, 0.005)) - min(voltages(100.0, 0.005)) > 0.04


@pytest.mark.parametrize("name", ["powerhaus", "powerdepot-g2", "tower-t14", "stack100-expanded"])
def test_full_is_the_highest_cell_at_the_top(name: str) -> None:
    """99 % until its highest cell has 3.50 V, and no cell that would be cut off."""
    (device,) = build(name, seed=0)
    minutes = [SUNNY + timedelta(minutes=number) for number in range(1440)]
    samples = [(device.battery.at(now), cell) for now in minutes if (cell := highest(device, now))]
    full = next(cell for state, cell in samples if state.soc >= 100)
    assert 3.49 <= full < 3.6
    assert all(int(state.soc) <= 99 for state, cell in samples if cell < 3.42 and state.rate > 0)
    assert max(cell for _, cell in samples) < 3.6


def highest(device, now: datetime) -> float:
    """Of all modules, when they would upload just then."""
    device.sample_time = lambda now: now
    return max(max(module.cells) for module in device.measure_modules(now))


def test_at_rest_and_discharging() -> None:
    """A tenth is lost within 5 minutes and 8 % an hour; what is taken out is gone at once."""
    foot = 3.333
    heights = [max(voltages(100.0, rested=hours, last_rate=0.01)) - foot for hours in (0.0, 1 / 12, 13 / 12)]
    for (before, after), share in zip(pairwise(heights), (0.9, 0.92), strict=True):
        assert after / before == pytest.approx(share, abs=0.01)
    cells = voltages(98.2, -0.05)
    assert 1000 * (max(cells) - min(cells)) <= 4
    assert max(voltages(99.75, -0.05)) < 3.42


def test_the_middle_cell_is_the_mean() -> None:
    for soc, rate in ((100.0, 0.01), (98.0, 0.1), (50.0, -0.2), (12.0, 0.3)):
        assert sum(voltages(soc, rate)) / 16 == pytest.approx(mean_voltage(soc, rate), abs=0.012)


def test_a_drift() -> None:
    """10 mV a week at the knee, nothing at 50 %."""
    device = battery(OddCell(cell=4, drift=0.03, balanced=0.0, since=SUNNY))
    at_the_top = [apart(device, SUNNY + weeks * WEEK)[3] for weeks in range(4)]
    assert all(5 < later - earlier < 15 for earlier, later in pairwise(at_the_top))
    assert abs(apart(device, SUNNY + 4 * WEEK, soc=50)[3] - apart(device, SUNNY, soc=50)[3]) <= 1


def test_a_leak_and_what_balances_it() -> None:
    """Without it a leaking cell falls below the knee; with it half of what one full charge a week levels stays."""
    leaking = battery(OddCell(cell=4, drift=-0.1, balanced=0.0))
    assert apart(leaking, EPOCH + 20 * WEEK)[3] < apart(leaking, EPOCH + 2 * WEEK)[3] < -10
    held = battery(OddCell(cell=4, drift=-0.015))
    assert held.odd_cells[0].lead(held.battery, EPOCH + 50 * WEEK) == pytest.approx(-0.1)
    fuller = battery(OddCell(cell=4, ahead=0.8))
    leads = [fuller.odd_cells[0].lead(fuller.battery, EPOCH + weeks * WEEK) for weeks in range(12)]
    assert leads == sorted(leads, reverse=True)
    assert (leads[0], leads[-1]) == (0.8, pytest.approx(0.1))


def test_a_weak_cell() -> None:
    """Full first and empty first."""
    device = battery(OddCell(cell=4, capacity=0.95, ahead=0.1, balanced=0.0))
    assert max(range(16), key=apart(device, SUNNY).__getitem__) == 3
    assert min(range(16), key=apart(device, SUNNY, soc=12).__getitem__) == 3
    assert apart(device, SUNNY, soc=12)[3] < -20
