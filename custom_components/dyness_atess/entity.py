"""What sensors and binary sensors have in common."""

import asyncio
from collections.abc import Callable, Mapping
import re
from typing import Any, override

from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .account.account import Account, AccountConfigEntry
from .account.coordinator import ReadingsCoordinator
from .const import DOMAIN
from .telemetry.energy.outlook import MAXIMUM_AGE as OUTLOOK_AGE
from .telemetry.vocabulary import HEALTH, OUTLOOK, SLOW, Key

_NUMBERED = re.compile(r"cell_(?:temperature_)?(\d+)(?:_voltage)?")
"""Keys of single cells and probes, which share a name and differ in a number."""

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
        if number := _NUMBERED.fullmatch(description.key):
            self._attr_translation_placeholders = {"number": str(int(number[1]))}
        self._attr_unique_id = f"{coordinator.serial}-{description.key}"
        self._attr_device_info = account.device_info(coordinator.serial)

    @property
    @override
    def available(self) -> bool:
        coordinator = self.coordinator
        if self.key in TIMELESS:
            return coordinator.data is not None
        if self.key in OUTLOOK:
            has_value = coordinator.data is not None and self.key in coordinator.data.values
            return coordinator.is_available and has_value and not coordinator.is_older_than(OUTLOOK_AGE)
        return coordinator.is_available

    def is_new(self, value: object) -> bool:
        """Return whether something else is to be shown than with the sample before."""
        before, self._shown = self._shown, (self.available, value, self.extra_state_attributes)
        return self._shown != before

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        return self.coordinator.data.attributes.get(self.key) if self.coordinator.data else None


async def async_add_as_seen[Description: EntityDescription](
    entry: AccountConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    platform: Platform,
    descriptions: Mapping[Key, Description],
    create: Callable[[ReadingsCoordinator, Description], Entity],
) -> Callable[[], None]:
    """Add an entity for each quantity when its device is first seen to have it, now and later.

    Returns what adds those again that the entity registry has lost meanwhile.
    """
    account = entry.runtime_data
    registry = er.async_get(entry.runtime_data.hass)
    followed: dict[ReadingsCoordinator, set[Key]] = {}

    @callback
    def async_add(coordinator: ReadingsCoordinator, added: set[Key]) -> None:
        new = {key for of, key in coordinator.quantities if of == platform and key in descriptions} - added
        added |= new
        if new:
            async_add_entities(
                [create(coordinator, descriptions[key]) for key in sorted(new)],
                config_subentry_id=account.subentry_id(coordinator.serial),
            )

    @callback
    def async_follow(coordinator: ReadingsCoordinator) -> None:
        added: set[Key] = set()
        known = 0
        followed[coordinator] = added

        @callback
        def add() -> None:
            nonlocal known
            if known != len(coordinator.quantities):
                known = len(coordinator.quantities)
                async_add(coordinator, added)

        add()

        @callback
        def async_leave() -> None:
            del followed[coordinator]

        coordinator.on_end += (coordinator.async_add_listener(add), async_leave)

    account.on_added.append(async_follow)
    for coordinator in account.coordinators:
        async_follow(coordinator)
        await asyncio.sleep(0)  # a tower's modules have hundreds of entities

    @callback
    def async_add_again() -> None:
        for coordinator, added in followed.items():
            for key in list(added):
                if not registry.async_get_entity_id(platform, DOMAIN, f"{coordinator.serial}-{key}"):
                    added.discard(key)
            async_add(coordinator, added)

    return async_add_again
