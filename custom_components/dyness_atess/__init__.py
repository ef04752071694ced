"""Dyness batteries and ATESS solar chargers, read from their makers' clouds."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.typing import UNDEFINED

from .account.account import Account, AccountConfigEntry, account_queue, digest, known_quantities
from .account.atess import AtessInventory
from .account.budget import share_out
from .account.coordinator import DeviceCoordinator
from .account.dyness import DynessInventory, ModuleCoordinator, StorageCoordinator
from .account.memory import Memory
from .cloud.queue import HOURLY_CALLS
from .const import CONF_API_TOKEN, CONF_HOURLY_CALLS, DOMAIN

PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR]

LOOK_AFTER_INTERVAL = timedelta(minutes=1)
PATIENCE = 10.0
"""Seconds that the set-up waits for the first readings. Slower ones arrive later; the start is not held up."""


async def async_setup_entry(hass: HomeAssistant, entry: AccountConfigEntry) -> bool:
    """Set up an account. A cloud that is down does not fail it: what is known is there and unavailable."""
    memory = Memory(hass, entry.entry_id)
    await memory.async_load()
    inventory = (AtessInventory if CONF_API_TOKEN in entry.data else DynessInventory)(hass, entry)
    queue = account_queue(hass, entry.data)
    queue.allow(int(entry.options.get(CONF_HOURLY_CALLS, HOURLY_CALLS)))
    queue.resume(memory.recall("").get("slowness", 0))
    account = entry.runtime_data = Account(
        inventory=inventory, memory=memory, queue=queue, known=known_quantities(hass, entry)
    )
    settings = _settings(entry)

    async def async_take_over(hass: HomeAssistant, entry: AccountConfigEntry) -> None:
        if _settings(entry) != settings:
            hass.config_entries.async_schedule_reload(entry.entry_id)
        queue.allow(int(entry.options.get(CONF_HOURLY_CALLS, HOURLY_CALLS)))
        share_out(hass, entry)

    entry.async_on_unload(entry.add_update_listener(async_take_over))

    first_reads: set[asyncio.Task[None]] = set()

    @callback
    def async_read(device: DeviceCoordinator) -> None:
        task = entry.async_create_background_task(hass, device.async_refresh(), "first reading")
        first_reads.add(task)
        task.add_done_callback(first_reads.discard)

    @callback
    def async_follow_inventory() -> None:
        for serial in inventory.data.keys() - account.devices.keys():
            account.add(inventory.coordinator(serial))
        _async_update_device_registry(hass, entry)
        share_out(hass, entry)

    @callback
    def async_look_after(_now: datetime) -> None:
        share_out(hass, entry)
        for coordinator in (inventory, *account.devices.values()):
            coordinator.async_notice_age()

    async def async_read_all() -> None:
        async_follow_inventory()
        for master in list(account.devices.values()):
            if isinstance(master, StorageCoordinator):
                master.add_modules()
        await inventory.async_refresh()
        while first_reads:
            await asyncio.wait(first_reads)

    account.followers.append(async_read)
    entry.async_on_unload(inventory.async_add_listener(async_follow_inventory))
    entry.async_on_unload(async_track_time_interval(hass, async_look_after, LOOK_AFTER_INTERVAL))
    reading_all = entry.async_create_background_task(hass, async_read_all(), "first readings")
    await asyncio.wait({reading_all}, timeout=PATIENCE)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: AccountConfigEntry) -> bool:
    """Unload an account; its coordinators and tasks end with it."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    account = entry.runtime_data
    account.followers.clear()
    for device in account.devices.values():
        device.async_unfollow()
    await account.memory.async_close()
    _delete_issues(hass, entry.entry_id)
    return True


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
    await account.async_remove(serial)
    _delete_issues(hass, f"{entry.entry_id}_{digest(serial)}")
    registry = dr.async_get(hass)
    for module in list(device.modules) if isinstance(device, StorageCoordinator) else ():
        await account.async_remove(module)
        if registered := registry.async_get_device_by_identifier((DOMAIN, module), entry.entry_id):
            registry.async_remove_device(registered.id)
    return True


@callback
def _delete_issues(hass: HomeAssistant, whose: str) -> None:
    """Take back what there was to tell of an account or a device."""
    for domain, issue in list(ir.async_get(hass).issues):
        if domain == DOMAIN and whose in issue:
            ir.async_delete_issue(hass, domain, issue)


def _settings(entry: AccountConfigEntry) -> tuple[Any, ...]:
    """Return what takes a reload to change: the name, credentials, devices, and all options but the budget."""
    options = {name: value for name, value in entry.options.items() if name != CONF_HOURLY_CALLS}
    return entry.title, dict(entry.data), options, dict(entry.subentries)


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
