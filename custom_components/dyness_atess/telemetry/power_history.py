"""The records of `getLastPowerDataBySn` (dyness-api 3.4)."""

from datetime import datetime, timedelta
from typing import Any

from .decoder import sample_time
from .points import number

MAXIMUM_AGE = timedelta(minutes=15)
"""Records have been seen hours and days late; an older one says nothing of now."""


def latest_soc(records: list[Any], now: datetime) -> float | None:
    """Return the state of charge in % of the newest record that has one, if it is young enough at `now`."""
    found = []
    for record in records:
        if isinstance(record, dict):
            taken_at, soc = sample_time(str(record.get("createTime"))), number(str(record.get("soc")))
            if taken_at and soc is not None and 0 <= soc <= 100:
                found.append((taken_at, soc))
    if not found:
        return None
    taken_at, soc = max(found)
    return soc if timedelta(0) <= now - taken_at <= MAXIMUM_AGE else None
