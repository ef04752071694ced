"""Lifetime energies of a battery without counters, through the whole path (product contract, section 7)."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from emulator.catalogue import build
from emulator.dyness import DynessCloud
from emulator.faults import Fault

from .conftest import Poll, state

EVENING = datetime(2026, 6, 10, 17, 0, tzinfo=UTC)


@pytest.fixture
async def cloud() -> AsyncGenerator[DynessCloud]:
    cloud = DynessCloud(devices=build("dl5-1"), calls_per_second=None)
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


class House:
    """A battery with a power that is asked for beside the integration."""

    def __init__(self, hass: HomeAssistant, cloud: DynessCloud) -> None:
        self.hass = hass
        self.cloud = cloud
        (self.device,) = cloud.devices.values()

    def total(self, key: str) -> float:
        return float(state(self.hass, key, self.device.serial) or "x")

    @property
    def stored(self) -> float:
        """Energy in the battery now, kWh."""
        truth: Any = self.device.truth(self.cloud.clock())
        return float(truth["soc"]) / 100 * float(truth["energy_rated"])


@pytest.fixture
async def house(
    hass: HomeAssistant, cloud: DynessCloud, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> House:
    freezer.move_to(EVENING)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return House(hass, cloud)


async def test_a_day(hass: HomeAssistant, house: House, poll: Poll) -> None:
    assert house.total("energy_charged") == house.total("energy_discharged") == 0
    before, last = house.stored, 0.0
    for _ in range(24 * 6):
        await poll(10.0)
        total = house.total("energy_charged") + house.total("energy_discharged")
        assert total >= last
        last = total
    net = house.total("energy_charged") - house.total("energy_discharged")
    assert house.total("energy_discharged") > 1
    assert net == pytest.approx(house.stored - before, abs=0.35)
    entity = er.async_get(hass).async_get_entity_id("sensor", "dyness_atess", f"{house.device.serial}-energy_charged")
    found = hass.states.get(entity or "")
    assert found
    assert (found.attributes["device_class"], found.attributes["state_class"]) == ("energy", "total_increasing")


@pytest.mark.parametrize("restart", [False, True])
async def test_an_outage_of_hours(
    hass: HomeAssistant, house: House, cloud: DynessCloud, entry: MockConfigEntry, poll: Poll, *, restart: bool
) -> None:
    for _ in range(3):
        await poll(5.0)
    before, total = house.stored, house.total("energy_discharged")
    cloud.add_fault(Fault("network_anomaly"))
    for _ in range(12):
        await poll(15.0)
    if restart:
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    cloud.clear_faults()
    await poll(5.1)
    await poll(5.1)
    used = before - house.stored
    assert used > 0.3
    assert house.total("energy_discharged") - total == pytest.approx(used, abs=0.2)
    assert house.total("energy_charged") == pytest.approx(0, abs=0.2)
