"""What the screen asks: the picture of a battery, and again whenever something in it changes."""

from typing import Any

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components import websocket_api
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.event import async_track_device_registry_updated_event
from homeassistant.loader import async_get_loaded_integration
import probatio as vol

from .account.coordinator import ReadingsCoordinator
from .account.picture import picture
from .account.registry import serial_of
from .const import DOMAIN


@callback
def async_register(hass: HomeAssistant) -> None:
    """Let the screen ask, even before any account is set up."""
    websocket_api.async_register_command(hass, ws_battery)


@callback
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/battery", vol.Required("device_id"): str})
def ws_battery(hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]) -> None:
    """Send the picture of a battery or converter, or of the battery that a module belongs to."""
    asked = _device(hass, msg["device_id"])
    entry = hass.config_entries.async_get_entry(asked.config_entry_id) if asked else None
    if asked is None or entry is None or entry.domain != DOMAIN or asked.entry_type:
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, "No device of this integration")
        return
    device = _device(hass, asked.via_device_id) or asked
    if not _may_read(hass, connection, device):
        connection.send_error(msg["id"], websocket_api.ERR_UNAUTHORIZED, "Not allowed to read this device")
        return
    serial = serial_of(device)
    version = str(async_get_loaded_integration(hass, DOMAIN).version)
    sent: dict[str, Any] = {}
    readings: dict[ReadingsCoordinator, CALLBACK_TYPE] = {}

    @callback
    def send(*_: Any) -> None:
        nonlocal sent
        content: dict[str, Any] = {"version": version, "state": "starting"}
        wanted: set[ReadingsCoordinator] = set()
        if _device(hass, device.id) is None:
            content["state"] = "gone"
        elif entry.state is ConfigEntryState.LOADED and serial in entry.runtime_data.devices:
            if not _may_read(hass, connection, device):
                return
            account = entry.runtime_data
            content |= {"state": "ready"} | picture(account, serial)
            # A new module is known with the next sample of its master.
            wanted = {
                account.devices[each] for each in (serial, *account.modules_of(serial)) if each in account.devices
            }
        for coordinator in readings.keys() - wanted:
            readings.pop(coordinator)()
        for coordinator in wanted - readings.keys():
            readings[coordinator] = coordinator.async_add_listener(send)
        if content != sent:
            sent = content
            connection.send_event(msg["id"], content)

    ends = [entry.async_on_state_change(send), async_track_device_registry_updated_event(hass, device.id, send)]

    @callback
    def end() -> None:
        for each in (*ends, *readings.values()):
            each()

    connection.subscriptions[msg["id"]] = end
    connection.send_result(msg["id"])
    send()


def _device(hass: HomeAssistant, device_id: str | None) -> dr.DeviceEntry | None:
    device = dr.async_get(hass).async_get(device_id) if device_id else None
    return device if isinstance(device, dr.DeviceEntry) else None


def _may_read(hass: HomeAssistant, connection: websocket_api.ActiveConnection, device: dr.DeviceEntry) -> bool:
    """Return whether the user may read every entity of a battery and its modules."""
    permissions = connection.user.permissions
    if permissions.access_all_entities(POLICY_READ):
        return True
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), device.config_entry_id)
    shown = {each.id for each in devices if device.id in (each.id, each.via_device_id)}
    entities = er.async_entries_for_config_entry(er.async_get(hass), device.config_entry_id)
    known = [entity.entity_id for entity in entities if entity.device_id in shown]
    return bool(known) and all(permissions.check_entity(entity_id, POLICY_READ) for entity_id in known)
