"""The 5-digit schema (dyness-api 6.3): a low-voltage module behind a master, and some models' masters themselves.

No public dump shows what the vendor calls these points, so their `pointNameCn` is empty here. Ids 11900 to 12200,
12900 to 13300 and 17300 to 18000 have never been seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .battery import BatteryState
from .devices import Json, stamp
from .points import PointDevice, Truth, Values, electrical
from .sample import ModuleSample, single_cells
from .storage import Storage

FIRST_CELL = 10300
FIRST_SENSOR = 12500
FIRST_CELL_STATE = 14300
FIRST_TEMPERATURE_STATE = 16000
OTHER_STATES = (16500, 16600, 16700)
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

    def listing(self, now: datetime) -> None:
        """Modules are not listed."""

    def detail(self, now: datetime) -> None:
        """Modules have none."""

    def station(self) -> None:
        """Modules have none."""

    def running(self, now: datetime) -> None:
        """Modules have none."""

    def power_history(self, now: datetime) -> list[Json]:
        """Modules have none."""
        return []

    def sample_time(self, now: datetime) -> datetime:
        """Give the time of the master's sample, unless this module alone is silent."""
        return self.master.sample_time(self.last_known(now))

    def values(self, now: datetime) -> Values:
        """Give cells, temperatures, current, capacity, states and limits."""
        now = self.last_known(now)
        return {
            "T": stamp(self.sample_time(now)),
            **module_values(
                self.master.measure_module(now, self.number),
                self.master.state(now),
                serial=self.serial,
                firmware=self.master.firmware(now),
                cycles=self.master.cycles(now),
                raised=self.raised,
            ),
        }

    def truth(self, now: datetime) -> Truth:
        """Give what the module measures."""
        now = self.last_known(now)
        sample = self.master.measure_module(now, self.number)
        own = module_truth(sample, self.master.state(now), cycles=self.master.cycles(now), raised=self.raised)
        return self.reported(now) | own

    def last_known(self, now: datetime) -> datetime:
        """Give the time to ask the master about: a silent module knows no later one."""
        return now if self.silent_since is None else min(now, self.silent_since)


def module_values(
    sample: ModuleSample, state: BatteryState, *, serial: str, firmware: str, cycles: int, raised: Iterable[str] = ()
) -> dict[str, str]:
    """Give every point of the schema that the reference knows, without the state of charge of some masters."""
    cells, sensors = len(sample.cells), len(sample.temperatures)
    states = [
        *("14200", *(FIRST_CELL_STATE + 100 * index for index in range(cells))),
        *("15900", *(FIRST_TEMPERATURE_STATE + 100 * index for index in range(sensors + 1))),
        *OTHER_STATES,
    ]
    raised = frozenset(raised)
    values = {
        "10000": serial,
        "10001": f"X{serial}",
        "10100": firmware,
        "10200": str(cells),
        **{str(FIRST_CELL + 100 * index): f"{voltage:.3f}" for index, voltage in enumerate(sample.cells)},
        "12300": str(sensors + 1),
        "12400": f"{sample.bms_temperature:.1f}",
        **{str(FIRST_SENSOR + 100 * index): f"{value:.1f}" for index, value in enumerate(sample.temperatures)},
        "13400": f"{sample.current:.1f}",
        "13500": f"{sample.voltage:.3f}",
        "13600": f"{min(sample.remaining, SATURATED):.3f}",
        "13700": "4",
        "13800": f"{min(sample.capacity, SATURATED):.3f}",
        "13900": str(cycles),
        "14000": f"{sample.remaining:.3f}",
        "14100": f"{sample.capacity:.3f}",
        **{str(point): ABOVE_LIMIT if str(point) in raised else "0" for point in states},
        "14200": str(cells),
        "15900": str(sensors + 1),
    }
    return values | _status_words(sample, state) | _limits(sample)


def module_truth(sample: ModuleSample, state: BatteryState, *, cycles: int, raised: Iterable[str] = ()) -> Truth:
    """Give what `module_values` tells."""
    return (
        electrical(sample.voltage, sample.current)
        | single_cells(sample)
        | {
            "soc": sample.remaining / sample.capacity * 100,
            "cycles": cycles,
            "capacity_remaining": sample.remaining,
            "capacity_full": sample.capacity,
            "bms_temperature": sample.bms_temperature,
            "charge_current_limit": sample.capacity / 2,
            "discharge_current_limit": sample.capacity,
            "charge_mosfet": state.charge_limit > 0,
            "discharge_mosfet": True,
            "fully_charged": state.soc >= 100,
            "heating": False,
            "alarm": bool(frozenset(raised)),
        }
    )


def _status_words(sample: ModuleSample, state: BatteryState) -> dict[str, str]:
    """Give the bits as dyness-api 6.3 has them: no fault, MOSFETs on, what flows, full."""
    second = 1 << 3 | 1 << 2 | (state.charge_limit > 0) << 1
    third = (sample.current > 0) << 7 | (sample.current < 0) << 6 | (state.soc >= 100) << 3
    return {"16800": "0", "16900": str(second), "17000": str(third), "17100": "0", "17200": "0"}


def _limits(sample: ModuleSample) -> dict[str, str]:
    """Give the parameters, of V, °C and A."""
    return {
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
