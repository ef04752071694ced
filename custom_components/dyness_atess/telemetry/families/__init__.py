"""One table per device family: which point stands for which quantity."""

from .low_voltage import LOW_VOLTAGE

FAMILIES = (LOW_VOLTAGE,)
