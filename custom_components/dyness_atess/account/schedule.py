"""When what is asked. Seconds throughout; nothing of it is stored and nothing of it knows Home Assistant."""

from collections.abc import Callable
from dataclasses import dataclass

PERIOD = 300.0
"""A Dyness device uploads a sample about every five minutes (dyness-api 9)."""
SHORTEST_PERIOD, LONGEST_PERIOD = 60.0, 1800.0
DELAY = 30.0
"""After which a sample can be read, before anything is learned."""
HIT, EARLY = -0.8, 5.0
"""How the delay changes with a first ask that finds the sample, and with each that comes too early."""
QUICK_RETRIES = (8.0, 40.0)
USUAL_HITS = 12
"""In a row. After more the delay is far too long, as where a device's clock is wrong: it falls ever faster."""
DOUBLINGS = 5
SOONEST = 5.0
WEIGHT = 0.125
"""Of a new gap in the learned period."""
LOST = 1.5
"""Periods. A longer gap is a lost upload, unless it comes twice."""

CONVERTER = 330.0
"""An ATESS cloud is likely to allow a call in five minutes (atess-api 2)."""
WITHOUT_MASTER = 900.0
"""A module follows its master; where that has nothing new it is asked by itself, so that it stays current."""
RATE_LIMITED = 60.0
"""After this the queue is joined again; what is paused waits there."""

FIRST_RETRY = 10.0
RETRIES = ((300.0, 60.0), (6 * 3600.0, 300.0), (float("inf"), 1800.0))
"""How long after the first failure a device is asked how often."""
FAILED_TOGETHER = 600.0
"""What began to fail within so much has failed for the same reason, and is likely to be back with the others."""

HALF_AN_HOUR = 1800.0
CALLS_PER_UPLOAD = 1.2
"""Of a master, with the asks that come too early."""
OTHER_CALLS, FAILING_CALLS = 5, 12
"""In an hour: of the device list and whatever comes between, and of a device that does not answer."""


@dataclass(slots=True)
class Rhythm:
    """When the next sample of a device can be read, from the times of those that were.

    Times are POSIX time stamps. Those of samples are by the clock of the device, which may be wrong by any amount.
    """

    period: float = PERIOD
    delay: float = DELAY
    _sampled_at: float | None = None
    _due: float = 0.0
    _misses: int = 0
    _hits: int = 0
    _was_long: bool = False

    def answered(self, sampled_at: float | None, now: float) -> float:
        """Take note of the sample that was read `now` and return for how long to wait with the next ask."""
        if sampled_at is None:
            return PERIOD
        is_first, is_asked_in_time = self._sampled_at is None, now >= self._due - 1
        if self._sampled_at is None or sampled_at > self._sampled_at:
            if self._sampled_at is not None:
                self._learn(sampled_at - self._sampled_at)
                if is_asked_in_time and not self._misses:
                    self._hits += 1
                    self.delay += HIT * 2 ** min(max(self._hits - USUAL_HITS, 0), DOUBLINGS)
                elif self._misses > len(QUICK_RETRIES) and not self._was_long:
                    self.delay += sum(QUICK_RETRIES)  # it was not lost, only later than the quick retries
            self._sampled_at = sampled_at
            self._misses = 0
        elif is_asked_in_time:
            self._misses += 1
            self._hits = 0
            if self._misses <= len(QUICK_RETRIES):
                self.delay += EARLY
                self._due = now + QUICK_RETRIES[self._misses - 1]
                return self._due - now
        else:
            return max(self._due - now, SOONEST)
        # Between half a period too early and too late: a whole one more or less is the same.
        self.delay = (self.delay + self.period / 2) % self.period - self.period / 2
        # The next is readable then, or as many periods later as make it a time to come.
        wait = self._sampled_at + self.period + self.delay - now
        if is_first and -QUICK_RETRIES[1] < wait < SOONEST:
            # Due at any moment. To ask a period later, again when one is due, would show each a period late.
            wait = QUICK_RETRIES[0]
        elif not SOONEST <= wait <= LOST * self.period:
            wait %= self.period
        if wait < SOONEST:
            wait += self.period
        self._due = now + wait
        return wait

    def _learn(self, gap: float) -> None:
        was_long, self._was_long = self._was_long, gap > LOST * self.period
        if gap <= LONGEST_PERIOD and (was_long or not self._was_long):
            period = self.period + WEIGHT * (gap - self.period)
            self.period = min(max(period, SHORTEST_PERIOD), LONGEST_PERIOD)


@dataclass(slots=True)
class Retries:
    """When a device that does not answer is asked again: less and less often."""

    since: float | None = None
    """Since when it does not answer; None while it does."""
    waits_for: Callable[[], bool] = lambda: False
    """Whether something fails that is asked in its place, and whose recovery has this asked at once."""

    def failed(self, now: float) -> float:
        """Take note of a failure and return for how long to wait."""
        is_first = self.since is None
        self.since = now if self.since is None else self.since
        if self.waits_for():
            return RETRIES[-1][1]
        if is_first:
            return FIRST_RETRY
        failing_for = now - self.since
        return next(wait for until, wait in RETRIES if failing_for < until)

    def succeeded(self) -> None:
        """Take note of an answer."""
        self.since = None


@dataclass(slots=True)
class Zone:
    """By how much the time stamps of a device are off: they advance with each upload and stay some hours late or early.

    The cloud gives UTC (dyness-api 9); a device that is set to another zone would never be current.
    """

    offset: float = 0.0
    """Seconds to add to its time stamps."""
    _likely: float = 0.0

    def learn(self, advance: float, waited: float, age: float) -> bool:
        """Take note of a new sample and return whether the offset has changed; two in a row decide.

        Args:
            advance: seconds by which its time stamp is later than that of the sample before.
            waited: seconds since that one was received.
            age: seconds by which its time stamp is earlier than now.
        """
        if not (0 < advance < 3 * PERIOD and waited < 3 * PERIOD):
            return False
        offset = round(age / HALF_AN_HOUR) * HALF_AN_HOUR
        is_sure = offset == self._likely and abs(age - offset) < HALF_AN_HOUR / 4
        self._likely = offset
        if not is_sure or offset == self.offset:
            return False
        self.offset = offset
        return True


@dataclass(slots=True)
class Pace:
    """How many modules follow a new sample of their master, so that the calls of the hour last for the hour."""

    _saved: float = 0.0
    _at: float | None = None

    def take(self, wanted: int, calls_per_hour: float, now: float) -> int:
        """Return how many of those `wanted` are asked now."""
        if self._at is None:
            self._at = now - PERIOD
        self._saved = min(self._saved + calls_per_hour * (now - self._at) / 3600, max(wanted, 1))
        self._at = now
        taken = min(wanted, int(self._saved + 0.01))
        self._saved -= taken
        return taken
