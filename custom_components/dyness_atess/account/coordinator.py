"""The readings of a device, and what is computed from several of them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Any, override

from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util

from ..cloud.errors import CloudEmpty, CloudRefused
from ..cloud.queue import Priority, Turn
from ..const import CONF_RESERVE
from ..telemetry.alarms import Alarms
from ..telemetry.energy.energies import Energies
from ..telemetry.energy.outlook import MAXIMUM_AGE as OUTLOOK_AGE, RESERVE, Outlook, add_level
from ..telemetry.energy.today import Today
from ..telemetry.reading import Reading, Value
from ..telemetry.vocabulary import ALARMS, LIFETIME, OUTLOOK, SLOW, TODAY, Key
from .connection import digest
from .credentials import Credentials
from .memory import Memory
from .read import CloudCoordinator
from .registry import Quantity, device_of
from .schedule import CALLS_PER_UPLOAD, PERIOD, RETRIES, WITHOUT_MASTER, Rhythm, Zone

_LOGGER = logging.getLogger(__package__)

MAXIMUM_AGE = timedelta(minutes=30)
"""A sample older than this is no longer current (product contract, section 5)."""
type Fetch = Callable[[Turn], Awaitable[Any]]
"""Asks the cloud for an answer; raises a `CloudError` where there is none."""
type Decode = Callable[[Any, datetime], Reading]
"""Returns what an answer means, which may be nothing. Never raises."""
COMPUTED = LIFETIME | TODAY | OUTLOOK
"""What is computed from successive samples, in place of what one of them says."""


class ReadingsCoordinator(CloudCoordinator[Reading | None]):
    """The readings of one device from one source."""

    def __init__(
        self,
        credentials: Credentials,
        memory: Memory,
        fetch: Fetch,
        decode: Decode,
        *,
        serial: str,
        name: str,
        endpoint: str = "",
        known: Iterable[Quantity],
        priority: Priority = Priority.MASTER,
        rhythm: Rhythm | None = None,
        interval: float | None = None,
        is_metered: bool = False,
    ) -> None:
        """Begin with the quantities that this device is `known` to have, and with what is remembered of it.

        Without an `endpoint` it is what says whether the device is online. It is read by its `rhythm`, or else each
        `interval` (seconds), or else when asked. `is_metered`: its energies are metered as long as it has no counters.
        """
        self.digest = digest(serial)
        super().__init__(credentials, f"{name} {self.digest}")
        self.serial = serial
        self._fetch, self._decode = fetch, decode
        self.rhythm = rhythm
        self.raw: Any = None
        """The last answer as it came, for diagnostics and for the next start."""
        self.received_at: datetime | None = None
        self.sampled_at: datetime | None = None
        """When the last sample was taken, or first received where that is earlier or it does not say."""
        self.quantities = set(known)
        """Every quantity that this device has ever had; none is forgotten while Home Assistant knows its entity."""
        self.key = serial + endpoint
        """What its answers and what is learned from them are kept under."""
        self.energies = memory.state(self.key, "energies", Energies)
        self._priority = priority
        self.today = Today() if self.is_module else memory.state(self.key, "today", Today)
        self._outlook = memory.state(self.key, "outlook", Outlook) if is_metered else Outlook()
        self.alarms = Alarms()
        """As they were when somebody last compared them."""
        self.on_recovery: Callable[[ReadingsCoordinator], None] | None = None
        """Called with the first answer after failures."""
        self.goes_first = False
        """Whether its next sample is worth more than those of others of its priority."""
        self._memory = memory
        self._interval = interval
        self._is_metered = is_metered
        self._is_read = False
        self._asked_at = 0.0
        self.is_available = False
        """Whether its measurements are shown: it was read, and the sample is young enough."""
        self.is_outlook_old = True
        """Whether the sample is too old to say anything of the future."""
        self._zone = Zone(memory.recall(self.key).get("zone", 0.0))
        self._published: dict[Key, Value] = {}
        """Values computed from successive samples, as totals, which replace the counters of a sample."""
        self._attributes: dict[Key, Mapping[str, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_disabled(self) -> bool:
        """Whether the owner has turned the device off: then it is not asked."""
        device = device_of(self.hass, self.config_entry, self.serial)
        return device is not None and device.disabled

    @property
    def is_module(self) -> bool:
        """Whether it stands behind a master."""
        return self._priority is Priority.MODULE

    @property
    def calls_per_hour(self) -> float:
        """What is kept for it of the ceiling; modules take what is left."""
        if self._priority > Priority.MASTER:
            return 0.0
        period = self.rhythm.period / CALLS_PER_UPLOAD if self.rhythm else self._interval or PERIOD
        return 3600 / period

    @property
    def turn(self) -> Turn:
        """Its place in the account's queue: the longer ago its sample and its last turn, the sooner."""
        if self.is_failing and not self.is_asked:
            priority = Priority.FAILING
        else:
            priority = self._priority if self._is_read or self.is_current else Priority.FIRST
        since = max(self.sample_time, self._asked_at)
        return Turn(priority, 0.0 if self.goes_first else since, self.digest)

    @property
    def sample_time(self) -> float:
        """When the last sample was taken (s), 0 where there is none."""
        return self.sampled_at.timestamp() if self.sampled_at else 0.0

    @property
    @override
    def is_current(self) -> bool:
        says_offline = self.data is not None and self.data.flags.get(Key.ONLINE) is False
        return not says_offline and not self.is_older_than(MAXIMUM_AGE)

    def is_older_than(self, age: timedelta) -> bool:
        """Return whether the last sample is so old; one that is not there yet is."""
        return self.sampled_at is None or dt_util.utcnow() - self.sampled_at > age

    @callback
    def async_begin_day(self, midnight: float) -> None:
        """Count from this midnight on (s)."""
        if self.today.begin(midnight):
            self.publish(self.today.values)

    @callback
    def async_notice_age(self) -> bool:
        """Update the entities when the data have become too old, and return whether they have."""
        shown = self.is_available, self.is_outlook_old
        self._update_ages()
        if has_changed := shown != (self.is_available, self.is_outlook_old):
            self.async_update_listeners()
        return has_changed

    def _update_ages(self) -> None:
        self.is_available = self.is_shown
        self.is_outlook_old = self._is_metered and self.is_older_than(OUTLOOK_AGE)

    @callback
    def restore(self, raw: Any, received_at: datetime) -> None:
        """Show again what was read before a restart, and read again when it is time."""
        reading = self._decode(raw, received_at)
        if not reading.empty:
            self._take(raw, reading, received_at)
            self.alarms = Alarms(reading)
            self._update_ages()
            self._wait(self._next_read())
            self._schedule_refresh()  # who listens already had nothing to wait for

    @callback
    def decode_again(self) -> None:
        """Show what the last answer means by now, as with an option of its owner or what another endpoint has said."""
        if not self.data or not self.received_at:
            return
        reading = self._decode(self.raw, self.received_at)
        if not reading.empty:
            self._show(reading)
            self.async_update_listeners()

    @callback
    def publish(
        self, values: Mapping[Key, Value | None], attributes: Mapping[Key, Mapping[str, Any]] | None = None
    ) -> None:
        """Show from now on what was computed from successive samples, whatever the next one says; None is no value."""
        self._published = {key: value for key, value in {**self._published, **values}.items() if value is not None}
        self._attributes |= attributes or {}
        if self.data:
            before = {key: value for key, value in self.data.values.items() if key not in values}
            self._show(replace(self.data, values=before))
            self.async_update_listeners()

    @callback
    def fill_gap(self, records: Iterable[tuple[datetime, float]]) -> None:
        """Count what has flown in a gap of the samples, from records of times and W (positive while discharging)."""
        records, gap = list(records), self.energies.gap
        totals = self.energies.fill(records)
        if gap and self.sampled_at:
            self.today.count(totals, self.sampled_at.timestamp(), records)
        self._memory.write_soon()
        self.publish(totals | self.today.values)

    @callback
    def run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do something in the background, as long as the device is read."""
        task = self.config_entry.async_create_background_task(self.hass, work, name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def async_end(self) -> None:
        """Read no more, and tell nobody of an answer that arrives later."""
        for task in self._tasks:
            task.cancel()
        await self.async_shutdown()

    @override
    def async_update_listeners(self) -> None:
        if not self._shutdown_requested:
            self._update_ages()
            super().async_update_listeners()

    @override
    async def _async_update_data(self) -> Reading | None:
        if self.is_disabled:
            self._wait(WITHOUT_MASTER)
            return self.data
        try:
            return await super()._async_update_data()
        except UpdateFailed as error:
            if not self.quantities and isinstance(error.__cause__, CloudEmpty | CloudRefused):
                # Nothing worth a line in the log: lists have coordinators and dongles beside the batteries.
                self.last_update_success = False
            raise

    @override
    async def _read(self) -> Reading | None:
        turn, self._asked_at = self.turn, dt_util.utcnow().timestamp()
        self.always_update = False  # the same sample once more is nothing new
        raw = await self._fetch(turn)
        self._is_read = True
        if self._shutdown_requested:
            return self.data
        shown_from = self.data.sampled_at if self.data else None
        if not (shown_from and raw == self.raw):
            now = dt_util.utcnow()
            reading = self._decode(raw, now)
            if reading.empty:
                self.raw = self.raw or raw
                raise CloudEmpty("no values")
            if self.is_current and shown_from and reading.sampled_at and reading.sampled_at < shown_from:
                return self.data  # from a replica that lags behind (dyness-api 9)
            self._take(raw, reading, now)
        if self.is_failing and self.on_recovery:
            self.on_recovery(self)
        return self.data

    @override
    def _next_read(self) -> float | None:
        if self.rhythm is None:
            return self._interval if self.is_current or not self.is_module else RETRIES[-1][1]
        sampled_at = self.data.sampled_at if self.data else None
        return self.rhythm.answered(sampled_at.timestamp() if sampled_at else None, dt_util.utcnow().timestamp())

    def _take(self, raw: Any, reading: Reading, now: datetime) -> None:
        if not (self.data and reading.sampled_at and reading.sampled_at == self.data.sampled_at):
            self._learn_zone(reading, now)
            self.always_update = True  # without a time of its own it may say the same as the one before
            self.received_at = now
            sampled_at = reading.sampled_at or now
            self.sampled_at = min(sampled_at + timedelta(seconds=self._zone.offset), now)
        self.raw = raw
        totals = self.energies.add(reading.values, reading.sampled_at or now, metered=self._is_metered)
        if not self.is_module:
            self._count_today(reading, totals)
        if energies := totals | self.today.values:
            self._memory.write_soon()
            self._published.update(energies)
        self._show(reading)

    def _count_today(self, reading: Reading, totals: Mapping[Key, Value]) -> None:
        self.today.begin(last_midnight())
        self.today.follow(reading.values, self.sample_time)
        if not self.energies.gap:
            self.today.count(totals, self.sample_time)

    def _learn_zone(self, reading: Reading, now: datetime) -> None:
        if self.data and self.data.sampled_at and reading.sampled_at and self.received_at:
            advance = (reading.sampled_at - self.data.sampled_at).total_seconds()
            age, waited = (now - reading.sampled_at).total_seconds(), (now - self.received_at).total_seconds()
            if self._zone.learn(advance, waited, age):
                _LOGGER.info("The clock of %s is %.1f hours off", self.name, -self._zone.offset / 3600)
                self._memory.keep(self.key, zone=self._zone.offset)

    def _show(self, reading: Reading) -> None:
        """Show a sample with what was published, and what it leaves out and does not age."""
        before, reserve = self.data, float(self.config_entry.options.get(CONF_RESERVE, RESERVE))
        if self.key == self.serial and not self.is_module:
            add_level(reading, before, reserve)
        slow = {key: value for key, value in before.values.items() if key in SLOW} if before else {}
        sample = {key: value for key, value in reading.values.items() if key not in COMPUTED}
        if self._is_metered:
            sample |= self._outlook.add(sample, self.sample_time, reserve)
            if sample.keys() >= {Key.SOC, Key.POWER, Key.ENERGY_RATED}:
                self.quantities |= {(Platform.SENSOR, key) for key in OUTLOOK}
        reading.values = slow | sample | self._published
        reading.attributes |= self._attributes
        self.data = reading
        if self.sampled_at and Key.LAST_REPORT in sample:
            self.data.values[Key.LAST_REPORT] = self.sampled_at
        if not before or before.values.keys() != self.data.values.keys() or before.flags.keys() != reading.flags.keys():
            self.quantities |= {(Platform.SENSOR, key) for key in self.data.values}
            self.quantities |= {(Platform.BINARY_SENSOR, key) for key in reading.flags}
            if not (self.is_module or ALARMS.isdisjoint(reading.flags)):
                self.quantities.add((Platform.EVENT, Key.ALARM_EVENT))
            if self.key == self.serial:
                self.quantities.add((Platform.BINARY_SENSOR, Key.ONLINE))


def last_midnight() -> float:
    """Return when the day of Home Assistant began (s)."""
    return dt_util.start_of_local_day(dt_util.as_local(dt_util.utcnow())).timestamp()
