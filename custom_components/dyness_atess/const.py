"""Names that several parts of the integration share."""

from typing import Final

DOMAIN: Final = "dyness_atess"

CONF_APP_ID: Final = "app_id"
CONF_APP_SECRET: Final = "app_secret"  # noqa: S105
CONF_REGION: Final = "region"
CONF_DEVICE_SN: Final = "device_sn"
CONF_COLLECTOR_SN: Final = "collector_sn"

CONF_API_ID: Final = "api_id"
CONF_API_TOKEN: Final = "api_token"  # noqa: S105
CONF_SERVER: Final = "server"
CONF_BATTERY_SIGN: Final = "battery_sign"
CONF_SINGLE_CELLS: Final = "single_cells"
CONF_HOURLY_CALLS: Final = "hourly_calls"
CONF_SIDEBAR: Final = "sidebar"
CONF_CAPACITY: Final = "capacity"
CONF_DEVICE: Final = "device"
CONF_RESERVE: Final = "reserve"
CONF_BASE_URL: Final = "base_url"
CONF_KIND: Final = "kind"

SUBENTRY_CONVERTER: Final = "converter"
OTHER_SERVER: Final = "other"
SUBENTRY_STORAGE: Final = "storage"
