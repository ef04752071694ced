"""One battery or converter as the screen shows it (its form: docs/development.md)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import UpdateFailed

from ..telemetry.alarms import TOTALS
from ..telemetry.reading import Reading
from ..telemetry.vocabulary import ALARMS, CELL_VOLTAGES, PROBE_TEMPERATURES, WARNINGS, Key
from .account import OLD, Account
from .connection import digest
from .coordinator import ReadingsCoordinator
from .registry import device_of, entity_of

MEASURED = (Key.SOC, Key.VOLTAGE, Key.CURRENT)
MASTER = (Key.POWER, Key.STATUS, Key.TIME_TO_FULL, Key.TIME_TO_EMPTY)
EXTREMES = (Key.CELL_VOLTAGE_MAX, Key.CELL_VOLTAGE_MIN, Key.CELL_VOLTAGE_SPREAD)
MILD = WARNINGS | {Key.WARNING}
"""Alarms by which nothing has stopped."""
WITHOUT_DATA = ("empty", "refused")
"""How a read ends where the cloud answers without having anything of the device."""

type Picture = dict[str, Any]


def picture(account: Account, serial: str) -> Picture:
    """Return what is known of a battery or converter and its modules."""
    master = account.devices[serial]
    reading = master.data or Reading()
    values = {str(key): value for key, value in reading.values.items()}
    numbers = dict(account.modules_of(serial))
    if _cells(reading) and not numbers:
        numbers = {serial: 1}  # the master has the cells itself
    modules = [
        _module(account, module, number)
        for module, number in sorted(numbers.items(), key=lambda item: item[1])
        if module in account.devices
    ]
    registered = device_of(account.hass, account.entry, serial)
    outage, until = _outage(account, master)
    return {
        "name": (registered.name_by_user or registered.name) if registered else None,
        "kind": account.kind,
        "outage": outage,
        "until": _time(until),
        "sampled_at": _time(master.sampled_at),
        **{key: values.get(key) for key in (*MEASURED, *MASTER)},
        "extremes": {key: values[key] for key in EXTREMES if key in values},
        "alarms": _alarms(account, serial, numbers),
        "inputs": [{"number": number, **flow} for number in range(1, 6) if (flow := _flow(values, f"pv{number}"))],
        "output": _flow(values, "output"),
        "modules": modules,
    }


def _module(account: Account, serial: str, number: int) -> Picture:
    coordinator = account.devices[serial]
    reading = coordinator.data or Reading()
    cells = _cells(reading)
    return {
        "id": digest(serial),
        "number": number,
        "sampled_at": _time(coordinator.sampled_at),
        **{key: reading.values.get(key) for key in MEASURED},
        "cells": [reading.values.get(key) for key in cells],
        "entities": [_entity_id(account.hass, Platform.SENSOR, serial, key) for key in cells],
        "temperatures": [reading.values[key] for key in PROBE_TEMPERATURES if key in reading.values],
        "alarms": _bits(reading),
    }


def _cells(reading: Reading) -> tuple[Key, ...]:
    """Return the keys up to the last cell that is known; one in the middle may be missing."""
    known = [number for number, key in enumerate(CELL_VOLTAGES, 1) if key in reading.values]
    return CELL_VOLTAGES[: max(known, default=0)]


def _bits(reading: Reading) -> list[Key]:
    """Return the alarms that are on, protections first; a total only where no bit explains it."""
    on = sorted((key for key in ALARMS if reading.flags.get(key)), key=lambda key: (key in MILD, key))
    return [key for key in on if key not in TOTALS] or on


def _alarms(account: Account, serial: str, numbers: Mapping[str, int]) -> list[Picture]:
    """Return the active bits, protections first; one that a module has too stands there with the module."""
    alarms: list[Picture] = []
    seen = set[Key]()
    own = {} if serial in numbers else {serial: None}
    for device, number in {**numbers, **own}.items():
        coordinator = account.devices.get(device)
        reading = coordinator.data if coordinator and coordinator.data else Reading()
        for key in _bits(reading):
            if number is None and key in seen:
                continue
            seen.add(key)
            expected = key in MILD and bool(reading.attributes.get(Key.WARNING, {}).get("expected"))
            entity_id = _entity_id(account.hass, Platform.BINARY_SENSOR, device, key)
            alarm = {"key": key, "protection": key not in MILD, "expected": expected}
            alarms.append(alarm | {"module": number, "entity_id": entity_id})
    return sorted(alarms, key=lambda alarm: not alarm["protection"])


def _flow(values: Mapping[str, Any], where: str) -> Picture | None:
    """Return what flows somewhere, if anything is known of it."""
    flow = {part: values.get(f"{where}_{part}") for part in ("voltage", "current", "power")}
    return flow if any(value is not None for value in flow.values()) else None


def _outage(account: Account, master: ReadingsCoordinator) -> tuple[str | None, datetime | None]:
    """Return why the values are old, and when that ends where it is known."""
    error = master.last_exception
    outcome = error.translation_key if isinstance(error, UpdateFailed) and not master.last_update_success else None
    if outcome == "rate_limited" or (account.goes_on_at and master.is_older_than(OLD)):
        return "calls", account.goes_on_at
    if outcome is not None and outcome not in WITHOUT_DATA:
        return "cloud", None
    return (None, None) if master.is_current and outcome is None else ("device", None)


def _entity_id(hass: HomeAssistant, platform: Platform, serial: str, key: Key) -> str | None:
    """Return the entity that shows it, unless it is off."""
    entity = entity_of(hass, platform, serial, key)
    return entity.entity_id if entity and not entity.disabled else None


def _time(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
