"""The boundary at which anything that the cloud may send becomes points."""

from functools import lru_cache
from typing import Any
import unicodedata

from ..raw import Point


def read_points(data: Any) -> list[Point]:
    """Return the points that carry a value, whatever `data` is. Never raises.

    Of points with the same id the first that carries a value counts; the others come behind it under their own name.
    """
    points = []
    for item in data if isinstance(data, list) else ():
        if isinstance(item, dict):
            point_id, value = _text(item.get("pointId")), _text(item.get("pointValue"))
            if point_id and value:
                points.append(Point(id=point_id, name=normalised(_text(item.get("pointNameCn"))), value=value))
    return points


@lru_cache(maxsize=2048)
def normalised(name: str) -> str:
    """Return a vendor name without differences of width, case and surrounding space."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int | float) else ""
