"""What the other tests rely on: writes are noticed, only signed calls are answered, and faults do what they are for."""

import asyncio
import json
from typing import get_args

import aiohttp
import pytest

from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.dyness.cloud import DynessCloud
from emulator.faults import Fault, FaultKind

from .conftest import Post

LIST, POINTS, STATION = "/v1/device/storage/list", "/v1/device/realTime/data", "/v1/station/info"
SERIAL, MODULE = "R07E00000000DEMO-BMS", "DEMO000000000001"


@pytest.mark.parametrize(
    ("path", "writes"),
    [
        *((path, 1) for path in ("/v1/device/bindSn", "/v1/device/control/toggle", "/v1/group/removeSnByGroup")),
        *((path, 1) for path in ("/v1/device/writeBatch", "/v1/base/set", "/v2/device/SetWorkModeSetting")),
        *((path, 0) for path in (LIST, POINTS, "/v1/device/read", "/v2/device/GetBatterySetting")),
    ],
)
async def test_writes_to_dyness(cloud: DynessCloud, post: Post, path: str, writes: int) -> None:
    await post(path, SERIAL)
    assert [call.path for call in cloud.writes] == [path] * writes


async def test_writes_to_atess(socket_enabled: None, session: aiohttp.ClientSession) -> None:
    cloud = AtessCloud(devices=[Pbd()])
    await cloud.start()
    async with session.put(f"{cloud.url}{cloud.prefix}/pbd/setting"):
        assert [call.path for call in cloud.writes] == ["/pbd/setting"]
    await cloud.stop()


@pytest.mark.parametrize("name", ["Content-Type", "Content-MD5", "Date", "Authorization"])
async def test_what_is_not_signed_is_refused(post: Post, name: str) -> None:
    assert json.loads((await post(POINTS, SERIAL))[1])["code"] == "200"
    assert json.loads((await post(POINTS, SERIAL, **{name: "other"}))[1])["code"] == "401"


@pytest.mark.parametrize("kind", get_args(FaultKind))
async def test_every_fault_spoils_one_answer(cloud: DynessCloud, post: Post, kind: FaultKind) -> None:
    well = await post(POINTS, SERIAL)
    cloud.add_fault(Fault(kind, times=1))
    if kind in ("hang", "slow_drip", "drop"):
        with pytest.raises(aiohttp.ClientError if kind == "drop" else TimeoutError):
            await asyncio.wait_for(post(POINTS, SERIAL), 0.2)
    else:
        assert (await post(POINTS, SERIAL)) != well
    assert cloud.calls[1].outcome == kind
    assert await post(POINTS, SERIAL) == well


async def test_faults_hit_what_they_name_the_oldest_first(cloud: DynessCloud, post: Post) -> None:
    cloud.add_fault(Fault("http_500", path=POINTS, serial=SERIAL, times=1))
    cloud.add_fault(Fault("http_502_html"))
    asked = [(POINTS, MODULE), (STATION, SERIAL), (POINTS, SERIAL), (POINTS, SERIAL)]
    assert [(await post(*call))[0] for call in asked] == [502, 502, 500, 502]
    cloud.clear_faults()
    assert (await post(POINTS, SERIAL))[0] == 200


async def test_faults_over_http(cloud: DynessCloud, post: Post, session: aiohttp.ClientSession) -> None:
    """As the demo offers them."""
    control = f"{cloud.url}/control/faults"
    for order, status in (('{"kind": "http_500"}', 200), ('{"kind": "x"}', 400), ("[]", 400), ("no json", 400)):
        async with session.post(control, data=order) as response:
            assert response.status == status
    assert (await post(LIST))[0] == 500
    await session.delete(control)
    assert (await post(LIST))[0] == 200
