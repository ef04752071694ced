"""What the user sees of outcomes of a read (product contract, section 5); `test_fault_matrix.py` has all of them."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
import logging
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest

from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault, FaultKind

from .conftest import SERIAL, Live, issues, logged, number, one, serials_of, state, states_of

REALTIME, STORAGE_LIST = "/v1/device/realTime/data", "/v1/device/storage/list"
MODULE = "DEMO000000000001"
LIMITS: list[FaultKind] = ["rate_limited", "rate_limited_in_body"]
STAYS = {"energy_charged", "energy_discharged", "energy_rated", "soh", "module_count", "last_report", "work_status"}

pytestmark = pytest.mark.usefixtures("everything_on")


def now() -> datetime:
    return datetime.now(UTC)


async def test_unavailable(hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture) -> None:
    cloud, entry = await live.start(PowerHaus())
    await live(6)
    before = states_of(hass, entry, SERIAL)
    caplog.clear()
    cloud.add_fault(Fault("network_anomaly", path=REALTIME, serial=SERIAL))
    lost: list[datetime] = []
    cloud.calls.clear()
    await live(10, lambda: lost.append(now()) if state(hass, "soc") == "unavailable" else None)
    first, *others = [call.at for call in cloud.calls if call.serial == SERIAL]
    assert 9 < (others[0] - first).total_seconds() < 12
    assert others[0] <= lost[0]
    states = states_of(hass, entry, SERIAL)
    assert states.pop("online") == "off"
    assert {key for key, shown in states.items() if shown != "unavailable"} == STAYS
    assert {key: states[key] for key in STAYS} == {key: before[key] for key in STAYS}
    assert state(hass, "online", MODULE) == "on"
    assert entry.state is ConfigEntryState.LOADED
    assert [level for level, _ in logged(caplog)] == ["ERROR"]
    assert "PowerHaus" in logged(caplog)[0][1]
    cloud.clear_faults()
    await live(6)
    assert "unavailable" not in states_of(hass, entry, SERIAL).values()
    assert [level for level, _ in logged(caplog)] == ["ERROR", "INFO"]
    assert not [text for _, text in logged(caplog, logging.DEBUG) if SERIAL in text]
    assert not hass.config_entries.flow.async_progress()


async def test_asked_again_less_and_less_often(hass: HomeAssistant, live: Live) -> None:
    cloud, _ = await live.start(PowerHaus(module_serial=""))
    cloud.add_fault(Fault("network_anomaly", serial=SERIAL))
    cloud.calls.clear()
    await live(8 * 60)
    asked = [call.at for call in cloud.calls if (call.serial, call.path) == (SERIAL, REALTIME)]
    gaps = [round((later - earlier).total_seconds()) for earlier, later in pairwise(asked)]
    assert gaps == [10] + 5 * [60] + 71 * [300] + gaps[77:]
    assert set(gaps[77:]) == {1800}


@pytest.mark.parametrize("names", [["dl5-1"], ["tower-13"], ["dl5-1", "powerhaus", "tower-t14"]])
@pytest.mark.parametrize(("minutes", "back"), [(2, 70), (10, 300), (60, 300)])
async def test_back_after_an_outage(
    hass: HomeAssistant, live: Live, names: list[str], minutes: float, back: float
) -> None:
    """What failed with the first that answers is asked at once."""
    masters = [one(name) for name in names]
    serials = [serial for master in masters for serial in (master.serial, *serials_of(master))]
    cloud, _ = await live.start(*masters)
    await live(70)
    cloud.add_fault(Fault("network_anomaly"))
    while "off" not in {state(hass, "online", master.serial) for master in masters}:
        await live(0.5)
    await live(minutes)
    cloud.clear_faults()
    await live((back + len(serials)) / 60 + 0.2)
    assert {state(hass, "online", serial) for serial in serials} == {"on"}


@pytest.mark.parametrize("kind", [*LIMITS, "null_data", "empty_data", "points_without_values"])
async def test_values_stay_while_young(
    hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture, kind: FaultKind
) -> None:
    """Also F2 and F7."""
    device = one("dl5-1")
    cloud, entry = await live.start(device)
    await live(6)
    soc, young_until = state(hass, "soc", device.serial), device.sample_time(now()) + timedelta(minutes=30)
    caplog.clear()
    cloud.add_fault(Fault(kind, path=REALTIME, serial=device.serial))
    await live((young_until - now()).total_seconds() / 60 - 0.1)
    assert state(hass, "soc", device.serial) == soc
    assert state(hass, "online", device.serial) == "on"
    assert logged(caplog, logging.WARNING) == []
    await live(1.2)
    assert state(hass, "soc", device.serial) == "unavailable"
    assert state(hass, "online", device.serial) == "off"
    await live(30)
    assert [level for level, _ in logged(caplog, logging.WARNING)] == ["ERROR"]
    cloud.clear_faults()
    await live(11)
    assert state(hass, "online", device.serial) == "on"
    lines = [text for _, text in logged(caplog) if "calls until" in text]
    assert len(lines) == (1 if kind in LIMITS else 0)
    await live(6)
    assert not issues(hass, "waiting")
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("kind", ["rate_limited", "null_data"])
async def test_no_young_value_after_an_outage(hass: HomeAssistant, live: Live, kind: FaultKind) -> None:
    cloud, _ = await live.start(PowerHaus())
    cloud.add_fault(Fault("network_anomaly", path=REALTIME, serial=SERIAL, times=2))
    cloud.add_fault(Fault(kind, path=REALTIME, serial=SERIAL))
    await live(7)
    assert state(hass, "soc") == "unavailable"
    await live(5)
    assert state(hass, "soc") == "unavailable"


async def test_an_old_sample(hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture) -> None:
    """The dongle is offline; the cloud goes on answering with the last sample (also F24)."""
    tower = one("tower-t14", offline_since=now())
    _, entry = await live.start(tower)
    before = states_of(hass, entry, tower.serial)
    await live(24)
    assert state(hass, "online", tower.serial) == "on"
    caplog.clear()
    await live(10)
    states = states_of(hass, entry, tower.serial)
    assert states.pop("online") == "off"
    stays = {key for key, shown in states.items() if shown != "unavailable"}
    assert stays == (STAYS | {"cycles"}) & before.keys()
    assert {key: states[key] for key in stays} == {key: before[key] for key in stays}
    tower.offline_since = None
    await live(11)
    assert "unavailable" not in states_of(hass, entry, tower.serial).values()


async def test_an_older_sample_changes_nothing(hass: HomeAssistant, live: Live) -> None:
    """From a replica of the cloud that lags behind."""
    device = one("dl5-1")
    _, entry = await live.start(device)
    await live(11)
    before = states_of(hass, entry, device.serial)
    device.offline_since = now() - timedelta(minutes=9)
    await live(6)
    assert states_of(hass, entry, device.serial) == before
    device.offline_since = None
    await live(5)
    assert state(hass, "last_report", device.serial) != before["last_report"]


@pytest.mark.parametrize("missing", ["", None])
async def test_a_sample_without_a_state_of_charge(hass: HomeAssistant, live: Live, missing: str | None) -> None:
    """Whose history cannot be read either; it comes back with the next sample that has it."""
    device = one("dl5-1")
    cloud, _ = await live.start(device)
    await live(6)
    device.overrides = {"800": missing}
    cloud.add_fault(Fault("network_anomaly", path="/v1/device/getLastPowerDataBySn"))
    await live(6)
    assert state(hass, "soc", device.serial) == "unknown"
    assert number(hass, "voltage", device.serial)
    assert state(hass, "soh", device.serial) == "100"
    device.overrides = {}
    await live(5)
    assert number(hass, "soc", device.serial) == device.truth(now())["soc"]


class TestRejected:
    @staticmethod
    def asked(hass: HomeAssistant, entry: Any) -> int:
        return len(list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})))

    @pytest.mark.parametrize("others_answer", ["network_anomaly", "null_data", None])
    async def test_everything(
        self, hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture, others_answer: FaultKind | None
    ) -> None:
        """Also F6. Any answer but a rejection takes the request back, be it an empty one of a module."""
        cloud, entry = await live.start(PowerHaus())
        cloud.add_fault(Fault("access_denied"))
        await live(6)
        assert self.asked(hass, entry) == 1
        cloud.calls.clear()
        await live(60)
        assert len(cloud.calls) < 50
        assert {call.serial for call in cloud.calls if call.path == REALTIME} == {SERIAL, MODULE}
        assert entry.state is ConfigEntryState.LOADED
        cloud.clear_faults()
        if others_answer:
            cloud.add_fault(Fault(others_answer, serial=MODULE))
            cloud.add_fault(Fault("http_500", path=STORAGE_LIST))
            cloud.add_fault(Fault("access_denied", serial=SERIAL))
        await live(31)
        assert self.asked(hass, entry) == 0

    @pytest.mark.parametrize("times", [1, None])
    async def test_one_device(self, hass: HomeAssistant, live: Live, times: int | None) -> None:
        """The list is asked at once, and its answer proves the credentials."""
        cloud, entry = await live.start(PowerHaus())
        cloud.add_fault(Fault("access_denied", serial=SERIAL, times=times))
        cloud.add_fault(Fault("network_anomaly", serial=SERIAL))
        asked: set[int] = set()
        await live(60, lambda: asked.add(self.asked(hass, entry)))
        assert asked == {0}
        assert state(hass, "soc") == "unavailable"

    async def test_a_detail(self, hass: HomeAssistant, live: Live) -> None:
        """A device that the account does not list has its model from a call that proves nothing."""
        denied = Fault("access_denied", path="/v1/device/household/storage/detail")
        _, entry = await live.start(PowerHaus(listed=False), added=[SERIAL], faults=[denied])
        assert self.asked(hass, entry) == 0
        assert state(hass, "online") == "on"

    @pytest.mark.parametrize(("hours", "minutes"), [(-3, "180"), (2, "-120"), (0, None), (None, None)])
    async def test_by_a_wrong_clock(
        self, hass: HomeAssistant, live: Live, hours: float | None, minutes: str | None
    ) -> None:
        """A repair names the error of the clock; where it is right or not known, other credentials are asked for."""
        date = "yesterday" if hours is None else format_datetime(now() + timedelta(hours=hours), usegmt=True)
        with patch("aiohttp.web_response.rfc822_formatted_time", lambda: date):
            _, entry = await live.start(PowerHaus(), faults=[Fault("access_denied")])
        found = [issue.translation_placeholders for issue in issues(hass, "clock")]
        assert found == ([{"minutes": minutes}] if minutes else [])
        assert self.asked(hass, entry) == (0 if minutes else 1)
        await live(6)
        assert not issues(hass, "clock")
        assert self.asked(hass, entry) == 1
