"""Dyness batteries and ATESS solar chargers, read from their makers' clouds."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from .account.account import AccountConfigEntry
from .account.atess import AtessAccount
from .account.connection import release_connections
from .account.dyness import DynessAccount
from .account.memory import Memory
from .account.registry import serial_of
from .account.repairs import withdraw
from .const import CONF_API_TOKEN, DOMAIN
from .lovelace import async_serve, async_update_screen
from .websocket import async_register

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [Platform.BINARY_SENSOR, Platform.EVENT, Platform.SENSOR]


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Serve the screen before any account is there."""
    async_register(hass)
    await async_serve(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: AccountConfigEntry) -> bool:
    """Set up an account. A cloud that is down does not fail it: what is known is there and unavailable."""
    entry.runtime_data = (AtessAccount if CONF_API_TOKEN in entry.data else DynessAccount)(hass, entry)
    entry.async_on_unload(entry.add_update_listener(_async_apply_changes))
    await entry.runtime_data.async_start()
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    await async_update_screen(hass)
    return True


async def _async_apply_changes(hass: HomeAssistant, entry: AccountConfigEntry) -> None:
    await entry.runtime_data.async_apply_changes()
    await async_update_screen(hass)


async def async_unload_entry(hass: HomeAssistant, entry: AccountConfigEntry) -> bool:
    """Unload an account; its coordinators and tasks end with it."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    await entry.runtime_data.async_stop()
    await async_update_screen(hass)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: AccountConfigEntry) -> None:
    """Leave nothing behind."""
    await Memory(hass, entry.entry_id).async_remove()
    withdraw(hass, entry)
    release_connections(hass)
    await async_update_screen(hass)


async def async_remove_config_entry_device(
    _hass: HomeAssistant, entry: AccountConfigEntry, device_entry: dr.DeviceEntry
) -> bool:
    """Let the user delete a device that the account no longer lists, or a module that no longer answers."""
    serial = serial_of(device_entry)
    if entry.state is not ConfigEntryState.LOADED or not entry.runtime_data.is_removable(serial):
        return False
    if serial == entry.entry_id:
        return not entry.runtime_data.combined.keys
    await entry.runtime_data.async_remove(serial)
    return True
