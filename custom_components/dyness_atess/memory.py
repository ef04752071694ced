"""What devices have shown of themselves, kept over restarts."""

from collections.abc import Callable, Mapping
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN

_LOGGER = logging.getLogger(__package__)

VERSION = 1
DELAY = 60.0
"""Seconds within which changes are written together."""

MAXIMUM_TOTAL = 1e8
"""kWh, and hours"""


def _is_number(value: Any, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is_mapping_to(value: Any, is_item: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(map(is_item, value.values()))


_FORMS: Mapping[str, Callable[[Any], bool]] = {
    "family": lambda value: isinstance(value, str),
    "modules": lambda value: _is_mapping_to(value, lambda item: type(item) is int and 0 < item < 1000),
    "totals": lambda value: _is_mapping_to(value, lambda item: _is_number(item, 0, MAXIMUM_TOTAL)),
    "capacity": lambda value: type(value) is float,
    "slowness": lambda value: type(value) is int and value >= 0,
}
"""What an item has to be, where nobody who takes it looks at it again."""


def _sound(content: Any) -> dict[str, Any]:
    """Return what of a device's memory has its form."""
    items = content.items() if isinstance(content, dict) else ()
    return {name: value for name, value in items if name not in _FORMS or _FORMS[name](value)}


class Memory:
    """One file per account: a JSON object per serial number."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Name the file; nothing is read yet."""
        self._store: Store[dict[str, dict[str, Any]]] = Store(hass, VERSION, f"{DOMAIN}.{entry_id}", private=True)
        self._devices: dict[str, dict[str, Any]] = {}

    async def async_load(self) -> None:
        """Read the file. One that cannot be used is as good as none."""
        try:
            stored = await self._store.async_load() or {}
            self._devices = {serial: _sound(content) for serial, content in stored.items()}
            if self._devices != stored:
                _LOGGER.warning("Some of what was learned of the devices is damaged and is learned anew")
        except Exception:  # whatever is in the file: devices show themselves anew, the start does not fail
            _LOGGER.warning("What was learned of the devices cannot be read and is learned anew", exc_info=True)

    def recall(self, serial: str) -> dict[str, Any]:
        """Return what is known of a device."""
        return self._devices.get(serial, {})

    def keep(self, serial: str, content: dict[str, Any]) -> None:
        """Replace what is known of a device."""
        if self._devices.get(serial) != content:
            self._devices[serial] = content
            self._store.async_delay_save(lambda: self._devices, DELAY)

    async def async_write(self) -> None:
        """Write now what is not written yet."""
        if self._devices:
            await self._store.async_save(self._devices)

    async def async_remove(self) -> None:
        """Forget everything."""
        await self._store.async_remove()
