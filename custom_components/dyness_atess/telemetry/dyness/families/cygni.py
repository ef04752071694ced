"""The Cygni hybrid inverter (dyness-api 6.6 and 3.5). No source has the vendor's names of its points."""

from ...vocabulary import Key
from ..family import Family, Kind, rule
from .common import HEAD

CYGNI = Family(
    name="cygni",
    essential=frozenset({"170", "171", "2010"}),
    # Negative while charging, unlike every battery (dyness-api 10.9).
    current_sign=1,
    idle_current=0.2,
    rules=(
        *HEAD,
        rule("164", None, Kind.TEMPERATURE, Key.INTERNAL_TEMPERATURE),
        rule("165", None, Kind.TEMPERATURE, Key.HEATSINK_TEMPERATURE),
        rule("166", None, Kind.TEMPERATURE, Key.POWER_MODULE_TEMPERATURE),
        rule("170", None, Kind.BATTERY_VOLTAGE, Key.VOLTAGE),
        rule("171", None, Kind.CURRENT, Key.CURRENT),
        rule("172", None, Kind.POWER, Key.POWER),
        # Sources contradict each other about its numbers (dyness-api 7).
        rule("173", None, Kind.UNUSED),
        rule("195-196", None, Kind.ENERGY, Key.ENERGY_CHARGED),
        rule("197", None, Kind.ENERGY, Key.ENERGY_CHARGED_TODAY),
        rule("198-199", None, Kind.ENERGY, Key.ENERGY_DISCHARGED),
        rule("200", None, Kind.ENERGY, Key.ENERGY_DISCHARGED_TODAY),
        rule("2003", None, Kind.TEMPERATURE, Key.BATTERY_TEMPERATURE),
        rule("2004", None, Kind.CURRENT, Key.CHARGE_CURRENT_LIMIT),
        rule("2005", None, Kind.CURRENT, Key.DISCHARGE_CURRENT_LIMIT),
        rule("2010", None, Kind.SOC, Key.SOC),
        rule("2011", None, Kind.SOH, Key.SOH),
    ),
    station_is_total=True,
    running=(
        rule("pvPower", None, Kind.POWER, Key.PV_POWER),
        *(
            rule(f"pv{number}{quantity.name.capitalize()}", None, quantity, Key(f"pv{number}_{quantity.name.lower()}"))
            for number in range(1, 5)
            for quantity in (Kind.VOLTAGE, Kind.CURRENT, Kind.POWER)
        ),
        rule("loadPower", None, Kind.POWER, Key.LOAD_POWER),
        # Positive while exporting in the cloud, while importing in Home Assistant.
        rule("gridPower", None, Kind.POWER, Key.GRID_POWER, sign=-1),
        # What the inverter puts out, which some take for the grid's.
        rule("activePower", None, Kind.POWER, Key.OUTPUT_POWER),
        rule("totalGeneration", None, Kind.ENERGY, Key.PV_ENERGY),
        rule("dayGeneration", None, Kind.ENERGY, Key.PV_ENERGY_TODAY),
        rule("totalBuyEnergy", None, Kind.ENERGY, Key.ENERGY_IMPORTED),
        rule("buyEnergy", None, Kind.ENERGY, Key.ENERGY_IMPORTED_TODAY),
        rule("totalSellEnergy", None, Kind.ENERGY, Key.ENERGY_EXPORTED),
        rule("sellEnergy", None, Kind.ENERGY, Key.ENERGY_EXPORTED_TODAY),
    ),
)
