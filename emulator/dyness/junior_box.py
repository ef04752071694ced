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
TARIFF_GROUPS = (8100, 8500, 8900, 9300)
EVERY_DAY = 127
LOAD_PRIORITY = 16
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

    def points(self, first: int) -> dict[str, str]:
        """Give the three points from `first` on."""
        texts = (f"{self.voltage:.1f}", f"{self.current:.1f}", str(self.power))
        return {str(first + 100 * index): text for index, text in enumerate(texts)}

    def truth(self, name: str) -> Truth:
        """Give the three keys."""
        return {f"{name}_voltage": self.voltage, f"{name}_current": self.current, f"{name}_power": self.power}


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
        output = flows["output1"].power + flows["output2"].power
        air, heatsink = self._temperatures(now)
        system = super().system_values(now)
        return {
            **system,
            "310": f"MPPT{self.serial}",
            "4500": "1",
            **flows["pv"].points(4600),
            **flows["mppt"].points(4900),
            **flows["output1"].points(5200),
            **flows["output2"].points(5500),
            "5800": f"{BUS_VOLTAGE:.1f}",
            "5900": str(flows["pv"].power),
            "6000": str(self._battery_power(now)),
            "6100": str(output),
            "6200": "1",
            "6300": "0",
            "6400": "16",
            "6500": str(POWER_LIMIT),
            "6600": str(DISCHARGE_DEPTH),
            "6700": "1",
            "6900": f"{heatsink:.1f}",
            "7000": f"{air:.1f}",
            **{
                str(7100 + 200 * place + 100 * today): f"{counters[name + '_today' * today]:.2f}"
                for place, name in enumerate(BEFORE)
                for today in (False, True)
            },
            "7900": "311",
            "8000": "1204",
            **_tariff(),
            "999999": system["4100"],
        }

    def system_truth(self, now: datetime) -> Truth:
        """Give what the points tell."""
        flows = self._flows(now)
        air, heatsink = self._temperatures(now)
        own: Truth = {
            "output_power": flows["output1"].power + flows["output2"].power,
            "bus_voltage": BUS_VOLTAGE,
            "heatsink_temperature": heatsink,
            "ambient_temperature": air,
            "power_limit": POWER_LIMIT,
            "discharge_depth": DISCHARGE_DEPTH,
        }
        for name, flow in flows.items():
            own |= flow.truth(name)
        return super().system_truth(now) | own | self._counters(now)

    def _flows(self, now: datetime) -> dict[str, Flow]:
        """Give what flows from the panels, through the charger and to both outputs."""
        panels = round(self.state(now).solar * self.energy_rated * 1000)
        output = panels - self._battery_power(now)
        first = round(output * FIRST_SHARE)
        return {
            "pv": Flow.of(panels, PV_VOLTAGE),
            "mppt": Flow.of(panels * MPPT_EFFICIENCY, self._battery_voltage(now)),
            "output1": Flow.of(first, OUTPUT_VOLTAGE),
            "output2": Flow.of(output - first, OUTPUT_VOLTAGE),
        }

    def _battery_voltage(self, now: datetime) -> float:
        return round(self._voltage(self.measure_modules(now)), 1)

    def _battery_power(self, now: datetime) -> int:
        """In W, positive while charging."""
        return round(self._battery_voltage(now) * self._current(self.measure_modules(now)))

    def _counters(self, now: datetime) -> Truth:
        truth: Truth = {}
        for flown, suffix in zip(self.throughput(now), ("", "_today"), strict=True):
            energies = (flown.charged, flown.discharged, flown.solar, flown.output)
            for name, energy in zip(BEFORE, energies, strict=True):
                before = 0.0 if suffix else BEFORE[name]
                truth[name + suffix] = round(before + energy * self.kilowatt_hours, 2) + 0.0
        return truth

    def _temperatures(self, now: datetime) -> tuple[float, float]:
        """Air in the box and heatsink, in °C."""
        sample = self.measure_module(now, 1)
        return sample.bms_temperature, round(sample.mosfet_temperature + 3, 1)


def _tariff() -> dict[str, str]:
    """Give four groups of week days, start, end and power × 32 + mode, of which the first is in use."""
    values = dict.fromkeys((str(group + 100 * field) for group in TARIFF_GROUPS for field in range(4)), "0")
    return values | {"8100": str(EVERY_DAY), "8300": "2359", "8400": str(POWER_LIMIT * 32 + LOAD_PRIORITY)}
