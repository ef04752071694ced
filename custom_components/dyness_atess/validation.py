"""What was typed into a form, checked against the cloud."""

from collections.abc import Awaitable, Mapping
import logging
import re
from typing import Any

from homeassistant.core import HomeAssistant
from yarl import URL

from .cloud.atess import AtessClient
from .cloud.dyness import REGIONS, DynessClient
from .cloud.errors import CloudEmpty, CloudError, CloudRejected, CloudUnavailable, CloudUnreachable
from .const import CONF_COLLECTOR_SN, CONF_DEVICE_SN, CONF_REGION, DOMAIN
from .dyness import dyness_client
from .telemetry.decoder import decode, family_by_name

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
    except Exception:  # whatever it is, the form stays and can be sent again
        _LOGGER.exception("Unexpected error while checking the input")
        errors["base"] = "unknown"
    return None


def stripped(typed: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed without the spaces that a clipboard brings along."""
    return {key: value.strip() for key, value in typed.items()}


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
    try:
        await client.pbd_data_last(serial)
    except CloudEmpty as error:
        raise InputError(CONF_DEVICE_SN, "no_record") from error
    except CloudUnavailable as error:
        if error.answered:
            raise InputError(CONF_DEVICE_SN, "unknown_serial") from error
        raise
    return serial
