"""What vendor names give away where no table fits: a model that nobody has seen yet."""

from ..family import Kind, Rule, rule
from ..points import normalised
from ..vocabulary import Key
from .high_voltage import HIGH_VOLTAGE
from .low_voltage import LOW_VOLTAGE

# Names of dumps that no table holds, and the plain words that the vendor's names are made of.
_WORDS = (
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

BY_NAME: dict[str, Rule] = {
    found.name: found
    for found in (*HIGH_VOLTAGE.rules, *_WORDS, *LOW_VOLTAGE.rules)
    if found.name and found.name != normalised("空")
}
"""Rules by vendor name. Names of different families that mean different things are not among them."""
