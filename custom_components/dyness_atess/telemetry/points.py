"""The boundary at which anything that the cloud may send becomes points."""

from dataclasses import dataclass
import math
import re
from typing import Any
import unicodedata

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One point of `realTime/data` (dyness-api 6.0)."""

    id: str
    name: str
    """Vendor name, in a form in which equal names are equal; empty where there is none."""
    value: str
    """As sent; never empty."""


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


def number(text: str) -> float | int | None:
    """Return a finite number written in plain decimal digits, whole where it is written so, else None."""
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    if not math.isfinite(value):
        return None
    return int(text) if text.lstrip("+-").isdigit() else value
