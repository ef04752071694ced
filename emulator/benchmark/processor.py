"""Processor time: of a poll, beside a coordinator that has nothing to do but to show the same states; of a point."""

import asyncio
from collections.abc import Sequence
from contextvars import copy_context
from dataclasses import dataclass
from datetime import timedelta
import logging
import time
from typing import Any, override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.helpers.update_coordinator import CoordinatorEntity, DataUpdateCoordinator

from custom_components.dyness_atess.account.coordinator import ReadingsCoordinator
from custom_components.dyness_atess.entity import DeviceEntity
from custom_components.dyness_atess.telemetry.dyness.decoder import decode
from custom_components.dyness_atess.telemetry.vocabulary import Key

from ..dyness.catalogue import CATALOGUE, build
from .clock import BEGIN, OWNER, Slices, simulated
from .house import add_accounts, house
from .uploads import Battery, Cloud, Uploads

HOURS = 6
SAMPLES = 72
"""That differ, of each device."""


class Bare(DataUpdateCoordinator[dict[Key, Any]]):
    """Takes the numbers of the same answers as they are, and shows the states that ours shows."""

    def __init__(self, shown: ReadingsCoordinator, cloud: Cloud) -> None:
        interval = timedelta(minutes=5)
        super().__init__(
            shown.hass, logging.getLogger(__name__), name="bare", config_entry=None, update_interval=interval
        )
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
        self._attr_unique_id = f"bare {twin.unique_id}"
        self._attr_name = self._attr_unique_id
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


@dataclass
class Poll:
    """Microseconds of processor time for one poll."""

    ours: float
    bare: float
    entities: float
    """Per device."""


def compare(name: str, **options: Any) -> Poll:
    """Let a device of the catalogue and its twins live for some hours."""
    cloud = Cloud({"account": [Battery(build(name)[0], Uploads("steady", 100, HOURS + 2), SAMPLES)]})
    with simulated() as loop:
        return loop.run_until_complete(_compare(cloud, options))


async def _compare(cloud: Cloud, options: dict[str, Any]) -> Poll:
    async with house(cloud) as hass:
        await add_accounts(hass, cloud, **options)
        await asyncio.sleep(1800)
        context = copy_context()
        context.run(OWNER.set, "bare")
        bare = await asyncio.get_running_loop().create_task(_add_twins(hass, cloud), context=context)
        await asyncio.sleep(1800)
        slices, before, polls = Slices(), sum(cloud.calls.values()), sum(one.polls for one in bare)
        with slices.measured():
            await asyncio.sleep(HOURS * 3600)
        calls = (sum(cloud.calls.values()) - before) / 2  # each is counted for its account too
        of_bare = sum(one.polls for one in bare) - polls
        entities = sum(len(one._listeners) for one in bare) / len(bare)  # noqa: SLF001
    return Poll(
        ours=slices.total["Home Assistant"] / calls * 1e6, bare=slices.total["bare"] / of_bare * 1e6, entities=entities
    )


async def _add_twins(hass: HomeAssistant, cloud: Cloud) -> Sequence[Bare]:
    coordinators: dict[ReadingsCoordinator, Bare] = {}
    kinds: dict[str, type[Entity]] = {"sensor": BareSensor, "binary_sensor": BareBinarySensor}
    for domain, kind in kinds.items():
        component = hass.data[DATA_INSTANCES][domain]
        twins: list[Entity] = []
        for entity in [*component.entities]:
            if isinstance(entity, DeviceEntity):
                if entity.coordinator not in coordinators:
                    coordinators[entity.coordinator] = Bare(entity.coordinator, cloud)
                    await coordinators[entity.coordinator].async_refresh()
                twins.append(kind(coordinators[entity.coordinator], entity))  # type: ignore[call-arg]
        await component.async_add_entities(twins)
    return [*coordinators.values()]


def decoding() -> dict[str, float]:
    """Return the microseconds of decoding per point, for devices of all schemas."""
    found = {}
    for name in CATALOGUE:
        device = build(name)[0]
        if not device.points(BEGIN):
            continue
        for what, one in [(name, device), *[(f"{name}, module", module) for module in device.modules[:1]]]:
            samples = [one.points(BEGIN + number * timedelta(minutes=5)) for number in range(SAMPLES)]
            family = decode(samples[0]).family
            best = float("inf")
            for _ in range(5):
                begin = time.thread_time()
                for sample in samples:
                    decode(sample, family)
                best = min(best, time.thread_time() - begin)
            found[what] = best / sum(map(len, samples)) * 1e6
    return found
