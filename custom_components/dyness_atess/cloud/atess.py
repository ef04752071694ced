"""The ATESS open API, read-only (atess-api sections 1 to 3)."""

import base64
import logging
from typing import Any

import aiohttp

from .errors import CloudEmpty, CloudError, CloudRateLimited, CloudRejected, CloudUnavailable
from .queue import SETUP, AccountQueue, Turn
from .transport import Answer, exchange

_LOGGER = logging.getLogger(__name__)

BASE_URL = "https://www.enerclo-atesspower.com"
PREFIX = "/api/v1"
PBD_DATA_LAST = "/pbd/data-last"


def authorization(api_id: str, api_token: str) -> str:
    """Return the header that every call needs (atess-api 1).

    Args:
        api_id: number of the account; empty where the token is the ready-made value of the header.
        api_token: token of the account.
    """
    if not api_id or api_token.startswith("Basic "):
        return api_token
    return "Basic " + base64.b64encode(f"{api_id}:{api_token}".encode()).decode()


class AtessClient:
    """One account of the ATESS cloud."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, api_id: str, api_token: str, queue: AccountQueue
    ) -> None:
        """Keep the session, which stays the caller's, and the credentials.

        Args:
            session: used for every call.
            base_url: scheme and host, without a path.
            api_id: number of the account, or empty.
            api_token: token of the account, or the ready-made header.
            queue: of the account, shared by whoever calls on its behalf.
        """
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": authorization(api_id, api_token), "Accept-Language": "en"}
        self._queue = queue

    async def pbd_data_last(self, device_sn: str, turn: Turn = SETUP) -> dict[str, Any]:
        """Return the last record of a PBD as it came (atess-api 5).

        Raises:
            CloudEmpty: success without a record.
            CloudError: see `errors`.
        """

        async def call() -> Any:
            url = f"{self._base_url}{PREFIX}{PBD_DATA_LAST}"
            answer = await exchange(self._session, "GET", url, headers=self._headers, params={"deviceSn": device_sn})
            return _data(answer)

        try:
            data = await self._queue.run(call, turn)
            if data in (None, {}, [], ""):
                raise CloudEmpty("no record")
            if not isinstance(data, dict):
                raise CloudUnavailable("record of an unknown form")
        except CloudError as error:
            _LOGGER.debug("%s: %s", PBD_DATA_LAST, error)
            raise
        _LOGGER.debug("%s: answered", PBD_DATA_LAST)
        return data


def _data(answer: Answer) -> Any:
    """Open the envelope (atess-api 2); whether errors come with their HTTP status is not known, so both count."""
    codes = {answer.code, str(answer.status)}
    if codes & {"401", "403"}:
        raise CloudRejected
    if "429" in codes:
        raise CloudRateLimited
    if "400" in codes:
        raise CloudUnavailable("not found", answered=True)
    if answer.status >= 400 or answer.code not in ("0", "200"):
        raise CloudUnavailable(f"HTTP status {answer.status}, code {answer.code or 'missing'}")
    return answer.content.get("data")
