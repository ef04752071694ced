"""What emulated cells, whose charges are known, are said to be apart."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
import json
from pathlib import Path
from statistics import median
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.dyness_atess.telemetry.dyness.decoder import decode
from custom_components.dyness_atess.telemetry.energy.health import Health
from custom_components.dyness_atess.telemetry.state import dump, load
from custom_components.dyness_atess.telemetry.vocabulary import CELL_VOLTAGES, Key
from emulator.dyness.battery import BatteryState
from emulator.dyness.cells import cell_voltages

from .restarts import restarted

PAYLOAD = Path(__file__).parents[3] / "emulator" / "dyness" / "payloads" / "powerhaus.json"
CAPACITY = 280.0
"""Ah"""
SPREAD, LEAD, RESTED = Key.CELL_SPREAD_FULL, Key.CELL_LEAD_FULL, Key.CELL_SPREAD_RESTED
FIVE, FIFTEEN = 1 / 12, 1 / 4
"""h between samples"""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Sixteen cells; one may be ahead of the others by some % of charge, or behind."""

    seed: int = 0
    ahead: float | None = None

    def at(self, state: BatteryState) -> list[float]:
        odd = {} if self.ahead is None else {3: (self.ahead, 1.0)}
        return cell_voltages(state, 16, self.seed, odd, max(self.ahead or 0.0, 0.0))

    @cache  # noqa: B019
    def truth(self) -> dict[Key, float]:
        """Give what they are apart, in mV, where a slow charge has the highest at 3.45 V."""
        slow = (BatteryState(soc=99 + step / 2000, rate=0.001, charge_limit=0.1, hour=12) for step in range(2000))
        cells = min(map(self.at, slow), key=lambda cells: abs(max(cells) - 3.45))
        return {SPREAD: 1000 * (max(cells) - min(cells)), LEAD: 1000 * (max(cells) - median(cells))}


@dataclass(frozen=True, kw_only=True)
class Charge:
    """From `begin` to `end`, two hours of rest, and a discharge. Times are hours."""

    rate: float
    begin: float = 97.0
    end: float = 100.0
    cells: Mapping[int, Cells] = field(default_factory=lambda: {1: Cells()})
    """By the number of the module."""

    def state(self, hour: float) -> BatteryState:
        rested = hour - (self.end - self.begin) / 100 / self.rate
        if rested < 0:
            return BatteryState(soc=self.begin + 100 * self.rate * hour, rate=self.rate, charge_limit=0.1, hour=12)
        if rested < 2:
            return BatteryState(soc=self.end, rate=0.0, charge_limit=0, hour=12, rested=rested, last_rate=self.rate)
        return BatteryState(soc=self.end - 10 * (rested - 2), rate=-0.1, charge_limit=0, hour=12)

    def hours(self, phase: float) -> Iterator[float]:
        """Return when the master is read."""
        hour = phase * FIVE
        while hour < (self.end - self.begin) / 100 / self.rate + 2.7:
            yield hour
            hour += FIVE

    def show(
        self, phase: float, *, period: float = FIVE, health: Health | None = None, began: float = 1.0, **others: Any
    ) -> Health:
        """Show it to `health`; each module is read once in a period, one after the other."""
        health = health or Health()
        for number, hour in enumerate(self.hours(phase)):
            at, state = began + 3600 * hour, self.state(hour)
            health.note(at, sample(self.cells[1].at(state), state, **others))
            for module, cells in self.cells.items():
                if (number + module) % round(period / FIVE) == 0:
                    health.add(at, module, sample(cells.at(state), state, **others), {})
        return health


def sample(cells: list[float], state: BatteryState, **others: Any) -> dict[Key, Any]:
    """Return what a module shows."""
    values = {
        **dict(zip(CELL_VOLTAGES, cells, strict=False)),
        Key.CELL_VOLTAGE_MAX: max(cells),
        Key.CELL_VOLTAGE_MIN: min(cells),
        Key.CELL_TEMPERATURE_MIN: 20.0,
        Key.CELL_TEMPERATURE_MAX: 21.5,
        Key.SOC: int(state.soc),
        Key.CURRENT: round(-state.rate * CAPACITY, 1),
        Key.CAPACITY_FULL: CAPACITY,
    }
    return values | {Key(key): value for key, value in others.items()}


def errors(health: Health, cells: Mapping[int, Cells]) -> list[float]:
    """Return by how much each figure is wrong for the module that it names."""
    values, attributes = health.figures
    return [float(str(value)) - cells[attributes[key]["module"]].truth()[key] for key, value in values.items()]


# The top of a charge


@pytest.mark.parametrize("period", [FIVE, FIFTEEN])
@pytest.mark.parametrize("rate", [0.005, 0.05, 0.1, 0.3])
def test_any_sampling_phase_tells_the_same(rate: float, period: float) -> None:
    """Within 6 mV or nothing: here every charge is followed by a rest that tells it in any case."""
    for seed in range(3):
        charge = Charge(rate=rate, cells={1: Cells(seed=seed)})
        for phase in range(12):
            found = errors(charge.show(phase / 12 * period / FIVE, period=period), charge.cells)
            assert len(found) == 2
            assert max(map(abs, found)) <= 6


@settings(max_examples=150, deadline=None)
@given(
    rate=st.floats(0.01, 0.6), phase=st.floats(0, 1), seed=st.integers(0, 20), ahead=st.none() | st.floats(-1.5, 1.5)
)
def test_never_a_wide_outlier(rate: float, phase: float, seed: int, ahead: float | None) -> None:
    """Of whatever cells and speed; a cell that is far behind is said to be 98 mV behind at most."""
    charge = Charge(rate=rate, cells={1: Cells(seed=seed, ahead=ahead)})
    found = errors(charge.show(phase), charge.cells)
    assert all(abs(error) <= 7 for error in found)


def test_the_widest_sample_would_be_an_artefact() -> None:
    """The same charge shows anything as its widest spread, depending on where the samples fell."""
    charge = Charge(rate=0.08)
    widest = [
        max(1000 * (max(cells) - min(cells)) for hour in charge.hours(phase / 12) if (cells := at(hour)))
        for at in [lambda hour: charge.cells[1].at(charge.state(hour)) if charge.state(hour).rate > 0 else [0.0]]
        for phase in range(12)
    ]
    assert max(widest) - min(widest) > 20


def test_thirteen_modules_read_once_in_a_quarter_of_an_hour() -> None:
    cells = {number: Cells(seed=number, ahead=0.3 if number == 7 else None) for number in range(1, 14)}
    for phase in range(6):
        health = Charge(rate=0.05, cells=cells).show(phase / 6, period=FIFTEEN)
        assert max(map(abs, errors(health, cells))) <= 6
        assert {found["module"] for found in health.figures[1].values()} == {7}


def test_a_module_without_samples_at_the_top() -> None:
    """It keeps what it had, and its time; so does the battery where no module had any."""
    both = {1: Cells(), 2: Cells(seed=5, ahead=0.3)}
    health = Charge(rate=0.05, cells=both).show(0.5)
    before = health.figures
    Charge(rate=0.05, cells={1: Cells()}).show(0.5, health=health, began=86_400.0)
    assert health.figures == before
    assert before[1][SPREAD]["module"] == 2
    # One that is not there any more does not stay the widest for ever.
    Charge(rate=0.05, cells={1: Cells()}).show(0.5, health=health, began=40 * 86_400.0)
    assert {found["module"] for found in health.figures[1].values()} == {1}


@pytest.mark.parametrize(
    "others",
    [
        {"cell_temperature_min": 9.0},
        {"cell_temperature_max": 26.0},
        {"current": None},
        {"current": "-14"},
        {"current": 14.0},
        {"capacity_full": None},
        {"soc": 94},
        {"cell_voltage_max": None},
    ],
)
def test_what_tells_nothing(others: dict[str, Any]) -> None:
    """In the cold, unevenly warm, without a known current, while it discharges, or far from full."""
    assert Charge(rate=0.05).show(0.5, **others).figures == ({}, {})


@pytest.mark.parametrize("rate", [0.005, 0.1, 0.5])
def test_a_battery_that_stops_at_90_percent(rate: float) -> None:
    assert Charge(rate=rate, begin=88.0, end=90.0).show(0.5).figures == ({}, {})


def test_the_recorded_battery() -> None:
    """It says 100 %, and rests at 3.327 V: that is no knee."""
    points = json.loads(PAYLOAD.read_text(encoding="utf-8"))["points"]
    values = decode(points, None).values
    assert (values[Key.SOC], values[Key.CELL_VOLTAGE_SPREAD]) == (100, 2)
    health = Health()
    for at in range(300, 86_400, 300):
        health.note(at, values)
        health.add(at, 1, values, values)
    assert health.figures == ({}, {})


def test_a_drift_of_10_millivolts_a_week() -> None:
    """Shown within two weeks, while the live spread in the middle stays what it was."""
    health, leads, live = Health(), [], []
    for week in range(5):
        cells = Cells(seed=4, ahead=0.03 * week)
        charge = Charge(rate=0.05, cells={1: cells})
        charge.show(week * 0.37 % 1, health=health, began=week * 7 * 86_400.0 + 1)
        leads.append(int(str(health.figures[0][LEAD])))
        middle = cells.at(BatteryState(soc=50, rate=0.1, charge_limit=0.5, hour=12))
        live.append(1000 * (max(middle) - min(middle)))
    assert leads == sorted(leads)
    assert leads[2] - leads[0] >= 9
    assert leads[4] - leads[0] >= 20
    assert max(live) <= 4
    assert max(live) - min(live) <= 1


def test_told_when_the_charge_is_over() -> None:
    """Not while modules are still being read: the history would show half a battery."""
    charge, health = Charge(rate=0.02), Health()
    told = []
    for hour in charge.hours(0.5):
        values = sample(charge.cells[1].at(charge.state(hour)), charge.state(hour))
        health.note(1 + 3600 * hour, values)
        health.add(1 + 3600 * hour, 1, values, values)
        told.append((hour, health.figures[0].get(SPREAD)))
    first = next(hour for hour, value in told if value is not None)
    assert 2.4 < first < 2.7  # it is full after an hour and a half
    assert len({value for _, value in told if value is not None}) == 1


def test_attributes() -> None:
    values, attributes = Charge(rate=0.05, cells={1: Cells(ahead=1.2)}).show(0.5).figures
    assert (values[SPREAD], values[LEAD]) == (98, pytest.approx(97, abs=1))
    shown = attributes[SPREAD]
    assert (shown["module"], shown["highest_cell"], shown["saturated"]) == (1, 3, True)
    assert shown["highest_above_median"] == values[LEAD]
    assert (shown["current"], shown["temperature"], shown["measured_at_rest"]) == (-14.0, 20.0, False)
    assert 3.42 <= shown["voltage"] <= 3.6
    assert shown["measured_at"].startswith("1970-01-01T00:")
    assert shown["samples"] >= 1
    assert Charge(rate=0.5).show(0.5).figures[1][SPREAD]["measured_at_rest"] is True


def test_a_master_that_alone_is_known() -> None:
    """Where highest and lowest cell are of one module; their median is not known."""
    charge = Charge(rate=0.02)

    def told(**places: int) -> dict[Key, Any]:
        health = Health()
        for hour in charge.hours(0.5):
            values = sample(charge.cells[1].at(charge.state(hour)), charge.state(hour))
            master = {key: value for key, value in values.items() if key not in CELL_VOLTAGES}
            master |= {Key(key): value for key, value in places.items()}
            health.note(1 + 3600 * hour, master)
            health.add(1 + 3600 * hour, 1, master, master)
        return health.figures[0]

    assert told() == told(cell_voltage_max_module=1, cell_voltage_min_module=2) == {}
    same = told(cell_voltage_max_module=2, cell_voltage_min_module=2)
    assert same == told(module_count=1)
    assert same.keys() == {SPREAD}
    assert abs(same[SPREAD] - charge.cells[1].truth()[SPREAD]) <= 6


# At rest near empty


def rest(minutes: int, soc: float = 15.0, rate: float = 0.0, step: int = 5, **others: Any) -> dict[Key, Any]:
    """Return what a rest of so many minutes tells, when the current flows again."""
    health, cells = Health(), Cells(seed=1, ahead=-8.0)
    for minute in [*range(0, minutes + 1, step), minutes + step]:
        is_over = minute > minutes
        state = BatteryState(soc=soc, rate=0.2 if is_over else rate, charge_limit=0.5, hour=4)
        values = sample(cells.at(state), state, **others)
        health.note(1 + 60 * minute, values)
        health.add(1 + 60 * minute, 1, values, values)
    return {key: (value, health.figures[1][key]) for key, value in health.figures[0].items()}


def test_rested() -> None:
    ((value, attributes),) = rest(35).values()
    assert value == pytest.approx(1000 * (3.2155 - 3.15), abs=25)
    assert (attributes["module"], attributes["lowest_cell"], attributes["soc"]) == (1, 3, 15)
    assert 3.15 < attributes["mean_voltage"] < 3.25
    assert attributes["measured_at"] == "1970-01-01T00:35:01+00:00"


@pytest.mark.parametrize(
    "circumstances",
    [{"minutes": 25}, {"minutes": 120, "soc": 60}, {"minutes": 120, "rate": -0.02}, {"minutes": 120, "step": 20}],
)
def test_no_rest_that_tells_something(circumstances: dict[str, Any]) -> None:
    assert rest(**circumstances) == {}


# What it knows


def test_it_goes_on_after_a_restart() -> None:
    """In the middle of a charge as well as after it."""
    charge, at_once, interrupted = Charge(rate=0.02), Charge(rate=0.02).show(0.3), Health()
    for hour in charge.hours(0.3):
        values = sample(charge.cells[1].at(charge.state(hour)), charge.state(hour))
        interrupted.note(1 + 3600 * hour, values)
        interrupted.add(1 + 3600 * hour, 1, values, values)
        interrupted = restarted(interrupted)
    assert interrupted.figures == at_once.figures
    assert len(interrupted.figures[0]) == 2


JUNK = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.lists(st.floats(), max_size=4)


@given(st.data())
def test_malformed_memory(data: st.DataObject) -> None:
    kept = dump(Charge(rate=0.1).show(0.5))
    kept |= data.draw(st.dictionaries(st.sampled_from(sorted(kept)), JUNK))
    health = Health()
    with suppress(ValueError):
        health = load(Health, json.loads(json.dumps(kept)))
    Charge(rate=0.1).show(0.5, health=health)
    assert json.dumps(dump(health))
    assert all(value >= 0 for value in health.figures[0].values())


@given(
    rows=st.lists(
        st.dictionaries(st.sampled_from([*[*Key][:40], *CELL_VOLTAGES[:4]]), st.floats() | st.text() | st.none()),
        max_size=5,
    )
)
def test_any_values(rows: list[dict[Key, Any]]) -> None:
    health = Health()
    for number, values in enumerate(rows):
        health.note(number * 300, values)
        health.add(number * 300, 1, values, values)
    assert health.figures == ({}, {})
