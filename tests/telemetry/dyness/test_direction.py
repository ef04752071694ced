"""The sign of a current, from what it does to the state of charge."""

from datetime import UTC, datetime, timedelta
import json

import pytest

from custom_components.dyness_atess.telemetry.dyness.direction import DirectionWitness

START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)


def witness(*samples: tuple[float, float], every: float = 5, memory: dict[str, int] | None = None) -> DirectionWitness:
    """Let it see currents and states of charge."""
    seen = DirectionWitness(memory)
    for number, (current, soc) in enumerate(samples):
        seen.add(current, soc, START + timedelta(minutes=every * number))
    return seen


@pytest.mark.parametrize(
    ("samples", "sign"),
    [
        ([(20.0, 50), (20.0, 51), (20.0, 52)], -1),
        ([(20.0, 52), (20.0, 51), (20.0, 50)], 1),
        ([(-20.0, 52), (-20.0, 51), (-20.0, 50)], -1),
        ([(20.0, 50), (20.0, 51)], None),
        # An offset, a correction, a change of direction in between.
        ([(0.2, 50), (0.2, 51), (0.2, 52)], None),
        ([(20.0, 50), (20.0, 60), (20.0, 61)], None),
        ([(20.0, 50), (20.0, 51), (-20.0, 52), (-20.0, 53)], None),
    ],
)
def test_sign(samples: list[tuple[float, float]], sign: int | None) -> None:
    assert witness(*samples).sign == sign


def test_gaps_tell_nothing() -> None:
    assert witness((20.0, 50), (20.0, 51), (20.0, 52), every=31).sign is None


def test_a_contradiction_withholds_it_again_and_memory_keeps_it() -> None:
    charging, against = [(20.0, 50 + step) for step in range(5)], [(20.0, 54 - step) for step in range(9)]
    learned = witness(*charging)
    assert learned.sign == -1
    remembered = json.loads(json.dumps(learned.memory))
    assert witness(memory=remembered).sign == -1
    assert witness(*against[:5], memory=remembered).sign is None
    assert witness(*against, memory=remembered).sign == 1
    assert DirectionWitness({"votes": "nonsense"}).sign is None
