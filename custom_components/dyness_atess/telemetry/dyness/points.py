"""The boundary at which anything that the cloud may send becomes points."""

from typing import Any
import unicodedata

from ..raw import Point


def read_points(data: Any) -> list[Point]:
    """Return the points that carry a value, whatever `data` is. Never raises.

    Of points with the same id the first that carries a value counts; the others come behind it under their own name.
    """
    return [point for item in data if (point := _point(item))] if isinstance(data, list) else []


def _point(item: Any) -> Point | None:
    if not isinstance(item, dict):
        return None
    point_id, value = _text(item.get("pointId")), _text(item.get("pointValue"))
    if not point_id or not value:
        return None
    return Point(id=point_id, name=normalised(_text(item.get("pointNameCn"))), value=value)


def normalised(name: str) -> str:
    """Return a vendor name without differences of width, case and surrounding space."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return str(value).strip() if isinstance(value, str | int | float) else ""
