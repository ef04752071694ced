"""What a vendor name says, however it is written."""

from collections import defaultdict
from functools import lru_cache
import re
import unicodedata

from .families import FAMILIES
from .families.common import RESERVED
from .families.words import ALSO, BATTERY_WORDS, QUANTITIES, SIMPLIFIED, TRADITIONAL, UNITS, WORDS
from .family import Rule

_LONGEST = 100
_SIMPLER = str.maketrans(TRADITIONAL + "[]", SIMPLIFIED + "()")
_WITH_UNIT = re.compile(r"(.+)\(([^()]+)\)")
_SPOKEN = {word: quantity for quantity, words in QUANTITIES.items() for word in words.split("|")}
_SPOKEN |= {f"({unit})": quantity for unit, quantity in UNITS.items()}
_FOREIGN = [word for word, quantity in _SPOKEN.items() if quantity == "other"]


@lru_cache(maxsize=2048)
def normalised(name: str) -> str:
    """Return a vendor name without differences of width, case, spaces and script, without a colon or its unit."""
    folded = "".join(unicodedata.normalize("NFKC", name[:_LONGEST]).casefold().split()).translate(_SIMPLER).rstrip(":")
    if match := _WITH_UNIT.fullmatch(folded):
        said, unit = _last_quantity(match[1]), UNITS.get(match[2])
        if unit and said in (None, unit, *ALSO.get(unit, ())):
            return match[1].rstrip(":")
    return folded


def _last_quantity(name: str) -> str | None:
    """Return the quantity that a name speaks of: that of the word that ends last, the longest of those."""
    found = max(((name.rfind(word) + len(word), len(word), word) for word in _SPOKEN if word in name), default=None)
    return _SPOKEN[found[2]] if found else None


def _meanings() -> dict[str, tuple[Rule, ...]]:
    meanings: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in (*WORDS, *(rule for family in FAMILIES for rule in family.rules)):
        if rule.name:
            meanings[normalised(rule.name)].append(rule)
    return {name: tuple(rules) for name, rules in meanings.items()}


MEANINGS = _meanings()
"""What a name means in any table."""

BY_NAME = {
    name: rules[0]
    for name, rules in MEANINGS.items()
    if name != RESERVED and len({(rule.kind, rule.keys) for rule in rules}) == 1
}
"""What names give away where no table fits: those that mean the same everywhere."""


def is_battery(name: str) -> bool:
    """Return whether a name is one that only a battery has."""
    return any(word in name for word in BATTERY_WORDS)


def contradicts(name: str, rule: Rule, otherwise: str | None = None) -> bool:
    """Return whether a name that no table has speaks of something else than what a rule reads, or than `otherwise`."""
    said, meant = _last_quantity(name), rule.kind.quantity or otherwise
    if said is None or not rule.keys:
        return False
    if meant is None:
        return said == "other"
    return meant not in (said, *ALSO.get(said, ())) or any(word in name for word in _FOREIGN)


def is_only(name: str, quantity: str | None) -> bool:
    """Return whether a name is nothing but that of a quantity, which any of its points may have."""
    return quantity is not None and _SPOKEN.get(name) == quantity
