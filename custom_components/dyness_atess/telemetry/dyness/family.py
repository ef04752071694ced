"""The columns of a family table."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
import math

from ..raw import Point
from ..vocabulary import Key
from .points import normalised


class Kind(Enum):
    """How the text of a point becomes a value, and within which bounds it can be true."""

    NUMBER = auto(), -1e6, 1e6
    REVERSED = auto(), -1e6, 1e6
    """A number whose sign is the other way round here."""
    ENERGY = auto(), 0, 1e8
    """kWh; never negative."""
    COUNT = auto(), 0, 1e6, True
    PERCENTAGE = auto(), 0, 100
    CELL_VOLTAGE = auto(), 1, 5
    TEMPERATURE = auto(), -60, 150
    FLAG = auto(), -math.inf, math.inf
    POSITION = auto(), 0x0100, 0xFFFF, True
    """Two numbers in one: high byte for the first key, low byte for the second."""
    LIMIT_STATE = auto(), 0, 0xFF, True
    """0 for normal, 1 below the limit (first key), 2 above it (second key); anything else is some other trouble."""
    BITS = auto(), 0, 0xFFFF, True
    """A byte; each key is a flag, the lowest bit's first, None for a bit without meaning."""
    SAMPLE_TIME = auto(), None, None
    SERIALS = auto(), None, None
    FIRMWARE = auto(), None, None
    UNUSED = auto(), None, None
    """Known, and of no use to anybody."""

    def __init__(self, _: int, low: float | None, high: float | None, whole: bool = False) -> None:
        self.low = low
        """None where it is no number."""
        self.high = high
        self.whole = whole


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a point is meant only where its id and its vendor name agree."""

    id: str
    name: str | None
    """Vendor name; None where no source has it."""
    kind: Kind
    keys: tuple[Key | None, ...] = ()
    fallback: bool = False
    """Whether the value counts only where no other point gives it."""


def rule(point_id: str, name: str | None, kind: Kind, *keys: Key | None, fallback: bool = False) -> Rule:
    """Write one row."""
    return Rule(point_id, name if name is None else normalised(name), kind, keys, fallback)


@dataclass(frozen=True, kw_only=True)
class Series:
    """A run of points, one for each cell or probe, of which as many are real as another point counts."""

    first: int
    """Id of the first; the next are each 100 further."""
    count_id: str
    kind: Kind
    keys: Sequence[tuple[Key, ...]]
    """Keys of each."""
    uncounted: int = 0
    """How many of those counted are not of this run."""

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """A rule for each, whether it is real or not."""
        return tuple(
            Rule(str(self.first + 100 * number), None, self.kind, keys) for number, keys in enumerate(self.keys)
        )


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
    series: Sequence[Series] = ()
    is_module: bool = False
    """Whether it is what a module behind a master speaks; some masters speak it too."""
    nominal_cell_voltage: float = 3.2
    """V of a lithium iron phosphate cell, which all known families have."""
    station_is_total: bool = False
    """Whether `station/info` is known to have the capacity of all of it (dyness-api 8)."""
    running: Sequence[Rule] = ()
    """Fields of `getLastRunningDataBySn` for what the points leave out (dyness-api 3.5); empty where nothing is."""

    @cached_property
    def by_id(self) -> dict[str, Rule]:
        """Rules by point id."""
        from_series = (rule for series in self.series for rule in series.rules)
        return {rule.id: rule for rule in (*from_series, *self.rules)}

    @cached_property
    def count_ids(self) -> frozenset[str]:
        """Ids of the points that count cells or probes."""
        return frozenset(series.count_id for series in self.series)

    def rule_for(self, point: Point) -> Rule | None:
        """Return the rule that `point` falls under; a point without a name goes by its id."""
        found = self.by_id.get(point.id)
        if found is None or (point.name and found.name is not None and found.name != point.name):
            return None
        return found
