"""Every emulated device in a real Home Assistant: each quantity that it has, with its value, and none besides."""

from collections.abc import AsyncGenerator, Generator, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
import logging
from unittest.mock import PropertyMock, patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.const import CONF_SINGLE_CELLS
from custom_components.dyness_atess.telemetry.vocabulary import PROTECTIONS, WARNINGS
from emulator.dyness.catalogue import CATALOGUE, build
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.devices import Device
from emulator.dyness.storage import Storage

from .conftest import Poll, account_entry

NOON = datetime(2026, 3, 23, 11, 0, tzinfo=UTC)
EVENING = NOON + timedelta(hours=8)

OUR_NAMES = {
    "heating": "heater",
    "inverter_module_temperature": "power_module_temperature",
    "inverter_power": "output_power",
    "temperature": "battery_temperature",
    **{
        f"output{number}_{what}": f"output_{number}_{what}"
        for number in (1, 2)
        for what in ("voltage", "current", "power")
    },
}
"""What the emulator calls otherwise; the numbered ones are as in cell_temperature_1."""
FOLLOWS = {"alarm", "charging", "energy_charged", "energy_discharged", "energy_rated", "energy_remaining", "online"}
FOLLOWS |= {"warning", "work_status"}
"""What we tell from other quantities, or the device list tells."""
BITS = WARNINGS | PROTECTIONS
"""None of them is on, and the truth does not name them all."""
COARSE = {"soc": 0.051, "energy_remaining": 0.006}
"""Half a step of what is divided, or rounded by the points, while the truth is neither."""


@pytest.fixture(params=CATALOGUE)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def cloud(name: str, freezer: FrozenDateTimeFactory) -> AsyncGenerator[DynessCloud]:
    """A cloud with what the catalogue has under this name, at noon."""
    freezer.move_to(NOON)
    cloud = DynessCloud(devices=build(name), clock=lambda: NOON, calls_per_second=None)
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


@pytest.fixture(autouse=True)
def _all_enabled() -> Generator[None]:
    """Enable what is off by default too."""
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", PropertyMock(return_value=True)):
        yield


@pytest.fixture
def entry(hass: HomeAssistant, cloud: DynessCloud) -> MockConfigEntry:
    """Its account, with single cells."""
    entry = account_entry(cloud, options={CONF_SINGLE_CELLS: True})
    entry.add_to_hass(hass)
    return entry


def with_modules(devices: Iterable[Device]) -> list[Device]:
    return [one for device in devices for one in (device, *device.modules)]


def states_of(hass: HomeAssistant, entry: MockConfigEntry, serial: str) -> dict[str, str]:
    """Return the states of a device by key. No two entities have the same unique id."""
    found = {}
    for registered in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        owner, _, key = registered.unique_id.rpartition("-")
        state = hass.states.get(registered.entity_id)
        if owner == serial and state:
            assert key not in found, registered.unique_id
            found[key] = state.state
    return found


def differs(key: str, state: str | None, true: float | str | bool, device: Device) -> bool:
    """Whether a state is not what the device measured."""
    if state is None:
        return True
    if isinstance(true, bool):
        return state != ("on" if true else "off")
    if key == "last_report":
        return dt_util.parse_datetime(state) != dt_util.parse_datetime(str(true))
    if isinstance(true, str):
        return state != true
    try:
        number = float(state)
    except ValueError:
        return True
    tolerance = COARSE.get(key, 1e-6)
    if key == "energy_remaining" and isinstance(device, Storage):
        # From a state of charge in whole percent.
        tolerance += device.energy_rated / 100
    return abs(number - true) > tolerance


def follows(device: Device) -> set[str]:
    """Return what may be there besides what the device measured."""
    # The number that the cloud has of a cell, right or not (#32).
    stuck = {"cell_voltage_max_cell", "cell_voltage_min_cell"} if getattr(device, "index_stuck", False) else set()
    return FOLLOWS | stuck


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


async def test_every_quantity(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    cloud: DynessCloud,
    poll: Poll,
    freezer: FrozenDateTimeFactory,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    wrong = []
    for now in (NOON, EVENING):
        cloud.clock = partial(datetime.fromisoformat, now.isoformat())
        freezer.move_to(now)
        await poll(0)
        for device in with_modules(cloud.devices.values()):
            states = states_of(hass, entry, device.serial)
            true = expected(device, now)
            wrong += [
                (device.serial, key, states.get(key), value)
                for key, value in true.items()
                if differs(key, states.get(key), value, device)
            ]
            wrong += [
                (device.serial, key, state, "nothing")
                for key, state in states.items()
                if key not in true.keys() | follows(device) and (key not in BITS or state != "off")
            ]
            wrong += [
                (device.serial, key, value, "a value")
                for key, value in states.items()
                if value in ("unknown", "unavailable")
            ]
    assert not wrong
    assert not [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and record.name not in ("homeassistant.loader", "asyncio")
        # Once, of a coordinator or dongle that is listed beside its battery.
        and "no points" not in record.getMessage()
    ]
