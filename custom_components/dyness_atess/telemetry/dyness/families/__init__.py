"""One table per device family: which point stands for which quantity."""

from collections import defaultdict

from ..family import Family, Rule
from .common import RESERVED
from .cygni import CYGNI
from .high_voltage import HIGH_VOLTAGE, HIGH_VOLTAGE_MODULE
from .low_voltage import LOW_VOLTAGE
from .module import MODULE
from .words import WORDS

FAMILIES: tuple[Family, ...] = (CYGNI, HIGH_VOLTAGE, HIGH_VOLTAGE_MODULE, LOW_VOLTAGE, MODULE)


def _by_name() -> dict[str, Rule]:
    """Return the rules by vendor name, without names that mean different things in different families."""
    meanings: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in (*WORDS, *(rule for family in FAMILIES for rule in family.rules)):
        if rule.name and rule.name != RESERVED:
            meanings[rule.name].append(rule)
    return {name: rules[0] for name, rules in meanings.items() if len({(rule.kind, rule.keys) for rule in rules}) == 1}


BY_NAME = _by_name()
"""What vendor names give away where no table fits: a model that nobody has seen yet."""
