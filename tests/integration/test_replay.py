"""A download of each emulated device, given back to the emulator, makes the same device again."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.const import DOMAIN
from custom_components.dyness_atess.telemetry.vocabulary import TODAY
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Hps, Pbd
from emulator.dyness.catalogue import CATALOGUE, build
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import PbdReplay, replay_all
from emulator.server import EmulatedCloud

from .conftest import Poll, account_entry, states_of
from .test_diagnostics import download

NOON = datetime(2026, 6, 10, 10, 0, tzinfo=UTC)

type States = dict[tuple[str, str], str]

pytestmark = pytest.mark.usefixtures("everything_on")


@pytest.fixture(autouse=True)
def _at_noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOON)


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


type Start = Callable[..., Awaitable[tuple[EmulatedCloud, MockConfigEntry]]]


@pytest.fixture
async def start(hass: HomeAssistant) -> AsyncGenerator[Start]:
    """Set an account up with these devices; those that are not listed are added by hand."""
    clouds: list[EmulatedCloud] = []

    async def start(*devices: Any, **options: Any) -> tuple[EmulatedCloud, MockConfigEntry]:
        is_atess = isinstance(devices[0], Pbd)
        clouds.append(AtessCloud(devices=devices) if is_atess else DynessCloud(devices=devices))
        await clouds[0].start()
        unlisted = [device.serial for device in devices if is_atess or not device.listed]
        entry = account_entry(clouds[0], *unlisted, options=options)
        await set_up(hass, entry)
        return clouds[0], entry

    yield start
    await clouds[0].stop()
    assert not clouds[0].writes


def masters_of(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str | None, tuple[str | None, str]]:
    """Return the master of each device by serial number, and the number that a module has."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    serials = {device.id: device.serial_number for device in devices}
    return {
        device.serial_number: (serials[device.via_device_id], (device.name or "").rpartition(" ")[2])
        if device.via_device_id
        else (None, "")
        for device in devices
        if device.serial_number  # which the account as a whole has not
    }


def states(hass: HomeAssistant, entry: MockConfigEntry, names: dict[str, str]) -> States:
    """Return the states of an account's devices by name and key, but for what has flown today."""
    found = {serial: states_of(hass, entry, serial) for serial in entry.runtime_data.devices}
    of_all = {(names[serial], key): shown for serial, of in found.items() for key, shown in of.items()}
    return {name: shown for name, shown in of_all.items() if name[1] not in TODAY}  # it is another day


def computed(content: Any) -> set[tuple[str, str]]:
    """Return what differs by its nature.

    When a sample was taken, and what is added up from the first sample on, where no counter of the device is confirmed.
    """
    found = set()
    for device in content["devices"]:
        counters = device["remembered"].get("energies", {}).get("counters", {})
        metered = {key for key in ("energy_charged", "energy_discharged") if not counters.get(key, [None])[0]}
        found |= {(device["serial"], key) for key in {"last_report", *metered}}
    return found


type RoundTrip = Callable[..., Awaitable[tuple[States, States]]]


@pytest.fixture
def round_trip(hass: HomeAssistant, poll: Poll, tmp_path: Path) -> RoundTrip:
    """Return the states of an account before, by the serial numbers of its download, and those of its replay."""

    async def round_trip(
        cloud: EmulatedCloud, entry: MockConfigEntry, polls: int = 0, hass_storage: Any = None
    ) -> tuple[States, States]:
        """With `hass_storage` the new account also gets what the old one remembered, as the download has it."""
        text = await download(hass, entry)
        path = tmp_path / "download.json"
        path.write_text(text, encoding="utf-8")
        content = json.loads(text)["data"]
        names = dict(zip(entry.runtime_data.devices, (device["serial"] for device in content["devices"]), strict=True))
        before, masters = states(hass, entry, names), masters_of(hass, entry)
        await hass.config_entries.async_remove(entry.entry_id)
        cloud.devices = {device.serial: device for device in replay_all(path)}
        await poll(24 * 60 + 123)  # another day, another time of it
        unlisted = [
            device.serial
            for device, recorded in zip(cloud.devices.values(), content["devices"], strict=True)
            if recorded["master"] is None and (isinstance(device, PbdReplay) or not device.listed)
        ]
        again = account_entry(cloud, *unlisted, options=content["entry"]["options"])
        if hass_storage is not None:
            memory = {device["serial"]: device["remembered"] for device in content["devices"]}
            hass_storage[f"{DOMAIN}.{again.entry_id}"] = {"version": 1, "minor_version": 1, "key": "", "data": memory}
        await set_up(hass, again)
        for _ in range(polls):
            await poll()
        named = {names[serial]: (master and names[master], number) for serial, (master, number) in masters.items()}
        assert masters_of(hass, again) == named
        after = states(hass, again, {serial: serial for serial in again.runtime_data.devices})
        for differing in computed(content):
            assert (before.pop(differing, None) is None) == (after.pop(differing, None) is None)
        return before, after

    return round_trip


@pytest.mark.parametrize("name", CATALOGUE)
async def test_every_family(start: Start, name: str, poll: Poll, round_trip: RoundTrip) -> None:
    devices = build(name)
    cloud, entry = await start(*devices, single_cells=True)
    # Those whose list of modules leaves one out, or all of them, show each in some minutes.
    for _ in range(8 if name.endswith("flapping") else 0):
        await poll()
    assert set(entry.runtime_data.devices) == {one.serial for device in devices for one in (device, *device.modules)}
    before, after = await round_trip(cloud, entry)
    assert after == before
    if name != "future-nameless":
        assert len(before) > 10
        assert "unavailable" not in before.values()


CONVERTERS: dict[str, Pbd] = {
    "decimals": Pbd(),
    "integers": Pbd(measures="integers"),
    "everything else": Pbd(measures="tenths", positive="charging", inputs=3),
    "no BMS": Pbd(has_bms=False),
    "no battery": Pbd(has_battery=False),
    "HPS": Hps(),
}


@pytest.mark.parametrize("device", CONVERTERS.values(), ids=CONVERTERS)
@pytest.mark.parametrize("is_night", [False, True])
async def test_converter(
    start: Start, poll: Poll, round_trip: RoundTrip, hass_storage: Any, device: Pbd, is_night: bool
) -> None:
    """What its numbers mean is learned anew, but not at night, and the load of an HPS only from its counter.

    The download has what was learned before.
    """
    cloud, entry = await start(device)
    for _ in range(10):
        await poll()
    for _ in range(14 if is_night else 0):
        await poll(60)
    storage = hass_storage if is_night or isinstance(device, Hps) else None
    before, after = await round_trip(cloud, entry, polls=10, hass_storage=storage)
    assert after == before
    assert len(before) > 25
    assert "unavailable" not in before.values()
    assert (float(before[next(iter(before))[0], "pv_power"]) == 0) == is_night


@pytest.mark.parametrize("fields", [{}, {"listed": False}, {"absent": frozenset({"800"})}])
async def test_account(start: Start, round_trip: RoundTrip, fields: dict[str, Any]) -> None:
    """With options, a battery that is not listed, or a state of charge that only the history has."""
    (battery,) = build("dl5-3", **fields)
    cloud, entry = await start(battery, single_cells=False, capacity={battery.serial: 7.5})
    before, after = await round_trip(cloud, entry)
    assert after == before
    (master, _) = next(iter(before))
    assert float(after[master, "soc"]) > 0
    assert after[master, "energy_rated"] == "7.5"


@pytest.mark.parametrize(
    ("name", "answer", "marks"),
    [
        ("cygni", "running", {"loadPower", "gridPower", "safetyCountry"}),
        ("dl5-3", "station", {"batteryCapacity", "installedPower"}),
    ],
)
async def test_other_endpoints(hass: HomeAssistant, start: Start, name: str, answer: str, marks: set[str]) -> None:
    """What they said is in the download as it came, with all that nobody uses."""
    _, entry = await start(*build(name))
    (device, *_) = json.loads(await download(hass, entry))["data"]["devices"]
    assert marks <= device[answer].keys()
    assert device["received_at"]


def test_bare_record_of_a_pbd(tmp_path: Path) -> None:
    record = Pbd(serial="PBD-A1").record(NOON)
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"code": 0, "data": record, "msg": ""}), encoding="utf-8")
    (device,) = replay_all(path, current=False)
    assert isinstance(device, PbdReplay)
    assert device.serial == "PBD-A1"
    assert device.record(NOON) == record
