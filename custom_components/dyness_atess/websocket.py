"""What the screen asks: the picture of a battery, and again whenever something in it changes."""

from typing import Any

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components import websocket_api
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange, ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.loader import async_get_loaded_integration
import probatio as vol

from .account.account import Account
from .account.coordinator import ReadingsCoordinator
from .account.picture import Picture, picture
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
    device = _device(hass, msg["device_id"])
    entry = hass.config_entries.async_get_entry(device.config_entry_id) if device else None
    if device is None or entry is None or entry.domain != DOMAIN or device.entry_type:
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, "No device of this integration")
        return
    follower = Follower(hass, connection, msg["id"], entry, _device(hass, device.via_device_id) or device)
    if not follower.may_read:
        connection.send_error(msg["id"], websocket_api.ERR_UNAUTHORIZED, "Not allowed to read this device")
        return
    connection.subscriptions[msg["id"]] = follower.async_end
    connection.send_result(msg["id"])
    follower.async_begin()


def _device(hass: HomeAssistant, device_id: str | None) -> dr.DeviceEntry | None:
    device = dr.async_get(hass).async_get(device_id) if device_id else None
    return device if isinstance(device, dr.DeviceEntry) else None


class Follower:
    """Sends one subscriber the picture of a battery, before and after each reload of its account."""

    def __init__(
        self,
        hass: HomeAssistant,
        connection: websocket_api.ActiveConnection,
        message: int,
        entry: ConfigEntry,
        device: dr.DeviceEntry,
    ) -> None:
        """Know whom to tell of what."""
        self._hass = hass
        self._connection = connection
        self._message = message
        self._entry = entry
        self._device = device
        self._serial = serial_of(device)
        self._version = str(async_get_loaded_integration(hass, DOMAIN).version)
        self._sent: Picture | None = None
        self._listening: dict[ReadingsCoordinator, CALLBACK_TYPE] = {}
        self._on_end: list[CALLBACK_TYPE] = []
        self._is_due = False

    @property
    def may_read(self) -> bool:
        """Whether the user may read every entity of the battery and its modules."""
        permissions = self._connection.user.permissions
        if permissions.access_all_entities(POLICY_READ):
            return True
        devices = dr.async_entries_for_config_entry(dr.async_get(self._hass), self._entry.entry_id)
        shown = {device.id for device in devices if self._device.id in (device.id, device.via_device_id)}
        entities = er.async_entries_for_config_entry(er.async_get(self._hass), self._entry.entry_id)
        known = [entity.entity_id for entity in entities if entity.device_id in shown]
        return bool(known) and all(permissions.check_entity(entity_id, POLICY_READ) for entity_id in known)

    @callback
    def async_begin(self) -> None:
        """Send the first picture, and listen to the account."""
        self._on_end.append(async_dispatcher_connect(self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._follow_entry))
        self._send()

    @callback
    def async_end(self) -> None:
        """Send no more."""
        for end in (*self._on_end, *self._listening.values()):
            end()
        self._listening.clear()
        self._on_end.clear()

    @callback
    def _follow_entry(self, _change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.entry_id == self._entry.entry_id:
            self._entry = entry
            self._changed()

    @callback
    def _changed(self) -> None:
        """Send it once for all that changes at a time: the modules of a tower change their master too."""
        if not self._is_due:
            self._is_due = True
            self._hass.loop.call_soon(self._send_due)

    @callback
    def _send_due(self) -> None:
        if self._on_end:
            self._is_due = False
            self._send()

    @callback
    def _send(self) -> None:
        content: Picture = {"version": self._version, "state": "starting"}
        account: Account | None = None
        if self._entry.state is ConfigEntryState.LOADED and self._serial in self._entry.runtime_data.devices:
            account = self._entry.runtime_data
            if not self.may_read:
                return
            content |= {"state": "ready"} | picture(account, self._serial)
        self._listen(account)
        if content != self._sent:
            self._sent = content
            self._connection.send_event(self._message, content)

    def _listen(self, account: Account | None) -> None:
        """Listen to what is read of the battery by now: a new module is known with the next sample of its master."""
        serials = (self._serial, *account.modules_of(self._serial)) if account else ()
        wanted = {account.devices[serial] for serial in serials if serial in account.devices} if account else set()
        for coordinator in self._listening.keys() - wanted:
            self._listening.pop(coordinator)()
        for coordinator in wanted - self._listening.keys():
            self._listening[coordinator] = coordinator.async_add_listener(self._changed)
