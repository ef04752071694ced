"""What is kept of the devices over restarts: what they have shown of themselves, and their last answers."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store
import probatio as vol

from ..cloud.atess import KINDS
from ..const import DOMAIN
from ..telemetry.state import dump, load

_LOGGER = logging.getLogger(__package__)

VERSION = 1
DELAY = 10.0
"""Seconds within which changes are written together."""
AT_A_STOP = 1e9
"""Seconds: the last answers are of use after a stop or a reload only, and Home Assistant writes what is due then."""

_LEARNED = vol.Schema(
    {
        vol.Optional("family"): str,
        vol.Optional("modules"): {str: vol.All(int, vol.Range(min=1, max=999))},
        vol.Optional("zone"): vol.All(vol.Coerce(float), vol.Range(min=-86400, max=86400)),
        vol.Optional("capacity"): vol.All(vol.Coerce(float), vol.Range(min=0, max=10_000)),
        vol.Optional("direction"): dict,
        vol.Optional("decoder"): dict,
        vol.Optional("kind"): vol.In(KINDS),
        vol.Optional("state"): {str: dict},
    }
)
_ANSWER = vol.Schema({"raw": object, "received_at": datetime.fromisoformat}, required=True)

type Answers = dict[str, dict[str, Any]]


class Memory:
    """Two files for each account, both with an object per device."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        name = f"{DOMAIN}.{entry_id}"
        self._learned_store: Store[dict[str, dict[str, Any]]] = Store(hass, VERSION, name, private=True)
        self._answer_store: Store[Answers] = Store(hass, VERSION, f"{name}.answers", private=True)
        self._learned: dict[str, dict[str, Any]] = {}
        self._states: dict[str, dict[str, Any]] = {}
        """What is kept as it is when something is written, by device and name."""
        self._is_due = False
        self._is_closed = False

    async def async_load(self, answers: Callable[[], Answers]) -> Answers:
        """Return the last answers, and have those of then written at a stop. What has not its form is begun anew."""
        self._learned = await _load(self._learned_store, _LEARNED)
        last = await _load(self._answer_store, _ANSWER)
        self._answer_store.async_delay_save(answers, AT_A_STOP)
        return last

    def recall(self, serial: str) -> dict[str, Any]:
        """Return what is known of a device."""
        return self._learned.get(serial, {})

    def keep(self, serial: str, **content: Any) -> None:
        """Add to what is known of a device."""
        known = self.recall(serial)
        if known != (new := known | content):
            self._learned[serial] = new
            self.write_soon()

    def state[State](self, serial: str, name: str, kind: type[State]) -> State:
        """Return a part of a device as it was kept, or new where that is malformed, and keep it from now on."""
        state = kind()
        with _begun_anew(name):
            state = load(kind, self.recall(serial).get("state", {}).get(name, {}))
        self._states.setdefault(serial, {})[name] = state
        return state

    def content(self, serial: str) -> dict[str, Any]:
        """Return all that is kept of a device."""
        states = {"state": dump(states)} if (states := self._states.get(serial)) else {}
        return self.recall(serial) | states

    def forget(self, serial: str) -> None:
        """Forget a device."""
        self._learned.pop(serial, None)
        self._states.pop(serial, None)
        self.write_soon()

    def write_soon(self) -> None:
        """Write what has changed."""
        # Each call would put the writing off: with many devices there would be none.
        if not (self._is_due or self._is_closed):
            self._is_due = True
            self._learned_store.async_delay_save(self._to_write, DELAY)

    def _to_write(self) -> dict[str, dict[str, Any]]:
        self._is_due = False
        return {serial: self.content(serial) for serial in {**self._learned, **self._states}}

    async def async_close(self, answers: Answers) -> None:
        """Write both files now, and never again: they belong to who comes next."""
        self._is_closed = True
        await self._learned_store.async_save(self._to_write())
        await self._answer_store.async_save(answers)

    async def async_remove(self) -> None:
        """Forget everything."""
        await self._learned_store.async_remove()
        await self._answer_store.async_remove()


def answer(raw: Any, received_at: datetime) -> dict[str, Any]:
    """Return an answer as it is kept."""
    return {"raw": raw, "received_at": received_at}


async def _load(store: Store[dict[str, dict[str, Any]]], form: vol.Schema) -> dict[str, dict[str, Any]]:
    with _begun_anew("devices"):
        stored = await store.async_load() or {}
        return {str(serial): form(content) for serial, content in stored.items()}
    return {}


@contextmanager
def _begun_anew(what: str) -> Generator[None]:
    try:
        yield
    except (HomeAssistantError, AttributeError, LookupError, TypeError, ValueError, vol.Invalid) as error:
        _LOGGER.warning("What was kept of %s cannot be read and is begun anew: %s", what, type(error).__name__)
