"""What devices have shown of themselves, kept over restarts."""

from collections.abc import Callable, Mapping
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..telemetry.energy.counter import sound_counters, sound_lifetimes
from ..telemetry.energy.meter import EnergyMeter

_LOGGER = logging.getLogger(__package__)

VERSION = 1
DELAY = 10.0
"""Seconds within which changes are written together."""

MAXIMUM_TOTAL = 1e8
"""kWh, and hours"""
MAXIMUM_TIME = 1e11
"""Seconds since 1970"""


def _is_number(value: Any, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is_mapping_to(value: Any, is_item: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(map(is_item, value.values()))


_FORMS: Mapping[str, Callable[[Any], bool]] = {
    "family": lambda value: isinstance(value, str),
    "modules": lambda value: _is_mapping_to(value, lambda item: type(item) is int and 0 < item < 1000),
    "capacity": lambda value: type(value) is float,
    "slowness": lambda value: type(value) is int and value >= 0,
}
"""What an item has to be, where nobody who takes it looks at it again."""


_PARTS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "totals": lambda value: _numbers(value, MAXIMUM_TOTAL),
    "metered": lambda value: _numbers(value, MAXIMUM_TOTAL),
    "awaited": lambda value: _numbers(value, MAXIMUM_TIME),
    "counters": sound_counters,
    "lifetime": sound_lifetimes,
    "meter": lambda value: EnergyMeter(value).memory,
}
"""What is left of an item of which a part is damaged."""


def _numbers(value: dict[str, Any], most: float) -> dict[str, Any]:
    return {key: item for key, item in value.items() if _is_number(item, 0, most)}


def _sound(content: Any) -> dict[str, Any]:
    """Return what of a device's memory has its form."""
    sound = {}
    for name, value in content.items() if isinstance(content, dict) else ():
        if name not in _PARTS:
            if name not in _FORMS or _FORMS[name](value):
                sound[name] = value
        elif isinstance(value, dict):
            sound[name] = _PARTS[name](value)
    return sound


class Memory:
    """One file per account: a JSON object per serial number."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Name the file; nothing is read yet."""
        self._store: Store[dict[str, dict[str, Any]]] = Store(hass, VERSION, f"{DOMAIN}.{entry_id}", private=True)
        self._devices: dict[str, dict[str, Any]] = {}
        self._is_due = False
        self._is_closed = False

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
        if self._devices.get(serial) != content and not self._is_closed:
            self._devices[serial] = content
            self._write_soon()

    def forget(self, serial: str) -> None:
        """Forget a device."""
        if self._devices.pop(serial, None) is not None:
            self._write_soon()

    def _write_soon(self) -> None:
        # Each call puts the writing off: with many devices there would be none.
        if not self._is_due:
            self._is_due = True
            self._store.async_delay_save(self._written, DELAY)

    def _written(self) -> dict[str, dict[str, Any]]:
        self._is_due = False
        return self._devices

    async def async_close(self) -> None:
        """Write now what is not written yet. What is learned from answers that are still on their way is lost."""
        self._is_closed = True
        if self._is_due:
            await self._store.async_save(self._written())

    async def async_remove(self) -> None:
        """Forget everything."""
        await self._store.async_remove()
