"""What a released version has registered and stored, today's code takes over: nothing doubled, nothing orphaned."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
import json
import os
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.const import DOMAIN
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.dyness.catalogue import build
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus
from emulator.server import EmulatedCloud

from .conftest import Poll

FIXTURES = Path(__file__).parents[1] / "fixtures"
RELEASES = sorted(path.name for path in FIXTURES.glob("v*"))
MAKE = os.environ.get("MAKE_FIXTURES", "")
PBD = "DEMOPBD001"
DESCRIPTION = ("name", "manufacturer", "model", "model_id", "serial_number", "sw_version")
MORNING = datetime(2026, 6, 10, 7, 0, tzinfo=UTC)
ENTRIES = {"dyness": "01DYNESS0000000000000000AB", "atess": "01ATESS00000000000000000AB"}


@pytest.fixture
async def clouds(freezer: FrozenDateTimeFactory) -> AsyncGenerator[dict[str, EmulatedCloud]]:
    """A PowerHaus with its module, a tower with its modules, a PBD."""
    freezer.move_to(MORNING)
    masters = [PowerHaus(), *build("tower-t14")]
    clouds: dict[str, EmulatedCloud] = {
        "dyness": DynessCloud(devices=masters, calls_per_second=None),
        "atess": AtessCloud(devices=[Pbd(serial=PBD)]),
    }
    for cloud in clouds.values():
        await cloud.start()
    yield clouds
    for cloud in clouds.values():
        await cloud.stop()
        assert not cloud.writes


def entry_of(name: str, content: dict[str, Any], cloud: EmulatedCloud) -> MockConfigEntry:
    """Return an entry as it was stored, with the address that its cloud has today."""
    address = {"dyness": "region", "atess": "server"}[name]
    return MockConfigEntry(
        domain=DOMAIN,
        **{key: value for key, value in content.items() if key not in ("data", "subentries")},
        data=content["data"] | {address: cloud.url},
        subentries_data=content["subentries"],
    )


NEW: dict[str, dict[str, Any]] = {
    "dyness": {
        "entry_id": ENTRIES["dyness"],
        "title": "Dyness",
        "unique_id": "dyness:demo-app-id",
        "version": 1,
        "data": {"app_id": "demo-app-id", "app_secret": "demo-app-secret"},
        "options": {},
        "subentries": [],
    },
    "atess": {
        "entry_id": ENTRIES["atess"],
        "title": "ATESS",
        "unique_id": "atess:demo-api-id",
        "version": 1,
        "data": {"api_id": "demo-api-id", "api_token": "demo-api-token"},
        "options": {},
        "subentries": [
            {
                "subentry_id": "01PBD0000000000000000000AB",
                "data": {"device_sn": PBD},
                "subentry_type": "pbd",
                "title": PBD,
                "unique_id": PBD,
            }
        ],
    },
}


async def start(hass: HomeAssistant, entries: list[MockConfigEntry]) -> None:
    for entry in entries:
        if entry.state is not ConfigEntryState.LOADED:  # the first one sets up the integration, and so the others
            assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.state is ConfigEntryState.LOADED


@pytest.mark.skipif(not MAKE, reason="makes the files of a release")
async def test_make(
    hass: HomeAssistant, clouds: dict[str, EmulatedCloud], poll: Poll, hass_storage: dict[str, Any]
) -> None:
    """Live from the morning into the afternoon, and write down what is left of it."""
    entries = {name: entry_of(name, content, clouds[name]) for name, content in NEW.items()}
    for entry in entries.values():
        entry.add_to_hass(hass)
    await start(hass, list(entries.values()))
    for _ in range(100):
        await poll(5.0)
    for entry in entries.values():
        assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    left: dict[str, Any] = {"entries": NEW, "devices": [], "entities": [], "storage": {}}
    for entry in entries.values():
        ids: dict[str, str] = {}
        devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
        for device in sorted(devices, key=lambda device: device.via_device_id is not None):
            ((_, serial),) = device.identifiers
            ids[device.id] = serial
            left["devices"].append(
                {
                    "entry_id": entry.entry_id,
                    "subentry_id": device.config_subentry_id,
                    "identifier": serial,
                    "via": ids.get(device.via_device_id or ""),
                    "entry_type": device.entry_type,
                }
                | {name: getattr(device, name) for name in DESCRIPTION}
            )
        left["entities"] += [
            [
                *(entry.entry_id, entity.config_subentry_id, ids.get(entity.device_id or "")),
                *(entity.unique_id, entity.entity_id, entity.disabled_by),
            ]
            for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        ]
        key = f"{DOMAIN}.{entry.entry_id}"
        left["storage"][key] = hass_storage[key]
    directory = FIXTURES / MAKE
    assert not directory.exists(), "A release is never changed"
    directory.mkdir()
    for name, content in left.items():
        lines = [json.dumps(item, ensure_ascii=False) for item in content] if isinstance(content, list) else None
        text = "[\n" + ",\n".join(lines) + "\n]" if lines else json.dumps(content, indent=1, ensure_ascii=False)
        (directory / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def load(release: str, name: str) -> Any:
    return json.loads((FIXTURES / release / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("release", RELEASES)
async def test_upgrade(
    hass: HomeAssistant,
    clouds: dict[str, EmulatedCloud],
    poll: Poll,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    release: str,
) -> None:
    freezer.tick(3 * 86_400)
    stored = load(release, "entries")
    entries = [entry_of(name, content, clouds[name]) for name, content in stored.items()]
    for entry in entries:
        entry.add_to_hass(hass)
    hass_storage |= load(release, "storage")
    device_registry, entity_registry = dr.async_get(hass), er.async_get(hass)
    ids: dict[str, str] = {}
    for device in load(release, "devices"):
        ids[device["identifier"]] = device_registry.async_get_or_create(
            config_entry_id=device["entry_id"],
            config_subentry_id=device["subentry_id"],
            identifiers={(DOMAIN, device["identifier"])},
            entry_type=device["entry_type"] and dr.DeviceEntryType(device["entry_type"]),
            via_device_id=ids.get(device["via"]),
            **{name: device[name] for name in DESCRIPTION},
        ).id
    by_id = {entry.entry_id: entry for entry in entries}
    entities = load(release, "entities")
    for entry_id, subentry_id, identifier, unique_id, entity_id, disabled_by in entities:
        domain, _, name = entity_id.partition(".")
        registered = entity_registry.async_get_or_create(
            domain,
            DOMAIN,
            unique_id,
            config_entry=by_id[entry_id],
            config_subentry_id=subentry_id,
            device_id=ids.get(identifier),
            suggested_object_id=name,
            disabled_by=disabled_by and er.RegistryEntryDisabler(disabled_by),
        )
        assert registered.entity_id == entity_id

    await start(hass, entries)
    await poll(5.1)

    now = {entity.unique_id: entity for entity in entity_registry.entities.values() if entity.platform == DOMAIN}
    for _, _, identifier, unique_id, entity_id, disabled_by in entities:
        entity = now[unique_id]
        assert entity.entity_id == entity_id
        assert entity.device_id == ids.get(identifier)
        assert entity.disabled_by == disabled_by
        if not disabled_by:
            state = hass.states.get(entity_id)
            assert state, entity_id
            assert "restored" not in state.attributes, f"{unique_id} is an orphan"
            assert state.state != "unavailable", unique_id
    assert {device.id for device in device_registry.devices} == set(ids.values())
    new = now.keys() - {unique_id for _, _, _, unique_id, *_ in entities}
    assert not [now[unique_id].entity_id for unique_id in new if now[unique_id].entity_id.endswith(("_2", "_3"))]
    for key, before in load(release, "storage").items():
        after = by_id[key.partition(".")[2]].runtime_data.memory
        for serial, content in before["data"].items():
            for name, total in content.get("totals", {}).items():
                assert after.recall(serial)["totals"][name] >= total
            assert after.recall(serial).get("modules", {}) == content.get("modules", {})


def test_there_is_something_to_upgrade_from() -> None:
    assert "v0_1_0" in RELEASES
    unique_ids = {unique_id for _, _, _, unique_id, *_ in load("v0_1_0", "entities")}
    assert {"R07E00000000DEMO-BMS-soc", "DEMO000000000001-cell_01_voltage", f"{PBD}-pv_power"} <= unique_ids
    assert len(unique_ids) > 300
