"""Repairs: what only the owner can change."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN
from .connection import digest

HELP = "https://github.com/dyness-atess/dyness-atess-home-assistant/blob/main/docs/troubleshooting.md"
"""Has a paragraph for each key."""


@callback
def report(
    hass: HomeAssistant,
    entry: ConfigEntry,
    is_so: bool,
    key: str,
    *,
    serial: str | None = None,
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
    placeholders: dict[str, str] | None = None,
) -> None:
    """Raise a repair of an account or one of its devices while something is so, and take it back afterwards."""
    device = digest(serial) if serial else None
    issue_id = "_".join(filter(None, (key, entry.entry_id, device)))
    if not is_so:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data={"entry": entry.entry_id, "device": device},
        is_fixable=False,
        severity=severity,
        translation_key=key,
        translation_placeholders=placeholders,
        learn_more_url=f"{HELP}#{key}",
    )


@callback
def withdraw(hass: HomeAssistant, entry: ConfigEntry, serial: str | None = None, *, even_ignored: bool = True) -> None:
    """Take back all repairs of an account, or of one of its devices."""
    device = digest(serial) if serial else None
    for issue in list(ir.async_get(hass).issues.values()):
        data = issue.data if issue.domain == DOMAIN and issue.data else {}
        is_meant = data.get("entry") == entry.entry_id and device in (None, data.get("device"))
        if is_meant and (even_ignored or issue.dismissed_version is None):
            ir.async_delete_issue(hass, DOMAIN, issue.issue_id)
