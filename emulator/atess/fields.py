"""Which field of a record shows what (atess-api 5, 6), and how its numbers are written."""

import math
import re
import struct

# What is 0 reads a little off; the second input and the battery a little below (atess-api 8, trap 4).
NOISE = {"vpv": 0.3, "vpv2": -0.5, "ibat": -0.1}
WRAPPED = 65.526
"""V: a mean cell voltage slightly below 0, read as unsigned (trap 5)"""

# Field -> what of `Pbd.truth` it shows. V, A and °C:
MEASURES = {
    "vpv": "pv1_voltage",
    "vpv2": "pv2_voltage",
    "vpv3": "pv3_voltage",
    "vpv4": "pv4_voltage",
    "vpv5": "pv5_voltage",
    "ipv": "pv1_current",
    "ipv2dc": "pv2_current",
    "ipv3": "pv3_current",
    "ipv4": "pv4_current",
    "ipv5": "pv5_current",
    "bipvBuck1": "pv1_inductor_current",
    "bipvBuck2": "pv2_inductor_current",
    "bipvBuck3": "pv3_inductor_current",
    "bipvBuck4": "pv4_inductor_current",
    "bipvBuck5": "pv5_inductor_current",
    "vbat": "voltage",
    "ibat": "current",
    "bvbus": "bus_voltage",
    "outv": "output_voltage",
    "outi": "output_current",
    "outInductanceCurr1": "output_inductor_current",
    "outInductanceCurr2": "output_inductor_current",
    "pvTemp": "pv_temperature",
    "pvInductanceTemp": "pv_inductor_temperature",
    "outTemp": "output_temperature",
    "outInductanceTemp": "output_inductor_temperature",
    "temp": "temperature",
    "maxChargeCurr": "charge_current_limit",
    "maxDischargeCurr": "discharge_current_limit",
}
# In kW, which the cloud's schema does not say:
POWERS = {
    "ppv": "pv1_power",
    "ppv1": "pv_power",
    "ppv2": "pv2_power",
    "ppv3": "pv3_power",
    "ppv4": "pv4_power",
    "ppv5": "pv5_power",
    "pac": "power",
    "outPower": "output_power",
    "pcsOutputPower": "output_power",
    "pcsBatChargingPower": "pcs_charging_power",
}
WHOLE = {
    "capacity": "soc",
    "maxTemp": "cell_temperature_max",
    "minTemp": "cell_temperature_min",
    "maxTempNum": "cell_temperature_max_module",
    "minTempNum": "cell_temperature_min_module",
    "maxVoltCell": "cell_voltage_max_cell",
    "minVoltCell": "cell_voltage_min_cell",
    "maxVoltNum": "cell_voltage_max_module",
    "minVoltNum": "cell_voltage_min_module",
}
# What only one of the two kinds has, the HPS's counters with the name that the PBD has for them:
PBD_ONLY = re.compile("out.*|pvTemp|pvInd.*|temp|checkTime|pcs.*|ipv2dc|[iv]pv[45]|ipv3|ppv[45]")
HPS_NAMES = {
    "eloadToday": "outDailyDischarge",
    "eloadTotal": "outTotalDischarge",
    "loadActivePower": "outPower",
    "temp5": "outInductanceTemp",
    "temp6": "temp",
}
GROUPS = ("maxTempGroup", "minTempGroup", "maxVoltGroup", "minVoltGroup")
# Counters with a resolution of 0.1, of which the cloud's schema types some as double and some as float:
DOUBLES = {
    "epvTotal": "pv_energy",
    "ebatChargeTotal": "energy_charged",
    "ebatDischargeTotal": "energy_discharged",
    "epvTimeToday": "pv_time_today",
    "epvTimeTotal": "pv_time",
    "ebatChargeTimeTotal": "charge_time",
    "ebatDischargeTimeTotal": "discharge_time",
}
FLOATS = {
    "epvToday": "pv_energy_today",
    "echargeToday": "energy_charged_today",
    "edischargeToday": "energy_discharged_today",
    "outDailyDischarge": "output_energy_today",
    "outTotalDischarge": "output_energy",
    "echargeTimeToday": "charge_time_today",
    "edischargeTimeToday": "discharge_time_today",
}


def single(value: float) -> float:
    """Give a number the noise of single precision: 1.9 becomes 1.899999976 (atess-api 8, trap 6)."""
    return round(float(struct.unpack("f", struct.pack("f", value))[0]), 9)


def tenths(value: float) -> float:
    """Cut to tenths; what a rounding error keeps below a tenth has reached it."""
    return math.floor(round(value * 10, 5)) / 10
