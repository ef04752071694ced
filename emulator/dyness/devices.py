"""What the Dyness cloud knows of a device, and when it hears of it: the base of every model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
import json
from pathlib import Path
from typing import Any
from zlib import crc32

type Json = dict[str, Any]

PERIOD = timedelta(minutes=5)
PAYLOADS = Path(__file__).parent / "payloads"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(kw_only=True)
class Device:
    """A device that uploads a sample every five minutes.

    `listed` False keeps it out of storage/list (wrong region, no plant). From `offline_since` on its dongle uploads
    nothing, and the cloud goes on answering with the last sample. An `eager` one uploads whenever it is asked, with a
    clock that is right however fast it lives.
    """

    serial: str
    listed: bool = True
    offline_since: datetime | None = None
    utc_offset: timedelta = timedelta(hours=1)
    eager: bool = False

    @property
    def modules(self) -> Sequence[Device]:
        """Devices behind this one: realTime/data knows them, storage/list does not."""
        return ()

    def listing(self, _now: datetime) -> Json | None:
        """Give the item of storage/list (dyness-api 3.2)."""
        return None

    def detail(self, _now: datetime) -> Json | None:
        """Give household/storage/detail (dyness-api 3.3)."""
        return None

    def station(self) -> Json | None:
        """Give station/info (dyness-api 3.1)."""
        return None

    def points(self, _now: datetime) -> list[Json]:
        """Give realTime/data (dyness-api 6)."""
        return []

    def power_history(self, _now: datetime) -> list[Json]:
        """Give getLastPowerDataBySn (dyness-api 3.4)."""
        return []

    def running(self, _now: datetime) -> Json | None:
        """Give getLastRunningDataBySn (dyness-api 3.5)."""
        return None

    def alarm_list(self, _now: datetime) -> list[Json]:
        """Give the items of alarm/query (dyness-api 3.6)."""
        return []

    def truth(self, _now: datetime) -> Mapping[str, float | str | bool]:
        """Give what the newest sample measured, by the product contract's keys; {} for what only repeats a recording.

        Battery power and current are positive while discharging.
        """
        return {}

    def sample_time(self, now: datetime) -> datetime:
        """Give the time of the newest sample that has arrived in the cloud: it takes an upload 20 to 40 s."""
        if self.offline_since is not None:
            now = min(now, self.offline_since)
        if self.eager:
            return now
        phase = crc32(self.serial.encode()) % 300
        number = int((now.timestamp() - phase) // 300)
        sample = datetime.fromtimestamp(number * 300 + phase, UTC)
        latency = timedelta(seconds=20 + crc32(f"{self.serial}/{number}".encode()) % 21)
        return sample if sample + latency <= now else sample - PERIOD

    def empty_history(self, now: datetime) -> list[Json]:
        """Give a record for each five minutes of the plant-local day so far, with its time in UTC and nothing else."""
        local = now + self.utc_offset
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        starts = (midnight - self.utc_offset + number * PERIOD for number in range((local - midnight) // PERIOD + 1))
        return [load_payload("pure_battery")["power"] | {"createTime": stamp(start)} for start in starts]

    def empty_running(self, now: datetime) -> Json:
        """Give the running data of a pure battery, which fills three fields of them."""
        time = stamp(self.sample_time(now))
        fields: Json = load_payload("pure_battery")["running"]
        return fields | {"dateTime": time, "sn": self.serial, "lastUpdateTime": time}


def stamp(time: datetime) -> str:
    """Write a time as the vendor does: UTC without saying so (dyness-api 9)."""
    return time.strftime(TIME_FORMAT)


def read_stamp(text: str) -> datetime:
    """Read it."""
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)


def collector(serial: str) -> str:
    """Give the dongle's serial: that of the battery without the cloud's suffix (dyness-api 3.2)."""
    return serial.removesuffix("-BMS").removesuffix("-BDU")


@cache
def load_payload(name: str) -> Json:
    """Read a file of recorded data, which nobody changes."""
    payload: Json = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return payload
