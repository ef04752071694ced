"""Readings of a device; the only place where an error becomes a state (product contract, section 5)."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Any, Protocol, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from ..cloud.errors import CloudEmpty, CloudError, CloudRateLimited, CloudRefused, CloudRejected
from ..cloud.queue import Priority, Turn
from ..const import DOMAIN
from ..telemetry.energy.energies import Energies
from ..telemetry.reading import Reading, Value
from ..telemetry.vocabulary import LIFETIME, SLOW, Key
from .connection import digest
from .credentials import Credentials
from .memory import Memory
from .registry import Quantity, is_disabled
from .schedule import CALLS_PER_UPLOAD, PERIOD, RATE_LIMITED, WITHOUT_MASTER, Retries, Rhythm

_LOGGER = logging.getLogger(__package__)

MAXIMUM_AGE = timedelta(minutes=30)
"""A sample older than this is no longer current (product contract, section 5)."""


class CloudCoordinator[Data](DataUpdateCoordinator[Data]):
    """Maps the outcomes of a read to what the user sees, and reads again when it is time."""

    config_entry: ConfigEntry
    after_limit = RATE_LIMITED

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, credentials: Credentials, name: str) -> None:
        """Prepare to read. Nothing is read before the first refresh."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=name)
        self._credentials = credentials
        self.retries = Retries()
        self.is_waiting = False
        """Whether a read is under way, or in the queue."""

    @abstractmethod
    async def _read(self) -> Data:
        """Read once.

        Raises:
            CloudError: one of the declared outcomes.
        """

    @abstractmethod
    def _next_read(self) -> float | None:
        """Return in how many seconds to read again after an answer."""

    @property
    @abstractmethod
    def is_current(self) -> bool:
        """Whether the data at hand are young enough to be shown."""

    @callback
    def async_ask(self) -> None:
        """Read as soon as its turn comes, unless that is under way."""
        if not self.is_waiting:
            self.config_entry.async_create_background_task(self.hass, self.async_refresh(), f"{self.name} - asked")

    @override
    async def _async_update_data(self) -> Data:
        self.is_waiting = True
        may_stay = self.last_update_success and self.is_current
        try:
            data = await self._read()
        except CloudRateLimited as error:
            self._wait(self.after_limit)
            if may_stay:
                return self.data
            raise _failed(error) from error
        except CloudError as error:
            if isinstance(error, CloudRejected):
                self._credentials.rejected(self.name, error.clock_error)
            elif error.proves_credentials:
                self._credentials.accepted()
            if isinstance(error, CloudEmpty) and may_stay:
                self._wait(self._next_read())
                return self.data
            is_first = self.retries.since is None
            self._wait(self.retries.failed(dt_util.utcnow().timestamp()))
            if is_first and may_stay:
                return self.data  # tried again before anybody hears of it
            raise _failed(error) from error
        else:
            self._credentials.accepted()
            self.retries.succeeded()
            self._wait(self._next_read())
            return data
        finally:
            self.is_waiting = False

    def _wait(self, seconds: float | None) -> None:
        self.update_interval = None if seconds is None else timedelta(seconds=seconds)


def _failed(error: CloudError) -> UpdateFailed:
    _LOGGER.debug("%s", error)
    return UpdateFailed(translation_domain=DOMAIN, translation_key=error.outcome)


class Source(Protocol):
    """Where the readings of one device come from."""

    async def fetch(self, turn: Turn) -> Any:
        """Ask the cloud.

        Raises:
            CloudError: one of the declared outcomes.
        """

    def decode(self, raw: Any, received_at: datetime) -> Reading:
        """Return what an answer means, which may be nothing. Never raises."""


class ReadingsCoordinator(CloudCoordinator[Reading | None]):
    """The readings of one device from one source."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        credentials: Credentials,
        source: Source,
        *,
        serial: str,
        name: str,
        memory: Memory,
        known: Iterable[Quantity],
        priority: Priority = Priority.MASTER,
        rhythm: Rhythm | None = None,
        interval: float | None = None,
        is_metered: bool = False,
    ) -> None:
        """Begin with the quantities that this device is known to have.

        Args:
            hass: Home Assistant.
            entry: of the account.
            credentials: of the account.
            source: what is asked.
            serial: number of the device.
            name: for the log, without a serial number.
            memory: of the account.
            known: quantities that the entity registry has.
            priority: of its calls while it answers.
            rhythm: of its samples, where it has one that can be learned.
            interval: seconds between reads, where it has none; None where somebody else knows when.
            is_metered: whether its energies are metered as long as it has no counters.
        """
        super().__init__(hass, entry, credentials, f"{name} {digest(serial)}")
        self.serial = serial
        self.source = source
        self.rhythm = rhythm
        self.raw: Any = None
        """The last answer as it came, for diagnostics and for the next start."""
        self.received_at: datetime | None = None
        self.sampled_at: datetime | None = None
        """When the last sample was taken, or first received where that is earlier or it does not say."""
        self.quantities = set(known)
        """Every quantity that this device has ever had; none is forgotten while Home Assistant knows its entity."""
        self.energies = Energies(memory.recall(serial).get("energies"))
        self.on_recovery: Callable[[ReadingsCoordinator], None] | None = None
        self.on_end: list[Callable[[], None]] = []
        self._memory = memory
        self._priority = priority
        self._interval = interval
        self._is_metered = is_metered
        self._is_read = False
        self._was_current = False

    @property
    def is_disabled(self) -> bool:
        """Whether the owner has turned the device off: then it is not asked."""
        return is_disabled(self.hass, self.config_entry, self.serial)

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
        """Its place in the account's queue: the older its sample, the sooner."""
        if self.retries.since is not None:
            priority = Priority.FAILING
        else:
            priority = self._priority if self._is_read or self.is_current else Priority.FIRST
        return Turn(priority, self.sampled_at.timestamp() if self.sampled_at else 0.0, digest(self.serial))

    @property
    @override
    def is_current(self) -> bool:
        return self.sampled_at is not None and dt_util.utcnow() - self.sampled_at <= MAXIMUM_AGE

    def is_older_than(self, age: timedelta) -> bool:
        """Return whether the last sample is so old; one that is not there yet is."""
        return self.sampled_at is None or dt_util.utcnow() - self.sampled_at > age

    @callback
    def async_notice_age(self) -> None:
        """Tell the entities when the data have become too old, however long the next read waits for its turn."""
        if self._was_current != self.is_current:
            self._was_current = self.is_current
            self.async_update_listeners()

    @override
    def _async_refresh_finished(self) -> None:
        self._was_current = self.is_current

    @callback
    def restore(self, raw: Any, received_at: datetime) -> None:
        """Show again what was read before a restart, and read again when it is time."""
        reading = self.source.decode(raw, received_at)
        if not reading.empty:
            self._take(raw, reading, received_at)
            self._wait(self._next_read())

    @callback
    def decode_again(self) -> None:
        """Show what the last answer means by now, as with an option of its owner or what another endpoint has said."""
        if not self.data or not self.received_at:
            return
        totals = {key: value for key, value in self.data.values.items() if key in LIFETIME}
        self._show(self.source.decode(self.raw, self.received_at), totals)
        self.async_update_listeners()

    @callback
    def fill_gap(self, records: Iterable[tuple[datetime, float]]) -> None:
        """Count what has flown in a gap of the samples, from records of times and W (positive while discharging)."""
        totals = self.energies.fill(records)
        self._memory.keep(self.serial, energies=self.energies.memory)
        if self.data:
            self._show(self.data, totals)
            self.async_update_listeners()

    async def async_end(self) -> None:
        """Read no more, and let nobody listen any more."""
        while self.on_end:
            self.on_end.pop()()
        await self.async_shutdown()

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
        raw = await self.source.fetch(self.turn)
        self._is_read = True
        if self._shutdown_requested:
            return self.data
        now = dt_util.utcnow()
        reading = self.source.decode(raw, now)
        if reading.empty:
            self.raw = self.raw or raw
            raise CloudEmpty("no values")
        if self.is_current and _is_older(reading, self.data):
            return self.data  # from a replica that lags behind (dyness-api 9)
        self._take(raw, reading, now)
        if self.retries.since is not None and self.on_recovery:
            self.on_recovery(self)
        return self.data

    @override
    def _next_read(self) -> float | None:
        if self.rhythm is None:
            return self._interval
        sampled_at = self.data.sampled_at if self.data else None
        return self.rhythm.answered(sampled_at.timestamp() if sampled_at else None, dt_util.utcnow().timestamp())

    def _take(self, raw: Any, reading: Reading, now: datetime) -> None:
        if not (self.data and reading.sampled_at and reading.sampled_at == self.data.sampled_at):
            self.received_at = now
            self.sampled_at = min(reading.sampled_at or now, now)
        self.raw = raw
        totals = self.energies.add(reading.values, reading.sampled_at or now, metered=self._is_metered)
        if totals:
            self._memory.keep(self.serial, energies=self.energies.memory)
        self._show(reading, totals)

    def _show(self, reading: Reading, totals: dict[Key, Value]) -> None:
        """Show a sample with totals in place of its counters, and what it leaves out and does not age."""
        before = self.data
        slow = {key: value for key, value in before.values.items() if key in SLOW} if before else {}
        sample = {key: value for key, value in reading.values.items() if key not in LIFETIME}
        self.data = replace(reading, values=slow | sample | totals)
        if not before or before.values.keys() != self.data.values.keys() or before.flags.keys() != reading.flags.keys():
            self.quantities |= {(Platform.SENSOR, key) for key in self.data.values}
            self.quantities |= {(Platform.BINARY_SENSOR, key) for key in (*reading.flags, Key.ONLINE)}


def _is_older(reading: Reading, shown: Reading | None) -> bool:
    return bool(shown and shown.sampled_at and reading.sampled_at and reading.sampled_at < shown.sampled_at)
