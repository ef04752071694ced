"""What a vendor name says, however it is written."""

from functools import lru_cache
import re
import unicodedata

from .families import FAMILIES
from .families.words import ALSO, QUANTITIES, SIMPLIFIED, TRADITIONAL, WORDS
from .family import Rule

_LONGEST = 100
_SIMPLER = str.maketrans(TRADITIONAL + "[]", SIMPLIFIED + "()")
_WITH_UNIT = re.compile(r"(.+)(\([^()]+\))")
_QUANTITY_OF = {word: quantity for quantity, words in QUANTITIES.items() for word in words.split("|")}
_FOREIGN = QUANTITIES["other"].split("|")


@lru_cache(maxsize=2048)
def normalised(name: str) -> str:
    """Return a vendor name without differences of width, case, spaces and script, without a colon or its unit."""
    folded = "".join(unicodedata.normalize("NFKC", name[:_LONGEST]).casefold().split()).translate(_SIMPLER).rstrip(":")
    match = _WITH_UNIT.fullmatch(folded)
    unit = _QUANTITY_OF.get(match[2], "other") if match else "other"
    # In any other unit the value means something else, so that one stays part of the name.
    if match and unit != "other" and _last_quantity(match[1]) in (None, unit, *ALSO.get(unit, ())):
        return match[1].rstrip(":")
    return folded


def _last_quantity(name: str) -> str | None:
    """Return the quantity that a name speaks of: that of the word that ends last, the longest of those."""
    words = ((name.rfind(word) + len(word), len(word), word) for word in _QUANTITY_OF if word in name)
    return _QUANTITY_OF.get(max(words, default=(0, 0, ""))[2])


MEANINGS: dict[str, list[Rule]] = {}
"""What a name means in any table."""
for _rule in (*WORDS, *(rule for family in FAMILIES for rule in family.rules)):
    if _rule.name:
        MEANINGS.setdefault(normalised(_rule.name), []).append(_rule)

BY_NAME = {name: rules[0] for name, rules in MEANINGS.items() if len({(rule.kind, rule.keys) for rule in rules}) == 1}
"""What names give away where no table fits: those that mean the same everywhere."""


def contradicts(name: str, rule: Rule) -> bool:
    """Return whether a name that no table has speaks of something else than what a rule reads."""
    said, meant = _last_quantity(name), rule.kind.quantity
    if said is None or not rule.keys:
        return False
    if meant is None:
        return said == "other"
    return meant not in (said, *ALSO.get(said, ())) or any(word in name for word in _FOREIGN)
