"""A Home Assistant with accounts of the simulated cloud."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import logging
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    MockConfigEntry,
    async_test_home_assistant,
    mock_storage,
)

from custom_components.dyness_atess.account.account import Account
from custom_components.dyness_atess.const import DOMAIN

from .uploads import Cloud

CLIENT = "custom_components.dyness_atess.cloud.dyness.exchange"
SESSION = "custom_components.dyness_atess.account.dyness.async_get_clientsession"


@asynccontextmanager
async def house() -> AsyncGenerator[HomeAssistant]:
    """Give a Home Assistant that finds the integration, and keeps nothing."""
    logging.getLogger().setLevel(logging.CRITICAL)
    with mock_storage(), patch(SESSION):
        async with async_test_home_assistant() as hass:
            del hass.data[DATA_CUSTOM_COMPONENTS]
            yield hass
            await hass.async_stop(force=True)


async def add_accounts(hass: HomeAssistant, cloud: Cloud, **options: Any) -> dict[str, Account]:
    """Set all accounts of a cloud up and return what runs for them."""
    entries = {
        app_id: MockConfigEntry(
            domain=DOMAIN,
            title=app_id,
            unique_id=f"dyness:{app_id}",
            data={"app_id": app_id, "app_secret": "secret", "region": "europe"},
            options=options,
        )
        for app_id in cloud.accounts
    }
    for entry in entries.values():
        entry.add_to_hass(hass)
    await asyncio.gather(*(hass.config_entries.async_setup(entry.entry_id) for entry in entries.values()))
    assert {entry.state for entry in entries.values()} == {ConfigEntryState.LOADED}
    return {app_id: entry.runtime_data for app_id, entry in entries.items()}
