"""Batteries that upload in different rhythms, a cloud that answers for them, and a Home Assistant with its accounts."""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import accumulate
import logging
from random import Random
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.storage import Store
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
import orjson
from pytest_homeassistant_custom_component import common  # type: ignore[import-untyped]

from custom_components.dyness_atess.cloud.transport import Answer
from custom_components.dyness_atess.const import DOMAIN

from ..dyness.devices import stamp
from ..dyness.storage import Storage
from .clock import BEGIN

LATENCY, ANSWER = 20.0, 0.3
"""Seconds from a sample to the moment at which it can be read, and for a call."""
PATTERNS = ("steady", "late", "drifting", "jittering")
ROOT = f"custom_components.{DOMAIN}"


class Uploads:
    """When samples are taken and when they can be read, in seconds since BEGIN."""

    def __init__(self, pattern: str, phase: float, hours: float) -> None:
        chance = Random(f"{pattern} {phase}")
        period = 303 if pattern == "drifting" else 300
        numbers = range(-2, int(hours * 3600 / period) + 2)
        jitter = 40 if pattern == "jittering" else 0
        self.taken = [round(phase + number * period + chance.uniform(-jitter, jitter)) for number in numbers]
        late = [chance.uniform(20, 40) if pattern == "late" else LATENCY for _ in numbers]
        self.readable = list(accumulate((at + after for at, after in zip(self.taken, late, strict=True)), max))

    def newest(self, now: float) -> int:
        """Return the number of the newest sample that can be read."""
        return bisect_right(self.readable, now) - 1

    def age(self, now: float, read: float) -> float:
        """Return how old is now what was the newest sample when it was read."""
        return now - self.taken[self.newest(read)]


class Battery:
    """A device of the catalogue and its modules, with samples made beforehand and dated by `uploads`."""

    def __init__(self, device: Storage, uploads: Uploads, samples: int = 1) -> None:
        self.device = device
        self.uploads = uploads
        times = [BEGIN + number * timedelta(minutes=5) for number in range(samples)]
        self.samples = {found.serial: [found.points(time) for time in times] for found in (device, *device.modules)}


class Cloud:
    """Answers in place of the transport."""

    def __init__(self, accounts: Mapping[str, Sequence[Battery]]) -> None:
        self.accounts = accounts
        batteries = [battery for found in accounts.values() for battery in found]
        self._battery_of = {serial: battery for battery in batteries for serial in battery.samples}
        self.calls: Counter[str] = Counter()
        """By App ID; of readings by serial number too."""

    async def exchange(self, _session: object, _method: str, url: str, **request: Any) -> Answer:
        """Answer a call of the client."""
        app_id = request["headers"]["Authorization"].removeprefix("API ").partition(":")[0]
        content = orjson.loads(request["body"])
        self.calls[app_id] += 1
        if url.endswith("/realTime/data") and content["deviceSn"] in self._battery_of:  # and no dongle
            self.calls[content["deviceSn"]] += 1
            return await self.answer(content["deviceSn"])
        data: Any = None
        if url.endswith("/storage/list"):
            first = content["pageSize"] * (content["pageNum"] - 1)
            batteries = self.accounts[app_id][first:][: content["pageSize"]]
            data = [battery.device.listing(BEGIN) for battery in batteries]
        elif url.endswith("/station/info"):
            data = self._battery_of[content["deviceSn"]].device.station()
        await asyncio.sleep(ANSWER)
        return Answer(status=200, content={"code": "200", "data": data})

    async def answer(self, serial: str) -> Answer:
        """Answer with the newest sample that can be read. Its time is the first point."""
        await asyncio.sleep(ANSWER)
        battery = self._battery_of[serial]
        number = battery.uploads.newest(asyncio.get_running_loop().time())
        time, *others = battery.samples[serial][number % len(battery.samples[serial])]
        value = stamp(BEGIN + timedelta(seconds=battery.uploads.taken[number]))
        return Answer(status=200, content={"code": "200", "data": [time | {"pointValue": value}, *others]})


@asynccontextmanager
async def house(cloud: Cloud, **options: Any) -> AsyncGenerator[tuple[HomeAssistant, dict[str, ConfigEntry[Any]]]]:
    """Give a Home Assistant with entries for all accounts by App ID, not set up yet. Its files are in memory."""
    files: dict[str, bytes] = {}

    async def load(store: Store[Any]) -> Any:
        text = files.get(store.key)
        return text and (await asyncio.to_thread(orjson.loads, text))["data"]

    async def write(store: Store[Any], content: dict[str, Any]) -> None:
        if "data_func" in content:
            content["data"] = content.pop("data_func")()
        files[store.key] = json_bytes(content)

    logging.getLogger().setLevel(logging.CRITICAL)
    with (
        patch.object(Store, "_async_load", load),
        patch.object(Store, "_async_write_data", write),
        patch.object(common.StoreWithoutWriteLoad, "async_delay_save"),  # the registries, which are not ours
        patch(f"{ROOT}.account.dyness.async_get_clientsession"),
        patch(f"{ROOT}.cloud.dyness.exchange", cloud.exchange),
    ):
        async with common.async_test_home_assistant() as hass:
            del hass.data[DATA_CUSTOM_COMPONENTS]
            entries = {}
            for app_id in cloud.accounts:
                data = {"app_id": app_id, "app_secret": "secret", "region": "europe"}
                entries[app_id] = common.MockConfigEntry(domain=DOMAIN, data=data, options=options)
                entries[app_id].add_to_hass(hass)
            yield hass, entries
            await hass.async_stop(force=True)


async def set_up(hass: HomeAssistant, entries: Mapping[str, ConfigEntry[Any]]) -> None:
    """Set all accounts up."""
    await asyncio.gather(*(hass.config_entries.async_setup(entry.entry_id) for entry in entries.values()))
