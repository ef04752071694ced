"""Events: what happens to the alarms of a battery or converter."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.start import async_at_started

from .account.account import AccountConfigEntry
from .account.coordinator import ReadingsCoordinator
from .entity import DeviceEntity, async_add_as_seen
from .telemetry.alarms import AlarmEvent, AlarmEventType
from .telemetry.vocabulary import Key

PARALLEL_UPDATES = 0
PATIENCE = 10.0
"""Seconds that an event waits for the cloud's text."""

ALARM_EVENT = EventEntityDescription(key=Key.ALARM_EVENT, event_types=list(AlarmEventType))


async def async_setup_entry(
    _hass: HomeAssistant, entry: AccountConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the events of the account's devices."""
    descriptions = {Key.ALARM_EVENT: ALARM_EVENT}
    create = partial(AlarmEventEntity, entry.runtime_data)
    await async_add_as_seen(entry, async_add_entities, Platform.EVENT, descriptions, create)


class AlarmEventEntity(DeviceEntity, EventEntity):
    """Raises an event for each alarm that begins or ends, on a device itself or on a module behind it."""

    @property
    @override
    def available(self) -> bool:
        return True  # what has happened does not age

    @override
    async def async_added_to_hass(self) -> None:
        # Before the start is over no automation listens.
        await super().async_added_to_hass()
        self._in_order = asyncio.Lock()
        self.async_on_remove(async_at_started(self.hass, self._start))

    @callback
    def _start(self, _hass: HomeAssistant) -> None:
        self.account.on_added.append(self._follow)
        self.async_on_remove(partial(self.account.on_added.remove, self._follow))
        for coordinator in self.account.devices.values():
            self._follow(coordinator)

    @callback
    def _follow(self, coordinator: ReadingsCoordinator) -> None:
        own = self.coordinator.serial
        if coordinator.key in (own, *self.account.modules_of(own)):
            compare = partial(self._compare, coordinator)
            self.async_on_remove(coordinator.async_add_listener(compare))
            compare()

    @override
    @callback
    def _handle_coordinator_update(self) -> None:
        """Write nothing: there is no state but the last event."""

    @callback
    def _compare(self, coordinator: ReadingsCoordinator) -> None:
        """Compare a device or module with its sample before; an alarm that both have is one event."""
        if coordinator.data is None:
            return
        own, devices = self.coordinator.serial, self.account.devices
        modules = self.account.modules_of(own)
        others = modules if coordinator is self.coordinator else (own,)
        elsewhere = {key for other in others if other in devices for key in devices[other].alarms.active}
        module = modules.get(coordinator.serial)
        if events := coordinator.alarms.compare(coordinator.data, elsewhere, module):
            entry = coordinator.config_entry
            entry.async_create_background_task(self.hass, self._raise(events), "an alarm")

    async def _raise(self, events: list[AlarmEvent]) -> None:
        """Raise events in their order; those of alarms that begin have the cloud's text, where it has one in time."""
        async with self._in_order:
            texts: dict[str, str] = {}
            if any(event.rises for event in events):
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        texts = await self.account.async_alarm_texts(self.coordinator.serial)
            for event in events:
                self._trigger_event(event.type, event.attributes | (texts if event.rises else {}))
                self.async_write_ha_state()
