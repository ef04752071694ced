"""Lifetime energies of a battery that has no counters of its own (product contract, section 7)."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from ..dyness.history import MAXIMUM_INTERVAL, MAXIMUM_POWER, covers
from ..vocabulary import Key

MAXIMUM_RATE = 2.0
"""C; no home battery is filled or emptied in less than half an hour."""
MAXIMUM_CLOCK_LEAD = timedelta(minutes=10)
"""A time that is further ahead is wrong; a little ahead is a clock that drifts."""
SOC_RESOLUTION = 1.0
"""%; a change of no more may be one between two values that both are rounded."""
LEAST_DISAGREEMENT = 5.0
"""% of the rated capacity by which the state of charge may differ from the cloud's records: rounding at both ends, and
what is lost as heat."""
DISAGREEMENT = 0.2
"""Of what the records add up to: cells that are not at 3.2 V, and have aged. Records that are shifted in time, of
another sign or of less than the whole battery differ by more, or do little harm."""
MAXIMUM_ENERGY = 1e8
"""kWh"""
CAPACITIES = (0.5, 10_000.0)
"""kWh that a battery can be rated at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sample:
    taken_at: datetime
    power: float
    """W, positive while discharging"""
    soc: float | None
    """%"""
    rated: float | None
    """kWh"""

    def bears(self, power: float) -> bool:
        """Return whether the battery can have such a power, in W."""
        return abs(power) <= min(MAXIMUM_POWER, MAXIMUM_RATE * (self.rated or float("inf")) * 1000)


class EnergyMeter:
    """Adds up what flows, from samples as they come. Neither total ever falls, whatever comes."""

    def __init__(self, memory: Any = None, shown: Mapping[str, float] | None = None) -> None:
        """Go on from `memory`, as far as it is sound, and for the totals that it has not from those last shown."""
        content: Mapping[str, Any] = memory if isinstance(memory, Mapping) else {}
        shown = shown or {}
        self._charged = _total(content.get("charged"), shown.get(Key.ENERGY_CHARGED))
        self._discharged = _total(content.get("discharged"), shown.get(Key.ENERGY_DISCHARGED))
        self._last = _remembered(content.get("last"))
        self._before_gap = _remembered(content.get("before_gap"))
        """The sample before the last one, if what flowed between the two is still to be found out."""
        self._uncounted_soc = _within(content.get("uncounted_soc"), -SOC_RESOLUTION, SOC_RESOLUTION) or 0.0
        """% by which gaps have changed the state of charge, and which are too few to be counted yet."""
        if self._charged is None and self._discharged is None:
            self._last = None
        if gap := self.gap:
            start, end = gap
            if end - start <= MAXIMUM_INTERVAL:
                self._before_gap = None

    @property
    def charged(self) -> float | None:
        """What was ever charged in kWh; None before the first sample."""
        return self._charged

    @property
    def discharged(self) -> float | None:
        """What was ever discharged in kWh; None before the first sample."""
        return self._discharged

    @property
    def gap(self) -> tuple[datetime, datetime] | None:
        """The times between which too much is missing to be interpolated, until it is filled.

        Whoever does not fill it from history before the next sample leaves it to the change of the state of charge.
        """
        if self._before_gap is None or self._last is None:
            return None
        return self._before_gap.taken_at, self._last.taken_at

    @property
    def memory(self) -> dict[str, Any]:
        """What `__init__` goes on from, as JSON."""
        if self._charged is None and self._discharged is None:
            return {}
        return {
            "charged": self._charged,
            "discharged": self._discharged,
            "last": _json(self._last),
            "before_gap": _json(self._before_gap),
            "uncounted_soc": self._uncounted_soc,
        }

    def add(self, sampled_at: datetime, power: float, soc: float | None, rated: float | None, *, now: datetime) -> None:
        """Count what has flown since the last sample. One that is not newer, or cannot be, counts for nothing.

        Args:
            sampled_at: when the device took it, not when it was received: an old sample would be held otherwise.
            power: W, positive while discharging.
            soc: state of charge in %, if known.
            rated: capacity in kWh, if known.
            now: our own time.
        """
        sample = _sample(sampled_at, power, soc, rated)
        if sample is None or sampled_at - now > MAXIMUM_CLOCK_LEAD:
            return
        self._count(0.0, 0.0)
        if self._last and self._last.taken_at - now > MAXIMUM_CLOCK_LEAD:
            # Our own clock was wrong at that time; until then nothing would count.
            self._last = self._before_gap = None
        last = self._last
        if last and sampled_at <= last.taken_at:
            return
        self._fill_from_soc()
        if last and sampled_at - last.taken_at <= MAXIMUM_INTERVAL:
            self._count(*_energies([(last.taken_at, last.power), (sampled_at, sample.power)]))
        else:
            self._before_gap = last
        self._last = sample

    def fill_from_history(self, records: Iterable[tuple[datetime, float]]) -> None:
        """Close the gap, by the change of the state of charge where the records do not cover it or cannot be true.

        Args:
            records: times and powers in W, positive while discharging; those outside the gap count for nothing.
        """
        before, after = self._before_gap, self._last
        if before is None or after is None:
            return
        start, end = before.taken_at, after.taken_at
        inside = sorted(record for record in records if start < record[0] < end and after.bears(record[1]))
        charged, discharged = _energies([(start, before.power), *inside, (end, after.power)])
        if covers(inside, start, end) and _agree(charged - discharged, before, after):
            self._before_gap = None
            self._count(charged, discharged)
        else:
            self._fill_from_soc()

    def _fill_from_soc(self) -> None:
        """Close the gap by what the state of charge says, which is the difference of both directions."""
        before, after, self._before_gap = self._before_gap, self._last, None
        if before is None or after is None or (rise := _rise(before, after)) is None:
            return
        percent, rated = rise
        if abs(percent) > 100 * MAXIMUM_RATE * _hours(before.taken_at, after.taken_at):
            return  # the battery has corrected its state of charge: nothing has flown
        # What is too little to be told from rounding waits: it is not lost, and a value between two does not count up.
        self._uncounted_soc += percent
        if abs(self._uncounted_soc) > SOC_RESOLUTION:
            energy, self._uncounted_soc = self._uncounted_soc / 100 * rated, 0.0
            self._count(max(energy, 0.0), max(-energy, 0.0))

    def _count(self, charged: float, discharged: float) -> None:
        self._charged = (self._charged or 0.0) + charged
        self._discharged = (self._discharged or 0.0) + discharged


def _energies(points: Iterable[tuple[datetime, float]]) -> tuple[float, float]:
    """Return what was charged and discharged in kWh, if the power (W) goes straight from point to point."""
    charged = discharged = 0.0
    for (start, first), (end, second) in pairwise(points):
        kilowatt_hours = _hours(start, end) / 1000
        for power, other in ((first, second), (second, first)):
            # Up to where it crosses zero, or to the middle.
            share = power / (power - other) if power * other < 0 else 1.0
            energy = power * share * kilowatt_hours / 2
            charged, discharged = charged + max(-energy, 0.0), discharged + max(energy, 0.0)
    return charged, discharged


def _rise(before: _Sample, after: _Sample) -> tuple[float, float] | None:
    """Return by how many % the battery is fuller, and its capacity in kWh, if both are known."""
    rated = after.rated or before.rated
    if before.soc is None or after.soc is None or rated is None:
        return None
    return after.soc - before.soc, rated


def _agree(gained: float, before: _Sample, after: _Sample) -> bool:
    """Return whether the battery can have gained so much, in kWh, as far as its state of charge tells."""
    if (rise := _rise(before, after)) is None:
        return True
    percent, rated = rise
    tolerance = LEAST_DISAGREEMENT / 100 * rated + DISAGREEMENT * abs(gained)
    return abs(gained - percent / 100 * rated) <= tolerance


def _hours(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(hours=1)


def _within(value: Any, least: float, most: float) -> float | None:
    """Return a number if it is one within bounds."""
    return float(value) if isinstance(value, float | int) and least <= value <= most else None


def _total(*values: Any) -> float | None:
    """Return the first that is one."""
    return next((total for value in values if (total := _within(value, 0, MAXIMUM_ENERGY)) is not None), None)


def _sample(taken_at: datetime, power: Any, soc: Any, rated: Any) -> _Sample | None:
    """Return a sample without what cannot be, None where that is the power or the time."""
    watts = _within(power, -MAXIMUM_POWER, MAXIMUM_POWER)
    if watts is None or taken_at.utcoffset() is None:
        return None
    sample = _Sample(taken_at=taken_at, power=watts, soc=_within(soc, 0, 100), rated=_within(rated, *CAPACITIES))
    return sample if sample.bears(watts) else None


def _json(sample: _Sample | None) -> dict[str, Any] | None:
    return asdict(sample) | {"taken_at": sample.taken_at.isoformat()} if sample else None


def _remembered(memory: Any) -> _Sample | None:
    """Return the sample that `_json` wrote, None if it is none."""
    match memory:
        case {"taken_at": str(text), "power": power, "soc": soc, "rated": rated}:
            try:
                taken_at = datetime.fromisoformat(text)
            except ValueError:
                return None
            return _sample(taken_at, power, soc, rated)
    return None
