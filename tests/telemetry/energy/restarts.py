"""A restart: what is kept is written as JSON, and read again."""

import json

from custom_components.dyness_atess.telemetry.state import dump, load


def restarted[State](state: State) -> State:
    """Return what goes on from it."""
    found: State = load(type(state), json.loads(json.dumps(dump(state), allow_nan=False)))
    assert found == state
    return found
