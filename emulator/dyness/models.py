"""The models of dyness-api 5, as the device list shows them, and how their modules are built.

A code that no source has is empty here, and such a firmware is that of a relative. Cells and Ah of a module are those
that give the voltages and energies of the reference: a Tower T14 of 384 V and 37 A (dyness-api 3.3) has four boxes of
30 cells.
"""

from dataclasses import dataclass, replace
from typing import Literal

from .battery import Taper

PLAIN_MODULE = "{collector}M{number:02d}"
DYNESS_MODULE = "{collector}-DYNESS{number:02d}"
TOWER_MODULE = "{serial}-{number:02d}"
"""Forms of module serials (dyness-api 5)"""
TAPER = ((0, 0.5), (95, 0.3), (98, 0.1), (100, 0.0))
POWERDEPOT_TAPER = ((0, 0.4), (90, 0.2), (95, 0.4 / 3), (98, 0.2 / 3), (100, 0.0))
"""C; 120, 60, 40, 20 and 0 A of 300 Ah (dyness-api 6.1, point 3800)"""


@dataclass(frozen=True, kw_only=True)
class Model:
    """What all devices of a model have in common."""

    name: str
    code: str = ""
    suffix: Literal["-BMS", "-BDU", ""] = "-BMS"
    firmware: str = "2.50-71.10.11"
    cells: int = 16
    """of one module"""
    sensors: int = 4
    """temperatures of one module"""
    module_serial: str = PLAIN_MODULE
    taper: Taper = TAPER


# Low voltage.
POWERHAUS = Model(name="PowerHaus", code="145", firmware="2.50-62.0.11")
DL5 = Model(name="DL5.0C", code="15", firmware="24.9-26.8.1")
DL5_NUMBERED = replace(DL5, module_serial=DYNESS_MODULE)
POWERBOX_PRO = Model(name="PowerBox Pro", code="16", firmware="24.9-26.9.1")
POWERDEPOT_H5B = Model(name="PowerDepot H5B", code="21")
POWERDEPOT_G2 = Model(name="PowerDepot G2", code="144", taper=POWERDEPOT_TAPER)
POWERBOX_G2 = Model(name="PowerBox G2", code="42")
POWERBRICK = Model(name="PowerBrick", code="43")
POWERBRICK_SC = Model(name="PowerBrick SC", code="226")
POWERBRICK_PLUS = Model(name="PowerBrick Plus", code="328")
JUNIOR_BOX = Model(name="Junior Box", code="1")


# High voltage.
TOWER_T14 = Model(
    name="Tower T14", code="25", suffix="-BDU", firmware="120", cells=30, sensors=2, module_serial=TOWER_MODULE
)
TOWER_T17 = replace(TOWER_T14, name="Tower T17", code="26")
TOWER_T21 = replace(TOWER_T14, name="Tower T21", code="")
TOWER_PRO_TP7 = replace(TOWER_T14, name="Tower Pro TP7", code="7", sensors=8)
STACK100_7S = replace(TOWER_T14, name="Stack100-7S", code="50", cells=16, sensors=4)
TALLEST_TOWER = replace(TOWER_T14, name="Tower T46", code="")
"""Nobody sells it: 13 boxes of 30 cells."""

# 128 cells give the 408 V of #17.
CYGNI = Model(
    name="Cygni 10.0HS-M8",
    code="192",
    suffix="",
    firmware="21.21.208",
    cells=128,
)

# Not invented yet.
NEXT = Model(name="PowerNext 12", code="777", firmware="9.0.1")
ENIGMA = Model(name="Enigma", code="999")
