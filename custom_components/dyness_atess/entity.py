"""What sensors and binary sensors have in common."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, override

from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .account.account import Account, AccountConfigEntry
from .account.coordinator import ReadingsCoordinator
from .telemetry.vocabulary import HEALTH, OUTLOOK, SLOW, Key

TIMELESS = SLOW | HEALTH | {Key.LAST_REPORT}
"""Quantities that are right however old the sample is."""


class DeviceEntity(CoordinatorEntity[ReadingsCoordinator]):
    """One quantity of one device."""

    _attr_has_entity_name = True
    _shown: tuple[Any, ...] = ()

    def __init__(self, account: Account, coordinator: ReadingsCoordinator, description: EntityDescription) -> None:
        """Describe the entity and its device."""
        super().__init__(coordinator)
        self.account = account
        self.entity_description = description
        self.key = Key(description.key)
        self._attr_translation_key = description.translation_key or description.key
        self._attr_unique_id = f"{coordinator.serial}-{description.key}"
        self._attr_device_info = account.device_info(coordinator.serial)

    @property
    @override
    def available(self) -> bool:
        coordinator = self.coordinator
        if coordinator.data is None or self.key in TIMELESS:
            return coordinator.data is not None
        if self.key in OUTLOOK and (self.key not in coordinator.data.values or coordinator.is_outlook_old):
            return False
        return coordinator.is_available

    def is_new(self, value: object) -> bool:
        """Return whether something else is to be shown than with the sample before."""
        before, self._shown = self._shown, (self.available, value, self.extra_state_attributes)
        return self._shown != before

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        return reading.attributes.get(self.key) if (reading := self.coordinator.data) else None


async def async_add_as_seen[Description: EntityDescription](
    entry: AccountConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    platform: Platform,
    descriptions: Mapping[Key, Description],
    create: Callable[[ReadingsCoordinator, Description], Entity],
) -> None:
    """Add an entity for each quantity when its device is first seen to have it, now and later."""
    account = entry.runtime_data

    @callback
    def async_follow(coordinator: ReadingsCoordinator) -> None:
        added: set[Key] = set()
        known = 0

        @callback
        def async_add() -> None:
            nonlocal known
            if known == len(coordinator.quantities):
                return
            known = len(coordinator.quantities)
            new = {key for of, key in coordinator.quantities if of == platform and key in descriptions} - added
            added.update(new)
            async_add_entities(
                [create(coordinator, descriptions[key]) for key in sorted(new)],
                config_subentry_id=account.subentry_id(coordinator.serial),
            )

        async_add()
        coordinator.async_add_listener(async_add)

    account.on_added.append(async_follow)
    for coordinator in account.coordinators:
        async_follow(coordinator)
        await asyncio.sleep(0)  # a tower's modules have hundreds of entities
