"""The high-voltage master and its modules: Tower, Tower Pro, Stack100 (dyness-api 6.4, 6.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from .devices import collector, stamp
from .module import Module
from .points import COMMON_NAMES, Truth, Values, electrical, registers
from .sample import ModuleSample, extreme_places, extremes, single_cells
from .storage import Storage

NAMES = {
    "10": "BDU序列号",
    "20": "PCB序列号",
    "30": "Boot版本号",
    "40": "硬件版本号",
    "50": "APP版本号",
    "1000": "电流",
    "1100": "总压",
    "1200": "电池状态",
    "1300": "继电器状态",
    "1400": "SOC",
    "1500": "SOH",
    "1600": "电池剩余电量",
    "1700": "电池额定电量",
    "1800": "电池循环次数",
    "1900": "累计充电电量",
    "2000": "建议充电电流",
    "2100": "建议放电电流",
    "2200": "正极绝缘电阻值",
    "2300": "负极绝缘电阻值",
    "2400": "最高单压值",
    "2500": "所在箱号",
    "2600": "箱内序号",
    "2700": "最低单压值",
    "2800": "所在箱号",
    "2900": "箱内序号",
}
"""dyness-api 6.4; it writes the places of 2700 as "…"."""
ALARM_REGISTERS = range(4400, 5000, 100)
FLAGS = ("5001", "5002", "5003", "5101", "5102", "5104")
IMBALANCES = {"5001": "cell_voltage_imbalance", "5002": "cell_temperature_imbalance"}
ENERGY_BEFORE = 1234.5
"""kWh charged before EPOCH"""
DISCHARGE_RATE = 0.5
"""C"""
FIRST_CELL, CELL_SLOTS = 11200, 30
FIRST_SENSOR, SENSOR_SLOTS = 14300, 8
PLACEHOLDER = "0.0"


@dataclass(kw_only=True)
class HighVoltage(Storage):
    """Modules in series behind one master.

    `parallel` towers behind one combiner box each report the current of all of them (dyness-api 10.12).
    """

    names: ClassVar[Mapping[str, str]] = COMMON_NAMES | NAMES

    alarms: Literal["registers", "flags"] = "flags"
    parallel: int = 1
    index_stuck: bool = False
    """points 2600 and 2900 say 1 always (#32)"""
    balancing: bool = False
    """whether point 4000 is there, of which nobody knows what it is"""
    module_names_itself: bool = True
    counts_sensors: bool = True
    """whether modules have point 14200, and placeholders beyond that count"""
    twin: HighVoltage | None = None
    """another tower, together with which it uploads"""

    def sample_time(self, now: datetime) -> datetime:
        """Give the time of the newest sample that has arrived."""
        return self.twin.sample_time(now) if self.twin else super().sample_time(now)

    def module(self, number: int, serial: str) -> HighVoltageModule:
        """Make the module with this number."""
        return HighVoltageModule(serial=serial, master=self, number=number, utc_offset=self.utc_offset)

    @property
    def cells_in_series(self) -> int:
        """All of them."""
        return self.model.cells * len(self.capacities)

    @property
    def system_capacity(self) -> float:
        """In Ah, of the system whose current it reports."""
        return self.capacities[0] * self.parallel

    def values(self, now: datetime) -> Values:
        """Give the points of the newest sample."""
        modules, state, truth = self.measure_modules(now), self.state(now), HighVoltage.truth(self, now)
        serial = collector(self.serial)
        return {
            **self.common_values(now),
            "10": serial,
            "20": f"PCB{serial}",
            "30": "101",
            "40": "1.0",
            "50": self.firmware(now),
            "1000": f"{self._current(now):.1f}",
            "1100": f"{truth['voltage']:.1f}",
            "1200": "1" if state.rate > 0 else "2" if state.rate < 0 else "0",
            "1300": "1",
            "1400": str(truth["soc"]),
            "1500": str(truth["soh"]),
            "1600": f"{truth['energy_remaining']:.2f}",
            "1700": f"{truth['energy_rated']:.2f}",
            "1800": str(truth["cycles"]),
            "1900": f"{truth['energy_charged']:.2f}",
            "2000": f"{truth['charge_current_limit']:.1f}",
            "2100": f"{truth['discharge_current_limit']:.1f}",
            "2200": "",
            "2300": "",
            **self._places(modules),
            **({"4000": "0"} if self.balancing else {}),
            **(
                registers(self.raised, *ALARM_REGISTERS)
                if self.alarms == "registers"
                else {point: str(int(point in self.raised)) for point in FLAGS}
            ),
            "9999999": str(int(bool(self.raised))),
        }

    def _places(self, modules: list[ModuleSample]) -> Values:
        places: Values = {}
        for point, (text, place) in zip((2400, 2700, 3000, 3300), extreme_places(modules), strict=True):
            position = 1 if self.index_stuck and point < 3000 else place.position
            places |= {str(point): text, str(point + 100): str(place.module), str(point + 200): str(position)}
        return places

    def truth(self, now: datetime) -> Truth:
        """Give what the points show, but not the cell's number where it is stuck."""
        modules, state = self.measure_modules(now), self.state(now)
        stuck = {"cell_voltage_max_cell", "cell_voltage_min_cell"} if self.index_stuck else set()
        bits: Truth = {key: point in self.raised for point, key in IMBALANCES.items()} if self.alarms == "flags" else {}
        return (
            self.rated(now)
            | electrical(round(sum(module.voltage for module in modules), 1), self._current(now))
            | {key: value for key, value in extremes(modules).items() if key not in stuck}
            | bits
            | {
                "soc": int(state.soc),
                "soh": 100,
                "energy_rated": round(self.energy_rated, 2),
                "energy_remaining": round(self.energy_rated * state.soc / 100, 2),
                "energy_charged": round(ENERGY_BEFORE + self.throughput(now)[0].charged * self.kilowatt_hours, 2),
                "cycles": self.cycles(now),
                "charge_current_limit": round(state.charge_limit * self.capacities[0], 1),
                "discharge_current_limit": round(DISCHARGE_RATE * self.capacities[0], 1),
                "alarm": bool(self.raised),
            }
        )

    def _current(self, now: datetime) -> float:
        return round(self.state(now).rate * self.system_capacity, 1) + 0.0


@dataclass(kw_only=True)
class HighVoltageModule(Module):
    """Cells and temperatures; beyond the true counts stand placeholders."""

    master: HighVoltage

    def values(self, now: datetime) -> Values:
        """Give the points of the newest sample."""
        now = self.last_known(now)
        sample = self.master.measure_module(now, self.number)
        cells, sensors = len(sample.cells), len(sample.temperatures)
        voltages = [f"{voltage:.3f}" for voltage in sample.cells] + [PLACEHOLDER] * (CELL_SLOTS - cells)
        temperatures = [f"{value:.1f}" for value in sample.temperatures]
        if self.master.counts_sensors:
            temperatures += [PLACEHOLDER] * (SENSOR_SLOTS - sensors)
        return {
            "T": stamp(self.sample_time(now)),
            **({"10010": self.serial} if self.master.module_names_itself else {}),
            "11000": str(self.number),
            "11100": str(cells),
            **{str(FIRST_CELL + 100 * index): text for index, text in enumerate(voltages)},
            **({"14200": str(sensors)} if self.master.counts_sensors else {}),
            **{str(FIRST_SENSOR + 100 * index): text for index, text in enumerate(temperatures)},
        }

    def truth(self, now: datetime) -> Truth:
        """Give every cell and temperature; its points show nothing else."""
        now = self.last_known(now)
        return self.reported(now) | single_cells(self.master.measure_module(now, self.number))
