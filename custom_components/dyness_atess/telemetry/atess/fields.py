"""The PBD solar charge controller: every field of a record of `/pbd/data-last` (atess-api 5).

The vendor explains none of them. Meanings and native units are those of the registers that the fields are copies of
(atess-api 5.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from ..vocabulary import BatteryStatus, DeviceStatus, Key, RunMode


class Measure(Enum):
    """What the value of a field is."""

    VOLTAGE = auto()
    """V, or tenths of it."""
    CURRENT = auto()
    """A, or tenths of it."""
    TEMPERATURE = auto()
    """°C, or tenths of it."""
    POWER = auto()
    """kW, W or tenths of kW."""
    PV_POWER = auto()
    """The same, of all inputs or of the first: sources contradict each other (atess-api 5.7)."""
    PERCENTAGE = auto()
    CELL_VOLTAGE = auto()
    """V."""
    CELL_TEMPERATURE = auto()
    """Whole °C."""
    ENERGY_TODAY = auto()
    """kWh; falls to 0 by the clock of the device."""
    MINUTES_TODAY = auto()
    LIFETIME = auto()
    """kWh or hours."""
    SECONDS = auto()
    NUMBER = auto()
    """A plain whole number."""
    STATE = auto()
    FLAG = auto()
    SAMPLE_TIME = auto()
    SERIAL = auto()
    """A property of the device."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One row."""

    name: str
    measure: Measure
    key: Key | None = None
    """None for a property of the device, and where the key depends on the other fields."""
    input: int | None = None
    """Number of the PV input that it belongs to; what belongs to an unused input is 0 for ever."""
    optional: bool = False
    """Whether 0 since ever means that the system has no such thing."""
    states: Mapping[int, StrEnum] | None = None


def _field(name: str, measure: Measure, key: Key | None = None, states: Mapping[int, StrEnum] | None = None) -> Field:
    return Field(name=name, measure=measure, key=key, states=states)


def _optional(name: str, measure: Measure, key: Key, states: Mapping[int, StrEnum] | None = None) -> Field:
    return Field(name=name, measure=measure, key=key, optional=True, states=states)


def _input(number: int, voltage: str, current: str, power: str | None, inductor_current: str) -> tuple[Field, ...]:
    rows = (
        (voltage, Measure.VOLTAGE, "voltage"),
        (current, Measure.CURRENT, "current"),
        (power, Measure.POWER, "power"),
        (inductor_current, Measure.CURRENT, "inductor_current"),
    )
    return tuple(
        Field(name=name, measure=measure, key=Key(f"pv{number}_{quantity}"), input=number)
        for name, measure, quantity in rows
        if name
    )


FAMILY = "pbd"

FIELDS: tuple[Field, ...] = (
    _field("deviceSn", Measure.SERIAL),
    _field("time", Measure.SAMPLE_TIME, Key.LAST_REPORT),
    # Photovoltaic inputs. There is neither vpv1 nor ipv1 nor ipv2.
    *_input(1, "vpv", "ipv", None, "bipvBuck1"),
    *_input(2, "vpv2", "ipv2dc", "ppv2", "bipvBuck2"),
    *_input(3, "vpv3", "ipv3", "ppv3", "bipvBuck3"),
    *_input(4, "vpv4", "ipv4", "ppv4", "bipvBuck4"),
    *_input(5, "vpv5", "ipv5", "ppv5", "bipvBuck5"),
    _field("ppv", Measure.PV_POWER),
    _field("ppv1", Measure.PV_POWER),
    _optional("pvTemp", Measure.TEMPERATURE, Key.PV_CONVERTER_TEMPERATURE),
    _optional("pvInductanceTemp", Measure.TEMPERATURE, Key.PV_INDUCTOR_TEMPERATURE),
    # Battery.
    _field("vbat", Measure.VOLTAGE, Key.VOLTAGE),
    _field("ibat", Measure.CURRENT, Key.CURRENT),
    _field("pac", Measure.POWER, Key.POWER),
    # Not a capacity in Ah.
    _optional("capacity", Measure.PERCENTAGE, Key.SOC),
    _optional("mvpv", Measure.CELL_VOLTAGE, Key.CELL_VOLTAGE_AVERAGE),
    # DC bus, output and cabinet.
    _field("bvbus", Measure.VOLTAGE, Key.BUS_VOLTAGE),
    _field("outv", Measure.VOLTAGE, Key.OUTPUT_VOLTAGE),
    _field("outi", Measure.CURRENT, Key.OUTPUT_CURRENT),
    _field("outPower", Measure.POWER, Key.OUTPUT_POWER),
    _field("outInductanceCurr1", Measure.CURRENT, Key.OUTPUT_INDUCTOR_CURRENT_1),
    _field("outInductanceCurr2", Measure.CURRENT, Key.OUTPUT_INDUCTOR_CURRENT_2),
    _optional("outTemp", Measure.TEMPERATURE, Key.OUTPUT_CONVERTER_TEMPERATURE),
    _optional("outInductanceTemp", Measure.TEMPERATURE, Key.OUTPUT_INDUCTOR_TEMPERATURE),
    _optional("temp", Measure.TEMPERATURE, Key.AMBIENT_TEMPERATURE),
    # By their names only; no register is known.
    _optional("pcsOutputPower", Measure.POWER, Key.PCS_OUTPUT_POWER),
    _optional("pcsBatChargingPower", Measure.POWER, Key.PCS_CHARGE_POWER),
    # Counters: of today energy and minutes, of all time energy and hours.
    _field("epvToday", Measure.ENERGY_TODAY, Key.PV_ENERGY_TODAY),
    _field("echargeToday", Measure.ENERGY_TODAY, Key.ENERGY_CHARGED_TODAY),
    _field("edischargeToday", Measure.ENERGY_TODAY, Key.ENERGY_DISCHARGED_TODAY),
    _field("outDailyDischarge", Measure.ENERGY_TODAY, Key.OUTPUT_ENERGY_TODAY),
    _field("epvTimeToday", Measure.MINUTES_TODAY, Key.PV_TIME_TODAY),
    _field("echargeTimeToday", Measure.MINUTES_TODAY, Key.CHARGE_TIME_TODAY),
    _field("edischargeTimeToday", Measure.MINUTES_TODAY, Key.DISCHARGE_TIME_TODAY),
    _field("epvTotal", Measure.LIFETIME, Key.PV_ENERGY),
    _field("ebatChargeTotal", Measure.LIFETIME, Key.ENERGY_CHARGED),
    _field("ebatDischargeTotal", Measure.LIFETIME, Key.ENERGY_DISCHARGED),
    _field("outTotalDischarge", Measure.LIFETIME, Key.OUTPUT_ENERGY),
    _field("epvTimeTotal", Measure.LIFETIME, Key.PV_TIME),
    _field("ebatChargeTimeTotal", Measure.LIFETIME, Key.CHARGE_TIME),
    _field("ebatDischargeTimeTotal", Measure.LIFETIME, Key.DISCHARGE_TIME),
    # What the battery's management system tells, where there is one.
    _optional("maxChargeCurr", Measure.CURRENT, Key.CHARGE_CURRENT_LIMIT),
    _optional("maxDischargeCurr", Measure.CURRENT, Key.DISCHARGE_CURRENT_LIMIT),
    _optional("maxVolt", Measure.CELL_VOLTAGE, Key.CELL_VOLTAGE_MAX),
    # The number of a cell, not its voltage.
    _optional("maxVoltCell", Measure.NUMBER, Key.CELL_VOLTAGE_MAX_CELL),
    _optional("maxVoltNum", Measure.NUMBER, Key.CELL_VOLTAGE_MAX_MODULE),
    _optional("maxVoltGroup", Measure.NUMBER, Key.CELL_VOLTAGE_MAX_GROUP),
    _optional("minVolt", Measure.CELL_VOLTAGE, Key.CELL_VOLTAGE_MIN),
    _optional("minVoltCell", Measure.NUMBER, Key.CELL_VOLTAGE_MIN_CELL),
    _optional("minVoltNum", Measure.NUMBER, Key.CELL_VOLTAGE_MIN_MODULE),
    _optional("minVoltGroup", Measure.NUMBER, Key.CELL_VOLTAGE_MIN_GROUP),
    _optional("maxTemp", Measure.CELL_TEMPERATURE, Key.CELL_TEMPERATURE_MAX),
    _optional("maxTempNum", Measure.NUMBER, Key.CELL_TEMPERATURE_MAX_SENSOR),
    _optional("maxTempGroup", Measure.NUMBER, Key.CELL_TEMPERATURE_MAX_GROUP),
    _optional("minTemp", Measure.CELL_TEMPERATURE, Key.CELL_TEMPERATURE_MIN),
    _optional("minTempNum", Measure.NUMBER, Key.CELL_TEMPERATURE_MIN_SENSOR),
    _optional("minTempGroup", Measure.NUMBER, Key.CELL_TEMPERATURE_MIN_GROUP),
    # A relay, not a voltage.
    _optional("bmsVoltStatus", Measure.FLAG, Key.BATTERY_RELAY),
    _optional("bmsSystemStatus", Measure.NUMBER, Key.BMS_SYSTEM_STATUS),
    _optional(
        "bmsStatus",
        Measure.STATE,
        Key.BATTERY_STATUS,
        {
            0: BatteryStatus.IDLE,
            1: BatteryStatus.CHARGE_AND_DISCHARGE_DISABLED,
            2: BatteryStatus.CHARGE_DISABLED,
            3: BatteryStatus.DISCHARGE_DISABLED,
            4: BatteryStatus.CHARGING,
            5: BatteryStatus.DISCHARGING,
        },
    ),
    # State of the controller itself.
    _field(
        "status",
        Measure.STATE,
        Key.DEVICE_STATUS,
        {
            0: DeviceStatus.STANDBY,
            1: DeviceStatus.CHECKING,
            2: DeviceStatus.RUNNING,
            3: DeviceStatus.ERROR,
            4: DeviceStatus.PERMANENT_ERROR,
            6: DeviceStatus.SINGLE_PV,
        },
    ),
    _field("runModel", Measure.STATE, Key.RUN_MODE, {0: RunMode.NORMAL, 1: RunMode.EMS}),
    # A countdown, not a time of day.
    _field("checkTime", Measure.SECONDS, Key.SELF_CHECK_TIME),
    _field("systemNo", Measure.NUMBER, Key.PARALLEL_SYSTEM_NUMBER),
)

FIELD_BY_NAME = {field.name: field for field in FIELDS}
PV_POWER_FIELDS = tuple(field.name for field in FIELDS if field.measure is Measure.PV_POWER)
