"""A month of one house in a Home Assistant that stops, loses the cloud and is told old things again."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
from random import Random
from typing import Any, Literal, NamedTuple

from custom_components.dyness_atess.telemetry.energy.energies import METERED, Energies
from custom_components.dyness_atess.telemetry.energy.meter import Sample, within
from custom_components.dyness_atess.telemetry.energy.statistics import HOUR, Gap, Gaps, Shown, plan_totals
from custom_components.dyness_atess.telemetry.reading import Value
from custom_components.dyness_atess.telemetry.state import dump, load
from custom_components.dyness_atess.telemetry.vocabulary import Key

from ..benchmark.recorder import Counted
from .houses import BEGIN, DAYS, WARMING_UP, House, Uploaded

DAY = 86400
SHORTEST, LONGEST = 300.0, 20 * 3600.0
SHARE = 0.05
"""Of the month, for which there are gaps."""
APART = 2 * HOUR
RESTART = 90.0
KILLED, DELAY = 0.2, 10.0
"""Share of the stops at which nothing more is written, and s after a sample until it is written anyway."""
LAGGING, LOST = 0.03, 0.004
"""Shares of the polls that are answered by a replica that lags, and of the samples that never arrive."""
CURRENT = 1800.0
"""s after which the power of a sample is no longer shown"""

type What = Literal["stopped", "cloud", "dongle", "restart"]


class Outage(NamedTuple):
    """A time without data: Home Assistant is stopped, the cloud does not answer, or its dongle uploads nothing."""

    start: float
    end: float
    what: What

    def has(self, poll: float, sample: float) -> bool:
        """Return whether it keeps a sample from being read at a time."""
        return self.start <= (sample if self.what == "dongle" else poll) < self.end


def outages(chance: Random) -> list[Outage]:
    """Return gaps of all lengths at random times, and a restart a day."""
    lengths: list[float] = []
    while (left := SHARE * DAYS * DAY - sum(lengths)) > 0:
        length = SHORTEST * (LONGEST / SHORTEST) ** chance.random()
        lengths.append(max(min(length, left), SHORTEST))
    begin, found = BEGIN.timestamp(), list[Outage]()
    while len(found) < len(lengths):
        start = begin + chance.uniform(0, DAYS * DAY - LONGEST)
        end = start + lengths[len(found)]
        if all(end + APART < other.start or other.end + APART < start for other in found):
            found.append(Outage(start, end, chance.choice(("stopped", "cloud", "dongle"))))
    return sorted(found)


def restarts(chance: Random, gaps: Sequence[Outage]) -> list[Outage]:
    """Return one restart a day."""
    times = [BEGIN.timestamp() + day * DAY + chance.uniform(0, DAY - RESTART) for day in range(DAYS)]
    free = [at for at in times if not any(gap.start - HOUR < at < gap.end + HOUR for gap in gaps)]
    return [Outage(at, at + RESTART, "restart") for at in free]


class Riemann:
    """Home Assistant's integral helper on one direction of the power, without a limit to its intervals."""

    def __init__(self, method: Literal["left", "trapezoidal"], begin: float) -> None:
        """Begin with nothing."""
        self.recorded = Counted(begin)
        self._method = method
        self.total = 0.0
        self._last: tuple[float, float] | None = None

    def write(self, at: float, power: float | None) -> None:
        """Take a state (W), the same one too; None is one without a number."""
        if self._last and power is not None:
            before, value = self._last
            mean = value if self._method == "left" else (value + power) / 2
            self.total += mean * (at - before) / 3.6e6
        self._last = None if power is None else (at, power)
        self.recorded.show(at, round(self.total, 3))


@dataclass
class Month:
    """What is recorded of a house, as completed, as without that, and of the helpers."""

    house: House
    gaps: Sequence[Outage]
    chance: Random
    histories: list[Gap] = field(default_factory=list)
    """Gaps whose history was believed"""

    def __post_init__(self) -> None:
        """Begin before the first day."""
        begin = (BEGIN - WARMING_UP).timestamp()
        self.ours, self.bare = ((Counted(begin), Counted(begin)) for _ in range(2))
        self._held = Riemann("left", begin), Riemann("left", begin)
        self._integral = Riemann("trapezoidal", begin), Riemann("trapezoidal", begin)
        self.held, self.integral = ([helper.recorded for helper in two] for two in (self._held, self._integral))
        self._energies, self._known = Energies(), Gaps()
        self._kept = ""
        self._compiled = begin
        self._shown_from = self._read_at = 0.0
        self._is_gone = False

    def run(self) -> None:
        """Let it pass."""
        stops = [*self.gaps, *restarts(self.chance, self.gaps)]
        starts = sorted(stop for stop in stops if stop.what in ("stopped", "restart"))
        for at, upload in self._polls(stops):
            since = max([self._shown_from, *(start.end for start in starts if start.end <= at)])
            while starts and starts[0].end <= at:
                self._restart(starts.pop(0))
            if at - self._shown_from > CURRENT and not self._is_gone:
                self._compile(max(self._shown_from + CURRENT, since))
                self._show_power(max(self._shown_from + CURRENT, since), None)
                self._is_gone = True
            self._compile(at)
            if upload.values and (self._is_gone or upload.at >= self._shown_from):
                self._read(at, upload)
        self._compile(BEGIN.timestamp() + DAYS * DAY)

    def _polls(self, stops: Sequence[Outage]) -> Iterator[tuple[float, Uploaded]]:
        """Yield when a sample is read, and which."""
        uploads = [upload for upload in self.house.uploads if self.chance.random() >= LOST]
        readable = [upload.at + self.chance.uniform(20, 60) for upload in uploads]
        times = sorted([*readable, *(stop.end + self.chance.uniform(5, 60) for stop in stops)])
        for at in times:
            number = bisect_right(readable, at) - 1
            # Of a dongle that is away the cloud knows the last sample before.
            while number > 0 and any(stop.has(at, uploads[number].at) for stop in stops if stop.what == "dongle"):
                number -= 1
            if number < 0 or any(stop.has(at, uploads[number].at) for stop in stops):
                continue
            if self.chance.random() < LAGGING:
                yield at, uploads[max(number - self.chance.randint(1, 3), 0)]
                at += 30  # noqa: PLW2901
            yield at, uploads[number]

    def _restart(self, stop: Outage) -> None:
        """Go on from what was written."""
        if self.chance.random() >= KILLED or stop.start - self._read_at > DELAY:
            self._keep()
        energies, known = json.loads(self._kept)
        self._energies, self._known = load(Energies, energies), load(Gaps, known)
        for helper in (*self._held, *self._integral):
            helper.write(stop.end, None)

    def _keep(self) -> None:
        self._kept = json.dumps(dump([self._energies, self._known]))

    def _read(self, at: float, upload: Uploaded) -> None:
        """Do as the coordinator of a battery does with a sample."""
        self._keep()
        self._read_at, self._shown_from, self._is_gone = at, upload.at, False
        sampled_at = datetime.fromtimestamp(upload.at, UTC)
        told = self._energies.add(upload.values, sampled_at, metered=self.house.is_metered)
        self._show(at, told)
        power = within(upload.values.get(Key.POWER), -1e6, 1e6)
        if power is None:
            return
        self._show_power(at, power)
        if not self.house.is_metered:
            return
        self._known.note(self._shown(at, upload, power, told))
        if not (self._energies.gap or self._known.is_open):
            return
        day, records = self.house.history(at) if self.house.history else (None, [])
        for stop in self.gaps:
            if stop.what == "dongle":
                records = [record for record in records if not stop.start <= record[0].timestamp() < stop.end]
        if self._energies.gap:
            told = self._energies.fill((when, watts) for when, watts, _ in records)
            self._show(at + 3, told)
        last = self._known.closed[-1:]
        told_of = [(when.timestamp(), watts, soc) for when, watts, soc in records]
        self._known.close(self._shown(at + 3, upload, power, told), day.timestamp() if day else None, told_of)
        self.histories += [gap for gap in self._known.closed[-1:] if gap not in last and gap.before]

    def _shown(self, at: float, upload: Uploaded, power: float, told: dict[Key, Value]) -> Shown:
        soc, capacity = (within(upload.values.get(key), 0, 1e4) for key in (Key.SOC, Key.ENERGY_RATED))
        charged, discharged = (within(told.get(key), 0, 1e9) for key in METERED)
        return Shown(at, Sample(upload.at, power, soc, capacity), (charged, discharged))

    def _show(self, at: float, told: dict[Key, Value]) -> None:
        for totals in (self.ours, self.bare):
            for total, key in zip(totals, METERED, strict=True):
                if (value := within(told.get(key), 0, 1e9)) is not None:
                    total.show(at, value)

    def _show_power(self, at: float, power: float | None) -> None:
        for number, sign in enumerate((-1, 1)):
            part = None if power is None else max(power * sign, 0.0)
            self._integral[number].write(at, part)
            if part is not None:
                self._held[number].write(at, part)

    def _compile(self, now: float) -> None:
        """Compile all hours that have ended, and complete after each what history tells."""
        everything: Iterable[Any] = (*self.ours, *self.bare, *self.held, *self.integral)
        for hour in range(int(self._compiled // HOUR + 1) * HOUR, int(now) + 1, HOUR):
            for recorded in everything:
                recorded.compile(hour)
            for direction, total in enumerate(self.ours):
                if self._known.closed:
                    plan = plan_totals(self._known.closed, direction, total.hours, hour)
                    total.complete({float(start): row for start, row in plan.items()})
        self._compiled = max(now, self._compiled)


def by_day(recorded: Counted) -> list[float]:
    """Return the energy of each day."""
    changes, begin = recorded.changes(), int(BEGIN.timestamp())
    days = [range(begin + day * DAY, begin + (day + 1) * DAY, HOUR) for day in range(DAYS)]
    return [sum(changes.get(hour, 0.0) for hour in day) for day in days]
