"""Each way in which a read of either cloud can end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
import logging
from typing import Any, get_args

import pytest

from custom_components.dyness_atess.cloud import transport
from custom_components.dyness_atess.cloud.atess import AtessClient, authorization
from custom_components.dyness_atess.cloud.dyness import DynessClient
from custom_components.dyness_atess.cloud.errors import (
    CloudEmpty,
    CloudError,
    CloudRateLimited,
    CloudRejected,
    CloudTrouble,
    CloudUnavailable,
    CloudUnreachable,
)
from emulator.atess.cloud import AtessCloud
from emulator.dyness.cloud import DynessCloud
from emulator.faults import Fault, FaultKind
from emulator.server import EmulatedCloud

from .conftest import PBD, SERIAL

OUTCOMES: dict[str, type[CloudError] | None] = dict.fromkeys(get_args(FaultKind), CloudUnavailable) | {
    **dict.fromkeys(("network_anomaly", "network_error", "device_timeout"), CloudTrouble),
    **dict.fromkeys(("rate_limited", "rate_limited_in_body"), CloudRateLimited),
    **dict.fromkeys(("null_data", "empty_data"), CloudEmpty),
    **dict.fromkeys(("wrong_types", "points_without_values"), None),  # for the decoder to see
    "access_denied": CloudRejected,
}
OF_THE_LIST = dict.fromkeys(("wrong_types", "points_without_values"), CloudUnavailable) | dict.fromkeys(
    ("null_data", "empty_data")  # what an account without devices has
)


@dataclass(frozen=True, kw_only=True)
class Account:
    """A cloud, all reads of its client by name, and what nobody else is to know."""

    cloud: EmulatedCloud
    reads: dict[str, Callable[[], Awaitable[Any]]]
    secrets: tuple[str, ...]

    async def outcome(self, name: str) -> type[Any]:
        """Return the type of what is read, or of the error."""
        try:
            return type(await self.reads[name]())
        except CloudError as error:
            return type(error)


@pytest.fixture(params=["dyness", "atess"])
def account(
    request: pytest.FixtureRequest,
    cloud: DynessCloud,
    client: DynessClient,
    atess_cloud: AtessCloud,
    atess_client: AtessClient,
) -> Account:
    """The account of each vendor."""
    if request.param == "atess":
        token = atess_cloud.api_token
        secrets = (PBD, token, authorization(atess_cloud.api_id, token))
        return Account(
            cloud=atess_cloud, reads={"data_last": partial(atess_client.data_last, "pbd", PBD)}, secrets=secrets
        )
    of_device = ("realtime_data", "storage_detail", "station_info", "last_power_data", "last_running_data", "alarms")
    reads = {name: partial(getattr(client, name), SERIAL) for name in of_device}
    secrets = (SERIAL, "R07E", cloud.app_id, cloud.app_secret)
    return Account(cloud=cloud, reads=reads | {"storage_list": client.storage_list}, secrets=secrets)


@pytest.mark.parametrize("kind", OUTCOMES)
async def test_outcomes(account: Account, kind: FaultKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """One call each, whatever it ends in; a 401 of Dyness counts on core calls only (dyness-api 2.2)."""
    if kind in ("hang", "slow_drip"):
        monkeypatch.setattr(transport, "TIMEOUT", 0.1)
    for name in account.reads:
        expected = OF_THE_LIST.get(kind, OUTCOMES[kind]) if name == "storage_list" else OUTCOMES[kind]
        if kind == "access_denied" and name not in ("storage_list", "realtime_data", "data_last"):
            expected = CloudUnavailable
        well = await account.outcome(name)
        assert well in (dict, list)
        account.cloud.add_fault(Fault(kind))
        assert await account.outcome(name) is (expected or well), name
        account.cloud.clear_faults()
        assert await account.outcome(name) is well
    # aiohttp itself asks once more where a kept connection is dropped under a GET.
    again = kind == "drop" and isinstance(account.cloud, AtessCloud)
    assert len(account.cloud.calls) == 3 * len(account.reads) + again


async def test_nobody_there(account: Account) -> None:
    await account.cloud.stop()
    for name in account.reads:
        assert await account.outcome(name) is CloudUnreachable


async def test_nothing_secret_is_logged(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in account.reads:
        await account.outcome(name)
        account.cloud.add_fault(Fault("access_denied", times=1))
        await account.outcome(name)
    assert all(call.path in caplog.text for call in account.cloud.calls)
    assert not [secret for secret in account.secrets if secret in caplog.text]
