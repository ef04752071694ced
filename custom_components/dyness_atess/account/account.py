"""What runs for one config entry, and what belongs to the account as a whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import hashlib
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util.hass_dict import HassKey

from ..cloud.queue import AccountQueue
from ..const import CONF_API_ID, CONF_API_TOKEN, CONF_APP_ID, DOMAIN
from ..telemetry.vocabulary import Key
from .memory import Memory

if TYPE_CHECKING:
    from .coordinator import DeviceCoordinator, Inventory

type AccountConfigEntry = ConfigEntry[Account]


@dataclass(kw_only=True)
class Account:
    """What runs for one config entry."""

    inventory: Inventory
    memory: Memory
    queue: AccountQueue
    known: dict[str, set[tuple[Platform, Key]]]
    """The quantities of devices that do not run yet, by serial number."""
    devices: dict[str, DeviceCoordinator] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    """The names of the reads whose credentials the cloud did not take the last time."""
    followers: list[Callable[[DeviceCoordinator], None]] = field(default_factory=list)
    """Called with each device that is added later."""

    def add(self, device: DeviceCoordinator) -> None:
        """Add a device and tell whoever follows."""
        self.devices[device.serial] = device
        for follower in self.followers:
            follower(device)

    async def async_remove(self, serial: str) -> None:
        """Forget a device."""
        self.inventory.data.pop(serial, None)
        self.memory.forget(serial)
        self.known.pop(serial, None)
        if device := self.devices.pop(serial, None):
            self.rejected.discard(device.name)
            device.async_unfollow()
            await device.async_shutdown()


def known_quantities(hass: HomeAssistant, entry: AccountConfigEntry) -> dict[str, set[tuple[Platform, Key]]]:
    """Return what the entity registry remembers of the devices, by serial number."""
    known: dict[str, set[tuple[Platform, Key]]] = {}
    for registered in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        serial, _, key = registered.unique_id.rpartition("-")
        if key in Key:
            known.setdefault(serial, set()).add((Platform(registered.domain), Key(key)))
    return known


_QUEUES: HassKey[dict[str, AccountQueue]] = HassKey(f"{DOMAIN}_queues")


def account_queue(hass: HomeAssistant, account: Mapping[str, Any]) -> AccountQueue:
    """Return the one queue of an account, in the form as well as in the entry that it becomes."""
    return hass.data.setdefault(_QUEUES, {}).setdefault(identity(account), AccountQueue())


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


def tell(
    hass: HomeAssistant,
    entry: AccountConfigEntry,
    is_so: bool,
    *,
    translation_key: str,
    translation_placeholders: dict[str, str],
    device: str = "",
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
    learn_more_url: str | None = None,
) -> None:
    """Raise a repair while something is so that only the user can change, and take it back afterwards."""
    issue = f"{translation_key}_{entry.entry_id}{device}"
    if not is_so:
        ir.async_delete_issue(hass, DOMAIN, issue)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue,
        is_fixable=False,
        severity=severity,
        translation_key=translation_key,
        translation_placeholders=translation_placeholders,
        learn_more_url=learn_more_url,
    )
