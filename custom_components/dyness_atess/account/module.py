"""What is read beside the points of a master: its modules, and the running data of an inverter."""

from datetime import datetime
from typing import Any

from ..cloud.dyness import DynessClient
from ..cloud.queue import Turn
from ..telemetry.dyness.decoder import decode, decode_running
from ..telemetry.dyness.family import Family
from ..telemetry.reading import Reading
from .account import Account
from .source import Source


class Module(Source):
    """The source of a module's readings."""

    def __init__(self, account: Account, client: DynessClient, serial: str) -> None:
        """Keep what to ask for."""
        self._account = account
        self._client = client
        self._serial = serial

    async def fetch(self, turn: Turn) -> Any:
        """Ask for its points."""
        return await self._client.realtime_data(self._serial, turn=turn)

    def decode(self, raw: Any, _received_at: datetime) -> Reading:
        """Return what they mean."""
        reading = decode(raw, self._account.memory.recall(self._serial).get("family"))
        if reading.family and not reading.empty:
            self._account.memory.keep(self._serial, family=reading.family)
        return reading


class RunningData(Source):
    """The source of what only `getLastRunningDataBySn` has of an inverter."""

    def __init__(self, client: DynessClient, serial: str, family: Family) -> None:
        """Keep what to ask for, and how to read it."""
        self._client = client
        self._serial = serial
        self._family = family

    async def fetch(self, turn: Turn) -> Any:
        """Ask for it."""
        return await self._client.last_running_data(self._serial, turn)

    def decode(self, raw: Any, _received_at: datetime) -> Reading:
        """Return what its fields mean."""
        return Reading(family=self._family.name, values=decode_running(self._family.name, raw))
