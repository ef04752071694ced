"""What Home Assistant's registries know of an account's devices, so that a cloud that is down blanks none of them."""

from collections import defaultdict
from dataclasses import replace

from attr import evolve
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import CONF_COLLECTOR_SN, CONF_DEVICE_SN, CONF_SINGLE_CELLS, DOMAIN
from ..telemetry.device import Device
from ..telemetry.vocabulary import CELL_VOLTAGES, Key

type Quantity = tuple[Platform, Key]

# To look one up in an enumeration takes as long as all the rest, and a fleet has ten thousand entities.
_PLATFORMS: dict[str, Platform] = {platform.value: platform for platform in Platform}
_KEYS: dict[str, Key] = {key.value: key for key in Key}


@callback
def known_devices(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, Device]:
    """Return the devices that the owner added, and the masters that were ever registered, by serial number."""
    devices = {
        subentry.data[CONF_DEVICE_SN]: Device(
            serial=subentry.data[CONF_DEVICE_SN], collector_serial=subentry.data.get(CONF_COLLECTOR_SN)
        )
        for subentry in entry.subentries.values()
    }
    for registered in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
        if registered.entry_type or registered.via_device_id:
            continue  # the account, or a module
        if registered.config_subentry_id not in (None, *entry.subentries):
            continue  # its subentry is just being removed
        serial = serial_of(registered)
        devices[serial] = replace(
            devices.get(serial) or Device(serial=serial),
            name=registered.name,
            model=registered.model,
            model_code=registered.model_id,
            firmware=registered.sw_version,
        )
    return devices


@callback
def known_quantities(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, set[Quantity]]:
    """Return the quantities of devices that have entities, by serial number."""
    known: dict[str, set[Quantity]] = {}
    for registered in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        serial, _, key = registered.unique_id.rpartition("-")
        if key in _KEYS:
            known.setdefault(serial, set()).add((_PLATFORMS[registered.domain], _KEYS[key]))
    return known


@callback
def device_of(hass: HomeAssistant, entry: ConfigEntry, serial: str) -> dr.DeviceEntry | None:
    """Return the device with a serial number."""
    return dr.async_get(hass).async_get_device_by_identifier((DOMAIN, serial), entry.entry_id)


@callback
def other_owner(hass: HomeAssistant, entry: ConfigEntry, serial: str, *, is_registered: bool) -> ConfigEntry | None:
    """Return the other account that has a device already; of two that are not loaded yet the one that had it first."""
    for other in hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False):
        if other is entry:
            continue
        if account := getattr(other, "runtime_data", None):
            if serial in account.devices:
                return other
        elif not is_registered and device_of(hass, other, serial):
            return other
    return None


@callback
def entity_of(hass: HomeAssistant, platform: Platform, serial: str, key: Key) -> er.RegistryEntry | None:
    """Return the entity that shows a quantity."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(platform, DOMAIN, f"{serial}-{key}")
    return registry.async_get(entity_id) if entity_id else None


def serial_of(registered: dr.DeviceEntry) -> str:
    """Return the serial number under which a device is registered."""
    return next(serial for domain, serial in registered.identifiers if domain == DOMAIN)


@callback
def show_single_cells(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, list[Key]]:
    """Turn the sensors of single cells on or off as the option says; what the user turned off stays off.

    Returns those that are on now, by the serial numbers of their devices.
    """
    by = er.RegistryEntryDisabler.INTEGRATION
    shown = entry.options.get(CONF_SINGLE_CELLS, False)
    registry = er.async_get(hass)
    changed = defaultdict[str, list[Key]](list)
    for cell in er.async_entries_for_config_entry(registry, entry.entry_id):
        serial, _, key = cell.unique_id.rpartition("-")
        if key not in CELL_VOLTAGES or cell.disabled_by is not (by if shown else None):
            continue
        if shown:
            # Home Assistant reloads an account of which an entity is turned on, but not one that has it back. From
            # 2026.11 on it is no way to have it turned off by the account for a moment.
            registry.async_remove(cell.entity_id)
            deleted = (cell.domain, DOMAIN, cell.unique_id)
            registry.deleted_entities[deleted] = evolve(registry.deleted_entities[deleted], disabled_by=None)
        else:
            registry.async_update_entity(cell.entity_id, disabled_by=by)
        changed[serial].append(Key(key))
    return changed if shown else {}
