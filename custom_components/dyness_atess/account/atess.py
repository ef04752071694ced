"""An ATESS account: the converters that its owner added. How the cloud lists devices is not known (atess-api 3.2)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..cloud.atess import BASE_URL, KINDS, AtessClient
from ..cloud.errors import CloudEmpty, CloudRefused
from ..cloud.queue import Turn
from ..const import CONF_API_ID, CONF_API_TOKEN, CONF_BATTERY_SIGN, CONF_DEVICE_SN, CONF_KIND, CONF_SERVER
from ..telemetry.atess.decoder import ConverterDecoder
from ..telemetry.reading import Reading
from .account import Account
from .connection import connection
from .registry import device_of
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


class Converter:
    """Asks for the records of a converter, whose meaning is learned from one to the next."""

    def __init__(self, account: AtessAccount, client: AtessClient, serial: str, kind: str) -> None:
        """Go on with what was learned before; until a record has shown the kind, it is only likely."""
        self._account = account
        self._client = client
        self._serial = serial
        self._kind = account.memory.recall(serial).get("kind", kind)
        account.describe(serial, self._kind)
        self.decoder = self._new_decoder()

    def _new_decoder(self) -> ConverterDecoder:
        remembered = [
            self._account.memory.recall(serial).get("decoder") for serial in (self._serial, *self._account.known)
        ]
        memory = remembered[0]
        if memory is None and (others := [other["clock_offset"] for other in remembered if other]):
            # The clocks of one plant are alike: a record that was old when this device was added is not shown as new.
            memory = {"clock_offset": others[0]}
        return ConverterDecoder(self._kind, memory)

    async def fetch(self, turn: Turn) -> Any:
        """Ask for the last record."""
        try:
            return await self._client.data_last(self._kind, self._serial, turn)
        except CloudEmpty, CloudRefused:
            self._doubt_kind()
            raise

    def decode(self, raw: Any, received_at: datetime) -> Reading:
        """Return what it means."""
        self.decoder.battery_sign = SIGNS.get(self._account.entry.options.get(CONF_BATTERY_SIGN, ""))
        reading = self.decoder.decode(raw, received_at)
        if reading.empty:
            self._doubt_kind()
        else:
            self._account.memory.keep(self._serial, decoder=self.decoder.memory, kind=self._kind)
        return reading

    def _doubt_kind(self) -> None:
        """Try the other kind the next time, as long as no record was ever seen: it was added while its logger slept."""
        if self._serial in self._account.known and "kind" not in self._account.memory.recall(self._serial):
            self._kind = next(kind for kind in KINDS if kind != self._kind)
            self.decoder = self._new_decoder()
            self._account.describe(self._serial, self._kind)


class AtessAccount(Account):
    """The converters of an ATESS account."""

    manufacturer = "ATESS"
    portal = BASE_URL
    kind = "converter"

    @override
    def _add_device(self, serial: str) -> None:
        kinds = {subentry.data[CONF_DEVICE_SN]: subentry.data[CONF_KIND] for subentry in self.entry.subentries.values()}
        if (kind := kinds.get(serial)) is None:
            return
        converter = Converter(self, atess_client(self.hass, self.entry.data), serial, kind)
        name = self.known[serial].model or ""
        self.read(converter.fetch, converter.decode, serial, name, interval=CONVERTER).after_answer = CONVERTER

    def describe(self, serial: str, kind: str) -> None:
        """Name a converter by its kind, until its device is registered with that."""
        if not device_of(self.hass, self.entry, serial):
            # The end of the serial number tells several apart; the whole of it has no place in what states show.
            which = f" {serial[-4:]}" if len(self.subentries) > 1 else ""
            model = kind.upper()
            self.known[serial] = replace(self.known[serial], name=f"ATESS {model}{which}", model=model)

    @override
    def is_removable(self, serial: str) -> bool:
        return serial not in self.subentries
