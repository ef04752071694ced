"""One HTTP exchange, with every way in which it can fail turned into a `CloudError`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson

from .errors import CloudRateLimited, CloudUnavailable, CloudUnreachable

TIMEOUT = 15.0
"""Seconds for one call, body included."""
BODY_LIMIT = 4 * 1024 * 1024
"""Bytes. The largest known answer, a tower of 13 modules, is below 200 kB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A JSON object with the HTTP status it came with."""

    status: int
    content: dict[str, Any]
    clock_error: timedelta | None = None
    """By how much our clock is ahead of the server's, where its answer is dated."""

    @property
    def code(self) -> str:
        """The envelope's own code as digits, whether it came as text or number; empty where it has none."""
        code = self.content.get("code")
        text = str(code).strip() if isinstance(code, int | str) else ""
        return text if len(text) <= 4 and text.isascii() and text.isdigit() else ""


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    params: Mapping[str, str] | None = None,
) -> Answer:
    """Send one request and return the JSON object that came back.

    Redirects are not followed: neither vendor uses them, and credentials stay with the host they were given for.

    Raises:
        CloudRateLimited: HTTP 429.
        CloudUnreachable: no connection.
        CloudUnavailable: no answer in time, HTTP 5xx, a redirect, or a body that is no JSON object.
    """
    try:
        async with session.request(
            method,
            url,
            headers=headers,
            data=body,
            params=params,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
        ) as response:
            status = response.status
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                raise CloudRateLimited(_seconds(response.headers.get("Retry-After")))
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR or HTTPStatus.MULTIPLE_CHOICES <= status < 400:
                raise CloudUnavailable(f"HTTP status {status}")
            clock_error = _clock_error(response.headers.get("Date"))
            content = await _read(response)
    except TimeoutError as error:
        raise CloudUnavailable(f"no answer in {TIMEOUT:.0f} s") from error
    except aiohttp.ClientConnectorError as error:
        raise CloudUnreachable("no connection") from error
    except aiohttp.ClientError as error:
        raise CloudUnavailable("connection lost") from error
    try:
        decoded = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return Answer(status=status, content={}, clock_error=clock_error)
        raise CloudUnavailable("empty body" if not content.strip() else "body is no JSON") from error
    if not isinstance(decoded, dict):
        raise CloudUnavailable("body is no JSON object")
    return Answer(status=status, content=decoded, clock_error=clock_error)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Read the body up to its limit."""
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > BODY_LIMIT:
            raise CloudUnavailable("body too large")
    return bytes(content)


def _clock_error(date: str | None) -> timedelta | None:
    """Compare a Date header with our clock."""
    try:
        return datetime.now(UTC) - parsedate_to_datetime(date or "")
    except TypeError, ValueError:
        return None


def _seconds(retry_after: str | None) -> float | None:
    """Read a Retry-After header: seconds, or a date."""
    if retry_after and retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    since = _clock_error(retry_after)
    return None if since is None else max(-since.total_seconds(), 0.0)
