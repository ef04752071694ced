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
    alarms = [
        (began_at, row)
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
        and str(row.get("clearStatus")) != CLEARED
        and (began_at := sample_time(str(row.get("beginTime"))))
        and abs(now - began_at) <= RECENT
    ]
    newest = [row for began_at, row in alarms if began_at == max(time for time, _ in alarms)]
    hidden = [word.casefold() for word in private if len(word) > 3]
    found = {}
    for name, field in (("text", "eventContent"), ("advice", "solution")):
        texts = dict.fromkeys(" ".join(text.split()) for row in newest if isinstance(text := row.get(field), str))
        shown = "; ".join(filter(None, texts))[:LONGEST]
        if shown and shown.isprintable() and not _is_private(shown, hidden):
            found[name] = shown
    return found


def _is_private(text: str, hidden: Collection[str]) -> bool:
    return bool(_IDENTIFYING.search(text)) or any(word in text.casefold() for word in hidden)
