"""An ATESS account: the converters that its owner added. How the cloud lists devices is not known (atess-api 3.2)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..cloud.atess import BASE_URL, AtessClient
from ..cloud.queue import Turn
from ..const import CONF_API_ID, CONF_API_TOKEN, CONF_BATTERY_SIGN, CONF_DEVICE_SN, CONF_KIND, CONF_SERVER
from ..telemetry.atess.decoder import ConverterDecoder
from ..telemetry.reading import Reading
from .account import Account
from .connection import connection
from .coordinator import Source
from .schedule import CONVERTER

SIGNS = {"positive_discharging": 1, "positive_charging": -1}


def atess_client(hass: HomeAssistant, account: Mapping[str, Any]) -> AtessClient:
    """Return a client for what was typed or stored."""
    return AtessClient(
        async_get_clientsession(hass),
        account.get(CONF_SERVER) or BASE_URL,
        account.get(CONF_API_ID, ""),
        account[CONF_API_TOKEN],
        connection(hass, account).queue,
    )


class Converter(Source):
    """The source of a converter's readings, whose meaning is learned from record to record."""

    def __init__(self, account: Account, client: AtessClient, serial: str, kind: str) -> None:
        """Go on with what was learned before."""
        self._account = account
        self._client = client
        self._serial = serial
        self._kind = kind
        self.decoder = self._new_decoder()
        account.on_options.append(self._take_over_sign)

    def _new_decoder(self) -> ConverterDecoder:
        sign = SIGNS.get(self._account.entry.options.get(CONF_BATTERY_SIGN, ""))
        memory = self._account.memory.recall(self._serial).get("decoder")
        return ConverterDecoder(self._kind, memory, battery_sign=sign)

    def _take_over_sign(self) -> None:
        self.decoder = self._new_decoder()
        if coordinator := self._account.devices.get(self._serial):
            coordinator.decode_again()

    @property
    @override
    def findings(self) -> dict[str, Any]:
        return self.decoder.findings

    @override
    async def fetch(self, turn: Turn) -> Any:
        return await self._client.data_last(self._kind, self._serial, turn)

    @override
    def decode(self, raw: Any, received_at: datetime) -> Reading:
        reading = self.decoder.decode(raw, received_at)
        if not reading.empty:
            self._account.memory.keep(self._serial, decoder=self.decoder.memory)
        return reading


class AtessAccount(Account):
    """The converters of an ATESS account."""

    manufacturer = "ATESS"
    portal = BASE_URL

    @override
    async def async_read_list(self) -> None:
        """There is none."""

    @override
    def _add_device(self, serial: str) -> None:
        kinds = {subentry.data[CONF_DEVICE_SN]: subentry.data[CONF_KIND] for subentry in self.entry.subentries.values()}
        if (kind := kinds.get(serial)) is None:
            return
        # The end of the serial number tells several apart; the whole of it has no place in a name, which states show.
        which = f" {serial[-4:]}" if len(kinds) > 1 else ""
        known = self.known[serial]
        self.known[serial] = replace(known, name=known.name or f"ATESS {kind.upper()}{which}", model=kind.upper())
        source = Converter(self, atess_client(self.hass, self.entry.data), serial, kind)
        coordinator = self.reader(source, serial, kind.upper(), interval=CONVERTER)
        coordinator.after_answer = CONVERTER
        self.add(coordinator)

    @override
    def is_removable(self, serial: str) -> bool:
        return serial not in self.subentries
