"""A download of each emulated device, given back to the emulator, makes the same device again."""

from collections.abc import AsyncGenerator, Generator, Mapping
from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any
from unittest.mock import PropertyMock, patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.const import CONF_CAPACITY, CONF_SINGLE_CELLS, DOMAIN
from custom_components.dyness_atess.telemetry.vocabulary import LIFETIME
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.dyness.catalogue import CATALOGUE, build
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.devices import Device
from emulator.dyness.replay import PbdReplay, replay_all
from emulator.server import EmulatedCloud

from .conftest import Poll, account_entry
from .test_diagnostics import download

NOON = datetime(2026, 6, 10, 10, 0, tzinfo=UTC)
PERIOD = 5.0

type States = dict[tuple[str, str], str]


@pytest.fixture(autouse=True)
def _all_enabled() -> Generator[None]:
    """Enable what is off by default too."""
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", PropertyMock(return_value=True)):
        yield


@pytest.fixture(autouse=True)
def _at_noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOON)


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


def states_of(hass: HomeAssistant, entry: MockConfigEntry) -> States:
    """Return the states of an account's devices by serial number and key."""
    found = {}
    for registered in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        serial, _, key = registered.unique_id.rpartition("-")
        if serial in entry.runtime_data.devices:
            state = hass.states.get(registered.entity_id)
            assert state
            found[serial, key] = state.state
    return found


def masters_of(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, tuple[str | None, str | None]]:
    """Return the master of each device by serial number, and the number that a module has."""
    registry = dr.async_get(hass)
    devices = {device.id: device for device in dr.async_entries_for_config_entry(registry, entry.entry_id)}
    serial = {device.id: device.serial_number for device in devices.values() if device.serial_number}
    return {
        serial[device.id]: (serial.get(device.via_device_id or ""), (device.name or "").rpartition(" ")[2])
        if device.via_device_id
        else (None, None)
        for device in devices.values()
        if device.id in serial
    }


def computed(content: Any) -> set[tuple[str, str]]:
    """Return what differs by its nature.

    When a sample was taken, and energies: they are metered from the first sample on, or wait for a second one.
    """
    keys = ("last_report", *LIFETIME)
    return {(device["serial"], str(key)) for device in content["devices"] for key in keys}


async def round_trip(
    hass: HomeAssistant,
    cloud: EmulatedCloud,
    entry: MockConfigEntry,
    poll: Poll,
    path: Path,
    *,
    polls: int = 0,
    hass_storage: dict[str, Any] | None = None,
) -> tuple[States, States]:
    """Return the states of an account before, by the serial numbers of its download, and those of its replay.

    With `hass_storage` the new account also gets what the old one remembered, as the download has it.
    """
    text = await download(hass, entry)
    path.write_text(text, encoding="utf-8")  # noqa: ASYNC240
    content = json.loads(text)["data"]
    originals = list(entry.runtime_data.devices)
    names = dict(zip(originals, (device["serial"] for device in content["devices"]), strict=True))
    before = {(names[serial], key): state for (serial, key), state in states_of(hass, entry).items()}
    masters = masters_of(hass, entry)
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
        await poll(PERIOD)
    assert masters_of(hass, again) == {
        names[serial]: (names.get(master or ""), number) for serial, (master, number) in masters.items()
    }
    after = states_of(hass, again)
    for state in computed(content):
        assert (before.pop(state, None) is None) == (after.pop(state, None) is None)
    return before, after


@pytest.fixture(params=CATALOGUE)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_every_family(hass: HomeAssistant, name: str, poll: Poll, tmp_path: Path) -> None:
    devices: list[Device] = [*build(name)]
    cloud = DynessCloud(devices=devices, calls_per_second=None)
    await cloud.start()
    entry = account_entry(cloud, options={CONF_SINGLE_CELLS: True})
    await set_up(hass, entry)
    # Those whose list of modules leaves one out, or all of them, show each in some minutes.
    for _ in range(8 if name.endswith("flapping") else 0):
        await poll(PERIOD)
    reachable = {one.serial for device in devices for one in (device, *device.modules)}
    assert set(entry.runtime_data.devices) == reachable
    before, after = await round_trip(hass, cloud, entry, poll, tmp_path / "download.json")
    await cloud.stop()
    assert after == before
    assert not cloud.writes
    if name != "future-nameless":
        assert len(before) > 10
        assert "unavailable" not in before.values()


PBDS: dict[str, dict[str, Any]] = {
    "kW with decimals": {},
    "whole kW": {"power_unit": "kW_integer", "measures": "integers"},
    "everything else": {
        "power_unit": "W",
        "measures": "tenths",
        "positive": "charging",
        "ppv_is_total": True,
        "inputs": 3,
    },
    "no BMS": {"has_bms": False},
}


@pytest.fixture(params=PBDS.values(), ids=PBDS.keys())
async def pbds(request: pytest.FixtureRequest) -> AsyncGenerator[AtessCloud]:
    """An ATESS cloud with a PBD."""
    cloud = AtessCloud(devices=[Pbd(serial="PBD-A1", **request.param)])
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


async def test_pbd(hass: HomeAssistant, pbds: AtessCloud, poll: Poll, tmp_path: Path) -> None:
    """What its numbers mean is learned anew, where its battery works."""
    entry = account_entry(pbds, *pbds.devices)
    await set_up(hass, entry)
    for _ in range(20):
        await poll(PERIOD)
    before, after = await round_trip(hass, pbds, entry, poll, tmp_path / "download.json", polls=20)
    assert after == before
    assert len(before) > 38
    assert "unavailable" not in before.values()


async def test_pbd_at_rest(
    hass: HomeAssistant, pbds: AtessCloud, poll: Poll, tmp_path: Path, hass_storage: dict[str, Any]
) -> None:
    """A night tells nothing of units, signs and panels: the download has what the days before have told."""
    entry = account_entry(pbds, *pbds.devices)
    await set_up(hass, entry)
    for _ in range(20):
        await poll(PERIOD)
    for _ in range(14):
        await poll(60)
    before, after = await round_trip(
        hass, pbds, entry, poll, tmp_path / "download.json", hass_storage=hass_storage, polls=1
    )
    assert after == before
    assert before[next(iter(before))[0], "pv_power"] in ("0", "0.0")


async def start(hass: HomeAssistant, name: str, options: Mapping[str, Any], **fields: Any) -> Any:
    """Set an account up with a device of the catalogue; one that is not listed is added by hand."""
    cloud = DynessCloud(devices=build(name, **fields), calls_per_second=None)
    await cloud.start()
    (serial,) = cloud.devices
    unlisted = [serial] if fields.get("listed") is False else []
    entry = account_entry(cloud, *unlisted, options=options | {CONF_CAPACITY: {serial: 7.5}} if options else {})
    await set_up(hass, entry)
    return cloud, entry


async def test_options(hass: HomeAssistant, poll: Poll, tmp_path: Path) -> None:
    cloud, entry = await start(hass, "dl5-3", {CONF_SINGLE_CELLS: False})
    before, after = await round_trip(hass, cloud, entry, poll, tmp_path / "download.json")
    await cloud.stop()
    assert after == before
    assert before[next(iter(before))[0], "energy_rated"] == "7.5"


async def test_device_that_is_not_listed(hass: HomeAssistant, poll: Poll, tmp_path: Path) -> None:
    cloud, entry = await start(hass, "stack100-7s", {}, listed=False)
    before, after = await round_trip(hass, cloud, entry, poll, tmp_path / "download.json")
    await cloud.stop()
    assert after == before


async def test_state_of_charge_from_history(hass: HomeAssistant, poll: Poll, tmp_path: Path) -> None:
    """Records stay as old as they were."""
    cloud, entry = await start(hass, "dl5-1", {}, absent=frozenset({"800"}))
    (device, *_) = json.loads(await download(hass, entry))["data"]["devices"]
    assert {"soc", "createTime", "realTimePower"} <= device["history"][-1].keys()
    before, after = await round_trip(hass, cloud, entry, poll, tmp_path / "download.json")
    await cloud.stop()
    assert after == before
    assert float(after[device["serial"], "soc"]) > 0


@pytest.mark.parametrize(
    ("name", "answer", "marks"),
    [
        ("cygni", "running", {"loadPower", "gridPower", "safetyCountry"}),
        ("dl5-3", "station", {"batteryCapacity", "installedPower"}),
    ],
)
async def test_other_endpoints(hass: HomeAssistant, name: str, answer: str, marks: set[str]) -> None:
    """What they said is in the download as it came, with all that nobody uses."""
    cloud, entry = await start(hass, name, {})
    (device, *_) = json.loads(await download(hass, entry))["data"]["devices"]
    await cloud.stop()
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
