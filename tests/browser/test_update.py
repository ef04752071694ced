"""An update of what the first release has left in a home: nothing that an owner has built on it is lost."""

import asyncio
from collections.abc import AsyncGenerator
import json
from pathlib import Path
from typing import Any

import pytest

from emulator.household import DOMAIN, Household, household
from tests.browser.first_release import FILES, USER, Clouds, entity_registry, furnish, running_clouds

PATIENCE = 60


@pytest.fixture
async def clouds() -> AsyncGenerator[Clouds]:
    """The clouds that the first release knew."""
    async with running_clouds() as clouds:
        yield clouds


@pytest.fixture
async def home(tmp_path: Path, port: int, clouds: Clouds) -> AsyncGenerator[Household]:
    """Its home, with the integration of today."""
    furnish(tmp_path, clouds.urls)
    async with household(tmp_path, port) as home:
        await home.log_in(USER)
        yield home


async def test_update(home: Household, clouds: Clouds) -> None:
    entries = await home.call("config_entries/get", domain=DOMAIN)
    assert [entry["state"] for entry in entries] == ["loaded", "loaded"]

    before = entity_registry()["data"]["entities"]
    now = {entity["unique_id"]: entity for entity in await home.call("config/entity_registry/list")}
    for entity in before:
        found = now[entity["unique_id"]]
        assert all(found[field] == entity[field] for field in ("entity_id", "device_id", "disabled_by")), found

    due = {
        entity["entity_id"]
        for device in (clouds.powerhaus, *clouds.powerhaus.modules, clouds.tower, *clouds.tower.modules, clouds.pbd)
        for entity in before
        if entity["unique_id"].removeprefix(f"{device.serial}-")
        in device.truth(device.sample_time(clouds.dyness.clock()))
    }
    for _ in range(PATIENCE):
        states = {state["entity_id"]: state for state in await home.call("get_states")}
        lost = [entity["entity_id"] for entity in before if is_lost(states[entity["entity_id"]], due)]
        if not lost:
            break
        await asyncio.sleep(1)
    assert not lost

    totals = stored_totals()
    assert sum(total > 0 for total in totals.values()) > 8
    for unique_id, total in totals.items():
        assert float(states[now[unique_id]["entity_id"]]["state"]) >= total, unique_id
    assert not [line for line in home.log.splitlines() if DOMAIN in line and (" ERROR " in line or "File " in line)]
    assert not [issue for issue in (await home.call("repairs/list_issues"))["issues"] if issue["domain"] == DOMAIN]


def is_lost(state: dict[str, Any], due: set[str]) -> bool:
    """Return whether it has no value that is due, or is only restored: then the integration no longer has it."""
    is_due = state["entity_id"] in due
    return "restored" in state["attributes"] or (is_due and state["state"] in ("unavailable", "unknown"))


def stored_totals() -> dict[str, float]:
    """Return the energies and hours that the first release has kept, by the unique ids of their entities."""
    kept = [json.loads(file.read_text()) for file in FILES.glob(f"{DOMAIN}.*") if file.suffix != ".answers"]
    states = {serial: device.get("state", {}) for file in kept for serial, device in file["data"].items()}
    return {
        f"{serial}-{key}": round(total, 3)
        for serial, state in states.items()
        if "energies" in state
        for key, total in state["energies"]["totals"].items()
    }
