"""Writes docs/devices.md from the family tables: `python -m tests.telemetry.dyness.devices_document`."""

from collections.abc import Iterator
from pathlib import Path

from custom_components.dyness_atess.telemetry.dyness.families import FAMILIES
from custom_components.dyness_atess.telemetry.dyness.family import Family, Kind, Rule
from custom_components.dyness_atess.telemetry.dyness.names import BY_NAME

DOCUMENT = Path(__file__).parents[3] / "docs" / "devices.md"

HEAD = """# What comes from where

Which point of the Dyness cloud becomes which entities. Written by `python -m tests.telemetry.dyness.devices_document`
from the tables in `telemetry/dyness/families/`. A family is recognised by ids and vendor names together, never by the
name of the model.

Where the meaning of a row comes from:

| | |
|---|---|
| name | the vendor's name of the point in a recorded answer; … stands for an end that nobody has seen |
| field | the name of the field |
| seen | public code uses it, with plausible values; the vendor's name is not known |
| place | its place in the vendor's protocol, or one report; nobody has confirmed it |

A point whose vendor name has another meaning is not used. If its name is unknown and everything else fits, the id alone
decides, and a repair says so.

Calculated from these: `power` (voltage x current of the same sample), `status`, `charging`, `cell_voltage_spread`,
highest and lowest of single cells, `alarm`, `warning`, `energy_rated`, `energy_remaining`, and `energy_charged` and
`energy_discharged` where the battery does not count them.
"""

BY_NAME_HEAD = """## Models that nobody has seen yet

Where no table fits, values with these vendor names are read, and a repair says so. Width, case, spaces, script, colon
and unit of a name do not matter. Current, power and energies are shown once the state of charge has shown which sign is
charging.

| name | entities |
|---|---|
"""

TITLES = {
    "low_voltage": """Low voltage
DL5.0C, PowerHaus, PowerBox Pro, PowerBox G2 (A), PowerDepot H5B and G2, PowerBrick (A); from 4500 on Junior Box only.
Positive while charging in the cloud.""",
    "module": """Low-voltage module
Each module behind those; and the master itself on PowerBrick SC and Plus, PowerBrick (B), PowerBox G2 (B), where the
values are those of that one module. Positive while charging in the cloud.""",
    "high_voltage": """High voltage
Tower T14, T17, T21, Tower Pro, Stack100. Positive while charging in the cloud. The cell's place in its module is as
the cloud has it: a T21 always says 1.""",
    "high_voltage_module": """High-voltage module
Boxes of 30 or 16 cells, if the tower lets them be read.""",
    "cygni": """Cygni
Hybrid inverter. Negative while charging in the cloud. Rows without a number are fields of the running data. The sign of
the grid's power is turned, so that import is positive.""",
}

SEEN = {
    "low_voltage": {"4600", "4700", "4800", *map(str, range(5200, 8000, 100)), "999999"},
    "module": {
        *("10100", "12400", "12500", "12600", "13400", "13500", "13900"),
        *map(str, range(10300, 11900, 100)),
        *map(str, range(14300, 15900, 100)),
    },
    "high_voltage": {"2500", "2600", "2800", "2900", "3000", "3300", "9999999", *map(str, range(4400, 5000, 100))},
    "high_voltage_module": {str(point) for point in range(11200, 15100, 100)},
    "cygni": {
        "164",
        "165",
        "166",
        "170",
        "171",
        "172",
        "195-196",
        "197",
        "198-199",
        "200",
        "2003",
        "2004",
        "2005",
        "2010",
    }
    | {"2011", "pvPower", "gridPower"},
}
"""Points without a name that dyness-api 6 marks as in use."""


def document() -> str:
    """Return the whole document."""
    parts = [HEAD, *(section(family) for family in FAMILIES)]
    names = sorted(f"| {rule.name} | {keys(rule)} |" for rule in BY_NAME.values() if rule.keys)
    return "\n".join((*parts, BY_NAME_HEAD + "\n".join(names) + "\n"))


def section(family: Family) -> str:
    """Return the table of one family."""
    title, _, models = TITLES.get(family.name, family.name).partition("\n")
    return f"## {title}\n\n{models}\n\n| point | entities | from |\n|---|---|---|\n" + "\n".join(rows(family)) + "\n"


def rows(family: Family) -> Iterator[str]:
    """Return a row for each point, and one for each run of cells."""
    for series in family.series:
        rules = list(series.rules)
        first, last = rules[0], rules[-1]
        shown = keys(first) if keys(first) == keys(last) else f"{keys(first)} to {keys(last)}"
        counted = f"{first.id} to {last.id}, as many as {series.count_id} says"
        yield f"| {counted} | {shown} | {certainty(family, first)} |"
    for rule in (*family.rules, *family.running):
        if keys(rule):
            yield f"| {rule.id} | {keys(rule)} | {certainty(family, rule)} |"
        elif rule.kind is Kind.SAMPLE_TIME:
            yield f"| {rule.id} | `last_report`, `online` | {certainty(family, rule)} |"


def keys(rule: Rule) -> str:
    """Return the entities of a point."""
    return ", ".join(dict.fromkeys(f"`{key}`" for key in rule.keys if key))


def certainty(family: Family, rule: Rule) -> str:
    """Return how sure a row is."""
    if rule.name:
        return f"name: {rule.name}"
    if rule.id in SEEN.get(family.name, ()):
        return "seen"
    return "field" if rule in family.running else "place"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
