"""The low-voltage master: DL5.0C, PowerBox, PowerDepot, PowerBrick (dyness-api 6.1), and its 5-digit variant (6.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from .devices import collector, load_payload
from .module import Module, module_truth, module_values
from .points import COMMON_NAMES, Truth, Values, electrical, registers
from .sample import ModuleSample, extreme_places, extremes, locate
from .storage import Storage

type Variant = Literal["A", "B"]

WARNINGS = {
    "3201": "cell_voltage_imbalance",
    "3202": "mosfet_temperature_high",
    "3203": "cell_temperature_low",
    "3204": "cell_temperature_high",
    "3205": "cell_voltage_low",
    "3206": "cell_voltage_high",
    "3207": "module_voltage_low",
    "3208": "module_voltage_high",
    "3305": "internal_communication_error",
    "3306": "discharge_overcurrent",
    "3307": "charge_overcurrent",
    "3308": "cell_temperature_imbalance",
}
PROTECTIONS = {"3504": "system_fault_protection"} | {
    # In the same places one byte group further, as far as there is one of them.
    str(int(point) + 200): f"{name}_protection"
    for point, name in WARNINGS.items()
    if point not in ("3201", "3305", "3308")
}
REQUESTS = {"4004": "full_charge_requested", "4005": "force_charge_2", "4006": "force_charge_1"}
HIGH_AT_THE_TOP = frozenset({"3206", "3208"})
"""Bits that may be on when the battery is full (#51)"""
CHARGE_VOLTAGE, DISCHARGE_VOLTAGE = 56.5, 48.0
DISCHARGE_LIMIT = 100.0
"""A per module"""
RECORDED: list[dict[str, str]] = load_payload("powerhaus")["points"]
RECORDED_NAMES = {point["pointId"]: point["pointNameCn"] for point in RECORDED}
RECORDED_VALUES = {point["pointId"]: point["pointValue"] for point in RECORDED if point["pointId"] not in COMMON_NAMES}


@dataclass(kw_only=True)
class LowVoltage(Storage):
    """Modules in parallel behind one master.

    Variant A speaks for all modules in points 100 to 4100, variant B for its one module in 5-digit points. Each of
    `switches` is a firmware update, from which on it speaks the other variant.
    """

    names: ClassVar[Mapping[str, str]] = COMMON_NAMES | RECORDED_NAMES

    variant: Variant = "A"
    switches: Sequence[datetime] = ()
    has_soc: bool = True
    """whether point 23800 of variant B is filled"""
    has_cycles: bool = False
    """whether variant A gives its cycles, which it does in standby only (#29 #36)"""
    warns_when_full: bool = False

    def module(self, number: int, serial: str) -> Module:
        """Make the module with this number."""
        return Module(serial=serial, master=self, number=number, utc_offset=self.utc_offset)

    def variant_at(self, now: datetime) -> Variant:
        """Give the variant of the newest sample."""
        return "A" if (self.variant == "A") is (self._updates(now) % 2 == 0) else "B"

    def firmware(self, now: datetime) -> str:
        """Give what runs on it."""
        updates = self._updates(now)
        return super().firmware(now) + (f".{updates}" if updates else "")

    def _updates(self, now: datetime) -> int:
        return sum(switch <= self.sample_time(now) for switch in self.switches)

    def values(self, now: datetime) -> Values:
        """Give the points of the variant."""
        if self.variant_at(now) == "A":
            return self.system_values(now)
        own = module_values(self, now, 1, serial=collector(self.serial), raised=self.raised)
        return self.common_values(now) | own | {"23800": str(int(self.state(now).soc)) if self.has_soc else ""}

    def truth(self, now: datetime) -> Truth:
        """Give what the points of the variant show."""
        own = self.rated(now) | {"energy_remaining": self.energy_rated * self.state(now).soc / 100}
        if self.variant_at(now) == "A":
            return own | self.system_truth(now)
        soc: Truth = {"soc": int(self.state(now).soc)} if self.has_soc else {}
        return own | module_truth(self, now, 1, raised=self.raised) | soc

    def system_values(self, now: datetime) -> Values:
        """Give points 100 to 4100, with the names, the order and the gaps of the dump."""
        modules, state = self.measure_modules(now), self.state(now)
        places: dict[str, str] = {}
        for point, (text, place) in zip((1300, 1500, 1800, 2000), extreme_places(modules), strict=True):
            numbers = (place.module << 8 | place.position, place.module, place.position)
            places |= {str(point): text}
            places |= {str(point + 100 + index): str(number) for index, number in enumerate(numbers)}
        boards = [[module.bms_temperature] for module in modules]
        hottest = locate(max, [[module.mosfet_temperature] for module in modules])
        board_high, board_low = locate(max, boards), locate(min, boards)
        raised = self._raised(now)
        enabled = {"4007", "4008"} if state.charge_limit > 0 else {"4007"}
        return (
            self.common_values(now)
            | RECORDED_VALUES
            | {
                "300": self.firmware(now),
                "400": str(len(modules)),
                "500": collector(self.serial),
                "600": f"{_voltage(modules):.1f}",
                "700": f"{_current(modules):.1f}",
                "800": str(int(state.soc)),
                "900": str(self.cycles(now)) if self._gives_cycles(now) else "",
                **places,
                "2300": f"{hottest.value:.1f}",
                "2400": str(hottest.module),
                "2800": f"{board_high.value:.1f}",
                "2900": str(board_high.module),
                "3000": f"{board_low.value:.1f}",
                "3100": str(board_low.module),
                **registers(raised, 3200, 3300, 3400, 3500),
                "3600": f"{CHARGE_VOLTAGE:.1f}",
                "3700": f"{DISCHARGE_VOLTAGE:.1f}",
                "3800": f"{state.charge_limit * self.system_capacity:.1f}",
                "3900": f"{DISCHARGE_LIMIT * len(modules):.1f}",
                **registers(raised & REQUESTS.keys() | enabled, 4000),
                "4100": str(int(bool(raised & PROTECTIONS.keys()))),
            }
        )

    def system_truth(self, now: datetime) -> Truth:
        """Give what points 100 to 4100 show."""
        modules, state, raised = self.measure_modules(now), self.state(now), self._raised(now)
        return (
            electrical(round(_voltage(modules), 1), round(_current(modules), 1))
            | extremes(modules)
            | ({"cycles": self.cycles(now)} if self._gives_cycles(now) else {})
            | {key: point in raised for point, key in (WARNINGS | PROTECTIONS | REQUESTS).items()}
            | {
                "soc": int(state.soc),
                "soh": 100,
                "module_count": len(modules),
                "mosfet_temperature_max": max(module.mosfet_temperature for module in modules),
                "bms_temperature_max": max(module.bms_temperature for module in modules),
                "bms_temperature_min": min(module.bms_temperature for module in modules),
                "charge_voltage_limit": CHARGE_VOLTAGE,
                "discharge_voltage_limit": DISCHARGE_VOLTAGE,
                "charge_current_limit": round(state.charge_limit * self.system_capacity, 1),
                "discharge_current_limit": DISCHARGE_LIMIT * len(modules),
                "charge_enabled": state.charge_limit > 0,
                "discharge_enabled": True,
                "alarm": bool(raised & PROTECTIONS.keys()),
                "warning": bool(raised & WARNINGS.keys()),
            }
        )

    def _raised(self, now: datetime) -> frozenset[str]:
        top = self.warns_when_full and self.state(now).soc >= 99
        return self.raised | (HIGH_AT_THE_TOP if top else frozenset())

    def _gives_cycles(self, now: datetime) -> bool:
        return self.has_cycles and self.state(now).rate == 0


def _voltage(modules: Sequence[ModuleSample]) -> float:
    return sum(module.voltage for module in modules) / len(modules)


def _current(modules: Sequence[ModuleSample]) -> float:
    return sum(module.current for module in modules)
