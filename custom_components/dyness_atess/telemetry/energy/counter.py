"""A total that follows a device's own lifetime counter (product contract, section 7)."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from .meter import MAXIMUM_INTERVAL

FOLLOWED_POWER = 100.0
"""kW; a counter that rises no faster counts at once: no home battery and few chargers do."""
CONFIRMED_POWER = 500.0
"""kW; a counter that rises no faster counts when confirmed: a PBD250 and what it takes from the battery."""
SLACK = 1.0
"""kWh or hours; some counters come in whole ones."""


class Run(NamedTuple):
    """Samples in a row that one counter can have shown."""

    first: float
    last: float
    at: float
    samples: float = 1
    rises: float = 0

    def followed_by(self, value: float, at: float, power: float) -> Self | None:
        """Return the run with one more sample, None where that cannot be the same counter.

        However long nothing was read, one sample rises by no more than in the longest ordinary interval.
        """
        most = largest_rise(power, min(abs(at - self.at), MAXIMUM_INTERVAL.total_seconds()))
        if not 0 <= value - self.last <= most:
            return None
        return type(self)(self.first, value, at, self.samples + 1, self.rises + (value > self.last))


@dataclass(slots=True)
class Counter:
    """Follows small rises at once; all else has to be confirmed by the samples that come after.

    The very first value needs one more that agrees; until then there is nothing to show. A rise that is too large for
    one step needs two more. A fall, or a rise that no time explains, needs two more that each rise: such a counter has
    begun anew, and the total goes on from where it was. Zeros and other constants never make one.
    """

    believed: Run | None = None
    candidate: Run | None = None

    @property
    def confirmed(self) -> bool:
        """Whether it has been seen to be a counter."""
        return self.believed is not None

    def add(self, value: float, at: float) -> float:
        """Take a sample that is newer (seconds) than the one before, and return by how much the total rises."""
        believed, candidate = self.believed, self.candidate
        if believed and (run := believed.followed_by(value, at, FOLLOWED_POWER)):
            self.believed, self.candidate = run, None
            return value - believed.last
        run = (candidate and candidate.followed_by(value, at, CONFIRMED_POWER)) or Run(value, value, at)
        rise = None
        if believed is None:
            rise = 0.0 if run.samples > 1 else None
        elif run.samples > 2:
            # From zeros it is no rise: the device shows its old counter again.
            if believed.last and 0 <= value - believed.last <= largest_rise(CONFIRMED_POWER, abs(at - believed.at)):
                rise = value - believed.last
            elif run.rises > 1:
                rise = value - run.first
        if rise is None:
            self.candidate = run
            return 0.0
        self.believed, self.candidate = run, None
        return rise


def largest_rise(power: float, seconds: float) -> float:
    """Return by how much a counter can have risen."""
    return power * seconds / 3600 + SLACK
