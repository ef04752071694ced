"""Hours of long-term statistics, completed on the real recorder (product contract, section 7)."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
import logging
from typing import Any

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.models import StatisticData
from homeassistant.components.recorder.statistics import get_metadata, statistics_during_period
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done

from custom_components.dyness_atess.account import statistics
from custom_components.dyness_atess.const import DOMAIN
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.history import PowerHistory
from emulator.dyness.storage import Storage
from emulator.dyness.throughput import since_epoch
from emulator.faults import Fault

from .conftest import Live, logged, one

UNITS = {"power": "W", "unitless": "%", "energy": "kWh"}
ENERGIES = ("energy_charged", "energy_discharged")
FOREIGN = "sensor.foreign"
MORNING = datetime(2026, 3, 23, 6, 50, tzinfo=UTC)
HISTORY = "getLastPowerDataBySn"


@pytest.fixture
def mock_recorder_before_hass(async_test_recorder: Any) -> None:
    """Have the recorder patched before Home Assistant is made."""


@pytest.fixture(autouse=True)
def _quiet() -> None:
    for name in ("sqlalchemy.engine", "homeassistant"):
        logging.getLogger(name).setLevel(logging.WARNING)


class Recording:
    """Lets time pass as the recorder sees it: it compiles each five minutes, and another entity counts beside ours."""

    def __init__(self, hass: HomeAssistant, live: Live, device: Storage) -> None:
        self.hass, self.live, self.device = hass, live, device
        self.foreign = 0.0
        self.begin = datetime.now(UTC)

    async def __call__(self, minutes: float) -> None:
        """Let so much time pass, to ten seconds after the next full five minutes."""
        end = datetime.now(UTC) + timedelta(minutes=minutes)
        while datetime.now(UTC) < end:
            self.foreign += 0.1
            attributes = {"state_class": "total_increasing", "device_class": "energy", "unit_of_measurement": "kWh"}
            self.hass.states.async_set(FOREIGN, f"{self.foreign:.1f}", attributes)
            now = datetime.now(UTC).timestamp()
            await self.live(((now // 300 + 1) * 300 + 10 - now) / 60)
            await self.compile()

    async def compile(self) -> None:
        """Compile the last five minutes, and wait until all that follows from it has been imported."""
        start = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 300 * 300 - 300, UTC)
        await async_wait_recording_done(self.hass)
        get_instance(self.hass).queue_task(StatisticsTask(start, True))
        await self.settle()

    async def settle(self) -> None:
        for _ in range(3):
            await async_wait_recording_done(self.hass)
            await self.live(0)

    def id_of(self, key: str) -> str:
        entity_id = er.async_get(self.hass).async_get_entity_id("sensor", DOMAIN, f"{self.device.serial}-{key}")
        assert entity_id
        return entity_id

    def rows(self, entity_id: str, period: Any = "hour") -> dict[datetime, Any]:
        """Return all rows since yesterday, by hour, in the units of the readings."""
        types: Any = {"state", "sum", "mean", "min", "max"}
        since = self.begin - timedelta(days=1)
        found = statistics_during_period(self.hass, since, None, {entity_id}, period, UNITS, types)
        return {datetime.fromtimestamp(row["start"], UTC): row for row in found.get(entity_id, [])}

    def all_rows(self) -> dict[str, Any]:
        return {key: self.rows(self.id_of(key)) for key in ("power", "soc", *ENERGIES)}

    def changes(self, key: str) -> dict[int, float]:
        """Return what an energy rose by in each hour of the day (from the second row on)."""
        rows = self.rows(self.id_of(key))
        hours = sorted(rows)
        found = {after.hour: rows[after]["sum"] - rows[before]["sum"] for before, after in zip(hours, hours[1:])}
        assert len({round(row["sum"] - row["state"], 3) for row in rows.values()}) <= 1
        return found

    def truth(self, hour: datetime) -> tuple[float, float]:
        """Return what was charged and discharged in an hour, kWh."""
        battery = self.device.battery
        first, last = (since_epoch(battery, battery.local(at)) for at in (hour, hour + timedelta(hours=1)))
        flown = last.plus(first, -1)
        return flown.charged * self.device.kilowatt_hours, flown.discharged * self.device.kilowatt_hours

    def check(self, hours: Iterable[int], day: datetime = MORNING) -> None:
        """Energies and power of these hours are what flowed in them, and nothing ever falls."""
        mean = self.rows(self.id_of("power"))
        for direction, key in enumerate(ENERGIES):
            changes = self.changes(key)
            assert min(changes.values()) >= 0
            for hour in hours:
                start = day.replace(hour=hour, minute=0)
                assert changes[hour] == pytest.approx(self.truth(start)[direction], abs=0.1), (key, hour)
        for hour in hours:
            start = day.replace(hour=hour, minute=0)
            charged, discharged = self.truth(start)
            assert mean[start]["mean"] / 1000 == pytest.approx(discharged - charged, abs=0.05), hour
            assert self.rows(self.id_of("soc"))[start]["mean"] == pytest.approx(self.soc(start), abs=1.5), hour
        self.check_foreign()

    def soc(self, hour: datetime) -> float:
        return self.device.battery.at(hour + timedelta(minutes=30)).soc

    def check_foreign(self) -> None:
        """Nobody else's rows are missing or other than they were."""
        rows = self.rows(FOREIGN)
        hours, steps = sorted(rows), [row["sum"] for row in rows.values()]
        assert all(after - before == timedelta(hours=1) for before, after in zip(hours, hours[1:]))
        assert [after - before for before, after in zip(steps, steps[1:])] == pytest.approx([1.2] * (len(steps) - 1))


async def begin(
    hass: HomeAssistant, live: Live, device: Storage, at: datetime = MORNING, **options: Any
) -> tuple[Recording, DynessCloud, MockConfigEntry]:
    live.freezer.move_to(at)
    recording = Recording(hass, live, device)
    cloud, entry = await live.start(device, **options)
    return recording, cloud, entry


def history_calls(cloud: DynessCloud) -> int:
    return sum(HISTORY in call.path for call in cloud.calls)


async def test_a_cloud_that_was_away(
    recorder_mock: Any, hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    recording, cloud, entry = await begin(hass, live, one("dl5-1"))
    caplog.set_level(logging.INFO)
    await recording(90)
    calls = history_calls(cloud)
    cloud.add_fault(Fault("network_anomaly"))
    await recording(200)
    assert MORNING.replace(hour=9, minute=0) not in recording.rows(recording.id_of("power"))
    assert recording.changes("energy_charged")[9] == recording.changes("energy_discharged")[9] == 0
    cloud.clear_faults()
    await recording(130)
    assert history_calls(cloud) == calls + 1
    print({key: recording.changes(key) for key in ENERGIES}, [recording.truth(MORNING.replace(hour=h, minute=0)) for h in range(7, 13)])
    print({k.hour: v["mean"] for k, v in recording.rows(recording.id_of("power")).items()})
    recording.check(range(7, 13))
    lines = [line for _, line in logged(caplog) if "completed" in line]
    assert 1 <= len(lines) <= 3
    print(lines)
    assert not any(recording.device.serial in line for line in lines)
    before = recording.all_rows()
    await live.restart(entry)
    await recording(65)
    after = recording.all_rows()
    changed = {(key, hour.hour): (row, after[key][hour]) for key, rows in before.items() for hour, row in rows.items() if row != after[key][hour]}
    assert not changed
