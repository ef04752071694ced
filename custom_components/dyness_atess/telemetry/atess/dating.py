"""When a record was taken: the cloud goes on answering with old ones, and no clock is certain (atess-api 4, 5.9)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from ..raw import number

REMEMBERED = 24  # records, of two hours; servers that take turns answer with none that is older
GAP = 1800.0  # s; after more without a new record even one that nobody has seen need not be of now
EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)  # the interface is not older
FURTHEST_WEST = -43200.0  # s; with this offset from UTC no record is taken to be older than it is


def date(memory: dict[str, Any], time: str, numbers: object, received_at: datetime) -> tuple[datetime, bool, bool]:
    """Return when a record was taken, whether it is new, and whether it is the first of a day of its own clock.

    New is what has another time or other numbers than all that were answered in the last hours.
    """
    now, records = received_at.timestamp(), memory["records"]
    digest = str(crc32(repr((time, numbers)).encode()))
    is_new, is_new_day = digest not in records, False
    taken = records.pop(digest, now)
    if is_new and time != memory["time"]:  # new numbers under a time that stands are of now
        clock, before = _clock(time, received_at), _clock(memory["time"], received_at)
        if clock:
            is_new_day = before is not None and before.date() < clock.date()
            shown = clock.replace(tzinfo=clock.tzinfo or UTC).timestamp()
            if 0 <= now - memory["last_at"] <= GAP:
                memory["clock_offset"] = shown - now  # what follows another one is of now, whatever its clock shows
            else:
                taken = shown - (0.0 if clock.tzinfo else memory["clock_offset"])
    if is_new:
        memory["time"], memory["last_at"] = time, now
    records[digest] = taken = min(max(taken, 0.0), now)
    memory["records"] = dict([*records.items()][-REMEMBERED:])
    return datetime.fromtimestamp(taken, UTC), is_new, is_new_day


def _clock(time: str, received_at: datetime) -> datetime | None:
    """Return what the device's clock shows, with a zone where that is known; None where it cannot be true."""
    seconds = number(time)
    if seconds and seconds > 1e11:
        seconds /= 1000  # they were milliseconds
    try:
        clock = datetime.fromisoformat(time) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except ArithmeticError, OSError, ValueError:
        return None
    return clock if EARLIEST <= clock.replace(tzinfo=clock.tzinfo or UTC) <= received_at + timedelta(days=1) else None
