"""When what is asked, and what devices of one account do to each other (product contract, section 6)."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import mean
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault

from .conftest import NOON, SERIAL, Live, device_of, issues, logged, one, serials_of, state

REALTIME = "/v1/device/realTime/data"
SECOND, THIRD = "R07E00000002DEMO-BMS", "R07E00000003DEMO-BMS"
MODULES = {SERIAL: "DEMO000000000001", SECOND: "DEMO000000000002", THIRD: "DEMO000000000003"}


def batteries(*serials: str) -> list[PowerHaus]:
    return [PowerHaus(serial=serial, module_serial=MODULES[serial]) for serial in serials]


def asked(cloud: DynessCloud) -> Counter[str | None]:
    """Count the calls for the points of each device, dongles apart."""
    return Counter(call.serial for call in cloud.calls if call.path == REALTIME and cloud.device(call.serial))


class Ages:
    """How old the samples of devices become, in minutes."""

    def __init__(self, entry: ConfigEntry, *serials: str) -> None:
        self.devices = [entry.runtime_data.devices[serial] for serial in serials]
        self.seen: list[float] = []

    def look(self) -> float:
        oldest = min(device.sampled_at for device in self.devices)
        self.seen.append((datetime.now(UTC) - oldest).total_seconds() / 60)
        return self.seen[-1]


async def test_calls_are_spaced(live: Live) -> None:
    """One at a time, at least a second apart, a master just after its upload and its module right after it."""
    cloud, _ = await live.start(*batteries(SERIAL, SECOND))
    await live(60)
    cloud.calls.clear()
    await live(60)
    assert all(later.at - earlier.at >= timedelta(seconds=1) for earlier, later in pairwise(cloud.calls))
    assert len(cloud.calls) <= 60
    for serial in (SERIAL, SECOND):
        calls = [call for call in cloud.calls if call.path == REALTIME and call.serial in (serial, MODULES[serial])]
        found = {cloud.devices[serial].sample_time(call.at): call.at for call in calls[::-1] if call.serial == serial}
        assert mean((at - sample).total_seconds() for sample, at in found.items()) < 60
        followed = [later.at - earlier.at for earlier, later in pairwise(calls) if later.serial == MODULES[serial]]
        assert len(followed) == 12
        assert max(followed) < timedelta(seconds=5)


async def test_the_dead_leave_the_calls_to_the_living(hass: HomeAssistant, live: Live) -> None:
    cloud, entry = await live.start(*batteries(SERIAL, SECOND, THIRD), hourly_calls=60)
    for serial in (SECOND, THIRD):
        cloud.add_fault(Fault("network_anomaly", serial=serial))
        cloud.add_fault(Fault("network_anomaly", serial=MODULES[serial]))
    await live(60)
    cloud.calls.clear()
    ages = Ages(entry, SERIAL, MODULES[SERIAL])
    await live(5 * 60, ages.look)
    calls = asked(cloud)
    assert calls[SERIAL] >= 5 * 12
    assert calls[MODULES[SERIAL]] >= 5 * 11
    assert max(ages.seen) < 12
    for serial in (SECOND, THIRD):
        assert 2 * calls[MODULES[serial]] <= calls[serial] < calls[SERIAL]
    cloud.calls.clear()
    await live(6 * 60)
    assert all(asked(cloud)[serial] <= 2 * 6 + 12 for serial in (SECOND, THIRD))


@pytest.mark.parametrize("answered_once", [False, True])
async def test_a_dead_battery_beside_a_tower(live: Live, *, answered_once: bool) -> None:
    tower, dead = one("tower-13"), PowerHaus()
    fault = Fault("network_anomaly", serial=SERIAL)
    cloud, entry = await live.start(tower, dead, faults=[] if answered_once else [fault])
    if answered_once:
        cloud.add_fault(fault)
        cloud.add_fault(Fault("network_anomaly", serial=MODULES[SERIAL]))
    await live(70)
    modules = serials_of(tower)
    ages, of_master = Ages(entry, *modules), Ages(entry, tower.serial)
    await live(3 * 60, lambda: [found.look() for found in (ages, of_master)])
    assert max(of_master.seen) < 6.5
    assert max(ages.seen) < 22


async def test_dead_modules_are_not_asked_more_often(live: Live) -> None:
    device = one("dl5-6")
    cloud, entry = await live.start(device)
    dead, living = serials_of(device)[:2], serials_of(device)[2:]
    for serial in dead:
        cloud.add_fault(Fault("network_anomaly", serial=serial))
    await live(20)
    cloud.calls.clear()
    ages = Ages(entry, *living)
    await live(6 * 60, ages.look)
    calls = asked(cloud)
    assert max(calls[serial] for serial in dead) <= min(calls[serial] for serial in living)
    assert max(ages.seen) < 12


async def test_values_age_while_they_wait(hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture) -> None:
    """The cloud wants silence for an hour: nothing stays current for that, and the owner is told until when it is."""
    with patch("custom_components.dyness_atess.cloud.queue.PAUSE", 3600):
        cloud, _ = await live.start(*batteries(SERIAL, SECOND))
        await live(6)
        total = state(hass, "energy_charged")
        cloud.add_fault(Fault("rate_limited", times=1))
        caplog.clear()
        await live(11)
        assert not issues(hass, "waiting")
        await live(10)
        assert state(hass, "online") == "on"
        (issue,) = issues(hass, "waiting")
        paused_at = next(call.at for call in cloud.calls if call.outcome == "rate_limited")
        goes_on = dt_util.as_local(paused_at + timedelta(hours=1))
        assert issue.translation_placeholders
        assert issue.translation_placeholders["time"] == goes_on.strftime("%H:%M")
        await live(12)
        assert state(hass, "online") == "off"
        assert state(hass, "soc") == "unavailable"
        assert state(hass, "energy_charged") == total
        await live(40)
    assert state(hass, "online") == "on"
    assert not issues(hass, "waiting")
    story = [text for _, text in logged(caplog) if "calls until" in text or "read again" in text]
    assert len(story) == 2


async def test_a_new_ceiling_serves_at_once_who_waits(
    hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    cloud, entry = await live.start(*batteries(SERIAL, SECOND, THIRD), hourly_calls=12)
    await live(40)
    account = entry.runtime_data
    (issue,) = issues(hass, "waiting")
    assert issue.translation_placeholders
    assert (issue.translation_placeholders["calls"], issue.translation_placeholders["ceiling"]) == ("12", "12")
    cloud.calls.clear()
    hass.config_entries.async_update_entry(entry, options={"hourly_calls": 300})
    await live(1)
    assert asked(cloud).keys() >= {SERIAL, SECOND, THIRD}
    await live(2)
    assert not issues(hass, "waiting")
    assert entry.runtime_data is account


async def test_a_first_read_that_waits_is_not_run_twice(hass: HomeAssistant, live: Live) -> None:
    """The set-up does not wait for it either."""
    limited = Fault("rate_limited", path=REALTIME, times=1)
    with patch("custom_components.dyness_atess.cloud.queue.PAUSE", 500):
        cloud, _ = await live.start(*batteries(SERIAL, SECOND), faults=[limited])
        assert datetime.now(UTC) - NOON < timedelta(seconds=30)
        await live(20)
    for serial in (SERIAL, SECOND):
        calls = [call.at for call in cloud.calls if (call.serial, call.path, call.outcome) == (serial, REALTIME, "200")]
        assert calls[1] - calls[0] > timedelta(seconds=14)
        assert state(hass, "online", serial) == "on"


async def test_a_disabled_device_is_not_asked(hass: HomeAssistant, live: Live) -> None:
    cloud, entry = await live.start(*batteries(SERIAL, SECOND))
    await live(2)
    kept = entry.runtime_data.queue.kept_for_masters
    registry = dr.async_get(hass)
    gone = [device_of(hass, entry, serial).id for serial in (SECOND, MODULES[SECOND], MODULES[SERIAL])]
    for device_id in gone:
        registry.async_update_device(device_id, disabled_by=dr.DeviceEntryDisabler.USER)
    await live(2)
    cloud.calls.clear()
    await live(60)
    assert asked(cloud).keys() == {SERIAL}
    assert entry.runtime_data.queue.kept_for_masters < kept
    registry.async_update_device(gone[0], disabled_by=None)
    await live(20)
    assert state(hass, "online", SECOND) == "on"


async def test_by_hand(hass: HomeAssistant, live: Live) -> None:
    """`homeassistant.update_entity` asks at once, and the rhythm goes on as without it."""
    assert await async_setup_component(hass, "homeassistant", {})
    cloud, _ = await live.start(*batteries(SERIAL))
    await live(61)
    battery = cloud.devices[SERIAL]
    cloud.calls.clear()
    entity_id = er.async_get(hass).async_get_entity_id("sensor", "dyness_atess", f"{SERIAL}-soc")
    for _ in range(12):
        updating = hass.services.async_call("homeassistant", "update_entity", {"entity_id": entity_id}, blocking=True)
        await live.until(updating)
        await live(5.1)
    calls = [call.at for call in cloud.calls if call.serial == SERIAL]
    assert 24 <= len(calls) <= 28
    found = {battery.sample_time(at): at for at in calls[::-1]}
    assert len(found) >= 12
    assert max((at - sample).total_seconds() for sample, at in found.items()) < 75
