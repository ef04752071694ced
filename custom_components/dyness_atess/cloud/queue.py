"""All calls of one account: one at a time, spaced, within a budget, the most urgent first."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum
import heapq
from itertools import count
from typing import Any

from .errors import CloudRateLimited

SPACING = 1.0
"""Seconds between the starts of two calls; the vendor allows two a second (dyness-api 1.5)."""
HOURLY_CALLS = 60
"""What users of the Dyness cloud have got by with; no vendor figure exists beside two a second (dyness-api 1.5)."""
PAUSE = 30.0
"""Seconds without a call after a first 429 that does not say how long. No source has a figure."""
LONGEST_PAUSE = 600.0
"""Seconds. Whoever asks so seldom does no harm, and is back soon."""
SLOWEST = 6
"""Steps by which the account gets slower: each doubles the pause and lengthens the spacing, and each but the first,
which may have been an accident, takes a quarter off the budget. What is left at the slowest keeps a battery current."""
LONGEST_FORM = 60.0
"""Seconds that a person waits before a form; a longer pause is an answer too."""
STARVED = 1800.0
"""Seconds after which a call may go before more urgent ones, if there are always some: one in `STARVED_SHARE` calls."""
STARVED_SHARE = 6
RECOVERY = 3600.0
"""Seconds without a 429 after which the account is a step faster again."""
WINDOW = 3600.0
"""Seconds over which calls are counted."""


class Priority(IntEnum):
    """What goes first."""

    SETUP = 0
    """A person waits before a form. The budget does not hold it up."""
    MASTER = 1
    MODULE = 2
    INVENTORY = 3


@dataclass(frozen=True, order=True, slots=True)
class Turn:
    """Where a call stands in the queue."""

    priority: Priority = Priority.SETUP
    since: float = 0.0
    """Of equal priority the one that was read the longest ago, as a POSIX time stamp, goes first."""


SETUP = Turn()


@dataclass(order=True, slots=True)
class _Waiter:
    turn: Turn
    number: int
    asked_at: float = field(compare=False)
    granted: asyncio.Future[None] = field(compare=False)


class AccountQueue:
    """Grants turns. Nothing of it runs while nobody waits.

    A 429 is the account's, not the device's (dyness-api 1.5): the next call of whoever is in the queue waits.
    """

    def __init__(self) -> None:
        """Start with nothing to wait for."""
        self.hourly_calls = HOURLY_CALLS
        """The budget."""
        self.slowness = 0
        """By how many steps 429s have slowed the account down."""
        self._slowed_at = 0.0
        self._not_before = 0.0
        self._starts: deque[float] = deque()
        self._waiting: list[_Waiter] = []
        self._numbers = count()
        self._busy = False
        self._since_starved = 0
        self._timer: asyncio.TimerHandle | None = None

    async def run[Result](self, call: Callable[[], Awaitable[Result]], turn: Turn) -> Result:
        """Run `call` when it is its turn and return what it returns.

        Raises:
            CloudRateLimited: a person would wait too long for it.
        """
        waiter = _Waiter(turn, next(self._numbers), _now(), asyncio.get_running_loop().create_future())
        heapq.heappush(self._waiting, waiter)
        self._schedule()
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.cancelled():
                self._waiting = [other for other in self._waiting if other is not waiter]
                heapq.heapify(self._waiting)
                self._schedule()
            else:
                self._release()
            raise
        try:
            return await call()
        except CloudRateLimited as error:
            self._slow_down(error.retry_after)
            raise
        finally:
            self._release()

    def allow(self, hourly_calls: int) -> None:
        """Set the budget, for those who wait already too."""
        self.hourly_calls = hourly_calls
        self._schedule()

    def resume(self, slowness: int) -> None:
        """Be as slow as before a restart. Since when is not known, so that the time to recovery begins anew."""
        if slowness > self.slowness:
            self.slowness = min(slowness, SLOWEST)
            self._slowed_at = _now()

    @property
    def calls_last_hour(self) -> int:
        """How many calls began in the last hour."""
        while self._starts and self._starts[0] <= _now() - WINDOW:
            self._starts.popleft()
        return len(self._starts)

    @property
    def budget(self) -> int:
        """How many calls an hour are in force, which is less for a while after a 429."""
        return max(int(self.hourly_calls * 0.75 ** max(self.slowness - 1, 0)), 1)

    @property
    def state(self) -> dict[str, Any]:
        """What is in force and why, for diagnostics."""
        return {
            "calls_last_hour": self.calls_last_hour,
            "hourly_calls": self.hourly_calls,
            "budget": self.budget,
            "slowness": self.slowness,
            "seconds_to_next": max(round(self._not_before - _now()), 0) if self._starts else 0,
            "waiting": len(self._waiting),
        }

    def _slow_down(self, retry_after: float | None) -> None:
        # No wish of a server silences an account for longer than it takes to forget a 429.
        pause = min(PAUSE * 2**self.slowness, LONGEST_PAUSE) if retry_after is None else min(retry_after, RECOVERY)
        self.slowness = min(self.slowness + 1, SLOWEST)
        self._slowed_at = _now()
        self._not_before = _now() + pause

    def _recover(self) -> None:
        if self.slowness and _now() - self._slowed_at >= RECOVERY:
            self.slowness -= 1
            self._slowed_at = _now()

    def _release(self) -> None:
        self._busy = False
        self._schedule()

    def _schedule(self) -> None:
        """Set the timer for the most urgent waiter, or none where nobody can be granted a turn."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._busy or not self._waiting:
            return
        self._recover()
        if self._waiting[0].turn.priority is Priority.SETUP and self._not_before - _now() > LONGEST_FORM:
            refused = heapq.heappop(self._waiting).granted
            if not refused.done():
                refused.set_exception(CloudRateLimited())
            self._schedule()
            return
        at = self._not_before
        if self._waiting[0].turn.priority is not Priority.SETUP and self.calls_last_hour >= self.budget:
            at = max(at, self._starts[-self.budget] + WINDOW)
        self._timer = asyncio.get_running_loop().call_at(at, self._grant)

    def _grant(self) -> None:
        self._timer = None
        waiter = self._next()
        if waiter.granted.cancelled():
            self._schedule()
            return
        self._busy = True
        self._starts.append(_now())
        self._not_before = max(self._not_before, _now() + SPACING * (1 + self.slowness))
        waiter.granted.set_result(None)

    def _next(self) -> _Waiter:
        """Take the most urgent one out, or now and then the one that has waited for too long."""
        self._since_starved += 1
        oldest = min(self._waiting, key=lambda waiter: waiter.number)
        is_starved = _now() - oldest.asked_at > STARVED and self._since_starved >= STARVED_SHARE
        if not is_starved or self._waiting[0].turn.priority is Priority.SETUP:
            return heapq.heappop(self._waiting)
        self._since_starved = 0
        self._waiting.remove(oldest)
        heapq.heapify(self._waiting)
        return oldest


def _now() -> float:
    return asyncio.get_running_loop().time()
