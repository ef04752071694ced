"""The columns of a family table."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from .points import Point, normalised
from .vocabulary import Key


class Kind(Enum):
    """How the text of a point becomes a value, and within which bounds it can be true."""

    NUMBER = auto()
    COUNT = auto()
    PERCENTAGE = auto()
    CELL_VOLTAGE = auto()
    TEMPERATURE = auto()
    FLAG = auto()
    POSITION = auto()
    """Two numbers in one: high byte for the first key, low byte for the second."""
    SAMPLE_TIME = auto()
    SERIALS = auto()
    FIRMWARE = auto()
    UNUSED = auto()
    """Known, and of no use to anybody."""


BOUNDS = {
    Kind.NUMBER: (-1e6, 1e6),
    Kind.COUNT: (0.0, 1e6),
    Kind.POSITION: (0x0100, 0xFFFF),
    Kind.PERCENTAGE: (0.0, 100.0),
    Kind.CELL_VOLTAGE: (1.0, 5.0),
    Kind.TEMPERATURE: (-60.0, 150.0),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a point is meant only where its id and its vendor name agree."""

    id: str
    name: str | None
    """Vendor name; None where no source has it."""
    kind: Kind
    keys: tuple[Key, ...] = ()


def rule(point_id: str, name: str | None, kind: Kind, *keys: Key) -> Rule:
    """Write one row."""
    return Rule(point_id, name if name is None else normalised(name), kind, keys)


@dataclass(frozen=True, kw_only=True)
class Family:
    """A schema that several models speak."""

    name: str
    rules: Sequence[Rule]
    essential: frozenset[str]
    """Ids of points without which it is not this family."""
    current_sign: int
    """1 where the family's current is positive while discharging, -1 where it is positive while charging."""
    idle_current: float
    """A; a smaller current counts as none."""

    @cached_property
    def by_id(self) -> dict[str, Rule]:
        """Rules by point id."""
        return {rule.id: rule for rule in self.rules}

    def rule_for(self, point: Point) -> Rule | None:
        """Return the rule that `point` falls under; a point without a name goes by its id."""
        found = self.by_id.get(point.id)
        if found is None or (point.name and found.name not in (None, point.name)):
            return None
        return found
