"""The five-digit schema of one module, which some masters speak as well (dyness-api 6.3).

No source has the vendor's names. The order of fields is that of the Pylontech frames 0x42, 0x44 and 0x47; what is not
in use by public code with plausible values is told from its place in them.
"""

from ...vocabulary import CELL_VOLTAGES, PROBE_TEMPERATURES, Key
from ..family import Family, Kind, Series, rule
from .common import HEAD

_CELLS = 16
_LIMITS = (Key.CELL_VOLTAGE_LOW, Key.CELL_VOLTAGE_HIGH)
_TEMPERATURE_LIMITS = (Key.CELL_TEMPERATURE_LOW, Key.CELL_TEMPERATURE_HIGH)

MODULE = Family(
    name="module",
    is_module=True,
    essential=frozenset({"10300", "13500"}),
    current_sign=-1,
    idle_current=0.5,
    series=(
        Series(first=10300, count_id="10200", kind=Kind.CELL_VOLTAGE, keys=[(key,) for key in CELL_VOLTAGES[:20]]),
        # The first of the temperatures counted is the board's, 12400.
        Series(
            first=12500,
            count_id="12300",
            kind=Kind.TEMPERATURE,
            keys=[(key,) for key in PROBE_TEMPERATURES[:4]],
            uncounted=1,
        ),
        Series(first=14300, count_id="14200", kind=Kind.LIMIT_STATE, keys=[_LIMITS] * _CELLS),
    ),
    rules=(
        *HEAD,
        rule("10000", None, Kind.UNUSED),
        rule("10001", None, Kind.UNUSED),
        rule("10100", None, Kind.FIRMWARE),
        rule("10200", None, Kind.PLACE, None),
        rule("12300", None, Kind.PLACE, None),
        rule("12400", None, Kind.TEMPERATURE, Key.BMS_TEMPERATURE),
        rule("13400", None, Kind.CURRENT, Key.CURRENT),
        rule("13500", None, Kind.BATTERY_VOLTAGE, Key.VOLTAGE),
        # Sixteen bits wide: they end at 65.535 Ah. The same in 24 bits is 14000 and 14100.
        rule("13600", None, Kind.UNUSED),
        rule("13700", None, Kind.UNUSED),
        rule("13800", None, Kind.UNUSED),
        rule("13900", None, Kind.COUNT, Key.CYCLES),
        # Ah, however much a module of 100 Ah makes them look like percentages (dyness-api 10.2).
        rule("14000", None, Kind.CAPACITY, Key.CAPACITY_REMAINING),
        rule("14100", None, Kind.CAPACITY, Key.CAPACITY_FULL),
        rule("14200", None, Kind.PLACE, None),
        rule("15900", None, Kind.PLACE, None),
        *(rule(str(point), None, Kind.LIMIT_STATE, *_TEMPERATURE_LIMITS) for point in range(16000, 16500, 100)),
        rule("16500", None, Kind.LIMIT_STATE, None, Key.CHARGE_OVERCURRENT),
        rule("16600", None, Kind.LIMIT_STATE, Key.MODULE_VOLTAGE_LOW, Key.MODULE_VOLTAGE_HIGH),
        rule("16700", None, Kind.LIMIT_STATE, None, Key.DISCHARGE_OVERCURRENT),
        rule(
            "16800",
            None,
            Kind.BITS,
            Key.CELL_VOLTAGE_HIGH_PROTECTION,
            Key.CELL_VOLTAGE_LOW_PROTECTION,
            Key.CHARGE_OVERCURRENT_PROTECTION,
            None,
            Key.DISCHARGE_OVERCURRENT_PROTECTION,
            Key.CELL_TEMPERATURE_HIGH_PROTECTION,
            Key.CELL_TEMPERATURE_HIGH_PROTECTION,
            Key.MODULE_VOLTAGE_LOW_PROTECTION,
        ),
        rule("16900", None, Kind.BITS, None, Key.CHARGE_MOSFET, Key.DISCHARGE_MOSFET),
        rule("17000", None, Kind.BITS, None, None, None, Key.FULLY_CHARGED, None, Key.HEATER),
        rule("17100", None, Kind.BITS, *[Key.CELL_FAULT] * 8),
        rule("17200", None, Kind.BITS, *[Key.CELL_FAULT] * 8),
        # Parameters (frame 0x47): at which voltage, temperature and current the module protects itself. 18600 and 19200
        # are the currents; they never move, so they are not the limits that a battery asks for now (3800 and 3900 of
        # its master, which fall to 0 A when it is full).
        *(rule(str(point), None, Kind.UNUSED) for point in range(18100, 19300, 100)),
        rule("23800", None, Kind.SOC, Key.SOC),
    ),
)
