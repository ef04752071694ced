"""A master: the device of an account that the cloud lists, with a battery behind it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Literal
from zlib import crc32

from .battery import Battery, BatteryState
from .cells import OddCell
from .devices import PERIOD, Device, Json, collector, load_payload, stamp
from .history import PowerHistory
from .models import Model
from .points import PointDevice, Truth, Values
from .sample import ModuleSample, measure
from .throughput import NOMINAL_CELL_VOLTAGE, Throughput, of_today, since_epoch

COMMUNICATION = {"Online": "1", "Offline": "2", "Breakdown": "3"}

type Sub = Literal["all", "partial", "null", "absent", "reversed", "with_master", "single"]
"""What a master says of its modules: a hint and never the truth (dyness-api 5, field report F10 to F14)"""


@dataclass(kw_only=True)
class Storage(PointDevice):
    """A battery of some modules in a house with solar panels. It lives `speed` times as fast as the clock.

    `model_name`, `communication` and `work_status` are for what the device list says against all truth;
    `station_capacity` (kWh) is what station/info says, where that is not the capacity (dyness-api 8). Each sample has
    the next of `sub`.
    """

    history_volts: ClassVar[float | None] = None

    model: Model
    capacities: tuple[float, ...] = (100.0,)
    """Ah of each module"""
    speed: float = 1.0
    seed: int = 0
    warmer_by: float = 0.0
    """°C; -20 puts it into a frosty shed"""
    odd_cells: Sequence[OddCell] = ()
    model_name: str | None = None
    communication: Literal["Online", "Offline", "Breakdown"] = "Online"
    work_status: str | None = None
    station_capacity: float | None = None
    unreachable: int = 0
    """how many modules at the end neither SUB nor realTime/data knows"""
    sub: Sequence[Sub] = ("all",)
    history: PowerHistory | None = field(default_factory=PowerHistory)

    @cached_property
    def battery(self) -> Battery:
        """How it is used."""
        return Battery(seed=self.seed, speed=self.speed, utc_offset=self.utc_offset, taper=self.model.taper)

    @cached_property
    def modules(self) -> Sequence[Device]:
        """Those that answer realTime/data."""
        numbers = range(1, len(self.capacities) + 1 - self.unreachable)
        made = [self.module(number, self.module_serial_of(number)) for number in numbers]
        return [module for module in made if module]

    def module(self, _number: int, _serial: str) -> Device | None:
        """Make the module with this number, from 1 on, where modules answer for themselves."""
        return None

    def module_serial_of(self, number: int) -> str:
        """Give the serial of a module."""
        return self.model.module_serial.format(serial=self.serial, collector=collector(self.serial), number=number)

    @property
    def energy_rated(self) -> float:
        """Rated capacity of all modules in kWh."""
        return round(sum(self.capacities) * self.model.cells * NOMINAL_CELL_VOLTAGE / 1000, 3)

    @property
    def cells_in_series(self) -> int:
        """Low-voltage modules are in parallel."""
        return self.model.cells

    @property
    def system_capacity(self) -> float:
        """In Ah."""
        return sum(self.capacities)

    @property
    def kilowatt_hours(self) -> float:
        """By this a throughput in Wh per Ah and cell becomes kWh."""
        return sum(self.capacities) * self.model.cells / 1000

    def state(self, now: datetime) -> BatteryState:
        """Give what the battery did when the newest sample was taken."""
        return self.battery.at(self.sample_time(now))

    def measure_module(self, now: datetime, number: int) -> ModuleSample:
        """Measure one module, from 1 on. All are equally full."""
        seed = self.seed + crc32(f"{self.serial}/{number}".encode())
        leads = {cell: cell.lead(self.battery, self.sample_time(now)) for cell in self.odd_cells}
        odd = {cell.cell: (lead, cell.capacity) for cell, lead in leads.items() if cell.module == number}
        lead = max(0.0, *leads.values()) if leads else 0.0
        capacity = self.capacities[number - 1]
        return measure(self.state(now), self.model, capacity, seed, warmer_by=self.warmer_by, odd=odd, lead=lead)

    def measure_modules(self, now: datetime) -> list[ModuleSample]:
        """Measure all modules."""
        return [self.measure_module(now, number) for number in range(1, len(self.capacities) + 1)]

    def throughput(self, now: datetime) -> tuple[Throughput, Throughput]:
        """Give what has flown until the newest sample was taken: since EPOCH, and on its day."""
        local = self.battery.local(self.sample_time(now))
        return since_epoch(self.battery, local), of_today(self.battery, local)

    def cycles(self, now: datetime) -> int:
        """Count full cycles; it was not new at EPOCH."""
        return 37 + int(self.throughput(now)[0].cycles)

    def common_values(self, now: datetime) -> Values:
        """Give the points that all batteries have (dyness-api 6.0)."""
        sample = stamp(self.sample_time(now))
        return {"T": sample} | self._sub_point(now) | {"TIME": sample}

    def _sub_point(self, now: datetime) -> Values:
        number = int(self.sample_time(now).timestamp() // PERIOD.total_seconds())
        turn = self.sub[number % len(self.sub)]
        serials = [module.serial for module in self.modules]
        # One is missing, and another one each time (#52).
        missing = number // len(self.sub) % max(len(serials), 1)
        listed = {
            "all": serials,
            "partial": serials[:missing] + serials[missing + 1 :],
            "reversed": serials[::-1],
            "with_master": [self.serial, *serials],
            "single": serials[:1],
        }
        return {} if turn == "absent" else {"SUB": None if turn == "null" else ",".join(listed[turn])}

    def rated(self, now: datetime) -> Truth:
        """Give when the sample was taken, and the rated capacity."""
        return self.reported(now) | {"energy_rated": self.energy_rated}

    def firmware(self, _now: datetime) -> str:
        """Give what runs on it."""
        return self.model.firmware

    def listing(self, now: datetime) -> Json:
        """Give the item of storage/list. A full battery says Fault: that is how it has been seen (dyness-api 7)."""
        state = self.state(now)
        status = "Fault" if state.soc >= 100 else "RunMode" if state.rate else "StandBy"
        row: Json = load_payload("powerhaus")["listing"] | self._identity(now)
        return row | {
            "collectorSn": collector(self.serial),
            "parentCode": row["deviceModelCode"],
            "workStatus": self.work_status or status,
        }

    def detail(self, now: datetime) -> Json:
        """Give household/storage/detail."""
        detail: Json = load_payload("powerhaus")["detail"]
        return detail | self._identity(now)

    def station(self) -> Json:
        """Give station/info, which never changes."""
        capacity = self.energy_rated if self.station_capacity is None else self.station_capacity
        station: Json = load_payload("powerhaus")["station"]
        return station | {"batteryCapacity": f"{capacity:.6g}"}

    def running(self, now: datetime) -> Json:
        """Give getLastRunningDataBySn."""
        return self.empty_running(now)

    def power_history(self, now: datetime) -> list[Json]:
        """Give getLastPowerDataBySn."""
        if self.history is None:
            return self.empty_history(now)
        if self.history.yesterday:
            local = now + self.utc_offset
            now -= timedelta(hours=local.hour, minutes=local.minute, seconds=local.second + 1)
        return self.history.records(
            self.empty_history(now),
            known_until=self.sample_time(now),
            battery=self.battery,
            cells=self.cells_in_series,
            capacity=self.system_capacity,
            volts=self.history_volts,
        )

    def _identity(self, now: datetime) -> Json:
        return {
            "deviceSn": self.serial,
            "deviceName": self.model.name,
            "deviceModelName": self.model.name if self.model_name is None else self.model_name,
            "deviceModelCode": self.model.code,
            "deviceCommunicationStatus": self.communication,
            "deviceCommunicationStatusCode": COMMUNICATION[self.communication],
            "firmwareVersion": self.firmware(now),
        }
