"""What a master says of its modules. `SUB` is a hint and never the truth (dyness-api 5, field report F10 to F14)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from .devices import PERIOD
from .points import Values

type Sub = Literal["all", "partial", "null", "empty", "absent", "reversed", "with_master", "single"]


def sub_point(turns: Sequence[Sub], master: str, modules: Sequence[str], sample: datetime) -> Values:
    """Give the point; each sample has the next of `turns`."""
    number = int(sample.timestamp() // PERIOD.total_seconds())
    match turns[number % len(turns)]:
        case "all":
            listed = list(modules)
        case "partial":
            # One is missing, and another one each time (#52).
            missing = number // len(turns) % max(len(modules), 1)
            listed = [serial for place, serial in enumerate(modules) if place != missing]
        case "reversed":
            listed = list(reversed(modules))
        case "with_master":
            listed = [master, *modules]
        case "single":
            listed = list(modules[:1])
        case "empty":
            listed = []
        case "null":
            return {"SUB": None}
        case "absent":
            return {}
    return {"SUB": ",".join(listed)}
