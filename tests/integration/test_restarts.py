"""What outlasts a restart of Home Assistant, in the middle of anything and with any file that it finds."""

from collections.abc import AsyncGenerator, Callable
from copy import deepcopy
from datetime import UTC, datetime
import json
import logging
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.storage import Store
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.account.memory import Memory
from custom_components.dyness_atess.cloud.queue import SLOWEST
from custom_components.dyness_atess.const import DOMAIN
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.high_voltage import HighVoltage
from emulator.dyness.models import TOWER_T14
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault, FaultKind

from .conftest import SERIAL, Poll, state

MODULE, TOWER = "DEMO000000000001", "DEMOTOWER-BDU"
NOON = datetime(2026, 6, 10, 11, 2, tzinfo=UTC)
REALTIME = "/v1/device/realTime/data"
LOAD, WRITE = Store._async_load, Store._async_write_data
"""Of real files; the fixture of Home Assistant replaces both."""


@pytest.fixture
async def cloud(freezer: FrozenDateTimeFactory) -> AsyncGenerator[DynessCloud]:
    """A battery with a module, and a tower that counts its energy."""
    freezer.move_to(NOON)
    tower = HighVoltage(serial=TOWER, model=TOWER_T14, capacities=(37.0,) * 2)
    cloud = DynessCloud(devices=[PowerHaus(serial=SERIAL, module_serial=MODULE), tower], calls_per_second=None)
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


@pytest.fixture
def key(entry: MockConfigEntry) -> str:
    return f"{DOMAIN}.{entry.entry_id}"


def states(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return all states by unique id."""
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    found = {of.unique_id: hass.states.get(of.entity_id) for of in registered}
    return {unique_id: state.state for unique_id, state in found.items() if state}


async def stop(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


async def start(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED


async def test_everything_known_comes_back_while_the_cloud_is_down(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    cloud: DynessCloud,
    poll: Poll,
    hass_storage: dict[str, Any],
    key: str,
) -> None:
    cloud.add_fault(Fault("rate_limited", times=1))
    await poll(5.1)
    await poll(5.1)
    slowness = loaded.runtime_data.queue.slowness
    assert slowness == 1
    before = states(hass, loaded)
    assert "unavailable" not in before.values()
    await stop(hass, loaded)
    kept = hass_storage[key]["data"]
    assert kept[SERIAL]["modules"] == {MODULE: 1}
    assert kept[SERIAL]["family"]
    assert kept[TOWER]["totals"]["energy_charged"] == pytest.approx(float(before[f"{TOWER}-energy_charged"]))
    assert kept[""] == {"slowness": slowness}

    cloud.add_fault(Fault("http_500"))
    hass.data["dyness_atess_queues"].clear()  # as in a new process
    await start(hass, loaded)
    assert loaded.runtime_data.queue.slowness == slowness
    assert states(hass, loaded) == dict.fromkeys(before, "unavailable")
    assert dr.async_get(hass).async_get_device_by_identifier((DOMAIN, MODULE), loaded.entry_id)
    assert hass_storage[key]["data"] == kept
    cloud.clear_faults()
    await poll(5.1)
    assert states(hass, loaded).keys() == before.keys()
    assert "unavailable" not in states(hass, loaded).values()


async def test_a_total_does_not_fall_over_a_restart(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_storage: dict[str, Any], key: str
) -> None:
    """The cloud has an older counter than it had before."""
    before = float(state(hass, "energy_charged", TOWER) or "x")
    await stop(hass, loaded)
    hass_storage[key]["data"][TOWER]["totals"]["energy_charged"] = before + 5
    await start(hass, loaded)
    assert float(state(hass, "energy_charged", TOWER) or "x") == pytest.approx(before + 5)


@pytest.mark.parametrize("kind", ["hang", "network_anomaly", "rate_limited", "access_denied", "points_without_values"])
@pytest.mark.parametrize("path", [REALTIME, "/v1/device/storage/list"])
async def test_in_the_middle_of_a_read(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll, kind: FaultKind, path: str
) -> None:
    """Stopped while the readings come in, twice: each time it starts, and afterwards nothing is missing."""
    before = states(hass, loaded)
    with (
        patch("custom_components.dyness_atess.PATIENCE", 0.05),
        patch("custom_components.dyness_atess.cloud.transport.TIMEOUT", 0.2),
    ):
        cloud.add_fault(Fault(kind, path=path))
        for _ in range(2):
            assert await hass.config_entries.async_unload(loaded.entry_id)
            assert await hass.config_entries.async_setup(loaded.entry_id)
            assert loaded.state is ConfigEntryState.LOADED
            assert states(hass, loaded).keys() == before.keys()
        await hass.async_block_till_done(wait_background_tasks=True)
        cloud.clear_faults()
        for flow in hass.config_entries.flow.async_progress():
            hass.config_entries.flow.async_abort(flow["flow_id"])
        await stop(hass, loaded)
    await start(hass, loaded)
    await poll(5.1)
    assert states(hass, loaded).keys() == before.keys()
    assert "unavailable" not in states(hass, loaded).values()


DAMAGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "not an object": lambda _: 42,
    "a list": lambda _: ["text", None, {}],
    "a device that is a list": lambda data: data | {SERIAL: [1, 2]},
    "a device that is null": lambda data: data | {SERIAL: None},
    **{
        f"{name} is {value!r}": lambda data, name=name, value=value: {  # type: ignore[misc]
            serial: content | {name: value} for serial, content in data.items()
        }
        for name, values in {
            "family": (7, ["low_voltage"], {"a": 1}, "a family of the future"),
            "modules": (7, "text", [MODULE], {MODULE: "one"}, {MODULE: [1]}, {MODULE: None}, {MODULE: -1}),
            "totals": (
                7,
                "text",
                [1.0],
                {"energy_charged": "text"},
                {"energy_charged": None},
                {"energy_charged": 1e300},
            ),
            "capacity": ("text", [5.12], {"of": 5.12}, None, True),
            "slowness": ("text", [1], {"of": 1}, None, -3, 10**9),
            "meter": ("text", 7, [1], {"last": 7}, {"charged": "text"}, {"last": {"taken_at": "text"}}),
        }.items()
        for value in values
    },
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
async def test_a_damaged_memory(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    cloud: DynessCloud,
    poll: Poll,
    hass_storage: dict[str, Any],
    key: str,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[dict[str, Any]], Any],
) -> None:
    before = states(hass, loaded)
    await stop(hass, loaded)
    stored = hass_storage[key]
    hass_storage[key] = stored | {"data": damage(deepcopy(stored["data"]))}
    caplog.clear()
    await start(hass, loaded)
    await poll(5.1)
    assert states(hass, loaded).keys() == before.keys()
    assert "unavailable" not in states(hass, loaded).values()
    assert float(states(hass, loaded)[f"{TOWER}-energy_charged"]) < 1e6
    assert 0 <= loaded.runtime_data.queue.slowness <= SLOWEST
    assert "Unexpected error" not in caplog.text
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "unavailable" not in states(hass, loaded).values()


async def test_damage_has_a_log_line(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_storage: dict[str, Any],
    key: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await stop(hass, loaded)
    hass_storage[key]["data"][SERIAL]["modules"] = "text"
    caplog.clear()
    await start(hass, loaded)
    own = [record for record in caplog.records if "dyness_atess" in record.name and record.levelno > logging.INFO]
    assert [record.levelname for record in own] == ["WARNING"]
    assert "damaged" in own[0].getMessage()


@pytest.mark.parametrize(("version", "minor"), [(2, 1), (99, 7), (1, 5)])
async def test_a_newer_memory(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_storage: dict[str, Any],
    key: str,
    caplog: pytest.LogCaptureFixture,
    version: int,
    minor: int,
) -> None:
    before = states(hass, loaded)
    await stop(hass, loaded)
    hass_storage[key] |= {"version": version, "minor_version": minor}
    caplog.clear()
    await start(hass, loaded)
    assert states(hass, loaded).keys() == before.keys()
    assert "unavailable" not in states(hass, loaded).values()
    assert ("learned anew" in caplog.text) == (version > 1)


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 1, "data": {', b"\x00" * 64, b"\xff\xfe", b"[]", b"null"])
async def test_a_truncated_file(hass: HomeAssistant, tmp_path: Path, content: bytes) -> None:
    """With a real file: Home Assistant puts it aside, or the memory does not take it."""
    hass.config.config_dir = str(tmp_path)
    file = tmp_path / ".storage" / f"{DOMAIN}.test"
    await hass.async_add_executor_job(lambda: (file.parent.mkdir(), file.write_bytes(content)))
    with patch.object(Store, "_async_load", LOAD), patch.object(Store, "_async_write_data", WRITE):
        memory = Memory(hass, "test")
        await memory.async_load()
        assert memory.recall(SERIAL) == {}
        memory.keep(SERIAL, {"family": "low_voltage"})
        await memory.async_close()
    written = json.loads(await hass.async_add_executor_job(file.read_bytes))
    assert written["data"] == {SERIAL: {"family": "low_voltage"}}
