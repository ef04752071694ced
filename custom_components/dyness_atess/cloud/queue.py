"""All calls of one account: one at a time, spaced, below a ceiling per hour, the most urgent first."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum
import heapq
from itertools import count
import logging
from typing import Any

from .errors import CloudRateLimited

_LOGGER = logging.getLogger(__name__)

SPACING = 1.0
"""Seconds between the starts of two calls; the vendor allows two a second (dyness-api 1.5)."""
CEILING = 120
"""Calls an hour at first. The vendor names no figure; 80 to 130 are in use without complaint (dyness-api 1.5)."""
LEAST = 12
"""Calls an hour that are left however many 429s there were: they keep a battery current."""
PAUSE = 30.0
"""Seconds without a call after a first 429 that does not say how long. No source has a figure."""
LONGEST_PAUSE = 600.0
"""Seconds. Whoever asks so seldom does no harm, and is back soon."""
LONGEST_FORM = 60.0
"""Seconds that a person waits before a form; a longer pause is an answer too."""
HOUR = 3600.0
LESS, BACK = 0.2, 0.1
"""Of the ceiling: what each 429 takes off it, and what comes back in an hour."""


class Priority(IntEnum):
    """What goes first."""

    FORM = 0
    """A person waits."""
    FIRST = 1
    """Nothing is shown yet of this device."""
    MASTER = 2
    MODULE = 3
    LIST = 4
    FAILING = 5
    """It did not answer the last time."""


@dataclass(frozen=True, order=True, slots=True)
class Turn:
    """Where a call stands in the queue."""

    priority: Priority = Priority.FORM
    since: float = 0.0
    """Of equal priority the one with the oldest sample, as a POSIX time stamp, goes first."""
    device: str = field(default="form", compare=False)
    """For the log: a digest, never a serial number."""


FORM = Turn()


@dataclass(order=True, slots=True)
class _Waiter:
    turn: Turn
    number: int
    granted: asyncio.Future[None] = field(compare=False)


class AccountQueue:
    """Grants turns. Nothing of it runs while nobody waits.

    Forms and first readings are not held up by the ceiling. Masters have a share of it to themselves. What fails may
    use a third of it at the most, spread over the hour: a burst would leave it without a call until the next one. A 429
    is the account's, not the device's (dyness-api 1.5): whoever comes next waits.
    """

    def __init__(self) -> None:
        """Start with nothing to wait for."""
        self.chosen_ceiling = CEILING
        self.kept_for_masters = 0
        """Calls an hour that modules, the list and what fails leave alone."""
        self._starts: dict[Priority, deque[float]] = {
            least: deque() for least in (Priority.FORM, Priority.MODULE, Priority.FAILING)
        }
        """When the calls of the last hour began, of this priority and of those below; a first one, or one of a form,
        counts with the modules, so that it takes nothing from the masters' share."""
        self._waiting: dict[Priority, list[_Waiter]] = {priority: [] for priority in Priority}
        self._numbers = count()
        self._is_busy = False
        self._not_before = 0.0
        self._next_pause = PAUSE
        self._share = 1.0
        """Of the chosen ceiling, which was in force after the last 429."""
        self._limited_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def run[Result](self, call: Callable[[], Awaitable[Result]], turn: Turn) -> Result:
        """Run `call` when it is its turn and return what it returns.

        Raises:
            CloudRateLimited: a person would wait too long for it.
        """
        asked_at = _now()
        if turn.priority is Priority.FORM and self._not_before - asked_at > LONGEST_FORM:
            raise CloudRateLimited
        waiter = _Waiter(turn, next(self._numbers), asyncio.get_running_loop().create_future())
        heapq.heappush(self._waiting[turn.priority], waiter)
        self._look()
        try:
            await waiter.granted
        except asyncio.CancelledError:
            waiting = self._waiting[waiter.turn.priority]
            if waiter in waiting:
                waiting.remove(waiter)
                heapq.heapify(waiting)
                self._look()
            elif not waiter.granted.cancelled() and waiter.granted.exception() is None:
                self._release()
            raise
        started_at = _now()
        try:
            return await call()
        except CloudRateLimited as error:
            self._slow_down(error.retry_after)
            raise
        finally:
            if _LOGGER.isEnabledFor(logging.DEBUG):
                _LOGGER.debug(
                    "%s: %.1f s, after %.1f s in the queue; call %d of %d in this hour",
                    turn.device,
                    _now() - started_at,
                    started_at - asked_at,
                    self.calls_last_hour,
                    self.ceiling,
                )
            self._release()

    def allow(self, ceiling: int) -> None:
        """Set the ceiling, for those who wait already too."""
        self.chosen_ceiling = ceiling
        self._look()

    def hurry(self, turn: Turn) -> None:
        """Give a device that waits among those that fail another turn."""
        failing = self._waiting[Priority.FAILING]
        for waiter in [waiter for waiter in failing if waiter.turn.device == turn.device]:
            failing.remove(waiter)
            waiter.turn = turn
            heapq.heappush(self._waiting[turn.priority], waiter)
        heapq.heapify(failing)
        self._look()

    @property
    def calls_last_hour(self) -> int:
        """How many calls began in the last hour."""
        for starts in self._starts.values():
            while starts and starts[0] <= _now() - HOUR:
                starts.popleft()
        return len(self._starts[Priority.FORM])

    @property
    def ceiling(self) -> int:
        """How many calls an hour are in force, which is less for some hours after a 429."""
        share = min(self._share + BACK * (_now() - self._limited_at) / HOUR, 1.0)
        return max(int(self.chosen_ceiling * share), LEAST)

    @property
    def seconds_to_next(self) -> float | None:
        """How long whoever waits has to wait for the next turn; None where nobody waits."""
        earliest = [self._earliest(priority) for priority, waiting in self._waiting.items() if waiting]
        return max(min(earliest) - _now(), 0.0) if earliest else None

    def free(self, priority: Priority, seconds: float) -> int:
        """Return how many calls of this priority the ceiling allows to begin within so much time."""
        until = _now() + seconds
        left = [
            limit - sum(start > until - span for start in self._starts[least])
            for least, (limit, span) in self._limits(priority).items()
        ]
        return max(min(left), 0)

    @property
    def state(self) -> dict[str, Any]:
        """What is in force, for diagnostics."""
        return {
            "calls_last_hour": self.calls_last_hour,
            "chosen_ceiling": self.chosen_ceiling,
            "ceiling": self.ceiling,
            "kept_for_masters": self.kept_for_masters,
            "waiting": sum(map(len, self._waiting.values())),
            "seconds_to_next": self.seconds_to_next,
        }

    def _slow_down(self, retry_after: float | None) -> None:
        if _now() - self._limited_at > HOUR:
            self._next_pause = PAUSE
        # No wish of a server silences an account for longer than it takes to forget its calls.
        pause = self._next_pause if retry_after is None else min(retry_after, HOUR)
        self._next_pause = min(self._next_pause * 2, LONGEST_PAUSE)
        self._share = self.ceiling / self.chosen_ceiling * (1 - LESS)
        self._limited_at = _now()
        self._not_before = max(self._not_before, _now() + pause)
        forms = self._waiting[Priority.FORM]
        while forms and pause > LONGEST_FORM:
            if not (granted := forms.pop().granted).done():
                granted.set_exception(CloudRateLimited())

    def _release(self) -> None:
        self._is_busy = False
        self._look()

    def _earliest(self, priority: Priority) -> float:
        """Return when the pause and the ceiling let one of this priority go."""
        at = self._not_before
        if priority <= Priority.FIRST:
            return at
        for least, (limit, span) in self._limits(priority).items():
            starts = self._starts[least]
            if len(starts) >= limit:
                at = max(at, starts[-limit] + span)
        return at

    def _limits(self, priority: Priority) -> dict[Priority, tuple[int, float]]:
        """Return how many calls in how many seconds there may be of some priority and those below."""
        limits = {Priority.FORM: (self.ceiling, HOUR)}
        if priority > Priority.MASTER:
            limits[Priority.MODULE] = max(self.ceiling - self.kept_for_masters, LEAST // 2), HOUR
        if priority is Priority.FAILING:
            limits[Priority.FAILING] = max(self.ceiling // 3 // 6, 1), HOUR / 6
        return limits

    def _look(self) -> None:
        """Set the timer for the next who may go, or none where nobody waits."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._is_busy or (seconds := self.seconds_to_next) is None:
            return
        self._timer = asyncio.get_running_loop().call_later(seconds, self._grant)

    def _grant(self) -> None:
        self._timer = None
        # The clock of the loop may be a little behind its own timers.
        now = _now() + 0.01
        waiting = next((of for priority, of in self._waiting.items() if of and self._earliest(priority) <= now), None)
        if waiting is None:
            self._look()
            return
        waiter = heapq.heappop(waiting)
        if waiter.granted.done():
            self._look()
            return
        self._is_busy = True
        priority = waiter.turn.priority
        for least, starts in self._starts.items():
            if priority >= least or (least is Priority.MODULE and priority is not Priority.MASTER):
                starts.append(_now())
        self._not_before = max(self._not_before, _now() + SPACING)
        waiter.granted.set_result(None)


def _now() -> float:
    return asyncio.get_running_loop().time()
