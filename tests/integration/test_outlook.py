"""What an owner plans by: time to full and to empty, and a low battery (product contract, section 8)."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from emulator.dyness.storage import Storage
from emulator.faults import Fault

from .conftest import Live, number, one, state, states_of

TIMES = ("time_to_full", "time_to_empty")
EVENING = 8 * 60
"""minutes after noon"""


async def set_options(hass: HomeAssistant, live: Live, entry: MockConfigEntry, **changes: Any) -> None:
    """Fill the form in."""
    form: Any = await hass.config_entries.options.async_init(entry.entry_id)
    answer = {"single_cells": False, "hourly_calls": 120} | changes
    await live.until(hass.config_entries.options.async_configure(form["flow_id"], answer))
    await live(0.1)


def times(hass: HomeAssistant, device: Storage) -> dict[str, str]:
    """Return those that have a value."""
    found = {key: state(hass, key, device.serial) or "missing" for key in TIMES}
    return {key: value for key, value in found.items() if value != "unavailable"}


async def test_a_day(hass: HomeAssistant, live: Live) -> None:
    """One of the two, as the battery does; none when it is idle, full or down to its reserve."""
    device = one("dl5-1")
    await live.start(device)
    assert times(hass, device) == {}
    shown = hass.states.get("sensor.dl5_0c_time_to_full")
    assert shown
    described = {"device_class": "duration", "unit_of_measurement": "min", "state_class": "measurement"}
    assert described.items() <= shown.attributes.items()
    seen, wrong = set[str](), list[Any]()

    def look() -> None:
        status, found = state(hass, "status", device.serial), times(hass, device)
        soc = number(hass, "soc", device.serial)
        right = {"charging": {"time_to_full"}, "discharging": {"time_to_empty"}}.get(status or "", set())
        if not found.keys() <= right or (soc >= 99 and "time_to_full" in found) or (soc <= 10 and found):
            wrong.append((status, soc, found))
        if not all(value.isdecimal() for value in found.values()):
            wrong.append(found)
        seen.update({*found, status or ""})

    await live(24 * 60, look)
    assert not wrong
    assert seen == {*TIMES, "charging", "discharging", "idle"}


async def test_another_reserve(hass: HomeAssistant, live: Live) -> None:
    """It counts at once, without a reload or a call."""
    live.freezer.tick(EVENING * 60)
    device = one("dl5-1")
    cloud, entry = await live.start(device)
    await live(30)
    account, before = entry.runtime_data, number(hass, "time_to_empty", device.serial)
    soc, power = (number(hass, key, device.serial) for key in ("soc", "power"))
    assert soc > 45
    cloud.calls.clear()
    await set_options(hass, live, entry, reserve=40)
    after = number(hass, "time_to_empty", device.serial)
    assert after == pytest.approx(before * (soc - 40) / (soc - 10), rel=0.05)
    assert power > 0
    await set_options(hass, live, entry, reserve=90)
    assert times(hass, device) == {}
    await set_options(hass, live, entry)
    assert entry.options["reserve"] == 10
    assert number(hass, "time_to_empty", device.serial) == before
    assert not cloud.calls
    assert entry.runtime_data is account


async def test_a_restart(hass: HomeAssistant, live: Live) -> None:
    live.freezer.tick(EVENING * 60)
    device = one("dl5-1")
    _, entry = await live.start(device)
    await live(33)
    before = times(hass, device)
    assert before.keys() == {"time_to_empty"}
    await live.restart(entry)
    assert times(hass, device) == before
    await live.restart(entry, stopped_for=25)
    assert times(hass, device) == {}  # the power of the last half hour is not known
    await live(11)
    assert times(hass, device).keys() == {"time_to_empty"}


async def test_an_old_sample(hass: HomeAssistant, live: Live) -> None:
    """Values stay for half an hour; what is told of the future does not."""
    live.freezer.tick(EVENING * 60)
    device = one("dl5-1")
    cloud, _ = await live.start(device)
    await live(30)
    assert times(hass, device)
    cloud.add_fault(Fault("rate_limited"))
    await live(12)
    assert times(hass, device)
    await live(8)
    assert times(hass, device) == {}
    assert number(hass, "soc", device.serial)


@pytest.mark.usefixtures("everything_on")
async def test_a_low_battery(hass: HomeAssistant, live: Live) -> None:
    live.freezer.tick(EVENING * 60)
    device = one("dl5-1")
    _, entry = await live.start(device)
    changes: list[tuple[str | None, float]] = []

    def look() -> None:
        soc, power = (number(hass, key, device.serial) for key in ("soc", "power"))
        low = state(hass, "battery_low", device.serial)
        if not changes or changes[-1][0] != low:
            changes.append((low, soc))
        halves = [number(hass, key, device.serial) for key in ("charge_power", "discharge_power")]
        assert halves == [max(-power, 0), max(power, 0)]

    await live(16 * 60, look)
    assert changes[1:] == [("on", 15), ("off", 19)]
    (module,) = device.modules
    of_module = states_of(hass, entry, module.serial).keys()
    assert "power" in of_module
    assert not of_module & {"battery_low", "charge_power", "discharge_power"}
    assert [state(hass, key, module.serial) for key in TIMES] == [None, None]
