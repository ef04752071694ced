"""All calls of one account: one at a time, spaced, below a ceiling per hour, the most urgent first."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum
import logging
from operator import attrgetter
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
HOUR = 3600.0
CUT, RECOVERY = 0.2, 0.1
"""Of the ceiling: by how much each 429 lowers it, and what comes back in an hour."""


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


@dataclass(eq=False, slots=True)
class _Waiter:
    turn: Turn
    granted: asyncio.Future[None]


@dataclass(slots=True)
class _Window:
    """When the calls within the last so many seconds began."""

    seconds: float
    starts: deque[float] = field(default_factory=deque)

    def add(self) -> None:
        """Take note of a call that begins now."""
        self.starts.append(_now())

    def count(self) -> int:
        """Return how many there were."""
        while self.starts and self.starts[0] <= _now() - self.seconds:
            self.starts.popleft()
        return len(self.starts)

    def free_at(self, limit: int) -> float:
        """Return when another one may begin, of so many at the most."""
        return self.starts[-limit] + self.seconds if self.count() >= limit else 0.0


class AccountQueue:
    """Grants turns. Nothing of it runs while nobody waits.

    Forms and first readings are not held up by the ceiling. Masters have a share of it to themselves. What fails may
    use a third of it at the most, spread over the hour: after a burst it would have none for the rest of the hour. A
    429 is the account's, not the device's (dyness-api 1.5): whoever comes next waits.
    """

    def __init__(self) -> None:
        self.chosen_ceiling = CEILING
        self.kept_for_masters = 0
        """Calls an hour that modules, the list and what fails leave alone."""
        self._calls, self._others, self._failing = _Window(HOUR), _Window(HOUR), _Window(HOUR / 6)
        """All calls; those of anything but masters; those of what fails."""
        self._waiting: list[_Waiter] = []
        self._running: _Waiter | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = 0.0
        self._next_pause = PAUSE
        self._is_refused = False
        """Whether there was no answer since the last 429."""
        self._share = 1.0
        """Of the chosen ceiling, which was in force after the last 429."""
        self._limited_at = 0.0

    async def run[Result](self, call: Callable[[], Awaitable[Result]], turn: Turn) -> Result:
        """Run `call` when it is its turn and return what it returns."""
        asked_at = started_at = _now()
        waiter = _Waiter(turn, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._schedule()
        try:
            await waiter.granted
            started_at = _now()
            result = await call()
        except CloudRateLimited as error:
            if self._running is waiter:
                self._slow_down(error.retry_after)
            raise
        else:
            self._is_refused = False
            return result
        finally:
            if self._running is waiter:
                self._running = None
                text = "%s: %.1f s, after %.1f s in the queue; call %d of %d in this hour"
                times = _now() - started_at, started_at - asked_at
                _LOGGER.debug(text, turn.device, *times, self.calls_last_hour, self.ceiling)
            else:
                self._waiting = [other for other in self._waiting if other is not waiter]
            self._schedule()

    def allow(self, ceiling: int) -> None:
        """Set the ceiling, for those who wait already too."""
        self.chosen_ceiling = ceiling
        self._schedule()

    def promote(self, turn: Turn) -> None:
        """Give a device that waits among those that fail another turn."""
        for waiter in self._waiting:
            if waiter.turn.priority is Priority.FAILING and waiter.turn.device == turn.device:
                waiter.turn = turn
        self._schedule()

    @property
    def calls_last_hour(self) -> int:
        """How many calls began in the last hour."""
        return self._calls.count()

    @property
    def ceiling(self) -> int:
        """How many calls an hour are in force, which is less for some hours after a 429."""
        share = min(self._share + RECOVERY * (_now() - self._limited_at) / HOUR, 1.0)
        return max(int(self.chosen_ceiling * share), LEAST)

    @property
    def seconds_to_next(self) -> float | None:
        """How long whoever waits has to wait for the next turn; None where nobody waits."""
        return max(min(self._earliest.values()) - _now(), 0.0) if self._waiting else None

    @property
    def state(self) -> dict[str, Any]:
        """What is in force, for diagnostics."""
        return {
            "calls_last_hour": self.calls_last_hour,
            "chosen_ceiling": self.chosen_ceiling,
            "ceiling": self.ceiling,
            "kept_for_masters": self.kept_for_masters,
            "waiting": len(self._waiting),
            "seconds_to_next": self.seconds_to_next,
        }

    @property
    def _earliest(self) -> dict[Priority, float]:
        """When the pause and the ceiling let those go who wait, by their priority."""
        earliest, ceiling = {}, self.ceiling
        for priority in {waiter.turn.priority for waiter in self._waiting}:
            at = self._not_before
            if priority > Priority.FIRST:
                at = max(at, self._calls.free_at(ceiling))
            if priority > Priority.MASTER:
                at = max(at, self._others.free_at(max(ceiling - self.kept_for_masters, LEAST // 2)))
            if priority is Priority.FAILING:
                at = max(at, self._failing.free_at(max(ceiling // 3 // 6, 1)))
            earliest[priority] = at
        return earliest

    def _schedule(self) -> None:
        """Set the timer for the next who may go, or none where nobody waits."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._running is None and (seconds := self.seconds_to_next) is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._grant)

    def _grant(self) -> None:
        earliest, now = self._earliest, _now() + 0.01  # the clock of the loop may be a little behind its own timers
        waiting = [waiter for waiter in self._waiting if not waiter.granted.done()]
        ready = [waiter for waiter in waiting if earliest[waiter.turn.priority] <= now]
        if not ready:
            self._schedule()
            return
        self._running = min(ready, key=attrgetter("turn"))
        self._waiting.remove(self._running)
        priority = self._running.turn.priority
        self._calls.add()
        # A first one, or one of a form, takes nothing from the masters' share.
        if priority is not Priority.MASTER:
            self._others.add()
        if priority is Priority.FAILING:
            self._failing.add()
        self._not_before = max(self._not_before, _now() + SPACING)
        self._running.granted.set_result(None)

    def _slow_down(self, retry_after: float | None) -> None:
        now = _now()
        if now - self._limited_at > HOUR:
            self._next_pause = PAUSE
        # No server pauses an account for longer than it takes to forget its calls.
        pause = self._next_pause if retry_after is None else min(retry_after, HOUR)
        if self._is_refused:
            pause = max(pause, self._next_pause)  # what it said was not long enough
        self._is_refused = True
        self._next_pause = min(self._next_pause * 2, LONGEST_PAUSE)
        self._share = self.ceiling / self.chosen_ceiling * (1 - CUT)
        self._limited_at = now
        self._not_before = max(self._not_before, now + pause)


def _now() -> float:
    return asyncio.get_running_loop().time()
