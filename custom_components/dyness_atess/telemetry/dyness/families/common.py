"""What the tables share."""

from ..family import Kind, rule

HEAD = (
    rule("T", "数据采集时间", Kind.SAMPLE_TIME),
    rule("SUB", "子设备列表", Kind.SERIALS),
    rule("TIME", "子设备最后一包时间", Kind.UNUSED),
)
"""Points of all batteries (dyness-api 6.0)."""

RESERVED = "空"
"""The name of a bit without meaning."""
