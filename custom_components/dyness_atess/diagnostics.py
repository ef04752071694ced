"""Diagnostics: all that is needed to write a family table, and nothing that tells whose battery it is."""

from collections.abc import Collection
from dataclasses import asdict
import re
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.core import HomeAssistant

from .account.account import Account, AccountConfigEntry
from .account.connection import digest
from .account.coordinator import ReadingsCoordinator
from .account.read import CloudCoordinator
from .const import CONF_API_ID, CONF_API_TOKEN, CONF_APP_ID, CONF_APP_SECRET
from .telemetry.raw import number
from .telemetry.reading import Reading

CREDENTIALS = {CONF_APP_ID, CONF_APP_SECRET, CONF_API_ID, CONF_API_TOKEN}
ANSWERS = {"listing", "detail", "station", "running", "history", "points"}
"""What stands under these names was said by the cloud, all else by us."""
# Fields whose text says nothing about their owner (dyness-api 3.2 to 3.5).
_KNOWN = re.compile(
    "batteryCategory|brand|currentUnit|deviceCommunicationStatus|deviceModelCode|deviceModelName|deviceType"
    "|deviceTypeCode|factory|firmwareVersion|communicationProtocolVersion|masterSlaveStatus|mpptVersion"
    "|operationPermission|parentCode|productType|stationType|systemType|voltageUnit|workStatus"
    "|createTime|dataUpdateTime|dateTime|lastUpdateTime|time|pointId|pointNameCn"
)
# An identifier or telephone number has ten digits, no measurement does; where somebody lives may have fewer.
_LONG_NUMBER = re.compile(r"[+-]?\d{10,}")
_PERSONAL = re.compile(r"((^|_)id|I[dD])$|(?i:phone|mobile|latitude|longitude|^(lat|lon|lng)$|zip|post)")
_HARMLESS = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?( ?(Z|(UTC)?[+-]\d\d:?\d\d))?"  # a time
    r"|(?!\d+(\.\d+){3}$)V?\d{1,3}\.\d{1,4}([.-]\d{1,4})*"  # a version, and no address of a network
    r"|null|none|nan|n/a|-+|on|off|true|false",
    re.IGNORECASE,
)
# What the cloud puts behind the serial number of a master, and of a module behind it.
_ENDING = re.compile(r"(-(BMS|BDU|DYNESS\d*|\d{1,3}))*$", re.IGNORECASE)


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: AccountConfigEntry) -> dict[str, Any]:
    """Return the account as it stands; the emulator can replay the devices."""
    account = entry.runtime_data
    serials = {*account.devices, *account.known, *account.subentries}
    serials |= {serial for device in account.devices.values() if device.data for serial in device.data.modules}
    content: dict[str, Any] = {
        "entry": {
            "data": async_redact_data(dict(entry.data), CREDENTIALS),
            "options": dict(entry.options),
            "version": entry.version,
        },
        "calls": account.queue.state,
        "device_list": _state(account.device_list) if account.device_list else None,
        "devices": [_device(account, device) for device in account.devices.values()],
    }
    hidden: dict[str, Any] = redacted(content, serials)
    return hidden


def _state(coordinator: CloudCoordinator[Any]) -> dict[str, Any]:
    return {
        "last_update_success": coordinator.last_update_success,
        "last_error": str(error.__cause__ or error) if (error := coordinator.last_exception) else None,
        "failing_since": coordinator.retries.since,
        "is_current": coordinator.is_current,
        "seconds_to_next_read": coordinator.seconds_to_next_read,
    }


def _device(account: Account, device: ReadingsCoordinator) -> dict[str, Any]:
    remembered = account.memory.content(device.serial)
    capacity = remembered.get("capacity")
    master = next((serial for serial in account.devices if device.serial in account.modules_of(serial)), None)
    listing = account.known[device.serial].listing if device.serial in account.known else None
    return {
        "serial": device.serial,
        "state": _state(device),
        "rhythm": asdict(device.rhythm) if device.rhythm else None,
        "master": master,
        "listing": dict(listing) if listing else None,
        "station": {"batteryCapacity": str(capacity)} if capacity else None,
        "reading": _reading(device.data) if device.data else None,
        "received_at": device.received_at,
        "points": device.raw,
        **account.raw_secondary(device.serial),
        "remembered": remembered,
    }


def _reading(reading: Reading) -> dict[str, Any]:
    # Their values are among the points.
    unused = {
        kind: [{"id": point.id, "name": point.name} for point in getattr(reading, kind)]
        for kind in ("unknown", "implausible")
    }
    return asdict(reading) | unused


def redacted(content: Any, serials: Collection[str]) -> Any:
    """Return what may be published: stand-ins for serial numbers, and no text of the cloud that is not known.

    Of a field that nobody knows its name stays and, where it is a number, its value.
    """
    # With the serial number of the dongle: that of the master without its ending.
    known = {one.casefold(): one for full in serials for one in (full, _ENDING.sub("", full)) if len(one) > 4}
    any_of = "|".join(sorted(map(re.escape, known), key=len, reverse=True)) or "(?!)"
    pattern = re.compile(f"(?<![A-Za-z0-9])(?:{any_of})(?![A-Za-z0-9])", re.IGNORECASE)

    def stand_in(found: re.Match[str]) -> str:
        serial = known[found[0].casefold()]
        ending = _ENDING.search(serial)
        return f"sn{digest(serial)}{ending[0] if ending else ''}"

    def clean(value: Any, field: str | None = None) -> Any:
        """Return what may be published of a value; the cloud said it under the name `field`, or we ourselves."""
        match value:
            case dict():
                is_said = field is not None
                return {
                    clean(name): clean(item, name if is_said or name in ANSWERS else None)
                    for name, item in value.items()
                }
            case list() | tuple():
                return [clean(item, field) for item in value]
            case str() if field is None:
                return pattern.sub(stand_in, value)
        if field is None or value is None or isinstance(value, bool):
            return value
        text = str(value).strip()
        if pattern.search(text):
            # Of a list of serial numbers those are left out that nobody knows.
            return ",".join(
                pattern.sub(stand_in, part) if pattern.fullmatch(part.strip()) else REDACTED for part in text.split(",")
            )
        if _KNOWN.fullmatch(field) or not text or _HARMLESS.fullmatch(text):
            return value
        is_measurement = number(text) is not None and not (_LONG_NUMBER.match(text) or _PERSONAL.search(field))
        return value if is_measurement else REDACTED

    return clean(content)
