"""What the other tests take for the truth: the one dump there is, uploads, and cells (battery-health 1, 6)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
import json
from pathlib import Path

import pytest

from emulator.atess.pbd import Pbd
from emulator.dyness.battery import BatteryState
from emulator.dyness.catalogue import build
from emulator.dyness.cells import OddCell, cell_voltages
from emulator.dyness.devices import PAYLOADS
from emulator.dyness.replay import replay_all

NOW = datetime(2026, 3, 23, 5, tzinfo=UTC)
PBD_FIELDS = Path(__file__).parents[1] / "telemetry" / "atess" / "pbd_fields.json"
RECORDED = json.loads((PAYLOADS / "powerhaus.json").read_text())["points"]


def test_a_powerhaus_has_the_points_of_the_dump() -> None:
    (device,) = build("powerhaus")
    assert [point | {"pointValue": ""} for point in device.points(NOW)] == [
        point | {"pointValue": ""} for point in RECORDED
    ]


@pytest.mark.parametrize("device", [Pbd(), Pbd(has_battery=False), Pbd(inputs=3, measures="tenths")])
def test_a_pbd_has_the_fields_of_the_vendors_page(device: Pbd) -> None:
    assert sorted(device.record(NOW)) == sorted(json.loads(PBD_FIELDS.read_text()))


@pytest.mark.parametrize("content", [RECORDED, {"code": "200", "data": RECORDED, "info": ""}])
def test_a_bare_answer_is_a_device(tmp_path: Path, content: object) -> None:
    (tmp_path / "tower.json").write_text(json.dumps(content))
    (device,) = replay_all(tmp_path / "tower.json", current=False)
    assert device.points(NOW) == RECORDED
    assert device.serial == "tower-BMS"


def test_uploads() -> None:
    """Every 300 s, known to the cloud 20 to 40 s later."""
    (device,) = build("dl5-1")
    seen: dict[datetime, datetime] = {}
    for second in range(3900):
        now = NOW + timedelta(seconds=second)
        seen.setdefault(device.sample_time(now), now)
    taken = list(seen)[1:]
    assert {later - earlier for earlier, later in pairwise(taken)} == {timedelta(minutes=5)}
    assert all(20 <= (seen[sample] - sample).total_seconds() <= 40 for sample in taken)


def voltages(soc: float, rate: float = 0.0, **others: float) -> list[float]:
    return cell_voltages(BatteryState(soc=soc, rate=rate, charge_limit=0.1, hour=12, **others), 16, 1)


def test_the_knee() -> None:
    """360 mV per % at 3.45 V, a few mV of spread in the middle, and a tenth lost within five minutes of rest."""
    before, after = (max(voltages(soc, 0.005)) for soc in (99.9, 99.96))
    assert before < 3.45 < after
    assert (after - before) / 0.06 == pytest.approx(0.36, abs=0.04)
    assert all(1000 * (max(cells) - min(cells)) <= 4 for soc in range(15, 97) if (cells := voltages(soc, 0.1)))
    assert max(voltages(100.0, 0.005)) - min(voltages(100.0, 0.005)) > 0.04
    flowing, rested = (max(voltages(100.0, rested=hours, last_rate=0.01)) - 3.333 for hours in (0.0, 1 / 12))
    assert rested / flowing == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("name", ["powerhaus", "powerdepot-g2", "tower-t14", "stack100-expanded"])
def test_full_is_the_highest_cell_at_the_top(name: str) -> None:
    """99 % until its highest cell has 3.50 V, and no cell that would be cut off."""
    (device,) = build(name, seed=0, eager=True)
    highest: list[tuple[BatteryState, float]] = []
    for minute in range(0, 1440, 2):
        now = NOW + timedelta(minutes=minute)
        cells = [cell for module in device.measure_modules(now) for cell in module.cells]
        highest.append((device.battery.at(now), max(cells)))
    assert 3.49 <= next(cell for state, cell in highest if state.soc >= 100) < 3.6
    assert all(int(state.soc) <= 99 for state, cell in highest if cell < 3.42 and state.rate > 0)
    assert max(cell for _, cell in highest) < 3.6


def test_odd_cells() -> None:
    """A drift is 10 mV a week at the knee and nothing at 50 %; a weak cell is full first and empty first."""

    def ahead(odd: OddCell, weeks: int, soc: float) -> float:
        """By how many mV the fourth cell is above the third, in a slow charge."""
        now = NOW + timedelta(weeks=weeks)
        lead = odd.lead(build("powerhaus", seed=0)[0].battery, now)
        state = BatteryState(soc=soc, rate=0.005, charge_limit=0.1, hour=12)
        cells = cell_voltages(state, 16, 1, {odd.cell: (lead, odd.capacity)}, max(0.0, lead))
        return 1000 * (cells[3] - cells[2])

    drifting = OddCell(cell=4, drift=0.03, balanced=0.0, since=NOW)
    at_the_top = [ahead(drifting, weeks, 100.0) for weeks in range(4)]
    assert all(5 < later - earlier < 15 for earlier, later in pairwise(at_the_top))
    assert abs(ahead(drifting, 4, 50.0) - ahead(drifting, 0, 50.0)) <= 1
    weak = OddCell(cell=4, capacity=0.95, ahead=0.1, balanced=0.0)
    assert ahead(weak, 0, 100.0) > 20
    assert ahead(weak, 0, 12.0) < -20
