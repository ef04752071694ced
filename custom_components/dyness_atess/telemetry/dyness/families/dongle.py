"""The Wi-Fi dongle, which answers under its own serial number (dyness-api 6.4)."""

from ...vocabulary import Key
from ..family import Kind, rule

DONGLE = (rule("800000", None, Kind.SIGNAL, Key.SIGNAL_STRENGTH),)
