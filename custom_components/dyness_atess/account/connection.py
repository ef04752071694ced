"""What the forms and the entry of one account share: who it is, its queue of calls, and what a form has read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import hashlib
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..cloud.queue import AccountQueue
from ..const import CONF_API_ID, CONF_API_TOKEN, CONF_APP_ID, DOMAIN


@dataclass(frozen=True, slots=True)
class Connection:
    """Of one account, for as long as a form or an entry has it."""

    queue: AccountQueue = field(default_factory=AccountQueue)
    answers: dict[str, Any] = field(default_factory=dict)
    """What need not be asked for again when it begins to be read: what a form or an earlier start has read, by key."""


DEVICE_LIST = "device list"
_CONNECTIONS: HassKey[dict[str, Connection]] = HassKey(f"{DOMAIN}_connections")


@callback
def connection(hass: HomeAssistant, account: Mapping[str, Any]) -> Connection:
    """Return the one connection of an account."""
    return hass.data.setdefault(_CONNECTIONS, {}).setdefault(identity(account), Connection())


@callback
def release_connections(hass: HomeAssistant) -> None:
    """Forget the connections of accounts that no entry has, once no form is open that may have one."""
    if hass.config_entries.flow.async_progress_by_handler(DOMAIN):
        return
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    connections = hass.data.get(_CONNECTIONS, {})
    for unused in connections.keys() - {identity(entry.data) for entry in entries}:
        del connections[unused]


def identity(account: Mapping[str, Any]) -> str:
    """Return the unique id of an account."""
    if CONF_APP_ID in account:
        return f"dyness:{account[CONF_APP_ID]}"
    # Whoever has only the ready-made header has no id: a hash of it tells accounts apart without giving it away.
    token = hashlib.sha256(account[CONF_API_TOKEN].encode()).hexdigest()[:16]
    return f"atess:{account.get(CONF_API_ID) or token}"


def digest(serial: str) -> str:
    """Return a short stand-in for a serial number, the same every time."""
    return hashlib.sha256(serial.encode()).hexdigest()[:8]
