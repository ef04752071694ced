"""Each blueprint runs in a real Home Assistant, and README has a link that imports it."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
import re
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint, DomainBlueprints
from homeassistant.components.persistent_notification import _async_get_or_create_notifications
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import yaml as yaml_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done

from emulator.dyness.devices import Device
from emulator.faults import Fault
from tests.house.repository import ROOT

from .conftest import Live, one

FOLDER = ROOT / "blueprints" / "automation" / "dyness_atess"
BLUEPRINTS = sorted(FOLDER.glob("*.yaml"))
REPOSITORY = "https://github.com/dyness-atess/dyness-atess-home-assistant/blob/main"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def load(path: Path) -> Blueprint:
    content = yaml_util.load_yaml_dict(path)
    return Blueprint(content, expected_domain="automation", path=path.name, schema=AUTOMATION_BLUEPRINT_SCHEMA)


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_a_blueprint_can_be_imported(path: Path) -> None:
    blueprint = load(path)
    assert blueprint.validate() is None
    assert blueprint.metadata["source_url"] == f"{REPOSITORY}/{path.relative_to(ROOT).as_posix()}"
    assert blueprint.metadata["homeassistant"]["min_version"]
    filters = [
        one for field in blueprint.inputs.values() for one in field["selector"].get("entity", {}).get("filter", [])
    ]
    assert filters
    assert {found["integration"] for found in filters} == {"dyness_atess"}
    link = "https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url="
    links = re.findall(re.escape(link) + r"([\w.%-]+)\)", README)
    assert blueprint.metadata["source_url"] in map(unquote, links)


@pytest.fixture(autouse=True)
def _integration(request: pytest.FixtureRequest) -> None:
    """Let the integration load and reach loopback; a recorder has to be chosen before Home Assistant is there."""
    if "recorder_mock" in request.fixturenames:
        request.getfixturevalue("recorder_db_url")
    for name in ("enable_custom_integrations", "socket_enabled"):
        request.getfixturevalue(name)


@pytest.fixture(autouse=True)
async def _from_repository(_integration: None, hass: HomeAssistant) -> AsyncGenerator[None]:
    """Let Home Assistant find the blueprints where they are."""
    assert await async_setup_component(hass, "persistent_notification", {})
    with patch.object(DomainBlueprints, "_load_blueprint", lambda _self, path: load(FOLDER / path)):
        yield


async def automate(hass: HomeAssistant, live: Live | None, blueprint: str, **inputs: Any) -> None:
    doing = async_setup_component(
        hass, "automation", {"automation": {"use_blueprint": {"path": f"{blueprint}.yaml", "input": inputs}}}
    )
    assert await (live.until(doing) if live else doing)
    (automation,) = hass.states.async_all("automation")
    assert automation.state == "on"


def entity_id(hass: HomeAssistant, device: Device, key: str) -> str:
    registered = er.async_get(hass).entities.values()
    (found,) = [found.entity_id for found in registered if found.unique_id == f"{device.serial}-{key}"]
    return found


def notes(hass: HomeAssistant) -> list[tuple[str | None, str]]:
    """Return what notifications say."""
    return [(note["title"], note["message"]) for note in _async_get_or_create_notifications(hass).values()]


@pytest.mark.parametrize(
    ("language", "kind", "event"),
    [
        ("en", "Cell voltage low protection", "Protection raised"),
        ("de", "Schutz: Zellspannung niedrig", "Schutz ausgelöst"),
    ],
)
async def test_an_alarm_in_words(hass: HomeAssistant, live: Live, language: str, kind: str, event: str) -> None:
    hass.config.language = language
    device = one("dl5-2", overrides={"800": "98"})
    await live.start(device)
    await automate(hass, live, "alarm", alarm_events=[entity_id(hass, device, "alarm_event")])
    device.raised = frozenset({"3206"})
    await live(6)
    assert notes(hass) == []  # the battery is full
    device.raised = frozenset({"3206", "3405", "3202"})
    await live(6)
    second, first = notes(hass)[::-1]
    assert "MOSFET" in str(first[0])
    assert second[0] == f"DL5.0C: {kind}"
    where = r"module \d, cell \d+, cell voltage min 3\.\d+ V, state of charge 98 %"
    words = r"Alarm 3202; Alarm 3206; Alarm 3405\. Please contact your installer"
    link = f"What it means: {REPOSITORY}/docs/alarms.md"
    assert re.fullmatch(rf"{event}, {where}\. {words}\. {re.escape(link)}", second[1]), second[1]
    device.raised = frozenset()
    await live(6)
    assert len(notes(hass)) == 2


async def test_what_is_normal_too(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-1", overrides={"800": "98"})
    await live.start(device)
    events = ["warning_raised", "warning_cleared"]
    own = [{"action": "persistent_notification.create", "data": {"message": "{{ title }}!"}}]
    alarm_events = [entity_id(hass, device, "alarm_event")]
    await automate(
        hass, live, "alarm", alarm_events=alarm_events, event_types=events, include_expected=True, actions=own
    )
    for raised in ({"3206"}, set[str]()):
        device.raised = frozenset(raised)
        await live(6)
    assert notes(hass) == [(None, "DL5.0C: Cell voltage high!")] * 2


async def test_no_data_for_a_while(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-1")
    cloud, _ = await live.start(device)
    await automate(hass, live, "no_data", online=[entity_id(hass, device, "online")], minutes=20)
    cloud.add_fault(Fault("network_anomaly"))
    await live(15)
    cloud.clear_faults()
    await live(30)
    assert notes(hass) == []
    cloud.add_fault(Fault("network_anomaly"))
    await live(40)
    ((title, message),) = notes(hass)
    assert title == "DL5.0C: no data"
    assert message.startswith("Offline for 20 minutes.")


@pytest.mark.parametrize(("direction", "levels"), [("below", (30, 15)), ("above", (15, 30))])
async def test_a_state_of_charge_crossed(
    hass: HomeAssistant, live: Live, direction: str, levels: tuple[int, int]
) -> None:
    before, after = levels
    device = one("dl5-1", overrides={"800": str(before)})
    cloud, _ = await live.start(device)
    soc = [entity_id(hass, device, "soc")]
    await automate(hass, live, "level_crossed", state_of_charge=soc, direction=direction, level=20)
    await live(6)
    assert notes(hass) == []
    device.overrides = {"800": str(after)}
    await live(6)
    told = [(f"DL5.0C: {after} %", f"The state of charge is {direction} 20 %.")]
    assert notes(hass) == told
    cloud.add_fault(Fault("network_anomaly"))
    await live(60)
    cloud.clear_faults()
    await live(60)
    assert notes(hass) == told


@pytest.mark.parametrize(
    ("days", "rise", "told"),
    [(35, 14, "54 mV above the median cell, 14 mV more"), (35, 9, None), (35, -20, None), (20, 20, None)],
)
async def test_cells_drifting_apart(
    recorder_mock: Recorder, hass: HomeAssistant, freezer: FrozenDateTimeFactory, days: int, rise: int, told: str | None
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    monday = datetime(2026, 3, 23, 7, 59, tzinfo=UTC)
    freezer.move_to(monday)
    entry = MockConfigEntry(domain="dyness_atess")
    entry.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("dyness_atess", "X")}, name="Tower"
    )
    sensor = er.async_get(hass).async_get_or_create(
        "sensor", "dyness_atess", "X-cell_lead_full", device_id=device.id, config_entry=entry
    )
    metadata: Any = {
        "source": "recorder",
        "statistic_id": sensor.entity_id,
        "name": None,
        "mean_type": StatisticMeanType.ARITHMETIC,
        "has_sum": False,
        "unit_of_measurement": "mV",
        "unit_class": "voltage",
    }
    midnight = datetime(2026, 3, 22, 23, tzinfo=UTC)
    rows: Any = []
    for day in range(1, days + 1):
        # Some charges are faster and show more.
        mean = 90.0 if day % 3 == 0 else 40.0 + rise if day <= 7 else 40.0
        rows.append({"start": midnight - timedelta(days=day), "mean": mean, "min": mean, "max": mean})
    async_import_statistics(hass, metadata, rows)
    await async_wait_recording_done(hass)
    await automate(hass, None, "cells_drifting", cell_lead=sensor.entity_id)
    for passed in (timedelta(minutes=2), timedelta(days=1)):
        freezer.move_to(monday + passed)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        await async_wait_recording_done(hass)
    if told is None:
        assert notes(hass) == []
    else:
        ((title, message),) = notes(hass)
        assert title == "Tower: cells drift apart"
        assert told in message
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


async def test_the_automation_of_an_alarm(hass: HomeAssistant, live: Live) -> None:
    (example,) = re.findall(r"```yaml\n([^`]+powerhaus_alarm_event[^`]+)```", README)
    device = one("dl5-1")
    await live.start(device)
    content = yaml_util.parse_yaml(
        example.replace("event.powerhaus_alarm_event", entity_id(hass, device, "alarm_event"))
    )
    assert await live.until(async_setup_component(hass, "automation", {"automation": content}))
    device.raised = frozenset({"3405"})
    await live(6)
    assert notes(hass) == [(None, "cell_voltage_low_protection")]
