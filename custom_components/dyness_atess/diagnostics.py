"""Diagnostics: all that is needed to write a family table, and nothing that tells whose battery it is."""

from collections.abc import Iterable
from dataclasses import asdict
import re
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant

from .const import CONF_API_ID, CONF_API_TOKEN, CONF_APP_ID, CONF_APP_SECRET
from .coordinator import AccountConfigEntry, CloudCoordinator, DeviceCoordinator, digest
from .dyness import ModuleCoordinator

_REDACTED = {CONF_APP_ID, CONF_APP_SECRET, CONF_API_ID, CONF_API_TOKEN}
_REDACTED |= {"stationId", "stationName", "position", "deviceName", "meterSn"}
# Letters among at least six digits, or ten digits: serial numbers are of this form; times, versions and values are not.
_SERIAL = re.compile(r"\b(?=\w*[A-Za-z])(?=(?:[A-Za-z_]*\d){6})\w{8,}|\b\d{10,}\b", re.ASCII)


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: AccountConfigEntry) -> dict[str, Any]:
    """Return the account as it stands; the emulator can replay the devices."""
    account = entry.runtime_data
    content = {
        "entry": {"data": dict(entry.data), "options": dict(entry.options), "version": entry.version},
        "calls": account.queue.state,
        "device_list": _state(account.inventory) | {"listed": len(account.inventory.listed)},
        "devices": [_device(device) for device in account.devices.values()],
    }
    hidden: dict[str, Any] = _hide(async_redact_data(content, _REDACTED), account.devices.keys())
    return hidden


def _state(coordinator: CloudCoordinator[Any]) -> dict[str, Any]:
    return {
        "last_update_success": coordinator.last_update_success,
        "last_error": str(coordinator.last_exception) if coordinator.last_exception else None,
        "is_current": coordinator.is_current,
    }


def _device(coordinator: DeviceCoordinator) -> dict[str, Any]:
    capacity = coordinator.remembered.get("capacity")
    return {
        "serial": coordinator.serial,
        "state": _state(coordinator),
        "master": coordinator.master.serial if isinstance(coordinator, ModuleCoordinator) else None,
        "listing": dict(coordinator.device.listing) or None,
        "station": {"batteryCapacity": str(capacity)} if capacity else None,
        "reading": asdict(coordinator.data) if coordinator.data else None,
        "points": coordinator.raw,
        "findings": coordinator.findings,
        "remembered": coordinator.remembered,
    }


def _hide(value: Any, serials: Iterable[str]) -> Any:
    """Replace serial numbers, and what looks like one, by a stand-in that is the same wherever it occurs."""
    match value:
        case str() if value in serials:
            return f"sn{digest(value)}"
        case str():
            return _SERIAL.sub(lambda found: f"sn{digest(found[0])}", value)
        case dict():
            return {_hide(key, serials): _hide(item, serials) for key, item in value.items()}
        case list() | tuple():
            return [_hide(item, serials) for item in value]
    return value
