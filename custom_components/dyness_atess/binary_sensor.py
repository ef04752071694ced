"""Binary sensors: what a battery does, what it allows, and its alarm bits."""

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account.account import AccountConfigEntry
from .entity import DeviceEntity, async_add_as_seen
from .telemetry.vocabulary import PROTECTIONS, WARNINGS, Key

PARALLEL_UPDATES = 0

BINARY_SENSORS: tuple[BinarySensorEntityDescription, ...] = (
    BinarySensorEntityDescription(key=Key.CHARGING, device_class=BinarySensorDeviceClass.BATTERY_CHARGING),
    BinarySensorEntityDescription(
        key=Key.ONLINE,
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
    BinarySensorEntityDescription(key=Key.ALARM, device_class=BinarySensorDeviceClass.PROBLEM),
    BinarySensorEntityDescription(key=Key.FAULT, device_class=BinarySensorDeviceClass.PROBLEM),
    *(
        BinarySensorEntityDescription(
            key=key, device_class=BinarySensorDeviceClass.PROBLEM, entity_category=EntityCategory.DIAGNOSTIC
        )
        for key in (Key.WARNING, *sorted(WARNINGS), *sorted(PROTECTIONS))
    ),
    *(
        BinarySensorEntityDescription(key=key, entity_category=EntityCategory.DIAGNOSTIC)
        for key in (
            Key.CHARGE_ENABLED,
            Key.DISCHARGE_ENABLED,
            Key.FULL_CHARGE_REQUESTED,
            Key.FORCE_CHARGE_1,
            Key.FORCE_CHARGE_2,
            Key.CHARGE_MOSFET,
            Key.DISCHARGE_MOSFET,
            Key.HEATER,
            Key.FULLY_CHARGED,
            Key.BATTERY_RELAY,
        )
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AccountConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors of the account's devices."""
    descriptions = {Key(description.key): description for description in BINARY_SENSORS}
    await async_add_as_seen(entry, async_add_entities, Platform.BINARY_SENSOR, descriptions, ReadingBinarySensor)


class ReadingBinarySensor(DeviceEntity, BinarySensorEntity):
    """A flag of the reading, or whether the reading is current at all."""

    @property
    @override
    def is_on(self) -> bool | None:
        return self.coordinator.is_current if self.key is Key.ONLINE else self.coordinator.data.flags.get(self.key)
