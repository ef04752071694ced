"""What has flown through a battery and its house since EPOCH, for the counters of the models that have them."""

from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from .battery import CYCLE, DAY, MINUTES, Battery, Minute, split
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


def since_epoch(battery: Battery, local: float) -> Throughput:
    """Add up from EPOCH to a plant-local time in seconds."""
    day, index, part = split(local)
    cycle, day = divmod(day, CYCLE)
    sums = _sums(battery)
    before, after = sums[day * MINUTES + index : day * MINUTES + index + 2]
    return before.plus(after.plus(before, -1), part).plus(sums[-1], cycle)


def of_today(battery: Battery, local: float) -> Throughput:
    """Add up from the device's midnight to a plant-local time in seconds."""
    return since_epoch(battery, local).plus(since_epoch(battery, local // DAY * DAY), -1)


@lru_cache(maxsize=16)
def _sums(battery: Battery) -> list[Throughput]:
    """Add up to the beginning of each minute of a cycle of days, and to its end."""
    minutes = (minute for number in range(CYCLE) for minute in battery.day(number))
    return list(accumulate(map(_flow, minutes), Throughput.plus, initial=Throughput()))


def _flow(minute: Minute) -> Throughput:
    """What one minute adds."""
    spare = (minute.solar - minute.load - minute.rate) * NOMINAL_CELL_VOLTAGE / 60
    energy = minute.rate * mean_voltage(minute.soc, minute.rate) / 60
    return Throughput(
        cycles=max(minute.rate, 0) / 60,
        charged=max(energy, 0),
        discharged=max(-energy, 0),
        solar=minute.solar * NOMINAL_CELL_VOLTAGE / 60,
        exported=max(spare, 0),
        imported=max(-spare, 0),
    )
