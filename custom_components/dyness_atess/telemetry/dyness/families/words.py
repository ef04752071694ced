"""Vendor names that no table holds, and the plain words that the vendor's names are made of."""

from ...vocabulary import Key
from ..family import Kind, rule

WORDS = (
    rule("", "平均SOC", Kind.PERCENTAGE, Key.SOC),
    rule("", "电池SOC", Kind.PERCENTAGE, Key.SOC),
    rule("", "电池SOH", Kind.PERCENTAGE, Key.SOH),
    rule("", "电压", Kind.NUMBER, Key.VOLTAGE),
    rule("", "总电压", Kind.NUMBER, Key.VOLTAGE),
    rule("", "电池电压", Kind.NUMBER, Key.VOLTAGE),
    rule("", "电池电流", Kind.NUMBER, Key.CURRENT),
    rule("", "温度", Kind.TEMPERATURE, Key.BATTERY_TEMPERATURE),
    rule("", "电池温度", Kind.TEMPERATURE, Key.BATTERY_TEMPERATURE),
    rule("", "循环次数", Kind.COUNT, Key.CYCLES),
    rule("", "累计放电电量", Kind.ENERGY, Key.ENERGY_DISCHARGED),
    rule("", "总报警", Kind.FLAG, Key.ALARM),
)
