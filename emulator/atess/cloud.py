"""The ATESS cloud: authorization, envelope and the one endpoint that public sources describe (atess-api 1 to 3)."""

import base64
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from ..faults import Reply, VendorFaults, spring_error
from ..server import Clock, EmulatedCloud, real_time
from .pbd import Pbd

READS = ("GET", "HEAD", "OPTIONS")
MESSAGES = {0: "operate successfully", 200: "", 400: "not found", 403: "no access", 429: "too frequently", 500: "fail"}


def basic(api_id: str, api_token: str) -> str:
    """Give the value of `Authorization` (atess-api 1)."""
    return "Basic " + base64.b64encode(f"{api_id}:{api_token}".encode()).decode()


class AtessCloud(EmulatedCloud):
    """Open API v1 of one account.

    `authorization` replaces the header that id and token make. `success` is the code of a good answer, and every other
    code is text or number as that is. `statuses` gives codes an HTTP status other than 200, such as `{403: 401}`.
    POST /control/restart with `serial` and `minutes` restarts the data logger of a device.
    """

    prefix = "/api/v1"

    def __init__(
        self,
        *,
        api_id: str = "demo-api-id",
        api_token: str = "demo-api-token",  # noqa: S107
        authorization: str | None = None,
        devices: Iterable[Pbd],
        clock: Clock = real_time,
        calls_per_second: int | None = None,
        success: int | str = 0,
        statuses: Mapping[int, int] | None = None,
    ) -> None:
        super().__init__(devices=devices, clock=clock, calls_per_second=calls_per_second)
        self.api_id = api_id
        self.api_token = api_token
        self.authorization = authorization or basic(api_id, api_token)
        self.success = success
        self.statuses = statuses or {}
        self.vendor = VendorFaults(
            replies={
                "network_anomaly": self._envelope(500),
                "network_error": self._envelope(500, "network error"),
                "device_timeout": self._envelope(500, "device connection timed out"),
                "access_denied": self._envelope(403),
                "rate_limited": Reply(status=HTTPStatus.TOO_MANY_REQUESTS, body=self._envelope(429).body),
                "rate_limited_in_body": self._envelope(429),
            },
            labels=frozenset({"deviceSn", "time"}),
        )

    def serial(self, request: web.Request, body: bytes) -> str | None:
        """Read `deviceSn` of the query."""
        return request.query.get("deviceSn")

    def is_write(self, request: web.Request, path: str) -> bool:
        """Every path is written to with a method of its own (atess-api 3.2)."""
        return request.method not in READS

    def answer(self, request: web.Request, path: str, body: bytes) -> Reply:
        """Answer a call that no fault disturbs."""
        if self.is_write(request, path):
            return self._envelope(500)
        if path != "/pbd/data-last":
            return spring_error(HTTPStatus.NOT_FOUND, request.path)
        if request.headers.get("Authorization") != self.authorization:
            return self._envelope(403)
        if "Accept-Language" not in request.headers:
            return self._envelope(500, "Accept-Language is missing")
        device = self.device(request.query.get("deviceSn"))
        if not isinstance(device, Pbd):
            return self._envelope(400)
        return self._envelope(int(self.success), data=device.record(self.clock()))

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if (request.method, request.path) == ("POST", "/control/restart"):
            return await self._restart(request)
        return await super()._handle(request)

    async def _restart(self, request: web.Request) -> web.Response:
        try:
            match await request.json():
                case {"serial": str(serial), "minutes": int() | float() as minutes} if 0 < minutes <= 1440:
                    device = self.device(serial)
                case _:
                    device = None
        except ValueError:
            device = None
        if not isinstance(device, Pbd):
            error = "A serial of this cloud and up to 1440 minutes are needed"
            return web.json_response({"error": error}, status=HTTPStatus.BAD_REQUEST)
        device.restart_logger(self.clock(), minutes)
        return web.json_response({"serial": serial, "minutes": minutes})

    def _envelope(self, code: int, message: str | None = None, data: Any = None) -> Reply:
        body = {"code": type(self.success)(code), "data": data, "msg": message or MESSAGES[code]}
        return Reply(status=self.statuses.get(code, HTTPStatus.OK), body=body)
