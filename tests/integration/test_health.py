"""How far the cells are apart, of emulated batteries in a real Home Assistant."""

from dataclasses import replace
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from emulator.dyness.cells import OddCell
from emulator.dyness.models import DL5, TALLEST_TOWER
from emulator.faults import Fault

from .conftest import Live, number, one, serials_of, state, states_of

SLOW_AT_THE_TOP = ((0, 0.5), (95, 0.1), (98, 0.01), (100, 0.0))
HEALTH = ("cell_spread_full", "cell_lead_full", "cell_spread_rested")
FULLER = OddCell(module=2, cell=5, ahead=0.2, balanced=0.0)


def shown(hass: HomeAssistant, key: str, serial: str) -> Any:
    """Return the state of an entity with its attributes."""
    entity_id = er.async_get(hass).async_get_entity_id("sensor", "dyness_atess", f"{serial}-{key}")
    assert entity_id
    return hass.states.get(entity_id)


async def test_from_a_full_charge_to_an_empty_battery(hass: HomeAssistant, live: Live) -> None:
    """Told after the charge, kept over a restart and an outage; the rest at night tells the other one."""
    battery = one("dl5-3", seed=0, model=replace(DL5, taper=SLOW_AT_THE_TOP), odd_cells=[FULLER])
    cloud, entry = await live.start(battery)
    await live(60)
    assert not set(HEALTH) & states_of(hass, entry, battery.serial).keys()
    await live(240)
    spread, lead = (shown(hass, key, battery.serial) for key in HEALTH[:2])
    assert int(lead.state) == pytest.approx(59, abs=6)
    assert int(lead.state) < int(spread.state) < 90
    for found in (spread, lead):
        attributes = found.attributes
        assert (attributes["module"], attributes["highest_cell"]) == (2, 5)
        assert attributes["saturated"] is attributes["measured_at_rest"] is False
        assert (attributes["unit_of_measurement"], attributes["state_class"]) == ("mV", "measurement")
        assert attributes["samples"] > 1
        assert attributes["measured_at"].startswith("2026-03-23T1")
        assert attributes["temperature"] > 10
        assert attributes["current"] < 0
        texts = [str(value) for value in attributes.values()]
        assert not [text for serial in (battery.serial, *serials_of(battery)) for text in texts if serial[:10] in text]
    # Masters only: a stack is as good as its widest module.
    assert not [serial for serial in serials_of(battery) if set(HEALTH) & states_of(hass, entry, serial).keys()]
    await live.restart(entry, stopped_for=45)
    assert shown(hass, "cell_lead_full", battery.serial).attributes == lead.attributes
    cloud.add_fault(Fault(kind="network_anomaly"))
    await live(60)
    assert state(hass, "soc", battery.serial) == "unavailable"
    assert [shown(hass, key, battery.serial).state for key in HEALTH[:2]] == [spread.state, lead.state]
    cloud.clear_faults()
    await live(11 * 60)
    rested = shown(hass, "cell_spread_rested", battery.serial)
    assert 3 <= int(rested.state) < 10
    assert rested.attributes["mean_voltage"] < 3.25
    assert rested.attributes["soc"] == 10
    assert shown(hass, "cell_lead_full", battery.serial).state == lead.state


async def test_a_weak_cell(hass: HomeAssistant, live: Live) -> None:
    """It is full first and empty first: both figures name it."""
    weak = OddCell(module=1, cell=9, capacity=0.97, ahead=0.1, balanced=0.0)
    battery = one("powerhaus", seed=0, odd_cells=[weak])
    await live.start(battery)
    await live(20 * 60)
    assert shown(hass, "cell_lead_full", battery.serial).attributes["highest_cell"] == 9
    rested = shown(hass, "cell_spread_rested", battery.serial)
    assert rested.attributes["lowest_cell"] == 9
    assert int(rested.state) > 30


async def test_a_closed_tower(hass: HomeAssistant, live: Live) -> None:
    """Of which only the highest and the lowest cell are known, mostly of two modules: nothing is said across them."""
    tower = one("tower-t17", seed=0)
    _, entry = await live.start(tower)
    await live(300)
    assert not set(HEALTH) & states_of(hass, entry, tower.serial).keys()
    assert number(hass, "cell_voltage_max", tower.serial) > 3.4


async def test_the_module_at_the_top_is_read_first(hass: HomeAssistant, live: Live) -> None:
    """With a ceiling that lets four of thirteen modules follow each sample."""
    fuller = OddCell(module=11, cell=3, ahead=0.1, balanced=0.0)
    tower = one("tower-13", seed=0, model=replace(TALLEST_TOWER, taper=SLOW_AT_THE_TOP), odd_cells=[fuller])
    cloud, _ = await live.start(tower)
    await live(45)
    at_the_top: list[tuple[int, bool]] = []

    def look() -> None:
        high = number(hass, "cell_voltage_max", tower.serial) >= 3.45
        if not at_the_top or at_the_top[-1][1] != high:
            at_the_top.append((len(cloud.calls), high))

    await live(200, look)
    begin = next(calls for calls, high in at_the_top if high)
    followers = [
        after.serial
        for before, after in zip(cloud.calls[begin:], cloud.calls[begin + 1 :], strict=False)
        if before.serial == tower.serial and after.serial in serials_of(tower)
    ]
    assert len(followers) > 5
    assert set(followers) == {serials_of(tower)[10]}
