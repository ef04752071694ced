"""Dyness batteries and ATESS solar chargers, read from their makers' clouds."""

import asyncio

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.typing import UNDEFINED

from .atess import AtessInventory
from .cloud.queue import HOURLY_CALLS
from .const import CONF_API_TOKEN, CONF_HOURLY_CALLS, DOMAIN
from .coordinator import Account, AccountConfigEntry, DeviceCoordinator, account_queue
from .dyness import DynessInventory, ModuleCoordinator, StorageCoordinator
from .memory import Memory

PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR]

PATIENCE = 10.0
"""Seconds that the set-up waits for the first readings. Slower ones arrive later; the start is not held up."""


async def async_setup_entry(hass: HomeAssistant, entry: AccountConfigEntry) -> bool:
    """Set up an account. A cloud that is down does not fail it: what is known is there and unavailable."""
    memory = Memory(hass, entry.entry_id)
    await memory.async_load()
    inventory = (AtessInventory if CONF_API_TOKEN in entry.data else DynessInventory)(hass, entry)
    queue = account_queue(hass, entry.data)
    queue.hourly_calls = int(entry.options.get(CONF_HOURLY_CALLS, HOURLY_CALLS))
    queue.resume(memory.recall("").get("slowness", 0))
    account = entry.runtime_data = Account(inventory=inventory, memory=memory, queue=queue)

    first_reads: list[asyncio.Task[None]] = []

    @callback
    def async_read(device: DeviceCoordinator) -> None:
        first_reads.append(entry.async_create_background_task(hass, device.async_refresh(), "first reading"))

    @callback
    def async_follow_inventory() -> None:
        for serial in inventory.data.keys() - account.devices.keys():
            account.add(inventory.coordinator(serial))
        _async_update_device_registry(hass, entry)

    async def async_read_all() -> None:
        async_follow_inventory()
        for master in list(account.devices.values()):
            if isinstance(master, StorageCoordinator):
                master.add_modules()
        await inventory.async_refresh()
        while first_reads:
            await first_reads.pop()

    account.followers.append(async_read)
    entry.async_on_unload(inventory.async_add_listener(async_follow_inventory))
    reading_all = entry.async_create_background_task(hass, async_read_all(), "first readings")
    await asyncio.wait({reading_all}, timeout=PATIENCE)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    entry.async_on_unload(entry.add_update_listener(_async_reload))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: AccountConfigEntry) -> bool:
    """Unload an account; its coordinators and tasks end with it."""
    await entry.runtime_data.memory.async_write()
    for domain, issue in list(ir.async_get(hass).issues):
        if domain == DOMAIN and entry.entry_id in issue:
            ir.async_delete_issue(hass, domain, issue)
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: AccountConfigEntry) -> None:
    """Leave nothing behind."""
    await Memory(hass, entry.entry_id).async_remove()


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: AccountConfigEntry, device_entry: dr.DeviceEntry
) -> bool:
    """Let the user delete a device that the account no longer lists, or a module that no longer answers."""
    account = entry.runtime_data
    serial = next(serial for domain, serial in device_entry.identifiers if domain == DOMAIN)
    device = account.devices.get(serial)
    if isinstance(device, ModuleCoordinator):
        if device.last_update_success and device.is_current:
            return False
        device.master.forget_module(serial)
    elif serial in account.inventory.listed | account.inventory.subentries.keys():
        return False
    account.inventory.data.pop(serial, None)
    account.devices.pop(serial, None)
    if device:
        await device.async_shutdown()
    return True


async def _async_reload(hass: HomeAssistant, entry: AccountConfigEntry) -> None:
    """Take over changed credentials, options and devices."""
    hass.config_entries.async_schedule_reload(entry.entry_id)


@callback
def _async_update_device_registry(hass: HomeAssistant, entry: AccountConfigEntry) -> None:
    """Pass on what the inventory newly knows, as after a firmware update; new devices come with their entities."""
    registry = dr.async_get(hass)
    for device in entry.runtime_data.inventory.data.values():
        if registered := registry.async_get_device_by_identifier((DOMAIN, device.serial), entry.entry_id):
            registry.async_update_device(
                registered.id,
                name=device.name or UNDEFINED,
                model=device.model or UNDEFINED,
                model_id=device.model_code or UNDEFINED,
                sw_version=device.firmware or UNDEFINED,
            )
