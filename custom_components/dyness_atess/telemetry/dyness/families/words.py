"""Vendor names that no table holds, and the words that vendor names are made of."""

from ...vocabulary import Key
from ..family import Kind, Rule, rule

TRADITIONAL = (
    "數據時間設備後機稱廠軟總單壓電環編號溫過狀態報護統議強滿請繼額餘絕緣熱體誤錯內頻負極個標當轉風許計氣濕塊採誌濃"
)
SIMPLIFIED = (
    "数据时间设备后机称厂软总单压电环编号温过状态报护统议强满请继额余绝缘热体误错内频负极个标当转风许计气湿块采志浓"
)
"""The characters of our words that differ, in both scripts."""


def _words(kind: Kind, key: Key, names: str, vague: str = "") -> tuple[Rule, ...]:
    """Return rules for names; the `vague` ones count only where no other is there."""
    given = [(name, False) for name in names.split("|")] + [(name, True) for name in vague.split("|") if name]
    return tuple(rule("", name, kind, key, fallback=fallback) for name, fallback in given)


def _extreme(key: str, vendor: str, *english: str) -> tuple[Rule, ...]:
    """Return rules for the highest or lowest voltage and temperature of all cells."""
    return tuple(
        rule("", name, kind, Key(f"cell_{quantity}_{key}"))
        for kind, what, quantity in ((Kind.CELL_VOLTAGE, "电压", "voltage"), (Kind.TEMPERATURE, "温度", "temperature"))
        for name in (
            *(f"{both}{what}" for cell in ("单体", "电芯") for both in (vendor + cell, cell + vendor)),
            *(f"{word} cell {quantity}" for word in english),
        )
    )


def _flow(direction: str, vendor: str, english: str) -> tuple[Rule, ...]:
    """Return rules for what flows into the battery or out of it."""
    limits = f"最大允许{vendor}电流|允许最大{vendor}电流|max {english} current|maximum {english} current"
    today = f"今日{vendor}电量|当日{vendor}电量|daily {english} energy"
    return (
        *_words(Kind.CURRENT, Key(f"{english}_current_limit"), limits),
        *_words(Kind.ENERGY, Key(f"energy_{direction}"), f"累计{vendor}电量|总{vendor}电量|total {english} energy"),
        *_words(Kind.ENERGY, Key(f"energy_{direction}_today"), today),
    )


_SOC = "平均SOC|电池SOC|系统SOC|总SOC|battery SOC|system SOC|average SOC|state of charge|Ladezustand"
_SOH = "电池SOH|系统SOH|总SOH|battery SOH|state of health|Gesundheitszustand"
_VOLTAGE = "总电压|系统电压|系统总压|电池电压|电池总压|battery voltage|total voltage|pack voltage|Batteriespannung"
_CURRENT = "系统电流|电池电流|battery current|total current|pack current|Batteriestrom"

WORDS = (
    *_words(Kind.SOC, Key.SOC, _SOC, "簇SOC|电池簇SOC|cluster SOC"),
    *_words(Kind.SOH, Key.SOH, _SOH, "簇SOH|电池簇SOH|cluster SOH"),
    *_words(Kind.BATTERY_VOLTAGE, Key.VOLTAGE, _VOLTAGE, "电压|簇电压|簇总压|voltage|Spannung|Klemmenspannung"),
    *_words(Kind.CURRENT, Key.CURRENT, _CURRENT, "电流|簇电流|current|Strom"),
    *_words(Kind.TEMPERATURE, Key.BATTERY_TEMPERATURE, "电池温度|battery temperature", "温度|temperature|Temperatur"),
    *_words(Kind.COUNT, Key.CYCLES, "循环次数|cycle count|cycles|number of cycles|Ladezyklen"),
    *_extreme("max", "最高", "max", "highest"),
    *_extreme("min", "最低", "min", "lowest"),
    *_flow("charged", "充电", "charge"),
    *_flow("discharged", "放电", "discharge"),
    *_words(Kind.ANY, Key.ALARM, "总报警|total alarm|alarm"),
)

BATTERY_WORDS = "soc|soh|stateof|ladezustand|gesundheitszustand|电芯|单芯|单体|电池|battery|batterie|cell"
"""One of them is in the names of a battery, and not in those of a meter or dongle."""

QUANTITIES = {
    "voltage": "电压|压值|总压|单压|最高压|最低压|压|voltage|volt|spannung|tension|tensión|voltaje|tensione|(v)",
    "current": "电流|current|strom|courant|corriente|corrente|(a)",
    "power": "功率|power|leistung|puissance|potencia|potenza|(w)",
    "charge": "电量",
    "energy": "能量|energy|energie|énergie|energía|energia|(kwh)",
    "capacity": "容量|capacity|kapazität|capacité|capacidad|capacità|(ah)",
    "temperature": "温度|temperature|temp|temperatur|température|temperatura|(°c)|(c)",
    "soc": "soc|stateofcharge|ladezustand",
    "soh": "soh|stateofhealth|gesundheitszustand",
    "ratio": "百分比|深度|depth|percent|(%)",
    "count": "次数|数量|总数|序号|编号|箱号|箱数|个数|count|cycles|number|anzahl|zyklen|nummer|(次)",
    "state": "状态|告警|报警|保护|使能|请求|故障|模式|标志|错误|高压|低压|过压|欠压|高温|低温|过温|欠温|过低|过高"
    "|status|state|alarm|warning|protection|enable|request|fault|mode|error",
    "other": "湿度|电阻|频率|版本|序列号|名称|转速|内阻|阻抗|因数|角度|风速|气压|浓度|时间"
    "|humidity|feuchte|resistance|impedance|widerstand|frequency|frequenz|version|serial|factor|angle|speed|pressure"
    "|duration|(mv)|(kv)|(ma)|(mah)|(kw)|(wh)|(mwh)|(°f)|(k)|(var)|(va)|(hz)|(ω)|(kω)|(mω)|(s)|(min)|(h)",
}
"""The last word of a name says of what it speaks. In brackets: the units in which the rules read, and others."""

ALSO = {"charge": ("energy", "capacity", "ratio", "soc"), "ratio": ("soc", "soh"), "energy": ("charge",)}
"""What else a word or unit may stand for."""
