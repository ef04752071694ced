"""A PBD through the whole path: set-up, variants, faults, nights and restarts."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
import json
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.json import JSONEncoder
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.account.account import identity
from custom_components.dyness_atess.cloud.atess import authorization
from custom_components.dyness_atess.const import DOMAIN
from custom_components.dyness_atess.diagnostics import async_get_config_entry_diagnostics
from custom_components.dyness_atess.telemetry.vocabulary import LIFETIME
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.faults import Fault, FaultKind

from .conftest import Poll, account_entry, state

SERIAL, SECOND = "DEMOPBD001", "DEMOPBD002"
MORNING = datetime(2026, 6, 10, 7, 0, tzinfo=UTC)


@pytest.fixture
async def cloud() -> AsyncGenerator[AtessCloud]:
    cloud = AtessCloud(devices=[Pbd(serial=SERIAL)])
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


def pbd_entry(hass: HomeAssistant, cloud: AtessCloud, *serials: str, **options: str) -> MockConfigEntry:
    entry = account_entry(cloud, *serials, options=options)
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def entry(hass: HomeAssistant, cloud: AtessCloud) -> MockConfigEntry:
    return pbd_entry(hass, cloud, SERIAL)


@pytest.fixture
async def loaded(hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    freezer.move_to(MORNING)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


def number(hass: HomeAssistant, key: str) -> float:
    found = state(hass, key, SERIAL)
    assert found is not None, key
    return float(found)


VARIANTS: dict[str, dict[str, Any]] = {
    "kW with decimals": {},
    "whole kW": {"power_unit": "kW_integer", "measures": "integers"},
    "W": {"power_unit": "W"},
    "tenths of kW": {"power_unit": "tenths_of_kW"},
    "all in tenths": {"power_unit": "tenths_of_kW", "measures": "tenths"},
    "other sign": {"positive": "charging"},
    "other order": {"ppv_is_total": True, "inputs": 3},
    "everything else": {"power_unit": "W", "measures": "tenths", "positive": "charging", "ppv_is_total": True},
    "no BMS": {"has_bms": False},
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
async def test_variants_end_in_the_same(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    cloud: AtessCloud,
    poll: Poll,
    freezer: FrozenDateTimeFactory,
    variant: dict[str, Any],
) -> None:
    device = cloud.devices[SERIAL] = Pbd(serial=SERIAL, **variant)
    freezer.move_to(MORNING)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    for _ in range(100):  # from the morning into the afternoon
        await poll(5.0)
    truth = device.truth(cloud.clock())
    coarse = variant.get("power_unit") == "kW_integer"
    for key in ("power", "pv_power", "output_power", "pv1_power", "pv2_power"):
        assert number(hass, key) == pytest.approx(truth[key], abs=600 if coarse else 120), key
    for key in ("voltage", "pv1_voltage", "pv2_voltage", "bus_voltage"):
        assert number(hass, key) == pytest.approx(truth[key], abs=0.6), key
    for key in ("current", "pv1_current", "pv2_current"):
        assert number(hass, key) == pytest.approx(truth[key], abs=0.6), key
    for key in ("energy_charged", "energy_discharged", "pv_energy", "output_energy"):
        assert number(hass, key) == pytest.approx(truth[key], abs=0.11), key
    assert number(hass, "soc") == pytest.approx(truth["soc"], abs=1)
    assert state(hass, "pv4_voltage", SERIAL) is None
    assert (state(hass, "pv3_voltage", SERIAL) is None) == (variant.get("inputs", 2) == 2)
    assert (state(hass, "cell_voltage_max", SERIAL) is None) == (variant.get("has_bms") is False)


async def test_powers_are_not_shown_before_their_unit_is_known(
    hass: HomeAssistant, loaded: MockConfigEntry, poll: Poll
) -> None:
    assert state(hass, "pv_power", SERIAL) is None
    assert state(hass, "pv1_voltage", SERIAL) is not None
    for _ in range(36):
        await poll(5.0)
    assert number(hass, "pv_power") > 1000


async def test_the_owner_knows_better(
    hass: HomeAssistant, cloud: AtessCloud, poll: Poll, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(MORNING + timedelta(hours=4))
    entry = pbd_entry(hass, cloud, SERIAL)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    form: Any = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["step_id"] == "atess"
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], {"power_unit": "kilowatt", "battery_sign": "positive_charging"}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    truth = cloud.devices[SERIAL].truth(cloud.clock())  # type: ignore[attr-defined]
    assert number(hass, "pv_power") == pytest.approx(truth["pv_power"], abs=120)
    assert number(hass, "current") == pytest.approx(-truth["current"], abs=0.6)


async def test_a_bad_night_leaves_the_totals(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: AtessCloud, poll: Poll
) -> None:
    for _ in range(30):
        await poll(5.0)
    totals = {key: number(hass, key) for key in LIFETIME if state(hass, key, SERIAL) is not None}
    assert totals.keys() >= {"energy_charged", "energy_discharged", "pv_energy", "output_energy"}
    pbd = cloud.devices[SERIAL]
    assert isinstance(pbd, Pbd)
    pbd.silent_since = cloud.clock()
    bad: list[FaultKind] = ["null_data", "network_anomaly", "http_500", "empty_data", "points_without_values", "drop"]
    for kind in bad:
        cloud.clear_faults()
        cloud.add_fault(Fault(kind))
        for _ in range(4):
            await poll(5.0)
            for key, total in totals.items():
                assert state(hass, key, SERIAL) in ("unavailable", str(total))
    cloud.clear_faults()
    pbd.restart_logger(cloud.clock(), minutes=30)
    pbd.silent_since = None
    for _ in range(5):
        await poll(5.0)
        for key, total in totals.items():
            assert state(hass, key, SERIAL) in ("unavailable", str(total))
    for _ in range(3):
        await poll(5.0)
    for key, before in totals.items():
        assert before <= number(hass, key) < before + 150


async def test_old_record(hass: HomeAssistant, loaded: MockConfigEntry, cloud: AtessCloud, poll: Poll) -> None:
    pbd = cloud.devices[SERIAL]
    assert isinstance(pbd, Pbd)
    pbd.silent_since = cloud.clock()
    total = state(hass, "pv_energy", SERIAL)
    for _ in range(9):
        await poll(5.0)
    assert state(hass, "online", SERIAL) == "off"
    assert state(hass, "soc", SERIAL) == "unavailable"
    assert state(hass, "pv_energy", SERIAL) == total


async def test_what_was_learned_survives_a_restart(
    hass: HomeAssistant, loaded: MockConfigEntry, poll: Poll, cloud: AtessCloud
) -> None:
    for _ in range(36):
        await poll(5.0)
    assert number(hass, "pv_power") > 1000
    assert await hass.config_entries.async_unload(loaded.entry_id)
    cloud.add_fault(Fault("http_500"))
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert loaded.state is ConfigEntryState.LOADED
    assert state(hass, "pv_power", SERIAL) == "unavailable"
    cloud.clear_faults()
    await poll(5.1)
    assert number(hass, "pv_power") > 1000


async def test_damaged_memory(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    hass_storage[f"{DOMAIN}.{entry.entry_id}"] = {"version": 1, "minor_version": 1, "key": "", "data": {SERIAL: 5}}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "soc", SERIAL) is not None
    assert "learned anew" in caplog.text


async def test_memory_of_a_newer_version(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    hass_storage[f"{DOMAIN}.{entry.entry_id}"] = {"version": 99, "minor_version": 1, "key": "", "data": {}}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "soc", SERIAL) is not None


async def test_removal_leaves_no_memory(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    assert f"{DOMAIN}.{loaded.entry_id}" in hass_storage
    await hass.config_entries.async_remove(loaded.entry_id)
    assert f"{DOMAIN}.{loaded.entry_id}" not in hass_storage


async def test_device(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, SERIAL), loaded.entry_id)
    assert device
    assert (device.manufacturer, device.model, device.serial_number) == ("ATESS", "PBD", SERIAL)


async def test_diagnostics(hass: HomeAssistant, loaded: MockConfigEntry, cloud: AtessCloud) -> None:
    content = await async_get_config_entry_diagnostics(hass, loaded)
    text = json.dumps(content, cls=JSONEncoder)
    for private in (SERIAL, cloud.api_token, f'"{cloud.api_id}"'):
        assert private not in text
    (device,) = content["devices"]
    assert len(device["points"]) == 78
    assert "battery_sign" in device["findings"]


# The flow


def typed(cloud: AtessCloud, **changes: str) -> dict[str, str]:
    account = {"api_id": cloud.api_id, "api_token": cloud.api_token, "device_sn": SERIAL, "server": cloud.url}
    return account | changes


async def open_form(hass: HomeAssistant) -> Any:
    menu: Any = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert menu["menu_options"] == ["dyness", "atess"]
    return await hass.config_entries.flow.async_configure(menu["flow_id"], {"next_step_id": "atess"})


async def send(hass: HomeAssistant, form: Any, values: dict[str, str]) -> Any:
    result = await hass.config_entries.flow.async_configure(form["flow_id"], values)
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


def suggested(result: Any) -> dict[str, Any]:
    return {str(key): (key.description or {}).get("suggested_value") for key in result["data_schema"].schema}


async def test_account(hass: HomeAssistant, cloud: AtessCloud) -> None:
    result = await send(hass, await open_form(hass), typed(cloud))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "ATESS"
    assert result["result"].unique_id == f"atess:{cloud.api_id}"
    assert [subentry.data for subentry in result["result"].subentries.values()] == [{"device_sn": SERIAL}]
    assert state(hass, "soc", SERIAL) is not None
    again = await send(hass, await open_form(hass), typed(cloud))
    assert again["reason"] == "already_configured"


async def test_account_with_a_ready_made_header(hass: HomeAssistant, cloud: AtessCloud) -> None:
    values = typed(cloud, api_token=authorization(cloud.api_id, cloud.api_token))
    del values["api_id"]
    result = await send(hass, await open_form(hass), values)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id.startswith("atess:")
    assert cloud.api_id not in result["result"].unique_id
    assert state(hass, "soc", SERIAL) is not None


@pytest.mark.parametrize(
    ("changes", "fault", "errors"),
    [
        ({"api_token": "wrong"}, None, {"base": "invalid_auth"}),
        ({"device_sn": "NOBODY0001"}, None, {"device_sn": "unknown_serial"}),
        ({}, "null_data", {"device_sn": "no_record"}),
        ({}, "network_anomaly", {"base": "cloud_unavailable"}),
        ({}, "http_500", {"base": "cloud_unavailable"}),
        ({"server": "http://127.0.0.1:1"}, None, {"base": "cannot_connect"}),
        ({"server": "http://enerclo.example"}, None, {"server": "insecure_url"}),
        ({"server": "nonsense"}, None, {"server": "invalid_url"}),
    ],
)
async def test_errors(
    hass: HomeAssistant,
    cloud: AtessCloud,
    changes: dict[str, str],
    fault: FaultKind | None,
    errors: dict[str, str],
) -> None:
    form = await open_form(hass)
    if fault:
        cloud.add_fault(Fault(fault))
    form = await send(hass, form, typed(cloud, **changes))
    assert form["errors"] == errors
    assert suggested(form) == typed(cloud, **changes)
    cloud.clear_faults()
    assert (await send(hass, form, typed(cloud)))["type"] is FlowResultType.CREATE_ENTRY


async def test_another_pbd(hass: HomeAssistant, loaded: MockConfigEntry, cloud: AtessCloud) -> None:
    cloud.devices[SECOND] = Pbd(serial=SECOND, seed=7)
    form: Any = await hass.config_entries.subentries.async_init(
        (loaded.entry_id, "pbd"), context={"source": SOURCE_USER}
    )
    for serial, error in ((SERIAL, "already_known"), ("NOBODY0001", "unknown_serial")):
        form = await hass.config_entries.subentries.async_configure(form["flow_id"], {"device_sn": serial})
        assert form["errors"] == {"device_sn": error}
    result = await hass.config_entries.subentries.async_configure(form["flow_id"], {"device_sn": SECOND})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "soc", SECOND) is not None


async def test_reauthentication(hass: HomeAssistant, loaded: MockConfigEntry, cloud: AtessCloud, poll: Poll) -> None:
    cloud.authorization = authorization(cloud.api_id, "new")
    await poll(5.1)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_atess"
    assert loaded.state is ConfigEntryState.LOADED
    for values, errors in (
        ({"api_id": cloud.api_id, "api_token": "wrong"}, {"base": "invalid_auth"}),
        ({"api_id": "another", "api_token": "new"}, {"api_id": "wrong_account"}),
    ):
        form = await send(hass, flow, values)
        assert form["errors"] == errors
    pbd = cloud.devices.pop(SERIAL)
    form = await send(hass, flow, {"api_id": cloud.api_id, "api_token": "new"})
    assert form["errors"] == {"base": "foreign_device"}
    cloud.devices[SERIAL] = pbd
    result = await send(hass, flow, {"api_id": cloud.api_id, "api_token": "new"})
    assert result["reason"] == "reauth_successful"
    assert state(hass, "soc", SERIAL) not in (None, "unavailable")


async def test_reconfiguration(hass: HomeAssistant, loaded: MockConfigEntry, cloud: AtessCloud) -> None:
    form: Any = await loaded.start_reconfigure_flow(hass)
    assert suggested(form)["server"] == cloud.url
    assert suggested(form)["api_token"] is None
    form = await send(hass, form, {"api_id": cloud.api_id, "server": "http://127.0.0.1:1"})
    assert form["errors"] == {"base": "cannot_connect"}
    result = await send(hass, form, {"api_id": cloud.api_id, "server": cloud.url})
    assert result["reason"] == "reconfigure_successful"
    assert loaded.data["api_token"] == cloud.api_token


@pytest.mark.parametrize("server", [{}, {"server": ""}, {"server": " \n"}])
async def test_optional_fields_become_empty(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: AtessCloud, server: dict[str, str]
) -> None:
    form: Any = await loaded.start_reconfigure_flow(hass)
    with patch("custom_components.dyness_atess.account.atess.BASE_URL", cloud.url):
        result = await send(hass, form, {"api_id": cloud.api_id} | server)
    assert result["reason"] == "reconfigure_successful"
    assert loaded.data == {"api_id": cloud.api_id, "api_token": cloud.api_token}


async def test_nothing_typed_stays_nothing(hass: HomeAssistant, loaded: MockConfigEntry, cloud: AtessCloud) -> None:
    cloud.add_fault(Fault("http_500"))
    form: Any = await loaded.start_reconfigure_flow(hass)
    with patch("custom_components.dyness_atess.account.atess.BASE_URL", cloud.url):
        form = await send(hass, form, {})
    assert form["errors"] == {"base": "cloud_unavailable"}
    assert suggested(form) == dict.fromkeys(("api_id", "api_token", "server"))


# An account of which only the ready-made header is known


@pytest.fixture
async def header(hass: HomeAssistant, cloud: AtessCloud) -> ConfigEntry:
    values = typed(cloud, api_token=cloud.authorization)
    del values["api_id"]
    entry: ConfigEntry = (await send(hass, await open_form(hass), values))["result"]
    return entry


async def start_change(hass: HomeAssistant, entry: ConfigEntry, source: str) -> Any:
    context: Any = {"source": source, "entry_id": entry.entry_id}
    return await hass.config_entries.flow.async_init(DOMAIN, context=context, data=dict(entry.data))


async def test_another_header(hass: HomeAssistant, header: ConfigEntry, cloud: AtessCloud) -> None:
    old = header.unique_id
    for source, token in ((SOURCE_REAUTH, "Basic bmV3"), (SOURCE_RECONFIGURE, "Basic bmV3ZXI=")):
        cloud.authorization = token
        server = {"server": cloud.url} if source == SOURCE_RECONFIGURE else {}
        form = await start_change(hass, header, source)
        form = await send(hass, form, {"api_token": "Basic d3Jvbmc="} | server)
        assert form["errors"] == {"base": "invalid_auth"}
        result = await send(hass, form, {"api_token": f" {token}\r\n"} | server)
        assert result["reason"] == f"{source}_successful"
        assert header.data["api_token"] == token
        assert header.unique_id == identity(header.data) != old
        assert state(hass, "soc", SERIAL) not in (None, "unavailable")
        values = typed(cloud, api_token=token)
        del values["api_id"]
        assert (await send(hass, await open_form(hass), values))["reason"] == "already_configured"
        old = header.unique_id


async def test_header_of_another_account(hass: HomeAssistant, header: ConfigEntry, cloud: AtessCloud) -> None:
    before, unique_id = dict(header.data), header.unique_id
    cloud.authorization = "Basic bmV3"
    form = await start_change(hass, header, SOURCE_RECONFIGURE)
    values = {"api_token": "Basic bmV3", "server": cloud.url}
    pbd = cloud.devices.pop(SERIAL)
    form = await send(hass, form, values)
    assert form["errors"] == {"base": "foreign_device"}
    cloud.devices[SERIAL] = pbd
    cloud.add_fault(Fault("null_data"))  # an account that is told to be the same one has to show it
    form = await send(hass, form, values)
    assert form["errors"] == {"base": "no_record"}
    assert (dict(header.data), header.unique_id) == (before, unique_id)


async def test_any_pbd_shows_that_it_is_the_account(
    hass: HomeAssistant, cloud: AtessCloud, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(MORNING)
    entry = pbd_entry(hass, cloud, "GONE000001", SERIAL)
    form: Any = await entry.start_reconfigure_flow(hass)
    result = await send(hass, form, {"api_token": cloud.authorization, "server": cloud.url})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == {"api_token": cloud.authorization, "server": cloud.url}
    assert entry.unique_id == identity(entry.data) != f"atess:{cloud.api_id}"


async def test_no_record_is_enough_for_the_same_account(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: AtessCloud
) -> None:
    form: Any = await loaded.start_reconfigure_flow(hass)
    cloud.add_fault(Fault("null_data"))
    result = await send(hass, form, {"api_id": cloud.api_id, "server": cloud.url})
    assert result["reason"] == "reconfigure_successful"


async def test_change_into_the_account_of_another_entry(
    hass: HomeAssistant, header: ConfigEntry, cloud: AtessCloud
) -> None:
    before = dict(header.data)
    other = await send(hass, await open_form(hass), typed(cloud))
    assert other["type"] is FlowResultType.CREATE_ENTRY
    form = await start_change(hass, header, SOURCE_RECONFIGURE)
    result = await send(hass, form, {"api_id": cloud.api_id, "api_token": cloud.api_token, "server": cloud.url})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert header.data == before


async def test_an_entry_that_kept_the_unique_id_of_its_old_token(
    hass: HomeAssistant, header: ConfigEntry, cloud: AtessCloud
) -> None:
    old = header.data["api_token"]
    hass.config_entries.async_update_entry(header, data={**header.data, "api_token": "Basic bmV3"})
    await hass.async_block_till_done(wait_background_tasks=True)
    for token in (old, "Basic bmV3"):
        values = typed(cloud, api_token=token)
        del values["api_id"]
        assert (await send(hass, await open_form(hass), values))["reason"] == "already_configured"
    cloud.authorization = "Basic bmV3"
    form = await start_change(hass, header, SOURCE_RECONFIGURE)
    result = await send(hass, form, {"server": cloud.url})
    assert result["reason"] == "reconfigure_successful"
    assert header.unique_id == identity(header.data)
    assert state(hass, "soc", SERIAL) not in (None, "unavailable")


@pytest.mark.parametrize("field", ["api_id", "api_token", "device_sn"])
@pytest.mark.parametrize("junk", ["\r\n", "\x00", "\ud800", "ключ"])
async def test_what_cannot_be_in_a_header(hass: HomeAssistant, cloud: AtessCloud, field: str, junk: str) -> None:
    value = typed(cloud)[field]
    values = typed(cloud) | {field: f"{value[:3]}{junk}wrong{value[3:]}"}
    form = await send(hass, await open_form(hass), values)
    assert form["errors"] == ({field: "unknown_serial"} if field == "device_sn" else {"base": "invalid_auth"})
    form = await send(hass, form, typed(cloud, device_sn="\n"))
    assert form["errors"] == {"device_sn": "unknown_serial"}
    padded = typed(cloud) | ({field: f"{junk}{value}{junk}"} if not junk.isprintable() else {})
    assert (await send(hass, form, padded))["type"] is FlowResultType.CREATE_ENTRY


async def test_add_a_pbd_while_the_cloud_is_down(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: AtessCloud
) -> None:
    cloud.devices[SECOND] = Pbd(serial=SECOND, seed=7)
    form: Any = await hass.config_entries.subentries.async_init(
        (loaded.entry_id, "pbd"), context={"source": SOURCE_USER}
    )
    cloud.add_fault(Fault("http_500"))
    form = await hass.config_entries.subentries.async_configure(form["flow_id"], {"device_sn": SECOND})
    assert form["errors"] == {"base": "cloud_unavailable"}
    assert suggested(form) == {"device_sn": SECOND}
    cloud.clear_faults()
    result = await hass.config_entries.subentries.async_configure(form["flow_id"], {"device_sn": SECOND})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_options_of_an_entry_that_was_removed(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    form: Any = await hass.config_entries.options.async_init(loaded.entry_id)
    await hass.config_entries.async_remove(loaded.entry_id)
    result: Any = await hass.config_entries.options.async_configure(form["flow_id"], {"power_unit": "watt"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "entry_removed")
