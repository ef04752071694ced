"""Config flow: an account of a cloud, and devices that the account does not list."""

from collections.abc import Awaitable, Mapping
import logging
import re
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import probatio as vol
from yarl import URL

from .cloud.dyness import REGIONS, DynessClient
from .cloud.errors import CloudEmpty, CloudError, CloudRejected, CloudUnavailable, CloudUnreachable
from .const import (
    CONF_APP_ID,
    CONF_APP_SECRET,
    CONF_COLLECTOR_SN,
    CONF_DEVICE_SN,
    CONF_REGION,
    DOMAIN,
    SUBENTRY_STORAGE,
)
from .coordinator import connect
from .telemetry.decoder import decode

_LOGGER = logging.getLogger(__name__)

_TEXT = TextSelector()
_SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_REGION = SelectSelector(
    SelectSelectorConfig(
        options=list(REGIONS), custom_value=True, mode=SelectSelectorMode.DROPDOWN, translation_key="region"
    )
)
CREDENTIALS = vol.Schema({vol.Required(CONF_APP_ID): _TEXT, vol.Required(CONF_APP_SECRET): _SECRET})
ACCOUNT = CREDENTIALS.extend({vol.Required(CONF_REGION, default="europe"): _REGION})
CHANGES = vol.Schema(
    {
        vol.Required(CONF_APP_ID): _TEXT,
        # The vendor shows a secret only once: whoever just changes the region does not need it again.
        vol.Optional(CONF_APP_SECRET): _SECRET,
        vol.Required(CONF_REGION): _REGION,
    }
)
SERIAL = vol.Schema({vol.Required(CONF_DEVICE_SN): _TEXT, vol.Optional(CONF_COLLECTOR_SN): _TEXT})

PLACEHOLDERS = {"portal": "ems.dyness.com", "example": "https://server.example"}

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


def checked_region(region: str) -> str:
    """Return one of our regions, or the origin of a URL that credentials may be sent to.

    Raises:
        InputError: it is neither.
    """
    if region in REGIONS:
        return region
    try:
        url = URL(region)
        origin = str(url.origin())
    except ValueError as error:
        raise InputError(CONF_REGION, "invalid_url") from error
    if url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK):
        return origin
    raise InputError(CONF_REGION, "insecure_url")


async def list_devices(hass: HomeAssistant, account: dict[str, str]) -> list[dict[str, Any]]:
    """Return the devices of the account, whose region is put in its final form.

    Raises:
        InputError: the region cannot be used.
        CloudError: the cloud does not answer or does not accept the credentials.
    """
    account[CONF_REGION] = checked_region(account[CONF_REGION])
    return await connect(hass, account).storage_list()


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
        if decode(points).family:
            return {CONF_DEVICE_SN: candidate} | ({CONF_COLLECTOR_SN: collector} if collector else {})
    raise InputError(CONF_DEVICE_SN, "no_data")


class DynessAtessConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up an account."""

    VERSION = 1

    def __init__(self) -> None:
        """Begin without an account."""
        self._account: dict[str, str] = {}

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        return {SUBENTRY_STORAGE: StorageSubentryFlow}

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which cloud."""
        return self.async_show_menu(step_id="user", menu_options=["dyness"])

    async def async_step_dyness(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take the credentials of a Dyness account and look for its devices."""
        errors: dict[str, str] = {}
        if user_input is not None:
            account = self._account = stripped(user_input)
            await self.async_set_unique_id(f"dyness:{account[CONF_APP_ID]}")
            self._abort_if_unique_id_configured()
            devices = await attempt(errors, list_devices(self.hass, account))
            if devices:
                return self.async_create_entry(title="Dyness", data=account)
            if not errors:
                return await self.async_step_serial()
        return self.async_show_form(
            step_id="dyness",
            data_schema=self.add_suggested_values_to_schema(ACCOUNT, user_input),
            errors=errors,
            description_placeholders=PLACEHOLDERS,
        )

    async def async_step_serial(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take the serial number of a device that the account does not list."""
        errors: dict[str, str] = {}
        if user_input is not None:
            client = connect(self.hass, self._account)
            if device := await attempt(errors, find_device(self.hass, client, stripped(user_input))):
                serial = device[CONF_DEVICE_SN]
                subentry = ConfigSubentryData(
                    data=device, subentry_type=SUBENTRY_STORAGE, title=serial, unique_id=serial
                )
                return self.async_create_entry(title="Dyness", data=self._account, subentries=[subentry])
        return self.async_show_form(
            step_id="serial", data_schema=self.add_suggested_values_to_schema(SERIAL, user_input), errors=errors
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin with the account whose credentials were rejected."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take new credentials of the same account."""
        return await self._async_change("reauth_confirm", self._get_reauth_entry(), CREDENTIALS, user_input)

    async def async_step_reconfigure(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take another region or secret of the same account."""
        return await self._async_change("reconfigure", self._get_reconfigure_entry(), CHANGES, user_input)

    async def _async_change(
        self, step: str, entry: ConfigEntry, schema: vol.Schema, user_input: dict[str, str] | None
    ) -> ConfigFlowResult:
        """Check changed credentials and store them."""
        errors: dict[str, str] = {}
        if user_input is not None:
            account = {**entry.data, **stripped(user_input)}
            if account[CONF_APP_ID] != entry.data[CONF_APP_ID]:
                errors[CONF_APP_ID] = "wrong_account"
            else:
                await attempt(errors, list_devices(self.hass, account))
            if not errors:
                if not self.hass.config_entries.async_update_entry(entry, data=account):
                    # Nothing to listen to changed, yet polling has to begin again.
                    self.hass.config_entries.async_schedule_reload(entry.entry_id)
                return self.async_abort(
                    reason="reauth_successful" if self.source == SOURCE_REAUTH else "reconfigure_successful"
                )
        suggested = user_input or {key: value for key, value in entry.data.items() if key != CONF_APP_SECRET}
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, suggested),
            errors=errors,
            description_placeholders=PLACEHOLDERS,
        )


class StorageSubentryFlow(ConfigSubentryFlow):
    """Add a device that the account does not list."""

    async def async_step_user(self, user_input: dict[str, str] | None = None) -> SubentryFlowResult:
        """Take its serial number."""
        errors: dict[str, str] = {}
        if user_input is not None:
            entry = self._get_entry()
            loaded = entry.state is ConfigEntryState.LOADED
            client = entry.runtime_data.client if loaded else connect(self.hass, entry.data)
            if device := await attempt(errors, find_device(self.hass, client, stripped(user_input))):
                serial = device[CONF_DEVICE_SN]
                if serial not in (entry.runtime_data.devices if loaded else ()):
                    return self.async_create_entry(title=serial, data=device, unique_id=serial)
                errors[CONF_DEVICE_SN] = "already_known"
        return self.async_show_form(
            step_id="user", data_schema=self.add_suggested_values_to_schema(SERIAL, user_input), errors=errors
        )
