"""The boundary at which anything that the cloud may send as the record of a PBD becomes numbers by field."""

from dataclasses import dataclass
from typing import Any, Self

from ..raw import Point, number
from .fields import FIELD_BY_NAME, Measure


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What a record holds; fields without a value are left out."""

    numbers: dict[str, float]
    """By field."""
    time: str | None
    """Of the device's own clock."""
    unknown: tuple[Point, ...]
    """Fields that no table has, and those whose text is no number."""

    @classmethod
    def read(cls, data: Any) -> Self:
        """Sort what the fields of `data` hold, whatever it is. Never raises."""
        numbers: dict[str, float] = {}
        time = None
        unknown = []
        for name, sent in data.items() if isinstance(data, dict) else ():
            if not (text := _text(sent)):
                continue
            row = FIELD_BY_NAME.get(name)
            if row and row.measure is Measure.SERIAL:
                continue
            if row and row.measure is Measure.SAMPLE_TIME:
                time = text
            elif row and (value := number(text)) is not None:
                numbers[row.name] = float(value)
            else:
                unknown.append(Point(id=str(name), name="", value=text))
        return cls(numbers=numbers, time=time, unknown=tuple(unknown))

    def point(self, name: str) -> Point:
        """Return a number as sent, for diagnostics."""
        return Point(id=name, name="", value=f"{self.numbers[name]:.15g}")


def _text(value: Any) -> str:
    """Return what a field holds, in characters that can be stored; empty where it holds nothing."""
    match value:
        case None:
            return ""
        case dict() | list():
            return type(value).__name__ if value else ""
        case int() if value.bit_length() > 128:
            return hex(value)[:40]  # Python writes no decimals of thousands of digits
    return str(value).strip().encode("ascii", "backslashreplace").decode()[:200]
