"""A device that answers with what a real one once said."""

from dataclasses import dataclass
from datetime import datetime
import json
from pathlib import Path
from typing import Any, Self

from .devices import Device, Json, collector, replace_values, stamp


@dataclass(kw_only=True)
class Replay(Device):
    """Recorded points, values untouched; with `current` the sample seems to have arrived just now."""

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

    def _renamed(self, key: str) -> Json | None:
        recorded: Json | None = self.recording[key]
        if recorded is None:
            return None
        own = {"deviceSn": self.serial, "collectorSn": collector(self.serial)}
        return recorded | {name: value for name, value in own.items() if recorded.get(name) is not None}


def replay_all(path: Path | str, *, current: bool = True) -> list[Replay]:
    """Give every device of a file.

    It is a payload of this emulator, a bare realTime/data reply, a bare list of points,
    or a diagnostics download of the integration.
    """
    return [
        Replay(serial=serial, recording=recording, current=current, listed=recording["listing"] is not None)
        for serial, recording in read_recordings(path)
    ]


def read_recordings(path: Path | str) -> list[tuple[str, Json]]:
    """Bring each form to a serial and a `listing`, `detail`, `station` and `points`."""
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    name = f"{Path(path).stem}-BMS"
    match content:
        case list() | {"code": _, "data": list()}:
            points = content if isinstance(content, list) else content["data"]
            # Without a listing nobody would find it. That the model is empty happens in the cloud as well.
            listing = {"deviceSn": name, "collectorSn": collector(name), "deviceName": Path(path).stem}
            return [(name, _recording({"listing": listing | {"deviceModelName": ""}, "points": points}))]
        case {"data": {"devices": list() as devices}} if devices:
            return [(device["serial"], _recording(device)) for device in devices if device["points"]]
        case {"points": list()}:
            recording = _recording(content)
            return [((recording["listing"] or {}).get("deviceSn", name), recording)]
    raise ValueError(f"{path} holds no recorded device")


def _recording(content: dict[str, Any]) -> Json:
    return {key: content.get(key) for key in ("listing", "detail", "station")} | {"points": content["points"]}
