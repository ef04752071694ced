"""All calls of one account, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable

from .errors import CloudRateLimited

SPACING = 1.0
"""Seconds between the starts of two calls; the vendor allows two a second (dyness-api 1.5)."""
PAUSE = 30.0
"""Seconds without a call after a 429 that does not say how long. No source has a figure; bursts explain all reports."""


class AccountQueue:
    """Lets one call run at a time and spaces their starts.

    A 429 is the account's, not the device's (dyness-api 1.5): the next call of whoever is in the queue waits.
    """

    def __init__(self) -> None:
        """Start with nothing to wait for."""
        self._turn = asyncio.Lock()
        self._not_before = 0.0

    async def run[Result](self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Run `call` when it is its turn and return what it returns."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            await asyncio.sleep(self._not_before - loop.time())
            self._not_before = loop.time() + SPACING
            try:
                return await call()
            except CloudRateLimited as error:
                self._not_before = loop.time() + (PAUSE if error.retry_after is None else error.retry_after)
                raise
