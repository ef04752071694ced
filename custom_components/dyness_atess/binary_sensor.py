"""Binary sensors: what a battery does, what it allows, and its alarm bits."""

from dataclasses import replace
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass as Class,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account.account import AccountConfigEntry
from .account.coordinator import ReadingsCoordinator
from .entity import DeviceEntity, async_add_as_seen
from .telemetry.vocabulary import PROTECTIONS, WARNINGS, Key

PARALLEL_UPDATES = 0

SHOWN = {Key.CHARGING: Class.BATTERY_CHARGING, Key.ALARM: Class.PROBLEM, Key.FAULT: Class.PROBLEM}
DIAGNOSTIC: dict[Key, Class | None] = {
    Key.ONLINE: Class.CONNECTIVITY,
    **dict.fromkeys((Key.WARNING, *sorted(WARNINGS), *sorted(PROTECTIONS)), Class.PROBLEM),
    **dict.fromkeys((Key.CHARGE_ENABLED, Key.DISCHARGE_ENABLED, Key.FULL_CHARGE_REQUESTED), None),
    **dict.fromkeys((Key.FORCE_CHARGE_1, Key.FORCE_CHARGE_2, Key.CHARGE_MOSFET, Key.DISCHARGE_MOSFET), None),
    **dict.fromkeys((Key.HEATER, Key.FAN, Key.BALANCING, Key.FULLY_CHARGED, Key.BATTERY_RELAY), None),
}
BINARY_SENSORS = (
    *(BinarySensorEntityDescription(key=key, device_class=kind) for key, kind in SHOWN.items()),
    *(
        BinarySensorEntityDescription(key=key, device_class=kind, entity_category=EntityCategory.DIAGNOSTIC)
        for key, kind in DIAGNOSTIC.items()
    ),
    # Off at first: with the state of charge a house would stand twice in a list of low batteries.
    BinarySensorEntityDescription(
        key=Key.BATTERY_LOW, device_class=Class.BATTERY, entity_registry_enabled_default=False
    ),
)


def for_module(description: BinarySensorEntityDescription) -> BinarySensorEntityDescription:
    """Return how a module has it: its bits are off at first, what sums them up is on."""
    on_at_first = description.key in (Key.CHARGING, Key.ONLINE, Key.ALARM, Key.WARNING)
    return replace(description, entity_registry_enabled_default=on_at_first)


async def async_setup_entry(
    hass: HomeAssistant, entry: AccountConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors of the account's devices."""
    account = entry.runtime_data

    def create(coordinator: ReadingsCoordinator, description: BinarySensorEntityDescription) -> ReadingBinarySensor:
        kind = OnlineSensor if description.key == Key.ONLINE else ReadingBinarySensor
        return kind(account, coordinator, for_module(description) if coordinator.is_module else description)

    descriptions = {Key(description.key): description for description in BINARY_SENSORS}
    await async_add_as_seen(entry, async_add_entities, Platform.BINARY_SENSOR, descriptions, create)


class ReadingBinarySensor(DeviceEntity, BinarySensorEntity):
    """A flag of the reading."""

    @override
    @callback
    def _handle_coordinator_update(self) -> None:
        """Write what is new: dozens of bits say the same for weeks."""
        if self.is_new(self.is_on):
            self.async_write_ha_state()

    @property
    @override
    def is_on(self) -> bool | None:
        return reading.flags.get(self.key) if (reading := self.coordinator.data) else None


class OnlineSensor(ReadingBinarySensor):
    """Whether the reading is current at all."""

    @property
    @override
    def available(self) -> bool:
        return True

    @property
    @override
    def is_on(self) -> bool:
        return self.coordinator.is_available
