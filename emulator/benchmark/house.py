"""A Home Assistant with accounts of the simulated cloud."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import logging
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.storage import Store
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
import orjson
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    MockConfigEntry,
    StoreWithoutWriteLoad,
    async_test_home_assistant,
)

from custom_components.dyness_atess.account.account import Account
from custom_components.dyness_atess.const import DOMAIN

from .uploads import Cloud

ROOT = "custom_components.dyness_atess"


@asynccontextmanager
async def house(cloud: Cloud) -> AsyncGenerator[HomeAssistant]:
    """Give a Home Assistant that knows the integration, and nothing but `cloud`. Its files are in memory."""
    files: dict[str, bytes] = {}

    async def load(store: Store[Any]) -> Any:
        text = files.get(store.key)
        return text and (await asyncio.to_thread(orjson.loads, text))["data"]

    async def write(store: Store[Any], content: dict[str, Any]) -> None:
        if "data_func" in content:
            content["data"] = content.pop("data_func")()
        files[store.key] = json_bytes(content)

    logging.getLogger().setLevel(logging.CRITICAL)
    with (
        patch.object(Store, "_async_load", load),
        patch.object(Store, "_async_write_data", write),
        patch.object(StoreWithoutWriteLoad, "async_delay_save"),  # the registries, which are not ours
        patch(f"{ROOT}.account.dyness.async_get_clientsession"),
        patch(f"{ROOT}.cloud.dyness.exchange", cloud.exchange),
    ):
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
    return {app_id: entry.runtime_data for app_id, entry in entries.items()}
