"""A PowerHaus: one low-voltage module of 5.12 kWh, from the dump in `payloads/powerhaus.json`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from .battery import Battery, BatteryState
from .cells import ambient, cell_temperatures, cell_voltages
from .devices import Device, Json, collector, load_payload, replace_values, stamp
from .module import Module

CAPACITY = 100
"""Ah, 5.12 kWh at 51.2 V"""
CELLS = 16
SENSORS = 4


@dataclass(kw_only=True)
class PowerHaus(Device):
    """A PowerHaus in a house with solar panels. Its battery lives `speed` times as fast as the clock."""

    serial: str = "R07E00000000DEMO-BMS"
    module_serial: str = "DEMO000000000001"
    speed: float = 1.0
    seed: int = 0

    @cached_property
    def battery(self) -> Battery:
        """How it is used."""
        return Battery(seed=self.seed, speed=self.speed, utc_offset=self.utc_offset)

    @cached_property
    def modules(self) -> Sequence[Device]:
        """The one module, which every master names in SUB."""
        return (
            Module(
                serial=self.module_serial,
                master=self,
                battery=self.battery,
                capacity=CAPACITY,
                cells=CELLS,
                sensors=SENSORS,
            ),
        )

    def listing(self, now: datetime) -> Json:
        """Its workStatus is Fault whenever it is full."""
        state = self._state(now)
        status = "Fault" if state.soc >= 100 else "RunMode" if state.rate else "StandBy"
        own = {"deviceSn": self.serial, "collectorSn": collector(self.serial), "workStatus": status}
        listing: Json = load_payload("powerhaus")["listing"]
        return listing | own

    def detail(self, now: datetime) -> Json:
        """Give household/storage/detail, the only reply with an explicit zone."""
        hours, minutes = divmod(abs(int(self.utc_offset.total_seconds())) // 60, 60)
        sign = "-" if self.utc_offset.days < 0 else "+"
        time = stamp(self.sample_time(now) + self.utc_offset)
        own = {"deviceSn": self.serial, "dataUpdateTime": f"{time} UTC{sign}{hours:02d}:{minutes:02d}"}
        detail: Json = load_payload("powerhaus")["detail"]
        return detail | own

    def station(self) -> Json:
        """Give station/info, which never changes."""
        return dict(load_payload("powerhaus")["station"])

    def points(self, now: datetime) -> list[Json]:
        """Give the newest sample that has arrived."""
        time = stamp(self.sample_time(now))
        own = {"T": time, "TIME": time, "SUB": self.module_serial}
        return replace_values(load_payload("powerhaus")["points"], own | pack_values(self._state(now), self.seed))

    def _state(self, now: datetime) -> BatteryState:
        return self.battery.at(self.sample_time(now))


def pack_values(state: BatteryState, seed: int) -> dict[str, str]:
    """Give the live points of the low-voltage table (dyness-api 6.1)."""
    voltages = cell_voltages(state, CELLS, seed)
    temperatures = cell_temperatures(state, SENSORS, seed)
    room = ambient(state)
    charge_enabled = state.charge_limit > 0
    return {
        "600": f"{sum(voltages):.1f}",
        "700": f"{state.rate * CAPACITY:z.1f}",
        "800": str(int(state.soc)),
        "1300": f"{max(voltages):.3f}",
        **_location(1400, voltages.index(max(voltages))),
        "1500": f"{min(voltages):.3f}",
        **_location(1600, voltages.index(min(voltages))),
        "1800": f"{max(temperatures):.1f}",
        **_location(1900, temperatures.index(max(temperatures))),
        "2000": f"{min(temperatures):.1f}",
        **_location(2100, temperatures.index(min(temperatures))),
        "2300": f"{room + 2 + 14 * abs(state.rate):.1f}",
        "2800": f"{room - 4:.1f}",
        "3000": f"{room - 4:.1f}",
        "3800": f"{state.charge_limit * CAPACITY:.1f}",
        "4000": str(charge_enabled << 7 | 1 << 6),
        "4007": "1",
        "4008": str(int(charge_enabled)),
    }


def _location(point: int, index: int) -> dict[str, str]:
    """Say where a cell or sensor is: module in the high byte, position in the low one, and both apart."""
    return {str(point): str(1 << 8 | index + 1), str(point + 1): "1", str(point + 2): str(index + 1)}
