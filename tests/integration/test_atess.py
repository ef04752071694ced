"""PBD and HPS as their owner sees them, from the first evening on."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_USER
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.cloud.errors import CloudEmpty
from custom_components.dyness_atess.const import DOMAIN
from custom_components.dyness_atess.telemetry.vocabulary import LIFETIME, OUTLOOK
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Hps, Pbd
from emulator.faults import Fault

from .conftest import Live, device_of, issues, logged, number, state, states_of

SERIAL, SECOND = "DEMOPBD001", "DEMOPBD002"
MIDNIGHT = datetime(2026, 6, 9, 23, tzinfo=UTC)
"""Where the devices are, which is one hour east of UTC"""
OF_BATTERY = {"current", "power", "status", "charging"}
"""What has a direction."""

type Start = Callable[..., Awaitable[tuple[AtessCloud, Any]]]


@pytest.fixture
def start(hass: HomeAssistant, live: Live, freezer: FrozenDateTimeFactory) -> Start:
    """Make a cloud with these devices, and add them as their owner does, at an hour of their day."""

    async def start(hour: float, *devices: Pbd, **options: Any) -> tuple[AtessCloud, Any]:
        freezer.move_to(MIDNIGHT + timedelta(hours=hour))
        cloud = AtessCloud(devices=devices, **options)
        live.clouds.append(cloud)
        await cloud.start()
        flow = hass.config_entries.flow
        menu: Any = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        await flow.async_configure(menu["flow_id"], {"next_step_id": "atess"})
        typed = {"api_id": cloud.api_id, "api_token": cloud.api_token, "server": cloud.url}
        typed["device_sn"] = devices[0].serial
        entry = (await live.until(flow.async_configure(menu["flow_id"], typed)))["result"]
        for device in devices[1:]:
            subentries = hass.config_entries.subentries
            form: Any = await subentries.async_init((entry.entry_id, "converter"), context={"source": SOURCE_USER})
            await live.until(subentries.async_configure(form["flow_id"], {"device_sn": device.serial}))
        await live(0.1)
        return cloud, entry

    return start


def now() -> datetime:
    return datetime.now(UTC)


def shown(hass: HomeAssistant, entry: MockConfigEntry, serial: str = SERIAL) -> dict[str, str]:
    """Return what has a value now."""
    states = states_of(hass, entry, serial)
    return {key: value for key, value in states.items() if value not in ("unavailable", "unknown")}


def gaps(cloud: AtessCloud, serial: str = SERIAL) -> list[int]:
    """Return the seconds between the calls about a device."""
    asked = [call.at for call in cloud.calls if call.serial == serial]
    return [round((later - earlier).total_seconds()) for earlier, later in pairwise(asked)]


def expect_powers(hass: HomeAssistant, cloud: AtessCloud, device: Pbd, *keys: str) -> None:
    truth = device.truth([call.at for call in cloud.calls if call.path == device.path][-1])
    for key in keys:
        assert number(hass, key, device.serial) == pytest.approx(truth[key], rel=0.02, abs=100), key


@pytest.mark.parametrize("hour", [12, 20, 1])
@pytest.mark.parametrize("device", [Pbd(), Hps(form="central"), Hps(form="string")], ids=["PBD", "central", "string"])
async def test_powers_at_once(hass: HomeAssistant, live: Live, start: Start, hour: float, device: Pbd) -> None:
    """The record that the form has read is the first reading, and nobody asks for another one."""
    cloud, entry = await start(hour, device)
    assert [call.outcome for call in cloud.calls][-1] == "0"
    assert len([call for call in cloud.calls if call.path == device.path]) == 1
    keys = ["pv_power", "pv1_power", "power", *(["output_power"] if "PBD" in device.serial else [])]
    expect_powers(hass, cloud, device, *keys)
    registered, kind = device_of(hass, entry, device.serial), device.serial[4:7]
    assert (registered.manufacturer, registered.model, registered.name) == ("ATESS", kind, f"ATESS {kind}")
    await live(6)
    cloud.calls.clear()
    await live(60)
    assert {call.path for call in cloud.calls} == {device.path}
    assert set(gaps(cloud, device.serial)) == {330}
    expect_powers(hass, cloud, device, *keys)


async def test_added_in_the_evening(hass: HomeAssistant, live: Live, start: Start) -> None:
    """Nothing is there until the logger wakes up, and all with its first record."""
    device = Pbd(null_at_night=True)
    cloud, entry = await start(22, device)
    assert states_of(hass, entry, SERIAL) == {}
    woke_up: list[datetime] = []
    await live(10 * 60, lambda: woke_up.append(now()) if state(hass, "pv_power", SERIAL) and not woke_up else None)
    (first,) = woke_up
    told = [call for call in cloud.calls if call.at <= first and call.path == device.path]
    assert device.answer(told[-2].at) is None
    assert device.answer(first) is not None
    expect_powers(hass, cloud, device, "pv_power", "output_power")
    assert max(gaps(cloud)) <= 330


async def test_added_with_an_old_record(hass: HomeAssistant, live: Live, start: Start) -> None:
    _, entry = await start(22, Pbd(offline_since=MIDNIGHT - timedelta(hours=8)))
    assert shown(hass, entry) == {"online": "off"}


async def test_an_old_record_after_a_stop(hass: HomeAssistant, live: Live, start: Start) -> None:
    """By the time that its clock was ahead before."""
    device = Pbd()
    _, entry = await start(12, device)
    await live(30)
    device.offline_since = now() + timedelta(minutes=15)
    await live.restart(entry, stopped_for=60)
    await live(1)
    assert state(hass, "online", SERIAL) == "off"
    assert state(hass, "pv_power", SERIAL) == "unavailable"


async def test_direction_is_withheld_until_it_is_told(hass: HomeAssistant, live: Live, start: Start) -> None:
    """Only the counters of the day tell that of an HPS without BMS."""
    device = Hps(has_bms=False)
    cloud, entry = await start(12, device)
    assert OF_BATTERY.isdisjoint(states_of(hass, entry, device.serial))
    assert shown(hass, entry, device.serial).keys() >= {"voltage", "soc", "pv_power", "online"}
    await live(12)
    expect_powers(hass, cloud, device, "power")
    assert [state(hass, key, device.serial) for key in ("status", "charging")] == ["charging", "on"]
    await live.restart(entry, stopped_for=60)
    await live(1)
    expect_powers(hass, cloud, device, "power")


async def test_option_of_the_sign(hass: HomeAssistant, live: Live, start: Start) -> None:
    """It applies to the record that is shown already, be its direction withheld."""
    device = Hps(has_bms=False)
    cloud, entry = await start(12, device)
    account, options = entry.runtime_data, hass.config_entries.options
    current = f"{device.truth(cloud.calls[-1].at)['current']:.1f}"
    assert current.startswith("-")
    cloud.calls.clear()
    for sign, *expected in (
        ("positive_discharging", current, "charging"),
        ("positive_charging", current[1:], "discharging"),
        ("automatic", "unknown", "unknown"),
    ):
        form: Any = await options.async_init(entry.entry_id)
        await live.until(options.async_configure(form["flow_id"], {"battery_sign": sign, "hourly_calls": 120}))
        await live(0.01)
        assert [state(hass, key, device.serial) for key in ("current", "status")] == expected
    assert entry.runtime_data is account
    assert not cloud.calls


@pytest.mark.usefixtures("everything_on")
async def test_the_battery(hass: HomeAssistant, live: Live, start: Start) -> None:
    """The halves of its power, and whether it is almost empty; for how long it lasts its capacity is not known."""
    device = Pbd()
    _, entry = await start(12, device)
    await live(30)
    found = shown(hass, entry)
    power, soc = float(found["power"]), float(found["soc"])
    assert power
    assert [float(found[key]) for key in ("charge_power", "discharge_power")] == [max(-power, 0), max(power, 0)]
    assert [state(hass, key, SERIAL) for key in OUTLOOK] == [None, None]
    for reserve, low in ((soc - 4, "on"), (10, "off")):
        hass.config_entries.async_update_entry(entry, options={"reserve": reserve})
        await live(0.1)
        assert state(hass, "battery_low", SERIAL) == low


@pytest.mark.parametrize("limit", [280, 300, 330, 600])
async def test_a_limit_in_the_body(hass: HomeAssistant, live: Live, start: Start, limit: float) -> None:
    cloud, entry = await start(10, Pbd(), limit=limit)
    missing = set[str]()
    await live(5 * 60, lambda: missing.update(states_of(hass, entry, SERIAL).keys() - shown(hass, entry).keys()))
    assert not missing
    assert state(hass, "online", SERIAL) == "on"
    assert min(gaps(cloud)) >= 330
    assert ("10012" in {call.outcome for call in cloud.calls}) == (limit > 330)


@pytest.mark.parametrize("frozen", ["null", "one record", "two records", "status"])
async def test_night(hass: HomeAssistant, live: Live, start: Start, frozen: str) -> None:
    """Of a logger that sleeps: within 40 minutes nothing is shown as now, totals stay, the morning is not missed."""
    device = Pbd()
    cloud, entry = await start(16, device)
    await live(60)
    match frozen:
        case "null":
            cloud.add_fault(Fault("null_data"))
        case "one record":
            device.offline_since = now()
        case "two records":
            device.frozen_at = (now(), now() - timedelta(minutes=5))
        case "status":
            device.overrides = {"status": -1}
    await live(6 if frozen == "status" else 40)
    assert state(hass, "online", SERIAL) == "off"
    totals = shown(hass, entry)
    assert totals.keys() == {*LIFETIME & totals.keys(), "online"}
    assert len(totals) == 5
    cloud.calls.clear()
    await live(12 * 60)
    assert shown(hass, entry) == totals
    assert set(gaps(cloud)) == {330}
    cloud.clear_faults()
    device.offline_since, device.frozen_at, device.overrides = None, (), {}
    await live(6)
    assert shown(hass, entry).keys() == states_of(hass, entry, SERIAL).keys()
    assert state(hass, "online", SERIAL) == "on"
    expect_powers(hass, cloud, device, "pv_power", "output_power")


@pytest.mark.parametrize("is_alone", [True, False])
async def test_rejected(hass: HomeAssistant, live: Live, start: Start, is_alone: bool) -> None:
    """A device that is no longer the account's says nothing of the credentials, as long as another one answers."""
    cloud, entry = await start(12, Pbd(serial=SERIAL), Pbd(serial=SECOND))
    if is_alone:
        other = next(found for found in entry.subentries.values() if found.data["device_sn"] == SECOND)
        hass.config_entries.async_remove_subentry(entry, other.subentry_id)
    cloud.add_fault(Fault("access_denied", serial=SERIAL))
    asked = set[int]()
    await live(180, lambda: asked.add(len(list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})))))
    assert max(asked) == (1 if is_alone else 0)
    assert shown(hass, entry).keys() == {*LIFETIME & shown(hass, entry).keys(), "online"}
    assert is_alone or state(hass, "online", SECOND) == "on"
    cloud.clear_faults()
    await live(31)
    assert state(hass, "online", SERIAL) == "on"
    assert not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))


async def test_two_converters(hass: HomeAssistant, live: Live, start: Start) -> None:
    """Are told apart by their names, before and after a restart, and read apart from each other."""
    devices = Pbd(serial=SERIAL), Pbd(serial=SECOND, seed=7), Hps()
    cloud, entry = await start(12, *devices)
    for _ in range(2):
        names = [device_of(hass, entry, device.serial).name for device in devices]
        assert names == ["ATESS PBD", "ATESS PBD D002", "ATESS HPS S001"]
        for device in devices:
            expect_powers(hass, cloud, device, "pv_power", "power")
        await live.restart(entry, stopped_for=40)
        await live(0.1)


async def test_a_converter_of_two_accounts(hass: HomeAssistant, start: Start, live: Live) -> None:
    """The second reads it as soon as the first is gone, though no list says that it is there."""
    device = Pbd()
    _, first = await start(12, device)
    _, second = await start(12, device, api_id="2")
    await live(10)
    assert (len(second.runtime_data.devices), len(issues(hass, "claimed"))) == (0, 1)
    await live.until(hass.config_entries.async_remove(first.entry_id))
    await live(7)
    assert shown(hass, second)["online"] == "on"
    assert not issues(hass, "claimed")


@pytest.mark.parametrize("hour", [1, 12])
async def test_without_a_battery(hass: HomeAssistant, live: Live, start: Start, hour: float) -> None:
    _, entry = await start(hour, Pbd(has_battery=False))
    await live(24 * 60)
    keys = states_of(hass, entry, SERIAL).keys()
    assert {"pv1_power", "pv_energy", "output_power", "online"} <= keys
    of_battery = ("charg", "soc", "cell_", "battery", "bms")
    assert not {key for key in keys if key in {"voltage", *OF_BATTERY} or any(word in key for word in of_battery)}


async def test_the_other_kind(hass: HomeAssistant, live: Live, start: Start) -> None:
    """A cloud that has no record at night does not tell an HPS from a PBD."""
    device = Hps(form="string", null_at_night=True)
    cloud, entry = await start(22, device, kinds_apart=False)
    assert [subentry.data["kind"] for subentry in entry.subentries.values()] == ["pbd"]
    await live(4 * 60)
    await live.restart(entry)
    assert len(cloud.calls) < 5 * 25
    while device.answer(now()) is None:
        await live(1)
    await live(11)
    assert device_of(hass, entry, device.serial).name == "ATESS HPS"
    expect_powers(hass, cloud, device, "pv_power")
    cloud.calls.clear()
    cloud.add_fault(Fault("null_data", path=device.path, times=3))
    await live(30)
    assert {call.path for call in cloud.calls} == {device.path}
    await live.restart(entry, stopped_for=40)
    await live(1)
    expect_powers(hass, cloud, device, "pv_power")
    assert "/pbd/data-last" not in {call.path for call in cloud.calls}


async def test_deleted_while_it_is_asked(
    hass: HomeAssistant, live: Live, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Also one of which no record was ever seen, whose kind is in doubt."""
    _, entry = await start(22, Hps(form="string", null_at_night=True), kinds_apart=False)
    account, (subentry,) = entry.runtime_data, entry.subentries.values()
    (coordinator,) = account.devices.values()
    assert coordinator.data is None
    released = asyncio.Event()

    async def held(*_: Any) -> Any:
        await released.wait()
        raise CloudEmpty

    with patch("custom_components.dyness_atess.cloud.atess.AtessClient.data_last", held):
        reading = asyncio.ensure_future(coordinator.async_refresh())
        await live(0.1)
        hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
        await live(0.1)
        assert not account.devices
        released.set()
        await live.until(asyncio.wait_for(reading, None))
    assert not [message for level, message in logged(caplog) if level == "ERROR"]


async def test_counters(hass: HomeAssistant, live: Live, start: Start) -> None:
    """They never fall and never jump, whatever restarts or shows zeros; those of the day begin anew at midnight."""
    device = Pbd()
    cloud, entry = await start(9, device)
    last, falls = dict[str, float](), list[tuple[str, timedelta]]()

    def look() -> None:
        late, latest = device.truth(now() - timedelta(hours=3)), device.truth(now())
        for key in [key for key in shown(hass, entry) if "energy" in key]:
            value = number(hass, key, SERIAL)
            if value < last.get(key, 0.0):
                falls.append((key, (now() - MIDNIGHT) % timedelta(days=1)))
            if key in LIFETIME or late[key] <= latest[key]:
                assert late[key] - 0.2 <= value <= latest[key] + 0.2 or value == last.get(key), key
            last[key] = value

    zeros = dict.fromkeys(("epvToday", "echargeToday", "ebatChargeTotal"), 0)
    disturbances: list[Callable[[], None]] = [
        lambda: device.restart_logger(now()),
        lambda: device.overrides.update(zeros),
        lambda: cloud.add_fault(Fault("null_data", times=3)),
        lambda: cloud.add_fault(Fault("points_without_values", times=2)),
    ]
    for hours in range(0, 60, 3):
        disturbances[hours // 3 % 4]()
        await live(5.4, look)  # of zeros, one record
        device.overrides.clear()
        await live(114.6, look)
        await live.restart(entry, stopped_for=60 if hours % 2 else 0)
        await live(60 - (60 if hours % 2 else 0), look)
    await live(12, look)
    today = {key for key in last if key.endswith("_today")}
    assert len(today) == len(last) - len(today) == 4
    assert sorted(key for key, _ in falls) == sorted(2 * [*today])
    # That the device has midnight at another time than Home Assistant is not known at the first one.
    assert max(time for _, time in falls[:4]) < timedelta(minutes=24)
    assert max(time for _, time in falls[4:]) < timedelta(minutes=12)
    assert last == pytest.approx({key: device.truth(now())[key] for key in last}, abs=3)
