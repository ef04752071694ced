"""Whether the cloud still accepts the credentials of an account, and what is reported where it does not."""

from collections.abc import Callable
from datetime import timedelta

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .repairs import report

MAXIMUM_CLOCK_ERROR = timedelta(minutes=5)
"""A clock that is further from the cloud's may be why a signature is refused; no source has the window."""


class Credentials:
    """Of one account. They are bad when two reads are rejected and none is accepted in between."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, confirm: Callable[[], bool]) -> None:
        """`confirm` has another read tried soon, and returns whether the account has one."""
        self.hass = hass
        self.entry = entry
        self._confirm = confirm
        self._rejected: set[str] = set()
        self._in_doubt = True
        """Whether something may have to be taken back; an entry that was reloaded may have left it."""

    @callback
    def accepted(self) -> None:
        """Take note of an answer that is no rejection: it proves the credentials, and takes back what was asked for."""
        if not self._in_doubt:
            return
        self._in_doubt = False
        self._rejected.clear()
        self._report_clock(None)
        for flow in self.entry.async_get_active_flows(self.hass, {SOURCE_REAUTH}):
            self.hass.config_entries.flow.async_abort(flow["flow_id"])

    @callback
    def rejected(self, reader: str, clock_error: timedelta | None) -> None:
        """Take note of a rejection; one by the cloud's clock is the owner's to set right, another asks for new ones."""
        self._in_doubt = True
        is_by_clock = clock_error is not None and abs(clock_error) > MAXIMUM_CLOCK_ERROR
        self._report_clock(clock_error if is_by_clock else None)
        if is_by_clock:
            return
        self._rejected.add(reader)
        if len(self._rejected) > 1 or not self._confirm():
            self.entry.async_start_reauth_if_available(self.hass)

    def _report_clock(self, error: timedelta | None) -> None:
        report(
            self.hass,
            self.entry,
            error is not None,
            "clock",
            severity=ir.IssueSeverity.ERROR,
            placeholders={"minutes": str(round(error.total_seconds() / 60) if error else 0)},
        )
