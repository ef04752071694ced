"""The low-voltage battery: DL5.0C, PowerHaus, PowerBox Pro, PowerDepot and more (dyness-api 6.1).

Ids and names as in a raw PowerHaus answer; meanings by the names and by the Pylontech frames in whose order the
points come.
"""

from ...vocabulary import Key
from ..family import Family, Kind, rule
from .common import HEAD, RESERVED
from .junior_box import JUNIOR_BOX

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
        rule("1300", "单芯最高电压", Kind.CELL_VOLTAGE, Key.CELL_VOLTAGE_MAX),
        rule(
            "1400",
            "单芯最高电压的编号最小的模块",
            Kind.POSITION,
            Key.CELL_VOLTAGE_MAX_MODULE,
            Key.CELL_VOLTAGE_MAX_CELL,
        ),
        rule("1401", "最高单压模块", Kind.MODULE, Key.CELL_VOLTAGE_MAX_MODULE),
        rule("1402", "最高单压电芯", Kind.PLACE, Key.CELL_VOLTAGE_MAX_CELL),
        rule("1500", "单芯最低电压", Kind.CELL_VOLTAGE, Key.CELL_VOLTAGE_MIN),
        rule(
            "1600",
            "单芯最低电压的编号最小的模块",
            Kind.POSITION,
            Key.CELL_VOLTAGE_MIN_MODULE,
            Key.CELL_VOLTAGE_MIN_CELL,
        ),
        rule("1601", "最低单压模块", Kind.MODULE, Key.CELL_VOLTAGE_MIN_MODULE),
        rule("1602", "最低单压电芯", Kind.PLACE, Key.CELL_VOLTAGE_MIN_CELL),
        rule("1700", "单芯平均温度", Kind.TEMPERATURE, Key.CELL_TEMPERATURE_AVERAGE),
        rule("1800", "单芯最高温度", Kind.TEMPERATURE, Key.CELL_TEMPERATURE_MAX),
        rule(
            "1900",
            "单芯最高温度的编号最小的模块",
            Kind.POSITION,
            Key.CELL_TEMPERATURE_MAX_MODULE,
            Key.CELL_TEMPERATURE_MAX_SENSOR,
        ),
        rule("1901", "最高温度模块", Kind.MODULE, Key.CELL_TEMPERATURE_MAX_MODULE),
        rule("1902", "最高温度NTC", Kind.PLACE, Key.CELL_TEMPERATURE_MAX_SENSOR),
        rule("2000", "单芯最低温度", Kind.TEMPERATURE, Key.CELL_TEMPERATURE_MIN),
        rule(
            "2100",
            "单芯最低温度的编号最小的模块",
            Kind.POSITION,
            Key.CELL_TEMPERATURE_MIN_MODULE,
            Key.CELL_TEMPERATURE_MIN_SENSOR,
        ),
        rule("2101", "最低温度模块", Kind.MODULE, Key.CELL_TEMPERATURE_MIN_MODULE),
        rule("2102", "最低温度NTC", Kind.PLACE, Key.CELL_TEMPERATURE_MIN_SENSOR),
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
        *(rule(str(point), RESERVED, Kind.UNUSED) for point in range(3301, 3305)),
        rule("3305", "内部通信错误", Kind.FLAG, Key.INTERNAL_COMMUNICATION_ERROR),
        rule("3306", "放电过流告警", Kind.FLAG, Key.DISCHARGE_OVERCURRENT),
        rule("3307", "充电过流告警", Kind.FLAG, Key.CHARGE_OVERCURRENT),
        rule("3308", "单芯温度一致性告警", Kind.FLAG, Key.CELL_TEMPERATURE_IMBALANCE),
        rule("3400", "系统保护状态1", Kind.UNUSED),
        rule("3401", RESERVED, Kind.UNUSED),
        rule("3402", "MOSFET过温", Kind.FLAG, Key.MOSFET_TEMPERATURE_HIGH_PROTECTION),
        rule("3403", "单芯温度欠温", Kind.FLAG, Key.CELL_TEMPERATURE_LOW_PROTECTION),
        rule("3404", "单芯温度过温", Kind.FLAG, Key.CELL_TEMPERATURE_HIGH_PROTECTION),
        rule("3405", "单芯电压欠压", Kind.FLAG, Key.CELL_VOLTAGE_LOW_PROTECTION),
        rule("3406", "单芯电压过压", Kind.FLAG, Key.CELL_VOLTAGE_HIGH_PROTECTION),
        rule("3407", "模块总压欠压", Kind.FLAG, Key.MODULE_VOLTAGE_LOW_PROTECTION),
        rule("3408", "模块总压过压", Kind.FLAG, Key.MODULE_VOLTAGE_HIGH_PROTECTION),
        rule("3500", "系统保护状态2", Kind.UNUSED),
        *(rule(str(point), RESERVED, Kind.UNUSED) for point in (3501, 3502, 3503, 3505, 3508)),
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
        *(rule(str(point), RESERVED, Kind.UNUSED) for point in range(4001, 4004)),
        rule("4004", "满充请求", Kind.FLAG, Key.FULL_CHARGE_REQUESTED),
        rule("4005", "强充2", Kind.FLAG, Key.FORCE_CHARGE_2),
        rule("4006", "强充1", Kind.FLAG, Key.FORCE_CHARGE_1),
        rule("4007", "Discharge enable", Kind.FLAG, Key.DISCHARGE_ENABLED),
        rule("4008", "Charge enable", Kind.FLAG, Key.CHARGE_ENABLED),
        rule("4100", "总报警状态", Kind.ANY, Key.ALARM),
        *JUNIOR_BOX,
    ),
)
