"""From points to a Reading, with the table of the family that the points show themselves to be of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..raw import Point, number
from ..reading import Reading, Value
from ..vocabulary import Key
from .derive import derive
from .families import BY_NAME, FAMILIES
from .family import BOUNDS, Family, Kind, Rule
from .points import read_points

READ_BY_NAME = "by_name"
"""In place of a family's name where only vendor names told what the points mean."""

_NAMED = Family(name=READ_BY_NAME, rules=(), essential=frozenset(), current_sign=-1, idle_current=0.5)
"""Every battery family is positive while charging (dyness-api 10.9)."""


def decode(data: Any, known_family: str | None = None) -> Reading:
    """Decode the `data` of one `realTime/data` answer, whatever it is. Never raises.

    Args:
        data: the answer.
        known_family: what the device was last recognised as; it stays that until its points clearly say another.
    """
    points = read_points(data)
    family = recognise(points, known_family)
    if family is None and any(point.name in BY_NAME and BY_NAME[point.name].keys for point in points):
        family = _NAMED
    if family is None:
        return Reading(unknown=tuple(points))
    sample = _Sample(family=family)
    unknown = sample.use(points)
    derive(family, sample.counts, sample.values, sample.flags)
    if sample.sampled_at:
        sample.values[Key.LAST_REPORT] = sample.sampled_at
    return Reading(
        family=family.name,
        values=sample.values,
        flags=sample.flags,
        sampled_at=sample.sampled_at,
        firmware=sample.firmware,
        modules=sample.modules,
        unknown=tuple(unknown),
        implausible=tuple(sample.implausible),
    )


def decode_running(family_name: str | None, data: Mapping[str, Any]) -> dict[Key, Value]:
    """Return what the fields of `getLastRunningDataBySn` add to the points of a family (dyness-api 3.5)."""
    family = family_by_name(family_name)
    if family is None or not family.running:
        return {}
    sample = _Sample(
        family=Family(name="", rules=family.running, essential=frozenset(), current_sign=1, idle_current=0)
    )
    sample.use(read_points([{"pointId": name, "pointValue": value} for name, value in data.items()]))
    return sample.values


def family_by_name(name: str | None) -> Family | None:
    """Return the family with this name."""
    return next((family for family in FAMILIES if family.name == name), None)


def recognise(points: Iterable[Point], known_family: str | None = None) -> Family | None:
    """Return the family whose table fits the ids and vendor names of `points`.

    Ids collide between families (dyness-api 6.0), so a known id under another name speaks against a family.
    """
    points = list(points)
    possible = [family for family in FAMILIES if _counts_are_counts(family, points)]
    best, best_score = None, 0
    for family in possible:
        fitting, conflicting = _fit(family, points)
        if family.essential <= fitting and len(fitting) - len(conflicting) > best_score:
            best, best_score = family, len(fitting) - len(conflicting)
    if best is None and (known := family_by_name(known_family)) in possible:
        fitting, conflicting = _fit(known, points)
        return known if len(fitting) > len(conflicting) else None
    return best


def _fit(family: Family, points: list[Point]) -> tuple[set[str], set[str]]:
    """Return the ids of points that the family has a rule for, and of those that it knows by another name."""
    fitting = {point.id for point in points if family.rule_for(point)}
    return fitting, {point.id for point in points if point.id in family.by_id} - fitting


def _counts_are_counts(family: Family, points: list[Point]) -> bool:
    """Return whether what would count cells or probes is a whole number, and not a cell's voltage itself.

    The modules of towers and those of low-voltage batteries have the same ids for different cells, and no names.
    """
    counts = {series.count_id for series in family.series}
    values = [number(point.value) for point in points if point.id in counts]
    return all(value is None or float(value).is_integer() for value in values)


@dataclass(kw_only=True)
class _Sample:
    """What one sample has said so far."""

    family: Family
    values: dict[Key, Value] = field(default_factory=dict)
    flags: dict[Key, bool] = field(default_factory=dict)
    sampled_at: datetime | None = None
    firmware: str | None = None
    modules: tuple[str, ...] = ()
    implausible: list[Point] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """How many of each series are real, by the id of the point that says it."""

    def use(self, points: list[Point]) -> list[Point]:
        """Use each point once and return those that no rule uses."""
        unknown = []
        seen = set()
        placeholders = self._placeholders(points)
        for point in points:
            rule = None if point.id in seen else self._rule(point)
            if rule is None or not (point.id in placeholders or self._take(rule, point)):
                unknown.append(point)
            else:
                seen.add(point.id)
        return unknown

    def _rule(self, point: Point) -> Rule | None:
        return BY_NAME.get(point.name) if self.family is _NAMED else self.family.rule_for(point)

    def _placeholders(self, points: list[Point]) -> set[str]:
        """Return the ids of a series beyond its count."""
        values = {point.id: number(point.value) for point in reversed(points)}
        placeholders = set()
        for series in self.family.series:
            count = values.get(series.count_id)
            if count is not None and float(count).is_integer() and series.uncounted <= count:
                self.counts[series.count_id] = int(count) - series.uncounted
                placeholders |= {rule.id for rule in list(series.rules())[int(count) - series.uncounted :]}
        return placeholders

    def _take(self, rule: Rule, point: Point) -> bool:
        """Take the value over. False where its text is not of the rule's kind."""
        match rule.kind:
            case Kind.UNUSED:
                return True
            case Kind.SAMPLE_TIME:
                self.sampled_at = sample_time(point.value)
                return self.sampled_at is not None
            case Kind.FIRMWARE:
                self.firmware = point.value
                return True
            case Kind.SERIALS:
                self.modules = tuple(dict.fromkeys(filter(None, map(str.strip, point.value.split(",")))))
                return True
        value = number(point.value)
        if value is None:
            return False
        if _plausible(rule.kind, value):
            self._take_number(rule, value)
        else:
            self.implausible.append(point)
        return True

    def _take_number(self, rule: Rule, value: float) -> None:
        match rule.kind:
            case Kind.FLAG:
                self._flag(rule.key, on=value != 0)
            case Kind.BITS:
                for bit, key in enumerate(rule.keys):
                    self._flag(key, on=bool(int(value) >> bit & 1))
            case Kind.LIMIT_STATE:
                for state, key in enumerate(rule.keys, start=1):
                    self._flag(key, on=value == state)
                if value not in (0, 1, 2):
                    self._flag(Key.WARNING, on=True)
            case Kind.POSITION:
                for key, part in zip(rule.keys, divmod(int(value), 0x100), strict=True):
                    if key:
                        self.values.setdefault(key, part)
            case _:
                self._take_value(rule, value)

    def _flag(self, key: Key | None, *, on: bool) -> None:
        """Turn a flag on if any of the points that feed it says so."""
        if key:
            self.flags[key] = self.flags.get(key, False) or on

    def _take_value(self, rule: Rule, value: float) -> None:
        if rule.fallback and rule.key in self.values:
            return
        match rule.kind:
            case Kind.COUNT:
                value = int(value)
            case Kind.REVERSED:
                value = -value + 0.0
        self.values[rule.key] = value


def sample_time(text: str) -> datetime | None:
    """Read a time stamp of the points, which is UTC and does not say so (dyness-api 9)."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


_WHOLE = (Kind.COUNT, Kind.POSITION, Kind.BITS, Kind.LIMIT_STATE)


def _plausible(kind: Kind, value: float) -> bool:
    low, high = BOUNDS.get(kind, (value, value))
    return low <= value <= high and (kind not in _WHOLE or float(value).is_integer())
