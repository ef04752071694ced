"""Config flow: an account of a cloud, and devices that the account does not list."""

from collections.abc import Mapping
from itertools import count
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    OptionsFlow,
    SubentryFlowResult,
)
from homeassistant.core import callback
import probatio as vol

from .account import forms
from .account.connection import connection, identity, release_connections
from .account.forms import Schema
from .account.validation import attempt, check_change, find_battery, find_converter, list_devices, stripped
from .cloud.dyness import REGIONS
from .const import (
    CONF_API_ID,
    CONF_API_TOKEN,
    CONF_APP_ID,
    CONF_APP_SECRET,
    CONF_BASE_URL,
    CONF_CAPACITY,
    CONF_DEVICE,
    CONF_DEVICE_SN,
    CONF_HOURLY_CALLS,
    CONF_REGION,
    CONF_SIDEBAR,
    DOMAIN,
    OTHER_SERVER,
    SUBENTRY_CONVERTER,
    SUBENTRY_STORAGE,
)

_SECRETS = (CONF_APP_SECRET, CONF_API_TOKEN)
PLACEHOLDERS = {"portal": "ems.dyness.com"}


def _vendor(entry: ConfigEntry) -> str:
    return "atess" if CONF_API_TOKEN in entry.data else "dyness"


def _subentry(kind: str, device: dict[str, str]) -> ConfigSubentryData:
    serial = device[CONF_DEVICE_SN]
    return ConfigSubentryData(data=device, subentry_type=kind, title=serial, unique_id=serial)


class DynessAtessConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up an account."""

    VERSION = 1

    def __init__(self) -> None:
        """Begin without an account."""
        self._account: dict[str, Any] = {}
        self._options: dict[str, Any] = {}
        self._server: dict[str, str] = {}

    @callback
    @override
    def async_remove(self) -> None:
        release_connections(self.hass)

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        return {SUBENTRY_CONVERTER if _vendor(config_entry) == "atess" else SUBENTRY_STORAGE: DeviceSubentryFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        return AccountOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which cloud."""
        return self.async_show_menu(step_id="user", menu_options=["dyness", "atess"])

    async def async_step_dyness(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the credentials of a Dyness account and look for its devices."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._account = stripped(user_input, forms.DYNESS, errors)
            self._options = {CONF_SIDEBAR: self._account.pop(CONF_SIDEBAR)}
            if not errors:
                self._abort_if_configured(self._account)
                if self._account[CONF_REGION] == OTHER_SERVER:
                    return await self.async_step_server()
                if result := await self._list_devices(self._account, errors):
                    return result
        return self._form("dyness", forms.DYNESS, user_input, errors)

    async def async_step_server(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take the address of another server, for a new account or a changed one."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._server = user_input
            account = self._account | stripped(user_input, forms.SERVER, errors)
            is_change = self.source == SOURCE_RECONFIGURE
            finish = self._store if is_change else self._list_devices
            if not errors and (result := await finish(account, errors)):
                return result
            if errors.get("base") == "invalid_auth" or errors.keys() - {"base", CONF_BASE_URL}:
                step, schema = ("reconfigure", forms.CHANGES["dyness"]) if is_change else ("dyness", forms.DYNESS)
                return self._form(step, schema, self._options | self._account, errors)
        return self._form("server", forms.SERVER, self._server, errors)

    async def _list_devices(self, account: dict[str, Any], errors: dict[str, str]) -> ConfigFlowResult | None:
        """Make the entry with the devices that the account lists, or ask for one that it does not."""
        devices = await attempt(errors, list_devices(self.hass, account))
        if errors:
            return None
        self._account = account
        return await self._create("Dyness", account) if devices else await self.async_step_serial()

    async def async_step_serial(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take the serial number of a device that the account does not list."""
        errors: dict[str, str] = {}
        if user_input is not None:
            typed = stripped(user_input, forms.STORAGE, errors)
            if not errors and (device := await attempt(errors, find_battery(self.hass, self._account, typed))):
                return await self._create("Dyness", self._account, _subentry(SUBENTRY_STORAGE, device))
        return self._form("serial", forms.STORAGE, user_input, errors)

    async def async_step_atess(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the credentials of an ATESS account and the serial number of its first converter."""
        errors: dict[str, str] = {}
        if user_input is not None:
            account = stripped(user_input, forms.ATESS, errors)
            self._options = {CONF_SIDEBAR: account.pop(CONF_SIDEBAR)}
            if not errors:
                typed = {CONF_DEVICE_SN: account.pop(CONF_DEVICE_SN)}
                self._abort_if_configured(account)
                if device := await attempt(errors, find_converter(self.hass, account, typed)):
                    return await self._create("ATESS", account, _subentry(SUBENTRY_CONVERTER, device))
        return self._form("atess", forms.ATESS, user_input, errors)

    def _abort_if_configured(self, account: Mapping[str, str]) -> None:
        """End the flow where another entry has this account."""
        key = next(key for key in (CONF_APP_ID, CONF_API_ID, CONF_API_TOKEN) if account.get(key))
        self._async_abort_entries_match({key: account[key]})

    async def _create(self, vendor: str, account: dict[str, Any], *subentries: ConfigSubentryData) -> ConfigFlowResult:
        """Make the entry. It has its unique id only from here on, so that a forgotten form blocks no other one."""
        self._abort_if_configured(account)
        await self.async_set_unique_id(identity(account), raise_on_progress=False)
        taken = {entry.title for entry in self._async_current_entries()}
        titles = (f"{vendor} {number}" if number > 1 else vendor for number in count(1))
        title = next(title for title in titles if title not in taken)
        return self.async_create_entry(title=title, data=account, options=self._options, subentries=subentries)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin with the account whose credentials were rejected."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take new credentials of the same account."""
        return await self._change("reauth_confirm", forms.CREDENTIALS, user_input)

    async def async_step_reconfigure(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take another secret, region or server of the same account."""
        return await self._change("reconfigure", forms.CHANGES, user_input)

    @property
    def _entry(self) -> ConfigEntry:
        return self.hass.config_entries.async_get_known_entry(self.context["entry_id"])

    async def _change(
        self, step: str, schemas: dict[str, Schema], user_input: dict[str, str] | None
    ) -> ConfigFlowResult:
        """Take changed credentials."""
        errors: dict[str, str] = {}
        data, schema = self._entry.data, schemas[_vendor(self._entry)]
        suggested = {key: value for key, value in data.items() if key not in _SECRETS}
        if suggested.get(CONF_REGION) not in (None, *REGIONS):
            suggested[CONF_REGION] = OTHER_SERVER
        if user_input is not None:
            suggested = user_input
            typed = stripped(user_input, schema, errors)
            # A secret that is not typed stays; any other field that is left empty becomes empty.
            account = {key: value for key, value in data.items() if key in _SECRETS or key not in schema} | typed
            if not errors and account.get(CONF_REGION) == OTHER_SERVER:
                self._account = account
                if not self._server and data[CONF_REGION] not in REGIONS:
                    self._server = {CONF_BASE_URL: data[CONF_REGION]}
                return await self.async_step_server()
            if not errors and (result := await self._store(account, errors)):
                return result
        return self._form(step, schema, suggested, errors)

    async def _store(self, account: dict[str, Any], errors: dict[str, str]) -> ConfigFlowResult | None:
        """Check changed credentials and store them."""
        entry = self._entry
        await attempt(errors, check_change(self.hass, entry, account))
        if not errors:
            self._abort_if_configured(account)
        if errors or not self.hass.config_entries.async_update_entry(entry, data=account, unique_id=identity(account)):
            connection(self.hass, account).answers.clear()  # no reload takes them over
        if errors:
            return None
        if entry.state is ConfigEntryState.LOADED:
            entry.runtime_data.retry_failed()
        is_reauth = self.source == SOURCE_REAUTH
        return self.async_abort(reason="reauth_successful" if is_reauth else "reconfigure_successful")

    def _form(
        self, step: str, schema: Schema, suggested: Mapping[str, Any] | None, errors: dict[str, str]
    ) -> ConfigFlowResult:
        """Show a form with what was typed still in it."""
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(vol.Schema(schema), suggested),
            errors=errors,
            description_placeholders=PLACEHOLDERS,
        )


class DeviceSubentryFlow(ConfigSubentryFlow):
    """Add a device that the account does not list."""

    async def async_step_user(self, user_input: dict[str, str] | None = None) -> SubentryFlowResult:
        """Take its serial number."""
        errors: dict[str, str] = {}
        entry = self._get_entry()
        find, schema = (find_converter, forms.CONVERTER) if _vendor(entry) == "atess" else (find_battery, forms.STORAGE)
        if user_input is not None:
            typed = stripped(user_input, schema, errors)
            if not errors and (device := await attempt(errors, find(self.hass, dict(entry.data), typed))):
                serial = device[CONF_DEVICE_SN]
                if entry.state is not ConfigEntryState.LOADED or serial not in entry.runtime_data.devices:
                    return self.async_create_entry(title=serial, data=device, unique_id=serial)
                errors[CONF_DEVICE_SN] = "already_known"
                connection(self.hass, entry.data).answers.clear()
        form = self.add_suggested_values_to_schema(vol.Schema(schema), user_input)
        return self.async_show_form(step_id="user", data_schema=form, errors=errors)


class AccountOptionsFlow(OptionsFlow):
    """What the owner wants to see, and what they know better than the cloud."""

    async def async_step_init(self, user_input: None = None) -> ConfigFlowResult:
        """Begin with the options of the account's cloud."""
        is_atess = _vendor(self.config_entry) == "atess"
        return await (self.async_step_atess() if is_atess else self.async_step_dyness())

    async def async_step_dyness(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the options of the account, and the capacity of one of its batteries."""
        entry = self.config_entry
        known = entry.runtime_data.known.values() if entry.state is ConfigEntryState.LOADED else ()
        schema = forms.dyness_options({device.serial: device.name or device.model or "" for device in known})
        errors: dict[str, str] = {}
        if user_input is not None and len(missing := {CONF_DEVICE, CONF_CAPACITY} - user_input.keys()) == 1:
            errors[missing.pop()] = "incomplete_capacity"
        return self._options("dyness", schema, user_input, errors)

    async def async_step_atess(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the sign of the battery's current."""
        return self._options("atess", forms.ATESS_OPTIONS, user_input, {})

    def _options(
        self, step: str, schema: Schema, user_input: dict[str, Any] | None, errors: dict[str, str]
    ) -> ConfigFlowResult:
        before = self.config_entry.options
        if user_input is not None:
            if not float(user_input[CONF_HOURLY_CALLS]).is_integer():
                errors[CONF_HOURLY_CALLS] = "whole_number"
            if not errors:
                options = dict(user_input)
                capacities = dict(before.get(CONF_CAPACITY, {}))
                if device := options.pop(CONF_DEVICE, None):
                    capacities[device] = options.pop(CONF_CAPACITY)
                known = {serial: capacity for serial, capacity in capacities.items() if capacity}  # 0 takes it away
                return self.async_create_entry(data=options | {CONF_CAPACITY: known})
        suggested = user_input or {key: value for key, value in before.items() if key != CONF_CAPACITY}
        form = self.add_suggested_values_to_schema(vol.Schema(schema), suggested)
        return self.async_show_form(step_id=step, data_schema=form, errors=errors)
