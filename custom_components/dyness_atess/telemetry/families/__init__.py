"""One table per device family: which point stands for which quantity."""

from .by_name import BY_NAME as BY_NAME
from .cygni import CYGNI
from .high_voltage import HIGH_VOLTAGE, HIGH_VOLTAGE_MODULE
from .low_voltage import LOW_VOLTAGE
from .module import MODULE

FAMILIES = (LOW_VOLTAGE, HIGH_VOLTAGE, MODULE, HIGH_VOLTAGE_MODULE, CYGNI)
