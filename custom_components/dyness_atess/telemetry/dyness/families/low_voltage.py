"""The low-voltage battery: DL5.0C, PowerHaus, PowerBox Pro, PowerDepot and more (dyness-api 6.1).

Ids and names as in a raw PowerHaus answer; meanings by the names and by the Pylontech frames in whose order the
points come.
"""

from ...vocabulary import Key
from ..family import Family, Kind, Rule, rule
from .common import HEAD

_RESERVED = (*range(3301, 3305), 3401, *range(3501, 3504), 3505, 3508, *range(4001, 4004))
"""Bits without meaning."""


def _extreme(first: int, key: Key, name: str, short: str, place: str) -> tuple[Rule, ...]:
    """Return the rules of an extreme and of where it is: packed into one number, and as two."""
    kind, single = (Kind.CELL_VOLTAGE, "cell") if place == "电芯" else (Kind.TEMPERATURE, "sensor")
    module, number = Key(f"{key}_module"), Key(f"{key}_{single}")
    return (
        rule(f"{first}", name, kind, key),
        rule(f"{first + 100}", f"{name}的编号最小的模块", Kind.POSITION, module, number, fallback=True),
        rule(f"{first + 101}", f"{short}模块", Kind.MODULE, module),
        rule(f"{first + 102}", f"{short}{place}", Kind.PLACE, number),
    )


# PV, outputs and counters (dyness-api 6.2). No source has the vendor's names; no other low-voltage model has the ids.
_JUNIOR_BOX = (
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
    rule("6100", None, Kind.POWER, Key.OUTPUT_POWER),
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
    rule("999999", None, Kind.ANY, Key.ALARM),
    # 6000 is the battery's power in an unknown sign; the rest are states that no source explains, versions, settings.
    *(rule(str(point), None, Kind.UNUSED) for point in (310, 4500, 6000, 6200, 6300, 6400, 6700, 7900, 8000)),
    *(rule(str(day + part), None, Kind.UNUSED) for day in range(8100, 9400, 400) for part in range(0, 400, 100)),
)

LOW_VOLTAGE = Family(
    name="low_voltage",
    essential=frozenset({"600", "800"}),
    current_sign=-1,
    # Half an ampere is about 25 W of 51.2 V; the current has one decimal.
    idle_current=0.5,
    rules=(
        *HEAD,
        rule("100", "主机设备名称", Kind.UNUSED),
        rule("200", "主机厂商名称", Kind.UNUSED),
        rule("300", "主机软件版本", Kind.FIRMWARE),
        rule("400", "电池的总数量", Kind.MODULES, Key.MODULE_COUNT),
        rule("500", "序列号SN", Kind.UNUSED),
        # Named an average, and equal to the pack voltage: the modules are in parallel.
        rule("600", "平均电压", Kind.BATTERY_VOLTAGE, Key.VOLTAGE),
        rule("700", "总电流", Kind.CURRENT, Key.CURRENT),
        rule("800", "平均SOC", Kind.SOC, Key.SOC),
        rule("900", "平均循环次数", Kind.COUNT, Key.CYCLES),
        rule("1000", "最大循环次数", Kind.COUNT, Key.CYCLES_MAX),
        rule("1100", "平均SOH", Kind.SOH, Key.SOH_AVERAGE),
        # The lowest of the modules, and the one that is usually filled.
        rule("1200", "最小SOH", Kind.SOH, Key.SOH),
        *_extreme(1300, Key.CELL_VOLTAGE_MAX, "单芯最高电压", "最高单压", "电芯"),
        *_extreme(1500, Key.CELL_VOLTAGE_MIN, "单芯最低电压", "最低单压", "电芯"),
        rule("1700", "单芯平均温度", Kind.TEMPERATURE, Key.CELL_TEMPERATURE_AVERAGE),
        *_extreme(1800, Key.CELL_TEMPERATURE_MAX, "单芯最高温度", "最高温度", "NTC"),
        *_extreme(2000, Key.CELL_TEMPERATURE_MIN, "单芯最低温度", "最低温度", "NTC"),
        rule("2200", "MOSFET平均温度", Kind.TEMPERATURE, Key.MOSFET_TEMPERATURE_AVERAGE),
        rule("2300", "MOSFET最高温度", Kind.TEMPERATURE, Key.MOSFET_TEMPERATURE_MAX),
        rule("2400", "MOSFET最高温度的编号最小的模块", Kind.UNUSED),
        rule("2500", "MOSFET最低温度", Kind.TEMPERATURE, Key.MOSFET_TEMPERATURE_MIN),
        rule("2600", "MOSFET最低温度的编号最小的模块", Kind.UNUSED),
        rule("2700", "BMS平均温度", Kind.TEMPERATURE, Key.BMS_TEMPERATURE_AVERAGE),
        rule("2800", "BMS最高温度", Kind.TEMPERATURE, Key.BMS_TEMPERATURE_MAX),
        # "Module and number" by name, 1 in the only dump: whether it is packed is not known.
        rule("2900", "BMS最高温度所在模块及序号", Kind.UNUSED),
        rule("3000", "BMS最低温度", Kind.TEMPERATURE, Key.BMS_TEMPERATURE_MIN),
        rule("3100", "BMS最低温度所在模块及序号", Kind.UNUSED),
        # 3200 to 3500 are the bytes of which the points behind them are the bits.
        rule("3200", "系统告警状态1", Kind.UNUSED),
        rule("3201", "单芯电压一致性告警", Kind.FLAG, Key.CELL_VOLTAGE_IMBALANCE),
        rule("3202", "MOSFET高温", Kind.FLAG, Key.MOSFET_TEMPERATURE_HIGH),
        rule("3203", "单芯温度低温", Kind.FLAG, Key.CELL_TEMPERATURE_LOW),
        rule("3204", "单芯温度高温", Kind.FLAG, Key.CELL_TEMPERATURE_HIGH),
        rule("3205", "单芯电压低压", Kind.FLAG, Key.CELL_VOLTAGE_LOW),
        rule("3206", "单芯电压高压", Kind.FLAG, Key.CELL_VOLTAGE_HIGH),
        rule("3207", "模块总压低压", Kind.FLAG, Key.MODULE_VOLTAGE_LOW),
        rule("3208", "模块总压高压", Kind.FLAG, Key.MODULE_VOLTAGE_HIGH),
        rule("3300", "系统告警状态2", Kind.UNUSED),
        rule("3305", "内部通信错误", Kind.FLAG, Key.INTERNAL_COMMUNICATION_ERROR),
        rule("3306", "放电过流告警", Kind.FLAG, Key.DISCHARGE_OVERCURRENT),
        rule("3307", "充电过流告警", Kind.FLAG, Key.CHARGE_OVERCURRENT),
        rule("3308", "单芯温度一致性告警", Kind.FLAG, Key.CELL_TEMPERATURE_IMBALANCE),
        rule("3400", "系统保护状态1", Kind.UNUSED),
        rule("3402", "MOSFET过温", Kind.FLAG, Key.MOSFET_TEMPERATURE_HIGH_PROTECTION),
        rule("3403", "单芯温度欠温", Kind.FLAG, Key.CELL_TEMPERATURE_LOW_PROTECTION),
        rule("3404", "单芯温度过温", Kind.FLAG, Key.CELL_TEMPERATURE_HIGH_PROTECTION),
        rule("3405", "单芯电压欠压", Kind.FLAG, Key.CELL_VOLTAGE_LOW_PROTECTION),
        rule("3406", "单芯电压过压", Kind.FLAG, Key.CELL_VOLTAGE_HIGH_PROTECTION),
        rule("3407", "模块总压欠压", Kind.FLAG, Key.MODULE_VOLTAGE_LOW_PROTECTION),
        rule("3408", "模块总压过压", Kind.FLAG, Key.MODULE_VOLTAGE_HIGH_PROTECTION),
        rule("3500", "系统保护状态2", Kind.UNUSED),
        rule("3504", "系统故障保护", Kind.FLAG, Key.SYSTEM_FAULT_PROTECTION),
        rule("3506", "放电过流保护", Kind.FLAG, Key.DISCHARGE_OVERCURRENT_PROTECTION),
        rule("3507", "充电过流保护", Kind.FLAG, Key.CHARGE_OVERCURRENT_PROTECTION),
        rule("3600", "充电电压建议上限", Kind.VOLTAGE, Key.CHARGE_VOLTAGE_LIMIT),
        # Named the lower limit of the charge voltage; it stands in the frame's place of the discharge limit.
        rule("3700", "充电电压建议下限", Kind.VOLTAGE, Key.DISCHARGE_VOLTAGE_LIMIT),
        # 0 A is a limit too: the battery is full or must not be charged.
        rule("3800", "最大充电电流", Kind.CURRENT, Key.CHARGE_CURRENT_LIMIT),
        rule("3900", "最大放电电流", Kind.CURRENT, Key.DISCHARGE_CURRENT_LIMIT),
        # The byte of which 4001 to 4008 are the bits (dyness-api 10.1): enabling, not balancing.
        rule("4000", "充放电状态", Kind.UNUSED),
        rule("4004", "满充请求", Kind.FLAG, Key.FULL_CHARGE_REQUESTED),
        rule("4005", "强充2", Kind.FLAG, Key.FORCE_CHARGE_2),
        rule("4006", "强充1", Kind.FLAG, Key.FORCE_CHARGE_1),
        rule("4007", "Discharge enable", Kind.FLAG, Key.DISCHARGE_ENABLED),
        rule("4008", "Charge enable", Kind.FLAG, Key.CHARGE_ENABLED),
        rule("4100", "总报警状态", Kind.ANY, Key.ALARM),
        *(rule(str(point), "空", Kind.UNUSED) for point in _RESERVED),
        *_JUNIOR_BOX,
    ),
)
