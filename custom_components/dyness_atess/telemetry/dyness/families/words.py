"""Vendor names that no table holds, and the words that vendor names are made of."""

from ...vocabulary import Key
from ..family import Kind, Quantity, Rule, rule

TRADITIONAL = (
    "數據時間設備後機稱廠軟總單壓電環編號溫過狀態報護統議強滿請繼額餘絕緣熱體誤錯內頻負極個標當轉風許計氣濕塊採誌濃"
)
SIMPLIFIED = (
    "数据时间设备后机称厂软总单压电环编号温过状态报护统议强满请继额余绝缘热体误错内频负极个标当转风许计气湿块采志浓"
)
"""The characters of our words that differ, in both scripts."""


def _words(kind: Kind, key: Key, names: str, less: str = "") -> tuple[Rule, ...]:
    """Return rules for names; the `less` specific ones count only where no other is there."""
    sure = [rule("", name, kind, key) for name in names.split("|")]
    return (*sure, *(rule("", name, kind, key, fallback=True) for name in less.split("|") if name))


WORDS = (
    *_words(
        *(Kind.PERCENTAGE, Key.SOC),
        "平均SOC|电池SOC|系统SOC|总SOC|battery SOC|system SOC|average SOC|state of charge|Ladezustand",
        "簇SOC|电池簇SOC|cluster SOC",
    ),
    *_words(
        *(Kind.PERCENTAGE, Key.SOH),
        "电池SOH|系统SOH|总SOH|battery SOH|state of health|Gesundheitszustand",
        "簇SOH|电池簇SOH|cluster SOH",
    ),
    *_words(
        *(Kind.BATTERY_VOLTAGE, Key.VOLTAGE),
        "总电压|系统电压|系统总压|电池电压|电池总压|battery voltage|total voltage|pack voltage|system voltage"
        "|average voltage|Batteriespannung|Gesamtspannung",
        "电压|簇电压|簇总压|voltage|Spannung|Klemmenspannung|cluster voltage",
    ),
    *_words(
        *(Kind.CURRENT, Key.CURRENT),
        "系统电流|电池电流|battery current|total current|pack current|system current|Batteriestrom|Gesamtstrom",
        "电流|簇电流|current|Strom|cluster current",
    ),
    *_words(
        *(Kind.TEMPERATURE, Key.BATTERY_TEMPERATURE),
        "电池温度|battery temperature|Batterietemperatur",
        "温度|temperature|Temperatur",
    ),
    *_words(Kind.COUNT, Key.CYCLES, "循环次数|cycle count|cycles|number of cycles|Zyklen|Ladezyklen"),
    *(
        word
        for kind, what, english in (
            (Kind.CELL_VOLTAGE, "电压", "voltage"),
            (Kind.TEMPERATURE, "温度", "temperature"),
        )
        for extreme, vendor, words in (
            ("max", "最高", ("max", "maximum", "highest")),
            ("min", "最低", ("min", "minimum", "lowest")),
        )
        for word in _words(
            kind,
            Key(f"cell_{english}_{extreme}"),
            f"{vendor}单体{what}|单体{vendor}{what}|{vendor}电芯{what}|电芯{vendor}{what}|"
            + "|".join(f"{adjective} cell {english}" for adjective in words),
        )
    ),
    *(
        word
        for direction, vendor, english in (("CHARGE", "充电", "charge"), ("DISCHARGE", "放电", "discharge"))
        for kind, key, names in (
            (
                Kind.CURRENT,
                Key[f"{direction}_CURRENT_LIMIT"],
                f"最大允许{vendor}电流|允许最大{vendor}电流|max {english} current|maximum {english} current",
            ),
            (Kind.ENERGY, Key[f"ENERGY_{direction}D"], f"累计{vendor}电量|总{vendor}电量|total {english} energy"),
            (
                Kind.ENERGY,
                Key[f"ENERGY_{direction}D_TODAY"],
                f"今日{vendor}电量|当日{vendor}电量|daily {english} energy",
            ),
        )
        for word in _words(kind, key, names)
    ),
    *_words(Kind.ANY, Key.ALARM, "总报警|total alarm|alarm"),
)

BATTERY_WORDS = (
    *("soc", "soh", "stateof", "ladezustand", "gesundheitszustand"),
    *("电芯", "单芯", "单体", "电池", "battery", "batterie", "cell"),
)
"""One of them is in the names of a battery, and not in those of a meter or dongle."""

QUANTITIES = {
    Quantity.VOLTAGE: "电压|压值|总压|单压|最高压|最低压|压|voltage|volt|spannung|tension|tensión|voltaje|tensione",
    Quantity.CURRENT: "电流|current|strom|courant|corriente|corrente",
    Quantity.POWER: "功率|power|leistung|puissance|potencia|potenza",
    Quantity.CHARGE: "电量",
    Quantity.ENERGY: "能量|energy|energie|énergie|energía|energia",
    Quantity.CAPACITY: "容量|capacity|kapazität|capacité|capacidad|capacità",
    Quantity.TEMPERATURE: "温度|temperature|temp|temperatur|température|temperatura",
    Quantity.RATIO: "soc|soh|百分比|深度|stateofcharge|stateofhealth|ladezustand|gesundheitszustand|depth|percent",
    Quantity.COUNT: "次数|数量|总数|序号|编号|箱号|箱数|个数|count|cycles|number|anzahl|zyklen|nummer",
    Quantity.STATE: "状态|告警|报警|保护|使能|请求|故障|模式|标志|错误|高压|低压|过压|欠压|高温|低温|过温|欠温"
    "|status|state|alarm|warning|protection|enable|request|fault|mode|error",
    Quantity.OTHER: "湿度|电阻|绝缘|频率|版本|序列号|名称|转速|内阻|阻抗|因数|角度|风速|气压|浓度|时间"
    "|humidity|feuchte|resistance|impedance|widerstand|frequency|frequenz|version|serial|factor|angle|speed|pressure"
    "|duration|(mv)|(kv)|(ma)|(mah)|(kw)|(wh)|(mwh)|(°f)|(k)|(var)|(va)|(hz)|(ω)|(kω)|(mω)|(s)|(min)|(h)",
}
"""The last word of a name says of what it speaks; a word that stands alone is no name of any one point."""

UNITS = {
    "v": Quantity.VOLTAGE,
    "a": Quantity.CURRENT,
    "w": Quantity.POWER,
    "kwh": Quantity.ENERGY,
    "ah": Quantity.CAPACITY,
    "°c": Quantity.TEMPERATURE,
    "c": Quantity.TEMPERATURE,
    "%": Quantity.RATIO,
    "次": Quantity.COUNT,
}
"""Units in which the rules read; any other one is part of the name."""
