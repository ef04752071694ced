"""What is kept over restarts: written and read again, and anything else in its place."""

from dataclasses import dataclass, field
import json
import math
from random import Random
from typing import Any, NamedTuple

from hypothesis import given, strategies as st
import pytest

from custom_components.dyness_atess.account.combined import Sums
from custom_components.dyness_atess.telemetry.energy.energies import Energies
from custom_components.dyness_atess.telemetry.energy.health import Health
from custom_components.dyness_atess.telemetry.energy.outlook import Outlook
from custom_components.dyness_atess.telemetry.energy.statistics import Gaps
from custom_components.dyness_atess.telemetry.energy.today import Today
from custom_components.dyness_atess.telemetry.state import dump, load
from custom_components.dyness_atess.telemetry.vocabulary import Key

KINDS = (Energies, Today, Outlook, Health, Gaps, Sums)


class Place(NamedTuple):
    at: float
    name: str
    number: int | None = None


@dataclass
class Inner:
    places: list[Place] = field(default_factory=list)
    is_so: bool = False


@dataclass
class Outer:
    energies: dict[Key, float] = field(default_factory=dict)
    by_number: dict[int, Inner] = field(default_factory=dict)
    inner: Inner | None = None
    place: Place | None = None
    many: tuple[Place, ...] = ()
    pair: tuple[float | None, float | None] = (None, None)


def test_written_and_read_again() -> None:
    place = Place(1.5, "here")
    state = Outer(
        {Key.SOC: 5.0}, {7: Inner([place, place._replace(number=3)], is_so=True)}, Inner(), place, (place,), (None, 2.0)
    )
    kept = json.loads(json.dumps(dump(state)))
    assert load(Outer, kept) == state
    assert load(Outer, kept | {"energies": {"soc": 5}}) == state, "5.0 may be written as 5"
    del kept["inner"]
    assert load(Outer, kept | {"unknown": 1}).inner is None


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "text",
        {"energies": {"soc": True}},
        {"energies": {"soc": "5"}},
        {"energies": {"soc": math.nan}},
        {"energies": {"soc": 10**400}},
        {"energies": {"soc": 3e11}},
        {"energies": {"nonsense": 1.0}},
        {"energies": [1.0]},
        {"by_number": {"x": {}}},
        {"inner": []},
        {"inner": {"places": 5}},
        {"inner": {"is_so": 1}},
        {"place": [1.0]},
        {"place": [1.0, "x", 2, 3]},
        {"place": [1.0, "x", 2.5]},
        {"many": [None]},
        {"pair": [1.0]},
    ],
)
def test_malformed(content: Any) -> None:
    with pytest.raises(ValueError, match="malformed"):
        load(Outer, content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(kind=st.sampled_from(KINDS), content=JSON, chance=st.randoms(use_true_random=False))
def test_anything(kind: type[Any], content: Any, chance: Random) -> None:
    """It is as good as what is written, or refused."""
    whole = dump(kind())
    whole[chance.choice(list(whole))] = content
    for kept in (content, whole):
        try:
            state = load(kind, kept)
        except ValueError:
            continue
        assert load(kind, json.loads(json.dumps(dump(state), allow_nan=False))) == state
