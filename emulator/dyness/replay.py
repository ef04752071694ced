"""A device that answers with what a real one once said."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
import json
from pathlib import Path
from typing import Any, Self

from ..atess.pbd import Pbd
from .devices import Device, Json, collector, read_stamp, stamp
from .points import COMMON_NAMES


@dataclass(kw_only=True)
class Replay(Device):
    """Recorded answers, values untouched; with `current` the sample seems to have arrived just now."""

    recording: Json
    current: bool = True

    @classmethod
    def from_file(cls, path: Path | str, *, current: bool = True) -> Self:
        """Read the first device of a file (see `replay_all`)."""
        serial, recording = read_recordings(path)[0]
        return cls(serial=serial, recording=recording, current=current, listed=recording["listing"] is not None)

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
        """Give the recorded points; what is no point stays as it came."""
        times = dict.fromkeys(("T", "TIME"), stamp(self.sample_time(now))) if self.current else {}
        return [
            point | {"pointValue": times[point["pointId"]]}
            if isinstance(point, dict) and point.get("pointId") in [*times]
            else point
            for point in self.recording["points"]
        ]

    def power_history(self, now: datetime) -> list[Json]:
        """Give the recorded history, as old as it was when it was received."""
        history: list[Json] | None = self.recording.get("history")
        if history is None:
            return self.empty_history(now)
        received_at = self.recording.get("received_at")
        if not self.current or received_at is None:
            return history
        age = now - datetime.fromisoformat(received_at)
        records = [dict(record) for record in history]
        for record in records:
            with suppress(KeyError, TypeError, ValueError):
                record["createTime"] = stamp(read_stamp(record["createTime"]) + age)
        return records

    def running(self, now: datetime) -> Json | None:
        """Give the recorded running data under this device's serial."""
        running: Json | None = self.recording.get("running")
        if running is None:
            return self.empty_running(now)
        time = stamp(self.sample_time(now))
        own = {"sn": self.serial} | ({"dateTime": time, "lastUpdateTime": time} if self.current else {})
        return _replaced(running, own)

    def _renamed(self, key: str) -> Json | None:
        recorded: Json | None = self.recording[key]
        return recorded and _replaced(recorded, {"deviceSn": self.serial, "collectorSn": collector(self.serial)})


@dataclass(kw_only=True)
class PbdReplay(Pbd):
    """A recorded record, values untouched; with `current` the sample seems to have arrived just now."""

    recording: Json
    current: bool = True

    @property
    def path(self) -> str:
        """Where the cloud has it, by the kind that a download names."""
        return f"/{self.recording.get('kind', 'pbd')}/data-last"

    def record(self, now: datetime) -> Json:
        """Give the recorded record under this device's serial."""
        time = {"time": stamp(self.sample_time(now) + self.utc_offset)} if self.current else {}
        return _replaced(self.recording["points"], {"deviceSn": self.serial} | time)

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
    """Return each device of a file by its serial, with its answers; a PBD's record stands for its `points`."""
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    name = f"{Path(path).stem}-BMS"
    match content:
        case {"code": _, "data": {"deviceSn": str(serial)} as record}:
            return [(serial, _recording({"points": record}))]
        case (list() as points) | {"code": _, "data": list() as points}:
            # Without a listing nobody would find it. That the model is empty happens in the cloud as well.
            listing = {"deviceSn": name, "collectorSn": collector(name), "deviceName": Path(path).stem}
            return [(name, _recording({"listing": listing | {"deviceModelName": ""}, "points": points}))]
        case {"data": {"devices": list() as devices}} if devices:
            answering = [device for device in devices if device["points"] or device.get("listing")]
            return [(device["serial"], _recording(device)) for device in answering]
        case {"points": list()}:
            recording = _recording(content)
            return [((recording["listing"] or {}).get("deviceSn", name), recording)]
    raise ValueError(f"{path} holds no recorded device")


def _recording(content: dict[str, Any]) -> Json:
    answers = ("listing", "detail", "station", "running", "history", "received_at")
    remembered = content.get("remembered") or {}
    points = _with_modules(content["points"] or [], remembered.get("modules") or {})
    return {key: content.get(key) for key in answers} | {"points": points, "kind": remembered.get("kind", "pbd")}


def _with_modules(points: Any, numbers: dict[str, int]) -> Any:
    """Let SUB name every module that was ever seen, in the order of their numbers: a single list may leave some out."""
    if not numbers or not isinstance(points, list):
        return points
    sub = {"flag": False, "pointId": "SUB", "pointValue": None, "pointNameCn": COMMON_NAMES["SUB"]}
    others = []
    for point in points:
        if isinstance(point, dict) and point.get("pointId") == "SUB":
            sub = point
        else:
            others.append(point)
    listed = [serial.strip() for serial in str(sub["pointValue"] or "").split(",") if serial.strip()]
    known = sorted(numbers, key=lambda serial: numbers[serial])
    return [*others, sub | {"pointValue": ",".join(dict.fromkeys([*known, *listed]))}]


def _replaced(recorded: Json, own: Mapping[str, str]) -> Json:
    """Put values in the place of those that the recording has."""
    return recorded | {name: value for name, value in own.items() if recorded.get(name) is not None}
