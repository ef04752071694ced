"""The records of `getLastPowerDataBySn` (dyness-api 3.4)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ..raw import number
from .family import Kind
from .points import sample_time
from .recognition import plausible

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


def powers(
    records: Any, start: datetime, end: datetime, *, current_sign: int, voltage: float | None = None
) -> list[tuple[datetime, float]]:
    """Return times (UTC) and powers (W, positive while discharging) between two times, in order. Never raises.

    Args:
        records: the answer, whatever it is; of records of the same time the first that tells a power counts.
        start: itself left out.
        end: itself left out.
        current_sign: 1 where the family's points are positive while discharging, else -1: its records are alike.
        voltage: V of the battery at some time, for records with nothing but a current; it changes by a tenth at most.
    """
    found: dict[datetime, float] = {}
    for record in records if isinstance(records, list) else ():
        if isinstance(record, dict):
            taken_at, power = sample_time(str(record.get("createTime"))), _power(record, voltage, current_sign)
            if taken_at and start < taken_at < end and power is not None and plausible(Kind.POWER, abs(power)):
                found.setdefault(taken_at, power)
    return sorted(found.items())


def _power(record: Mapping[str, Any], voltage: float | None, current_sign: int) -> float | None:
    """Return the power of a record in W, positive while discharging."""
    power = _field(record, "realTimePower")
    if power is None:
        current, own_voltage = _field(record, "realTimeCurrent"), _field(record, "realTimeVoltage")
        voltage = own_voltage or voltage
        if current is None or voltage is None:
            return None
        power = current * voltage
    return power * current_sign + 0.0  # never -0.0


def _field(record: Mapping[str, Any], name: str) -> float | None:
    value = record.get(name)
    return number(str(value)) if isinstance(value, float | int | str) else None
