"""What the user sees of each outcome of a read (product contract, section 5)."""

from dataclasses import replace
import logging
from typing import Any, cast
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import Replay
from emulator.faults import Fault, FaultKind

from .conftest import SERIAL, Poll, account_entry, all_states, state

REALTIME, STORAGE_LIST = "/v1/device/realTime/data", "/v1/device/storage/list"
UNAVAILABLE: list[FaultKind] = [
    "network_anomaly",
    "network_error",
    "device_timeout",
    "http_500",
    "http_502_html",
    "drop",
    "empty_body",
    "html",
    "garbage",
    "truncated",
    "text_data",
    "redirect",
    "hang",
]


@pytest.fixture(autouse=True)
def _impatient() -> Any:
    """Wait less for what never comes."""
    with patch("custom_components.dyness_atess.cloud.transport.TIMEOUT", 0.3):
        yield


@pytest.fixture(autouse=True)
def _clock(cloud: DynessCloud, freezer: FrozenDateTimeFactory) -> None:
    """Freeze before anything is set up, so that the ages of samples are those of the story."""


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name.startswith("custom_components.dyness_atess") and record.levelno >= logging.INFO
    ]


@pytest.mark.parametrize("kind", UNAVAILABLE)
async def test_unavailable(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    cloud: DynessCloud,
    poll: Poll,
    caplog: pytest.LogCaptureFixture,
    kind: FaultKind,
) -> None:
    before = all_states(hass)
    caplog.clear()
    cloud.add_fault(Fault(kind, path=REALTIME, serial=SERIAL))
    for _ in range(3):
        cloud.calls.clear()
        await poll()
        assert [call.path for call in cloud.calls if call.serial == SERIAL] == [REALTIME, REALTIME]  # one quiet retry
        states = all_states(hass)
        assert states.pop("work_status") == "fault"
        assert set(states.values()) == {"unavailable"}
        assert loaded.state is ConfigEntryState.LOADED
    assert [level for level, _ in logged(caplog)] == ["ERROR"]
    assert "PowerHaus" in logged(caplog)[0][1]
    assert SERIAL not in caplog.text
    cloud.clear_faults()
    await poll()
    assert all_states(hass) | {"last_report": ""} == before | {"last_report": ""}
    assert [level for level, _ in logged(caplog)] == ["ERROR", "INFO"]
    assert not hass.config_entries.flow.async_progress()


async def test_a_retry_helps_quietly(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    cloud.add_fault(Fault("network_anomaly", path=REALTIME, serial=SERIAL, times=1))
    await poll()
    assert state(hass, "soc") == "100"
    assert logged(caplog) == []


async def test_the_list_fails_alone(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    cloud.add_fault(Fault("http_500", path=STORAGE_LIST))
    for _ in range(7):
        await poll()
    assert state(hass, "work_status") == "unavailable"
    assert state(hass, "soc") == "100"
    assert len(logged(caplog)) == 1
    cloud.clear_faults()
    await poll()
    assert state(hass, "work_status") == "fault"
    assert [level for level, _ in logged(caplog)] == ["ERROR", "INFO"]


@pytest.mark.parametrize(
    "kind", ["rate_limited", "rate_limited_in_body", "null_data", "empty_data", "points_without_values"]
)
async def test_values_stay_while_young(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    cloud: DynessCloud,
    poll: Poll,
    caplog: pytest.LogCaptureFixture,
    kind: FaultKind,
) -> None:
    caplog.clear()
    cloud.add_fault(Fault(kind, path=REALTIME, serial=SERIAL))
    for _ in range(4):
        await poll()
        assert state(hass, "soc") == "100"
        assert state(hass, "online") == "on"
    assert logged(caplog) == []
    for _ in range(3):
        await poll()
    assert state(hass, "soc") == "unavailable"
    assert len(logged(caplog)) == 1
    cloud.clear_faults()
    await poll()
    assert state(hass, "soc") == "100"
    assert loaded.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("kind", ["rate_limited", "null_data"])
async def test_no_young_value_after_an_outage(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll, kind: FaultKind
) -> None:
    cloud.add_fault(Fault("network_anomaly", path=REALTIME, serial=SERIAL, times=2))
    cloud.add_fault(Fault(kind, path=REALTIME, serial=SERIAL))
    for _ in range(2):
        await poll()
        assert state(hass, "soc") == "unavailable"


async def test_old_sample(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll) -> None:
    """The dongle is offline; the cloud goes on answering with the last sample."""
    device = cast("Replay", cloud.devices[SERIAL])
    points = device.points(cloud.clock())
    reported = state(hass, "last_report")
    cloud.devices[SERIAL] = replace(device, recording=device.recording | {"points": points}, current=False)
    for _ in range(4):
        await poll()
        assert state(hass, "online") == "on"
        assert state(hass, "soc") == "100"
    for _ in range(3):
        await poll()
    states = all_states(hass)
    assert states.pop("online") == "off"
    assert states.pop("last_report") == reported
    assert states.pop("work_status") == "fault"
    assert states.pop("energy_charged") == states.pop("energy_discharged") == "0.0"
    assert set(states.values()) == {"unavailable"}
    cloud.devices[SERIAL] = device
    await poll()
    assert state(hass, "online") == "on"
    assert state(hass, "soc") == "100"


async def test_slow_quantities_outlast_a_sample_without_them(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    device = cast("Replay", cloud.devices[SERIAL])
    gaps = {"1200": "", "800": ""}
    points = [
        point | {"pointValue": gaps.get(point["pointId"], point["pointValue"])} for point in device.recording["points"]
    ]
    cloud.devices[SERIAL] = replace(device, recording=device.recording | {"points": points})
    await poll()
    assert state(hass, "soh") == "100"
    assert state(hass, "soc") == "unknown"


async def test_quantities_appear_when_first_seen(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    assert state(hass, "cycles") is None
    device = cast("Replay", cloud.devices[SERIAL])
    filled = {"900": "27"}
    points = [
        point | {"pointValue": filled.get(point["pointId"], point["pointValue"])}
        for point in device.recording["points"]
    ]
    cloud.devices[SERIAL] = replace(device, recording=device.recording | {"points": points})
    await poll()
    assert state(hass, "cycles") == "27"
    cloud.devices[SERIAL] = device
    await poll()
    assert state(hass, "cycles") == "27"


@pytest.mark.parametrize("path", [REALTIME, STORAGE_LIST])
async def test_rejected_later(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll, path: str
) -> None:
    cloud.add_fault(Fault("access_denied", path=path))
    for _ in range(7):
        await poll()
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    assert loaded.state is ConfigEntryState.LOADED
    cloud.clear_faults()
    result: Any = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"app_id": cloud.app_id, "app_secret": cloud.app_secret}
    )
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    await poll()
    assert state(hass, "soc") == "100"
    assert state(hass, "work_status") == "fault"


async def test_rejected_on_a_detail_call_is_only_unavailable(hass: HomeAssistant, cloud: DynessCloud) -> None:
    """A device that the account does not list has its model from a call that is no proof of bad credentials."""
    cast("Replay", cloud.devices[SERIAL]).listed = False
    cloud.add_fault(Fault("access_denied", path="/v1/device/household/storage/detail"))
    entry = account_entry(cloud, SERIAL)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not hass.config_entries.flow.async_progress()
    assert state(hass, "soc") == "100"
