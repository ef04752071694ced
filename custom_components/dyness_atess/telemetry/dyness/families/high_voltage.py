"""High-voltage towers and their modules: Tower, Tower Pro, Stack100 (dyness-api 6.4, 6.5)."""

from ...vocabulary import CELL_VOLTAGES, PROBE_TEMPERATURES, Key
from ..family import Family, Kind, Series, rule
from .common import HEAD

HIGH_VOLTAGE = Family(
    name="high_voltage",
    essential=frozenset({"1100", "1400"}),
    current_sign=-1,
    # One step of the current's one decimal is already 40 to 50 W.
    idle_current=0.2,
    rules=(
        *HEAD,
        rule("10", "BDU序列号", Kind.UNUSED),
        rule("20", "PCB序列号", Kind.UNUSED),
        rule("30", "Boot版本号", Kind.UNUSED),
        rule("40", "硬件版本号", Kind.UNUSED),
        rule("50", "APP版本号", Kind.FIRMWARE),
        rule("1000", "电流", Kind.CURRENT, Key.CURRENT),
        rule("1100", "总压", Kind.BATTERY_VOLTAGE, Key.VOLTAGE),
        # As in the vendor's CAN document; that this point carries that byte is shown by the current's sign.
        rule("1200", "电池状态", Kind.BATTERY_STATUS, Key.BATTERY_STATUS),
        # Numbers that no source explains.
        rule("1300", "继电器状态", Kind.UNUSED),
        rule("1400", "SOC", Kind.SOC, Key.SOC),
        rule("1500", "SOH", Kind.SOH, Key.SOH),
        rule("1600", "电池剩余电量", Kind.ENERGY, Key.ENERGY_REMAINING),
        rule("1700", "电池额定电量", Kind.ENERGY, Key.ENERGY_RATED),
        rule("1800", "电池循环次数", Kind.COUNT, Key.CYCLES),
        rule("1900", "累计充电电量", Kind.ENERGY, Key.ENERGY_CHARGED),
        rule("2000", "建议充电电流", Kind.CURRENT, Key.CHARGE_CURRENT_LIMIT),
        rule("2100", "建议放电电流", Kind.CURRENT, Key.DISCHARGE_CURRENT_LIMIT),
        # Always empty so far; their unit is not known.
        rule("2200", "正极绝缘电阻值", Kind.UNUSED),
        rule("2300", "负极绝缘电阻值", Kind.UNUSED),
        rule("2400", "最高单压值", Kind.CELL_VOLTAGE, Key.CELL_VOLTAGE_MAX),
        rule("2500", None, Kind.MODULE, Key.CELL_VOLTAGE_MAX_MODULE),
        rule("2600", None, Kind.PLACE, Key.CELL_VOLTAGE_MAX_CELL),
        rule("2700", "最低单压值", Kind.CELL_VOLTAGE, Key.CELL_VOLTAGE_MIN),
        rule("2800", None, Kind.MODULE, Key.CELL_VOLTAGE_MIN_MODULE),
        rule("2900", None, Kind.PLACE, Key.CELL_VOLTAGE_MIN_CELL),
        rule("3000", None, Kind.TEMPERATURE, Key.CELL_TEMPERATURE_MAX),
        rule("3100", None, Kind.MODULE, Key.CELL_TEMPERATURE_MAX_MODULE),
        rule("3200", None, Kind.PLACE, Key.CELL_TEMPERATURE_MAX_SENSOR),
        rule("3300", None, Kind.TEMPERATURE, Key.CELL_TEMPERATURE_MIN),
        rule("3400", None, Kind.MODULE, Key.CELL_TEMPERATURE_MIN_MODULE),
        rule("3500", None, Kind.PLACE, Key.CELL_TEMPERATURE_MIN_SENSOR),
        rule("3800", "风扇…", Kind.ANY, Key.FAN),
        rule("3900", "加热…", Kind.ANY, Key.HEATER),
        rule("4000", "均衡…", Kind.ANY, Key.BALANCING),
        rule("4300", "箱数…", Kind.MODULES, Key.MODULE_COUNT),
        # Alarm registers of the Tower Pro; two of their bits are known.
        *(rule(str(register), None, Kind.ANY, Key.ALARM) for register in range(4400, 5000, 100)),
        rule("4402", None, Kind.FLAG, Key.CELL_VOLTAGE_HIGH),
        rule("4403", None, Kind.FLAG, Key.CELL_TEMPERATURE_HIGH),
        rule("5001", None, Kind.FLAG, Key.CELL_VOLTAGE_IMBALANCE),
        rule("5002", None, Kind.FLAG, Key.CELL_TEMPERATURE_IMBALANCE),
        rule("5003", None, Kind.FLAG, Key.INSULATION_LOW),
        rule("5101", None, Kind.FLAG, Key.INTERNAL_COMMUNICATION_ERROR),
        rule("5102", None, Kind.FLAG, Key.INTERNAL_COMMUNICATION_ERROR),
        rule("5104", None, Kind.FLAG, Key.SYSTEM_FAULT_PROTECTION),
        rule("9999999", None, Kind.ANY, Key.ALARM),
    ),
)

HIGH_VOLTAGE_MODULE = Family(
    name="high_voltage_module",
    is_module=True,
    essential=frozenset({"11000", "11100", "11200"}),
    current_sign=-1,
    idle_current=0.2,
    series=(
        Series(first=11200, count_id="11100", kind=Kind.CELL_VOLTAGE, keys=[(key,) for key in CELL_VOLTAGES]),
        # A Stack100 does not count its probes.
        Series(
            first=14300,
            count_id="14200",
            kind=Kind.TEMPERATURE,
            keys=[(key,) for key in PROBE_TEMPERATURES[:8]],
            always_counted=False,
        ),
    ),
    rules=(
        *HEAD,
        rule("10010", None, Kind.UNUSED),
        rule("11000", None, Kind.MODULE, None),
        rule("11100", None, Kind.PLACE, None),
        rule("14200", None, Kind.PLACE, None),
    ),
)
