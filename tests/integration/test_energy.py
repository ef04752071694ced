"""Lifetime energies, metered and counted, through the whole path (product contract, section 7)."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from emulator.dyness.catalogue import build
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.storage import Storage
from emulator.faults import Fault

from .conftest import Poll, Start, state

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


COUNTER = "1900"


def tower(counter: str) -> Storage:
    (device,) = build("tower-t14")
    device.overrides = {COUNTER: counter}
    return device


def total(hass: HomeAssistant, device: Storage, key: str = "energy_charged") -> float | None:
    text = state(hass, key, device.serial)
    return None if text is None else float(text)


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_counter_with_a_glitch_that_begins_anew(
    hass: HomeAssistant, start: Start, poll: Poll, *, restarts: bool
) -> None:
    device = tower("")
    _, entry = await start(device)
    assert total(hass, device) is None
    assert total(hass, device, "energy_discharged") == 0
    for counter, expected in (
        ("5000.0", 5000.0),
        ("6553.5", 5000.0),
        ("5000.5", 5000.5),
        ("0.0", 5000.5),
        ("0.4", 5000.5),
        ("", 5000.5),
        ("0.9", 5001.4),
        ("1.5", 5002.0),
        ("0", 5002.0),
        ("", 5002.0),
        ("1.75", 5002.25),
    ):
        device.overrides = {COUNTER: counter}
        for _ in range(2):  # the second time it may be the same sample
            await poll(5.1)
            assert total(hass, device) == expected, counter
        if restarts:
            await hass.config_entries.async_reload(entry.entry_id)
            await hass.async_block_till_done(wait_background_tasks=True)
            assert total(hass, device) == expected, counter


async def test_a_counter_that_does_not_come_is_metered(
    hass: HomeAssistant, start: Start, poll: Poll, hass_storage: dict[str, Any]
) -> None:
    device = tower("")
    _, entry = await start(device)
    for _ in range(23):
        await poll(60.0)
        assert total(hass, device) is None
    await poll(65.0)
    await poll(5.1)
    metered = total(hass, device)
    assert metered
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert total(hass, device) == pytest.approx(metered, abs=1)
    metered = total(hass, device)
    assert metered
    device.overrides = {COUNTER: "5000.0"}
    for _ in range(2):
        await poll(5.1)
    shown = total(hass, device)
    assert shown == pytest.approx(metered, abs=3)
    assert shown >= metered
    device.overrides = {COUNTER: "5000.7"}
    for _ in range(2):
        await poll(5.1)
    assert total(hass, device) == pytest.approx(shown + 0.7)
    # A damaged memory of the counter leaves the total.
    assert await hass.config_entries.async_unload(entry.entry_id)
    (key,) = (key for key in hass_storage if key.endswith(entry.entry_id))
    content = hass_storage[key]["data"][device.serial]
    content["totals"]["energy_discharged"] = "text"
    content["counters"]["energy_charged"] = {"counter": None}
    device.overrides = {COUNTER: "5000.9"}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    after = total(hass, device)
    assert after
    assert after >= shown + 0.7


async def test_damage_of_one_metered_total_leaves_both(
    hass: HomeAssistant,
    start: Start,
    poll: Poll,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    (device,) = build("dl5-1")
    _, entry = await start(device)
    for _ in range(36):
        await poll(20.0)
    names = ("energy_charged", "energy_discharged")
    before = [total(hass, device, name) for name in names]
    assert all(before)
    assert await hass.config_entries.async_unload(entry.entry_id)
    (key,) = (key for key in hass_storage if key.endswith(entry.entry_id))
    hass_storage[key]["data"][device.serial]["meter"]["discharged"] = "text"
    caplog.clear()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [total(hass, device, name) for name in names] == pytest.approx(before, abs=0.1)
    assert len([record for record in caplog.records if "damaged" in record.getMessage()]) == 1
