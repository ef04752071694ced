"""What sensors and binary sensors have in common."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import override

from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import AccountConfigEntry, DeviceCoordinator
from .telemetry.vocabulary import LIFETIME, Key

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
        self._attr_unique_id = f"{coordinator.serial}-{description.key}"
        self._attr_device_info = device_info(coordinator)

    @property
    @override
    def available(self) -> bool:
        coordinator = self.coordinator
        return super().available and coordinator.data is not None and (self.key in TIMELESS or coordinator.is_current)


def device_info(coordinator: DeviceCoordinator) -> DeviceInfo:
    """Return what the device page shows."""
    device = coordinator.device
    reading = coordinator.data
    return DeviceInfo(
        identifiers={(DOMAIN, device.serial)},
        manufacturer=coordinator.inventory.manufacturer,
        name=device.name or device.model or coordinator.inventory.manufacturer,
        model=device.model,
        model_id=device.model_code,
        serial_number=device.serial,
        sw_version=device.firmware or (reading.firmware if reading else None),
    )


def async_add_as_seen[Description: EntityDescription](
    entry: AccountConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    platform: Platform,
    descriptions: Mapping[Key, Description],
    create: Callable[[DeviceCoordinator, Description], Entity],
) -> None:
    """Add an entity for each quantity when its device is first seen to have it, now and later."""
    account = entry.runtime_data
    added: set[tuple[str, Key]] = set()
    followed: set[str] = set()

    @callback
    def async_add(coordinator: DeviceCoordinator) -> None:
        keys = {key for of, key in coordinator.quantities if of == platform and key in descriptions}
        new = sorted(key for key in keys if (coordinator.serial, key) not in added)
        added.update((coordinator.serial, key) for key in new)
        async_add_entities(
            [create(coordinator, descriptions[key]) for key in new],
            config_subentry_id=account.inventory.subentries.get(coordinator.serial),
        )

    @callback
    def async_follow_inventory() -> None:
        for serial, coordinator in account.devices.items():
            async_add(coordinator)
            if serial not in followed:
                followed.add(serial)
                entry.async_on_unload(coordinator.async_add_listener(partial(async_add, coordinator)))

    async_follow_inventory()
    entry.async_on_unload(account.inventory.async_add_listener(async_follow_inventory))
