"""A device that answers with what a real one once said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
from typing import Any, Self

from ..atess.pbd import Pbd
from .devices import TIME_FORMAT, Device, Json, collector, replace_values, stamp
from .points import COMMON_NAMES


@dataclass(kw_only=True)
class Replay(Device):
    """Recorded answers, values untouched; with `current` the sample seems to have arrived just now."""

    recording: Json
    current: bool = True

    @classmethod
    def from_file(cls, path: Path | str, *, serial: str | None = None, current: bool = True) -> Self:
        """Read the first device of a file (see `replay_all`) and give it another serial, if wanted."""
        name, recording = read_recordings(path)[0]
        return cls(serial=serial or name, recording=recording, current=current, listed=recording["listing"] is not None)

    def listing(self, now: datetime) -> Json | None:
        """Give the recorded item under this device's serial."""
        return self._renamed("listing")

    def detail(self, now: datetime) -> Json | None:
        """Give the recorded detail under this device's serial."""
        return self._renamed("detail")

    def station(self) -> Json | None:
        """Give the recorded station."""
        station: Json | None = self.recording["station"]
        return station

    def points(self, now: datetime) -> list[Json]:
        """Give the recorded points."""
        points: list[Json] = self.recording["points"]
        time = stamp(self.sample_time(now))
        return replace_values(points, {"T": time, "TIME": time}) if self.current else points

    def power_history(self, now: datetime) -> list[Json]:
        """Give the recorded history, as old as it was when it was received."""
        history: list[Json] | None = self.recording.get("history")
        received_at = self.recording.get("received_at")
        if history is None:
            return super().power_history(now)
        if not self.current or received_at is None:
            return history
        age = now - datetime.fromisoformat(received_at)
        return [record | {"createTime": _later(record.get("createTime"), age)} for record in history]

    def running(self, now: datetime) -> Json | None:
        """Give the recorded running data under this device's serial."""
        running: Json | None = self.recording.get("running")
        if running is None:
            return super().running(now)
        time = stamp(self.sample_time(now))
        own = {"sn": self.serial} | ({"dateTime": time, "lastUpdateTime": time} if self.current else {})
        return running | {name: value for name, value in own.items() if running.get(name) is not None}

    def _renamed(self, key: str) -> Json | None:
        recorded: Json | None = self.recording[key]
        if recorded is None:
            return None
        own = {"deviceSn": self.serial, "collectorSn": collector(self.serial)}
        return recorded | {name: value for name, value in own.items() if recorded.get(name) is not None}


@dataclass(kw_only=True)
class PbdReplay(Pbd):
    """A recorded record, values untouched; with `current` the sample seems to have arrived just now."""

    recording: Json
    current: bool = True

    def record(self, now: datetime) -> Json:
        """Give the recorded record under this device's serial."""
        record: Json = self.recording["points"]
        own = {"deviceSn": self.serial}
        if self.current:
            own["time"] = stamp(self.sample_time(now) + self.utc_offset)
        return record | {name: value for name, value in own.items() if record.get(name) is not None}

    def truth(self, now: datetime) -> dict[str, float]:
        """Give nothing: it only repeats a recording."""
        return {}


def replay_all(path: Path | str, *, current: bool = True) -> Sequence[Replay | PbdReplay]:
    """Give every device of a file.

    It is a payload of this emulator, a bare realTime/data reply, a bare list of points, a bare pbd/data-last reply,
    or a diagnostics download of the integration.
    """
    return [
        PbdReplay(serial=serial, recording=recording, current=current)
        if isinstance(recording["points"], dict)
        else Replay(serial=serial, recording=recording, current=current, listed=recording["listing"] is not None)
        for serial, recording in read_recordings(path)
    ]


def read_recordings(path: Path | str) -> list[tuple[str, Json]]:
    """Bring each form to a serial and the answers by what they tell; a PBD's record stands for its `points`."""
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    name = f"{Path(path).stem}-BMS"
    match content:
        case {"code": _, "data": {"deviceSn": str(serial)} as record}:
            return [(serial, _recording({"points": record}))]
        case list() | {"code": _, "data": list()}:
            points = content if isinstance(content, list) else content["data"]
            # Without a listing nobody would find it. That the model is empty happens in the cloud as well.
            listing = {"deviceSn": name, "collectorSn": collector(name), "deviceName": Path(path).stem}
            return [(name, _recording({"listing": listing | {"deviceModelName": ""}, "points": points}))]
        case {"data": {"devices": list() as devices}} if devices:
            return [
                (device["serial"], _recording(device))
                for device in devices
                if device["points"] or device.get("listing")
            ]
        case {"points": list()}:
            recording = _recording(content)
            return [((recording["listing"] or {}).get("deviceSn", name), recording)]
    raise ValueError(f"{path} holds no recorded device")


def _recording(content: dict[str, Any]) -> Json:
    answers = ("listing", "detail", "station", "running", "history", "received_at")
    points = content["points"] or []
    modules = (content.get("remembered") or {}).get("modules")
    return {key: content.get(key) for key in answers} | {"points": _with_modules(points, modules or {})}


def _with_modules(points: Any, numbers: dict[str, int]) -> Any:
    """Let SUB name every module that was ever seen, in the order of their numbers: a single list may leave some out."""
    if not numbers or not isinstance(points, list):
        return points
    sub = next((point for point in points if isinstance(point, dict) and point.get("pointId") == "SUB"), None)
    listed = [serial.strip() for serial in str((sub or {}).get("pointValue") or "").split(",") if serial.strip()]
    known = sorted(numbers, key=lambda serial: numbers[serial])
    value = ",".join(dict.fromkeys([*known, *listed]))
    if sub is None:
        return [*points, {"flag": False, "pointId": "SUB", "pointValue": value, "pointNameCn": COMMON_NAMES["SUB"]}]
    return [point | {"pointValue": value} if point is sub else point for point in points]


def _later(time: Any, age: timedelta) -> Any:
    try:
        return stamp(datetime.strptime(time, TIME_FORMAT).replace(tzinfo=UTC) + age)
    except TypeError, ValueError:
        return time
