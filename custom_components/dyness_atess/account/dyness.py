"""A Dyness account: the batteries that it lists, those that its owner added, and the modules behind them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
import re
from typing import Any, override

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util

from ..cloud.dyness import REGIONS, DynessClient
from ..cloud.errors import CloudEmpty, CloudError
from ..cloud.queue import Priority, Turn
from ..const import CONF_APP_ID, CONF_APP_SECRET, CONF_CAPACITY, CONF_REGION, DOMAIN
from ..telemetry.device import Device
from ..telemetry.dyness.decoder import READ_BY_NAME, decode, decode_running, family_by_name
from ..telemetry.dyness.family import Family
from ..telemetry.dyness.history import latest_soc, powers
from ..telemetry.energy.capacity import CAPACITIES, add_energy
from ..telemetry.energy.counter import Totals, expected_counters
from ..telemetry.energy.meter import EnergyMeter
from ..telemetry.reading import Reading, Value
from ..telemetry.vocabulary import LIFETIME, Key
from .account import AccountConfigEntry, account_queue, digest, tell
from .budget import share_out
from .coordinator import INVENTORY_INTERVAL, DeviceCoordinator, Inventory

MAXIMUM_MODULES = 128
"""More than any stack has; what lists more is no list of modules."""

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
        for serial in self.subentries.keys() - listed.keys():
            listed[serial] = await self._unlisted(self.data[serial])
        # A device that the list leaves out stays: lists have been seen incomplete, and only the user removes a device.
        devices = self.data | listed
        tell(
            self.hass,
            self.config_entry,
            not devices,
            translation_key="no_devices",
            translation_placeholders={"entry": self.config_entry.title},
        )
        self.listed = {row["deviceSn"] for row in rows}
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
        """Add to what is known of this device, unless it was removed while the answer was on its way."""
        account = self.config_entry.runtime_data
        if account.devices.get(self.serial) is self:
            account.memory.keep(self.serial, self.remembered | content)

    @override
    async def _fetch(self) -> Reading:
        self.raw = await self.inventory.client.realtime_data(self.serial, self.device.collector_serial, self.turn)
        reading = decode(self.raw, self.remembered.get("family"))
        if reading.empty:
            raise CloudEmpty("no values")  # before anything is added that is known without them
        if reading.family and reading.family != READ_BY_NAME:
            self.remember(family=reading.family)
        return replace(reading, values=self._with_totals(reading.values, reading.sampled_at))

    @override
    async def _read(self) -> Reading:
        try:
            return await super()._read()
        except CloudEmpty:
            if not self._seen:
                # Nothing worth a line in the log: lists have coordinators and dongles beside the batteries.
                self.last_update_success = False
            raise

    def _with_totals(self, values: dict[Key, Value], sampled_at: datetime | None = None) -> dict[Key, Value]:
        """Return the values with lifetime totals in place of their counters."""
        if not LIFETIME & values.keys():
            return values
        now = dt_util.utcnow()
        totals = Totals(self.remembered)
        rated = (self.data.values if self.data else values).get(Key.ENERGY_RATED)
        counted = totals.count(values, sampled_at or now, rated=rated, now=now)
        self.remember(**totals.memory)
        return {key: value for key, value in values.items() if key not in LIFETIME} | counted


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
        running = self.raw_beside["running"] = await self.inventory.client.last_running_data(self.serial, self.turn)
        values = decode_running(family.name, running)
        return self._with_totals(values)

    async def _history(self) -> dict[Key, Value]:
        """Return the state of charge from the day's records, for where no point has it."""
        soc = latest_soc(await self._records(), dt_util.utcnow())
        return {} if soc is None else {Key.SOC: soc}

    async def _records(self) -> list[Any]:
        records = self.raw_beside["history"] = await self.inventory.client.last_power_data(self.serial, self.turn)
        return records

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
        meter = EnergyMeter(self.remembered.get("meter"), self.remembered.get("metered"))
        power, soc, rated, voltage = (
            value if isinstance(value := values.get(key), float | int) else None
            for key in (Key.POWER, Key.SOC, Key.ENERGY_RATED, Key.VOLTAGE)
        )
        if sampled_at and power is not None:
            meter.add(sampled_at, power, soc, rated, now=dt_util.utcnow())
        if gap := meter.gap:
            records: list[Any] = []
            with suppress(CloudError):
                records = await self._records()
            meter.fill_from_history(powers(records, *gap, current_sign=family.current_sign, voltage=voltage))
        totals = Totals(self.remembered)
        amounts = {Key.ENERGY_CHARGED: meter.charged, Key.ENERGY_DISCHARGED: meter.discharged}
        expected = expected_counters(family, self.raw)
        for key, total in totals.meter(amounts, sampled_at or dt_util.utcnow(), expected=expected).items():
            values.setdefault(key, total)
        self.remember(meter=meter.memory, **totals.memory)

    async def _ask_station(self, family: Family | None, values: Mapping[Key, Value]) -> None:
        """Ask for the capacity of the plant until it is known, where it can be of use."""
        is_of_use = Key.MODULE_COUNT in values or (family and family.station_is_total)
        now = dt_util.utcnow()
        if not is_of_use or "capacity" in self.remembered or now - self._station_asked_at < INVENTORY_INTERVAL:
            return
        self._station_asked_at = now
        with suppress(CloudError, TypeError, ValueError):
            station = self.raw_beside["station"] = await self.inventory.client.station_info(self.serial, self.turn)
            if CAPACITIES[0] < (capacity := float(station.get("batteryCapacity") or 0)) < CAPACITIES[1]:
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
            is_new = serial != self.serial and not _MASTER.search(serial) and serial not in self.modules
            if is_new and len(self.modules) < MAXIMUM_MODULES:
                self.modules[serial] = max(self.modules.values(), default=0) + 1
        if self.modules != self.remembered.get("modules", {}):
            self.remember(modules=dict(self.modules))
        self.add_modules()

    def add_modules(self) -> None:
        """Begin to read the modules that are not read yet."""
        account = self.config_entry.runtime_data
        new = self.modules.keys() - account.devices.keys()
        if not new or account.devices.get(self.serial) is not self:
            return
        for serial in new:
            account.add(ModuleCoordinator(self.hass, self.config_entry, self, serial))
        share_out(self.hass, self.config_entry)

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
        self.name = f"module {master.modules[serial]} of {master.name}"

    @override
    def _async_refresh_finished(self) -> None:
        super()._async_refresh_finished()
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
