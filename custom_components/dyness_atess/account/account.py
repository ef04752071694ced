"""What runs for one config entry: its devices, the share of calls that each has, and repairs about them."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
import logging
import math
from typing import Any, ClassVar

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_time_change, async_track_time_interval
from homeassistant.util import dt as dt_util

from ..cloud.queue import CEILING
from ..const import CONF_DEVICE_SN, CONF_HOURLY_CALLS, DOMAIN
from ..telemetry.device import Device
from .combined import Combined
from .connection import connection, digest
from .coordinator import Decode, Fetch, ReadingsCoordinator, last_midnight
from .credentials import Credentials
from .memory import Answers, Memory, answer
from .read import CloudCoordinator
from .registry import Quantity, device_of, known_devices, known_quantities, other_owner
from .repairs import report, withdraw
from .schedule import FAILED_TOGETHER, FAILING_CALLS, OTHER_CALLS

_LOGGER = logging.getLogger(__package__)

type AccountConfigEntry = ConfigEntry[Account]

PATIENCE = 10.0
"""Seconds that the set-up waits for the first readings. Slower ones arrive later; the start is not held up."""
TICK = timedelta(minutes=1)
OLD = timedelta(minutes=15)
"""Values that are older because their calls have to wait are worth a repair."""
LONG_WAIT = 60.0
"""Seconds to the next call from which on calls have to wait."""


class Account(ABC):
    """One account of a cloud, and all that is read of it."""

    manufacturer: ClassVar[str]
    portal: ClassVar[str]
    kind: ClassVar[str]
    """What its devices are to the screen."""
    device_list: CloudCoordinator[dict[str, Device]] | None = None

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry) -> None:
        self.hass = hass
        self.entry = entry
        self.connection = connection(hass, entry.data)
        self.queue = self.connection.queue
        self.credentials = Credentials(hass, entry, self._confirm_rejection)
        self.memory = Memory(hass, entry.entry_id)
        self.known = known_devices(hass, entry)
        """What is known of masters and converters besides their readings, by serial number."""
        self.devices: dict[str, ReadingsCoordinator] = {}
        self.secondary: dict[str, ReadingsCoordinator] = {}
        """What another endpoint has of some of these devices."""
        self.on_added: list[Callable[[ReadingsCoordinator], None]] = []
        """Called with everything that is read from later on."""
        self._data = dict(entry.data)
        self._added_by_hand = self.subentries
        self._registered = known_quantities(hass, entry)
        self._first_reads: set[asyncio.Task[None]] = set()
        self._claimed: set[str] = set()
        """Devices that another account already reads."""
        self.calls_per_module = 0.0
        """Calls an hour that are left for each module that answers."""
        self.goes_on_at: datetime | None = None
        """When there are calls again, while values age without them."""

    def device_info(self, serial: str) -> dr.DeviceInfo:
        """Return what the device page shows."""
        device, reader = self.known[serial], self.devices.get(serial)
        data = reader.data if reader else None
        return dr.DeviceInfo(
            identifiers={(DOMAIN, serial)},
            manufacturer=self.manufacturer,
            name=device.name or device.model or self.manufacturer,
            model=device.model,
            model_id=device.model_code,
            serial_number=serial,
            sw_version=device.firmware or (data.firmware if data else None),
            configuration_url=self.portal,
        )

    def register(self, serial: str) -> dr.DeviceEntry:
        """Pass on what is known of a device by now, as after a firmware update."""
        return dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.entry.entry_id,
            config_subentry_id=self.subentry_id(serial),
            **self.device_info(serial),
        )

    @abstractmethod
    def _add_device(self, serial: str) -> None:
        """Begin to read a master or converter."""

    @abstractmethod
    def is_removable(self, serial: str) -> bool:
        """Return whether a device would not come back by itself when its owner deletes it."""

    @callback
    def _confirm_rejection(self) -> bool:
        """Have another read tried soon, and return whether there is one; another converter has its own rhythm."""
        return len(self.devices) > 1

    @property
    def coordinators(self) -> Iterator[ReadingsCoordinator]:
        """All readings of all devices."""
        yield from [*self.devices.values(), *self.secondary.values()]

    @property
    def subentries(self) -> dict[str, str]:
        """The subentries under which the owner added devices, by serial number."""
        return {subentry.data[CONF_DEVICE_SN]: subentry.subentry_id for subentry in self.entry.subentries.values()}

    def subentry_id(self, serial: str) -> str | None:
        """Return the subentry to which a device belongs."""
        return self.subentries.get(serial)

    async def async_read_list(self) -> None:
        """Read which devices the account has, where that can be asked."""
        return

    async def async_alarm_texts(self, serial: str) -> dict[str, str]:
        """Ask what the cloud says of the alarms of a device: a text, and an advice."""
        return {}

    def raw_secondary(self, serial: str) -> dict[str, Any]:
        """Return the last answers of other endpoints about a device, for diagnostics."""
        return {}

    def modules_of(self, serial: str) -> Mapping[str, int]:
        """Return the numbers of the modules behind a device by their serial numbers."""
        return {}

    async def async_start(self) -> None:
        """Show what was read before, and read the rest. What takes long arrives later."""
        self.queue.allow(self._ceiling)
        for key, kept in (await self.memory.async_load(self._last_answers)).items():
            self.connection.answers.setdefault(key, kept)
        for serial in list(self.known):
            self._begin(serial)
            await asyncio.sleep(0)  # the last answers of many devices take their time
        self.combined = Combined(self.devices, self.memory, self.entry.entry_id)
        self.on_added.append(self.combined.follow)
        self.entry.async_on_unload(async_track_time_interval(self.hass, self._async_tick, TICK))
        self.entry.async_on_unload(async_track_time_change(self.hass, self._async_begin_day, 0, 0, 0))
        reads = self.entry.async_create_background_task(self.hass, self._read_first(), "first readings")
        await asyncio.wait({reads}, timeout=PATIENCE)

    async def _read_first(self) -> None:
        await self.async_read_list()
        while self._first_reads:
            await asyncio.wait(self._first_reads)
        await self._async_tick(dt_util.utcnow())

    async def async_stop(self) -> None:
        """Keep what was read for the next start, and take back the repairs that the owner does not ignore."""
        self.on_added.clear()
        await self.memory.async_close(self._last_answers())
        withdraw(self.hass, self.entry, even_ignored=False)

    def _last_answers(self) -> Answers:
        return {read.key: answer(read.raw, read.received_at) for read in self.coordinators if read.received_at}

    @property
    def _ceiling(self) -> int:
        return int(self.entry.options.get(CONF_HOURLY_CALLS, CEILING))

    @callback
    def add_devices(self) -> None:
        """Begin to read each device that is known and not read yet."""
        for serial in list(self.known):
            self._begin(serial)

    def _begin(self, serial: str) -> None:
        if serial in self.devices:
            return
        owner = other_owner(self.hass, self.entry, serial, is_registered=serial in self._registered)
        device = self.known[serial]
        name = device.name or device.model or self.manufacturer
        placeholders = {"device": name, "entry": self.entry.title, "other": owner.title if owner else ""}
        report(self.hass, self.entry, owner is not None, "claimed", serial=serial, placeholders=placeholders)
        if owner is None:
            self._add_device(serial)
        elif serial not in self._claimed:
            self._claimed.add(serial)
            _LOGGER.warning("Device %s is read by the account %s already", digest(serial), owner.title)

    @callback
    def read(
        self, fetch: Fetch, decode: Decode, serial: str, name: str, *, of: set[Quantity] | None = None, **options: Any
    ) -> ReadingsCoordinator:
        """Begin to read a device, or with `of` those of its quantities that another endpoint has."""
        registered = self._registered.get(serial, set())
        known = registered & of if of is not None else registered
        self._registered[serial] = registered - known
        coordinator = ReadingsCoordinator(
            self.credentials, self.memory, fetch, decode, serial=serial, name=name, known=known, **options
        )
        key = coordinator.key
        (self.devices if key == serial else self.secondary)[key] = coordinator
        coordinator.on_recovery = self._retry_failed_with
        if kept := self.connection.answers.pop(key, None):
            coordinator.restore(**kept)
        for follow in self.on_added:
            follow(coordinator)
        if not coordinator.is_current:
            task = self.entry.async_create_background_task(self.hass, coordinator.async_refresh(), "first reading")
            self._first_reads.add(task)
            task.add_done_callback(self._first_reads.discard)
        return coordinator

    @callback
    def _retry_failed_with(self, recovered: ReadingsCoordinator) -> None:
        since = (recovered.retries.since or 0) - FAILED_TOGETHER
        for other in self.coordinators:
            if other is not recovered and other.is_failing and (other.retries.since or 0) >= since:
                other.async_ask()
                self.queue.promote(other.turn)
        if self.device_list and self.device_list.is_failing:
            self.device_list.async_ask()

    @callback
    def retry_failed(self) -> None:
        """Ask again at once what failed, as after the credentials were changed."""
        for coordinator in self.coordinators:
            if not coordinator.last_update_success:
                coordinator.async_ask()

    async def _async_tick(self, now: datetime) -> None:
        """Share out the calls of an hour, and show what time has changed without a call."""
        if self._claimed:
            self.add_devices()  # the other account may be gone
        answering = [found for found in self.coordinators if not found.is_failing and not found.is_disabled]
        self._share_calls(answering)
        self._report_waiting(now, answering)
        for coordinator in self.coordinators:
            if coordinator.async_notice_age():
                await asyncio.sleep(0)  # all of a fleet may change

    async def _async_begin_day(self, _now: datetime) -> None:
        midnight = last_midnight()
        for coordinator in self.coordinators:
            coordinator.async_begin_day(midnight)
            await asyncio.sleep(0)
        self.combined.update()

    def _share_calls(self, answering: list[ReadingsCoordinator]) -> None:
        """Keep for masters what they need; modules share what is left beside the list and what fails."""
        failing = sum(found.is_failing for found in self.coordinators)
        ceiling = self.queue.ceiling
        self.queue.kept_for_masters = math.ceil(sum(found.calls_per_hour for found in answering))
        left = ceiling - self.queue.kept_for_masters - OTHER_CALLS - min(failing * FAILING_CALLS, ceiling // 3)
        self.calls_per_module = max(left, 0) / max(sum(found.is_module for found in answering), 1)

    def _report_waiting(self, now: datetime, answering: list[ReadingsCoordinator]) -> None:
        """Raise a repair while values are old because their calls have to wait, and take it back afterwards."""
        seconds, was_waiting = self.queue.seconds_to_next or 0.0, self.goes_on_at is not None
        if seconds <= LONG_WAIT and not was_waiting:
            return
        old = [found for found in answering if found.is_older_than(OLD)]
        if seconds > LONG_WAIT and any(found.is_waiting for found in old):
            self.goes_on_at = now + timedelta(seconds=seconds)
        elif self.goes_on_at and not (old and now < self.goes_on_at + 2 * TICK):  # a pause may follow another one
            self.goes_on_at = None
        else:
            return
        goes_on = dt_util.as_local(self.goes_on_at or now).strftime("%H:%M")
        if was_waiting != bool(self.goes_on_at):
            text = f"wait for calls until {goes_on}" if self.goes_on_at else "are read again"
            _LOGGER.info("%s: devices %s", self.entry.title, text)
            for found in old:
                found.async_update_listeners()
        calls, ceiling = str(self.queue.calls_last_hour), str(self.queue.ceiling)
        placeholders = {"entry": self.entry.title, "time": goes_on, "calls": calls, "ceiling": ceiling}
        report(self.hass, self.entry, self.goes_on_at is not None, "waiting", placeholders=placeholders)

    async def async_apply_changes(self) -> None:
        """Take over options, a new name and devices that were added or removed by hand; other data need a reload."""
        if self._data != dict(self.entry.data):
            self.hass.config_entries.async_schedule_reload(self.entry.entry_id)
            return
        self.queue.allow(self._ceiling)
        before, self._added_by_hand = self._added_by_hand, self.subentries
        for serial in before.keys() - self._added_by_hand.keys():
            await self.async_remove(serial)
        self.known = known_devices(self.hass, self.entry) | self.known
        self.add_devices()
        for device in self.devices.values():
            if not device.is_module:
                device.decode_again()

    async def async_remove(self, serial: str) -> None:
        """Forget a device and its modules."""
        for module in list(self.modules_of(serial)):
            await self.async_remove(module)
            if registered := device_of(self.hass, self.entry, module):
                dr.async_get(self.hass).async_remove_device(registered.id)
        self.known.pop(serial, None)
        withdraw(self.hass, self.entry, serial)
        for group in (self.devices, self.secondary):
            for key in [key for key, found in group.items() if found.serial == serial]:
                await group.pop(key).async_end()
                self.memory.forget(key)
        self.combined.update()
