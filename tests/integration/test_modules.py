"""Modules behind a battery and their single cells; F10 to F17 and F45."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.account.battery import MAXIMUM_MODULES
from custom_components.dyness_atess.telemetry.vocabulary import CELL_VOLTAGES
from emulator.dyness.catalogue import build
from emulator.dyness.low_voltage import LowVoltage
from emulator.dyness.models import DL5
from emulator.dyness.powerhaus import PowerHaus
from emulator.dyness.storage import Storage
from emulator.faults import Fault

from .conftest import NOON, SERIAL, Live, device_of, number, one, serials_of, state, states_of
from .test_lifecycle import delete

MODULE, REALTIME = "DEMO000000000001", "/v1/device/realTime/data"


def device_serials(hass: HomeAssistant, entry: MockConfigEntry) -> set[str | None]:
    """Return the serial numbers of all devices, but not the account itself."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return {device.serial_number for device in devices if not device.entry_type}


async def test_modules_are_offered_in_order(hass: HomeAssistant, live: Live) -> None:
    """As when areas are assigned, whoever answers first."""
    tower = one("tower-13", sub=("reversed",))
    _, entry = await live.start(tower)
    await live(1)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    names = [device.name for device in devices if device.via_device_id]
    assert names == [f"{device_of(hass, entry, tower.serial).name} module {number}" for number in range(1, 14)]


@pytest.mark.parametrize("listed", [f"{SERIAL},{MODULE},,{MODULE}", ",".join(f"DEMO{n:012}" for n in range(1, 2001))])
async def test_a_list_of_modules(hass: HomeAssistant, live: Live, listed: str) -> None:
    """It may name its master, a module two times, or nonsense without end."""
    _, entry = await live.start(PowerHaus(module_serial=listed))
    found = entry.runtime_data.devices.keys()
    assert found >= {SERIAL, MODULE}
    assert len(found) == (2 if SERIAL in listed else MAXIMUM_MODULES + 1)


async def test_samples_without_a_time(live: Live) -> None:
    """Each answer is a sample then, although all of an idle battery are the same: its modules follow each of them."""
    still = {key: value for key, value in PowerHaus().values(NOON).items() if value}
    device = PowerHaus(overrides=still | {"700": "0"}, absent=frozenset({"T", "TIME"}))
    cloud, entry = await live.start(device)
    await live(10)
    cloud.calls.clear()
    await live(60)
    asked = Counter(call.serial for call in cloud.calls if call.path == REALTIME)
    assert asked[MODULE] == asked[SERIAL] >= 11
    assert entry.runtime_data.batteries[SERIAL].coordinator.data.sampled_at is None


async def test_calls_in_the_last_hour(hass: HomeAssistant, live: Live) -> None:
    cloud, entry = await live.start(PowerHaus())
    await live(6)
    assert number(hass, "calls_last_hour", entry.entry_id) == pytest.approx(len(cloud.calls), abs=3)
    cloud.calls.clear()
    await live(61)
    assert number(hass, "calls_last_hour", entry.entry_id) == pytest.approx(len(cloud.calls), abs=3)


async def test_f10_an_incomplete_list_takes_no_module_away(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-3", sub=("all", "partial", "null", "with_master"))
    _, entry = await live.start(device)
    await live(21)
    lost: list[str] = []
    await live(41, lambda: lost.extend(s for s in serials_of(device) if state(hass, "online", s) != "on"))
    assert not lost
    assert device_serials(hass, entry) == {device.serial, *serials_of(device)}


async def test_a_module_that_went_to_another_battery(hass: HomeAssistant, live: Live) -> None:
    """It can be deleted where it was, and is found where it is."""
    first, second = one("dl5-3"), one("dl5-2")
    _, entry = await live.start(first, second)
    modules, moved = serials_of(first), serials_of(first)[2]
    assert not await delete(hass, entry, moved)
    first.overrides |= {"400": "2", "SUB": ",".join(modules[:2])}
    second.overrides |= {"400": "3", "SUB": ",".join([*serials_of(second), moved])}
    await live(11)
    assert not await delete(hass, entry, modules[0])
    assert await delete(hass, entry, moved)
    await live(11)
    assert device_of(hass, entry, moved).via_device_id == device_of(hass, entry, second.serial).id
    assert state(hass, "online", moved) == "on"
    assert number(hass, "energy_rated", first.serial) == pytest.approx(10.24)
    assert number(hass, "energy_rated", second.serial) == pytest.approx(15.36)


async def test_f11_f12_f45_modules_that_show_up_later(
    hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    """They are remembered and added once, and one that is offline at a restart is there, and recovers."""
    device = one("dl5-3", sub=("null",))
    cloud, entry = await live.start(device)
    assert device_serials(hass, entry) == {device.serial}
    modules = serials_of(device)
    for sub in ("single", "reversed", "with_master"):
        device.sub = (sub,)
        await live(6)
    assert {state(hass, "online", serial) for serial in modules} == {"on"}
    before = states_of(hass, entry, modules[0]).keys()
    device.sub = ("absent",)
    cloud.add_fault(Fault("network_anomaly", serial=modules[0]))
    await live.restart(entry, stopped_for=31)
    await live(2)
    assert states_of(hass, entry, modules[0]).keys() == before
    assert [state(hass, "online", serial) for serial in modules] == ["off", "on", "on"]
    cloud.clear_faults()
    await live(6)
    assert state(hass, "online", modules[0]) == "on"
    assert "unique ID" not in caplog.text


async def test_f14_a_tower_without_modules(hass: HomeAssistant, live: Live) -> None:
    device = one("tower-t17")
    cloud, entry = await live.start(device)
    await live(6)
    assert {call.serial for call in cloud.calls if call.path == REALTIME and cloud.device(call.serial)} == {
        device.serial
    }
    assert device_serials(hass, entry) == {device.serial}
    assert number(hass, "voltage", device.serial) > 300


@pytest.mark.parametrize(
    ("device", "count"),
    [
        pytest.param(one("dl5-1"), 16, id="16"),
        pytest.param(one("powerbrick-a-1"), 16, id="F13"),
        pytest.param(LowVoltage(serial="DEMOFIFTEEN-BMS", model=replace(DL5, cells=15)), 15, id="15"),
        pytest.param(one("tower-t14"), 30, id="30"),
        pytest.param(one("stack100-7s"), 16, id="16 of 30"),
    ],
)
async def test_f15_exactly_the_cells_that_exist(hass: HomeAssistant, live: Live, device: Storage, count: int) -> None:
    await live.start(device, single_cells=True)
    for serial in serials_of(device):
        assert [key for key in CELL_VOLTAGES if state(hass, key, serial)] == list(CELL_VOLTAGES[:count])
        assert all(number(hass, key, serial) > 2.5 for key in CELL_VOLTAGES[:count])


async def test_f16_f17_each_master_shows_its_own(hass: HomeAssistant, live: Live) -> None:
    """And a row of the list that is no battery is no device."""
    first, second = one("dl5-1", seed=0), replace(one("dl5-2", seed=1), serial="DEMOSECOND-BMS")
    towers, others = build("tower-pair"), [*build("dl5-6-coordinator"), *build("powerbox-g2-listed-twice")]
    masters = [first, second, *towers, others[0], others[2]]
    _, entry = await live.start(first, second, *towers, *others)
    await live(1)
    modules = [serial for master in masters for serial in serials_of(master)]
    assert device_serials(hass, entry) == {*(master.serial for master in masters), *modules}
    for master in masters:
        truth = master.truth(datetime.now(UTC))
        for key in ("soc", "voltage", "current", "cell_voltage_max"):
            assert number(hass, key, master.serial) == pytest.approx(truth[key]), (master.serial, key)
    assert number(hass, "voltage", first.serial) != number(hass, "voltage", second.serial)
    # Behind a combiner box both towers show the current of the whole system.
    assert number(hass, "current", towers[0].serial) == number(hass, "current", towers[1].serial)
