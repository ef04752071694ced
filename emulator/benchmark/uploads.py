"""Batteries that upload in different rhythms, and the cloud that answers for them at once."""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import accumulate
from random import Random
from typing import Any

import orjson

from custom_components.dyness_atess.cloud.transport import Answer

from ..dyness.devices import Json, stamp
from ..dyness.storage import Storage
from .clock import BEGIN

LATENCY = 20.0
"""Seconds from a sample to the moment at which it can be read."""
ANSWER = 0.3
"""Seconds for a call."""
PATTERNS = ("steady", "late", "drifting", "jittering")


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


class Battery:
    """A device of the catalogue and its modules, with samples prepared and dated by `uploads`."""

    def __init__(self, device: Storage, uploads: Uploads, samples: int = 1) -> None:
        self.device = device
        self.uploads = uploads
        times = [BEGIN + number * timedelta(minutes=5) for number in range(samples)]
        self.points = {found.serial: [found.points(time) for time in times] for found in (device, *device.modules)}

    def answer(self, serial: str, now: float) -> list[Json]:
        """Return the points of the master or a module."""
        number = self.uploads.newest(now)
        samples = self.points[serial]
        time = stamp(BEGIN + timedelta(seconds=self.uploads.taken[number]))
        first, *others = samples[number % len(samples)]  # the first point is T
        return [first | {"pointValue": time}, *others]


class Cloud:
    """Answers in place of the transport, whoever asks."""

    def __init__(self, accounts: Mapping[str, Iterable[Battery]]) -> None:
        self.accounts = {app_id: list(batteries) for app_id, batteries in accounts.items()}
        batteries = [battery for found in self.accounts.values() for battery in found]
        self._battery_of = {serial: battery for battery in batteries for serial in battery.points}
        self.calls: Counter[str] = Counter()
        """By App ID; of readings by serial number too."""

    async def exchange(self, _session: object, _method: str, url: str, **request: Any) -> Answer:
        """Answer a call of the client."""
        app_id = request["headers"]["Authorization"].removeprefix("API ").partition(":")[0]
        content = orjson.loads(request["body"])
        self.calls[app_id] += 1
        if url.endswith("/realTime/data"):
            self.calls[content["deviceSn"]] += 1
            return await self.answer(content["deviceSn"])
        await asyncio.sleep(ANSWER)
        return _answer(self._secondary(url, app_id, content))

    async def answer(self, serial: str) -> Answer:
        """Answer with the newest sample that can be read."""
        await asyncio.sleep(ANSWER)
        return _answer(self._battery_of[serial].answer(serial, asyncio.get_running_loop().time()))

    def _secondary(self, url: str, app_id: str, content: Json) -> Any:
        if url.endswith("/storage/list"):
            rows = [battery.device.listing(BEGIN) for battery in self.accounts[app_id]]
            return {"list": rows[content["pageSize"] * (content["pageNum"] - 1) :][: content["pageSize"]]}
        if url.endswith("/station/info"):
            return self._battery_of[content["deviceSn"]].device.station()
        return None


def _answer(data: Any) -> Answer:
    return Answer(status=200, content={"code": "200", "data": data})
