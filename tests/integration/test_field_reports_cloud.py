"""What users ran into with the cloud and over the months, by the numbers of reference/field-reports.md.

F1 to F9 and F38 to F49; what only a form can show is in test_config_flow.py, an update in test_upgrade.py.
"""

import logging
import re
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.account.account import account_queue
from custom_components.dyness_atess.account.coordinator import READINGS_INTERVAL
from custom_components.dyness_atess.const import CONF_CAPACITY, CONF_HOURLY_CALLS, DOMAIN
from emulator.dyness.catalogue import CATALOGUE, build
from emulator.faults import Fault, FaultKind

from .conftest import NOON, Poll, Start, state
from .test_field_reports import number, one, restart, serials_of, unique_ids

REALTIME = "/v1/device/realTime/data"
CHINESE = re.compile(r"[\u3400-\u9fff]")


def available(hass: HomeAssistant, entry: MockConfigEntry, serial: str) -> bool:
    """Whether everything of a device has a state, or nothing of it."""
    registry = er.async_get(hass)
    found = [
        hass.states.get(one.entity_id)
        for one in er.async_entries_for_config_entry(registry, entry.entry_id)
        if one.unique_id.startswith(f"{serial}-") and not one.unique_id.endswith("-work_status")
    ]
    (verdict,) = {one.state != "unavailable" for one in found if one}
    return verdict


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    of_us = [record for record in caplog.records if record.name.startswith("custom_components.dyness_atess")]
    return [record.getMessage() for record in of_us if record.levelno >= logging.WARNING]


LIMITS: list[FaultKind] = ["rate_limited", "rate_limited_in_body"]


@pytest.mark.parametrize("kind", LIMITS)
async def test_f1_a_module_is_limited(
    hass: HomeAssistant, start: Start, poll: Poll, caplog: pytest.LogCaptureFixture, kind: FaultKind
) -> None:
    device = one("dl5-2")
    cloud, entry = await start(device)
    await poll()
    limited, other = serials_of(device)
    before = state(hass, "last_report", other)
    caplog.clear()
    cloud.add_fault(Fault(kind, path=REALTIME, serial=limited))
    for _ in range(5):
        await poll()
        assert available(hass, entry, limited)
    assert warnings(caplog) == []
    assert before != state(hass, "last_report", other)
    await poll()
    await poll()
    assert not available(hass, entry, limited)
    assert available(hass, entry, other)
    assert available(hass, entry, device.serial)


@pytest.mark.parametrize("kind", LIMITS)
async def test_f2_the_master_is_limited(hass: HomeAssistant, start: Start, poll: Poll, kind: FaultKind) -> None:
    device = one("dl5-1")
    cloud, entry = await start(device)
    soc = state(hass, "soc", device.serial)
    cloud.add_fault(Fault(kind, path=REALTIME, times=1))
    await poll()
    assert state(hass, "soc", device.serial) == soc
    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data.queue.slowness == 1
    await poll()
    assert state(hass, "soc", device.serial) != soc


@pytest.mark.parametrize("kind", [*LIMITS, "network_anomaly", "empty_body", "garbage", "hang", "null_data"])
async def test_f3_the_first_refresh_fails(
    hass: HomeAssistant, start: Start, poll: Poll, monkeypatch: pytest.MonkeyPatch, kind: FaultKind
) -> None:
    monkeypatch.setattr("custom_components.dyness_atess.cloud.transport.TIMEOUT", 0.6)
    device = one("dl5-1")
    cloud, entry = await start(device, faults=[Fault(kind)])
    assert entry.state is ConfigEntryState.LOADED
    registry = dr.async_get(hass)
    assert not registry.async_get_device_by_identifier((DOMAIN, device.serial), entry.entry_id)
    assert unique_ids(hass, entry) == {f"{entry.entry_id}-calls_last_hour"}
    cloud.clear_faults()
    await poll()
    await poll(30)
    assert number(hass, "soc", device.serial) > 0


async def test_f4_one_account_is_one_entry_and_one_queue(hass: HomeAssistant, start: Start) -> None:
    cloud, entry = await start(one("dl5-1"), one("tower-t14"))
    assert account_queue(hass, entry.data) is entry.runtime_data.queue
    assert account_queue(hass, {**entry.data, "app_secret": "new", "region": "asia"}) is entry.runtime_data.queue
    assert entry.runtime_data.queue.calls_last_hour == len(cloud.calls)


async def test_f5_nothing_is_bound(start: Start, poll: Poll) -> None:
    cloud, _ = await start(one("dl5-2"))
    await poll()
    assert not [call for call in cloud.calls if "bind" in call.path.lower()]


async def test_f6_rejected(hass: HomeAssistant, start: Start, poll: Poll) -> None:
    cloud, entry = await start(one("dl5-1"))
    cloud.add_fault(Fault("access_denied"))
    await poll()
    assert len(list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))) == 1
    before = len(cloud.calls)
    for _ in range(4):
        await poll()
    assert len(cloud.calls) == before
    assert None not in {call.serial for call in cloud.calls if call.path == REALTIME}
    cloud.clear_faults()
    await poll(30.1)
    assert not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))


@pytest.mark.parametrize("kind", ["null_data", "empty_data", "points_without_values"])
async def test_f7_an_answer_without_values(hass: HomeAssistant, start: Start, poll: Poll, kind: FaultKind) -> None:
    device = one("dl5-1")
    cloud, entry = await start(device)
    before = {key: state(hass, key, device.serial) for key in ("soc", "current", "cell_voltage_max", "status")}
    cloud.add_fault(Fault(kind, path=REALTIME))
    await poll()
    assert {key: state(hass, key, device.serial) for key in before} == before
    for _ in range(7):
        await poll()
    assert not available(hass, entry, device.serial)


async def test_f8_no_device_asks_for_a_serial(hass: HomeAssistant, start: Start) -> None:
    device = one("dl5-1", listed=False)
    _, entry = await start(device)
    await hass.config_entries.async_remove(entry.entry_id)
    flows = hass.config_entries.flow
    result: Any = await flows.async_init(DOMAIN, context={"source": "user"})
    result = await flows.async_configure(result["flow_id"], {"next_step_id": "dyness"})
    result = await flows.async_configure(result["flow_id"], dict(entry.data))
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "serial")
    result = await flows.async_configure(result["flow_id"], {"device_sn": serials_of(device)[0]})
    assert result["errors"]["device_sn"] == "module_serial"
    result = await flows.async_configure(result["flow_id"], {"device_sn": device.serial})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert number(hass, "soc", device.serial) > 0


async def test_f9_only_version_one_is_asked(start: Start, poll: Poll) -> None:
    cloud, _ = await start(*(one(name) for name in ("dl5-1", "tower-t14", "cygni", "junior-box")))
    await poll(31)
    assert {call.path.split("/")[1] for call in cloud.calls} == {"v1"}


async def test_f38_energies_of_a_battery_with_and_without_counters(
    hass: HomeAssistant, start: Start, poll: Poll
) -> None:
    with_counters, without = one("tower-t14"), one("dl5-1")
    _, entry = await start(with_counters, without)
    for device in (with_counters, without):
        before = [number(hass, key, device.serial) for key in ("energy_charged", "energy_discharged")]
        for _ in range(3):
            await poll()
        await restart(hass, entry)
        after = [number(hass, key, device.serial) for key in ("energy_charged", "energy_discharged")]
        assert all(later >= sooner for later, sooner in zip(after, before, strict=True))
        assert sum(after) > sum(before)


async def test_f39_offline_though_fed(hass: HomeAssistant, start: Start) -> None:
    device = one("dl5-1", communication="Offline")
    await start(device)
    assert state(hass, "online", device.serial) == "on"


async def test_f40_a_fault_that_is_none(hass: HomeAssistant, start: Start) -> None:
    device = one("tower-t14", work_status="Fault", overrides={"1300": "20.0"})
    await start(device)
    assert state(hass, "work_status", device.serial) == "fault"
    assert state(hass, "status", device.serial) in ("charging", "discharging")
    assert state(hass, "alarm", device.serial) == "off"


async def test_f41_the_top_of_a_normal_charge(hass: HomeAssistant, start: Start) -> None:
    device = one("dl5-1", overrides={"800": "100", "3206": "1", "3208": "1", "4008": "0", "3800": "0", "4100": "0"})
    await start(device)
    assert state(hass, "warning", device.serial) == "on"
    assert state(hass, "cell_voltage_high", device.serial) == "on"
    assert state(hass, "charge_enabled", device.serial) == "off"
    assert number(hass, "charge_current_limit", device.serial) == 0
    assert state(hass, "alarm", device.serial) == "off"


async def test_f42_an_alarm_comes_and_goes(hass: HomeAssistant, start: Start, poll: Poll) -> None:
    device = one("dl5-1")
    cloud, _ = await start(device)
    for bit in ("1", "0"):
        cloud.devices[device.serial] = one("dl5-1", overrides={"3407": bit, "4100": bit})
        await poll()
        assert state(hass, "alarm", device.serial) == ("on" if bit == "1" else "off")


async def test_f43_alarms_are_read_from_the_points(start: Start, poll: Poll) -> None:
    cloud, _ = await start(one("dl5-1"))
    await poll()
    assert not [call for call in cloud.calls if "alarm" in call.path.lower()]


async def test_f45_a_module_is_offline_at_a_restart(hass: HomeAssistant, start: Start, poll: Poll) -> None:
    device = one("dl5-2")
    cloud, entry = await start(device)
    offline, other = serials_of(device)
    before = unique_ids(hass, entry)
    cloud.add_fault(Fault("network_anomaly", serial=offline))
    await restart(hass, entry)
    assert unique_ids(hass, entry) == before
    assert not available(hass, entry, offline)
    assert available(hass, entry, other)
    cloud.clear_faults()
    await poll()
    assert available(hass, entry, offline)


async def test_f46_what_users_set_is_an_option(hass: HomeAssistant, start: Start) -> None:
    device = one("dl5-1")
    _, entry = await start(device)
    form: Any = await hass.config_entries.options.async_init(entry.entry_id)
    fields = {str(field) for field in form["data_schema"].schema}
    assert {CONF_HOURLY_CALLS, "single_cells"} <= fields
    assert any(CONF_CAPACITY in field or device.serial in field for field in fields)


@pytest.mark.parametrize("name", CATALOGUE)
async def test_f47_no_vendor_text(
    hass: HomeAssistant, start: Start, poll: Poll, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.dyness_atess")
    devices = build(name)
    await start(*devices)
    await poll()
    shown = [f"{found.state} {found.attributes}" for found in hass.states.async_all()]
    of_us = [record for record in caplog.records if record.name.startswith("custom_components.dyness_atess")]
    logged = [record.getMessage() for record in of_us]
    assert shown or name == "future-nameless"
    assert logged
    assert not [text for text in (*shown, *logged) if CHINESE.search(text)]
    serials = [one for device in devices for one in (device.serial, *serials_of(device))]
    assert not [text for text in logged if any(serial in text for serial in serials)]


async def test_f47_a_name_is_no_log_format(
    hass: HomeAssistant, start: Start, poll: Poll, caplog: pytest.LogCaptureFixture
) -> None:
    name = "Power%s\n2026-01-01 ERROR forged {0} \x1b[31m\u2028" + "x" * 1000
    device = one("dl5-1", model_name=name)
    cloud, _ = await start(device)
    cloud.add_fault(Fault("http_500"))
    await poll()
    (line,) = [
        text for text in warnings(caplog) if "Power%s 2026-01-01 ERROR forged {0} [31m" in text and "module" not in text
    ]
    assert line.isprintable()
    assert len(line) < 300


async def test_f49_every_five_minutes_with_few_modules(
    hass: HomeAssistant, start: Start, poll: Poll, freezer: FrozenDateTimeFactory
) -> None:
    device = one("dl5-2")
    freezer.move_to(NOON)
    cloud, entry = await start(device, hourly_calls=60)
    devices = entry.runtime_data.devices
    assert {devices[serial].update_interval for serial in serials_of(device)} == {READINGS_INTERVAL}
    cloud.calls.clear()
    for _ in range(6):
        await poll()
    asked = [call.serial for call in cloud.calls if call.path == REALTIME]
    assert [asked.count(serial) for serial in (device.serial, *serials_of(device))] == [6, 6, 6]
