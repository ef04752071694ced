"""Inventory per account, readings per device; the only place where an error becomes a state."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Any, ClassVar, override

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from ..cloud.errors import CloudEmpty, CloudError, CloudRateLimited, CloudRejected, CloudUnavailable
from ..cloud.queue import Priority, Turn
from ..const import CONF_COLLECTOR_SN, CONF_DEVICE_SN, DOMAIN
from ..telemetry.device import Device
from ..telemetry.reading import Reading, Value
from ..telemetry.vocabulary import SLOW, Key
from .account import AccountConfigEntry, digest, tell

_LOGGER = logging.getLogger(__package__)

INVENTORY_INTERVAL = timedelta(minutes=30)
READINGS_INTERVAL = timedelta(minutes=5)
"""The device uploads a sample every five minutes (dyness-api 9)."""
MAXIMUM_AGE = timedelta(minutes=30)
"""A sample older than this is no longer current (product contract, section 5)."""

MAXIMUM_CLOCK_ERROR = timedelta(minutes=5)
"""A clock that is further from the cloud's may be why a signature is refused; no source has the window."""


class CloudCoordinator[Data](DataUpdateCoordinator[Data]):
    """Maps the outcomes of a read to what the user sees (product contract, section 5)."""

    config_entry: AccountConfigEntry

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry, name: str, interval: timedelta | None) -> None:
        """Prepare to read every `interval`."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=name, update_interval=interval)
        self._was_current = False

    @callback
    def async_notice_age(self) -> None:
        """Tell the entities when the data have become too old, however long the next read waits for its turn."""
        if self._was_current != self.is_current:
            self._was_current = self.is_current
            self.async_update_listeners()

    @override
    def _async_refresh_finished(self) -> None:
        self._was_current = self.is_current

    @property
    def pause(self) -> timedelta:
        """How long to wait after a failure."""
        return READINGS_INTERVAL

    async def _twice[Result](self, read: Callable[[], Awaitable[Result]]) -> Result:
        """Read, and once more where the cloud was unavailable."""
        try:
            return await read()
        except CloudUnavailable as error:
            _LOGGER.debug("Reading %s once more: %s", self.name, error)
            return await read()

    @abstractmethod
    async def _read(self) -> Data:
        """Read once.

        Raises:
            CloudError: one of the declared outcomes.
        """

    @property
    @abstractmethod
    def is_current(self) -> bool:
        """Whether the data at hand are young enough to be shown."""

    @override
    async def _async_update_data(self) -> Data:
        try:
            data = await self._twice(self._read)
        except CloudRejected as error:
            if self._clock_is_wrong(error.clock_error):
                raise UpdateFailed(
                    translation_domain=DOMAIN,
                    translation_key="clock",
                    retry_after=self.pause.total_seconds(),
                ) from error
            # After ConfigEntryAuthFailed nothing would read again until somebody acts. A cloud that refuses the right
            # credentials for a while is no reason for a hole that stays.
            self.config_entry.runtime_data.rejected.add(self.name)
            self.config_entry.async_start_reauth_if_available(self.hass)
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="rejected",
                retry_after=INVENTORY_INTERVAL.total_seconds(),
            ) from error
        except CloudError as error:
            if isinstance(error, CloudRateLimited | CloudEmpty) and self.last_update_success and self.is_current:
                return self.data
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="unavailable",
                translation_placeholders={"reason": str(error)},
                retry_after=self.pause.total_seconds(),
            ) from error
        else:
            self._clock_is_wrong(None)
            self._accepted()
            return data
        finally:
            account = self.config_entry.runtime_data
            if account.queue.slowness != account.memory.recall("").get("slowness", 0):
                account.memory.keep("", {"slowness": account.queue.slowness})

    def _accepted(self) -> None:
        """Take the request for other credentials back when the cloud takes the present ones everywhere again."""
        rejected = self.config_entry.runtime_data.rejected
        rejected.discard(self.name)
        if not rejected:
            for flow in self.config_entry.async_get_active_flows(self.hass, {SOURCE_REAUTH}):
                self.hass.config_entries.flow.async_abort(flow["flow_id"])

    def _clock_is_wrong(self, error: timedelta | None) -> bool:
        """Tell the user of a clock that makes signatures worthless, and when it is right again."""
        is_wrong = error is not None and abs(error) > MAXIMUM_CLOCK_ERROR
        minutes = round(error.total_seconds() / 60) if error else 0
        tell(
            self.hass,
            self.config_entry,
            is_wrong,
            translation_key="clock",
            translation_placeholders={"minutes": str(minutes)},
            severity=ir.IssueSeverity.ERROR,
        )
        return is_wrong


class Inventory(CloudCoordinator[dict[str, Device]]):
    """The master devices of one account, by serial number."""

    manufacturer: ClassVar[str]

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry, interval: timedelta | None) -> None:
        """Begin with the devices of the last run, so that a cloud that is down blanks none of them."""
        super().__init__(hass, entry, "the device list", interval)
        self.subentries = {
            subentry.data[CONF_DEVICE_SN]: subentry.subentry_id for subentry in entry.subentries.values()
        }
        self.listed: set[str] = set()
        self.data = {
            subentry.data[CONF_DEVICE_SN]: Device(
                serial=subentry.data[CONF_DEVICE_SN], collector_serial=subentry.data.get(CONF_COLLECTOR_SN)
            )
            for subentry in entry.subentries.values()
        }
        for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
            if device.via_device_id or device.config_subentry_id not in (None, *entry.subentries):
                continue  # a module, or its subentry is just being removed
            serial = next(serial for domain, serial in device.identifiers if domain == DOMAIN)
            self.data[serial] = replace(
                self.data.get(serial) or Device(serial=serial),
                name=device.name,
                model=device.model,
                model_code=device.model_id,
                firmware=device.sw_version,
            )

    @abstractmethod
    def coordinator(self, serial: str) -> DeviceCoordinator:
        """Return what reads this device."""


class DeviceCoordinator(CloudCoordinator[Reading]):
    """The readings of one device."""

    priority: ClassVar[Priority] = Priority.MASTER

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry, inventory: Inventory, serial: str) -> None:
        """Begin with the quantities that this device is known to have."""
        self.serial = serial
        self.inventory = inventory
        model = self.device.model or "device"
        super().__init__(hass, entry, f"{model} {digest(serial)}", READINGS_INTERVAL)
        self._seen = entry.runtime_data.known.pop(serial, set())
        self.raw: Any = None
        """The last answer as it came, for diagnostics."""
        self._attempts = 0
        self._attempted_at = 0.0
        self.raw_beside: dict[str, Any] = {}
        """The last answers of other endpoints, by what they tell."""
        self.unfollow: list[Callable[[], None]] = []
        """Ends what the platforms listen to."""
        self.silent: AbstractSet[Key] = frozenset()
        """Quantities whose own read failed while the others' did not."""
        self._beside: dict[str, tuple[datetime, dict[Key, Value]]] = {}
        """What other endpoints last added, and when, by their names."""
        self.received_at: datetime | None = None

    @abstractmethod
    async def _fetch(self) -> Reading:
        """Ask the cloud and decode what it says.

        Raises:
            CloudError: one of the declared outcomes.
        """

    async def read_beside(
        self, name: str, keys: AbstractSet[Key], read: Callable[[], Awaitable[dict[Key, Value]]]
    ) -> dict[Key, Value]:
        """Return what another endpoint adds to the points. Its failure concerns `keys` and nothing else."""
        try:
            found = await self._twice(read)
        except CloudError as error:
            read_at, kept = self._beside.get(name, (None, {}))
            is_young = read_at is not None and dt_util.utcnow() - read_at <= MAXIMUM_AGE
            if isinstance(error, CloudRateLimited | CloudEmpty) and is_young and not keys & self.silent:
                return kept
            if not keys & self.silent:
                _LOGGER.error("Error fetching %s of %s: %s", name, self.name, error)  # noqa: TRY400
            self.silent = self.silent | keys
            return {}
        if keys & self.silent:
            _LOGGER.info("Fetching %s of %s recovered", name, self.name)
        self.silent = self.silent - keys
        self._beside[name] = dt_util.utcnow(), found
        return found

    @property
    def turn(self) -> Turn:
        """Its place in the account's queue: the longer ago it was read or tried, the sooner."""
        return Turn(self.priority, self._attempted_at)

    @property
    def has_data(self) -> bool:
        """Whether it ever had a value: lists have coordinators and dongles beside the batteries."""
        return bool(self._seen)

    @property
    def calls_per_read(self) -> int:
        """How many endpoints are asked each time."""
        return 1 + len(self._beside)

    @property
    @override
    def pause(self) -> timedelta:
        # After four tries what never answers is left alone for longer.
        doublings = 0 if self.has_data else min(max(self._attempts - 4, 0), 4)
        return min(READINGS_INTERVAL * (1 << doublings), INVENTORY_INTERVAL)

    @callback
    def async_unfollow(self) -> None:
        """Let nobody listen to it any more."""
        while self.unfollow:
            self.unfollow.pop()()

    @property
    def subentry_id(self) -> str | None:
        """The subentry under which the user added this device."""
        return self.inventory.subentries.get(self.serial)

    @property
    def device_info(self) -> dr.DeviceInfo:
        """What the device page shows."""
        device = self.device
        return dr.DeviceInfo(
            identifiers={(DOMAIN, device.serial)},
            manufacturer=self.inventory.manufacturer,
            name=device.name or device.model or self.inventory.manufacturer,
            model=device.model,
            model_id=device.model_code,
            serial_number=device.serial,
            sw_version=device.firmware or (self.data.firmware if self.data else None),
        )

    @property
    def remembered(self) -> dict[str, Any]:
        """What is known of this device from earlier."""
        return self.config_entry.runtime_data.memory.recall(self.serial)

    @property
    def findings(self) -> dict[str, Any]:
        """What was told from the numbers and not by the cloud, for diagnostics."""
        return {}

    @property
    def device(self) -> Device:
        """What the inventory knows of this device."""
        return self.inventory.data.get(self.serial) or Device(serial=self.serial)

    @property
    def quantities(self) -> set[tuple[Platform, Key]]:
        """Every quantity that this device has ever had; none is forgotten while Home Assistant knows its entity."""
        listed = {(Platform.SENSOR, Key.WORK_STATUS)} if self._seen and self.device.work_status else set()
        return self._seen | listed

    @property
    def sampled_at(self) -> datetime | None:
        """When the last sample was taken, or first received where that is earlier or it does not say."""
        known = (self.data.sampled_at, self.received_at) if self.data else ()
        return min(filter(None, known), default=None)

    @property
    @override
    def is_current(self) -> bool:
        return self.sampled_at is not None and dt_util.utcnow() - self.sampled_at <= MAXIMUM_AGE

    @override
    async def _read(self) -> Reading:
        self._attempts += 1
        self._attempted_at = dt_util.utcnow().timestamp()
        reading = await self._fetch()
        if reading.empty:
            raise CloudEmpty("no values")
        if not (self.data and reading.sampled_at and reading.sampled_at == self.data.sampled_at):
            self.received_at = dt_util.utcnow()
        slow = {key: value for key, value in self.data.values.items() if key in SLOW} if self.data else {}
        reading = replace(reading, values=slow | reading.values)
        self._seen |= {(Platform.SENSOR, key) for key in reading.values}
        self._seen |= {(Platform.BINARY_SENSOR, key) for key in reading.flags}
        if reading.values or reading.flags:
            self._seen.add((Platform.BINARY_SENSOR, Key.ONLINE))
        return reading
