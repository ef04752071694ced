"""The Dyness open API, read-only (dyness-api sections 1 to 3)."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
import hashlib
import hmac
import logging
from typing import Any

import aiohttp
import orjson

from .errors import (
    CloudEmpty,
    CloudError,
    CloudRateLimited,
    CloudRefused,
    CloudRejected,
    CloudTrouble,
    CloudUnavailable,
)
from .queue import FORM, AccountQueue, Turn
from .transport import Answer, exchange

_LOGGER = logging.getLogger(__name__)

REGIONS = {
    "europe": "https://open-api.dyness.com",
    "asia_pacific": "https://apacopen-api.dyness.com",
}
PREFIX = "/openapi/ems-device"
STORAGE_LIST = "/v1/device/storage/list"
REALTIME_DATA = "/v1/device/realTime/data"
STORAGE_DETAIL = "/v1/device/household/storage/detail"
STATION_INFO = "/v1/station/info"
ALARM_QUERY = "/v1/alarm/query"
LAST_POWER_DATA = "/v1/device/getLastPowerDataBySn"
LAST_RUNNING_DATA = "/v1/device/getLastRunningDataBySn"

PAGE_SIZE = 100
"""The server refuses 0 and 201 (dyness-api 2.2)."""
PAGE_LIMIT = 50

# A 401 on any other endpoint has been seen while the credentials were right (dyness-api 2.2).
_CORE = (STORAGE_LIST, REALTIME_DATA)
_NETWORK_TROUBLE = ("Network Anomaly", "NETWORK_ERROR", "Device connection timed out")


def authentication(app_id: str, app_secret: str, path: str, body: bytes, date: str) -> dict[str, str]:
    """Return the headers that sign a POST of `body` to `path`, which is without `PREFIX` (dyness-api 1.3)."""
    digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    message = f"POST\n{digest}\napplication/json\n{date}\n{path}"
    signature = base64.b64encode(hmac.digest(app_secret.encode(), message.encode(), "sha1")).decode()
    return {
        "Content-Type": "application/json;charset=UTF-8",
        "Content-MD5": digest,
        "Date": date,
        "Authorization": f"API {app_id}:{signature}",
    }


@dataclass(frozen=True, repr=False, slots=True)
class DynessClient:
    """One account of the Dyness cloud. Its calls raise a `CloudError`, which is `CloudEmpty` where nothing is answered.

    A `turn` is a call's place in the account's queue.
    """

    session: aiohttp.ClientSession
    base_url: str
    """Origin of the server."""
    app_id: str
    app_secret: str
    queue: AccountQueue

    async def storage_list(self, turn: Turn = FORM) -> list[dict[str, Any]]:
        """Return the devices that the account lists, all pages (dyness-api 3.2). The list may be empty."""
        devices: dict[str, dict[str, Any]] = {}
        for page in range(1, PAGE_LIMIT + 1):
            data = await self._call(STORAGE_LIST, {"pageNum": page, "pageSize": PAGE_SIZE}, turn)
            if not data:
                break
            rows = data.get("list") or [] if isinstance(data, dict) else data
            if not isinstance(rows, list):
                raise CloudUnavailable("device list of an unknown form")
            new = {
                row["deviceSn"]: row
                for row in rows
                if isinstance(row, dict) and isinstance(row.get("deviceSn"), str) and row["deviceSn"]
            }
            if rows and not new:
                raise CloudUnavailable("device list of an unknown form")
            known = len(devices)
            devices |= new
            if len(rows) < PAGE_SIZE or len(devices) == known:
                break  # a server that ignores the page number answers the same devices again
        return list(devices.values())

    async def realtime_data(self, device_sn: str, collector_sn: str | None = None, turn: Turn = FORM) -> list[Any]:
        """Return the points of a device or module as they came (dyness-api 6.0).

        Its serial number has the suffix that the cloud gives it; that of the Wi-Fi dongle is not needed (dyness-api 3).
        """
        content = {"deviceSn": device_sn} | ({"collectorSn": collector_sn} if collector_sn else {})
        return _filled(await self._call(REALTIME_DATA, content, turn), list)

    async def storage_detail(self, device_sn: str, turn: Turn = FORM) -> dict[str, Any]:
        """Return model, firmware and ratings of one battery (dyness-api 3.3)."""
        return _filled(await self._call(STORAGE_DETAIL, {"deviceSn": device_sn}, turn), dict)

    async def station_info(self, device_sn: str, turn: Turn = FORM) -> dict[str, Any]:
        """Return what the plant of a device says of its capacity in kWh, unreliable (dyness-api 8)."""
        return _filled(await self._call(STATION_INFO, {"deviceSn": device_sn}, turn), dict)

    async def alarms(self, device_sn: str, turn: Turn = FORM) -> dict[str, Any]:
        """Return the list of a device's alarms in words, with its frame (dyness-api 3.6)."""
        content = {"deviceSnList": [device_sn], "pageNum": 1, "pageSize": PAGE_SIZE}
        return _filled(await self._call(ALARM_QUERY, content, turn), dict)

    async def last_power_data(self, device_sn: str, turn: Turn = FORM) -> list[Any]:
        """Return the records of the day as they came, in no order to rely on (dyness-api 3.4)."""
        return _filled(await self._call(LAST_POWER_DATA, {"deviceSn": device_sn}, turn), list)

    async def last_running_data(self, device_sn: str, turn: Turn = FORM) -> dict[str, Any]:
        """Return what an inverter does, most of it null for batteries (dyness-api 3.5)."""
        return _filled(await self._call(LAST_RUNNING_DATA, {"deviceSn": device_sn}, turn), dict)

    async def _call(self, path: str, content: dict[str, Any], turn: Turn) -> Any:
        body = orjson.dumps(content)

        async def call() -> Any:
            date = format_datetime(datetime.now(UTC), usegmt=True)
            headers = authentication(self.app_id, self.app_secret, path, body, date)
            url = f"{self.base_url}{PREFIX}{path}"
            return _data(await exchange(self.session, "POST", url, headers=headers, body=body), core=path in _CORE)

        try:
            return await self.queue.run(call, turn)
        except CloudError as error:
            _LOGGER.debug("%s: %s", path, error)
            raise


def _filled[Form](data: Any, form: type[Form]) -> Form:
    if not data:
        raise CloudEmpty("no content")
    if not isinstance(data, form):
        raise CloudUnavailable("content of an unknown form")
    return data


def _data(answer: Answer, *, core: bool) -> Any:
    """Open the envelope (dyness-api 2)."""
    code = answer.code
    info = answer.content.get("info")
    if code == "429" or "TOO_MANY_REQUESTS" in (info, answer.content.get("sourceCode")):
        raise CloudRateLimited
    if core and "401" in (code, str(answer.status)):
        raise CloudRejected(answer.clock_error)
    if info in _NETWORK_TROUBLE:
        raise CloudTrouble(str(info))
    if answer.status >= 400 or code not in ("200", "0"):
        # Whatever has not the envelope of this cloud may come from anybody on the way.
        refused = CloudRefused if answer.status < 400 and code not in ("", "401") else CloudUnavailable
        raise refused(f"HTTP status {answer.status}, code {code or 'missing'}")
    return answer.content.get("data")
