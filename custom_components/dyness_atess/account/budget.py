"""How the hourly calls of an account are shared, and what its user is told where they are too few."""

from datetime import timedelta
import math

from homeassistant.core import HomeAssistant, callback

from ..cloud.queue import Priority
from .account import AccountConfigEntry, tell
from .coordinator import READINGS_INTERVAL

HOUR = timedelta(hours=1)
OLDEST_MODULE = timedelta(minutes=20)
"""A module read this often is always current: its sample is some minutes old by then and may be 30 minutes old."""
SHARED = 0.9
"""Of what the masters leave. The rest is for reads that are tried again."""


@callback
def share_out(hass: HomeAssistant, entry: AccountConfigEntry) -> None:
    """Set how often modules are read, and tell the user of a budget that keeps no module current."""
    account = entry.runtime_data
    modules = [device for device in account.devices.values() if device.priority is Priority.MODULE]
    masters = [device for device in account.devices.values() if device.priority is Priority.MASTER and device.has_data]
    lists = HOUR // account.inventory.update_interval if account.inventory.update_interval else 0
    fixed = lists + sum(device.calls_per_read for device in masters) * (HOUR // READINGS_INTERVAL)
    interval = module_interval(account.queue.budget - fixed, len(modules))
    for module in modules:
        module.update_interval = interval
    needed = fixed + calls_of_modules(len(modules))
    tell(
        hass,
        entry,
        needed > account.queue.hourly_calls,
        translation_key="budget",
        translation_placeholders={
            "masters": str(len(masters)),
            "modules": str(len(modules)),
            "calls": str(account.queue.hourly_calls),
            "needed": str(needed),
        },
    )


def calls_of_modules(modules: int) -> int:
    """Return how many calls an hour keep so many modules current."""
    return math.ceil(modules * (HOUR // OLDEST_MODULE) / SHARED)


def module_interval(spare: int, modules: int) -> timedelta:
    """Return how often each of so many modules is to be read with `spare` calls an hour.

    Where that is too few the queue has the last word: a module asks in time, and waits for its turn.
    """
    possible = timedelta(seconds=math.ceil(3600 * modules / (SHARED * max(spare, 1))))
    return min(max(possible, READINGS_INTERVAL), OLDEST_MODULE)
