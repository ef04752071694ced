"""What the tables share."""

from ...vocabulary import Key
from ..family import Kind, rule

HEAD = (
    rule("T", "数据采集时间", Kind.SAMPLE_TIME),
    rule("SUB", "子设备列表", Kind.SERIALS),
    rule("TIME", "子设备最后一包时间", Kind.UNUSED),
)
"""Points of all batteries (dyness-api 6.0)."""

DONGLE = (rule("800000", None, Kind.SIGNAL, Key.SIGNAL_STRENGTH),)
"""What the Wi-Fi dongle answers under its own serial number (dyness-api 6.4)."""
