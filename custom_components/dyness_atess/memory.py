"""What devices have shown of themselves, kept over restarts."""

import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN

_LOGGER = logging.getLogger(__package__)

VERSION = 1
DELAY = 60.0
"""Seconds within which changes are written together."""


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
            self._devices = {serial: dict(content) for serial, content in stored.items()}
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
