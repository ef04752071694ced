"""The ATESS open API, read-only (atess-api sections 1 to 3)."""

import base64
from functools import partial
import logging
from typing import Any

import aiohttp

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

BASE_URL = "https://www.enerclo-atesspower.com"
# Of HPS of the central and of the string type; nothing but the record tells which a device is.
_PATHS = {"pbd": ("/pbd/data-last",), "hps": ("/hps/data-last", "/hps/data-last-small")}
KINDS = tuple(_PATHS)


def authorization(api_id: str, api_token: str) -> str:
    """Return the header that every call needs (atess-api 1); without an id the token is its ready-made value."""
    if not api_id or api_token.startswith("Basic "):
        return api_token
    return "Basic " + base64.b64encode(f"{api_id}:{api_token}".encode()).decode()


class AtessClient:
    """One account of the ATESS cloud."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, api_id: str, api_token: str, queue: AccountQueue
    ) -> None:
        """Keep the session, which stays the caller's, and the credentials, as `authorization` takes them."""
        self._session, self._base_url, self._queue = session, base_url.rstrip("/") + "/api/v1", queue
        self._headers = {"Authorization": authorization(api_id, api_token), "Accept-Language": "en"}
        # Where a device was found, so that each later read is one call.
        self._paths: dict[tuple[str, str], tuple[str, ...]] = {}

    async def data_last(self, kind: str, device_sn: str, turn: Turn = FORM) -> dict[str, Any]:
        """Return the last record of a device of one of the `KINDS`, as it came (atess-api 5, 6)."""
        failure: CloudError | None = None
        for path in self._paths.get((kind, device_sn), _PATHS[kind]):
            _LOGGER.debug("Asking %s", path)
            try:
                record = await self._queue.run(partial(self._call, path, device_sn), turn)
            except (CloudEmpty, CloudRefused) as error:
                if not isinstance(failure, CloudEmpty):  # "no record" says more than "not found"
                    failure = error
            else:
                self._paths[kind, device_sn] = (path,)
                return record
        raise failure or CloudUnavailable

    async def _call(self, path: str, device_sn: str) -> dict[str, Any]:
        url, params = f"{self._base_url}{path}", {"deviceSn": device_sn}
        return _record(await exchange(self._session, "GET", url, headers=self._headers, params=params))


def _record(answer: Answer) -> dict[str, Any]:
    """Open the envelope (atess-api 2); whether errors come with their HTTP status is not known, so both count."""
    code, data = answer.content.get("code"), answer.content.get("data")
    code = "" if code is None else str(code).strip()
    codes = {code, str(answer.status)}
    text = " ".join(value for value in answer.content.values() if isinstance(value, str)).lower()
    succeeded = answer.status < 400 and code in ("", "0", "200")
    if succeeded and isinstance(data, dict) and data:
        return data
    if codes & {"429", "10012"} or "limit" in text or "frequen" in text:
        raise CloudRateLimited
    if codes & {"401", "403"}:
        raise CloudRejected
    if succeeded and code and not data:
        raise CloudEmpty("no record")
    if code == "500" and any(sign in text for sign in ("network", "timed out", "timeout")):
        raise CloudTrouble("network trouble")
    if codes & {"400", "500"}:
        raise CloudRefused("not found" if "400" in codes else "refused")
    if succeeded or answer.status >= 400:
        raise CloudUnavailable("record of an unknown form" if succeeded else f"HTTP status {answer.status}")
    raise CloudRateLimited  # nobody knows how the cloud says that it is asked too often (atess-api 1)
