import pytest

POINTS = "/v1/device/realTime/data"
SERIAL = "R07E00000000DEMO-BMS"


@pytest.fixture
def control(cloud, session):
    async def send(method, what, **arguments):
        async with session.request(method, f"{cloud.url}/control/{what}", **arguments) as response:
            return response.status, await response.json()

    return send


async def test_faults(post, control) -> None:
    fault = {"kind": "http_500", "path": POINTS, "serial": None, "times": 2}
    assert await control("POST", "faults", json=fault) == (200, fault)
    assert await control("GET", "faults") == (200, [fault])
    assert (await post(POINTS, SERIAL)).status == 500
    assert await control("GET", "faults") == (200, [fault | {"times": 1}])
    assert await control("DELETE", "faults") == (200, [])
    assert (await post(POINTS, SERIAL)).status == 200


@pytest.mark.parametrize("wrong", ['{"kind": "x"}', '{"kind": "hang", "color": 1}', "[]", "{}", "no json", "7"])
async def test_a_wrong_fault_is_refused(control, wrong) -> None:
    status, answer = await control("POST", "faults", data=wrong)
    assert status == 400
    assert answer["error"]
    assert await control("GET", "faults") == (200, [])


async def test_calls_and_writes(post, control) -> None:
    await post(POINTS, SERIAL)
    await post("/v1/device/bindSn", SERIAL)
    read = {"at": "2026-03-23 21:58:30+00:00", "path": POINTS, "serial": SERIAL, "outcome": "200"}
    write = read | {"path": "/v1/device/bindSn", "outcome": "500"}
    assert await control("GET", "calls") == (200, [read, write])
    assert await control("GET", "writes") == (200, [write])


async def test_control_is_no_call_of_the_cloud(cloud, control) -> None:
    cloud.calls_per_second = 0
    await control("POST", "faults", json={"kind": "hang"})
    assert (await control("GET", "calls")) == (200, [])


async def test_devices(post, control) -> None:
    status, (device,) = await control("GET", "devices")
    assert status == 200
    assert device.pop("points") == (await post(POINTS, SERIAL)).json["data"]
    assert device == {"serial": SERIAL, "type": "PowerHaus", "listed": True, "modules": ["DEMO000000000001"]}
