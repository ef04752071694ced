"""No value that is wrong, none missing that an answer still holds, however it looks."""

from .hostile import run


def test_hostile_answers() -> None:
    tally = run(20_000, seed=20_261_121)
    assert not tally.mistaken, tally.mistaken[:20]
    # Two points alone tell a tower's module from another one: a filler there costs a sample.
    assert tally.missing.total() < tally.expected / 1000, tally.missing.most_common(20)
