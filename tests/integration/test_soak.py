"""Months of faults and restarts in minutes: `scripts/soak`, and a short form of it among the tests.

Time jumps to the next timer where nothing happens, so that every call keeps its place in the account's queue, and a
time-out takes its 15 seconds, without anybody waiting for it. The last half day is a calm one, in which no value may be
lost.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import gc
import json
import logging
import os
from random import Random
import resource
import time
from typing import Any, cast, get_args
from unittest.mock import Mock, patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.storage import Store
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.cloud import transport
from custom_components.dyness_atess.const import DOMAIN
from custom_components.dyness_atess.telemetry.vocabulary import LIFETIME
from emulator.atess.pbd import Pbd
from emulator.dyness.catalogue import build
from emulator.faults import Fault, FaultKind
from emulator.server import EmulatedCloud

from .conftest import Live, serials_of

DAYS = float(os.environ.get("SOAK_DAYS", "1"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
HOUR = timedelta(hours=1)
CEILING = 300
"""Calls an hour: enough for three masters and twenty modules at each upload."""
IS_SHORT = DAYS <= 1
HOUSE = ("dl5-3-flapping", "powerhaus") if IS_SHORT else ("tower-13", "dl5-4", "dl5-3-flapping")
WARMING_UP, RECOVERING, CALM = (1, 4, 4) if IS_SHORT else (6, 4, 12)
"""Hours before whatever is imported and cached is so, after the last fault, and without one."""
ENERGY_ERROR = 0.01 if DAYS > 10 else 0.05
"""Of a total that is computed through all faults, against what the emulated battery has charged or discharged. A gap
that only the state of charge fills may be wrong by a percent of the capacity, which is much of a single day."""
LONGEST_SLICE = 0.050
"""Seconds of the event loop's own time that one callback may take."""
GROWTH = 1.05
"""By which anything that is counted at the end of each day may be larger at last than at first."""
DEVICES = 24
"""Each has a timer, or a task while it waits for its turn."""
CACHES_FILLED = 17
"""Days after which the emulator has simulated every day that its batteries repeat, so that no object is its own."""
OWN = ("custom_components.", "homeassistant.")
KINDS: list[FaultKind] = [kind for kind in get_args(FaultKind) if kind != "access_denied"]
"""A rejection waits for a person, who is not here."""


def processor_time() -> float:
    """Seconds that this thread has computed, whoever else uses the machine and however frozen the clock is."""
    return time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID)


def _comes_and_goes(entity_id: str) -> bool:
    """Return whether it is a time to full or to empty: one of the two at most has a value."""
    return "_time_to_" in entity_id  # a second battery of that name has a number at its end


@dataclass
class Figures:
    """What happened."""

    days: float = 0
    calls: int = 0
    faulty_calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    values_lost: int = 0
    """Changes of an entity from a value to unavailable."""
    states_written: int = 0
    lost_in_calm: int = 0
    writes: int = 0
    """Of storage files."""
    longest_slice: float = 0
    slowest: str = ""
    falls: list[str] = field(default_factory=list)
    energy_errors: dict[str, float] = field(default_factory=dict)
    counts: list[dict[str, int]] = field(default_factory=list)
    """What is counted at the end of each day."""

    @property
    def first(self) -> dict[str, int]:
        """What the last is compared with."""
        return self.counts[CACHES_FILLED - 1 if DAYS > CACHES_FILLED else 0]

    def text(self) -> str:
        first, last = self.first, self.counts[-1]
        return "\n".join(
            [
                f"simulated days   {self.days:.1f}",
                f"calls            {self.calls}, of which {self.faulty_calls} met a fault",
                f"faults injected  {self.faults.total()} of {len(self.faults)} kinds",
                f"restarts         {self.restarts}",
                f"states written   {self.states_written}",
                f"files written    {self.writes}",
                f"values lost      {self.values_lost}, of which {self.lost_in_calm} without a fault",
                f"totals fallen    {len(self.falls)}",
                *(f"energy error     {error:+.2%} of {total}" for total, error in self.energy_errors.items()),
                f"longest slice    {self.longest_slice * 1000:.1f} ms ({self.slowest})",
                *(f"{name:<16} {first[name]} at first, {last[name]} at last" for name in last),
            ]
        )


@contextmanager
def slices_measured(figures: Figures) -> Generator[None]:
    """Measure how long one callback of Home Assistant and the integration holds the event loop.

    Without the interpreter's collections of garbage, which depend on all that a test has loaded.
    """
    run, collecting = asyncio.Handle._run, 0.0

    def collect(phase: str, _: object) -> None:
        nonlocal collecting
        collecting += processor_time() if phase == "stop" else -processor_time()

    def timed(handle: asyncio.Handle) -> None:
        begin = processor_time() - collecting
        run(handle)
        taken = processor_time() - collecting - begin
        if taken > figures.longest_slice and not (owner := name_of(handle)).startswith(("RequestHandler", "test_")):
            figures.longest_slice, figures.slowest = taken, owner

    gc.callbacks.append(collect)
    with patch.object(asyncio.Handle, "_run", timed):
        yield
    gc.callbacks.remove(collect)


def name_of(handle: asyncio.Handle) -> str:
    """Return whose callback it is: of a task the name of its coroutine."""
    called: Any = getattr(handle, "_callback", None)
    owner = getattr(called, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return str(getattr(owner.get_coro(), "__qualname__", owner))
    return str(getattr(called, "__qualname__", called))


class Soak:
    """A house with two accounts, and what befalls it."""

    def __init__(self, hass: HomeAssistant, live: Live, storage: dict[str, Any], seed: int) -> None:
        self.hass, self.live, self.storage = hass, live, storage
        self.random = Random(seed)  # noqa: S311
        self.figures = Figures()
        self.entries: list[MockConfigEntry] = []
        self._restarting = False
        self._outages: list[datetime] = []
        self._totals: dict[str, float] = {}

    async def start(self) -> None:
        self.hass.bus.async_listen(EVENT_STATE_CHANGED, self._state_changed)
        self.batteries = [device for name in HOUSE for device in build(name)]
        for devices in (self.batteries, [Pbd()]):
            _, entry = await self.live.start(*devices, hourly_calls=CEILING)
            self.entries.append(entry)

    @callback
    def _state_changed(self, event: Event[EventStateChangedData]) -> None:
        self.figures.states_written += 1
        old, new = event.data["old_state"], event.data["new_state"]
        if new is None:
            return
        if _comes_and_goes(event.data["entity_id"]):
            return
        if new.state == "unavailable":
            self.figures.values_lost += not self._restarting and old is not None and old.state != "unavailable"
            return
        registered = er.async_get(self.hass).async_get(new.entity_id)
        if registered is None or registered.unique_id.rpartition("-")[2] not in LIFETIME or new.state == "unknown":
            return
        total, before = float(new.state), self._totals.get(registered.unique_id, 0.0)
        if total < before:
            self.figures.falls.append(f"{registered.unique_id} from {before} to {total} at {event.time_fired}")
        self._totals[registered.unique_id] = total

    async def run(self, days: float) -> None:
        """Live with faults and restarts, and count what is left at the end of each day."""
        await self.pass_time(WARMING_UP)
        self._count_everything()
        before = self._flown()
        self.figures = Figures(days=days)
        with slices_measured(self.figures):
            for hour in range(1, round(days * 24) + 1):
                self._something_goes_wrong()
                await self.pass_time(1)
                if self.random.random() < 1 / 36:
                    await self._restart()
                if hour % 24 == 0:
                    self._count_everything()
            self._all_is_well()
            await self.pass_time(RECOVERING)
            lost = self.figures.values_lost
            await self.pass_time(CALM)
            self.figures.lost_in_calm = self.figures.values_lost - lost
        self._count_everything()
        for total, (counted, flown) in self._flown().items():
            self.figures.energy_errors[total] = (counted - before[total][0]) / (flown - before[total][1]) - 1

    async def pass_time(self, hours: float) -> None:
        """Live for some hours."""
        await self.live(hours * 60)
        assert [entry.state for entry in self.entries] == [ConfigEntryState.LOADED] * 2

    def _flown(self) -> dict[str, tuple[float, float]]:
        """Return each total of a battery, and what has flown through the emulated one. kWh."""
        found = {}
        for device in self.batteries:
            flown = device.throughput(datetime.now(UTC))[0]
            for name, amount in (("energy_charged", flown.charged), ("energy_discharged", flown.discharged)):
                total = f"{device.serial}-{name}"
                found[total] = self._totals[total], amount * device.kilowatt_hours
        return found

    def _something_goes_wrong(self) -> None:
        """Each hour some faults: most of them once, some for a while, and now and then the whole cloud for hours."""
        now = datetime.now(UTC)
        if self._outages and now >= min(self._outages):
            self._outages.clear()
            self._all_is_well()
        for cloud in self.live.clouds:
            devices = list(cloud.devices.values())
            everything = [serial for device in devices for serial in (device.serial, *serials_of(device))]
            if self.random.random() < 0.5:
                self._add(cloud, times=self.random.randint(1, 3), serial=self.random.choice(everything))
            if self.random.random() < 0.02:
                self._add(cloud, serial=self.random.choice([None, *everything]))
                self._outages.append(now + self.random.randint(1, 8) * HOUR)

    def _all_is_well(self) -> None:
        for cloud in self.live.clouds:
            cloud.clear_faults()

    def _add(self, cloud: EmulatedCloud, **fields: Any) -> None:
        kind = self.random.choice(KINDS)
        cloud.add_fault(Fault(kind, **fields))
        self.figures.faults[kind] += 1

    async def _restart(self) -> None:
        self.figures.restarts += 1
        self._restarting = True
        await self.live.restart(*self.entries, stopped_for=self.random.uniform(0.2, 30))
        self._restarting = False

    def _count_everything(self) -> None:
        """Count what must not grow."""
        for cloud in self.live.clouds:
            self.figures.calls += len(cloud.calls)
            self.figures.faulty_calls += sum(call.outcome in KINDS for call in cloud.calls)
            cloud.calls.clear()
        for mocked in (Store._async_load, Store._async_write_data):
            mock = cast("Mock", mocked)
            self.figures.writes += mock.call_count if mocked is Store._async_write_data else 0
            mock.reset_mock()
        gc.collect()
        objects = gc.get_objects()
        loop: Any = asyncio.get_running_loop()
        coordinators = [device for entry in self.entries for device in entry.runtime_data.devices.values()]
        self.figures.counts.append(
            {
                "objects": len(objects),
                "own objects": sum(str(type(thing).__module__).startswith(OWN) for thing in objects),
                "peak memory KiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
                "tasks": len(asyncio.all_tasks()),
                "timers": len(loop._scheduled),
                "bus listeners": sum(self.hass.bus.async_listeners().values()),
                "update listeners": sum(len(coordinator._listeners) for coordinator in coordinators),
                "unload callbacks": sum(len(entry._on_unload or ()) for entry in self.entries),
                "entities": len(er.async_get(self.hass).entities),
                "storage bytes": sum(
                    len(json.dumps(content)) for key, content in self.storage.items() if key.startswith(DOMAIN)
                ),
            }
        )


@pytest.fixture
async def soak(hass: HomeAssistant, live: Live, hass_storage: dict[str, Any]) -> AsyncGenerator[Soak]:
    logging.getLogger().setLevel(logging.CRITICAL)  # whoever captures the log would grow with it
    soak = Soak(hass, live, hass_storage, SEED)
    with patch("emulator.faults.DRIP_SECONDS", transport.TIMEOUT):
        await soak.start()
        yield soak


async def test_soak(soak: Soak) -> None:
    await soak.run(DAYS)
    figures = soak.figures
    print(f"\nseed             {SEED}\n{figures.text()}")  # noqa: T201
    assert not figures.falls
    assert not figures.lost_in_calm
    lost = {state.entity_id for state in soak.hass.states.async_all() if state.state == "unavailable"}
    assert all(map(_comes_and_goes, lost))
    assert max(map(abs, figures.energy_errors.values())) < ENERGY_ERROR
    first, last = figures.first, figures.counts[-1]
    grown = {name: (first[name], count) for name, count in last.items() if count > first[name] * GROWTH + DEVICES * 2}
    if DAYS < CACHES_FILLED:
        grown.pop("objects", None)
        grown.pop("own objects", None)  # points that are kept
        grown.pop("peak memory KiB", None)
    assert not grown
    assert figures.longest_slice < LONGEST_SLICE, figures.slowest
