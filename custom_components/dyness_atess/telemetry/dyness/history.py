"""The records of `getLastPowerDataBySn` (dyness-api 3.4)."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ..raw import number
from .family import Kind
from .points import sample_time
from .recognition import plausible

MAXIMUM_AGE = timedelta(minutes=15)
"""Records have been seen hours and days late; an older one says nothing of now."""


def latest_soc(records: Any, now: datetime) -> float | None:
    """Return the state of charge in % of the newest record that has one, if it is young enough at `now`."""
    socs = ((taken_at, _read(record, "soc", Kind.SOC)) for taken_at, record in _dated(records))
    found = [(taken_at, soc) for taken_at, soc in socs if soc is not None]
    taken_at, soc = max(found, default=(now, None))
    return soc if timedelta(0) <= now - taken_at <= MAXIMUM_AGE else None


def samples(
    records: Any, *, current_sign: int, voltage: float | None = None
) -> list[tuple[datetime, float, float | None]]:
    """Return times (UTC), powers (W, positive while discharging) and states of charge (%), in order. Never raises.

    Args:
        records: the answer, whatever it is; of records of the same time the first with a power counts.
        current_sign: 1 where the family's points are positive while discharging, else -1: its records are alike.
        voltage: V of the battery at some time, for records with nothing but a current; it changes by a tenth at most.
    """
    found: dict[datetime, tuple[float, float | None]] = {}
    for taken_at, record in _dated(records):
        power, current = _read(record, "realTimePower", Kind.POWER), _read(record, "realTimeCurrent", Kind.CURRENT)
        volts = _read(record, "realTimeVoltage", Kind.BATTERY_VOLTAGE) or voltage
        if power is None and current is not None and volts is not None:
            power = current * volts
        if power is not None and abs(power) <= Kind.POWER.high:
            soc = _read(record, "soc", Kind.SOC)
            found.setdefault(taken_at, (power * current_sign + 0.0, soc))  # never -0.0
    return [(taken_at, *sample) for taken_at, sample in sorted(found.items())]


def day_begins(records: Any) -> datetime | None:
    """Return when the day of the records began: it is the plant's, and they go back to its midnight."""
    return min((taken_at for taken_at, _ in _dated(records)), default=None)


def _dated(records: Any) -> Iterator[tuple[datetime, Mapping[str, Any]]]:
    for record in records if isinstance(records, list) else ():
        if isinstance(record, dict) and (taken_at := sample_time(str(record.get("createTime")))):
            yield taken_at, record


def _read(record: Mapping[str, Any], name: str, kind: Kind) -> float | None:
    value = number(str(record.get(name)))
    return value if value is not None and plausible(kind, value) else None
