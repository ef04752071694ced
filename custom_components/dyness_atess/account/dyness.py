"""A Dyness account: the batteries that it lists, and those that its owner added."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util

from ..cloud.dyness import REGIONS, DynessClient
from ..cloud.errors import CloudEmpty, CloudError
from ..cloud.queue import Priority, Turn
from ..const import CONF_APP_ID, CONF_APP_SECRET, CONF_REGION, DOMAIN
from ..telemetry.device import Device
from ..telemetry.dyness.alarm_list import decode_alarms
from .account import Account, AccountConfigEntry
from .battery import Battery
from .connection import DEVICE_LIST, connection
from .credentials import Credentials
from .read import CloudCoordinator
from .registry import device_of
from .repairs import report

LIST_INTERVAL = timedelta(minutes=30)
PERSONAL = ("collectorSn", "deviceName", "parentName", "position", "stationId", "stationName")
"""What a list says of the owner or names a device by (dyness-api 3.2)."""


def dyness_client(hass: HomeAssistant, account: Mapping[str, Any]) -> DynessClient:
    """Return a client for what was typed or stored."""
    region = account[CONF_REGION]
    return DynessClient(
        async_get_clientsession(hass),
        REGIONS.get(region, region),
        account[CONF_APP_ID],
        account[CONF_APP_SECRET],
        connection(hass, account).queue,
    )


class DeviceList(CloudCoordinator[dict[str, Device]]):
    """What the account lists, by serial number."""

    def __init__(self, credentials: Credentials, client: DynessClient) -> None:
        """Prepare to read the list, or take over the one that the form has just read."""
        super().__init__(credentials, "the device list")
        self._client = client
        self._read_at: datetime | None = None
        self.data = {}
        if (rows := connection(self.hass, self.config_entry.data).answers.pop(DEVICE_LIST, None)) is not None:
            self._take(rows)
            self._wait(self._next_read())

    @property
    def was_read(self) -> bool:
        """Whether it is known what the account lists."""
        return self._read_at is not None

    @property
    @override
    def is_current(self) -> bool:
        return self._read_at is not None and dt_util.utcnow() - self._read_at < 2 * LIST_INTERVAL

    @override
    async def _read(self) -> dict[str, Device]:
        turn = Turn(Priority.LIST if self.was_read else Priority.FIRST, device="list")
        rows = await self._client.storage_list(turn)
        if not rows and self.data:
            raise CloudEmpty("no devices")  # lists have been seen incomplete
        self._take(rows)
        return self.data

    @override
    def _next_read(self) -> float:
        return LIST_INTERVAL.total_seconds()

    def _take(self, rows: list[dict[str, Any]]) -> None:
        self.data = {row["deviceSn"]: Device.from_listing(row["deviceSn"], row) for row in rows}
        self._read_at = dt_util.utcnow()


class DynessAccount(Account):
    """The batteries of a Dyness account."""

    manufacturer = "Dyness"
    portal = "https://ems.dyness.com"
    kind = "battery"
    device_list: DeviceList

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry) -> None:
        super().__init__(hass, entry)
        self.client = dyness_client(hass, entry.data)
        self.batteries: dict[str, Battery] = {}
        self.device_list = DeviceList(self.credentials, self.client)
        self.device_list.async_add_listener(self._follow_list)
        self.device_list.retries.waits_for = lambda: any(found.is_failing for found in self.coordinators)

    @callback
    @override
    def _confirm_rejection(self) -> bool:
        self.device_list.async_ask()
        return bool(self.devices)

    @override
    async def async_read_list(self) -> None:
        if self.device_list.was_read:
            self._follow_list()
        else:
            await self.device_list.async_refresh()
        for serial in [serial for serial in self.subentries if not self.known[serial].listing]:
            await self._read_detail(serial)

    async def _read_detail(self, serial: str) -> None:
        """Ask for the model of a device that the account does not list."""
        try:
            detail = await self.client.storage_detail(serial, Turn(Priority.LIST, device="detail"))
        except CloudError:
            return
        if known := self.known.get(serial):
            self._update(replace(Device.from_listing(serial, detail), collector_serial=known.collector_serial))

    @callback
    def _follow_list(self) -> None:
        if not self.device_list.was_read:
            return
        # A device that the list leaves out stays: lists have been seen incomplete, and only the user removes a device.
        self._update(*self.device_list.data.values())
        report(self.hass, self.entry, not self.known, "no_devices", placeholders={"entry": self.entry.title})

    def _update(self, *devices: Device) -> None:
        self.known |= {device.serial: device for device in devices}
        self.add_devices()
        for serial in self.known:
            if device_of(self.hass, self.entry, serial):
                self.register(serial)  # others come with their entities

    @override
    def _add_device(self, serial: str) -> None:
        self.batteries[serial] = Battery(self, self.client, serial)

    def battery_of(self, serial: str) -> Battery | None:
        """Return the battery that a device is, or is a module of."""
        battery = self.batteries.get(serial)
        return battery or next((found for found in self.batteries.values() if serial in found.modules), None)

    @override
    async def async_alarm_texts(self, serial: str) -> dict[str, str]:
        private = {word for known in {*self.devices, *self.known} for word in (known, known.partition("-")[0])}
        rows = [device.listing for device in self.known.values()]
        private |= {str(row.get(field) or "") for row in rows for field in PERSONAL}
        if not (battery := self.batteries.get(serial)):
            return {}  # deleted while an earlier event was raised
        return decode_alarms(await battery.alarms.async_get(), dt_util.utcnow(), private)

    @override
    def raw_secondary(self, serial: str) -> dict[str, Any]:
        return self.batteries[serial].raw_secondary if serial in self.batteries else {}

    @override
    def modules_of(self, serial: str) -> Mapping[str, int]:
        return self.batteries[serial].modules if serial in self.batteries else {}

    @override
    def subentry_id(self, serial: str) -> str | None:
        battery = self.battery_of(serial)
        return super().subentry_id(battery.serial if battery else serial)

    @override
    def device_info(self, serial: str) -> dr.DeviceInfo:
        battery = self.battery_of(serial)
        if battery is None or battery.serial == serial:
            return super().device_info(serial)
        # The master has to be there first, and has no entities yet when both are seen for the first time.
        master = self.register(battery.serial)
        data = self.devices[serial].data
        return dr.DeviceInfo(
            identifiers={(DOMAIN, serial)},
            manufacturer=self.manufacturer,
            translation_key="module",
            translation_placeholders={"master": master.name or "", "number": str(battery.modules[serial])},
            model=self.known[battery.serial].model,
            serial_number=serial,
            sw_version=data.firmware if data else None,
            configuration_url=self.portal,
            via_device_id=master.id,
        )

    @override
    def is_removable(self, serial: str) -> bool:
        battery = self.battery_of(serial)
        if battery and serial in battery.modules:
            module, master = self.devices.get(serial), battery.coordinator.data
            is_elsewhere = master is not None and bool(master.modules) and serial not in master.modules
            return module is None or not module.is_available or is_elsewhere
        return self.device_list.was_read and serial not in {*self.device_list.data, *self.subentries}

    @override
    async def async_remove(self, serial: str) -> None:
        battery = self.battery_of(serial)
        await super().async_remove(serial)
        if battery and battery.serial == serial:
            del self.batteries[serial]
        elif battery:
            battery.forget(serial)
