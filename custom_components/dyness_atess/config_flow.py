"""Config flow: an account of a cloud, and devices that the account does not list."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, cast, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    OptionsFlow,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import probatio as vol

from .account.account import Account, identity
from .account.atess import AtessInventory, atess_client
from .account.dyness import DynessInventory, dyness_client
from .account.validation import attempt, check_change, check_pbd, find_device, find_pbd, list_devices, stripped
from .cloud.dyness import REGIONS
from .cloud.queue import HOURLY_CALLS
from .const import (
    CONF_API_ID,
    CONF_API_TOKEN,
    CONF_APP_ID,
    CONF_APP_SECRET,
    CONF_BATTERY_SIGN,
    CONF_CAPACITY,
    CONF_COLLECTOR_SN,
    CONF_DEVICE,
    CONF_DEVICE_SN,
    CONF_HOURLY_CALLS,
    CONF_POWER_UNIT,
    CONF_REGION,
    CONF_SERVER,
    CONF_SINGLE_CELLS,
    DOMAIN,
    SUBENTRY_PBD,
    SUBENTRY_STORAGE,
)
from .entity import show_single_cells
from .telemetry.atess.learning import PowerUnit

_TEXT = TextSelector()
_SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))


def _select(key: str, options: list[str], *, custom: bool = False) -> SelectSelector:
    mode = SelectSelectorMode.DROPDOWN
    return SelectSelector(SelectSelectorConfig(options=options, custom_value=custom, mode=mode, translation_key=key))


def _number(low: float, high: float, step: float, unit: str | None) -> NumberSelector:
    config = NumberSelectorConfig(min=low, max=high, step=step, mode=NumberSelectorMode.BOX)
    if unit:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


DYNESS_CREDENTIALS = vol.Schema({vol.Required(CONF_APP_ID): _TEXT, vol.Required(CONF_APP_SECRET): _SECRET})
REGION = _select("region", list(REGIONS), custom=True)
DYNESS = DYNESS_CREDENTIALS.extend({vol.Required(CONF_REGION, default="europe"): REGION})
DYNESS_CHANGES = vol.Schema(
    {
        vol.Required(CONF_APP_ID): _TEXT,
        # The vendor shows a secret only once: whoever just changes the region does not need it again.
        vol.Optional(CONF_APP_SECRET): _SECRET,
        vol.Required(CONF_REGION): REGION,
    }
)
STORAGE = vol.Schema({vol.Required(CONF_DEVICE_SN): _TEXT, vol.Optional(CONF_COLLECTOR_SN): _TEXT})
ATESS_CREDENTIALS = vol.Schema({vol.Optional(CONF_API_ID): _TEXT, vol.Required(CONF_API_TOKEN): _SECRET})
PBD = vol.Schema({vol.Required(CONF_DEVICE_SN): _TEXT})
SERVER = vol.Schema({vol.Optional(CONF_SERVER): _TEXT})
ATESS = ATESS_CREDENTIALS.extend(PBD.schema).extend(SERVER.schema)
ATESS_CHANGES = vol.Schema({vol.Optional(CONF_API_ID): _TEXT, vol.Optional(CONF_API_TOKEN): _SECRET}).extend(
    SERVER.schema
)
ATESS_OPTIONS = vol.Schema(
    {
        vol.Required(CONF_POWER_UNIT, default="automatic"): _select("power_unit", ["automatic", *PowerUnit]),
        vol.Required(CONF_BATTERY_SIGN, default="automatic"): _select(
            "battery_sign", ["automatic", "positive_discharging", "positive_charging"]
        ),
        vol.Required(CONF_HOURLY_CALLS, default=HOURLY_CALLS): _number(12, 3600, 1, None),
    }
)
_SECRETS = (CONF_APP_SECRET, CONF_API_TOKEN)

PLACEHOLDERS = {"portal": "ems.dyness.com"}


def _known_entry(hass: HomeAssistant, entry_id: str) -> ConfigEntry:
    """Return an entry, or end the form that was left open while it was removed."""
    if entry := hass.config_entries.async_get_entry(entry_id):
        return entry
    raise AbortFlow("entry_removed")


def _subentry(kind: str, device: dict[str, str]) -> ConfigSubentryData:
    serial = device[CONF_DEVICE_SN]
    return ConfigSubentryData(data=device, subentry_type=kind, title=serial, unique_id=serial)


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
        if CONF_API_TOKEN in config_entry.data:
            return {SUBENTRY_PBD: PbdSubentryFlow}
        return {SUBENTRY_STORAGE: StorageSubentryFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        return AccountOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which cloud."""
        return self.async_show_menu(step_id="user", menu_options=["dyness", "atess"])

    async def async_step_dyness(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take the credentials of a Dyness account and look for its devices."""
        errors: dict[str, str] = {}
        if user_input is not None:
            account = self._account = stripped(user_input)
            self._abort_if_configured(account)
            devices = await attempt(errors, list_devices(self.hass, account))
            if devices:
                return await self._create("Dyness", account)
            if not errors:
                return await self.async_step_serial()
        return self._form("dyness", DYNESS, user_input, errors)

    async def async_step_serial(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take the serial number of a device that the account does not list."""
        errors: dict[str, str] = {}
        if user_input is not None:
            client = dyness_client(self.hass, self._account)
            if device := await attempt(errors, find_device(self.hass, client, stripped(user_input))):
                return await self._create("Dyness", self._account, _subentry(SUBENTRY_STORAGE, device))
        return self._form("serial", STORAGE, user_input, errors)

    async def async_step_atess(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take the credentials of an ATESS account and the serial number of its first PBD."""
        errors: dict[str, str] = {}
        if user_input is not None:
            account = stripped(user_input)
            serial = account.pop(CONF_DEVICE_SN)
            self._abort_if_configured(account)
            if await attempt(errors, check_pbd(self.hass, account, serial)):
                return await self._create("ATESS", account, _subentry(SUBENTRY_PBD, {CONF_DEVICE_SN: serial}))
        return self._form("atess", ATESS, user_input, errors)

    def _abort_if_configured(self, account: Mapping[str, str], entry: ConfigEntry | None = None) -> None:
        """End the flow where another entry than `entry` has this account."""
        others = [other for other in self._async_current_entries(include_ignore=False) if other is not entry]
        # What is stored decides too: a changed token did not always change the unique id.
        if any(identity(account) in (other.unique_id, identity(other.data)) for other in others):
            raise AbortFlow("already_configured")

    async def _create(self, title: str, account: dict[str, str], *subentries: ConfigSubentryData) -> ConfigFlowResult:
        """Make the entry. It has its unique id only from here on, so that a forgotten form blocks no other one."""
        self._abort_if_configured(account)
        await self.async_set_unique_id(identity(account), raise_on_progress=False)
        return self.async_create_entry(title=title, data=account, subentries=subentries)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin with the account whose credentials were rejected."""
        return await (
            self.async_step_reauth_atess() if CONF_API_TOKEN in entry_data else self.async_step_reauth_dyness()
        )

    async def async_step_reauth_dyness(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take new credentials of the same account."""
        return await self._change("reauth_dyness", DYNESS_CREDENTIALS, user_input)

    async def async_step_reauth_atess(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take new credentials of the same account."""
        return await self._change("reauth_atess", ATESS_CREDENTIALS, user_input)

    async def async_step_reconfigure(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Begin with the account to change."""
        if CONF_API_TOKEN in self._get_reconfigure_entry().data:
            return await self.async_step_reconfigure_atess()
        return await self.async_step_reconfigure_dyness()

    async def async_step_reconfigure_dyness(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take another region or secret of the same account."""
        return await self._change("reconfigure_dyness", DYNESS_CHANGES, user_input)

    async def async_step_reconfigure_atess(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take another token or server of the same account."""
        return await self._change("reconfigure_atess", ATESS_CHANGES, user_input)

    async def _change(self, step: str, schema: vol.Schema, user_input: dict[str, str] | None) -> ConfigFlowResult:
        """Check changed credentials and store them."""
        errors: dict[str, str] = {}
        entry = _known_entry(self.hass, self.context["entry_id"])
        suggested = {key: value for key, value in entry.data.items() if key not in _SECRETS}
        if user_input is not None:
            suggested = user_input
            # A secret that is not typed stays; any other field that is left empty becomes empty.
            kept = {key: value for key, value in entry.data.items() if key in _SECRETS or key not in schema.schema}
            account = kept | {key: value for key, value in stripped(user_input).items() if value}
            await attempt(errors, check_change(self.hass, entry, account))
            _known_entry(self.hass, entry.entry_id)
            if not errors:
                self._abort_if_configured(account, entry)
                is_the_same = account == dict(entry.data)
                self.hass.config_entries.async_update_entry(entry, data=account, unique_id=identity(account))
                if is_the_same:  # nothing to listen to changed, yet polling has to begin again
                    self.hass.config_entries.async_schedule_reload(entry.entry_id)
                return self.async_abort(
                    reason="reauth_successful" if self.source == SOURCE_REAUTH else "reconfigure_successful"
                )
        return self._form(step, schema, suggested, errors)

    def _form(
        self, step: str, schema: vol.Schema, suggested: Mapping[str, Any] | None, errors: dict[str, str]
    ) -> ConfigFlowResult:
        """Show a form with what was typed still in it."""
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, suggested),
            errors=errors,
            description_placeholders=PLACEHOLDERS,
        )


class DeviceSubentryFlow(ConfigSubentryFlow):
    """Add a device that the account does not list."""

    schema: ClassVar[vol.Schema]

    async def async_step_user(self, user_input: dict[str, str] | None = None) -> SubentryFlowResult:
        """Take its serial number."""
        errors: dict[str, str] = {}
        if user_input is not None:
            entry = _known_entry(self.hass, self._entry_id)
            account: Account | None = entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
            device = await attempt(errors, self._find(account, entry, stripped(user_input)))
            _known_entry(self.hass, entry.entry_id)
            if device:
                serial = device[CONF_DEVICE_SN]
                if not account or serial not in account.devices:
                    return self.async_create_entry(title=serial, data=device, unique_id=serial)
                errors[CONF_DEVICE_SN] = "already_known"
        return self.async_show_form(
            step_id="user", data_schema=self.add_suggested_values_to_schema(self.schema, user_input), errors=errors
        )

    @abstractmethod
    async def _find(self, account: Account | None, entry: ConfigEntry, typed: dict[str, str]) -> dict[str, str]:
        """Ask the cloud, through the account's own queue where it is loaded."""


class StorageSubentryFlow(DeviceSubentryFlow):
    """Add a battery."""

    schema = STORAGE

    @override
    async def _find(self, account: Account | None, entry: ConfigEntry, typed: dict[str, str]) -> dict[str, str]:
        inventory = cast("DynessInventory | None", account and account.inventory)
        client = inventory.client if inventory else dyness_client(self.hass, entry.data)
        return await find_device(self.hass, client, typed)


class PbdSubentryFlow(DeviceSubentryFlow):
    """Add a PBD."""

    schema = PBD

    @override
    async def _find(self, account: Account | None, entry: ConfigEntry, typed: dict[str, str]) -> dict[str, str]:
        inventory = cast("AtessInventory | None", account and account.inventory)
        client = inventory.client if inventory else atess_client(self.hass, entry.data)
        return {CONF_DEVICE_SN: await find_pbd(client, typed[CONF_DEVICE_SN])}


class AccountOptionsFlow(OptionsFlow):
    """What the owner wants to see, and what they know better than the cloud."""

    async def async_step_init(self, user_input: None = None) -> ConfigFlowResult:
        """Begin with the options of the account's cloud."""
        if CONF_API_TOKEN in self.config_entry.data:
            return await self.async_step_atess()
        return await self.async_step_dyness()

    async def async_step_dyness(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the options of the account, and the capacity of one of its batteries."""
        errors: dict[str, str] = {}
        entry = _known_entry(self.hass, self.handler)
        suggested = {key: value for key, value in entry.options.items() if key != CONF_CAPACITY}
        if user_input is not None:
            suggested = user_input
            missing = {CONF_DEVICE, CONF_CAPACITY} - user_input.keys()
            if len(missing) == 1:
                errors[missing.pop()] = "incomplete_capacity"
            else:
                return self._store(entry, dict(user_input))
        account = entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
        masters = account.inventory.data.values() if account else ()
        names = [
            SelectOptionDict(value=device.serial, label=f"{device.name or device.model or ''} {device.serial}")
            for device in masters
        ]
        schema = vol.Schema(
            {
                vol.Required(CONF_SINGLE_CELLS, default=False): BooleanSelector(),
                vol.Required(CONF_HOURLY_CALLS, default=HOURLY_CALLS): _number(12, 3600, 1, None),
                vol.Optional(CONF_DEVICE): SelectSelector(SelectSelectorConfig(options=names)),
                vol.Optional(CONF_CAPACITY): _number(0, 10_000, 0.001, "kWh"),
            }
        )
        schema = self.add_suggested_values_to_schema(schema, suggested)
        return self.async_show_form(step_id="dyness", data_schema=schema, errors=errors)

    def _store(self, entry: ConfigEntry, options: dict[str, Any]) -> ConfigFlowResult:
        """Keep the options, with the capacity among those of other batteries; 0 takes it away."""
        capacities = dict(entry.options.get(CONF_CAPACITY, {}))
        if device := options.pop(CONF_DEVICE, None):
            capacities[device] = options.pop(CONF_CAPACITY)
        if options[CONF_SINGLE_CELLS] != entry.options.get(CONF_SINGLE_CELLS, False):
            show_single_cells(self.hass, entry, shown=options[CONF_SINGLE_CELLS])
        capacities = {serial: capacity for serial, capacity in capacities.items() if capacity}
        return self.async_create_entry(data=options | {CONF_CAPACITY: capacities})

    async def async_step_atess(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take the unit of powers and the sign of the battery's current."""
        entry = _known_entry(self.hass, self.handler)
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        schema = self.add_suggested_values_to_schema(ATESS_OPTIONS, entry.options)
        return self.async_show_form(step_id="atess", data_schema=schema)
