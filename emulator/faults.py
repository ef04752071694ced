"""What can go wrong between a client and a cloud. Nothing here knows a vendor."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
import json
from random import Random
from typing import Any, Literal, get_args

from aiohttp import web

FaultKind = Literal[
    "network_anomaly",
    "network_error",
    "device_timeout",
    "hang",
    "rate_limited",
    "rate_limited_in_body",
    "access_denied",
    "http_500",
    "http_502_html",
    "drop",
    "empty_body",
    "html",
    "garbage",
    "truncated",
    "wrong_types",
    "text_data",
    "null_data",
    "empty_data",
    "points_without_values",
    "slow_drip",
    "redirect",
]

DRIP_SECONDS = 0.5
PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Calls of one path and one serial (None: of all) go wrong: the next `times`, or until cleared (None)."""

    kind: FaultKind = field(kw_only=False)
    path: str | None = None
    serial: str | None = None
    times: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"Unknown fault {self.kind!r}: one of {', '.join(get_args(FaultKind))}")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer before it becomes bytes. Both vendors' envelopes carry their payload as `data`."""

    status: int = HTTPStatus.OK
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The JSON text."""
        return json.dumps(self.body, ensure_ascii=False)


@dataclass(frozen=True, kw_only=True)
class VendorFaults:
    """What a vendor's cloud says of itself, and which keys of its data still say something when values are missing."""

    replies: Mapping[FaultKind, Reply]
    labels: frozenset[str]


def wrong_types(value: object) -> object:
    """Keep the outer shape; every scalar inside becomes a list, and lists hold what does not belong there."""
    match value:
        case dict():
            return {key: wrong_types(item) for key, item in value.items()}
        case list():
            return [42, "text", None, [], *map(wrong_types, value)]
    return [value]


def without_values(value: object, labels: frozenset[str]) -> object:
    """Empty every scalar, apart from those under `labels`."""
    match value:
        case dict():
            return {key: item if key in labels else without_values(item, labels) for key, item in value.items()}
        case list():
            return [without_values(item, labels) for item in value]
    return "" if isinstance(value, str) else None


async def spoil(fault: Fault, reply: Reply, request: web.Request, vendor: VendorFaults) -> web.StreamResponse:
    """Answer `request` as `fault` has it, where `reply` would have been the answer."""
    match fault.kind:
        case "hang":
            await asyncio.Event().wait()
        case "drop":
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        case "slow_drip":
            return await _drip(reply, request)
        case "http_500":
            return send(spring_error(HTTPStatus.INTERNAL_SERVER_ERROR, request.path))
        case "http_502_html":
            return web.Response(status=502, text=PAGE.format("502 Bad Gateway"), content_type="text/html")
        case "html":
            return web.Response(text=PAGE.format("Maintenance"), content_type="text/html")
        case "redirect":
            return web.Response(status=302, headers={"Location": "/portal"})
        case "empty_body":
            return web.Response(content_type="application/json")
        case "garbage":
            return web.Response(body=Random(fault.kind).randbytes(512), content_type="application/json")
        case "truncated":
            return web.Response(text=reply.text[: len(reply.text) // 2], content_type="application/json")
    return send(vendor.replies.get(fault.kind) or _with_spoiled_data(fault.kind, reply, vendor.labels))


def _with_spoiled_data(kind: FaultKind, reply: Reply, labels: frozenset[str]) -> Reply:
    data = reply.body.get("data")
    spoiled: dict[str, Callable[[], object]] = {
        "wrong_types": lambda: wrong_types(data),
        "text_data": lambda: "text",
        "null_data": lambda: None,
        "empty_data": lambda: [] if isinstance(data, list) else {},
        "points_without_values": lambda: without_values(data, labels),
    }
    return Reply(status=reply.status, body=reply.body | {"data": spoiled[kind]()})


def send(reply: Reply) -> web.Response:
    """Give a reply its bytes."""
    return web.Response(status=reply.status, text=reply.text, content_type="application/json", charset="UTF-8")


def spring_error(status: HTTPStatus, path: str) -> Reply:
    """The body of a Java gateway that found nobody to answer: `status` instead of `code` (dyness-api 2.1)."""
    return Reply(status=status, body={"status": status.value, "error": status.phrase, "path": path})


async def _drip(reply: Reply, request: web.Request) -> web.StreamResponse:
    content = reply.text.encode()
    response = web.StreamResponse(status=reply.status, headers={"Content-Type": "application/json"})
    response.content_length = len(content)
    await response.prepare(request)
    for byte in content:
        await response.write(bytes([byte]))
        await asyncio.sleep(DRIP_SECONDS)
    return response
