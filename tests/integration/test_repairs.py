"""Repairs that raise and clear themselves, apart from those of modules and models."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import cast

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.const import DOMAIN
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import Replay

from .conftest import SERIAL, Poll, state


class RefusingServer:
    """A cloud that refuses every signature and has a clock of its own."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)
        self.dated = True

    async def answer(self, _: web.Request) -> web.Response:
        date = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True) if self.dated else "yesterday"
        return web.json_response({"code": "401", "data": None, "info": "ACCESS_DENIED"}, headers={"Date": date})


@pytest.fixture
async def refusing() -> AsyncGenerator[tuple[RefusingServer, str]]:
    server = RefusingServer()
    app = web.Application()
    app.router.add_post("/{path:.*}", server.answer)
    async with TestServer(app) as running:
        yield server, f"http://{running.host}:{running.port}"


@pytest.mark.parametrize("hours", [-3, 2])
async def test_wrong_clock(
    hass: HomeAssistant, refusing: tuple[RefusingServer, str], poll: Poll, cloud: DynessCloud, hours: int
) -> None:
    server, url = refusing
    server.ahead = timedelta(hours=hours)
    entry = MockConfigEntry(
        domain=DOMAIN, title="Dyness", unique_id="dyness:a", data={"app_id": "a", "app_secret": "b", "region": url}
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    issues = ir.async_get(hass)
    issue = issues.async_get_issue(DOMAIN, f"clock_{entry.entry_id}")
    assert issue
    assert issue.translation_placeholders == {"minutes": str(-60 * hours)}
    assert not hass.config_entries.flow.async_progress()
    assert entry.state is ConfigEntryState.LOADED
    server.ahead = timedelta(minutes=4)
    await poll(6)
    assert not issues.async_get_issue(DOMAIN, f"clock_{entry.entry_id}")
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_without_a_date_credentials_are_asked_for(
    hass: HomeAssistant, refusing: tuple[RefusingServer, str], cloud: DynessCloud
) -> None:
    server, url = refusing
    server.dated = False
    entry = MockConfigEntry(
        domain=DOMAIN, title="Dyness", unique_id="dyness:a", data={"app_id": "a", "app_secret": "b", "region": url}
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == ["reauth"]


async def test_no_devices(hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud, poll: Poll) -> None:
    cast("Replay", cloud.devices[SERIAL]).listed = False
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    issues = ir.async_get(hass)
    assert issues.async_get_issue(DOMAIN, f"no_devices_{entry.entry_id}")
    await hass.config_entries.async_unload(entry.entry_id)
    assert not issues.async_get_issue(DOMAIN, f"no_devices_{entry.entry_id}")
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert issues.async_get_issue(DOMAIN, f"no_devices_{entry.entry_id}")
    assert not dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    cast("Replay", cloud.devices[SERIAL]).listed = True
    for _ in range(7):
        await poll()
    assert not issues.async_get_issue(DOMAIN, f"no_devices_{entry.entry_id}")
    assert state(hass, "soc") == "100"
