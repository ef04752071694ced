"""Text and advice of the cloud's list of alarms (dyness-api 3.6)."""

from collections.abc import Collection
from datetime import datetime, timedelta
import re
from typing import Any

from .points import sample_time

RECENT = timedelta(days=1)
"""The zone of its times is not known; an alarm that began longer ago is another one."""
CLEARED = "1"
LONGEST = 500
_IDENTIFYING = re.compile(
    r"\d{5}|@|://|\d\.\d+\.\d|:[\da-f]{2}:"  # an address, a telephone number, a place
    r"|(?=[a-z_-]*\d)(?=[\d_-]*[a-z])[\da-z_-]{8,}",  # what looks like a serial number
    re.IGNORECASE,
)


def decode_alarms(data: Any, now: datetime, private: Collection[str]) -> dict[str, str]:
    """Return the text and the advice of the newest alarm that is on. Never raises.

    A text that holds one of the `private` words, or what looks like an identifier, is left out.
    """
    page = data.get("pageDate") if isinstance(data, dict) else None
    rows = page.get("list") if isinstance(page, dict) else None
    on: dict[datetime, list[dict[str, Any]]] = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and str(row.get("clearStatus")) != CLEARED:
            began_at = sample_time(str(row.get("beginTime")))
            if began_at and abs(now - began_at) <= RECENT:
                on.setdefault(began_at, []).append(row)
    hidden = [word.casefold() for word in private if len(word) > 3]
    found = {}
    for name, field in (("text", "eventContent"), ("advice", "solution")):
        newest = [text for row in on[max(on)] if isinstance(text := row.get(field), str)] if on else []
        shown = "; ".join(filter(None, dict.fromkeys(" ".join(text.split()) for text in newest)))[:LONGEST]
        is_private = _IDENTIFYING.search(shown) or any(word in shown.casefold() for word in hidden)
        if shown.isprintable() and shown and not is_private:
            found[name] = shown
    return found
