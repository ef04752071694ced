"""The keys of every quantity (product contract, section 4). They are part of unique ids and never change."""

from enum import StrEnum


class Key(StrEnum):
    """One quantity, whatever family or vendor it comes from."""

    SOC = "soc"
    SOH = "soh"
    SOH_AVERAGE = "soh_average"
    VOLTAGE = "voltage"
    CURRENT = "current"
    POWER = "power"
    CHARGE_POWER = "charge_power"
    DISCHARGE_POWER = "discharge_power"
    STATUS = "status"
    CYCLES = "cycles"
    CYCLES_MAX = "cycles_max"
    CELL_VOLTAGE_MAX = "cell_voltage_max"
    CELL_VOLTAGE_MAX_MODULE = "cell_voltage_max_module"
    CELL_VOLTAGE_MAX_CELL = "cell_voltage_max_cell"
    CELL_VOLTAGE_MIN = "cell_voltage_min"
    CELL_VOLTAGE_MIN_MODULE = "cell_voltage_min_module"
    CELL_VOLTAGE_MIN_CELL = "cell_voltage_min_cell"
    CELL_VOLTAGE_SPREAD = "cell_voltage_spread"
    CELL_SPREAD_FULL = "cell_spread_full"
    CELL_LEAD_FULL = "cell_lead_full"
    CELL_SPREAD_RESTED = "cell_spread_rested"
    CELL_TEMPERATURE_AVERAGE = "cell_temperature_average"
    CELL_TEMPERATURE_MAX = "cell_temperature_max"
    CELL_TEMPERATURE_MAX_MODULE = "cell_temperature_max_module"
    CELL_TEMPERATURE_MAX_SENSOR = "cell_temperature_max_sensor"
    CELL_TEMPERATURE_MIN = "cell_temperature_min"
    CELL_TEMPERATURE_MIN_MODULE = "cell_temperature_min_module"
    CELL_TEMPERATURE_MIN_SENSOR = "cell_temperature_min_sensor"
    MOSFET_TEMPERATURE_AVERAGE = "mosfet_temperature_average"
    MOSFET_TEMPERATURE_MAX = "mosfet_temperature_max"
    MOSFET_TEMPERATURE_MIN = "mosfet_temperature_min"
    BMS_TEMPERATURE_AVERAGE = "bms_temperature_average"
    BMS_TEMPERATURE_MAX = "bms_temperature_max"
    BMS_TEMPERATURE_MIN = "bms_temperature_min"
    CHARGE_VOLTAGE_LIMIT = "charge_voltage_limit"
    DISCHARGE_VOLTAGE_LIMIT = "discharge_voltage_limit"
    CHARGE_CURRENT_LIMIT = "charge_current_limit"
    DISCHARGE_CURRENT_LIMIT = "discharge_current_limit"
    MODULE_COUNT = "module_count"
    WORK_STATUS = "work_status"
    LAST_REPORT = "last_report"
    TIME_TO_FULL = "time_to_full"
    TIME_TO_EMPTY = "time_to_empty"

    ENERGY_CHARGED = "energy_charged"
    ENERGY_CHARGED_TODAY = "energy_charged_today"
    ENERGY_DISCHARGED = "energy_discharged"
    ENERGY_DISCHARGED_TODAY = "energy_discharged_today"
    CHARGE_TIME = "charge_time"
    CHARGE_TIME_TODAY = "charge_time_today"
    DISCHARGE_TIME = "discharge_time"
    DISCHARGE_TIME_TODAY = "discharge_time_today"
    CELL_VOLTAGE_AVERAGE = "cell_voltage_average"
    CELL_VOLTAGE_MAX_GROUP = "cell_voltage_max_group"
    CELL_VOLTAGE_MIN_GROUP = "cell_voltage_min_group"
    CELL_TEMPERATURE_MAX_GROUP = "cell_temperature_max_group"
    CELL_TEMPERATURE_MIN_GROUP = "cell_temperature_min_group"
    PV_POWER = "pv_power"
    PV_ENERGY = "pv_energy"
    PV_ENERGY_TODAY = "pv_energy_today"
    PV_TIME = "pv_time"
    PV_TIME_TODAY = "pv_time_today"
    PV1_VOLTAGE = "pv1_voltage"
    PV1_CURRENT = "pv1_current"
    PV1_POWER = "pv1_power"
    PV1_INDUCTOR_CURRENT = "pv1_inductor_current"
    BUS_VOLTAGE = "bus_voltage"
    OUTPUT_VOLTAGE = "output_voltage"
    OUTPUT_CURRENT = "output_current"
    OUTPUT_POWER = "output_power"
    OUTPUT_ENERGY = "output_energy"
    OUTPUT_ENERGY_TODAY = "output_energy_today"
    OUTPUT_FREQUENCY = "output_frequency"
    OUTPUT_INDUCTOR_CURRENT_1 = "output_inductor_current_1"
    OUTPUT_INDUCTOR_CURRENT_2 = "output_inductor_current_2"
    AMBIENT_TEMPERATURE = "ambient_temperature"
    TRANSFORMER_TEMPERATURE = "transformer_temperature"
    PV_CONVERTER_TEMPERATURE = "pv_converter_temperature"
    PV_INDUCTOR_TEMPERATURE = "pv_inductor_temperature"
    OUTPUT_CONVERTER_TEMPERATURE = "output_converter_temperature"
    OUTPUT_INDUCTOR_TEMPERATURE = "output_inductor_temperature"
    DEVICE_STATUS = "device_status"
    RUN_MODE = "run_mode"
    BATTERY_STATUS = "battery_status"
    BMS_SYSTEM_STATUS = "bms_system_status"
    SELF_CHECK_TIME = "self_check_time"
    PARALLEL_SYSTEM_NUMBER = "parallel_system_number"

    ENERGY_RATED = "energy_rated"
    ENERGY_REMAINING = "energy_remaining"
    CAPACITY_FULL = "capacity_full"
    CAPACITY_REMAINING = "capacity_remaining"
    BMS_TEMPERATURE = "bms_temperature"
    BATTERY_TEMPERATURE = "battery_temperature"
    HEATSINK_TEMPERATURE = "heatsink_temperature"
    INTERNAL_TEMPERATURE = "internal_temperature"
    POWER_MODULE_TEMPERATURE = "power_module_temperature"
    PV_VOLTAGE = "pv_voltage"
    PV_CURRENT = "pv_current"
    OUTPUT_1_VOLTAGE = "output_1_voltage"
    OUTPUT_1_CURRENT = "output_1_current"
    OUTPUT_1_POWER = "output_1_power"
    OUTPUT_2_VOLTAGE = "output_2_voltage"
    OUTPUT_2_CURRENT = "output_2_current"
    OUTPUT_2_POWER = "output_2_power"
    GRID_POWER = "grid_power"
    LOAD_POWER = "load_power"
    LOAD_ENERGY = "load_energy"
    LOAD_ENERGY_TODAY = "load_energy_today"
    ENERGY_IMPORTED = "energy_imported"
    ENERGY_IMPORTED_TODAY = "energy_imported_today"
    ENERGY_EXPORTED = "energy_exported"
    ENERGY_EXPORTED_TODAY = "energy_exported_today"
    MPPT_VOLTAGE = "mppt_voltage"
    MPPT_CURRENT = "mppt_current"
    MPPT_POWER = "mppt_power"
    POWER_LIMIT = "power_limit"
    DISCHARGE_DEPTH = "discharge_depth"
    SIGNAL_STRENGTH = "signal_strength"

    # The other trackers as the first, and one key per cell and per probe, for as many as a module of any family has.
    _ignore_ = "name"
    for name in (
        *(f"pv{n}_{what}" for n in range(2, 6) for what in ("voltage", "current", "power", "inductor_current")),
        *(f"cell_{cell:02}_voltage" for cell in range(1, 31)),
        *(f"cell_temperature_{probe}" for probe in range(1, 17)),
    ):
        locals()[name.upper()] = name

    CHARGING = "charging"
    ONLINE = "online"
    BATTERY_LOW = "battery_low"
    ALARM = "alarm"
    WARNING = "warning"

    CELL_VOLTAGE_IMBALANCE = "cell_voltage_imbalance"
    MOSFET_TEMPERATURE_HIGH = "mosfet_temperature_high"
    CELL_TEMPERATURE_LOW = "cell_temperature_low"
    CELL_TEMPERATURE_HIGH = "cell_temperature_high"
    CELL_VOLTAGE_LOW = "cell_voltage_low"
    CELL_VOLTAGE_HIGH = "cell_voltage_high"
    MODULE_VOLTAGE_LOW = "module_voltage_low"
    MODULE_VOLTAGE_HIGH = "module_voltage_high"
    INTERNAL_COMMUNICATION_ERROR = "internal_communication_error"
    DISCHARGE_OVERCURRENT = "discharge_overcurrent"
    CHARGE_OVERCURRENT = "charge_overcurrent"
    CELL_TEMPERATURE_IMBALANCE = "cell_temperature_imbalance"

    MOSFET_TEMPERATURE_HIGH_PROTECTION = "mosfet_temperature_high_protection"
    CELL_TEMPERATURE_LOW_PROTECTION = "cell_temperature_low_protection"
    CELL_TEMPERATURE_HIGH_PROTECTION = "cell_temperature_high_protection"
    CELL_VOLTAGE_LOW_PROTECTION = "cell_voltage_low_protection"
    CELL_VOLTAGE_HIGH_PROTECTION = "cell_voltage_high_protection"
    MODULE_VOLTAGE_LOW_PROTECTION = "module_voltage_low_protection"
    MODULE_VOLTAGE_HIGH_PROTECTION = "module_voltage_high_protection"
    SYSTEM_FAULT_PROTECTION = "system_fault_protection"
    DISCHARGE_OVERCURRENT_PROTECTION = "discharge_overcurrent_protection"
    CHARGE_OVERCURRENT_PROTECTION = "charge_overcurrent_protection"

    CHARGE_ENABLED = "charge_enabled"
    DISCHARGE_ENABLED = "discharge_enabled"
    FULL_CHARGE_REQUESTED = "full_charge_requested"
    FORCE_CHARGE_1 = "force_charge_1"
    FORCE_CHARGE_2 = "force_charge_2"

    FAULT = "fault"
    BATTERY_RELAY = "battery_relay"

    INSULATION_LOW = "insulation_low"
    CELL_FAULT = "cell_fault"
    CHARGE_MOSFET = "charge_mosfet"
    DISCHARGE_MOSFET = "discharge_mosfet"
    HEATER = "heater"
    FAN = "fan"
    BALANCING = "balancing"
    FULLY_CHARGED = "fully_charged"

    ALARM_EVENT = "alarm_event"


class Status(StrEnum):
    """What a battery does, told from the sign of its current."""

    CHARGING = "charging"
    DISCHARGING = "discharging"
    IDLE = "idle"


class DeviceStatus(StrEnum):
    """What a converter says that it does."""

    STANDBY = "standby"
    CHECKING = "checking"
    RUNNING = "running"
    ERROR = "error"
    PERMANENT_ERROR = "permanent_error"
    SINGLE_PV = "single_pv"
    ON_GRID = "on_grid"
    OFF_GRID = "off_grid"
    SWITCHING_ON_GRID = "switching_on_grid"
    SWITCHING_OFF_GRID = "switching_off_grid"
    OFFLINE = "offline"


class RunMode(StrEnum):
    """Who tells a converter what to do."""

    NORMAL = "normal"
    EMS = "ems"


class BatteryStatus(StrEnum):
    """What a battery's management system says that the battery does or forbids."""

    IDLE = "idle"
    CHARGE_AND_DISCHARGE_DISABLED = "charge_and_discharge_disabled"
    CHARGE_DISABLED = "charge_disabled"
    DISCHARGE_DISABLED = "discharge_disabled"
    CHARGING = "charging"
    DISCHARGING = "discharging"
    SLEEPING = "sleeping"


WARNINGS = frozenset(
    {
        Key.CELL_VOLTAGE_IMBALANCE,
        Key.MOSFET_TEMPERATURE_HIGH,
        Key.CELL_TEMPERATURE_LOW,
        Key.CELL_TEMPERATURE_HIGH,
        Key.CELL_VOLTAGE_LOW,
        Key.CELL_VOLTAGE_HIGH,
        Key.MODULE_VOLTAGE_LOW,
        Key.MODULE_VOLTAGE_HIGH,
        Key.INTERNAL_COMMUNICATION_ERROR,
        Key.DISCHARGE_OVERCURRENT,
        Key.CHARGE_OVERCURRENT,
        Key.CELL_TEMPERATURE_IMBALANCE,
        Key.INSULATION_LOW,
        Key.CELL_FAULT,
    }
)
"""Bits that say something is near a limit; some are normal at the top of charge."""

PROTECTIONS = frozenset(key for key in Key if key.endswith("_protection"))
"""Bits that say that the battery has stopped something to protect itself."""

ALARMS = WARNINGS | PROTECTIONS | {Key.ALARM, Key.WARNING, Key.FAULT}

LIFETIME = frozenset(
    {
        Key.ENERGY_CHARGED,
        Key.ENERGY_DISCHARGED,
        Key.PV_ENERGY,
        Key.OUTPUT_ENERGY,
        Key.LOAD_ENERGY,
        Key.ENERGY_IMPORTED,
        Key.ENERGY_EXPORTED,
        Key.CHARGE_TIME,
        Key.DISCHARGE_TIME,
        Key.PV_TIME,
    }
)
"""Counters that never fall: they are right however old the sample is."""

TODAY = frozenset(Key(f"{key}_today") for key in LIFETIME if "energy" in key)
"""kWh since midnight."""

SLOW = LIFETIME | {
    Key.SOH,
    Key.SOH_AVERAGE,
    Key.CYCLES,
    Key.CYCLES_MAX,
    Key.MODULE_COUNT,
    Key.ENERGY_RATED,
    Key.CAPACITY_FULL,
}
"""Quantities that a sample may leave out: the last value stands."""

OUTLOOK = frozenset({Key.TIME_TO_FULL, Key.TIME_TO_EMPTY})
"""What is told of the future: at any time one of the two at most."""
HEALTH = frozenset({Key.CELL_SPREAD_FULL, Key.CELL_LEAD_FULL, Key.CELL_SPREAD_RESTED})
"""What is measured at a rare moment, and stands until the next one."""

CELL_VOLTAGES = tuple(Key(f"cell_{number:02}_voltage") for number in range(1, 31))
PROBE_TEMPERATURES = tuple(Key(f"cell_temperature_{number}") for number in range(1, 17))
