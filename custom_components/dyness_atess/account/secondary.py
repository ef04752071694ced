"""Endpoints that are read for a part of what is shown; each fails for itself."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import override

from homeassistant.util import dt as dt_util

from ..cloud.errors import CloudEmpty, CloudRefused
from ..cloud.queue import Turn
from .credentials import Credentials
from .read import CloudCoordinator


class SecondaryEndpoint[Data](CloudCoordinator[Data | None]):
    """An endpoint that is asked when somebody needs it, and less and less often while it fails."""

    def __init__(
        self,
        credentials: Credentials,
        call: Callable[[Turn], Awaitable[Data]],
        *,
        name: str,
        turn: Turn,
        pause: float = 0.0,
    ) -> None:
        """Name the call, and for how many seconds its answer is not asked for again."""
        super().__init__(credentials, name)
        self._call = call
        self._turn = turn
        self._pause = pause

    @property
    def is_due(self) -> bool:
        """Whether it is not too early to ask."""
        return not self.is_waiting and dt_util.utcnow().timestamp() >= (self._due or 0.0)

    async def async_get(self) -> Data | None:
        """Return the answer; None where there is none, or where it is too early to ask again."""
        if not self.is_due:
            return None
        await self.async_refresh()
        return self.data if self.last_update_success else None

    @override
    async def _read(self) -> Data | None:
        self.data = None
        try:
            return await self._call(replace(self._turn, since=dt_util.utcnow().timestamp()))
        except CloudEmpty, CloudRefused:
            return None  # not every model has every endpoint

    @override
    def _next_read(self) -> float:
        return self._pause

    @property
    @override
    def is_current(self) -> bool:
        return True  # nothing of it is shown: a first failure is tried again before anybody hears of it
