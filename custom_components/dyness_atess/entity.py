"""What sensors and binary sensors have in common."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
import re
from typing import override

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .account.account import AccountConfigEntry
from .account.coordinator import DeviceCoordinator
from .telemetry.vocabulary import CELL_VOLTAGES, LIFETIME, Key

_NUMBERED = re.compile(r"cell_(?:temperature_)?(\d+)(?:_voltage)?")
"""Keys of single cells and probes, which share a name and differ in a number."""

TIMELESS = LIFETIME | {Key.LAST_REPORT, Key.ONLINE}
"""Quantities that are right however old the sample is."""


class DeviceEntity(CoordinatorEntity[DeviceCoordinator]):
    """One quantity of one device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: DeviceCoordinator, description: EntityDescription) -> None:
        """Describe the entity and its device."""
        super().__init__(coordinator)
        self.entity_description = description
        self.key = Key(description.key)
        self._attr_translation_key = description.translation_key or description.key
        if number := _NUMBERED.fullmatch(description.key):
            self._attr_translation_placeholders = {"number": str(int(number[1]))}
        self._attr_unique_id = f"{coordinator.serial}-{description.key}"
        self._attr_device_info = coordinator.device_info

    @property
    @override
    def available(self) -> bool:
        coordinator = self.coordinator
        if not super().available or coordinator.data is None or self.key in coordinator.silent:
            return False
        return self.key in TIMELESS or coordinator.is_current


async def async_add_as_seen[Description: EntityDescription](
    entry: AccountConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    platform: Platform,
    descriptions: Mapping[Key, Description],
    create: Callable[[DeviceCoordinator, Description], Entity],
) -> None:
    """Add an entity for each quantity when its device is first seen to have it, now and later."""
    account = entry.runtime_data

    @callback
    def async_add(coordinator: DeviceCoordinator, added: set[Key]) -> None:
        new = {key for of, key in coordinator.quantities if of == platform and key in descriptions} - added
        added |= new
        if new:
            async_add_entities(
                [create(coordinator, descriptions[key]) for key in sorted(new)],
                config_subentry_id=coordinator.subentry_id,
            )

    @callback
    def async_follow(coordinator: DeviceCoordinator) -> None:
        add = partial(async_add, coordinator, set())
        add()
        coordinator.unfollow += (coordinator.async_add_listener(add), account.inventory.async_add_listener(add))

    account.followers.append(async_follow)
    for coordinator in list(account.devices.values()):
        async_follow(coordinator)
        await asyncio.sleep(0)  # a tower's modules have hundreds of entities


@callback
def show_single_cells(hass: HomeAssistant, entry: AccountConfigEntry, *, shown: bool) -> None:
    """Turn the entities of all single cells of an account on, or off again; what the user turned off stays off."""
    registry = er.async_get(hass)
    off = er.RegistryEntryDisabler.INTEGRATION
    before, after = (off, None) if shown else (None, off)
    for registered in er.async_entries_for_config_entry(registry, entry.entry_id):
        key = registered.unique_id.rpartition("-")[2]
        if key in CELL_VOLTAGES and registered.disabled_by is before:
            registry.async_update_entity(registered.entity_id, disabled_by=after)
