"""The ATESS cloud: authorization, envelope and the endpoints of the last records (atess-api 1 to 3)."""

import base64
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from aiohttp import web

from ..faults import Reply, VendorFaults, spring_error
from ..server import EmulatedCloud
from .pbd import Pbd

PATHS = ("/pbd/data-last", "/hps/data-last", "/hps/data-last-small")
LIMIT = "API rate limit exceeded (same request only once every 5 minutes)"
READS = ("GET", "HEAD", "OPTIONS")
MESSAGES = {0: "operate successfully", 200: "", 400: "not found", 403: "no access", 429: "too frequently", 500: "fail"}


def basic(api_id: str, api_token: str) -> str:
    """Give the value of `Authorization` (atess-api 1)."""
    return "Basic " + base64.b64encode(f"{api_id}:{api_token}".encode()).decode()


class AtessCloud(EmulatedCloud):
    """Open API v1 of one account.

    `success` is the code of a good answer, and every other code is text or number as that is. For `limit` seconds it
    refuses the same request again, in the body (atess-api 1). Whoever asks for a PBD as an HPS, or the other way round,
    is told "not found"; where the cloud does not distinguish them (`kinds_apart` False), there is no record.
    """

    prefix = "/api/v1"

    def __init__(
        self,
        *,
        api_id: str = "demo-api-id",
        api_token: str = "demo-api-token",  # noqa: S107
        devices: Iterable[Pbd],
        success: int | str = 0,
        limit: float = 0.0,
        kinds_apart: bool = True,
    ) -> None:
        super().__init__(devices=devices)
        self.api_id = api_id
        self.api_token = api_token
        self.authorization = basic(api_id, api_token)
        self.success = success
        self.limit = limit
        self.kinds_apart = kinds_apart
        self._answered: dict[tuple[str, str], float] = {}
        self.vendor = VendorFaults(
            replies={
                "network_anomaly": self._envelope(500, "Network Anomaly"),
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
        if path not in PATHS:
            return spring_error(HTTPStatus.NOT_FOUND, request.path)
        if request.headers.get("Authorization") != self.authorization:
            return self._envelope(403)
        if "Accept-Language" not in request.headers:
            return self._envelope(500, "Accept-Language is missing")
        device = self.device(request.query.get("deviceSn"))
        if not isinstance(device, Pbd) or (self.kinds_apart and device.path.split("/")[1] != path.split("/")[1]):
            return self._envelope(400)
        now = self.clock()
        if now.timestamp() - self._answered.get((path, device.serial), 0.0) < self.limit:
            return self._envelope(10012, LIMIT)
        self._answered[path, device.serial] = now.timestamp()
        return self._envelope(int(self.success), data=device.answer(now) if device.path == path else None)

    def _envelope(self, code: int, message: str | None = None, data: Any = None) -> Reply:
        return Reply(body={"code": type(self.success)(code), "data": data, "msg": message or MESSAGES[code]})
