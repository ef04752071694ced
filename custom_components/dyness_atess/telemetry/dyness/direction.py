"""Which sign a current has while a battery discharges, for a model whose points nobody has seen."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

LONGEST_INTERVAL = timedelta(minutes=30)
"""Over more, nobody knows what has flown."""
CHANGE = 2.0
"""% of charge that must have come or gone."""
LARGEST_STEP = 5.0
"""%; more from one sample to the next is a correction and no current."""
CLEAR = 0.5
"""A of mean current that are no offset of a sensor."""
SURE = 3


class DirectionWitness:
    """Learns the sign from changes of the state of charge; changes that contradict each other take it back."""

    def __init__(self, memory: Mapping[str, Any] | None = None) -> None:
        votes = (memory or {}).get("votes")
        self._votes = max(-SURE, min(SURE, votes)) if isinstance(votes, int) else 0
        self._last: tuple[datetime, float, float] | None = None
        self._changed = self._charge = self._seconds = 0.0

    @property
    def sign(self) -> int | None:
        """1 where the current is positive while discharging, -1 while charging; None until that is known."""
        return None if self._votes == 0 else 1 if self._votes > 0 else -1

    @property
    def memory(self) -> dict[str, int]:
        """What is to be kept, for JSON."""
        return {"votes": self._votes}

    def add(self, current: float, soc: float, taken_at: datetime) -> None:
        """Learn from a sample; `current` is as the vendor has it, `decode(..., sign=1)`."""
        last, self._last = self._last, (taken_at, current, soc)
        if last is None or taken_at <= last[0]:
            return
        interval, step = taken_at - last[0], soc - last[2]
        if interval <= LONGEST_INTERVAL and abs(step) <= LARGEST_STEP and current * last[1] >= 0:
            self._changed += step
            self._charge += (current + last[1]) / 2 * interval.total_seconds()
            self._seconds += interval.total_seconds()
            if abs(self._changed) < CHANGE:
                return
            if abs(self._charge) >= CLEAR * self._seconds:
                vote = -1 if self._changed * self._charge > 0 else 1
                self._votes = max(-SURE, min(SURE, self._votes + vote))
        self._changed = self._charge = self._seconds = 0.0
