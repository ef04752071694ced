"""The Dyness cloud: signature, envelope and endpoints as dyness-api 1 to 3 describes them."""

import base64
from collections.abc import Callable, Iterable, Mapping
import hashlib
import hmac
from http import HTTPStatus
import json
import re
from typing import Any

from aiohttp import web

from ..faults import Reply, VendorFaults, spring_error
from ..server import EmulatedCloud
from .devices import Device, Json

# dyness-api 3.8, and every v2 call whose name begins with Set
WRITE = re.compile(
    r"/v1/(device/(batch)?(un)?bindSn|(.+/)?control/.+|device/write(Batch)?|.+/set|group/(add|remove|batch)\w+"
    r"|equipment/group/delete)|/v2/(.+/)?Set\w+",
    re.IGNORECASE,
)
LARGEST_PAGE = 200


class RefusedError(Exception):
    """A code 500 with its info text (dyness-api 2.2)."""


def is_signed(app_id: str, app_secret: str, path: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Check a POST against dyness-api 1.3; `path` is without the prefix, `body` the bytes as they were sent."""
    digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    signed = f"POST\n{digest}\napplication/json\n{headers.get('Date')}\n{path}"
    sign = base64.b64encode(hmac.digest(app_secret.encode(), signed.encode(), "sha1")).decode()
    return (
        bool(headers.get("Date"))
        and headers.get("Content-Type", "").split(";")[0] == "application/json"
        and headers.get("Content-MD5") == digest
        and headers.get("Authorization") == f"API {app_id}:{sign}"
    )


def envelope(code: str, data: object, info: str, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    """Business failures come with HTTP 200 as well (dyness-api 2.1)."""
    return Reply(status=status, body={"code": code, "data": data, "info": info})


class DynessCloud(EmulatedCloud):
    """Open API v1 of one account."""

    prefix = "/openapi/ems-device"
    vendor = VendorFaults(
        replies={
            "network_anomaly": envelope("500", None, "Network Anomaly"),
            "network_error": envelope("500", None, "NETWORK_ERROR"),
            "device_timeout": envelope("500", None, "Device connection timed out"),
            "access_denied": envelope("401", None, "ACCESS_DENIED"),
            "rate_limited": envelope("429", None, "TOO_MANY_REQUESTS", HTTPStatus.TOO_MANY_REQUESTS),
            "rate_limited_in_body": envelope("429", None, "TOO_MANY_REQUESTS"),
        },
        labels=frozenset({"flag", "pointId", "pointNameCn"}),
    )

    def __init__(
        self,
        *,
        app_id: str = "demo-app-id",
        app_secret: str = "demo-app-secret",  # noqa: S107
        devices: Iterable[Device],
    ) -> None:
        super().__init__(devices=devices)
        self.app_id = app_id
        self.app_secret = app_secret
        self._endpoints: dict[str, Callable[[Json], object]] = {
            "/v1/device/storage/list": self._storage_list,
            "/v1/device/realTime/data": lambda body: self._known(body).points(self.clock()),
            "/v1/device/household/storage/detail": lambda body: self._known(body).detail(self.clock()),
            "/v1/station/info": lambda body: self._known(body).station(),
            "/v1/device/getLastPowerDataBySn": lambda body: self._known(body).power_history(self.clock()),
            "/v1/alarm/query": self._alarms,
            "/v1/device/getLastRunningDataBySn": lambda body: self._known(body).running(self.clock()),
        }

    def serial(self, request: web.Request, body: bytes) -> str | None:
        """Read `deviceSn` of the body, or the first of `deviceSnList`."""
        content = _object(body)
        serial = content.get("deviceSn", next(iter(_serials(content)), None))
        return serial if isinstance(serial, str) else None

    def is_write(self, request: web.Request, path: str) -> bool:
        """See dyness-api 3.8."""
        return WRITE.fullmatch(path) is not None

    def answer(self, request: web.Request, path: str, body: bytes) -> Reply:
        """Answer a call that no fault disturbs."""
        endpoint = self._endpoints.get(path)
        if endpoint is None and not self.is_write(request, path):
            return spring_error(HTTPStatus.NOT_FOUND, request.path)
        if request.method != "POST":
            return spring_error(HTTPStatus.METHOD_NOT_ALLOWED, request.path)
        if not is_signed(self.app_id, self.app_secret, path, request.headers, body):
            return self.vendor.replies["access_denied"]
        if endpoint is None:
            return envelope("500", None, "The device is bound by someone else")
        try:
            return envelope("200", endpoint(_object(body)), "Request successful")
        except RefusedError as error:
            return envelope("500", None, str(error))

    def _known(self, body: Json) -> Device:
        device = self.device(body.get("deviceSn"))
        if device is None:
            raise RefusedError("Device ID Cannot Be Empty")
        return device

    def _alarms(self, body: Json) -> Json:
        number, size = _positive(body.get("pageNum")), _positive(body.get("pageSize"))
        if not (serials := _serials(body)):
            raise RefusedError("Device ID Cannot Be Empty")
        devices = [device for serial in serials if (device := self.device(serial))]
        rows = [row for device in devices for row in device.alarm_list(self.clock())]
        return {"pageDate": {"list": rows[(number - 1) * size : number * size], "total": len(rows)}}

    def _storage_list(self, body: Json) -> Json:
        number = _positive(body.get("pageNum", 1))
        size = _positive(body.get("pageSize", 10))
        if size > LARGEST_PAGE:
            raise RefusedError("request parameter is not null")
        wanted = body.get("deviceSn")
        rows = [
            device.listing(self.clock())
            for device in self.devices.values()
            if device.listed and wanted in (None, "", device.serial)
        ]
        page = rows[(number - 1) * size : number * size]
        return {"list": page, "pageNum": number, "pageSize": size, "total": len(rows)}


def _object(body: bytes) -> Json:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _serials(content: Json) -> list[str]:
    serials = content.get("deviceSnList")
    return [serial for serial in serials if isinstance(serial, str)] if isinstance(serials, list) else []


def _positive(value: Any) -> int:
    if (isinstance(value, int) or (isinstance(value, str) and value.isdecimal())) and int(value) > 0:
        return int(value)
    raise RefusedError("request parameter is not null")
