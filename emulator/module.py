"""A low-voltage module behind a master: the analogue frame of the 5-digit schema (dyness-api 6.3).

No public dump shows what the vendor calls these points, so their `pointNameCn` is empty here.
"""

from dataclasses import dataclass
from datetime import datetime

from .battery import Battery
from .cells import ambient, cell_temperatures, cell_voltages
from .devices import Device, Json, stamp

FIRST_CELL = 10300
FIRST_SENSOR = 12500


@dataclass(kw_only=True)
class Module(Device):
    """Answers realTime/data and nothing else; its samples come with those of its master."""

    listed: bool = False
    master: Device
    battery: Battery
    capacity: float
    """Ah"""
    cells: int
    sensors: int

    def listing(self, now: datetime) -> None:
        """Modules are not listed."""

    def detail(self, now: datetime) -> None:
        """Modules have none."""

    def station(self) -> None:
        """Modules have none."""

    def sample_time(self, now: datetime) -> datetime:
        """Give the time of the master's sample."""
        return self.master.sample_time(now)

    def points(self, now: datetime) -> list[Json]:
        """Give cells, temperatures, current and capacity."""
        time = self.sample_time(now)
        state = self.battery.at(time)
        voltages = cell_voltages(state, self.cells, self.battery.seed)
        temperatures = cell_temperatures(state, self.sensors, self.battery.seed)
        remaining = self.capacity * state.soc / 100
        values = {
            "T": stamp(time),
            "10000": self.serial,
            "10100": "2.50-62.0.11",
            "10200": str(self.cells),
            **{str(FIRST_CELL + 100 * index): f"{voltage:.3f}" for index, voltage in enumerate(voltages)},
            "12300": str(self.sensors + 1),
            "12400": f"{ambient(state) - 4:.1f}",
            **{str(FIRST_SENSOR + 100 * index): f"{value:.1f}" for index, value in enumerate(temperatures)},
            "13400": f"{state.rate * self.capacity:z.1f}",
            "13500": f"{sum(voltages):.3f}",
            "13600": f"{min(remaining, 65.535):.3f}",
            "13700": "4",
            "13800": f"{min(self.capacity, 65.535):.3f}",
            "13900": "37",
            "14000": f"{remaining:.3f}",
            "14100": f"{self.capacity:.3f}",
        }
        return [
            {"flag": False, "pointId": key, "pointValue": value, "pointNameCn": "数据采集时间" if key == "T" else ""}
            for key, value in values.items()
        ]
