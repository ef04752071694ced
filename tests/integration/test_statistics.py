"""Hours of long-term statistics, completed on the real recorder (product contract, section 7)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
import logging
from typing import Any

from homeassistant import loader
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import get_metadata, statistics_during_period
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.const import EVENT_RECORDER_5MIN_STATISTICS_GENERATED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done

from custom_components.dyness_atess.const import DOMAIN
from custom_components.dyness_atess.diagnostics import async_get_config_entry_diagnostics
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.history import PowerHistory
from emulator.dyness.storage import Storage
from emulator.dyness.throughput import since_epoch
from emulator.faults import Fault

from .conftest import Live, account_entry, logged, one

UNITS = {"power": "W", "unitless": "%", "energy": "kWh"}
ENERGIES = ("energy_charged", "energy_discharged")
FOREIGN = "sensor.foreign"
COUNTS = {"state_class": "total_increasing", "device_class": "energy", "unit_of_measurement": "kWh"}
MORNING = datetime(2026, 3, 23, 6, 50, tzinfo=UTC)
HISTORY = "/v1/device/getLastPowerDataBySn"


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
            self.hass.states.async_set(FOREIGN, f"{self.foreign:.1f}", COUNTS)
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
        read = partial(statistics_during_period, self.hass, since, None, {entity_id}, period, UNITS, types)
        found = get_instance(self.hass)._db_executor.submit(read).result()
        return {datetime.fromtimestamp(row["start"], UTC): row for row in found.get(entity_id, [])}

    def all_rows(self) -> dict[str, Any]:
        return {key: self.rows(self.id_of(key)) for key in ("power", "soc", *ENERGIES)}

    def changes(self, key: str) -> dict[int, float]:
        """Return what an energy rose by in each hour of the day (from the second row on)."""
        rows = self.rows(self.id_of(key))
        found = {after.hour: rows[after]["sum"] - rows[before]["sum"] for before, after in pairwise(sorted(rows))}
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
            assert self.rows(self.id_of("soc"))[start]["mean"] == pytest.approx(self.soc(start), abs=2.5), hour

    def soc(self, hour: datetime) -> float:
        return self.device.battery.at(hour + timedelta(minutes=30)).soc

    def check_foreign(self) -> None:
        """Nobody else's rows are missing or other than they were."""
        rows = self.rows(FOREIGN)
        steps = [row["sum"] for row in rows.values()]
        assert all(after - before == timedelta(hours=1) for before, after in pairwise(sorted(rows)))
        assert [after - before for before, after in pairwise(steps)] == pytest.approx([1.2] * (len(steps) - 1))


async def begin(
    hass: HomeAssistant, live: Live, device: Storage, at: datetime = MORNING, **options: Any
) -> tuple[Recording, DynessCloud, MockConfigEntry]:
    live.freezer.move_to(at)
    recording = Recording(hass, live, device)
    cloud, entry = await live.start(device, **options)
    return recording, cloud, entry


def history_calls(cloud: DynessCloud) -> int:
    return sum(call.path == HISTORY for call in cloud.calls)


def completed(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for _, line in logged(caplog) if "completed" in line]


async def away(recording: Recording, cloud: DynessCloud, *, before: float = 90, after: float = 130) -> None:
    """Have the cloud away from 08:20 to 11:40."""
    await recording(before)
    cloud.add_fault(Fault("network_anomaly"))
    await recording(200)
    cloud.clear_faults()
    await recording(after)


async def test_a_cloud_that_was_away(
    recorder_mock: Any, hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    """The kWh stand in the hours in which they flowed, at the cost of one call, and once."""
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
    recording.check(range(7, 13))
    recording.check_foreign()
    lines = completed(caplog)
    assert ["3 hours" in line for line in lines] == [False, True, False]  # the first day, the gap, the hour of return
    assert not any(recording.device.serial in line for line in lines)
    before = recording.all_rows()
    await live.restart(entry)
    await recording(65)
    after = recording.all_rows()
    assert all(after[key][hour] == row for key, rows in before.items() for hour, row in rows.items())
    assert completed(caplog) == lines
    assert hass.bus.async_listeners()[EVENT_RECORDER_5MIN_STATISTICS_GENERATED] == 1
    await live.until(hass.config_entries.async_unload(entry.entry_id))
    assert EVENT_RECORDER_5MIN_STATISTICS_GENERATED not in hass.bus.async_listeners()


async def test_figures_in_diagnostics(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    recording, _, entry = await begin(hass, live, one("dl5-1"))
    await recording(20)
    content = await live.until(async_get_config_entry_diagnostics(hass, entry))
    assert content["devices"][0]["statistics"] == {"hours": 7, "gaps": 1, "from": "day's history"}


async def test_the_first_day(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    """State of charge and power are completed from the plant's midnight on, energies are not."""
    recording, cloud, _ = await begin(hass, live, one("dl5-1"))
    await recording(80)
    assert history_calls(cloud) == 1
    midnight = MORNING - timedelta(hours=7, minutes=50)
    for key in ("power", "soc"):
        rows = recording.rows(recording.id_of(key))
        assert sorted(rows) == [midnight + timedelta(hours=number) for number in range(9)]
    for hour, row in recording.rows(recording.id_of("power")).items():
        charged, discharged = recording.truth(hour)
        assert row["mean"] / 1000 == pytest.approx(discharged - charged, abs=0.01 if hour.hour != 7 else 0.05)
    for key in ENERGIES:
        assert min(recording.rows(recording.id_of(key))).hour == 6
    recording.check_foreign()


async def test_over_midnight(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    """What flowed before midnight, of which the history tells nothing, stays on its day."""
    device = one("dl5-1")
    evening = datetime(2026, 3, 23, 20, 50, tzinfo=UTC)
    recording, cloud, _ = await begin(hass, live, device, evening)
    await recording(30)
    cloud.add_fault(Fault("network_anomaly"))
    await recording(240)  # the plant's midnight is at 23:00
    cloud.clear_faults()
    await recording(130)
    changes = recording.changes("energy_discharged")
    assert min(changes.values()) >= 0
    # Hours before midnight are not invented: all that flowed in them stands in the last one.
    told = [
        sum(recording.truth(evening.replace(hour=hour, minute=0))[1] for hour in hours) for hours in ((21, 22), (23,))
    ]
    assert changes[22] + changes[21] == pytest.approx(told[0], abs=0.15)
    assert changes[23] == pytest.approx(told[1], abs=0.1)
    assert changes[0] == pytest.approx(recording.truth(evening + timedelta(hours=3, minutes=10))[1], abs=0.1)
    recording.check_foreign()


@pytest.mark.parametrize("recorder_config", [{"exclude": {"entity_globs": ["sensor.*_energy_charged"]}}])
async def test_what_the_recorder_leaves_out(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    recording, cloud, _ = await begin(hass, live, one("dl5-1"))
    await away(recording, cloud)
    excluded = recording.id_of("energy_charged")
    assert not recording.rows(excluded)
    assert excluded not in get_metadata(hass, statistic_ids={excluded})
    charged, _ = recording.truth(MORNING.replace(hour=9, minute=0))
    rows = recording.rows(recording.id_of("power"))
    assert rows[MORNING.replace(hour=9, minute=0)]["mean"] == pytest.approx(-charged * 1000, abs=20)
    recording.check_foreign()


async def test_without_a_recorder(hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture) -> None:
    live.freezer.move_to(MORNING)
    device = one("tower-t14")
    cloud, _ = await live.start(device)
    await live(60)
    assert not history_calls(cloud)
    hass.bus.async_fire("recorder_5min_statistics_generated")
    await live(5)
    assert not completed(caplog)


async def test_turned_off_and_renamed(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    """What its owner has turned off is left alone, and what he has renamed is found."""
    recording, cloud, _ = await begin(hass, live, one("dl5-1"))
    await recording(90)
    cloud.add_fault(Fault("network_anomaly"))
    await recording(100)
    registry, off = er.async_get(hass), recording.id_of("soc")
    registry.async_update_entity(off, disabled_by=er.RegistryEntryDisabler.USER)
    registry.async_update_entity(recording.id_of("energy_charged"), new_entity_id="sensor.into_the_battery")
    await live(0)
    before = recording.rows(off)
    await recording(100)
    cloud.clear_faults()
    await recording(130)
    assert recording.id_of("energy_charged") == "sensor.into_the_battery"
    changes = recording.changes("energy_charged")
    for hour in range(8, 12):
        assert changes[hour] == pytest.approx(recording.truth(MORNING.replace(hour=hour, minute=0))[0], abs=0.1)
    assert recording.rows(off) == before
    recording.check_foreign()


async def test_a_unit_of_its_owner(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    """Rows stay in the unit of their metadata."""
    recording, cloud, _ = await begin(hass, live, one("dl5-1"))
    await recording(40)
    energy = recording.id_of("energy_charged")
    er.async_get(hass).async_update_entity_options(energy, "sensor", {"unit_of_measurement": "Wh"})
    await away(recording, cloud, before=50)
    (_, metadata), *_ = get_metadata(hass, statistic_ids={energy}).values()
    assert metadata["unit_of_measurement"] == "kWh"
    assert hass.states.get(energy).attributes["unit_of_measurement"] == "Wh"  # type: ignore[union-attr]
    recording.check(range(7, 13))
    recording.check_foreign()


@pytest.mark.parametrize(
    ("history", "energies"),
    [(None, False), (PowerHistory(yesterday=True), False), (PowerHistory(soc_only_null=True), True)],
)
async def test_history_that_says_little(
    recorder_mock: Any, hass: HomeAssistant, live: Live, history: PowerHistory | None, *, energies: bool
) -> None:
    recording, cloud, _ = await begin(hass, live, one("dl5-1", history=history))
    await away(recording, cloud)
    nine = MORNING.replace(hour=9, minute=0)
    assert (recording.changes("energy_charged")[9] > 0.5) is energies
    assert (nine in recording.rows(recording.id_of("power"))) is energies
    assert nine not in recording.rows(recording.id_of("soc"))
    assert min(recording.changes("energy_charged").values()) >= 0
    recording.check_foreign()


async def test_history_of_another_time(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    """Hours that contradict the change of the state of charge are not taken."""
    shifted = PowerHistory(shift=timedelta(hours=-3))
    recording, cloud, _ = await begin(hass, live, one("dl5-1", history=shifted))
    await away(recording, cloud)
    assert recording.changes("energy_charged")[9] == 0
    assert MORNING.replace(hour=9, minute=0) not in recording.rows(recording.id_of("power"))


async def test_a_history_that_comes_late(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    """It is asked for again while it fails; the total has jumped by then."""
    recording, cloud, _ = await begin(hass, live, one("dl5-1"))
    await recording(90)
    cloud.add_fault(Fault("network_anomaly"))
    await recording(200)
    cloud.clear_faults()
    cloud.add_fault(Fault("http_500", path=HISTORY))
    calls = history_calls(cloud)
    await recording(25)
    assert history_calls(cloud) > calls + 1
    cloud.clear_faults()
    await recording(130)
    recording.check(range(7, 13))
    recording.check_foreign()


async def test_a_device_that_counts(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    """Its own counters need no history for the total, and their hours do."""
    recording, cloud, _ = await begin(hass, live, one("tower-t14"))
    await recording(90)
    calls = history_calls(cloud)
    cloud.add_fault(Fault("network_anomaly"))
    await recording(200)
    cloud.clear_faults()
    await recording(130)
    assert history_calls(cloud) == calls + 1
    changes = recording.changes("energy_charged")
    for hour in range(8, 12):
        assert changes[hour] == pytest.approx(recording.truth(MORNING.replace(hour=hour, minute=0))[0], abs=0.25)
    recording.check_foreign()


async def test_never_before_the_recorder(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    """Nothing is imported but behind the recorder's event, and no hour that has not been compiled."""
    recording, cloud, _ = await begin(hass, live, one("dl5-1"))
    await recording(90)
    cloud.add_fault(Fault("network_anomaly"))
    await recording(145)  # until 10:45
    cloud.clear_faults()
    await recording(10)
    flat = recording.rows(recording.id_of("energy_charged"))
    at_eleven = MORNING.replace(hour=11, minute=0, second=5)
    await live((at_eleven - datetime.now(UTC)).total_seconds() / 60)
    hass.bus.async_fire("recorder_5min_statistics_generated")  # one that is late
    await recording.settle()
    assert MORNING.replace(hour=10, minute=0) not in recording.rows(recording.id_of("energy_charged"))
    assert len(flat) == len(recording.rows(recording.id_of("energy_charged")))
    await live(5 / 60)
    await recording.compile()
    assert MORNING.replace(hour=10, minute=0) in recording.rows(recording.id_of("energy_charged"))
    await recording(70)
    recording.check(range(7, 12))
    assert [hour.hour for hour in sorted(recording.rows(FOREIGN))] == list(range(6, 12))


async def test_longer_away_than_states_are_kept(recorder_mock: Any, hass: HomeAssistant, live: Live) -> None:
    recording, _, entry = await begin(hass, live, one("dl5-1"))
    await recording(90)
    before = recording.all_rows()
    await live.restart(entry, stopped_for=11 * 24 * 60)
    recording.begin = MORNING
    await recording(75)
    after = recording.all_rows()
    for key, rows in before.items():
        assert all(after[key][hour] == row for hour, row in rows.items())
    assert min(recording.changes("energy_charged").values()) >= 0
    since = {hour.date() for hour in recording.rows(recording.id_of("power"))}
    assert since == {MORNING.date(), (MORNING - timedelta(days=1)).date(), (MORNING + timedelta(days=11)).date()}


@pytest.mark.parametrize("persistent_database", [True])
@pytest.mark.parametrize("enable_missing_statistics", [True])
@pytest.mark.parametrize("expected_lingering_timers", [True])  # of the process that ended
@pytest.mark.parametrize("kills", [False, True])
async def test_home_assistant_stopped(
    hass: HomeAssistant,
    live: Live,
    async_test_recorder: Any,
    caplog: pytest.LogCaptureFixture,
    *,
    kills: bool,
) -> None:
    """The recorder makes rows of what it held, for everybody: those of ours are replaced, and nobody else's."""
    device = one("dl5-1")
    live.freezer.move_to(MORNING)
    async with async_test_home_assistant() as first, async_test_recorder(first):
        live._hass = first
        first.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        recording, cloud, entry = await begin(first, live, device)
        await recording(90)
        if kills:
            await live.until(entry.runtime_data.memory._learned_store.async_save(entry.runtime_data.memory._to_write()))
            first.bus._listeners.clear()
        await live.until(first.async_stop(force=True))
    left = recording.foreign
    live.freezer.move_to(MORNING + timedelta(minutes=290))
    async with async_test_home_assistant() as second:
        second.set_state(CoreState.not_running)
        async with async_test_recorder(second, wait_recorder=False):
            live._hass = second
            caplog.clear()
            caplog.set_level(logging.INFO)
            again = Recording(second, live, device)
            again.begin, again.foreign = MORNING, left
            second.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            entry = account_entry(cloud, entry_id=entry.entry_id)
            entry.add_to_hass(second)
            await live.until(second.config_entries.async_setup(entry.entry_id))
            second.states.async_set(FOREIGN, "unavailable", COUNTS)
            await live.until(second.async_start())
            await again.settle()
            nine = MORNING.replace(hour=9, minute=0)
            assert not completed(caplog)
            await again(10)
            assert completed(caplog)
            await again(120)
            rows = again.rows(FOREIGN)
            assert [hour.hour for hour in sorted(rows)] == list(range(6, 13))
            assert [rows[hour]["sum"] - rows[nine]["sum"] for hour in rows if 8 <= hour.hour <= 10] == [0, 0, 0]
            again.check(range(7, 13))
            await live.until(second.config_entries.async_unload(entry.entry_id))
            await live.until(second.async_stop(force=True))
