"""Reads of a cloud; the only place where an error becomes a state (product contract, section 5)."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from datetime import timedelta
import logging
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from ..cloud.errors import CloudEmpty, CloudError, CloudRateLimited, CloudRefused, CloudRejected
from ..cloud.queue import Priority, Turn
from ..const import DOMAIN
from .credentials import Credentials
from .schedule import RATE_LIMITED, Retries

_LOGGER = logging.getLogger(__package__)


class CloudCoordinator[Data](DataUpdateCoordinator[Data]):
    """Maps the outcomes of a read to what the user sees, and reads again when it is time."""

    config_entry: ConfigEntry
    after_answer: float | None = None
    """Seconds before the next read after any answer, where a cloud is likely to refuse an earlier one."""

    def __init__(self, credentials: Credentials, name: str) -> None:
        super().__init__(credentials.hass, _LOGGER, config_entry=credentials.entry, name=name)
        self._credentials = credentials
        self.retries = Retries()
        self._due: float | None = None
        """When to read again (POSIX time stamp); None until there has been an answer, and where that is not planned."""
        self.is_waiting = False
        """Whether a read is under way, or in the queue."""
        self.is_asked = False
        """Whether there is a reason to expect an answer, though it failed the last time."""

    @abstractmethod
    async def _read(self) -> Data:
        """Read once.

        Raises:
            CloudError: one of the declared outcomes.
        """

    @abstractmethod
    def _next_read(self) -> float | None:
        """Return in how many seconds to read again after an answer."""

    @property
    @abstractmethod
    def is_current(self) -> bool:
        """Whether the data at hand are young enough to be shown."""

    @property
    def is_shown(self) -> bool:
        """Whether the data at hand are shown."""
        return self.last_update_success and self.is_current

    @property
    def is_failing(self) -> bool:
        """Whether it did not answer the last time."""
        return self.retries.since is not None

    @property
    def seconds_to_next_read(self) -> int | None:
        """How long until it is due, before it waits in the queue."""
        return None if self._due is None else max(round(self._due - dt_util.utcnow().timestamp()), 0)

    @callback
    def async_ask(self) -> None:
        """Read as soon as its turn comes, unless that is under way."""
        self.is_asked = True
        if not self.is_waiting:
            self.config_entry.async_create_background_task(self.hass, self.async_refresh(), f"{self.name} - asked")

    @override
    async def _async_update_data(self) -> Data:
        self.is_waiting = True
        try:
            data = await self._read()
        except CloudRateLimited as error:
            self._wait(self.after_answer or RATE_LIMITED)
            if self.is_shown:
                return self.data
            raise _failed(error) from error
        except CloudError as error:
            if isinstance(error, CloudRejected):
                self._credentials.rejected(self.name, error.clock_error)
            elif error.proves_credentials:
                self._credentials.accepted()
            is_no_outage = isinstance(error, CloudEmpty) or (self.after_answer and isinstance(error, CloudRefused))
            if is_no_outage and self.is_shown:
                self._wait(self._next_read())
                return self.data
            is_first = not self.is_failing and not self.retries.waits_for()
            wait = self.retries.failed(dt_util.utcnow().timestamp())
            self._wait(self.after_answer or wait if error.proves_credentials else wait)
            if is_first and self.is_shown:
                return self.data  # tried again before anybody hears of it
            raise _failed(error) from error
        else:
            self._credentials.accepted()
            self.retries.succeeded()
            self._wait(self._next_read())
            return data
        finally:
            self.is_waiting = self.is_asked = False

    def _wait(self, seconds: float | None) -> None:
        self._due = None if seconds is None else dt_util.utcnow().timestamp() + seconds
        self.update_interval = None if seconds is None else timedelta(seconds=seconds)


class SecondaryEndpoint[Data](CloudCoordinator[Data | None]):
    """An endpoint that is asked when a part of what is shown needs it, and less and less often while it fails."""

    def __init__(
        self,
        credentials: Credentials,
        call: Callable[[Turn], Awaitable[Data]],
        *,
        name: str,
        device: str,
        pause: float = 0.0,
    ) -> None:
        """Name the call and (by a digest) the device, and for how many seconds its answer is not asked for again."""
        super().__init__(credentials, f"{name} {device}")
        self._call = call
        self._device = device
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
            return await self._call(Turn(Priority.MASTER, dt_util.utcnow().timestamp(), self._device))
        except CloudEmpty, CloudRefused:
            return None  # not every model has every endpoint

    @override
    def _next_read(self) -> float:
        return self._pause

    @property
    @override
    def is_current(self) -> bool:
        return True  # nothing of it is shown: a first failure is tried again before anybody hears of it


def _failed(error: CloudError) -> UpdateFailed:
    _LOGGER.debug("%s", error)
    return UpdateFailed(translation_domain=DOMAIN, translation_key=error.outcome)
