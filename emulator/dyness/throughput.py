"""What has flown through a battery and its house since EPOCH, for the counters of the models that have them."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from .battery import CYCLE, DAY, MINUTES, Battery, Minute, Taper, split
from .cells import mean_voltage

NOMINAL_CELL_VOLTAGE = 3.2
"""V"""


class Throughput(NamedTuple):
    """All but `cycles` in Wh per Ah and cell. The load is what the others leave."""

    cycles: float = 0.0
    """capacities charged"""
    charged: float = 0.0
    discharged: float = 0.0
    solar: float = 0.0
    exported: float = 0.0
    imported: float = 0.0

    def plus(self, other: Throughput, times: float = 1) -> Throughput:
        """Add `other`, `times` times."""
        return Throughput(*(mine + times * its for mine, its in zip(self, other, strict=True)))

    @property
    def output(self) -> float:
        """What the panels and the battery gave together."""
        return self.solar + self.discharged - self.charged

    @property
    def load(self) -> float:
        """What the house took."""
        return self.output + self.imported - self.exported


def since_epoch(battery: Battery, local: float) -> Throughput:
    """Add up from EPOCH to a plant-local time in seconds."""
    day, index, part = split(local)
    minutes = battery.day(day)
    cycle, day = divmod(day, CYCLE)
    days = _days(battery.seed, battery.reserve, battery.taper)
    hour = index // 60
    this_minute = _flow(minutes[index : index + 1])
    today = days[day][hour].plus(_flow(minutes[60 * hour : index])).plus(this_minute, part)
    return today.plus(days[CYCLE][0], cycle)


def of_today(battery: Battery, local: float) -> Throughput:
    """Add up from the device's midnight to a plant-local time in seconds."""
    return since_epoch(battery, local).plus(since_epoch(battery, local // DAY * DAY), -1)


@lru_cache(maxsize=64)
def _days(seed: int, reserve: float, taper: Taper) -> list[list[Throughput]]:
    """Add up to each hour of each day of a cycle, and to its end."""
    battery = Battery(seed=seed, reserve=reserve, taper=taper)
    days = []
    before = Throughput()
    for number in range(CYCLE):
        minutes = battery.day(number)
        flows = (_flow(minutes[start : start + 60]) for start in range(0, MINUTES, 60))
        *hours, before = accumulate(flows, Throughput.plus, initial=before)
        days.append(hours)
    return [*days, [before]]


def _flow(minutes: Iterable[Minute]) -> Throughput:
    cycles = charged = discharged = solar = exported = imported = 0.0
    for minute in minutes:
        spare = minute.solar - minute.load - minute.rate
        solar += minute.solar
        if minute.rate > 0:
            cycles += minute.rate
            charged += minute.rate * mean_voltage(minute.soc, minute.rate)
        else:
            discharged -= minute.rate * mean_voltage(minute.soc, minute.rate)
        if spare > 0:
            exported += spare
        else:
            imported -= spare
    nominal = NOMINAL_CELL_VOLTAGE / 60
    return Throughput(
        cycles / 60, charged / 60, discharged / 60, solar * nominal, exported * nominal, imported * nominal
    )
