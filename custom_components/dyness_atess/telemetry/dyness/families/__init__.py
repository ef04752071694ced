"""One table per device family: which point stands for which quantity.

A family is whatever module of this package holds a `Family`: a new one is one new file.
"""

from collections import defaultdict
from importlib import import_module
from pkgutil import iter_modules

from ..family import Family, Rule
from ..points import normalised
from .words import WORDS

FAMILIES: tuple[Family, ...] = tuple(
    {
        found.name: found
        for module in iter_modules(__path__)
        for found in vars(import_module(f"{__name__}.{module.name}")).values()
        if isinstance(found, Family)
    }.values()
)


def _by_name() -> dict[str, Rule]:
    """Return the rules by vendor name, without names that mean different things in different families."""
    meanings: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in (*WORDS, *(rule for family in FAMILIES for rule in family.rules)):
        if rule.name:
            meanings[rule.name].append(rule)
    meanings.pop(normalised("空"), None)
    return {name: rules[0] for name, rules in meanings.items() if len({(rule.kind, rule.keys) for rule in rules}) == 1}


BY_NAME = _by_name()
"""What vendor names give away where no table fits: a model that nobody has seen yet."""
