"""A device that answers realTime/data with points that it makes itself."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from .devices import Device, Json, stamp

type Truth = dict[str, float | str | bool]
type Values = dict[str, str | None]

COMMON_NAMES = {"T": "数据采集时间", "SUB": "子设备列表", "TIME": "子设备最后一包时间"}
"""dyness-api 6.0"""
ALARM_TEXT, ALARM_ADVICE = "Alarm {point}", "Please contact your installer."


@dataclass(kw_only=True)
class PointDevice(Device):
    """Its points are the texts of `values` under the vendor's names; where no source has a name it is empty.

    `raised` are points of alarm bits that are on, and `truth` knows of them. `overrides` are points that show something
    else than what is true. `absent` points are missing from the answer.
    """

    names: ClassVar[Mapping[str, str]] = COMMON_NAMES

    raised: frozenset[str] = frozenset()
    overrides: Values = field(default_factory=dict)
    absent: frozenset[str] = frozenset()

    @abstractmethod
    def values(self, now: datetime) -> Values:
        """Give the values of the newest sample by point id, in the order of the answer."""

    @abstractmethod
    def truth(self, now: datetime) -> Truth:
        """Give what the newest sample measured, at the resolution of its points."""

    def points(self, now: datetime) -> list[Json]:
        """Give realTime/data."""
        return [
            {"flag": False, "pointId": key, "pointValue": value, "pointNameCn": self.names.get(key, "")}
            for key, value in (self.values(now) | self.overrides).items()
            if key not in self.absent
        ]

    def alarm_list(self, now: datetime) -> list[Json]:
        """Give an active alarm for each point that is raised (dyness-api 3.6), and one that is over for ever."""
        time = stamp(self.sample_time(now))
        rows = [
            {
                "eventCode": point,
                "eventContent": ALARM_TEXT.format(point=point),
                "eventGrade": "2",
                "eventType": {"code": 0, "name": "alarm"},
                "beginTime": time,
                "endTime": None,
                "clearStatus": 2,
                "readStatus": 1,
                "solution": ALARM_ADVICE,
                "subDeviceSn": self.serial,
                "realDeviceSn": self.serial,
                "utc": "UTC+01:00",
            }
            for point in sorted(self.raised)
        ]
        over = {"eventContent": "Over", "endTime": time, "clearStatus": 1, "readStatus": 2, "solution": "None"}
        return [row | over for row in rows[:1]] + rows

    def reported(self, now: datetime) -> Truth:
        """Say when the newest sample was taken."""
        return {"last_report": self.sample_time(now).astimezone(UTC).isoformat()}


def registers(raised: Iterable[str], *firsts: int) -> dict[str, str]:
    """Give bytes of alarms, each followed by its bits: point 3203 is bit 2 of 3200."""
    values = {}
    for first in firsts:
        bits = {str(first + bit): str(first + bit) in raised for bit in range(1, 9)}
        values[str(first)] = str(sum(value << bit for bit, value in enumerate(bits.values())))
        values |= {point: str(int(value)) for point, value in bits.items()}
    return values


def electrical(voltage: float, current: float) -> Truth:
    """Give voltage, current and power; `current` is positive while charging, as in the vendor's raw data."""
    discharge = 0.0 - current  # never -0.0
    status = "discharging" if discharge > 0 else "charging" if discharge < 0 else "idle"
    return {"voltage": voltage, "current": discharge, "power": round(voltage * discharge, 1) + 0.0, "status": status}
