"""The automations of README work as pasted."""

from datetime import timedelta
import re
from typing import Any

from homeassistant.components.automation import DOMAIN as AUTOMATION
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from tests.house.repository import ROOT

PASTED = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
CHANGES: dict[str, tuple[tuple[str, dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "event": (
        ("unknown", {"event_types": ["protection_raised"]}),
        ("2026-11-21T12:00:00+00:00", {"event_type": "protection_raised", "kind": "cell_fault"}),
    ),
    "sensor": (("90", {}), ("5", {})),
    "binary_sensor": (("on", {}), ("off", {})),
}
"""What an entity shows before and after what an automation waits for."""


@pytest.mark.parametrize("block", PASTED)
async def test_automation_runs_as_pasted(hass: HomeAssistant, block: str) -> None:
    entity_id = re.search(r"(?:sensor|binary_sensor|event)\.powerhaus_\w+", block)
    assert entity_id
    before, after = CHANGES[entity_id[0].partition(".")[0]]
    assert await async_setup_component(hass, "event", {})
    assert await async_setup_component(hass, "persistent_notification", {})
    hass.states.async_set(entity_id[0], *before)
    assert await async_setup_component(hass, AUTOMATION, {AUTOMATION: parse_yaml(block)})
    await hass.async_block_till_done()
    [automation] = hass.states.async_all(AUTOMATION)
    assert automation.state == "on"
    hass.states.async_set(entity_id[0], *after)
    await hass.async_block_till_done()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(hours=2))
    await hass.async_block_till_done()
    assert hass.states.async_all(AUTOMATION)[0].attributes["last_triggered"]
