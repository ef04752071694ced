"""Every emulated device in a real Home Assistant: each quantity that it has, no other, and how it is offered."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
import logging
import re

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.telemetry.vocabulary import HEALTH, PROTECTIONS, WARNINGS
from emulator.dyness.catalogue import CATALOGUE, build
from emulator.dyness.devices import Device
from emulator.dyness.replay import Replay
from emulator.dyness.storage import Storage

from .conftest import PAYLOAD, SERIAL, Live, device_of, logged, number, one, serials_of, state, states_of

OUR_NAMES = {
    "heating": "heater",
    "inverter_module_temperature": "power_module_temperature",
    "inverter_power": "output_power",
    "temperature": "battery_temperature",
    **{f"output{n}_{what}": f"output_{n}_{what}" for n in (1, 2) for what in ("voltage", "current", "power")},
}
"""What the emulator calls otherwise; the numbered ones are as in cell_temperature_1."""
FOLLOWS = {"alarm", "charging", "energy_charged", "energy_discharged", "energy_rated", "energy_remaining", "online"}
FOLLOWS |= {"warning", "work_status", "battery_status", "energy_charged_today", "energy_discharged_today"}
FOLLOWS |= {"charge_power", "discharge_power", "battery_low", *HEALTH}
"""What follows from other quantities, or is in the device list."""
BITS = WARNINGS | PROTECTIONS
"""None of them is on, and the truth does not name them all."""
COARSE = {"soc": 0.051, "energy_remaining": 0.006}
"""Half a step of what is divided, or rounded by the points, while the truth is neither."""
CHINESE = re.compile(r"[\u3400-\u9fff]")


def with_modules(devices: Iterable[Device]) -> list[Device]:
    return [one for device in devices for one in (device, *device.modules)]


def differs(key: str, shown: str | None, true: float | str | bool, device: Device) -> bool:
    """Whether a state is not what the device measured."""
    if shown is None or isinstance(true, bool):
        return shown != ("on" if true else "off")
    if key == "last_report":
        return dt_util.parse_datetime(shown) != dt_util.parse_datetime(str(true))
    if isinstance(true, str):
        return shown != true
    try:
        measured = float(shown)
    except ValueError:
        return True
    tolerance = COARSE.get(key, 1e-6)
    if key == "energy_remaining" and isinstance(device, Storage):
        # From a state of charge in whole percent.
        tolerance += device.energy_rated / 100
    return abs(measured - true) > tolerance


def expected(device: Device, now: datetime) -> dict[str, float | str | bool]:
    """Return what the device measured, by our keys and signs."""
    truth = {OUR_NAMES.get(key, key): value for key, value in device.truth(now).items()}
    if "grid_power" in truth:
        truth["grid_power"] = -float(truth["grid_power"])  # positive while importing, as Home Assistant has it
    if truth.keys() & {"capacity_full"}:
        # Parameters of the module (dyness-api 6.3), not what it asks for now.
        for key in ("charge_current_limit", "discharge_current_limit"):
            truth.pop(key, None)
    return truth


def wrong(hass: HomeAssistant, entry: MockConfigEntry, device: Device, now: datetime) -> list[object]:
    """Return what is shown of a device and not so, or so and not shown."""
    states, true = states_of(hass, entry, device.serial), expected(device, now)
    # The number that the cloud has of a cell, right or not (#32).
    stuck = {"cell_voltage_max_cell", "cell_voltage_min_cell"} if getattr(device, "index_stuck", False) else set()
    on_or_measured = {key for key, shown in states.items() if key not in BITS or shown != "off"}
    return [
        *((key, states.get(key), value) for key, value in true.items() if differs(key, states.get(key), value, device)),
        *on_or_measured - true.keys() - FOLLOWS - stuck,
        *(key for key, shown in states.items() if shown in ("unknown", "unavailable")),
    ]


@pytest.mark.usefixtures("everything_on")
@pytest.mark.parametrize("name", sorted(CATALOGUE.keys() - {"future-nameless"}))
async def test_every_quantity(hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """At noon and in the evening; no word of the vendor (F47), and no serial number in the log."""
    caplog.set_level(logging.DEBUG, "custom_components.dyness_atess")
    devices = with_modules(build(name))
    _, entry = await live.start(*build(name), single_cells=True, hourly_calls=10_000)
    await live(16)
    for hours in (0, 8):
        live.freezer.tick(hours * 3600)
        await live(16)
        read = [(found, entry.runtime_data.devices.get(found.serial)) for found in devices]
        for _ in range(30):
            soon = datetime.now(UTC) + timedelta(seconds=15)
            if all(found.sampled_at == device.sample_time(soon) for device, found in read if found and found.data):
                break
            await live(0.2)
        await live(0.1)
        mistakes = {device.serial: wrong(hass, entry, device, datetime.now(UTC)) for device in devices}
        assert {serial: found for serial, found in mistakes.items() if found} == {}
    texts = [text for _, text in logged(caplog, logging.DEBUG)]
    assert not [text for text in texts if CHINESE.search(text) or any(device.serial in text for device in devices)]
    assert not [found for found in hass.states.async_all() if CHINESE.search(f"{found.state} {found.attributes}")]
    assert logged(caplog, logging.WARNING) == []


@pytest.mark.usefixtures("everything_on")
async def test_a_recorded_sample(hass: HomeAssistant, live: Live) -> None:
    """As it was recorded: months old, so that nothing but its age is current; and as if it came just now."""
    await hass.config.async_set_time_zone("Asia/Riyadh")
    live.freezer.tick(30 * 86400)
    cloud, _ = await live.start(Replay.from_file(PAYLOAD, current=False))
    assert state(hass, "last_report") == "2026-03-23T21:57:27+00:00"
    cloud.devices[SERIAL] = Replay.from_file(PAYLOAD)
    await live(16)
    shown = {key: number(hass, key, SERIAL) for key in ("soc", "voltage", "current", "cell_voltage_spread")}
    assert shown == {"soc": 100, "voltage": 53.2, "current": 0, "cell_voltage_spread": 2}


async def test_a_name_is_no_log_format(hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture) -> None:
    name = "Power%s\n2026-01-01 ERROR forged {0} \x1b[31m\u2028" + "x" * 1000
    cloud, _ = await live.start(one("tower-t17", model_name=name))
    cloud.devices.clear()
    await live(7)
    lines = [text for _, text in logged(caplog, logging.WARNING) if "Power%s 2026-01-01 ERROR forged {0} [31m" in text]
    assert lines
    assert all(text.isprintable() and len(text) < 300 for text in lines)


async def test_how_it_is_offered(hass: HomeAssistant, live: Live) -> None:
    """As masters and as modules are; which entities are on at first is in `tests/house/test_entities.py`."""
    battery, tower = one("dl5-2"), one("tower-t14")
    _, entry = await live.start(battery, tower)
    await live(16)
    masters, modules = {battery.serial, tower.serial}, {*serials_of(battery), *serials_of(tower)}
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    of = {found.unique_id: found for found in registered}
    batteries = {key for key, found in of.items() if found.original_device_class == "battery"}
    assert batteries == {f"{serial}-{key}" for serial in masters for key in ("soc", "battery_low")}
    assert {key for key in batteries if not of[key].disabled} == {f"{serial}-soc" for serial in masters}
    bits = {key for key in of if key.rpartition("-")[2] in BITS}
    assert {key.rpartition("-")[0] for key in bits} >= masters
    assert {key for key in bits if not of[key].disabled} == {key for key in bits if key.rpartition("-")[0] in masters}
    for serial in masters | modules:
        device = device_of(hass, entry, serial)
        assert device.configuration_url == "https://ems.dyness.com"
        assert (device.manufacturer, device.serial_number) == ("Dyness", serial)
        assert device.model
    for key in ("energy_charged", "energy_discharged"):
        found = hass.states.get(of[f"{battery.serial}-{key}"].entity_id)
        assert found
        assert (found.attributes["device_class"], found.attributes["state_class"]) == ("energy", "total_increasing")
    assert of[f"{battery.serial}-cell_voltage_max"].options["sensor"]["suggested_display_precision"] == 3


async def test_the_logbook_shows_events(hass: HomeAssistant, live: Live) -> None:
    """And not samples: an entity with a unit or a state class is none of its lines."""
    changes: Counter[str] = Counter()

    def count(entity_id: str) -> None:
        found = hass.states.get(entity_id)
        if found and not found.attributes.keys() & {"unit_of_measurement", "state_class"}:
            changes[entity_id] += 1

    await live.start(one("dl5-2"), one("tower-t14"))
    hass.bus.async_listen("state_changed", lambda event: count(event.data["entity_id"]))
    await live(120)
    assert max(changes.values()) <= 2, changes
    assert sum(changes.values()) < 20
