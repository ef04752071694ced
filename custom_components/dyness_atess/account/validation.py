"""What was typed into a form, checked against the cloud."""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
import logging
import re
from traceback import format_tb
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import probatio as vol
from yarl import URL

from ..cloud.atess import KINDS
from ..cloud.errors import CloudEmpty, CloudError, CloudRefused, CloudRejected, CloudTrouble, CloudUnreachable
from ..const import (
    CONF_API_ID,
    CONF_APP_ID,
    CONF_BASE_URL,
    CONF_COLLECTOR_SN,
    CONF_DEVICE_SN,
    CONF_KIND,
    CONF_REGION,
    CONF_SERVER,
    DOMAIN,
)
from ..telemetry.dyness.decoder import decode, family_by_name
from .atess import atess_client
from .connection import DEVICE_LIST, connection, identity
from .dyness import dyness_client
from .forms import Schema
from .memory import answer

_LOGGER = logging.getLogger(__name__)

# The forms of most modules' serial numbers (dyness-api 5); others are known by their masters or their points.
_MODULE = re.compile(r".*-(BDU-\d+|DYNESS\d+)", re.IGNORECASE)
_SUFFIX = re.compile(r"-B(MS|DU)$", re.IGNORECASE)
"""What the cloud puts behind the serial number on the battery's label (dyness-api 5)."""
PATIENCE = 60.0
"""Seconds that a person waits before a form, as while a rate limit pauses the account."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class InputError(Exception):
    """What was typed cannot be used: the field where to say so, and the key of what to say."""


async def attempt[Result](errors: dict[str, str], call: Awaitable[Result]) -> Result | None:
    """Return the result of `call`, or None with what to say of its failure in `errors`."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await call
    except InputError as error:
        field, errors[field] = error.args
    except CloudRejected:
        errors["base"] = "invalid_auth"
    except CloudUnreachable:
        errors["base"] = "cannot_connect"
    except CloudError, TimeoutError:
        errors["base"] = "cloud_unavailable"
    except Exception as error:  # noqa: BLE001 - whatever it is, the form stays and can be sent again
        # Where it happened, and not its text, which may have what was typed or answered in it.
        trace = "".join(format_tb(error.__traceback__))
        _LOGGER.error("Unexpected %s while checking the input:\n%s", type(error).__name__, trace)  # noqa: TRY400
        errors["base"] = "unknown"
    return None


def stripped(typed: Mapping[str, Any], schema: Schema, errors: dict[str, str]) -> dict[str, Any]:
    """Return what was typed without what a clipboard brings along; required fields that are empty go into `errors`."""

    def visible(text: str) -> str:
        return " ".join("".join(sign for sign in text if sign.isprintable() or sign.isspace()).split())

    fields = {key: visible(value) if isinstance(value, str) else value for key, value in typed.items()}
    fields = {key: value for key, value in fields.items() if value != ""}
    errors |= {str(key): "required" for key in schema if isinstance(key, vol.Required) and str(key) not in fields}
    return fields


def _origin(field: str, typed: str) -> str:
    """Return the origin of a URL that credentials may be sent to."""
    try:
        url = URL(typed)
        origin = str(url.origin())
    except ValueError as error:
        raise InputError(field, "invalid_url") from error
    if url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK):
        return origin
    raise InputError(field, "insecure_url")


def _check_server(account: dict[str, Any]) -> None:
    if typed := account.get(CONF_SERVER):
        account[CONF_SERVER] = _origin(CONF_SERVER, typed)


# All that follow raise an InputError, or a CloudError where the question could not be answered.


async def list_devices(hass: HomeAssistant, account: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the devices of an account; the entry that may be made of it does not ask again."""
    if typed := account.pop(CONF_BASE_URL, None):
        account[CONF_REGION] = _origin(CONF_BASE_URL, typed)
    answers = connection(hass, account).answers
    rows = answers[DEVICE_LIST] = await dyness_client(hass, account).storage_list()
    return rows


async def find_battery(hass: HomeAssistant, account: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, str]:
    """Return the serial numbers under which the cloud knows a battery, as the data of its subentry."""
    serial, collector = typed[CONF_DEVICE_SN], typed.get(CONF_COLLECTOR_SN)
    accounts = [entry.runtime_data for entry in hass.config_entries.async_loaded_entries(DOMAIN)]
    modules = {serial for account in accounts for serial, found in account.devices.items() if found.is_module}
    if _MODULE.fullmatch(serial) or serial.upper() in modules:
        raise InputError(CONF_DEVICE_SN, "module_serial")
    client = dyness_client(hass, account)
    trouble: CloudError | None = None
    labels = [_SUFFIX.sub("", spelling) for spelling in (serial.upper(), serial)]
    for candidate in dict.fromkeys(label + suffix for label in labels for suffix in ("-BMS", "-BDU", "")):
        try:
            points = await client.realtime_data(candidate, collector)
        except CloudTrouble as error:
            trouble = error
            continue
        except CloudEmpty, CloudRefused:
            continue
        name = decode(points).family
        family = family_by_name(name)
        if family and family.is_module and not _SUFFIX.search(candidate):
            raise InputError(CONF_DEVICE_SN, "module_serial")  # masters that speak as modules do have the suffix
        if name:
            connection(hass, account).answers[candidate] = answer(points, dt_util.utcnow())
            return {CONF_DEVICE_SN: candidate} | ({CONF_COLLECTOR_SN: collector} if collector else {})
    raise trouble or InputError(CONF_DEVICE_SN, "no_data")


async def find_converter(hass: HomeAssistant, account: dict[str, Any], typed: Mapping[str, Any]) -> dict[str, str]:
    """Return the serial number and the kind of a converter, as the data of its subentry.

    One whose data logger sleeps has no record and is taken as it is.
    """
    _check_server(account)
    client = atess_client(hass, account)
    asleep = None
    for serial in dict.fromkeys((typed[CONF_DEVICE_SN].upper(), typed[CONF_DEVICE_SN])):
        for kind in KINDS:
            found = {CONF_DEVICE_SN: serial, CONF_KIND: kind}
            try:
                record = await client.data_last(kind, serial)
            except CloudEmpty:
                asleep = asleep or found
            except CloudRefused:
                continue
            else:
                connection(hass, account).answers[serial] = answer(record, dt_util.utcnow())
                return found
    if asleep is None:
        raise InputError(CONF_DEVICE_SN, "unknown_serial")
    return asleep


async def check_change(hass: HomeAssistant, entry: ConfigEntry, account: dict[str, Any]) -> None:
    """Make sure that what an entry is changed to is still the account of its devices."""
    for field in (CONF_APP_ID, CONF_API_ID):
        # Whoever has only the ready-made header has no id: nothing but the devices tells which account it is.
        if account.get(field) and entry.data.get(field) and account[field] != entry.data[field]:
            raise InputError(field, "wrong_account")
    is_dyness = CONF_APP_ID in account
    if is_dyness:
        # In the same region an empty list is a matter of the cloud: lists have been seen incomplete.
        if await list_devices(hass, account) or account[CONF_REGION] == entry.data[CONF_REGION]:
            return
    else:
        _check_server(account)
    find = find_battery if is_dyness else find_converter
    for added in entry.subentries.values():
        with suppress(InputError):
            await find(hass, account, added.data)
            return
    if is_dyness:
        raise InputError(CONF_REGION, "empty_region")
    if entry.subentries and identity(account) != identity(entry.data):
        raise InputError("base", "foreign_device")
