"""Every field of a PBD's record (atess-api 5), and of an HPS's those whose meaning is certain (atess-api 6).

The vendor explains none of them. Meanings are those of the registers that the fields are copies of (atess-api 5.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, unique

from ..vocabulary import BatteryStatus, DeviceStatus, Key, RunMode

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
    ENERGY_TODAY = (0.0, 6500.0)  # kWh; 6553.5 is a small negative number
    MINUTES_TODAY = (0.0, 1500.0)
    LIFETIME = (0.0, 1e8)  # kWh or hours
    SECONDS = (0.0, 1e5)
    NUMBER = (0.0, 1e6)
    STATE = (-1.0, 1e3)
    TEXT = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One row."""

    name: str
    measure: Measure
    key: Key | None = None
    """None for a property of the device, and for what stays in diagnostics."""
    part: str | None = None
    """What must have been seen to exist: where it does not, the field is 0 for ever."""
    states: States = None


BATTERY = "battery"
_OWN = ""
"""The field tells by itself whether its part exists."""


def _rows(measure: Measure, part: str | None = None, states: States = None, /, **keys: Key | None) -> Fields:
    return tuple(
        Field(name=name, measure=measure, key=key, part=name if part == _OWN else part, states=states)
        for name, key in keys.items()
    )


def _input(n: int, voltage: str, current: str, inductor_current: str) -> Fields:
    currents = {current: Key(f"pv{n}_current"), inductor_current: Key(f"pv{n}_inductor_current")}
    voltages = {voltage: Key(f"pv{n}_voltage")}
    return _rows(Measure.VOLTAGE, f"pv{n}", **voltages) + _rows(Measure.CURRENT, f"pv{n}", **currents)


def _extremes(end: str) -> Fields:
    """Return the highest or lowest, and where it is: "Cell" is the number of a cell, not its voltage."""
    places = {
        f"{end}VoltCell": Key(f"cell_voltage_{end}_cell"),
        f"{end}VoltNum": Key(f"cell_voltage_{end}_module"),
        f"{end}VoltGroup": Key(f"cell_voltage_{end}_group"),
        f"{end}TempNum": Key(f"cell_temperature_{end}_sensor"),
        f"{end}TempGroup": Key(f"cell_temperature_{end}_group"),
    }
    return (
        *_rows(Measure.CELL_VOLTAGE, _OWN, **{f"{end}Volt": Key(f"cell_voltage_{end}")}),
        *_rows(Measure.CELL_TEMPERATURE, _OWN, **{f"{end}Temp": Key(f"cell_temperature_{end}")}),
        *_rows(Measure.NUMBER, _OWN, **places),
    )


_BATTERY_STATES: dict[float, StrEnum | bool] = dict(enumerate([*BatteryStatus][:6]))  # in the order of the vocabulary
_PBD_STATES: dict[float, StrEnum | bool] = {
    -1: DeviceStatus.OFFLINE,
    0: DeviceStatus.STANDBY,
    1: DeviceStatus.CHECKING,
    2: DeviceStatus.RUNNING,
    3: DeviceStatus.ERROR,
    4: DeviceStatus.PERMANENT_ERROR,
    6: DeviceStatus.SINGLE_PV,
}
_HPS_STATES: dict[float, StrEnum | bool] = {
    **_PBD_STATES,
    2: DeviceStatus.ON_GRID,
    5: DeviceStatus.OFF_GRID,
    7: DeviceStatus.SWITCHING_OFF_GRID,
    8: DeviceStatus.SWITCHING_ON_GRID,
}

_BOTH: Fields = (
    *_rows(Measure.TEXT, deviceSn=None, time=Key.LAST_REPORT),
    *_rows(Measure.POWER, ppv=None, ppv1=None, ppv2=None, ppv3=None, pac=None),
    *_rows(Measure.VOLTAGE, bvbus=Key.BUS_VOLTAGE),
    *_rows(Measure.VOLTAGE, BATTERY, vbat=Key.VOLTAGE),
    *_rows(Measure.CURRENT, BATTERY, ibat=Key.CURRENT),
    # The state of charge, not a capacity in Ah; the mean of the cells.
    *_rows(Measure.PERCENTAGE, _OWN, capacity=Key.SOC),
    *_rows(Measure.CELL_VOLTAGE, _OWN, mvpv=Key.CELL_VOLTAGE_AVERAGE),
    # Counters: of today energy and minutes, of all time energy and hours.
    *_rows(Measure.ENERGY_TODAY, epvToday=Key.PV_ENERGY_TODAY),
    *_rows(Measure.ENERGY_TODAY, BATTERY, echargeToday=Key.ENERGY_CHARGED_TODAY),
    *_rows(Measure.ENERGY_TODAY, BATTERY, edischargeToday=Key.ENERGY_DISCHARGED_TODAY),
    *_rows(Measure.MINUTES_TODAY, epvTimeToday=Key.PV_TIME_TODAY),
    *_rows(Measure.MINUTES_TODAY, BATTERY, echargeTimeToday=Key.CHARGE_TIME_TODAY),
    *_rows(Measure.MINUTES_TODAY, BATTERY, edischargeTimeToday=Key.DISCHARGE_TIME_TODAY),
    *_rows(Measure.LIFETIME, epvTotal=Key.PV_ENERGY, epvTimeTotal=Key.PV_TIME),
    *_rows(Measure.LIFETIME, BATTERY, ebatChargeTotal=Key.ENERGY_CHARGED, ebatDischargeTotal=Key.ENERGY_DISCHARGED),
    *_rows(Measure.LIFETIME, BATTERY, ebatChargeTimeTotal=Key.CHARGE_TIME, ebatDischargeTimeTotal=Key.DISCHARGE_TIME),
    # What the battery's management system tells, where there is one. bmsVoltStatus is a relay, not a voltage.
    *_rows(Measure.CURRENT, _OWN, maxChargeCurr=Key.CHARGE_CURRENT_LIMIT, maxDischargeCurr=Key.DISCHARGE_CURRENT_LIMIT),
    *_extremes("max"),
    *_extremes("min"),
    *_rows(Measure.NUMBER, _OWN, bmsSystemStatus=Key.BMS_SYSTEM_STATUS),
    *_rows(Measure.STATE, _OWN, {0: False, 1: True}, bmsVoltStatus=Key.BATTERY_RELAY),
    *_rows(Measure.STATE, _OWN, _BATTERY_STATES, bmsStatus=Key.BATTERY_STATUS),
)

FIELDS: Mapping[str, Fields] = {
    "pbd": (
        *_BOTH,
        # There is neither vpv1 nor ipv1 nor ipv2.
        *_input(1, "vpv", "ipv", "bipvBuck1"),
        *_input(2, "vpv2", "ipv2dc", "bipvBuck2"),
        *_input(3, "vpv3", "ipv3", "bipvBuck3"),
        *_input(4, "vpv4", "ipv4", "bipvBuck4"),
        *_input(5, "vpv5", "ipv5", "bipvBuck5"),
        *_rows(Measure.VOLTAGE, outv=Key.OUTPUT_VOLTAGE),
        *_rows(Measure.CURRENT, outi=Key.OUTPUT_CURRENT),
        *_rows(Measure.CURRENT, outInductanceCurr1=Key.OUTPUT_INDUCTOR_CURRENT_1),
        *_rows(Measure.CURRENT, outInductanceCurr2=Key.OUTPUT_INDUCTOR_CURRENT_2),
        *_rows(Measure.POWER, ppv4=None, ppv5=None, outPower=None, pcsOutputPower=None, pcsBatChargingPower=None),
        *_rows(Measure.TEMPERATURE, _OWN, temp=Key.AMBIENT_TEMPERATURE, outTemp=Key.OUTPUT_CONVERTER_TEMPERATURE),
        *_rows(Measure.TEMPERATURE, _OWN, pvTemp=Key.PV_CONVERTER_TEMPERATURE),
        *_rows(Measure.TEMPERATURE, _OWN, pvInductanceTemp=Key.PV_INDUCTOR_TEMPERATURE),
        *_rows(Measure.TEMPERATURE, _OWN, outInductanceTemp=Key.OUTPUT_INDUCTOR_TEMPERATURE),
        *_rows(Measure.ENERGY_TODAY, outDailyDischarge=Key.OUTPUT_ENERGY_TODAY),
        *_rows(Measure.LIFETIME, outTotalDischarge=Key.OUTPUT_ENERGY),
        *_rows(Measure.STATE, None, _PBD_STATES, status=Key.DEVICE_STATUS),
        *_rows(Measure.STATE, None, {0: RunMode.NORMAL, 1: RunMode.EMS}, runModel=Key.RUN_MODE),
        # A countdown, not a time of day.
        *_rows(Measure.SECONDS, checkTime=Key.SELF_CHECK_TIME),
        *_rows(Measure.NUMBER, systemNo=Key.PARALLEL_SYSTEM_NUMBER),
    ),
    "hps": (
        *_BOTH,
        # Where there is a pv1Volt, vpv is one half of it: of two rows with one key the last that is not 0 counts.
        *_input(1, "vpv", "ipv", "bipvBuck1"),
        *_rows(Measure.VOLTAGE, "pv1", pv1Volt=Key.PV1_VOLTAGE),
        # Nobody knows the currents of the others: where there is one, the power of all is not known.
        *_rows(Measure.VOLTAGE, "pv2", vpv2=None, vpv3=None, pv2Volt=None, pv3Volt=None),
        *_rows(Measure.ENERGY_TODAY, eloadToday=Key.LOAD_ENERGY_TODAY),
        *_rows(Measure.LIFETIME, eloadTotal=Key.LOAD_ENERGY),
        *_rows(Measure.FREQUENCY, fac=Key.OUTPUT_FREQUENCY),
        # Which sensors temp1 to temp4 are is not certain.
        *_rows(Measure.TEMPERATURE, _OWN, temp5=Key.TRANSFORMER_TEMPERATURE, temp6=Key.AMBIENT_TEMPERATURE),
        *_rows(Measure.STATE, None, _HPS_STATES, status=Key.DEVICE_STATUS),
    ),
}
