"""When a record was taken: the cloud goes on answering with old ones, and no clock is certain (atess-api 4, 5.9)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from ..raw import number

REMEMBERED = 7200.0  # s; servers that take turns answer with records that are no older
GAP = 1800.0  # s; after more without an answer even a record that nobody has seen need not be of now
EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)  # the interface is not older
# By how much clocks lag behind UTC in the west, and more than any that is right.
FURTHEST_WEST, CERTAINLY_OLD = timedelta(hours=12), timedelta(hours=15)


class Dating:
    """Tells new records from old ones: new is what has another time or other numbers than all of the last hours."""

    def __init__(self, memory: Mapping[str, Any]) -> None:
        """Go on from `memory`, or raise one of many errors where it is none."""
        self._records = {int(digest): (_posix(a), _posix(b)) for digest, (a, b) in memory.get("records", {}).items()}
        """When each was taken and last answered, in POSIX seconds."""
        self._time, self._day = str(memory.get("time", "")), str(memory.get("day", ""))
        self.offset = None if memory.get("offset") is None else _posix(memory["offset"])
        """s by which the device's clock is ahead of UTC."""

    @property
    def memory(self) -> dict[str, Any]:
        """What `__init__` goes on from, for JSON."""
        records = {str(digest): list(times) for digest, times in self._records.items()}
        return {"records": records, "time": self._time, "day": self._day, "offset": self.offset}

    @property
    def newest(self) -> datetime | None:
        """When the newest record was taken."""
        newest = max((taken for taken, _ in self._records.values()), default=None)
        return None if newest is None else datetime.fromtimestamp(newest, UTC)

    def date(self, time: str, numbers: Mapping[str, float], received_at: datetime) -> tuple[datetime, bool, bool]:
        """Return when a record was taken, whether it is new, and whether it is the first of a day of its own clock."""
        now = received_at.timestamp()
        asked_at = max((last for _, last in self._records.values()), default=0.0)
        self._records = {key: times for key, times in self._records.items() if times[1] >= asked_at - REMEMBERED}
        digest = crc32(repr((time, sorted(numbers.items()))).encode())
        is_new, is_new_day = digest not in self._records, False
        if is_new:
            clock = _clock(time, received_at)
            day = clock.date().isoformat() if clock else self._day
            is_new_day = "" < self._day < day
            taken = self._taken(time, clock, now, continuous=0 <= now - asked_at <= GAP)
            self._time, self._day = time, day
        else:
            taken = self._records[digest][0]
        taken = min(max(taken, 0.0), now)
        self._records[digest] = taken, now
        return datetime.fromtimestamp(taken, UTC), is_new, is_new_day

    def _taken(self, time: str, clock: datetime | None, now: float, *, continuous: bool) -> float:
        """Return when a new record was taken. Where another one was seen just before, that is now."""
        if clock is None or time == self._time:
            return now
        shown = (clock if clock.tzinfo else clock.replace(tzinfo=UTC)).timestamp()
        if continuous:
            self.offset = self.offset if clock.tzinfo else shown - now
            return now
        if clock.tzinfo:
            return shown
        if self.offset is not None:
            return shown - self.offset
        return shown + FURTHEST_WEST.total_seconds() if now - shown > CERTAINLY_OLD.total_seconds() else now


def _posix(seconds: Any) -> float:
    return datetime.fromtimestamp(seconds, UTC).timestamp()


def _clock(time: str, received_at: datetime) -> datetime | None:
    """Return what the device's clock shows, with a zone where that is known; None where it cannot be true."""
    seconds = number(time)
    try:
        if seconds is None:
            clock = datetime.fromisoformat(time)
        else:
            clock = datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except ArithmeticError, OSError, ValueError:
        return None
    as_utc = clock if clock.tzinfo else clock.replace(tzinfo=UTC)
    return clock if EARLIEST <= as_utc <= received_at + CERTAINLY_OLD else None
