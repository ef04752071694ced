"""Processor time of a poll, beside a coordinator that has nothing to do but to show the same states, and of a point."""

import asyncio
from contextvars import copy_context
from datetime import timedelta
import gc
import logging
import time
from typing import Any, override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.helpers.update_coordinator import CoordinatorEntity, DataUpdateCoordinator

from custom_components.dyness_atess.account.coordinator import ReadingsCoordinator
from custom_components.dyness_atess.entity import DeviceEntity
from custom_components.dyness_atess.telemetry.dyness.decoder import decode
from custom_components.dyness_atess.telemetry.vocabulary import Key

from ..dyness.catalogue import CATALOGUE, build
from .clock import BEGIN, IS_BARE, Slices, simulated
from .cloud import Battery, Cloud, Uploads, house, set_up

HOURS = 72
"""Of which the quickest counts: the others have had more of the machine's other work in them."""
SAMPLES = 72
"""That differ, of each device."""


class Bare(DataUpdateCoordinator[dict[Key, Any]]):
    """Takes the numbers of the same answers as they are, and shows the states that ours shows."""

    def __init__(self, shown: ReadingsCoordinator, cloud: Cloud) -> None:
        logger, interval = logging.getLogger(__name__), timedelta(minutes=5)
        super().__init__(shown.hass, logger, name="bare", config_entry=None, update_interval=interval)
        self._shown = shown
        self._cloud = cloud
        self.polls = 0

    @override
    async def _async_update_data(self) -> dict[Key, Any]:
        answer = await self._cloud.answer(self._shown.serial)
        self.numbers = {point["pointId"]: _number(point["pointValue"]) for point in answer.content["data"]}
        self.polls += 1
        data = self._shown.data
        return {**data.values, **data.flags, Key.ONLINE: True} if data else {}


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


class BareEntity(CoordinatorEntity[Bare]):
    """The twin of an entity."""

    def __init__(self, coordinator: Bare, twin: DeviceEntity) -> None:
        super().__init__(coordinator)
        self.entity_description = twin.entity_description
        self._attr_unique_id = self._attr_name = f"bare {twin.unique_id}"
        self._key = twin.key


class BareSensor(BareEntity, SensorEntity):
    """The twin of a sensor."""

    @property
    @override
    def native_value(self) -> Any:
        return self.coordinator.data.get(self._key)


class BareBinarySensor(BareEntity, BinarySensorEntity):
    """The twin of a binary sensor."""

    @property
    @override
    def is_on(self) -> bool | None:
        return self.coordinator.data.get(self._key)


def compare(name: str, **options: Any) -> tuple[float, float]:
    """Return the microseconds that a poll of a device of the catalogue takes, ours and bare."""
    cloud = Cloud({"account": [Battery(build(name)[0], Uploads("steady", 100, HOURS + 2), SAMPLES)]})
    with simulated() as loop:
        return loop.run_until_complete(_compare(cloud, options))


async def _compare(cloud: Cloud, options: dict[str, Any]) -> tuple[float, float]:
    async with house(cloud, **options) as (hass, entries):
        await set_up(hass, entries)
        await asyncio.sleep(1800)
        context = copy_context()
        context.run(IS_BARE.set, True)
        twins = await asyncio.create_task(_add_twins(hass, cloud), context=context)
        await asyncio.sleep(1800)
        gc.collect()
        gc.freeze()  # a pass over all of Home Assistant would count for whom it happens to come to
        hours = []
        for _ in range(HOURS):
            slices, calls, polls = Slices(), cloud.calls.total(), sum(twin.polls for twin in twins)
            with slices.measured():
                await asyncio.sleep(3600)
            calls = (cloud.calls.total() - calls) // 2  # each is counted for its account too
            hours.append((slices.ours / calls, slices.bare / (sum(twin.polls for twin in twins) - polls)))
        gc.unfreeze()
    ours, bare = (min(times) * 1e6 for times in zip(*hours, strict=True))
    return ours, bare


async def _add_twins(hass: HomeAssistant, cloud: Cloud) -> list[Bare]:
    coordinators: dict[ReadingsCoordinator, Bare] = {}
    for domain, kind in (("sensor", BareSensor), ("binary_sensor", BareBinarySensor)):
        component = hass.data[DATA_INSTANCES][domain]
        shown = [entity for entity in component.entities if isinstance(entity, DeviceEntity)]
        for coordinator in {entity.coordinator for entity in shown} - coordinators.keys():
            coordinators[coordinator] = Bare(coordinator, cloud)
            await coordinators[coordinator].async_refresh()
        await component.async_add_entities([kind(coordinators[entity.coordinator], entity) for entity in shown])
    return [*coordinators.values()]


def decoding() -> dict[str, float]:
    """Return the microseconds of decoding per point, for devices of all schemas."""
    found = {}
    for name in CATALOGUE:
        device = build(name)[0]
        for one in (device, *device.modules[:1]):
            samples = [one.points(BEGIN + number * timedelta(minutes=5)) for number in range(SAMPLES)]
            family, rounds = decode(samples[0]).family, []
            for _ in range(5):
                begin = time.thread_time()
                for sample in samples:
                    decode(sample, family)
                rounds.append(time.thread_time() - begin)
            found[name if one is device else f"{name}, module"] = min(rounds) / sum(map(len, samples)) * 1e6
    return found
