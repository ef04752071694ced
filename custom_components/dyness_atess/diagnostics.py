"""Diagnostics: all that is needed to write a family table, and nothing that tells whose battery it is."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
import re
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant

from .account.account import Account, AccountConfigEntry, digest
from .account.coordinator import CloudCoordinator, DeviceCoordinator
from .account.dyness import ModuleCoordinator
from .const import CONF_API_ID, CONF_API_TOKEN, CONF_APP_ID, CONF_APP_SECRET
from .telemetry.dyness.points import normalised
from .telemetry.raw import number
from .telemetry.reading import Reading

_SECRETS = re.compile(f"{CONF_APP_ID}|{CONF_APP_SECRET}|{CONF_API_ID}|{CONF_API_TOKEN}")
# Of names in lower case, with an underscore where a word begins.
_PRIVATE = re.compile(
    r"(?:account|company|contact|customer|device|installer|login|member|nick|owner|plant|site|station|user)"
    r"_?(?:id|name|no|code)s?$"
    r"|(?:^|_)(?:e?_?mail|(?:tele|mobile_?)?phone|mobile|tel|password|secret|token|ssid|mac|ip|latitude|longitude|lat|lng)"
    r"(?:_|$)|^(?:alias|contact|customer|owner|remark|user)s?$"
)
_PLACE = re.compile(r"(?:^|_)(?:address|city|location|position|postcode|province|street|zip)(?:_|$)")
"""A number of such a name is where in the battery something is."""
_SERIAL_NAME = re.compile(r"(?:^|[^a-z])(?:sn|iccid|imei|serial(?:_?(?:no|number))?)$")

# What the cloud puts behind the serial number of a master, and of a module behind it.
_ENDING = r"(?:-(?:BMS|BDU|DYNESS\d*|\d{1,3}))"
# Letters among at least six digits, or ten digits: serial numbers are of this form; times, versions and values are not.
_SERIAL = rf"(?<!\d\.)\b(?:(?=\w*[A-Za-z])(?=(?:[A-Za-z_]*\d){{6}})\w{{8,}}{_ENDING}*|\d{{10,}}\b)"
_CONTACT = r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+|\+\d[\d ()/-]{6,}\d|\b(?:[0-9A-F]{2}[:-]){5}[0-9A-F]{2}\b"
_WHOLE = r"(?<![A-Za-z0-9])(?:", r")(?![A-Za-z0-9])"


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: AccountConfigEntry) -> dict[str, Any]:
    """Return the account as it stands; the emulator can replay the devices."""
    account = entry.runtime_data
    content = {
        "entry": {"data": dict(entry.data), "options": dict(entry.options), "version": entry.version},
        "calls": account.queue.state,
        "device_list": _state(account.inventory) | {"listed": len(account.inventory.listed)},
        "devices": [_device(device) for device in account.devices.values()],
    }
    hidden: dict[str, Any] = _Redaction(account, content).hide(content)
    return hidden


def _state(coordinator: CloudCoordinator[Any]) -> dict[str, Any]:
    return {
        "last_update_success": coordinator.last_update_success,
        "last_error": str(coordinator.last_exception) if coordinator.last_exception else None,
        "is_current": coordinator.is_current,
        "read_every": str(coordinator.update_interval),
    }


def _device(coordinator: DeviceCoordinator) -> dict[str, Any]:
    capacity = coordinator.remembered.get("capacity")
    return {
        "serial": coordinator.serial,
        "state": _state(coordinator),
        "master": coordinator.master.serial if isinstance(coordinator, ModuleCoordinator) else None,
        "listing": dict(coordinator.device.listing) or None,
        "station": {"batteryCapacity": str(capacity)} if capacity else None,
        "reading": _reading(coordinator.data) if coordinator.data else None,
        "received_at": coordinator.received_at,
        "points": coordinator.raw,
        **coordinator.raw_beside,
        "findings": coordinator.findings,
        "remembered": coordinator.remembered,
    }


def _reading(reading: Reading) -> dict[str, Any]:
    # What came is in the points; here it has another form, in which nothing could be found that has to be hidden.
    unused = {
        kind: [{"id": point.id, "name": point.name} for point in getattr(reading, kind)]
        for kind in ("unknown", "implausible")
    }
    return asdict(reading) | unused


def _names(field: str, holder: dict[str, Any]) -> tuple[str, ...]:
    """Return what a field is called, as the patterns spell it; the value of a point is called as the point is."""
    names = [holder.get("pointId"), holder.get("pointNameCn")] if field == "pointValue" else [field]
    return tuple(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W+", "_", str(name)).strip("_").lower() for name in names)


def _scalars(content: Any, *names: str) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Return every value with the names that it stands under."""
    match content:
        case dict():
            for field, item in content.items():
                yield from _scalars(item, *names, *_names(str(field), content))
        case list() | tuple():
            for item in content:
                yield from _scalars(item, *names)
        case _:
            yield content, names


def _is_private(value: Any, names: Iterable[str]) -> bool:
    if value in (None, "") or isinstance(value, bool):
        return False
    is_number = number(str(value)) is not None
    return any(
        _SECRETS.fullmatch(name) or _PRIVATE.search(name) or (not is_number and _PLACE.search(name)) for name in names
    )


def _is_serial(names: Iterable[str]) -> bool:
    return any(map(_SERIAL_NAME.search, names))


class _Redaction:
    """What is private in a download, to be found wherever in it that occurs."""

    def __init__(self, account: Account, content: dict[str, Any]) -> None:
        """Collect it."""
        serials = {*account.devices, *account.inventory.data, *account.inventory.subentries}
        for device in account.devices.values():
            serials |= {*device.remembered.get("modules", ()), *(device.data.modules if device.data else ())}
        texts = set()
        for value, names in _scalars(content):
            if isinstance(value, str | int | float) and _is_private(value, names):
                texts |= {str(value).strip(), normalised(str(value))}
            elif isinstance(value, str) and _is_serial(names):
                serials |= set(re.split(r"[\s,;]+", value))
        self._serials = {serial.casefold(): serial for serial in serials}
        # What a model is called, or a short number, would be found where nothing private is meant.
        public = {normalised(device.model or "") for device in account.inventory.data.values()}
        public.add(normalised(account.inventory.manufacturer))
        texts = {text for text in texts if len(text) >= (3 if number(text) is None else 7)}
        texts = {text for text in texts if normalised(text) not in public}
        short = {serial for serial in self._serials if 4 <= len(serial) < 8 and not serial.isdigit()}
        long = {serial for serial in self._serials if len(serial) >= 8}
        self._pattern = re.compile(
            "|".join(
                f"(?P<{group}>{pattern})"
                for group, pattern in (
                    ("known", f"(?<!\\w)\\w*(?:{_any_of(long)})[\\w-]*|{_any_of(short).join(_WHOLE)}"),
                    ("text", f"{_any_of(texts).join(_WHOLE)}|{_CONTACT}"),
                    ("unknown", _SERIAL),
                )
            ),
            re.ASCII | re.IGNORECASE,
        )

    def hide(self, content: Any, *names: str) -> Any:
        """Replace what is private, and serial numbers by a stand-in that is the same wherever one occurs."""
        match content:
            case dict():
                return {
                    self._without(field): self.hide(item, *names, *_names(str(field), content))
                    for field, item in content.items()
                }
            case list() | tuple():
                return [self.hide(item, *names) for item in content]
        if _is_private(content, names):
            return REDACTED
        if not content or isinstance(content, bool) or not isinstance(content, str | int | float):
            return content
        hidden = self._without(str(content))
        if hidden != str(content):
            return hidden
        return self._stand_in(hidden) if isinstance(content, str) and _is_serial(names) else content

    def _without(self, text: str) -> str:
        return self._pattern.sub(lambda found: REDACTED if found["text"] else self._stand_in(found[0]), text)

    def _stand_in(self, serial: str) -> str:
        """Return what shows of a serial number no more than that it is the same, and a master's or a module's."""
        serial = self._serials.get(serial.casefold(), serial)
        ending = re.search(f"{_ENDING}*$", serial, re.IGNORECASE)
        return f"sn{digest(serial)}{ending[0] if ending else ''}"


def _any_of(texts: Iterable[str]) -> str:
    return "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True)) or "(?!)"
