"""When a record was taken: the cloud goes on answering with old ones, and no clock is certain (atess-api 4, 5.9)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from ..raw import number

REMEMBERED = 7200.0  # s; servers that take turns answer with records that are no older
GAP = 1800.0  # s; after more without an answer even a record that nobody has seen need not be of now
EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)  # the interface is not older
# By how much clocks lag behind UTC in the west, and more than any that is right.
FURTHEST_WEST, CERTAINLY_OLD = timedelta(hours=12), timedelta(hours=15)


def date(
    memory: dict[str, Any], time: str, numbers: Sequence[tuple[str, float]], received_at: datetime
) -> tuple[datetime, bool, bool]:
    """Return when a record was taken, whether it is new, and whether it is the first of a day of its own clock.

    New is what has another time or other numbers than all that were answered in the last hours.
    """
    now, before = received_at.timestamp(), memory["records"]
    asked_at = max((last for _, last in before.values() if last <= now), default=0.0)
    # Those of the future are of a time when the clock of Home Assistant was wrong.
    records = {key: times for key, times in before.items() if asked_at - REMEMBERED <= times[1] <= now}
    digest = str(crc32(repr((time, numbers)).encode()))
    taken, is_new, is_new_day = now, digest not in records, False
    if not is_new:
        taken = records[digest][0]
    elif clock := _clock(time, received_at):
        day = clock.date().isoformat()
        is_new_day = "" < memory["day"] < day
        memory["day"] = day
        shown, offset = (clock if clock.tzinfo else clock.replace(tzinfo=UTC)).timestamp(), memory["clock_offset"]
        is_stuck = time == memory["time"]
        if is_stuck or now - asked_at <= GAP:
            # Where another record was seen just before, a new one is of now.
            memory["clock_offset"] = offset if is_stuck or clock.tzinfo else shown - now
        elif clock.tzinfo or offset is not None:
            taken = shown if clock.tzinfo else shown - offset
        elif now - shown > CERTAINLY_OLD.total_seconds():
            taken = shown + FURTHEST_WEST.total_seconds()
    memory["time"] = time if is_new else memory["time"]
    taken = min(max(taken, 0.0), now)
    memory["records"] = records | {digest: [taken, now]}
    return datetime.fromtimestamp(taken, UTC), is_new, is_new_day


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
