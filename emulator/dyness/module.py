"""The 5-digit schema (dyness-api 6.3): a low-voltage module behind a master, and some models' masters themselves.

No public dump shows what the vendor calls these points, so their `pointNameCn` is empty here. Ids 11900 to 12200,
12900 to 13300 and 17300 to 18000 have never been seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .devices import stamp
from .points import PointDevice, Truth, Values, electrical
from .sample import single_cells
from .storage import Storage

OTHER_STATES = ("16500", "16600", "16700")
"""Charge current, voltage and discharge current"""
ABOVE_LIMIT = "2"
SATURATED = 65.535
"""Ah; the largest number of a 16-bit field"""


@dataclass(kw_only=True)
class Module(PointDevice):
    """Answers realTime/data and nothing else; its samples come with those of its master.

    `raised` are points of states, which then say that a limit is exceeded.
    """

    listed: bool = False
    master: Storage
    number: int = 1

    def sample_time(self, now: datetime) -> datetime:
        """Give the time of the master's sample, unless this module alone is offline."""
        return self.master.sample_time(self.last_known(now))

    def last_known(self, now: datetime) -> datetime:
        """Give the time to ask the master about: a module that is offline knows no later one."""
        return now if self.offline_since is None else min(now, self.offline_since)

    def values(self, now: datetime) -> Values:
        """Give cells, temperatures, current, capacity, states and limits."""
        now = self.last_known(now)
        return {"T": stamp(self.sample_time(now))} | module_values(
            self.master, now, self.number, serial=self.serial, raised=self.raised
        )

    def truth(self, now: datetime) -> Truth:
        """Give what the module measures."""
        now = self.last_known(now)
        return self.reported(now) | module_truth(self.master, now, self.number, raised=self.raised)


def module_values(master: Storage, now: datetime, number: int, *, serial: str, raised: frozenset[str]) -> Values:
    """Give every point of the schema that the reference knows, without the state of charge of some masters."""
    sample, state = master.measure_module(now, number), master.state(now)
    cells, sensors = len(sample.cells), len(sample.temperatures)

    def states(points: Iterable[str]) -> Values:
        return {point: ABOVE_LIMIT if point in raised else "0" for point in points}

    is_charging, is_discharging, is_full = sample.current > 0, sample.current < 0, state.soc >= 100
    return {
        "10000": serial,
        "10001": f"X{serial}",
        "10100": master.firmware(now),
        "10200": str(cells),
        **dict(zip(_ids(10300, cells), (f"{voltage:.3f}" for voltage in sample.cells), strict=True)),
        "12300": str(sensors + 1),
        "12400": f"{sample.bms_temperature:.1f}",
        **dict(zip(_ids(12500, sensors), (f"{value:.1f}" for value in sample.temperatures), strict=True)),
        "13400": f"{sample.current:.1f}",
        "13500": f"{sample.voltage:.3f}",
        "13600": f"{min(sample.remaining, SATURATED):.3f}",
        "13700": "4",
        "13800": f"{min(sample.capacity, SATURATED):.3f}",
        "13900": str(master.cycles(now)),
        "14000": f"{sample.remaining:.3f}",
        "14100": f"{sample.capacity:.3f}",
        "14200": str(cells),
        **states(_ids(14300, cells)),
        "15900": str(sensors + 1),
        **states((*_ids(16000, sensors + 1), *OTHER_STATES)),
        # No fault, MOSFETs on, what flows, full.
        "16800": "0",
        "16900": str(1 << 3 | 1 << 2 | (state.charge_limit > 0) << 1),
        "17000": str(is_charging << 7 | is_discharging << 6 | is_full << 3),
        "17100": "0",
        "17200": "0",
        # Parameters in V, °C and A.
        "18100": "3.600",
        "18200": "2.900",
        "18300": "2.800",
        "18400": "65.0",
        "18500": "0.0",
        "18600": f"{sample.capacity / 2:.1f}",
        "18700": "56.500",
        "18800": "46.400",
        "18900": "44.800",
        "19000": "65.0",
        "19100": "-20.0",
        "19200": f"{-sample.capacity:.1f}",
    }


def module_truth(master: Storage, now: datetime, number: int, *, raised: frozenset[str]) -> Truth:
    """Give what the points of `module_values` show."""
    sample, state = master.measure_module(now, number), master.state(now)
    return (
        electrical(sample.voltage, sample.current)
        | single_cells(sample)
        | {
            "soc": sample.remaining / sample.capacity * 100,
            "cycles": master.cycles(now),
            "capacity_remaining": sample.remaining,
            "capacity_full": sample.capacity,
            "bms_temperature": sample.bms_temperature,
            "charge_current_limit": sample.capacity / 2,
            "discharge_current_limit": sample.capacity,
            "charge_mosfet": state.charge_limit > 0,
            "discharge_mosfet": True,
            "fully_charged": state.soc >= 100,
            "heating": False,
            "alarm": bool(raised),
        }
    )


def _ids(first: int, count: int) -> list[str]:
    return [str(first + 100 * index) for index in range(count)]
