"""From points to a Reading, with the table of the family that the points show themselves to be of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ..raw import Point, number
from ..reading import Reading, Value
from ..vocabulary import Key
from .derive import derive
from .families import BY_NAME, FAMILIES
from .family import Family, Kind, Rule
from .points import read_points

READ_BY_NAME = "by_name"
"""In place of a family's name where only vendor names told what the points mean."""

_NAMED = Family(name=READ_BY_NAME, rules=(), essential=frozenset(), current_sign=-1, idle_current=0.5)
"""Every battery family is positive while charging (dyness-api 10.9)."""

_BY_NAME = {family.name: family for family in FAMILIES}
_KNOWN_IDS = frozenset(point_id for family in FAMILIES for point_id in family.by_id)

_number = lru_cache(maxsize=4096)(number)


@dataclass(kw_only=True, slots=True)
class _Match:
    """What the table of a family makes of points."""

    family: Family
    rules: list[Rule | None]
    """The rule of each point."""
    fitting: set[str]
    """Ids of points that a rule uses."""
    conflicting: set[str]
    """Ids of points that the family knows by another name."""


def decode(data: Any, known_family: str | None = None) -> Reading:
    """Decode the `data` of one `realTime/data` answer, whatever it is. Never raises.

    Args:
        data: the answer.
        known_family: what the device was last recognised as; it stays that until its points clearly say another.
    """
    points = read_points(data)
    match = recognise(points, known_family) or _named(points)
    if match is None:
        return Reading(unknown=tuple(points))
    sample = _Sample(family=match.family)
    unknown = sample.use(points, match.rules)
    derive(match.family, sample.counts, sample.values, sample.flags)
    if sample.sampled_at:
        sample.values[Key.LAST_REPORT] = sample.sampled_at
    return Reading(
        family=match.family.name,
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
    rules = {rule.id: rule for rule in family.running}
    points = read_points([{"pointId": name, "pointValue": value} for name, value in data.items()])
    sample = _Sample(family=_NAMED)
    sample.use(points, [rules.get(point.id) for point in points])
    return sample.values


def family_by_name(name: str | None) -> Family | None:
    """Return the family with this name."""
    return _BY_NAME.get(name) if name else None


def recognise(points: list[Point], known_family: str | None = None) -> _Match | None:
    """Return the family whose table fits the ids and vendor names of `points`.

    Ids collide between families (dyness-api 6.0), so a known id under another name speaks against a family.
    """
    known = _match(family, points) if (family := family_by_name(known_family)) else None
    if (
        known
        and known.family.essential <= known.fitting
        and all(rule or point.id not in _KNOWN_IDS for point, rule in zip(points, known.rules, strict=True))
    ):
        return known  # It fits wholly: no other family knows a point that this one does not.
    best, best_score = None, 0
    for family in FAMILIES:
        match = known if known and known.family is family else _match(family, points)
        if match and family.essential <= match.fitting:
            score = len(match.fitting) - len(match.conflicting)
            if score > best_score:
                best, best_score = match, score
    if best is None and known and len(known.fitting) > len(known.conflicting):
        return known
    return best


def _match(family: Family, points: list[Point]) -> _Match | None:
    """Return what the table makes of the points; None where what would count cells is a cell's voltage itself.

    The modules of towers and those of low-voltage batteries have the same ids for different cells, and no names.
    """
    rules, fitting, conflicting = [], set(), set()
    by_id, counts = family.by_id, family.count_ids
    for point in points:
        rule = by_id.get(point.id)
        if rule:
            if point.name and rule.name and rule.name != point.name:
                rule = None
                conflicting.add(point.id)
            else:
                fitting.add(point.id)
                if point.id in counts and (count := _number(point.value)) is not None and not float(count).is_integer():
                    return None
        rules.append(rule)
    return _Match(family=family, rules=rules, fitting=fitting, conflicting=conflicting - fitting)


def _named(points: list[Point]) -> _Match | None:
    """Return what vendor names give away where no table fits."""
    rules = [BY_NAME.get(point.name) for point in points]
    if not any(rule and rule.keys for rule in rules):
        return None
    return _Match(family=_NAMED, rules=rules, fitting=set(), conflicting=set())


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

    def use(self, points: list[Point], rules: list[Rule | None]) -> list[Point]:
        """Use each point once, by its rule, and return those that none uses."""
        unknown = []
        seen = set()
        placeholders = self._placeholders(points)
        for point, rule in zip(points, rules, strict=True):
            if rule is None or point.id in seen or not (point.id in placeholders or self._take(rule, point)):
                unknown.append(point)
            else:
                seen.add(point.id)
        return unknown

    def _placeholders(self, points: list[Point]) -> set[str]:
        """Return the ids of a series beyond its count."""
        counts = {point.id: _number(point.value) for point in reversed(points) if point.id in self.family.count_ids}
        placeholders: set[str] = set()
        for series in self.family.series:
            count = counts.get(series.count_id)
            if count is not None and float(count).is_integer() and series.uncounted <= count:
                self.counts[series.count_id] = int(count) - series.uncounted
                placeholders.update(rule.id for rule in series.rules[int(count) - series.uncounted :])
        return placeholders

    def _take(self, rule: Rule, point: Point) -> bool:
        """Take the value over. False where its text is not of the rule's kind."""
        kind = rule.kind
        if kind.low is None or kind.high is None:
            return self._take_text(kind, point.value)
        value = _number(point.value)
        if value is None:
            return False
        if not kind.low <= value <= kind.high or (kind.whole and value % 1):
            self.implausible.append(point)
        elif kind is Kind.FLAG:
            self._flag(rule.keys[0], on=value != 0)
        elif kind is Kind.LIMIT_STATE:
            for state, key in enumerate(rule.keys, start=1):
                self._flag(key, on=value == state)
            if value > len(rule.keys):
                self._flag(Key.WARNING, on=True)
        elif kind is Kind.BITS:
            for bit, key in enumerate(rule.keys):
                self._flag(key, on=bool(int(value) >> bit & 1))
        elif kind is Kind.POSITION:
            for key, part in zip(rule.keys, divmod(int(value), 0x100), strict=True):
                if key:
                    self.values.setdefault(key, part)
        elif (key := rule.keys[0]) and not (rule.fallback and key in self.values):
            if kind is Kind.REVERSED:
                value = -value + 0.0  # never -0.0
            self.values[key] = int(value) if kind.whole else value
        return True

    def _take_text(self, kind: Kind, text: str) -> bool:
        if kind is Kind.SAMPLE_TIME:
            self.sampled_at = sample_time(text)
            return self.sampled_at is not None
        if kind is Kind.FIRMWARE:
            self.firmware = text
        elif kind is Kind.SERIALS:
            self.modules = tuple(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
        return True

    def _flag(self, key: Key | None, *, on: bool) -> None:
        """Turn a flag on if any of the points that feed it says so."""
        if key and (on or key not in self.flags):
            self.flags[key] = on


def sample_time(text: str) -> datetime | None:
    """Read a time stamp of the points, which is UTC and does not say so (dyness-api 9)."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if len(text) == len("2026-03-23 21:57:27") and not time.tzinfo else None
