"""What was typed into a form, checked against the cloud."""

from collections.abc import Awaitable, Mapping
from contextlib import suppress
import logging
import re
from traceback import format_tb
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from yarl import URL

from ..cloud.atess import AtessClient
from ..cloud.dyness import REGIONS, DynessClient
from ..cloud.errors import CloudEmpty, CloudError, CloudRejected, CloudUnavailable, CloudUnreachable
from ..const import CONF_API_ID, CONF_APP_ID, CONF_COLLECTOR_SN, CONF_DEVICE_SN, CONF_REGION, CONF_SERVER, DOMAIN
from ..telemetry.dyness.decoder import decode, family_by_name
from .account import identity
from .atess import atess_client
from .dyness import dyness_client

_LOGGER = logging.getLogger(__name__)

# The forms that a module's serial number is known to take (dyness-api 5); others are told by the masters' own lists.
_MODULE = re.compile(r".*-(BDU-\d+|DYNESS\d+)", re.IGNORECASE)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SUFFIXES = ("-BMS", "-BDU")
"""What the cloud puts behind the serial number on the battery's label (dyness-api 5)."""


class InputError(Exception):
    """What was typed cannot be used; `field` is where to say so, `key` what to say."""

    def __init__(self, field: str, key: str) -> None:
        """Keep both."""
        super().__init__(key)
        self.field = field
        self.key = key


async def attempt[Result](errors: dict[str, str], call: Awaitable[Result]) -> Result | None:
    """Return the result of `call`, or None with what to say of its failure in `errors`."""
    try:
        return await call
    except InputError as error:
        errors[error.field] = error.key
    except CloudRejected:
        errors["base"] = "invalid_auth"
    except CloudUnreachable:
        errors["base"] = "cannot_connect"
    except CloudError:
        errors["base"] = "cloud_unavailable"
    except Exception as error:  # noqa: BLE001 - whatever it is, the form stays and can be sent again
        # Where it happened, and not its text, which may have what was typed or answered in it.
        trace = "".join(format_tb(error.__traceback__))
        _LOGGER.error("Unexpected %s while checking the input:\n%s", type(error).__name__, trace)  # noqa: TRY400
        errors["base"] = "unknown"
    return None


def stripped(typed: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed without what a clipboard brings along: line breaks, runs of spaces, what nobody sees."""

    def shown(text: str) -> str:
        return " ".join("".join(sign for sign in text if sign.isprintable() or sign.isspace()).split())

    return {key: shown(text) for key, text in typed.items()}


def checked_origin(field: str, typed: str) -> str:
    """Return the origin of a URL that credentials may be sent to.

    Raises:
        InputError: it is none.
    """
    try:
        url = URL(typed)
        origin = str(url.origin())
    except ValueError as error:
        raise InputError(field, "invalid_url") from error
    if url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK):
        return origin
    raise InputError(field, "insecure_url")


async def list_devices(hass: HomeAssistant, account: dict[str, str]) -> list[dict[str, Any]]:
    """Return the devices of the account, whose region is put in its final form.

    Raises:
        InputError: the region cannot be used.
        CloudError: the cloud does not answer or does not accept the credentials.
    """
    if account[CONF_REGION] not in REGIONS:
        account[CONF_REGION] = checked_origin(CONF_REGION, account[CONF_REGION])
    return await dyness_client(hass, account).storage_list()


async def find_device(hass: HomeAssistant, client: DynessClient, typed: Mapping[str, str]) -> dict[str, str]:
    """Return the serial numbers under which the cloud knows the battery.

    The label of a battery has no suffix, the cloud's serial number has; both may be typed.

    Raises:
        InputError: a module's serial number, or one for which the cloud has no battery.
        CloudError: the question could not be answered.
    """
    serial, collector = typed[CONF_DEVICE_SN], typed.get(CONF_COLLECTOR_SN)
    if not serial:
        raise InputError(CONF_DEVICE_SN, "no_data")
    loaded = hass.config_entries.async_loaded_entries(DOMAIN)
    devices = [device for entry in loaded for device in entry.runtime_data.devices.values()]
    if _MODULE.fullmatch(serial) or any(device.data and serial in device.data.modules for device in devices):
        raise InputError(CONF_DEVICE_SN, "module_serial")
    candidates = [serial] if serial.upper().endswith(_SUFFIXES) else [*(serial + end for end in _SUFFIXES), serial]
    for candidate in candidates:
        try:
            points = await client.realtime_data(candidate, collector)
        except CloudEmpty:
            continue
        except CloudUnavailable as error:
            if not error.answered:
                raise
            continue
        name = decode(points).family
        family = family_by_name(name)
        if family and family.is_module and not candidate.upper().endswith(_SUFFIXES):
            raise InputError(CONF_DEVICE_SN, "module_serial")  # masters that speak as modules do have the suffix
        if name:
            return {CONF_DEVICE_SN: candidate} | ({CONF_COLLECTOR_SN: collector} if collector else {})
    raise InputError(CONF_DEVICE_SN, "no_data")


async def find_pbd(client: AtessClient, serial: str) -> str:
    """Return the serial number of a PBD for which the cloud has a record.

    Raises:
        InputError: the cloud does not know it, or has no record of it.
        CloudError: the question could not be answered.
    """
    if not serial:
        raise InputError(CONF_DEVICE_SN, "unknown_serial")
    try:
        await client.pbd_data_last(serial)
    except CloudEmpty as error:
        raise InputError(CONF_DEVICE_SN, "no_record") from error
    except CloudUnavailable as error:
        if error.answered:
            raise InputError(CONF_DEVICE_SN, "unknown_serial") from error
        raise
    return serial


def checked_atess_client(hass: HomeAssistant, account: dict[str, str]) -> AtessClient:
    """Return a client for what was typed, whose server is put in its final form.

    Raises:
        InputError: the server cannot be used.
    """
    if account.get(CONF_SERVER):
        account[CONF_SERVER] = checked_origin(CONF_SERVER, account[CONF_SERVER])
    return atess_client(hass, account)


async def check_pbd(hass: HomeAssistant, account: dict[str, str], serial: str) -> str:
    """Return what `find_pbd` does, for an account that has no entry yet.

    Raises:
        InputError: the server cannot be used, or see `find_pbd`.
        CloudError: the question could not be answered.
    """
    return await find_pbd(checked_atess_client(hass, account), serial)


async def check_change(hass: HomeAssistant, entry: ConfigEntry, account: dict[str, str]) -> None:
    """Make sure that what an entry is changed to is still the account of its devices.

    Raises:
        InputError: it is another account, or has none of them.
        CloudError: the question could not be answered.
    """
    if CONF_APP_ID in entry.data:
        await _check_dyness_change(hass, entry, account)
    else:
        await _check_atess_change(hass, entry, account)


async def _check_dyness_change(hass: HomeAssistant, entry: ConfigEntry, account: dict[str, str]) -> None:
    if account.get(CONF_APP_ID) != entry.data[CONF_APP_ID]:
        raise InputError(CONF_APP_ID, "wrong_account")
    # Where nothing but the secret changes, an empty list is a matter of the cloud: lists have been seen incomplete.
    if await list_devices(hass, account) or account[CONF_REGION] == entry.data[CONF_REGION]:
        return
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    if all(device.via_device_id or device.config_subentry_id for device in devices):
        for subentry in entry.subentries.values():
            with suppress(InputError):
                await find_device(hass, dyness_client(hass, account), subentry.data)
                return
    raise InputError(CONF_REGION, "empty_region")


async def _check_atess_change(hass: HomeAssistant, entry: ConfigEntry, account: dict[str, str]) -> None:
    # Of an account without an id, which has only the ready-made header, nothing but its devices tells which it is.
    ids = {account.get(CONF_API_ID), entry.data.get(CONF_API_ID)} - {None, ""}
    if len(ids) > 1:
        raise InputError(CONF_API_ID, "wrong_account")
    client = checked_atess_client(hass, account)
    failures = set()
    for subentry in entry.subentries.values():
        try:
            await find_pbd(client, subentry.data[CONF_DEVICE_SN])
        except InputError as error:
            failures.add(error.key)
        else:
            return
    if "no_record" in failures and identity(account) == identity(entry.data):
        return
    if failures:
        raise InputError("base", "no_record" if "no_record" in failures else "foreign_device")
