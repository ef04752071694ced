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
from homeassistant.core import callback
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

from .atess import AtessInventory, atess_client
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
from .coordinator import Account, identity
from .dyness import DynessInventory, dyness_client
from .entity import show_single_cells
from .telemetry.pbd_learning import PowerUnit
from .validation import attempt, checked_origin, find_device, find_pbd, list_devices, stripped

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

PLACEHOLDERS = {"portal": "ems.dyness.com", "example": "https://server.example"}


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
            await self.async_set_unique_id(identity(account))
            self._abort_if_unique_id_configured()
            devices = await attempt(errors, list_devices(self.hass, account))
            if devices:
                return self.async_create_entry(title="Dyness", data=account)
            if not errors:
                return await self.async_step_serial()
        return self._form("dyness", DYNESS, user_input, errors)

    async def async_step_serial(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take the serial number of a device that the account does not list."""
        errors: dict[str, str] = {}
        if user_input is not None:
            client = dyness_client(self.hass, self._account)
            if device := await attempt(errors, find_device(self.hass, client, stripped(user_input))):
                subentries = [_subentry(SUBENTRY_STORAGE, device)]
                return self.async_create_entry(title="Dyness", data=self._account, subentries=subentries)
        return self._form("serial", STORAGE, user_input, errors)

    async def async_step_atess(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take the credentials of an ATESS account and the serial number of its first PBD."""
        errors: dict[str, str] = {}
        if user_input is not None:
            account = stripped(user_input)
            serial = account.pop(CONF_DEVICE_SN)
            await self.async_set_unique_id(identity(account))
            self._abort_if_unique_id_configured()
            if await attempt(errors, self._check_atess(account, serial)):
                subentries = [_subentry(SUBENTRY_PBD, {CONF_DEVICE_SN: serial})]
                return self.async_create_entry(title="ATESS", data=account, subentries=subentries)
        return self._form("atess", ATESS, user_input, errors)

    async def _check_atess(self, account: dict[str, str], serial: str | None) -> bool:
        if account.get(CONF_SERVER):
            account[CONF_SERVER] = checked_origin(CONF_SERVER, account[CONF_SERVER])
        if serial:
            await find_pbd(atess_client(self.hass, account), serial)
        return True

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin with the account whose credentials were rejected."""
        return await (
            self.async_step_reauth_atess() if CONF_API_TOKEN in entry_data else self.async_step_reauth_dyness()
        )

    async def async_step_reauth_dyness(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take new credentials of the same account."""
        return await self._change("reauth_dyness", self._get_reauth_entry(), DYNESS_CREDENTIALS, user_input)

    async def async_step_reauth_atess(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take new credentials of the same account."""
        return await self._change("reauth_atess", self._get_reauth_entry(), ATESS_CREDENTIALS, user_input)

    async def async_step_reconfigure(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Begin with the account to change."""
        if CONF_API_TOKEN in self._get_reconfigure_entry().data:
            return await self.async_step_reconfigure_atess()
        return await self.async_step_reconfigure_dyness()

    async def async_step_reconfigure_dyness(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take another region or secret of the same account."""
        return await self._change("reconfigure_dyness", self._get_reconfigure_entry(), DYNESS_CHANGES, user_input)

    async def async_step_reconfigure_atess(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take another token or server of the same account."""
        return await self._change("reconfigure_atess", self._get_reconfigure_entry(), ATESS_CHANGES, user_input)

    async def _change(
        self, step: str, entry: ConfigEntry, schema: vol.Schema, user_input: dict[str, str] | None
    ) -> ConfigFlowResult:
        """Check changed credentials and store them."""
        errors: dict[str, str] = {}
        if user_input is not None:
            account = {**entry.data, **stripped(user_input)}
            id_field = CONF_APP_ID if CONF_APP_ID in entry.data else CONF_API_ID
            if account.get(id_field, "") != entry.data.get(id_field, ""):
                errors[id_field] = "wrong_account"
            elif id_field == CONF_APP_ID:
                await attempt(errors, list_devices(self.hass, account))
            else:
                serials = [subentry.data[CONF_DEVICE_SN] for subentry in entry.subentries.values()]
                await attempt(errors, self._check_atess(account, serials[0] if serials else None))
                if errors.pop(CONF_DEVICE_SN, None) == "unknown_serial":
                    errors["base"] = "foreign_device"
            if not errors:
                if not self.hass.config_entries.async_update_entry(entry, data=account):
                    # Nothing to listen to changed, yet polling has to begin again.
                    self.hass.config_entries.async_schedule_reload(entry.entry_id)
                return self.async_abort(
                    reason="reauth_successful" if self.source == SOURCE_REAUTH else "reconfigure_successful"
                )
        suggested = user_input or {key: value for key, value in entry.data.items() if key not in _SECRETS}
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
            entry = self._get_entry()
            account: Account | None = entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
            if device := await attempt(errors, self._find(account, entry, stripped(user_input))):
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
        options = dict(self.config_entry.options)
        if user_input is not None:
            capacities = dict(options.get(CONF_CAPACITY, {}))
            if device := user_input.pop(CONF_DEVICE, None):
                capacities[device] = user_input.pop(CONF_CAPACITY, 0)
            capacities = {serial: capacity for serial, capacity in capacities.items() if capacity}
            if user_input[CONF_SINGLE_CELLS] != options.get(CONF_SINGLE_CELLS, False):
                show_single_cells(self.hass, self.config_entry, shown=user_input[CONF_SINGLE_CELLS])
            user_input.pop(CONF_CAPACITY, None)
            return self.async_create_entry(data=user_input | {CONF_CAPACITY: capacities})
        account = self.config_entry.runtime_data if self.config_entry.state is ConfigEntryState.LOADED else None
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
        shown = {key: value for key, value in options.items() if key != CONF_CAPACITY}
        return self.async_show_form(step_id="dyness", data_schema=self.add_suggested_values_to_schema(schema, shown))

    async def async_step_atess(self, user_input: dict[str, str] | None = None) -> ConfigFlowResult:
        """Take the unit of powers and the sign of the battery's current."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        schema = self.add_suggested_values_to_schema(ATESS_OPTIONS, self.config_entry.options)
        return self.async_show_form(step_id="atess", data_schema=schema)
