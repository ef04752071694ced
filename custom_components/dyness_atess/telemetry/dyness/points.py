"""The boundary at which anything that the cloud may send becomes points."""

from datetime import UTC, datetime
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
            point_id, value, name = item.get("pointId"), item.get("pointValue"), item.get("pointNameCn")
            point_id = point_id.strip() if isinstance(point_id, str) else _text(point_id)
            value = value.strip() if isinstance(value, str) else _text(value)
            if point_id and value:
                points.append(Point(point_id, normalised(name) if isinstance(name, str) else "", value))
    return points


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
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int | float) else ""
