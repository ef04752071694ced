"""A Dyness account: the batteries that it lists, those that its owner added, and the modules behind them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import math
import re
from typing import Any, override

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util

from .cloud.dyness import REGIONS, DynessClient
from .cloud.errors import CloudEmpty, CloudError
from .cloud.queue import Priority, Turn
from .const import CONF_APP_ID, CONF_APP_SECRET, CONF_CAPACITY, CONF_REGION, DOMAIN
from .coordinator import (
    MAXIMUM_AGE,
    READINGS_INTERVAL,
    AccountConfigEntry,
    DeviceCoordinator,
    Inventory,
    account_queue,
    digest,
    tell,
)
from .telemetry.capacity import add_energy
from .telemetry.decoder import READ_BY_NAME, decode, decode_running, family_by_name
from .telemetry.device import Device
from .telemetry.energy import EnergyMeter
from .telemetry.family import Family
from .telemetry.power_history import latest_soc, powers
from .telemetry.reading import Reading, Value
from .telemetry.vocabulary import LIFETIME, Key

INVENTORY_INTERVAL = timedelta(minutes=30)

_INVENTORY = Turn(Priority.INVENTORY)

_MASTER = re.compile(r"-B(MS|DU)$", re.IGNORECASE)
"""How the cloud marks the serial number of a master, which some lists name among its own modules."""


def dyness_client(hass: HomeAssistant, account: Mapping[str, Any]) -> DynessClient:
    """Return a client for what was typed or stored."""
    region = account[CONF_REGION]
    return DynessClient(
        async_get_clientsession(hass),
        REGIONS.get(region, region),
        account[CONF_APP_ID],
        account[CONF_APP_SECRET],
        account_queue(hass, account),
    )


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
        rows = await self.client.storage_list(_INVENTORY)
        if not rows and self.data.keys() - self.subentries.keys():
            raise CloudEmpty("no devices")
        listed = {row["deviceSn"]: Device.from_listing(row["deviceSn"], row) for row in rows}
        # A device that the list leaves out stays: lists have been seen incomplete, and only the user removes a device.
        devices = self.data | listed
        for serial in self.subentries.keys() - listed.keys():
            devices[serial] = await self._unlisted(devices[serial])
        tell(
            self.hass,
            self.config_entry,
            not devices,
            translation_key="no_devices",
            translation_placeholders={"entry": self.config_entry.title},
        )
        self.listed = set(listed)
        self._listed_at = dt_util.utcnow()
        return devices

    async def _unlisted(self, device: Device) -> Device:
        """Ask for the model of a device that the account does not list, once."""
        if device.listing:
            return device
        try:
            detail = await self.client.storage_detail(device.serial, _INVENTORY)
        except CloudError:
            return device
        return replace(Device.from_listing(device.serial, detail), collector_serial=device.collector_serial)


class PointsCoordinator(DeviceCoordinator):
    """The points of a battery or module, and what is remembered of them."""

    inventory: DynessInventory

    def remember(self, **content: Any) -> None:
        """Add to what is known of this device."""
        self.config_entry.runtime_data.memory.keep(self.serial, self.remembered | content)

    @override
    async def _fetch(self) -> Reading:
        self.raw = await self.inventory.client.realtime_data(self.serial, self.device.collector_serial, self.turn)
        reading = decode(self.raw, self.remembered.get("family"))
        if reading.empty:
            raise CloudEmpty("no values")  # before anything is added that is known without them
        if reading.family and reading.family != READ_BY_NAME:
            self.remember(family=reading.family)
        return replace(reading, values=reading.values | self._totals(reading.values))

    @override
    async def _read(self) -> Reading:
        try:
            return await super()._read()
        except CloudEmpty:
            if not self._seen:
                # Nothing worth a line in the log: lists have coordinators and dongles beside the batteries.
                self.last_update_success = False
            raise

    def _totals(self, values: Mapping[Key, Value]) -> dict[Key, Value]:
        """Return the lifetime totals, none of them lower than it ever was."""
        kept = self.remembered.get("totals", {})
        totals = {
            key: max(value, kept.get(key, value))
            for key, value in values.items()
            if key in LIFETIME and isinstance(value, float | int)
        }
        if totals:
            self.remember(totals=kept | {str(key): value for key, value in totals.items()})
        return dict(totals)


class StorageCoordinator(PointsCoordinator):
    """The readings of a master device."""

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry, inventory: Inventory, serial: str) -> None:
        """Begin with the modules that were ever seen behind it."""
        super().__init__(hass, entry, inventory, serial)
        self.modules: dict[str, int] = dict(self.remembered.get("modules", {}))
        """Numbers of the modules by serial number; a number stays with its serial number."""
        self._station_asked_at = datetime.min.replace(tzinfo=UTC)

    @override
    async def _fetch(self) -> Reading:
        reading = await super()._fetch()
        values = dict(reading.values)
        family = family_by_name(reading.family)
        if family and family.running:
            running = {key for rule in family.running for key in rule.keys if key}
            values |= await self.read_beside("the running data", running, lambda: self._running(family))
        if reading.family and Key.SOC not in values:
            values |= await self.read_beside("the history", {Key.SOC, Key.ENERGY_REMAINING}, self._history)
        self._add_energy(family, values)
        if Key.ENERGY_RATED not in values:
            await self._ask_station(family, values)
            self._add_energy(family, values)
        if family and not values.keys() >= {Key.ENERGY_CHARGED, Key.ENERGY_DISCHARGED}:
            await self._add_metered(family, reading.sampled_at, values)
        self._follow_modules(reading)
        self._tell_of_unknown_model(reading)
        return replace(reading, values=values)

    async def _running(self, family: Family) -> dict[Key, Value]:
        """Return what an inverter tells at another endpoint."""
        values = decode_running(family.name, await self.inventory.client.last_running_data(self.serial, self.turn))
        return values | self._totals(values)

    async def _history(self) -> dict[Key, Value]:
        """Return the state of charge from the day's records, for where no point has it."""
        records = await self.inventory.client.last_power_data(self.serial, self.turn)
        soc = latest_soc(records, dt_util.utcnow())
        return {} if soc is None else {Key.SOC: soc}

    def _add_energy(self, family: Family | None, values: dict[Key, Value]) -> None:
        """Add capacity and content in kWh."""
        devices = self.config_entry.runtime_data.devices
        readings = [device.data if (device := devices.get(serial)) else None for serial in self.modules]
        add_energy(
            family,
            values,
            chosen=self.config_entry.options.get(CONF_CAPACITY, {}).get(self.serial),
            modules=[reading.values.get(Key.ENERGY_RATED) if reading else None for reading in readings],
            station=self.remembered.get("capacity"),
        )

    async def _add_metered(self, family: Family, sampled_at: datetime | None, values: dict[Key, Value]) -> None:
        """Add the lifetime energies that the battery does not count itself (product contract, section 7)."""
        meter = EnergyMeter(self.remembered.get("meter"))
        power, soc, rated, voltage = (
            value if isinstance(value := values.get(key), float | int) else None
            for key in (Key.POWER, Key.SOC, Key.ENERGY_RATED, Key.VOLTAGE)
        )
        if sampled_at and power is not None:
            meter.add(sampled_at, power, soc, rated, now=dt_util.utcnow())
        if gap := meter.gap:
            records: list[Any] = []
            with suppress(CloudError):
                records = await self.inventory.client.last_power_data(self.serial, _INVENTORY)
            meter.fill_from_history(powers(records, *gap, current_sign=family.current_sign, voltage=voltage))
        self.remember(meter=meter.memory)
        counted = self.remembered.get("totals", {})
        for key, total in ((Key.ENERGY_CHARGED, meter.charged), (Key.ENERGY_DISCHARGED, meter.discharged)):
            # A counter of the battery's own stays the one that counts where a sample leaves it out.
            if (total := counted.get(key, total)) is not None:
                values.setdefault(key, round(total, 3))

    async def _ask_station(self, family: Family | None, values: Mapping[Key, Value]) -> None:
        """Ask for the capacity of the plant until it is known, where it can be of use."""
        is_of_use = Key.MODULE_COUNT in values or (family and family.station_is_total)
        now = dt_util.utcnow()
        if not is_of_use or "capacity" in self.remembered or now - self._station_asked_at < INVENTORY_INTERVAL:
            return
        self._station_asked_at = now
        with suppress(CloudError, TypeError, ValueError):
            station = await self.inventory.client.station_info(self.serial, _INVENTORY)
            if 0 < (capacity := float(station.get("batteryCapacity") or 0)) < 10_000:
                self.remember(capacity=capacity)

    @callback
    def take_over_modules(self) -> None:
        """Add what takes all modules to know as soon as the last one is read, not with the next sample."""
        if not self.data or Key.ENERGY_RATED in self.data.values:
            return
        values = dict(self.data.values)
        self._add_energy(family_by_name(self.data.family), values)
        if Key.ENERGY_RATED in values:
            self.data = replace(self.data, values=values)
            self._seen |= {(Platform.SENSOR, key) for key in values}
            self.async_update_listeners()

    def _follow_modules(self, reading: Reading) -> None:
        """Add the modules that are new; a list that leaves one out takes none away."""
        for serial in reading.modules:
            if serial != self.serial and not _MASTER.search(serial) and serial not in self.modules:
                self.modules[serial] = max(self.modules.values(), default=0) + 1
        if self.modules != self.remembered.get("modules", {}):
            self.remember(modules=dict(self.modules))
        self.add_modules()

    def add_modules(self) -> None:
        """Begin to read the modules that are not read yet."""
        account = self.config_entry.runtime_data
        for serial in self.modules.keys() - account.devices.keys():
            account.add(ModuleCoordinator(self.hass, self.config_entry, self, serial))
        modules = [device for device in account.devices.values() if isinstance(device, ModuleCoordinator)]
        masters = len(account.devices) - len(modules)
        interval = module_interval(account.queue.hourly_calls, masters, len(modules))
        for module in modules:
            module.update_interval = interval
        needed = needed_calls(masters, len(modules))
        tell(
            self.hass,
            self.config_entry,
            needed > account.queue.hourly_calls,
            translation_key="budget",
            translation_placeholders={
                "masters": str(masters),
                "modules": str(len(modules)),
                "calls": str(account.queue.hourly_calls),
                "needed": str(needed),
            },
        )

    def forget_module(self, serial: str) -> None:
        """Let a module go that its owner removed."""
        self.modules.pop(serial, None)
        self.remember(modules=dict(self.modules))

    def _tell_of_unknown_model(self, reading: Reading) -> None:
        if reading.family:
            tell(
                self.hass,
                self.config_entry,
                reading.family == READ_BY_NAME,
                translation_key="read_by_name",
                translation_placeholders={"model": self.device.model or self.device.name or "?"},
                device=f"_{digest(self.serial)}",
                learn_more_url="https://github.com/dyness-atess/dyness-atess-home-assistant/issues",
            )


class ModuleCoordinator(PointsCoordinator):
    """The readings of one module behind a master."""

    priority = Priority.MODULE

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry, master: StorageCoordinator, serial: str) -> None:
        """Begin with what was ever seen of it."""
        self.master = master
        super().__init__(hass, entry, master.inventory, serial)

    @override
    def _async_refresh_finished(self) -> None:
        self.master.take_over_modules()

    @property
    @override
    def device(self) -> Device:
        return Device(serial=self.serial, model=self.master.device.model)

    @property
    @override
    def subentry_id(self) -> str | None:
        return self.master.subentry_id

    @property
    @override
    def device_info(self) -> dr.DeviceInfo:
        # The master has to be there first, and has no entities yet when both are seen for the first time.
        master = dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.config_entry.entry_id,
            config_subentry_id=self.subentry_id,
            **self.master.device_info,
        )
        return dr.DeviceInfo(
            identifiers={(DOMAIN, self.serial)},
            manufacturer=self.inventory.manufacturer,
            translation_key="module",
            translation_placeholders={
                "master": master.name or "",
                "number": str(self.master.modules.get(self.serial, 0)),
            },
            model=self.device.model,
            serial_number=self.serial,
            sw_version=self.data.firmware if self.data else None,
            via_device_id=master.id,
        )


def needed_calls(masters: int, modules: int) -> int:
    """Return how many calls an hour keep every value current: a module may be twice as old as that at the most."""
    return masters * (timedelta(hours=1) // READINGS_INTERVAL) + 2 + modules * (timedelta(hours=1) // MAXIMUM_AGE)


def module_interval(hourly_calls: int, masters: int, modules: int) -> timedelta:
    """Return how often each module can be read from what its account's budget leaves.

    Args:
        hourly_calls: the budget.
        masters: each is read once per upload; the list takes two calls an hour.
        modules: they share the rest in turn.
    """
    spare = hourly_calls - masters * (timedelta(hours=1) // READINGS_INTERVAL) - 2
    seconds = math.ceil(3600 * modules / max(spare, 1))
    return max(READINGS_INTERVAL, timedelta(seconds=seconds))
