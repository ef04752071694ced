"""One table per device family: which point stands for which quantity."""

from ..family import Family
from .cygni import CYGNI
from .high_voltage import HIGH_VOLTAGE, HIGH_VOLTAGE_MODULE
from .low_voltage import LOW_VOLTAGE
from .module import MODULE

FAMILIES: tuple[Family, ...] = (CYGNI, HIGH_VOLTAGE, HIGH_VOLTAGE_MODULE, LOW_VOLTAGE, MODULE)
