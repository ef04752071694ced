"""When a record was taken: the cloud goes on answering with old ones, and no clock is certain (atess-api 4, 5.9)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from ..raw import number

REMEMBERED = 7200.0
"""s; servers that take turns answer with records that are no older."""
GAP = 1800.0
"""s; after more without an answer even a record that nobody has seen need not be of now."""
EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
"""The interface is not older."""
FURTHEST_WEST = 12 * 3600.0
"""s by which the westernmost clocks lag behind UTC."""
CERTAINLY_OLD = FURTHEST_WEST + 3 * 3600
"""s; a clock of any zone that shows so much less than UTC was not read just now, unless it is hours wrong."""


class Dating:
    """Tells new records from old ones: new is what has another time or other numbers than all of the last hours."""

    def __init__(self, memory: Mapping[str, Any]) -> None:
        """Go on from `memory`, or raise one of many errors where it is none."""
        self._records = {int(digest): (instant(a), instant(b)) for digest, (a, b) in memory.get("records", {}).items()}
        """When each record was first and last answered, in POSIX seconds."""
        self._time, self._day = str(memory.get("time", "")), str(memory.get("day", ""))
        """Those of the device's own clock."""
        self.offset = None if memory.get("offset") is None else instant(memory["offset"] + 1e6) - 1e6
        """s by which that clock is ahead of UTC."""

    @property
    def memory(self) -> dict[str, Any]:
        """What `__init__` goes on from, for JSON."""
        records = {str(digest): list(times) for digest, times in self._records.items()}
        return {"records": records, "time": self._time, "day": self._day, "offset": self.offset}

    @property
    def newest(self) -> datetime | None:
        """When the newest record was taken."""
        newest = max((first for first, _ in self._records.values()), default=None)
        return None if newest is None else datetime.fromtimestamp(newest, UTC)

    def date(self, time: str, numbers: Mapping[str, float], received_at: datetime) -> tuple[datetime, bool, bool]:
        """Return when a record was taken, whether it is new, and whether it is the first of a day of its own clock."""
        now = received_at.timestamp()
        asked_at = max((last for _, last in self._records.values()), default=0.0)
        self._records = {key: times for key, times in self._records.items() if times[1] >= asked_at - REMEMBERED}
        digest = crc32(repr((time, sorted(numbers.items()))).encode())
        first, is_new, is_new_day = self._records.get(digest, (now, now))[0], digest not in self._records, False
        if is_new:
            clock = _clock(time, received_at)
            first = self._taken(time, clock, now, continuous=0 <= now - asked_at <= GAP)
            day = clock.date().isoformat() if clock else self._day
            is_new_day, self._time, self._day = self._day < day, time, day
        self._records[digest] = min(first, now), now
        return datetime.fromtimestamp(min(first, now), UTC), is_new, is_new_day

    def _taken(self, time: str, clock: datetime | None, now: float, *, continuous: bool) -> float:
        """Return when a new record was taken. Where the last one was seen just before, that is now."""
        if clock is None or time == self._time:
            return now
        shown = clock.timestamp() if clock.tzinfo else clock.replace(tzinfo=UTC).timestamp()
        if continuous:
            self.offset = self.offset if clock.tzinfo else shown - now
            return now
        if clock.tzinfo:
            return shown
        if self.offset is not None:
            return shown - self.offset
        return shown + FURTHEST_WEST if now - shown > CERTAINLY_OLD else now


def instant(value: Any) -> float:
    """Return POSIX seconds that a date can be made of, or raise an error."""
    return datetime.fromtimestamp(value, UTC).timestamp()


def _clock(time: str, received_at: datetime) -> datetime | None:
    """Return what the device's clock shows, with a zone where that is known; None where it cannot be true."""
    seconds = number(time)
    try:
        clock = (
            datetime.fromisoformat(time)
            if seconds is None
            else datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        )
    except ArithmeticError, OSError, ValueError:
        return None
    as_utc = clock if clock.tzinfo else clock.replace(tzinfo=UTC)
    return clock if EARLIEST <= as_utc <= received_at + timedelta(seconds=CERTAINLY_OLD) else None
