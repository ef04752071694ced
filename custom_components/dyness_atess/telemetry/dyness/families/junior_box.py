"""What the Junior Box adds to the low-voltage points: PV, outputs and counters (dyness-api 6.2).

No source has the vendor's names; the ids are beyond those of every other low-voltage model.
"""

from ...vocabulary import Key
from ..family import Kind, rule

JUNIOR_BOX = (
    rule("310", None, Kind.UNUSED),
    rule("4500", None, Kind.UNUSED),
    rule("4600", None, Kind.VOLTAGE, Key.PV_VOLTAGE),
    rule("4700", None, Kind.CURRENT, Key.PV_CURRENT),
    # Of the one tracker; 5900 is the total where both are there.
    rule("4800", None, Kind.POWER, Key.PV_POWER, fallback=True),
    # The battery's side of the tracker.
    rule("4900", None, Kind.VOLTAGE, Key.MPPT_VOLTAGE),
    rule("5000", None, Kind.CURRENT, Key.MPPT_CURRENT),
    rule("5100", None, Kind.POWER, Key.MPPT_POWER),
    rule("5200", None, Kind.VOLTAGE, Key.OUTPUT_1_VOLTAGE),
    rule("5300", None, Kind.CURRENT, Key.OUTPUT_1_CURRENT),
    rule("5400", None, Kind.POWER, Key.OUTPUT_1_POWER),
    rule("5500", None, Kind.VOLTAGE, Key.OUTPUT_2_VOLTAGE),
    rule("5600", None, Kind.CURRENT, Key.OUTPUT_2_CURRENT),
    rule("5700", None, Kind.POWER, Key.OUTPUT_2_POWER),
    rule("5800", None, Kind.VOLTAGE, Key.BUS_VOLTAGE),
    rule("5900", None, Kind.POWER, Key.PV_POWER),
    # Battery power of unknown sign: voltage x current of the same sample is shown instead.
    rule("6000", None, Kind.UNUSED),
    rule("6100", None, Kind.POWER, Key.OUTPUT_POWER),
    # State, error code, EMS mode and protocol, whose numbers no source explains.
    *(rule(str(point), None, Kind.UNUSED) for point in (6200, 6300, 6400, 6700)),
    rule("6500", None, Kind.POWER, Key.POWER_LIMIT),
    rule("6600", None, Kind.PERCENTAGE, Key.DISCHARGE_DEPTH),
    rule("6900", None, Kind.TEMPERATURE, Key.HEATSINK_TEMPERATURE),
    rule("7000", None, Kind.TEMPERATURE, Key.AMBIENT_TEMPERATURE),
    rule("7100", None, Kind.ENERGY, Key.ENERGY_CHARGED),
    rule("7200", None, Kind.ENERGY, Key.ENERGY_CHARGED_TODAY),
    rule("7300", None, Kind.ENERGY, Key.ENERGY_DISCHARGED),
    rule("7400", None, Kind.ENERGY, Key.ENERGY_DISCHARGED_TODAY),
    rule("7500", None, Kind.ENERGY, Key.PV_ENERGY),
    rule("7600", None, Kind.ENERGY, Key.PV_ENERGY_TODAY),
    rule("7700", None, Kind.ENERGY, Key.OUTPUT_ENERGY),
    rule("7800", None, Kind.ENERGY, Key.OUTPUT_ENERGY_TODAY),
    rule("7900", None, Kind.UNUSED),
    rule("8000", None, Kind.UNUSED),
    # Times of use: settings.
    *(
        rule(str(group + offset), None, Kind.UNUSED)
        for group in (8100, 8500, 8900, 9300)
        for offset in (0, 100, 200, 300)
    ),
    rule("999999", None, Kind.ANY, Key.ALARM),
)
