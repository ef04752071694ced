"""All batteries of an account as one (product contract, section 3)."""

from types import MappingProxyType

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from emulator.dyness.catalogue import build
from emulator.dyness.low_voltage import LowVoltage
from emulator.dyness.models import DL5
from emulator.faults import Fault

from .conftest import Live, device_of, number, one, state, states_of

KEYS = {
    *("soc", "power", "energy_remaining", "energy_rated", "energy_charged", "energy_discharged"),
    *("energy_charged_today", "energy_discharged_today"),
}
STAYS = KEYS - {"soc", "power", "energy_remaining"}


def of_parts(hass: HomeAssistant, key: str, *serials: str) -> float:
    return sum(number(hass, key, serial) for serial in serials)


async def test_two_batteries(hass: HomeAssistant, live: Live) -> None:
    """From the first samples on, over an outage of one of them and over a restart in it."""
    large, small = one("dl5-3"), one("dl5-1")
    serials = large.serial, small.serial
    cloud, entry = await live.start(large, small)
    await live(40)
    states = states_of(hass, entry, entry.entry_id)
    assert states.keys() - {"calls_last_hour"} == KEYS
    for key in KEYS - {"soc"}:
        assert number(hass, key, entry.entry_id) == pytest.approx(of_parts(hass, key, *serials), abs=0.11), key
    levels = {serial: number(hass, "soc", serial) for serial in serials}
    assert number(hass, "energy_charged", entry.entry_id) > 0.3
    assert levels[large.serial] != levels[small.serial]
    expected = (3 * levels[large.serial] + levels[small.serial]) / 4
    assert number(hass, "soc", entry.entry_id) == pytest.approx(expected, abs=0.1)
    registered = {
        found.unique_id: found for found in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    }
    assert registered[f"{entry.entry_id}-soc"].original_device_class is None
    device = device_of(hass, entry, entry.entry_id)
    assert (device.name, device.entry_type) == (entry.title, "service")
    hass.config_entries.async_update_entry(entry, title="Cellar")
    await live(1)
    assert device_of(hass, entry, entry.entry_id).name == "Cellar"

    cloud.add_fault(Fault("network_anomaly", serial=small.serial))
    await live(10)
    before = states_of(hass, entry, entry.entry_id)
    assert {key for key in KEYS if before[key] != "unavailable"} == STAYS
    await live.restart(entry, stopped_for=40)
    after = states_of(hass, entry, entry.entry_id)
    assert {key for key in KEYS if after[key] != "unavailable"} == STAYS
    assert all(float(after[key]) >= float(before[key]) for key in STAYS)
    cloud.clear_faults()
    await live(12)
    assert "unavailable" not in states_of(hass, entry, entry.entry_id).values()
    assert of_parts(hass, "energy_charged", *serials) == pytest.approx(
        number(hass, "energy_charged", entry.entry_id), abs=0.1
    )


async def test_one_battery_is_enough_for_itself(hass: HomeAssistant, live: Live) -> None:
    """Also beside a row without points."""
    _, entry = await live.start(*build("dl5-6-coordinator"))
    await live(30)
    assert states_of(hass, entry, entry.entry_id).keys() == {"calls_last_hour"}
    assert device_of(hass, entry, entry.entry_id) is None


async def test_only_what_all_batteries_have(hass: HomeAssistant, live: Live) -> None:
    """Also after a restart, in which they come back one after the other."""
    two = [LowVoltage(serial=f"DEMO{number}-BMS", model=DL5, seed=number) for number in (1, 2)]
    _, entry = await live.start(*two, one("future-low-voltage"))
    await live(30)
    shown = states_of(hass, entry, entry.entry_id).keys()
    await live.restart(entry, stopped_for=1)
    await live(6)
    assert states_of(hass, entry, entry.entry_id).keys() == shown


@pytest.mark.parametrize("together", [True, False])
async def test_a_combiner_box(hass: HomeAssistant, live: Live, *, together: bool) -> None:
    """Two towers that both report the current of the system; and two batteries that only happen to be alike."""
    if together:
        devices = build("tower-pair")
    else:
        devices = [LowVoltage(serial=f"DEMO{number}-BMS", model=DL5, seed=number) for number in (1, 2)]
    _, entry = await live.start(*devices)
    await live(30)
    serials = [device.serial for device in devices]
    times = 1 if together else 2
    assert abs(number(hass, "power", serials[0])) > 100
    power = of_parts(hass, "power", *serials) * times / 2
    assert number(hass, "power", entry.entry_id) == pytest.approx(power, rel=0.001)
    if together:
        # What the towers have counted themselves is of each, what is metered is of both.
        charged = of_parts(hass, "energy_charged", *serials)
        assert number(hass, "energy_charged", entry.entry_id) == pytest.approx(charged, abs=0.1)
    live.freezer.tick(9 * 3600)
    await live(90)
    discharged = of_parts(hass, "energy_discharged", *serials) * times / 2
    assert discharged > 0.3
    assert number(hass, "energy_discharged", entry.entry_id) == pytest.approx(discharged, rel=0.05)
    rated = of_parts(hass, "energy_rated", *serials)
    assert number(hass, "energy_rated", entry.entry_id) == pytest.approx(rated)


def subentry(serial: str) -> ConfigSubentry:
    data = MappingProxyType({"device_sn": serial})
    return ConfigSubentry(data=data, subentry_type="storage", title=serial, unique_id=serial)


async def test_added_and_removed_without_a_reload(hass: HomeAssistant, live: Live) -> None:
    """Nothing falls, and nothing jumps by what a counter has ever counted."""
    first = one("dl5-1")
    later = one("tower-t14", listed=False)
    third = LowVoltage(serial="DEMOTHIRD-BMS", model=DL5, listed=False, seed=2)
    _, entry = await live.start(first, later, third)
    await live(60)
    assert "soc" not in states_of(hass, entry, entry.entry_id)
    falls, last, rises = list[str](), dict[str, float](), list[float]()

    def look() -> None:
        for key in ("energy_charged", "energy_discharged", "energy_charged_today", "energy_discharged_today"):
            if (shown := state(hass, key, entry.entry_id)) not in (None, "unavailable"):
                value = float(shown or 0)
                falls.extend([key] if value < last.get(key, 0) else [])
                rises.append(value - last.get(key, value))
                last[key] = value

    async def add(serial: str) -> None:
        hass.config_entries.async_add_subentry(entry, subentry(serial))
        await live(30, look)

    await add(third.serial)
    assert states_of(hass, entry, entry.entry_id).keys() >= KEYS
    total = number(hass, "energy_charged", entry.entry_id)
    assert total == pytest.approx(of_parts(hass, "energy_charged", first.serial, third.serial), abs=0.2)
    await add(later.serial)
    assert number(hass, "energy_charged", later.serial) > 100
    assert number(hass, "energy_rated", entry.entry_id) == pytest.approx(
        of_parts(hass, "energy_rated", first.serial, later.serial, third.serial)
    )
    for serial in (third.serial, later.serial):
        found = next(found for found in entry.subentries.values() if found.data["device_sn"] == serial)
        hass.config_entries.async_remove_subentry(entry, found.subentry_id)
        await live(20, look)
    assert not falls
    assert max(rises) < 2
    assert number(hass, "energy_rated", entry.entry_id) == number(hass, "energy_rated", first.serial)
    await live.restart(entry)
    await live(6)
    assert state(hass, "soc", entry.entry_id) in (None, "unavailable")
    assert state(hass, "soc", first.serial) not in (None, "unavailable")
