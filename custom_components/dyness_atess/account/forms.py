"""The fields of the forms."""

from typing import Any

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

from ..cloud.dyness import REGIONS
from ..cloud.queue import CEILING
from ..const import (
    CONF_API_ID,
    CONF_API_TOKEN,
    CONF_APP_ID,
    CONF_APP_SECRET,
    CONF_BASE_URL,
    CONF_BATTERY_SIGN,
    CONF_CAPACITY,
    CONF_COLLECTOR_SN,
    CONF_DEVICE,
    CONF_DEVICE_SN,
    CONF_HOURLY_CALLS,
    CONF_REGION,
    CONF_RESERVE,
    CONF_SERVER,
    CONF_SIDEBAR,
    CONF_SINGLE_CELLS,
    OTHER_SERVER,
)
from ..telemetry.energy.outlook import RESERVE
from .atess import SIGNS

type Schema = dict[Any, Any]

_TEXT = TextSelector()
_SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))


def _select(key: str, *options: str) -> SelectSelector:
    mode = SelectSelectorMode.DROPDOWN
    return SelectSelector(SelectSelectorConfig(options=list(options), mode=mode, translation_key=key))


def _number(low: float, high: float, step: float, unit: str = "") -> NumberSelector:
    mode = NumberSelectorMode.BOX
    return NumberSelector(NumberSelectorConfig(min=low, max=high, step=step, mode=mode, unit_of_measurement=unit))


_REGION = _select("region", *REGIONS, OTHER_SERVER)
_SIDEBAR: Schema = {vol.Required(CONF_SIDEBAR, default=True): BooleanSelector()}
CREDENTIALS: dict[str, Schema] = {
    "dyness": {vol.Required(CONF_APP_ID): _TEXT, vol.Required(CONF_APP_SECRET): _SECRET},
    "atess": {vol.Optional(CONF_API_ID): _TEXT, vol.Required(CONF_API_TOKEN): _SECRET},
}
DYNESS: Schema = CREDENTIALS["dyness"] | {vol.Required(CONF_REGION, default=next(iter(REGIONS))): _REGION} | _SIDEBAR
SERVER: Schema = {vol.Required(CONF_BASE_URL): _TEXT}
STORAGE: Schema = {vol.Required(CONF_DEVICE_SN): _TEXT, vol.Optional(CONF_COLLECTOR_SN): _TEXT}
CONVERTER: Schema = {vol.Required(CONF_DEVICE_SN): _TEXT}
ATESS: Schema = CREDENTIALS["atess"] | CONVERTER | {vol.Optional(CONF_SERVER): _TEXT} | _SIDEBAR
# The vendor shows a secret only once: whoever just changes the region does not need it again.
CHANGES: dict[str, Schema] = {
    "dyness": {
        vol.Required(CONF_APP_ID): _TEXT,
        vol.Optional(CONF_APP_SECRET): _SECRET,
        vol.Required(CONF_REGION): _REGION,
    },
    "atess": {
        vol.Optional(CONF_API_ID): _TEXT,
        vol.Optional(CONF_API_TOKEN): _SECRET,
        vol.Optional(CONF_SERVER): _TEXT,
    },
}
_OPTIONS: Schema = {
    vol.Required(CONF_RESERVE, default=RESERVE): _number(0, 90, 1, "%"),
    vol.Required(CONF_HOURLY_CALLS, default=CEILING): _number(12, 3600, 1),
    **_SIDEBAR,
}
ATESS_OPTIONS: Schema = {
    vol.Required(CONF_BATTERY_SIGN, default="automatic"): _select("battery_sign", "automatic", *SIGNS),
    **_OPTIONS,
}


def dyness_options(devices: dict[str, str]) -> Schema:
    """Return the options of an account with these devices: names by serial number."""
    names = [SelectOptionDict(value=serial, label=f"{name} {serial}".strip()) for serial, name in devices.items()]
    return {
        vol.Required(CONF_SINGLE_CELLS, default=False): BooleanSelector(),
        **_OPTIONS,
        vol.Optional(CONF_DEVICE): SelectSelector(SelectSelectorConfig(options=names)),
        vol.Optional(CONF_CAPACITY): _number(0, 10_000, 0.001, "kWh"),
    }
