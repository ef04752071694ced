"""A Junior Box: a low-voltage battery on a balcony, with panels, two outputs and counters (dyness-api 6.2).

No source has the vendor's names of the points from 4500 on. Their labels come from a public client's list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, NamedTuple

from .low_voltage import LowVoltage
from .models import JUNIOR_BOX, Model
from .points import Truth, Values

CAPACITY = 32.0
"""Ah; 1.6 kWh"""
PV_VOLTAGE, OUTPUT_VOLTAGE, BUS_VOLTAGE = 38.0, 40.0, 42.0
MPPT_EFFICIENCY = 0.97
FIRST_SHARE = 0.6
"""of the output power that goes to OUT1"""
POWER_LIMIT = 800
"""W"""
DISCHARGE_DEPTH = 90
"""%"""
FIRST_POINTS = {"pv": 4600, "mppt": 4900, "output1": 5200, "output2": 5500}
# Four groups of week days, start, end and power × 32 + mode, of which the first is in use: every day, load first.
TARIFF = dict.fromkeys(map(str, range(8100, 9700, 100)), "0") | {
    "8100": "127",
    "8300": "2359",
    "8400": str(POWER_LIMIT * 32 + 16),
}
BEFORE = {"energy_charged": 210.4, "energy_discharged": 203.9, "pv_energy": 388.1, "output_energy": 371.6}
"""kWh at EPOCH"""


class Flow(NamedTuple):
    """One line of voltage (V), current (A) and power (W), of which power is whole."""

    voltage: float
    current: float
    power: int

    @classmethod
    def of(cls, power: float, voltage: float) -> Flow:
        """Let a power flow at a voltage; without it there is no voltage either."""
        return cls(voltage, round(power / voltage, 1), round(power)) if power else cls(0.0, 0.0, 0)


@dataclass(kw_only=True)
class JuniorBox(LowVoltage):
    """Counters of the day begin anew at midnight of the emulated house."""

    history_volts: ClassVar[float | None] = 18.0
    names: ClassVar[Mapping[str, str]] = LowVoltage.names

    model: Model = JUNIOR_BOX
    capacities: tuple[float, ...] = (CAPACITY,)

    def system_values(self, now: datetime) -> Values:
        """Give points 100 to 4100 and those from 4500 on."""
        flows, counters = self._flows(now), self._counters(now)
        air, heatsink = self._temperatures(now)
        system = super().system_values(now)
        lines: dict[str, str] = {}
        for name, first in FIRST_POINTS.items():
            voltage, current, power = flows[name]
            lines |= {str(first): f"{voltage:.1f}", str(first + 100): f"{current:.1f}", str(first + 200): str(power)}
        return {
            **system,
            "310": f"MPPT{self.serial}",
            "4500": "1",
            **lines,
            "5800": f"{BUS_VOLTAGE:.1f}",
            "5900": str(flows["pv"].power),
            "6000": str(self._battery_power(now)),
            "6100": str(flows["output1"].power + flows["output2"].power),
            "6200": "1",
            "6300": "0",
            "6400": "16",
            "6500": str(POWER_LIMIT),
            "6600": str(DISCHARGE_DEPTH),
            "6700": "1",
            "6900": f"{heatsink:.1f}",
            "7000": f"{air:.1f}",
            **{str(7100 + 100 * place): f"{value:.2f}" for place, value in enumerate(counters.values())},
            "7900": "311",
            "8000": "1204",
            **TARIFF,
            "999999": system["4100"],
        }

    def system_truth(self, now: datetime) -> Truth:
        """Give what the points show."""
        flows = self._flows(now)
        air, heatsink = self._temperatures(now)
        return (
            super().system_truth(now)
            | {
                "output_power": flows["output1"].power + flows["output2"].power,
                "bus_voltage": BUS_VOLTAGE,
                "heatsink_temperature": heatsink,
                "ambient_temperature": air,
                "power_limit": POWER_LIMIT,
                "discharge_depth": DISCHARGE_DEPTH,
            }
            | {f"{name}_{key}": value for name, flow in flows.items() for key, value in flow._asdict().items()}
            | self._counters(now)
        )

    def _flows(self, now: datetime) -> dict[str, Flow]:
        """Give what flows from the panels, through the charger and to both outputs."""
        panels = round(self.state(now).solar * self.energy_rated * 1000)
        output = panels - self._battery_power(now)
        first = round(output * FIRST_SHARE)
        return {
            "pv": Flow.of(panels, PV_VOLTAGE),
            "mppt": Flow.of(panels * MPPT_EFFICIENCY, round(self.measure_module(now, 1).voltage, 1)),
            "output1": Flow.of(first, OUTPUT_VOLTAGE),
            "output2": Flow.of(output - first, OUTPUT_VOLTAGE),
        }

    def _battery_power(self, now: datetime) -> int:
        """In W, positive while charging."""
        sample = self.measure_module(now, 1)
        return round(round(sample.voltage, 1) * sample.current)

    def _counters(self, now: datetime) -> dict[str, float]:
        """Give each total and each counter of the day, in the order of their points."""
        ever, today = ((flown.charged, flown.discharged, flown.solar, flown.output) for flown in self.throughput(now))
        counters = {}
        for (name, before), total, of_today in zip(BEFORE.items(), ever, today, strict=True):
            counters[name] = round(before + total * self.kilowatt_hours, 2) + 0.0
            counters[f"{name}_today"] = round(of_today * self.kilowatt_hours, 2) + 0.0
        return counters

    def _temperatures(self, now: datetime) -> tuple[float, float]:
        """Air in the box and heatsink, in °C."""
        sample = self.measure_module(now, 1)
        return sample.bms_temperature, round(sample.mosfet_temperature + 3, 1)
