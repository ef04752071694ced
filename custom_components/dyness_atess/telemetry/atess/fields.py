"""Every field of a PBD's record, and of an HPS's those that are certain; the vendor explains none (atess-api 5, 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, unique

from ..vocabulary import BatteryStatus, DeviceStatus as State, Key, RunMode

type Fields = tuple[Field, ...]
type States = Mapping[float, StrEnum | bool] | None


@unique
class Measure(Enum):
    """What a field holds, and between which numbers that is believed."""

    VOLTAGE = (-20.0, 1600.0)  # V, or tenths of it
    CURRENT = (-3000.0, 3000.0)  # A, or tenths of it
    TEMPERATURE = (-60.0, 150.0)  # °C, or tenths of it
    POWER = (-2e6, 2e6)  # diagnostics only: kW, W or tenths of kW, nobody knows (atess-api 5.9)
    FREQUENCY = (0.0, 70.0)  # Hz
    PERCENTAGE = (0.0, 100.0)
    CELL_VOLTAGE = (1.0, 5.0)  # V; without a battery the mean is a small negative number that arrives as 65.5
    CELL_TEMPERATURE = (-50.0, 120.0)  # whole °C
    ENERGY = (0.0, 6500.0)  # kWh; 6553.5 is a small negative number
    MINUTES = (0.0, 1500.0)
    LIFETIME = (0.0, 1e8)  # kWh or hours
    SECONDS = (0.0, 1e5)
    WHOLE = (0.0, 1e6)
    STATE = (-1.0, 1e3)
    TEXT = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One row."""

    name: str
    measure: Measure
    key: Key | None  # None for a property of the device, and for what stays in diagnostics
    part: str | None  # what must have been seen to exist; where it does not, the field is 0 for ever
    states: States


BATTERY = "battery"
OWN = ""  # the field itself shows whether its part exists


def rows(measure: Measure, part: str | None = None, states: States = None, /, **keys: Key | None) -> Fields:
    """Return fields that have all but their keys in common."""
    return tuple(
        Field(name=name, measure=measure, key=key, part=name if part == OWN else part, states=states)
        for name, key in keys.items()
    )


_STATES: dict[float, StrEnum | bool] = dict(enumerate([*State][:5]))  # 4 is a permanent error
_STATES |= {-1: State.OFFLINE, 6: State.SINGLE_PV}
_HPS_STATES = _STATES | {2: State.ON_GRID, 5: State.OFF_GRID, 7: State.SWITCHING_OFF_GRID, 8: State.SWITCHING_ON_GRID}

_BOTH: Fields = (
    *rows(Measure.TEXT, deviceSn=None, time=Key.LAST_REPORT),
    *rows(Measure.POWER, ppv=None, ppv1=None, ppv2=None, ppv3=None, pac=None),
    *rows(Measure.VOLTAGE, "pv1", vpv=Key("pv1_voltage")),
    *rows(Measure.CURRENT, "pv1", ipv=Key("pv1_current"), bipvBuck1=Key("pv1_inductor_current")),
    *rows(Measure.VOLTAGE, bvbus=Key.BUS_VOLTAGE),
    *rows(Measure.VOLTAGE, BATTERY, vbat=Key.VOLTAGE),
    *rows(Measure.CURRENT, BATTERY, ibat=Key.CURRENT),
    # Counters: of today energy and minutes, of all time energy and hours.
    *rows(Measure.ENERGY, epvToday=Key.PV_ENERGY_TODAY),
    *rows(Measure.ENERGY, BATTERY, echargeToday=Key.ENERGY_CHARGED_TODAY, edischargeToday=Key.ENERGY_DISCHARGED_TODAY),
    *rows(Measure.MINUTES, epvTimeToday=Key.PV_TIME_TODAY),
    *rows(Measure.MINUTES, BATTERY, echargeTimeToday=Key.CHARGE_TIME_TODAY),
    *rows(Measure.MINUTES, BATTERY, edischargeTimeToday=Key.DISCHARGE_TIME_TODAY),
    *rows(Measure.LIFETIME, epvTotal=Key.PV_ENERGY, epvTimeTotal=Key.PV_TIME),
    *rows(Measure.LIFETIME, BATTERY, ebatChargeTotal=Key.ENERGY_CHARGED, ebatDischargeTotal=Key.ENERGY_DISCHARGED),
    *rows(Measure.LIFETIME, BATTERY, ebatChargeTimeTotal=Key.CHARGE_TIME, ebatDischargeTimeTotal=Key.DISCHARGE_TIME),
    # What the battery's own electronics report, if any. capacity is the state of charge, not Ah, and mvpv
    # the mean of the cells; Cell is the number of a cell, not its voltage; bmsVoltStatus is a relay.
    *rows(Measure.PERCENTAGE, OWN, capacity=Key.SOC),
    *rows(Measure.CELL_VOLTAGE, OWN, mvpv=Key.CELL_VOLTAGE_AVERAGE),
    *rows(Measure.CELL_VOLTAGE, OWN, maxVolt=Key.CELL_VOLTAGE_MAX, minVolt=Key.CELL_VOLTAGE_MIN),
    *rows(Measure.CELL_TEMPERATURE, OWN, maxTemp=Key.CELL_TEMPERATURE_MAX, minTemp=Key.CELL_TEMPERATURE_MIN),
    *rows(Measure.CURRENT, OWN, maxChargeCurr=Key.CHARGE_CURRENT_LIMIT, maxDischargeCurr=Key.DISCHARGE_CURRENT_LIMIT),
    *rows(Measure.WHOLE, OWN, maxVoltCell=Key.CELL_VOLTAGE_MAX_CELL, minVoltCell=Key.CELL_VOLTAGE_MIN_CELL),
    *rows(Measure.WHOLE, OWN, maxVoltNum=Key.CELL_VOLTAGE_MAX_MODULE, minVoltNum=Key.CELL_VOLTAGE_MIN_MODULE),
    *rows(Measure.WHOLE, OWN, maxVoltGroup=Key.CELL_VOLTAGE_MAX_GROUP, minVoltGroup=Key.CELL_VOLTAGE_MIN_GROUP),
    *rows(Measure.WHOLE, OWN, maxTempNum=Key.CELL_TEMPERATURE_MAX_SENSOR, minTempNum=Key.CELL_TEMPERATURE_MIN_SENSOR),
    *rows(Measure.WHOLE, OWN, maxTempGroup=Key.CELL_TEMPERATURE_MAX_GROUP, minTempGroup=Key.CELL_TEMPERATURE_MIN_GROUP),
    *rows(Measure.WHOLE, OWN, bmsSystemStatus=Key.BMS_SYSTEM_STATUS),
    *rows(Measure.STATE, OWN, dict(enumerate([*BatteryStatus][:6])), bmsStatus=Key.BATTERY_STATUS),  # 5 is discharging
    *rows(Measure.STATE, OWN, {0: False, 1: True}, bmsVoltStatus=Key.BATTERY_RELAY),
)

_PBD: Fields = (
    # There is neither vpv1 nor ipv1 nor ipv2.
    *rows(Measure.VOLTAGE, "pv2", vpv2=Key("pv2_voltage")),
    *rows(Measure.CURRENT, "pv2", ipv2dc=Key("pv2_current"), bipvBuck2=Key("pv2_inductor_current")),
    *rows(Measure.VOLTAGE, "pv3", vpv3=Key("pv3_voltage")),
    *rows(Measure.CURRENT, "pv3", ipv3=Key("pv3_current"), bipvBuck3=Key("pv3_inductor_current")),
    *rows(Measure.VOLTAGE, "pv4", vpv4=Key("pv4_voltage")),
    *rows(Measure.CURRENT, "pv4", ipv4=Key("pv4_current"), bipvBuck4=Key("pv4_inductor_current")),
    *rows(Measure.VOLTAGE, "pv5", vpv5=Key("pv5_voltage")),
    *rows(Measure.CURRENT, "pv5", ipv5=Key("pv5_current"), bipvBuck5=Key("pv5_inductor_current")),
    *rows(Measure.VOLTAGE, outv=Key.OUTPUT_VOLTAGE),
    *rows(Measure.CURRENT, outi=Key.OUTPUT_CURRENT),
    *rows(Measure.CURRENT, outInductanceCurr1=Key.OUTPUT_INDUCTOR_CURRENT_1),
    *rows(Measure.CURRENT, outInductanceCurr2=Key.OUTPUT_INDUCTOR_CURRENT_2),
    *rows(Measure.POWER, ppv4=None, ppv5=None, outPower=None, pcsOutputPower=None, pcsBatChargingPower=None),
    *rows(Measure.TEMPERATURE, OWN, temp=Key.AMBIENT_TEMPERATURE, outTemp=Key.OUTPUT_CONVERTER_TEMPERATURE),
    *rows(Measure.TEMPERATURE, OWN, pvTemp=Key.PV_CONVERTER_TEMPERATURE, pvInductanceTemp=Key.PV_INDUCTOR_TEMPERATURE),
    *rows(Measure.TEMPERATURE, OWN, outInductanceTemp=Key.OUTPUT_INDUCTOR_TEMPERATURE),
    *rows(Measure.ENERGY, outDailyDischarge=Key.OUTPUT_ENERGY_TODAY),
    *rows(Measure.LIFETIME, outTotalDischarge=Key.OUTPUT_ENERGY),
    *rows(Measure.STATE, None, _STATES, status=Key.DEVICE_STATUS),
    *rows(Measure.STATE, None, {0: RunMode.NORMAL, 1: RunMode.EMS}, runModel=Key.RUN_MODE),
    *rows(Measure.SECONDS, checkTime=Key.SELF_CHECK_TIME),  # a countdown, not a time of day
    *rows(Measure.WHOLE, systemNo=Key.PARALLEL_SYSTEM_NUMBER),
)

_HPS: Fields = (
    # Where there is a pv1Volt, vpv is one half of it: of two rows with one key the last that exists counts.
    *rows(Measure.VOLTAGE, OWN, pv1Volt=Key("pv1_voltage")),
    # Nobody knows the currents of the others: where there is one, the power of all is not known.
    *rows(Measure.VOLTAGE, "pv2", vpv2=None, vpv3=None, pv2Volt=None, pv3Volt=None),
    *rows(Measure.ENERGY, eloadToday=Key.LOAD_ENERGY_TODAY),
    *rows(Measure.LIFETIME, eloadTotal=Key.LOAD_ENERGY),
    *rows(Measure.FREQUENCY, fac=Key.OUTPUT_FREQUENCY),
    # Which sensors temp1 to temp4 are is not certain.
    *rows(Measure.TEMPERATURE, OWN, temp5=Key.TRANSFORMER_TEMPERATURE, temp6=Key.AMBIENT_TEMPERATURE),
    *rows(Measure.STATE, None, _HPS_STATES, status=Key.DEVICE_STATUS),
)

FIELDS: Mapping[str, Fields] = {"pbd": _BOTH + _PBD, "hps": _BOTH + _HPS}
