"""What a device list says of one device (dyness-api 3.2, 3.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class WorkStatus(StrEnum):
    """What a device does, as the cloud says. It has been seen wrong; nothing else is derived from it."""

    CHARGING = "charging"
    CHECKING = "checking"
    DISCHARGING = "discharging"
    FAULT = "fault"
    RUNNING = "running"
    STANDBY = "standby"
    WAITING = "waiting"


_WORK_STATUS = {status[:3]: status for status in WorkStatus}
"""By what all spellings begin with: RunMode, RUN_MODE, Stand By (dyness-api 7)."""
LONGEST_TEXT = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A master device, as far as it is known without its points."""

    serial: str
    collector_serial: str | None = None
    name: str | None = None
    model: str | None = None
    model_code: str | None = None
    firmware: str | None = None
    work_status: WorkStatus | None = None
    listing: Mapping[str, Any] = field(default_factory=dict)
    """The row itself, for diagnostics."""

    @classmethod
    def from_listing(cls, serial: str, row: Mapping[str, Any]) -> Self:
        """Read a row of `storage/list` or the object of `household/storage/detail`."""

        def text(name: str) -> str | None:
            value = row.get(name)
            if not isinstance(value, str | int):
                return None
            shown = "".join(sign if sign.isprintable() else " " for sign in str(value)[:LONGEST_TEXT])
            return " ".join(shown.split()) or None

        return cls(
            serial=serial,
            collector_serial=text("collectorSn"),
            name=text("deviceName"),
            model=text("deviceModelName"),
            model_code=text("deviceModelCode"),
            firmware=text("firmwareVersion"),
            work_status=_WORK_STATUS.get((text("workStatus") or "").lower()[:3]),
            listing=row,
        )
