"""An ATESS account: the PBDs that its owner added."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util

from ..cloud.atess import BASE_URL, AtessClient
from ..cloud.errors import CloudEmpty
from ..const import CONF_API_ID, CONF_API_TOKEN, CONF_BATTERY_SIGN, CONF_POWER_UNIT, CONF_SERVER
from ..telemetry.atess.decoder import PbdDecoder
from ..telemetry.atess.learning import PowerUnit
from ..telemetry.device import Device
from ..telemetry.reading import Reading
from .account import AccountConfigEntry, account_queue
from .coordinator import DeviceCoordinator, Inventory


def atess_client(hass: HomeAssistant, account: Mapping[str, Any]) -> AtessClient:
    """Return a client for what was typed or stored."""
    return AtessClient(
        async_get_clientsession(hass),
        account.get(CONF_SERVER) or BASE_URL,
        account.get(CONF_API_ID, ""),
        account[CONF_API_TOKEN],
        account_queue(hass, account),
    )


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


class PbdCoordinator(DeviceCoordinator):
    """The readings of a PBD, whose meaning is learned from record to record."""

    inventory: AtessInventory

    def __init__(self, hass: HomeAssistant, entry: AccountConfigEntry, inventory: Inventory, serial: str) -> None:
        """Go on with what was learned before."""
        super().__init__(hass, entry, inventory, serial)
        unit, sign = entry.options.get(CONF_POWER_UNIT, ""), entry.options.get(CONF_BATTERY_SIGN, "")
        self._decoder = PbdDecoder(
            self.remembered,
            power_unit=PowerUnit(unit) if unit in PowerUnit else None,
            battery_sign={"positive_discharging": 1, "positive_charging": -1}.get(sign),
        )

    @property
    @override
    def findings(self) -> dict[str, Any]:
        return self._decoder.findings

    @override
    async def _fetch(self) -> Reading:
        self.raw = await self.inventory.client.pbd_data_last(self.serial, self.turn)
        reading = self._decoder.decode(self.raw, dt_util.utcnow())
        if not reading.values:
            raise CloudEmpty("no values")
        self.config_entry.runtime_data.memory.keep(self.serial, self._decoder.memory)
        return reading
