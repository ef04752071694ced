"""The columns of a family table."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
import math

from ..vocabulary import Key

FILLERS = frozenset({255, 65535, 6553.5, 655.35, 65.535, -32768, -3276.8, -327.68, -32.768})
"""What 8 and 16 bits without a value make of a number."""


class Kind(Enum):
    """How the text of a point becomes a value, what it measures, and within which bounds it can be true."""

    VOLTAGE = auto(), "voltage", 0, 1500
    BATTERY_VOLTAGE = auto(), "voltage", 0.1, 1500
    CELL_VOLTAGE = auto(), "voltage", 1, 5
    CURRENT = auto(), "current", -1000, 1000
    POWER = auto(), "power", -100_000, 100_000
    ENERGY = auto(), "energy", 0, 1e7
    """kWh"""
    CAPACITY = auto(), "capacity", 0, 50_000
    """Ah"""
    TEMPERATURE = auto(), "temperature", -60, 150
    SOC = auto(), "soc", 0, 100
    SOH = auto(), "soh", 0, 100
    PERCENTAGE = auto(), "ratio", 0, 100
    COUNT = auto(), "count", 0, 1e5, True
    MODULES = auto(), "count", 1, 128, True
    SIGNAL = auto(), None, -120, -1
    """dBm"""
    MODULE = auto(), None, 1, 128, True
    """Number of a module."""
    PLACE = auto(), None, 1, 30, True
    """Number of a cell or probe in its module."""
    POSITION = auto(), None, 0x0101, 0x801E, True
    """Two numbers in one: high byte for the first key, low byte for the second."""
    FLAG = auto(), None, 0, 1, True
    ANY = auto(), "state", 0, 0xFFFE, True
    """A flag, on for whatever is not 0."""
    LIMIT_STATE = auto(), None, 0, 0xFE, True
    """0 for normal, 1 below the limit (first key), 2 above it (second key); anything else is some other trouble."""
    BITS = auto(), None, 0, 0xFE, True
    """A byte; each key is a flag, the lowest bit's first, None for a bit without meaning."""
    BATTERY_STATUS = auto(), None, 0, 0x1F, True
    """The byte of the vendor's CAN document: what it does in three bits, and two requests."""
    SAMPLE_TIME = auto(), None, math.nan, math.nan
    SERIALS = auto(), None, math.nan, math.nan
    FIRMWARE = auto(), None, math.nan, math.nan
    UNUSED = auto(), None, math.nan, math.nan
    """Known, and of no use to anybody."""

    def __init__(self, _: int, quantity: str | None, low: float, high: float, whole: bool = False) -> None:
        self.quantity = quantity
        """What its vendor name must speak of, if of anything (`families/words.py`)."""
        self.low = low
        self.high = high
        self.whole = whole
        # There can be 255 volts, watts or cycles.
        self.fillers = FILLERS if quantity in (None, "state") else FILLERS - {255}
        self.is_text = math.isnan(low)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One row."""

    id: str
    name: str | None
    """Vendor name; None where no source has it. With "…" behind it only its beginning is known, and it is needed."""
    kind: Kind
    keys: tuple[Key | None, ...] = ()
    fallback: bool = False
    """Whether the value counts only where no other point gives it."""
    sign: int = 1
    """-1 where the cloud has the sign the other way round."""


def rule(point_id: str, name: str | None, kind: Kind, *keys: Key | None, fallback: bool = False, sign: int = 1) -> Rule:
    """Write one row."""
    return Rule(point_id, name, kind, keys, fallback, sign)


@dataclass(frozen=True, kw_only=True, eq=False)
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
    always_counted: bool = True
    """Whether their number is unknown without that point."""

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """A rule for each, whether it is real or not."""
        return tuple(Rule(str(self.first + 100 * n), None, self.kind, keys) for n, keys in enumerate(self.keys))


@dataclass(frozen=True, kw_only=True, eq=False)
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
        """Ids of the points that count cells, probes or modules."""
        modules = (rule.id for rule in self.rules if rule.kind is Kind.MODULES)
        return frozenset((*(series.count_id for series in self.series), *modules))

    @cached_property
    def telling_ids(self) -> frozenset[str]:
        """Ids of the points whose numbers tell whether it is this family."""
        return self.essential | self.count_ids
