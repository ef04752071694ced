"""What a cloud sent, before it has a meaning."""

import math
import re
from typing import NamedTuple

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


class Point(NamedTuple):
    """One value: a point of a Dyness device (dyness-api 6.0), or a field of an ATESS record."""

    id: str
    name: str
    """Vendor name, in a form in which equal names are equal; empty where there is none."""
    value: str
    """As sent; never empty."""


def number(text: str) -> float | int | None:
    """Return a finite number written in plain decimal digits, whole where it is written so, else None."""
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    if not math.isfinite(value):
        return None
    return int(text) if text.lstrip("+-").isdigit() else value
