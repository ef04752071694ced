"""Energies since midnight, through the whole path and on the real recorder (product contract, section 7)."""

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
import logging
from typing import Any
from zoneinfo import ZoneInfo

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done

from emulator.dyness.junior_box import JuniorBox
from emulator.dyness.low_voltage import LowVoltage
from emulator.dyness.models import DL5
from emulator.dyness.storage import Storage
from emulator.dyness.throughput import since_epoch
from emulator.faults import Fault

from .conftest import Live, number, one, state

BERLIN = ZoneInfo("Europe/Berlin")
KEYS = ("energy_charged_today", "energy_discharged_today")
MIDNIGHT = datetime(2026, 3, 24, tzinfo=BERLIN)
SPRING = datetime(2026, 3, 29, tzinfo=BERLIN)


@pytest.fixture
def mock_recorder_before_hass(async_test_recorder: Any) -> None:
    """Have the recorder patched before Home Assistant is made."""


def found(hass: HomeAssistant, key: str, serial: str) -> State:
    entity_id = er.async_get(hass).async_get_entity_id("sensor", "dyness_atess", f"{serial}-{key}")
    assert entity_id
    shown = hass.states.get(entity_id)
    assert shown
    return shown


def flown(device: Storage, start: datetime, end: datetime) -> tuple[float, float]:
    """Return what was charged and discharged, kWh."""
    battery = device.battery
    first, last = (since_epoch(battery, battery.local(at)) for at in (start, end))
    both = last.plus(first, -1)
    return both.charged * device.kilowatt_hours, both.discharged * device.kilowatt_hours


async def begin(hass: HomeAssistant, live: Live, at: datetime) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    live.freezer.move_to(at.astimezone(UTC))


class Watch:
    """Sees each state: energies fall at midnight only, to 0, together with the time since when they count."""

    def __init__(self, hass: HomeAssistant, serial: str) -> None:
        self._hass, self._serial = hass, serial
        self.last: dict[str, tuple[float, str]] = {}
        self.days: list[tuple[str, datetime, float]] = []

    def __call__(self) -> None:
        for key in KEYS:
            shown = found(self._hass, key, self._serial)
            if shown.state == "unavailable":
                continue
            assert shown.attributes["state_class"] == "total"
            value, since = float(shown.state), shown.attributes["last_reset"]
            before, began = self.last.get(key, (value, since))
            if since == began:
                assert value >= before
            else:
                self.days.append((key, datetime.now(UTC), value))
                assert datetime.fromisoformat(since) == datetime.now(BERLIN).replace(
                    hour=0, minute=0, second=0, microsecond=0
                )
            self.last[key] = value, since


async def test_zero_at_midnight_without_a_sample(hass: HomeAssistant, live: Live) -> None:
    await begin(hass, live, MIDNIGHT - timedelta(hours=3))
    device = one("dl5-1")
    await live.start(device)
    watch = Watch(hass, device.serial)
    await live(239, watch)
    assert [(key, value) for key, _, value in watch.days] == [(key, 0.0) for key in KEYS]
    # It looks when the next timer is due, which may be a second or two later.
    assert max(at for _, at, _ in watch.days) - MIDNIGHT < timedelta(seconds=10)
    _, discharged = flown(device, MIDNIGHT, device.sample_time(datetime.now(UTC)))
    assert discharged > 0.2
    assert number(hass, "energy_discharged_today", device.serial) == pytest.approx(discharged, abs=0.03)


@pytest.mark.parametrize("midnight", [SPRING, datetime(2026, 10, 25, tzinfo=BERLIN)])
async def test_days_of_23_and_25_hours(hass: HomeAssistant, live: Live, midnight: datetime) -> None:
    await begin(hass, live, midnight - timedelta(hours=1))
    device = one("dl5-1")
    await live.start(device)
    watch = Watch(hass, device.serial)
    end = datetime.combine(midnight.date() + timedelta(days=1), midnight.time(), BERLIN).astimezone(UTC)
    assert (end - midnight.astimezone(UTC)) != timedelta(days=1)
    await live((end - datetime.now(UTC)).total_seconds() / 60 - 1, watch)
    truth = flown(device, midnight, device.sample_time(datetime.now(UTC)))
    assert [number(hass, key, device.serial) for key in KEYS] == pytest.approx(truth, rel=0.02, abs=0.05)
    await live(2, watch)
    assert [number(hass, key, device.serial) for key in KEYS] == [0, 0]


@pytest.mark.parametrize("name", ["dl5-1", "junior-box"])
async def test_a_restart_over_midnight(hass: HomeAssistant, live: Live, name: str) -> None:
    """What is shown first is of the new day; what flowed before is not."""
    await begin(hass, live, MIDNIGHT - timedelta(hours=2))
    device = one(name)
    _, entry = await live.start(device)
    watch = Watch(hass, device.serial)
    await live(110, watch)
    before = number(hass, "energy_discharged_today", device.serial)
    assert before > 0.1
    await live.restart(entry, stopped_for=20)
    watch()
    assert len(watch.days) == 2
    assert number(hass, "energy_discharged_today", device.serial) < before / 3
    await live(50, watch)
    _, truth = flown(device, MIDNIGHT, device.sample_time(datetime.now(UTC)))
    assert number(hass, "energy_discharged_today", device.serial) == pytest.approx(truth, abs=0.03)
    today = number(hass, "energy_discharged_today", device.serial)
    await live.restart(entry)
    assert number(hass, "energy_discharged_today", device.serial) == today


@pytest.mark.parametrize("has_history", [True, False])
async def test_a_gap_over_midnight(hass: HomeAssistant, live: Live, *, has_history: bool) -> None:
    await begin(hass, live, MIDNIGHT - timedelta(hours=5))
    device = one("dl5-1", seed=1)
    cloud, _ = await live.start(device)
    await live(60)
    watch = Watch(hass, device.serial)
    watch()
    left = device.sample_time(datetime.now(UTC))
    cloud.add_fault(Fault("network_anomaly"))
    await live(360, watch)
    assert state(hass, "energy_discharged_today", device.serial) == "unavailable"
    cloud.clear_faults()
    if not has_history:
        cloud.add_fault(Fault("network_anomaly", path="/v1/device/getLastPowerDataBySn"))
    total = number(hass, "energy_discharged", device.serial)
    await live(20, watch)
    back = device.sample_time(datetime.now(UTC))
    rise = number(hass, "energy_discharged", device.serial) - total
    truth = flown(device, MIDNIGHT, back)[1]
    by_time = rise * (back - MIDNIGHT) / (back - left)
    assert rise > 1.3 * truth
    assert abs(truth - by_time) > 0.1
    shown = number(hass, "energy_discharged_today", device.serial)
    assert shown == pytest.approx(truth if has_history else by_time, abs=0.09)


async def test_the_real_recorder(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    """Over midnight into a day of 23 hours: no sum ever falls and nothing is counted twice.

    One battery counts its day itself with a clock that is seven minutes late, one is metered, and there is their sum.
    """
    for name in ("sqlalchemy.engine", "homeassistant"):
        logging.getLogger(name).setLevel(logging.WARNING)
    await begin(hass, live, SPRING - timedelta(hours=3))
    counting = JuniorBox(serial="DEMOCOUNTING-BMS", utc_offset=timedelta(minutes=53))
    metered = LowVoltage(serial="DEMOMETERED-BMS", model=DL5)
    _, entry = await live.start(counting, metered)
    start = datetime.now(UTC)
    of = {serial: dict[str, float]() for serial in (counting.serial, metered.serial, entry.entry_id)}
    while datetime.now(UTC) < start + timedelta(hours=15):
        now = datetime.now(UTC).timestamp()
        await live(((now // 300 + 1) * 300 + 10 - now) / 60)
        if datetime.now(UTC) > SPRING + timedelta(minutes=12) and "restarted" not in of:
            of["restarted"] = {}
            await live.restart(entry, stopped_for=2)
            continue
        await async_wait_recording_done(hass)
        begun = datetime.fromtimestamp(now // 300 * 300, UTC)
        get_instance(hass).queue_task(StatisticsTask(begun, False))
        await async_wait_recording_done(hass)
    of.pop("restarted")
    for serial, sums in of.items():
        for key in KEYS:
            entity_id = found(hass, key, serial).entity_id
            read = partial(
                statistics_during_period, hass, start, None, {entity_id}, "5minute", None, {"sum", "last_reset"}
            )
            rows = get_instance(hass)._db_executor.submit(read).result()[entity_id]
            assert len(rows) > 160
            assert all(after["sum"] >= before["sum"] - 1e-6 for before, after in pairwise(rows))
            assert len({row["last_reset"] for row in rows}) == 2
            sums[key] = rows[-1]["sum"] or 0.0
    for device in (counting, metered):
        truth = flown(device, start, datetime.now(UTC))
        assert truth[0] > 0.4
        assert truth[1] > 0.4
        for key, energy in zip(KEYS, truth, strict=True):
            # What flows between the last sample of a day and midnight is lost, and what flowed before the first one.
            assert energy - 0.1 < of[device.serial][key] < 1.02 * energy + 0.01
    for key in KEYS:
        both = of[counting.serial][key] + of[metered.serial][key]
        assert of[entry.entry_id][key] == pytest.approx(both, abs=0.02)
