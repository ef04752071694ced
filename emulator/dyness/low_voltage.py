"""The low-voltage master: DL5.0C, PowerBox, PowerDepot, PowerBrick (dyness-api 6.1), and its 5-digit variant (6.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import ClassVar, Literal

from .devices import collector, load_payload
from .module import Module, module_truth, module_values
from .points import COMMON_NAMES, Truth, Values, electrical, registers
from .sample import ModuleSample, extremes, locate
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
PROTECTIONS = {
    "3402": "mosfet_temperature_high_protection",
    "3403": "cell_temperature_low_protection",
    "3404": "cell_temperature_high_protection",
    "3405": "cell_voltage_low_protection",
    "3406": "cell_voltage_high_protection",
    "3407": "module_voltage_low_protection",
    "3408": "module_voltage_high_protection",
    "3504": "system_fault_protection",
    "3506": "discharge_overcurrent_protection",
    "3507": "charge_overcurrent_protection",
}
REQUESTS = {"4004": "full_charge_requested", "4005": "force_charge_2", "4006": "force_charge_1"}
HIGH_AT_THE_TOP = frozenset({"3206", "3208"})
"""Bits that may be on when the battery is full (#51)"""
CHARGE_VOLTAGE, DISCHARGE_VOLTAGE = 56.5, 48.0
DISCHARGE_LIMIT = 100.0
"""A per module"""


@cache
def recorded_values() -> dict[str, str]:
    """Give the values of the PowerHaus dump, without those that every battery has."""
    recorded = {point["pointId"]: point["pointValue"] for point in load_payload("powerhaus")["points"]}
    return {key: value for key, value in recorded.items() if key not in COMMON_NAMES}


@cache
def recorded_names() -> dict[str, str]:
    """Give the names of the PowerHaus dump."""
    return {point["pointId"]: point["pointNameCn"] for point in load_payload("powerhaus")["points"]}


@dataclass(kw_only=True)
class LowVoltage(Storage):
    """Modules in parallel behind one master.

    Variant A speaks for all modules in points 100 to 4100, variant B for its one module in 5-digit points. Each of
    `switches` is a firmware update, from which on it speaks the other variant.
    """

    names: ClassVar[Mapping[str, str]] = COMMON_NAMES | recorded_names()

    variant: Variant = "A"
    switches: Sequence[datetime] = ()
    tells_soc: bool = True
    """whether point 23800 of variant B is filled"""
    tells_cycles: bool = False
    """whether variant A gives its cycles, which it does in standby only (#29 #36)"""
    warns_when_full: bool = False

    def module(self, number: int, serial: str) -> Module:
        """Make the module with this number."""
        return Module(serial=serial, master=self, number=number, utc_offset=self.utc_offset)

    def variant_at(self, now: datetime) -> Variant:
        """Give the variant of the newest sample."""
        sample = self.sample_time(now)
        changed = sum(switch <= sample for switch in self.switches) % 2 == 1
        return "A" if (self.variant == "A") is not changed else "B"

    def firmware(self, now: datetime) -> str:
        """Give what runs on it."""
        updates = sum(switch <= self.sample_time(now) for switch in self.switches)
        return super().firmware(now) + (f".{updates}" if updates else "")

    def values(self, now: datetime) -> Values:
        """Give the points of the variant."""
        if self.variant_at(now) == "A":
            return self.system_values(now)
        sample = self.measure_module(now, 1)
        own = module_values(
            sample,
            self.state(now),
            serial=collector(self.serial),
            firmware=self.firmware(now),
            cycles=self.cycles(now),
            raised=self.raised,
        )
        return self.common_values(now) | own | {"23800": str(int(self.state(now).soc)) if self.tells_soc else ""}

    def truth(self, now: datetime) -> Truth:
        """Give what the variant tells."""
        if self.variant_at(now) == "A":
            return self.system_truth(now)
        own = module_truth(self.measure_module(now, 1), self.state(now), cycles=self.cycles(now), raised=self.raised)
        if self.tells_soc:
            own["soc"] = int(self.state(now).soc)
        return self.rated(now) | own | self._stored(now)

    def system_values(self, now: datetime) -> Values:
        """Give points 100 to 4100, with the names, the order and the gaps of the dump."""
        modules, state = self.measure_modules(now), self.state(now)
        places: dict[str, str] = {}
        for point, place_point, pick, temperatures in (
            (1300, 1400, max, False),
            (1500, 1600, min, False),
            (1800, 1900, max, True),
            (2000, 2100, min, True),
        ):
            place = locate(pick, [module.temperatures if temperatures else module.cells for module in modules])
            places[str(point)] = f"{place.value:.1f}" if temperatures else f"{place.value:.3f}"
            places |= place.packed(place_point)
        hottest = locate(max, [[module.mosfet_temperature] for module in modules])
        board_high, board_low = (locate(pick, [[module.bms_temperature] for module in modules]) for pick in (max, min))
        raised = self._raised(now)
        enabled = registers(raised & REQUESTS.keys() | self._enabled(now), 4000)
        return (
            self.common_values(now)
            | recorded_values()
            | {
                "300": self.firmware(now),
                "400": str(len(modules)),
                "500": collector(self.serial),
                "600": f"{self._voltage(modules):.1f}",
                "700": f"{self._current(modules):.1f}",
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
                **enabled,
                "4100": str(int(bool(raised & PROTECTIONS.keys()))),
            }
        )

    def system_truth(self, now: datetime) -> Truth:
        """Give what points 100 to 4100 tell."""
        modules, state, raised = self.measure_modules(now), self.state(now), self._raised(now)
        bits: Truth = {key: point in raised for point, key in (WARNINGS | PROTECTIONS | REQUESTS).items()}
        cycles: Truth = {"cycles": self.cycles(now)} if self._gives_cycles(now) else {}
        return (
            self.rated(now)
            | electrical(round(self._voltage(modules), 1), round(self._current(modules), 1))
            | extremes(modules)
            | cycles
            | bits
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
            | self._stored(now)
        )

    def _stored(self, now: datetime) -> Truth:
        return {"energy_remaining": self.energy_rated * self.state(now).soc / 100}

    def _raised(self, now: datetime) -> frozenset[str]:
        top = self.warns_when_full and self.state(now).soc >= 99
        return self.raised | (HIGH_AT_THE_TOP if top else frozenset())

    def _enabled(self, now: datetime) -> set[str]:
        return {"4007", "4008"} if self.state(now).charge_limit > 0 else {"4007"}

    def _gives_cycles(self, now: datetime) -> bool:
        return self.tells_cycles and self.state(now).rate == 0

    @staticmethod
    def _voltage(modules: Sequence[ModuleSample]) -> float:
        return sum(module.voltage for module in modules) / len(modules)

    @staticmethod
    def _current(modules: Sequence[ModuleSample]) -> float:
        return sum(module.current for module in modules)
