"""Which family a device's points are of, and which rule each of them falls under."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from ..raw import Point, number
from .families import FAMILIES
from .families.words import BATTERY_WORDS
from .family import FILLERS, Family, Kind, Rule
from .names import BY_NAME, MEANINGS, contradicts, normalised

read_number = lru_cache(maxsize=4096)(number)

NAMED = Family(name="by_name", rules=(), essential=frozenset(), current_sign=-1, idle_current=0.5)
"""In place of a family where only vendor names say what the points mean."""


def plausible(kind: Kind, value: float) -> bool:
    """Return whether a number can be true."""
    return kind.low <= value <= kind.high and value not in kind.fillers and not (kind.whole and value % 1)


@dataclass(kw_only=True, slots=True)
class Match:
    """What the table of a family makes of points."""

    family: Family
    rules: Sequence[Rule | None]
    """The rule of each point."""
    by_position: bool = False
    """Whether names that no table has are taken for those of the table."""
    score: int = 0
    """Points that fit, less those that are something else than in the table; 0 where an essential one is missing."""
    is_part: bool = False
    """Whether they can be some of the points of a device that is known to be of this family."""


def recognise(points: list[Point], known: Family | None) -> Match | None:
    """Return the family whose table fits the ids and vendor names of `points`.

    Ids collide between families (dyness-api 6.0), so a known id under another name speaks against a family. The one
    that is `known` is kept until the points clearly say another.
    """
    first = _match(known, points) if known else None
    if first and first.score > len(points) / 2 and not first.by_position:
        return first
    others = (_match(family, points) for family in FAMILIES if family is not known)
    best = max(filter(None, (first, *others)), key=lambda match: match.score, default=None)
    if best and best.score > 0:
        return best
    return first if first and first.is_part else _by_name(points)


class _Fit(Enum):
    NAMED = auto()
    """Id and name agree."""
    NUMBERED = auto()
    """There are no two names to compare."""
    PLACED = auto()
    """No table has the name; the id may still be right."""
    REFUSED = auto()
    """The name says something else than the id."""


@lru_cache(maxsize=8192)
def _fit(family: Family, point_id: str, name: str) -> tuple[Rule | None, _Fit]:
    rule = family.by_id.get(point_id)
    if rule is None:
        return None, _Fit.NUMBERED
    own = normalised(rule.name) if rule.name else ""
    if own.endswith("..."):  # as NFKC writes it
        needed = name.startswith(own.removesuffix("...")) and not contradicts(name, rule)
        return (rule, _Fit.NAMED) if needed else (None, _Fit.REFUSED if name else _Fit.NUMBERED)
    if not name:
        return rule, _Fit.NUMBERED
    meanings = MEANINGS.get(name, ())
    if name == own or any(rule.keys and meaning.keys == rule.keys for meaning in meanings):
        return rule, _Fit.NAMED
    if meanings or contradicts(name, rule):
        return None, _Fit.REFUSED
    return rule, _Fit.PLACED if own and rule.keys else _Fit.NUMBERED


def _doubtful(kind: Kind, value: float | None) -> bool:
    """Return whether a point can hardly be what its id says. Zeros and fillers say nothing, but a count is a count."""
    if kind.is_text or value == 0:
        return False
    if value is None or value in FILLERS:
        return kind.whole
    return not plausible(kind, value)


def _match(family: Family, points: list[Point], *, by_position: bool = True) -> Match | None:
    """Return what the table makes of the points; None where what would count cells is a cell's voltage itself.

    The modules of towers and those of low-voltage batteries have the same ids for different cells, and no names. With
    `by_position`, names that no table has are taken for those of the table, where hardly anything speaks against it.
    """
    rules: list[Rule | None] = []
    conflicting, placed, impossible = set(), set(), 0
    for point in points:
        rule, fit = _fit(family, point.id, point.name)
        if rule and fit is not _Fit.NAMED and (fit is _Fit.PLACED or point.id in family.telling_ids):
            value = read_number(point.value)
            if point.id in family.count_ids and value and value % 1 and plausible(Kind.CELL_VOLTAGE, value):
                return None
            doubtful = _doubtful(rule.kind, value)
            if (doubtful and point.id in family.essential) or (fit is _Fit.PLACED and not by_position):
                rule, fit = None, _Fit.REFUSED
            elif fit is _Fit.PLACED:
                placed.add(point.id)
                impossible += doubtful
        if fit is _Fit.REFUSED:
            conflicting.add(point.id)
        rules.append(rule)
    fitting = {point.id for point, rule in zip(points, rules, strict=True) if rule}
    conflicting -= fitting
    if placed and (10 * len(conflicting) > len(fitting) or 4 * impossible > len(placed)):
        return _match(family, points, by_position=False)
    return Match(
        family=family,
        rules=rules,
        by_position=bool(placed),
        score=len(fitting) - len(conflicting) if family.essential <= fitting else 0,
        is_part=not (placed or conflicting & family.essential) and len(fitting) > len(conflicting),
    )


def _by_name(points: list[Point]) -> Match | None:
    """Return what vendor names give away where no table fits, if they are those of a battery."""
    rules = [BY_NAME.get(point.name) for point in points]
    for point, rule in zip(points, rules, strict=True):
        if rule and rule.keys and any(word in point.name for word in BATTERY_WORDS.split("|")):
            return Match(family=NAMED, rules=rules)
    return None
