"""A Dyness account: the batteries that it lists, those that its owner added, and the modules behind them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
import math
import re
from typing import Any, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
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
)
from .telemetry.decoder import READ_BY_NAME, decode, decode_running, family_by_name
from .telemetry.device import Device
from .telemetry.power_history import latest_soc
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
        self._tell_of_no_devices(found=bool(devices))
        self.listed = set(listed)
        self._listed_at = dt_util.utcnow()
        return devices

    def _tell_of_no_devices(self, *, found: bool) -> None:
        issue = f"no_devices_{self.config_entry.entry_id}"
        if found:
            ir.async_delete_issue(self.hass, DOMAIN, issue)
            return
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            issue,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="no_devices",
            translation_placeholders={"entry": self.config_entry.title},
        )

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
        if reading.family and reading.family != READ_BY_NAME:
            self.remember(family=reading.family)
        return replace(reading, values=reading.values | self._totals(reading))

    def _totals(self, reading: Reading) -> dict[Key, Value]:
        """Return the lifetime totals, none of them lower than it ever was."""
        kept = self.remembered.get("totals", {})
        totals = {
            key: max(value, kept.get(key, value))
            for key, value in reading.values.items()
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

    @override
    async def _fetch(self) -> Reading:
        reading = await super()._fetch()
        values = dict(reading.values)
        await self._add_running(reading.family, values)
        if reading.family and Key.SOC not in values:
            await self._add_history(values)
        await self._add_energy(values)
        self._follow_modules(reading)
        self._tell_of_unknown_model(reading)
        return replace(reading, values=values)

    async def _add_running(self, family_name: str | None, values: dict[Key, Value]) -> None:
        """Add what an inverter tells at another endpoint."""
        family = family_by_name(family_name)
        if family is None or not family.running:
            return
        try:
            values |= decode_running(family_name, await self.inventory.client.last_running_data(self.serial, self.turn))
            self.silent = frozenset()
        except CloudError:
            self.silent = {key for rule in family.running for key in rule.keys if key}

    async def _add_history(self, values: dict[Key, Value]) -> None:
        """Add the state of charge from the day's records where no point has it."""
        try:
            records = await self.inventory.client.last_power_data(self.serial, self.turn)
        except CloudError:
            return
        if (soc := latest_soc(records, dt_util.utcnow())) is not None:
            values[Key.SOC] = soc

    async def _add_energy(self, values: dict[Key, Value]) -> None:
        """Add capacity and content in kWh, from the most reliable source that there is (dyness-api 8)."""
        chosen = self.config_entry.options.get(CONF_CAPACITY, {}).get(self.serial)
        rated = chosen or values.get(Key.ENERGY_RATED) or self._of_modules(Key.ENERGY_RATED, values)
        if not rated and values.get(Key.MODULE_COUNT) == 1:
            # With several modules it may be of one, of all, or of the coordinator too: nothing to multiply.
            rated = await self._station_capacity()
        if not isinstance(rated, float | int):
            return
        values[Key.ENERGY_RATED] = rated
        content = None if chosen else values.get(Key.ENERGY_REMAINING) or self._of_modules(Key.ENERGY_REMAINING, values)
        soc, soh = values.get(Key.SOC), values.get(Key.SOH, 100)
        if content is None and isinstance(soc, float | int) and isinstance(soh, float | int):
            content = round(rated * soc / 100 * soh / 100, 3)
        if content is not None:
            values[Key.ENERGY_REMAINING] = content

    def _of_modules(self, key: Key, values: dict[Key, Value]) -> float | None:
        """Return the sum over all modules, if each is known."""
        devices = self.config_entry.runtime_data.devices
        parts = [
            device.data.values.get(key) for serial in self.modules if (device := devices.get(serial)) and device.data
        ]
        numbers = [part for part in parts if isinstance(part, float | int)]
        complete = len(numbers) == values.get(Key.MODULE_COUNT, len(self.modules)) == len(self.modules)
        return round(sum(numbers), 3) if numbers and complete else None

    async def _station_capacity(self) -> float | None:
        """Return the capacity of the plant in kWh, asked for once."""
        if "capacity" not in self.remembered:
            try:
                station = await self.inventory.client.station_info(self.serial, _INVENTORY)
                self.remember(capacity=float(station.get("batteryCapacity") or 0))
            except CloudError, TypeError, ValueError:
                return None
        capacity = self.remembered["capacity"]
        return capacity if isinstance(capacity, float) and 0 < capacity < 10_000 else None

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
        issue = f"budget_{self.config_entry.entry_id}"
        needed = needed_calls(masters, len(modules))
        if needed <= account.queue.hourly_calls:
            ir.async_delete_issue(self.hass, DOMAIN, issue)
            return
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            issue,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
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
        issue = f"read_by_name_{self.config_entry.entry_id}_{digest(self.serial)}"
        if reading.family == READ_BY_NAME:
            ir.async_create_issue(
                self.hass,
                DOMAIN,
                issue,
                is_fixable=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key="read_by_name",
                translation_placeholders={"model": self.device.model or self.device.name or "?"},
                learn_more_url="https://github.com/dyness-atess/dyness-atess-home-assistant/issues",
            )
        elif reading.family:
            ir.async_delete_issue(self.hass, DOMAIN, issue)


class ModuleCoordinator(PointsCoordinator):
    """The readings of one module behind a master."""

    priority = Priority.MODULE

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry, master: StorageCoordinator, serial: str) -> None:
        """Begin with what was ever seen of it."""
        self.master = master
        super().__init__(hass, entry, master.inventory, serial)

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
