"""Inventory per account, readings per device; the only place where an error becomes a state."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
import hashlib
import logging
from typing import Any, ClassVar, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .cloud.atess import BASE_URL, AtessClient
from .cloud.dyness import REGIONS, DynessClient
from .cloud.errors import CloudEmpty, CloudError, CloudRateLimited, CloudRejected, CloudUnavailable
from .const import (
    CONF_API_ID,
    CONF_API_TOKEN,
    CONF_APP_ID,
    CONF_APP_SECRET,
    CONF_BATTERY_SIGN,
    CONF_COLLECTOR_SN,
    CONF_DEVICE_SN,
    CONF_POWER_UNIT,
    CONF_REGION,
    CONF_SERVER,
    DOMAIN,
)
from .memory import Memory
from .telemetry.decoder import decode
from .telemetry.device import Device
from .telemetry.pbd import PbdDecoder
from .telemetry.pbd_learning import PowerUnit
from .telemetry.reading import Reading
from .telemetry.vocabulary import SLOW, Key

_LOGGER = logging.getLogger(__package__)

INVENTORY_INTERVAL = timedelta(minutes=30)
READINGS_INTERVAL = timedelta(minutes=5)
"""The device uploads a sample every five minutes (dyness-api 9)."""
MAXIMUM_AGE = timedelta(minutes=30)
"""A sample older than this is no longer current (product contract, section 5)."""

type AccountConfigEntry = ConfigEntry[Account]


@dataclass(kw_only=True)
class Account:
    """What runs for one config entry."""

    inventory: Inventory
    memory: Memory
    devices: dict[str, DeviceCoordinator] = field(default_factory=dict)


def dyness_client(hass: HomeAssistant, account: Mapping[str, Any]) -> DynessClient:
    """Return a client for what was typed or stored."""
    region = account[CONF_REGION]
    session = async_get_clientsession(hass)
    return DynessClient(session, REGIONS.get(region, region), account[CONF_APP_ID], account[CONF_APP_SECRET])


def atess_client(hass: HomeAssistant, account: Mapping[str, Any]) -> AtessClient:
    """Return a client for what was typed or stored."""
    server = account.get(CONF_SERVER) or BASE_URL
    return AtessClient(async_get_clientsession(hass), server, account.get(CONF_API_ID, ""), account[CONF_API_TOKEN])


def digest(serial: str) -> str:
    """Return a short stand-in for a serial number, the same every time."""
    return hashlib.sha256(serial.encode()).hexdigest()[:8]


class CloudCoordinator[Data](DataUpdateCoordinator[Data]):
    """Maps the outcomes of a read to what the user sees (product contract, section 5)."""

    config_entry: AccountConfigEntry

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry, name: str, interval: timedelta | None) -> None:
        """Prepare to read every `interval`."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=name, update_interval=interval)

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
            try:
                return await self._read()
            except CloudUnavailable as error:
                _LOGGER.debug("Reading %s once more: %s", self.name, error)
                return await self._read()
        except CloudRejected as error:
            raise ConfigEntryAuthFailed(translation_domain=DOMAIN, translation_key="rejected") from error
        except CloudError as error:
            if isinstance(error, CloudRateLimited | CloudEmpty) and self.last_update_success and self.is_current:
                return self.data
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="unavailable",
                translation_placeholders={"reason": str(error)},
                retry_after=READINGS_INTERVAL.total_seconds(),
            ) from error


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
            if device.config_subentry_id not in (None, *entry.subentries):
                continue  # its subentry is just being removed
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


class DynessInventory(Inventory):
    """What the account lists, and what its owner added."""

    manufacturer = "Dyness"

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry) -> None:
        """Prepare to read the list."""
        super().__init__(hass, entry, INVENTORY_INTERVAL)
        self.client = dyness_client(hass, entry.data)
        self._listed_at: datetime | None = None

    @override
    def coordinator(self, serial: str) -> DeviceCoordinator:
        return StorageCoordinator(self.hass, self.config_entry, self, serial)

    @property
    @override
    def is_current(self) -> bool:
        return self._listed_at is not None and dt_util.utcnow() - self._listed_at < 2 * INVENTORY_INTERVAL

    @override
    async def _read(self) -> dict[str, Device]:
        rows = await self.client.storage_list()
        if not rows and self.data.keys() - self.subentries.keys():
            raise CloudEmpty("no devices")
        listed = {row["deviceSn"]: Device.from_listing(row["deviceSn"], row) for row in rows}
        # A device that the list leaves out stays: lists have been seen incomplete, and only the user removes a device.
        devices = self.data | listed
        for serial in self.subentries.keys() - listed.keys():
            devices[serial] = await self._unlisted(devices[serial])
        self.listed = set(listed)
        self._listed_at = dt_util.utcnow()
        return devices

    async def _unlisted(self, device: Device) -> Device:
        """Ask for the model of a device that the account does not list, once."""
        if device.listing:
            return device
        try:
            detail = await self.client.storage_detail(device.serial)
        except CloudError:
            return device
        return replace(Device.from_listing(device.serial, detail), collector_serial=device.collector_serial)


class AtessInventory(Inventory):
    """What its owner added: how the cloud lists devices is not known (atess-api 3.2)."""

    manufacturer = "ATESS"

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry) -> None:
        """Prepare to read the devices."""
        super().__init__(hass, entry, None)
        self.client = atess_client(hass, entry.data)
        self.data = {
            serial: replace(device, name=device.name or "ATESS PBD", model="PBD")
            for serial, device in self.data.items()
        }

    @override
    def coordinator(self, serial: str) -> DeviceCoordinator:
        return PbdCoordinator(self.hass, self.config_entry, self, serial)

    @property
    @override
    def is_current(self) -> bool:
        return True

    @override
    async def _read(self) -> dict[str, Device]:
        return self.data


class DeviceCoordinator(CloudCoordinator[Reading]):
    """The readings of one device."""

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry, inventory: Inventory, serial: str) -> None:
        """Begin with the quantities that the entity registry remembers of this device."""
        self.serial = serial
        self.inventory = inventory
        model = self.device.model or "device"
        super().__init__(hass, entry, f"{model} {digest(serial)}", READINGS_INTERVAL)
        self._seen: set[tuple[Platform, Key]] = set()
        for registered in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
            owner, _, key = registered.unique_id.rpartition("-")
            if owner == serial and key in Key:
                self._seen.add((Platform(registered.domain), Key(key)))
        self.raw: Any = None
        """The last answer as it came, for diagnostics."""
        self._received_at: datetime | None = None

    @abstractmethod
    async def _fetch(self) -> Reading:
        """Ask the cloud and decode what it says.

        Raises:
            CloudError: one of the declared outcomes.
        """

    @property
    def findings(self) -> dict[str, Any]:
        """What was told from the numbers and not by the cloud, for diagnostics."""
        return {}

    @property
    def device(self) -> Device:
        """What the inventory knows of this device."""
        return self.inventory.data[self.serial]

    @property
    def quantities(self) -> set[tuple[Platform, Key]]:
        """Every quantity that this device has ever had; none is forgotten while Home Assistant knows its entity."""
        listed = {(Platform.SENSOR, Key.WORK_STATUS)} if self._seen and self.device.work_status else set()
        return self._seen | listed

    @property
    def sampled_at(self) -> datetime | None:
        """When the last sample was taken, or received where it does not say."""
        return self.data.sampled_at or self._received_at if self.data else None

    @property
    @override
    def is_current(self) -> bool:
        return self.sampled_at is not None and dt_util.utcnow() - self.sampled_at <= MAXIMUM_AGE

    @override
    async def _read(self) -> Reading:
        reading = await self._fetch()
        if reading.empty:
            raise CloudEmpty("no values")
        self._received_at = dt_util.utcnow()
        slow = {key: value for key, value in self.data.values.items() if key in SLOW} if self.data else {}
        reading = replace(reading, values=slow | reading.values)
        self._seen |= {(Platform.SENSOR, key) for key in reading.values}
        self._seen |= {(Platform.BINARY_SENSOR, key) for key in reading.flags}
        if reading.values or reading.flags:
            self._seen.add((Platform.BINARY_SENSOR, Key.ONLINE))
        return reading


class StorageCoordinator(DeviceCoordinator):
    """The readings of a Dyness battery."""

    inventory: DynessInventory

    @override
    async def _fetch(self) -> Reading:
        self.raw = await self.inventory.client.realtime_data(self.serial, self.device.collector_serial)
        return decode(self.raw)


class PbdCoordinator(DeviceCoordinator):
    """The readings of an ATESS PBD, whose meaning is learned from record to record."""

    inventory: AtessInventory

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry, inventory: Inventory, serial: str) -> None:
        """Go on with what was learned before."""
        super().__init__(hass, entry, inventory, serial)
        unit, sign = entry.options.get(CONF_POWER_UNIT, ""), entry.options.get(CONF_BATTERY_SIGN, "")
        self._decoder = PbdDecoder(
            entry.runtime_data.memory.recall(serial),
            power_unit=PowerUnit(unit) if unit in PowerUnit else None,
            battery_sign={"positive_discharging": 1, "positive_charging": -1}.get(sign),
        )

    @property
    @override
    def findings(self) -> dict[str, Any]:
        return self._decoder.findings

    @override
    async def _fetch(self) -> Reading:
        self.raw = await self.inventory.client.pbd_data_last(self.serial)
        reading = self._decoder.decode(self.raw, dt_util.utcnow())
        self.config_entry.runtime_data.memory.keep(self.serial, self._decoder.memory)
        return reading
