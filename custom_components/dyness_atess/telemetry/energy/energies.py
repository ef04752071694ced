"""The lifetime energies that are shown of a device (product contract, section 7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..reading import Value
from ..state import LARGEST
from ..vocabulary import LIFETIME, Key
from .capacity import CAPACITIES
from .counter import Counter
from .meter import MAXIMUM_POWER, Flow, Meter, Sample, within

METERED = (Key.ENERGY_CHARGED, Key.ENERGY_DISCHARGED)
"""In the order of a `Flow`."""
MAXIMUM_TOTAL = 1e8
"""kWh or hours"""
EMPTY_CELL = (1.0, 3.0)
"""V that the lowest cell has where a state of charge of 0 % is true."""
MAXIMUM_LAG = 1800.0
"""s; samples that are older by no more come from a cloud that lags, others from a clock that was put back."""


@dataclass(slots=True)
class Energies:
    """Lifetime energies of one device: its own counters, else metered from its samples.

    Times of samples count against each other only, so that a clock that is wrong loses nothing.
    """

    at: float = 0.0
    older: list[float] = field(default_factory=list)
    """Times of samples in a row that are much older than the last one, each newer than the one before."""
    totals: dict[Key, float] = field(default_factory=dict)
    counters: dict[Key, Counter] = field(default_factory=dict)
    risen: dict[Key, float] = field(default_factory=dict)
    """By how much counters rose with the last sample."""
    meter: Meter = field(default_factory=Meter)

    def add(self, values: Mapping[Key, Value], sampled_at: datetime, *, metered: bool) -> dict[Key, Value]:
        """Return the totals to show in place of every lifetime key in `values`; those without one are left out.

        Where `metered` (the master of a battery), what was charged and discharged is among them even where the device
        has no counter for it. A sample that is not newer than the last changes nothing.
        """
        at = sampled_at.timestamp()
        if self._is_newer(at):
            if metered:
                self._add_power(values, at)
            self.risen = {}
            for key in LIFETIME & values.keys():
                self._add_counter(key, values[key], at)
        return self._shown({*LIFETIME & values.keys(), *(METERED if metered else ())})

    @property
    def gap(self) -> tuple[datetime, datetime] | None:
        """Times between which too much is missing to be interpolated, until it is filled or the next sample comes."""
        return self.meter.gap if any(map(self.is_metered, METERED)) else None

    def fill(self, records: Iterable[tuple[datetime, float]]) -> dict[Key, Value]:
        """Close the gap and return the totals to show.

        Where the records (time, W, positive while discharging) do not cover it or contradict the change of the state
        of charge, that change counts.
        """
        self._fill(records)
        return self._shown(set(METERED))

    def _is_newer(self, at: float) -> bool:
        """Return whether a sample counts, and remember its time.

        Three in a row that rise among themselves, though far older than the last, mean that a clock was put back.
        """
        if not 0 < at < LARGEST:
            return False
        if at <= self.at:
            if self.at - at < MAXIMUM_LAG:
                return False
            self.older = [*(older for older in self.older if older < at), at]
            if len(self.older) < 3:
                return False
        self.at, self.older = at, []
        return True

    def _add_power(self, values: Mapping[Key, Value], at: float) -> None:
        power = within(values.get(Key.POWER), -MAXIMUM_POWER, MAXIMUM_POWER)
        if power is None:
            return
        soc = within(values.get(Key.SOC), 0, 100)
        if soc == 0 and within(values.get(Key.CELL_VOLTAGE_MIN), *EMPTY_CELL) is None:
            soc = None  # a device that has just restarted sends zeros
        capacity = within(values.get(Key.ENERGY_RATED), *CAPACITIES) or None
        self._fill(())
        self._count(self.meter.add(Sample(at, power, soc, capacity)))
        for key in METERED:
            if not within(values.get(key), 0, MAXIMUM_TOTAL):  # a counter that is 0 may be none
                self.totals.setdefault(key, 0.0)

    def _add_counter(self, key: Key, shown: Value, at: float) -> None:
        value = within(shown, 0, MAXIMUM_TOTAL)
        if value is None or (not value and self.is_metered(key)):
            return
        counter = self.counters.setdefault(key, Counter())
        rise = counter.add(value, at)
        if counter.confirmed:
            self.totals[key] = self.totals.get(key, value) + rise
            self.risen[key] = rise

    def is_metered(self, key: Key) -> bool:
        """Return whether there is a total, and no counter that it follows."""
        return key in self.totals and not (key in self.counters and self.counters[key].confirmed)

    def _fill(self, records: Iterable[tuple[datetime, float]]) -> None:
        charged, discharged = map(self.risen.get, METERED)
        self._count(self.meter.fill(records, (charged, discharged)))

    def _count(self, flow: Flow) -> None:
        for key, energy in zip(METERED, flow, strict=True):
            if self.is_metered(key):
                self.totals[key] += energy

    def _shown(self, keys: set[Key]) -> dict[Key, Value]:
        return {key: round(self.totals[key], 3) for key in keys & self.totals.keys()}
