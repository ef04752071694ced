"""The boundary at which anything that the cloud may send becomes points."""

from datetime import UTC, datetime
from functools import lru_cache
import re
from typing import Any

from ..raw import Point
from .names import normalised

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.ASCII)


def read_points(data: Any) -> list[Point]:
    """Return the points that carry a value, in the order in which they came. Never raises."""
    points = []
    for item in data if isinstance(data, list) else ():
        if isinstance(item, dict):
            try:
                point = _point(item.get("pointId"), item.get("pointNameCn"), item.get("pointValue"))
            except TypeError:
                continue  # a list or an object, which cannot be looked up
            if point:
                points.append(point)
    return points


@lru_cache(maxsize=8192, typed=True)  # most points say the same from sample to sample
def _point(point_id: Any, name: Any, value: Any) -> Point | None:
    point_id, value = _text(point_id), _text(value)
    return Point(point_id, normalised(name) if isinstance(name, str) else "", value) if point_id and value else None


def sample_time(text: str) -> datetime | None:
    """Read a time stamp, which is UTC where it does not say otherwise (dyness-api 9)."""
    if not _TIME.fullmatch(text):
        return None
    try:
        taken_at = datetime.fromisoformat(text.replace("UTC", "").replace(" +", "+").replace(" -", "-"))
        return taken_at.replace(tzinfo=UTC) if taken_at.tzinfo is None else taken_at.astimezone(UTC)
    except ValueError, OverflowError:
        return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int | float) else ""
