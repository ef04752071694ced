"""The flow, each error of it put right in the same form."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import Any, cast
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.account.validation import stripped
from custom_components.dyness_atess.const import DOMAIN
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import Replay
from emulator.faults import Fault, FaultKind

from .conftest import SERIAL, state

MODULE = "DEMO000000000001"


def typed(cloud: DynessCloud, **changes: str) -> dict[str, str]:
    return {"app_id": cloud.app_id, "app_secret": cloud.app_secret, "region": cloud.url} | changes


def suggested(result: Any) -> dict[str, Any]:
    """Return what stands in the form."""
    return {str(key): (key.description or {}).get("suggested_value") for key in result["data_schema"].schema}


async def open_account_form(hass: HomeAssistant) -> Any:
    menu = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert menu["type"] is FlowResultType.MENU
    assert "dyness" in menu["menu_options"]
    form = await hass.config_entries.flow.async_configure(menu["flow_id"], {"next_step_id": "dyness"})
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, "dyness", {})
    return form


async def send(hass: HomeAssistant, form: Any, values: dict[str, str]) -> Any:
    result = await hass.config_entries.flow.async_configure(form["flow_id"], values)
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def expect_account(hass: HomeAssistant, result: Any, cloud: DynessCloud) -> None:
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Dyness"
    assert result["data"] == typed(cloud)
    entry = result["result"]
    assert entry.unique_id == f"dyness:{cloud.app_id}"
    assert entry.state is ConfigEntryState.LOADED
    assert state(hass, "soc") == "100"


async def test_account(hass: HomeAssistant, cloud: DynessCloud) -> None:
    form = await open_account_form(hass)
    result = await send(hass, form, typed(cloud, app_id=f" {cloud.app_id}\n", region=f"{cloud.url}/openapi/"))
    await expect_account(hass, result, cloud)
    assert not result["result"].subentries


@pytest.mark.parametrize("junk", ["\r\n", "\x00", "\u200b", "\ufeff", "\x85", "\u00a0", "\ud800", "\x7f\t "])
async def test_what_a_clipboard_brings_along(
    hass: HomeAssistant, cloud: DynessCloud, caplog: pytest.LogCaptureFixture, junk: str
) -> None:
    form = await open_account_form(hass)
    for field in ("app_id", "app_secret"):
        value = typed(cloud)[field]
        form = await send(hass, form, typed(cloud, app_secret="wrong") | {field: f"{value[:3]}{junk}wrong{value[3:]}"})
        assert form["errors"] == {"base": "invalid_auth"}
    padded = {field: f"{junk}{value}{junk}" for field, value in typed(cloud).items()}
    await expect_account(hass, await send(hass, form, padded), cloud)
    assert "Unexpected" not in caplog.text


@pytest.mark.parametrize("sign", ["ä", "ключ", "\U0001f600", "%0d%0a", ":", "\\n", " ", ""])
async def test_signs_that_no_id_has(hass: HomeAssistant, cloud: DynessCloud, sign: str) -> None:
    form = await send(hass, await open_account_form(hass), typed(cloud, app_id=sign, app_secret=sign))
    assert form["errors"] == {"base": "invalid_auth"}
    assert suggested(form)["app_id"] == sign


def test_normal_form() -> None:
    given = {"api_token": " Basic\r\n  QUJD\x00RA==\u200b ", "app_id": "\u00a0AB\tC\n", "server": "\n"}
    assert stripped(given) == {"api_token": "Basic QUJDRA==", "app_id": "AB C", "server": ""}


FAULTS: dict[FaultKind, str] = {
    "access_denied": "invalid_auth",
    "network_anomaly": "cloud_unavailable",
    "hang": "cloud_unavailable",
    "http_500": "cloud_unavailable",
    "html": "cloud_unavailable",
    "rate_limited": "cloud_unavailable",
    "wrong_types": "cloud_unavailable",
}


@pytest.mark.parametrize(("kind", "error"), FAULTS.items())
async def test_errors_of_the_cloud(hass: HomeAssistant, cloud: DynessCloud, kind: FaultKind, error: str) -> None:
    form = await open_account_form(hass)
    cloud.add_fault(Fault(kind))
    with patch("custom_components.dyness_atess.cloud.transport.TIMEOUT", 0.3):
        form = await send(hass, form, typed(cloud))
    assert form["errors"] == {"base": error}
    assert suggested(form) == typed(cloud)
    cloud.clear_faults()
    await expect_account(hass, await send(hass, form, typed(cloud)), cloud)


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"app_secret": "wrong"}, {"base": "invalid_auth"}),
        ({"app_id": "wrong"}, {"base": "invalid_auth"}),
        ({"region": "http://127.0.0.1:1"}, {"base": "cannot_connect"}),
        ({"region": "http://open-api.example"}, {"region": "insecure_url"}),
        ({"region": "ftp://127.0.0.1"}, {"region": "insecure_url"}),
        ({"region": "http://127.0.0.1.evil.example"}, {"region": "insecure_url"}),
        ({"region": "europa"}, {"region": "invalid_url"}),
        ({"region": "https://"}, {"region": "invalid_url"}),
        ({"region": "https://host:99999999"}, {"region": "invalid_url"}),
        ({"region": "https://[::1"}, {"region": "invalid_url"}),
    ],
)
async def test_errors_of_the_input(
    hass: HomeAssistant, cloud: DynessCloud, changes: dict[str, str], errors: dict[str, str]
) -> None:
    form = await send(hass, await open_account_form(hass), typed(cloud, **changes))
    assert form["errors"] == errors
    assert suggested(form) == typed(cloud, **changes)
    await expect_account(hass, await send(hass, form, typed(cloud)), cloud)


async def test_the_unforeseen(hass: HomeAssistant, cloud: DynessCloud, caplog: pytest.LogCaptureFixture) -> None:
    form = await open_account_form(hass)
    with patch("custom_components.dyness_atess.cloud.dyness.DynessClient.storage_list", side_effect=ZeroDivisionError):
        form = await send(hass, form, typed(cloud))
    assert form["errors"] == {"base": "unknown"}
    assert "ZeroDivisionError" in caplog.text
    assert cloud.app_secret not in caplog.text
    await expect_account(hass, await send(hass, form, typed(cloud)), cloud)


async def test_the_same_account_again(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud) -> None:
    result = await send(hass, await open_account_form(hass), typed(cloud))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


@pytest.fixture
def unlisted(cloud: DynessCloud) -> Replay:
    device = cast("Replay", cloud.devices[SERIAL])
    device.listed = False
    return device


@pytest.mark.parametrize("serial", [SERIAL, SERIAL.removesuffix("-BMS")])
async def test_a_device_that_is_not_listed(
    hass: HomeAssistant, cloud: DynessCloud, unlisted: Replay, serial: str
) -> None:
    form = await send(hass, await open_account_form(hass), typed(cloud))
    assert (form["step_id"], form["errors"]) == ("serial", {})
    result = await send(hass, form, {"device_sn": serial, "collector_sn": "R07E00000000DEMO"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = result["result"].subentries.values()
    assert subentry.subentry_type == "storage"
    assert subentry.data == {"device_sn": SERIAL, "collector_sn": "R07E00000000DEMO"}
    assert state(hass, "soc") == "100"


@pytest.mark.parametrize(
    ("serial", "fault", "errors"),
    [
        ("NOBODY-BMS", None, {"device_sn": "no_data"}),
        ("NOBODY", None, {"device_sn": "no_data"}),
        (SERIAL, "null_data", {"device_sn": "no_data"}),
        (SERIAL, "points_without_values", {"device_sn": "no_data"}),
        (SERIAL, "network_anomaly", {"base": "cloud_unavailable"}),
        (SERIAL, "access_denied", {"base": "invalid_auth"}),
        ("A07E0000-BDU-01", None, {"device_sn": "module_serial"}),
        ("prefix-dyness02", None, {"device_sn": "module_serial"}),
        ("NO\r\nBODY-BMS", None, {"device_sn": "no_data"}),
        ("\n", None, {"device_sn": "no_data"}),
    ],
)
async def test_errors_of_the_serial_number(
    hass: HomeAssistant,
    cloud: DynessCloud,
    unlisted: Replay,
    serial: str,
    fault: FaultKind | None,
    errors: dict[str, str],
) -> None:
    form = await send(hass, await open_account_form(hass), typed(cloud))
    if fault:
        cloud.add_fault(Fault(fault))
    form = await send(hass, form, {"device_sn": serial})
    assert form["errors"] == errors
    assert suggested(form)["device_sn"] == serial
    cloud.clear_faults()
    result = await send(hass, form, {"device_sn": SERIAL})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def change(hass: HomeAssistant, flow: Any, values: dict[str, str]) -> Any:
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], values)
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def test_reauthentication(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud) -> None:
    form = await loaded.start_reauth_flow(hass)
    assert form["step_id"] == "reauth_dyness"
    assert suggested(form) == {"app_id": cloud.app_id, "app_secret": None}
    cloud.app_secret = "new-secret"
    wrong = {"app_id": cloud.app_id, "app_secret": "wrong"}
    form = await change(hass, form, wrong)
    assert form["errors"] == {"base": "invalid_auth"}
    assert suggested(form) == wrong
    form = await change(hass, form, {"app_id": "another", "app_secret": "new-secret"})
    assert form["errors"] == {"app_id": "wrong_account"}
    result = await change(hass, form, {"app_id": cloud.app_id, "app_secret": "new-secret"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert loaded.data == typed(cloud)
    assert loaded.state is ConfigEntryState.LOADED
    assert state(hass, "soc") == "100"


async def test_reconfiguration(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud) -> None:
    elsewhere = DynessCloud(devices=cloud.devices.values(), calls_per_second=None)
    await elsewhere.start()
    form = await loaded.start_reconfigure_flow(hass)
    assert suggested(form) == typed(cloud) | {"app_secret": None}
    for changes, errors in (
        ({"region": "http://127.0.0.1:1"}, {"base": "cannot_connect"}),
        ({"region": "elsewhere"}, {"region": "invalid_url"}),
        ({"region": elsewhere.url, "app_id": "another"}, {"app_id": "wrong_account"}),
        ({"region": elsewhere.url, "app_secret": "wrong"}, {"base": "invalid_auth"}),
    ):
        form = await change(hass, form, {"app_id": cloud.app_id} | changes)
        assert form["errors"] == errors
    result = await change(hass, form, {"app_id": cloud.app_id, "region": elsewhere.url})
    assert result["reason"] == "reconfigure_successful"
    assert loaded.data == typed(cloud, region=elsewhere.url)
    assert "/v1/device/realTime/data" in [call.path for call in elsewhere.calls]
    assert state(hass, "soc") == "100"
    await elsewhere.stop()


async def add_device(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    return await hass.config_entries.subentries.async_init((entry.entry_id, "storage"), context={"source": SOURCE_USER})


async def send_device(hass: HomeAssistant, form: Any, serial: str) -> Any:
    result = await hass.config_entries.subentries.async_configure(form["flow_id"], {"device_sn": serial})
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def test_add_a_device(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud) -> None:
    hidden = "R07E00000002DEMO-BMS"
    cloud.devices[hidden] = replace(cast("Replay", cloud.devices[SERIAL]), serial=hidden, listed=False)
    form = await add_device(hass, loaded)
    for serial, error in ((SERIAL, "already_known"), (MODULE, "module_serial"), ("NOBODY", "no_data")):
        form = await send_device(hass, form, serial)
        assert form["errors"] == {"device_sn": error}
        assert suggested(form)["device_sn"] == serial
    result = await send_device(hass, form, hidden)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert state(hass, "soc", hidden) == "100"
    (subentry,) = loaded.subentries.values()
    assert hass.config_entries.async_remove_subentry(loaded, subentry.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "soc", hidden) is None
    assert state(hass, "soc") == "100"


async def test_add_a_device_to_an_account_that_is_not_loaded(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud
) -> None:
    result = await send_device(hass, await add_device(hass, entry), SERIAL)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_add_a_device_while_the_cloud_is_down(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud
) -> None:
    hidden = "R07E00000002DEMO-BMS"
    cloud.devices[hidden] = replace(cast("Replay", cloud.devices[SERIAL]), serial=hidden, listed=False)
    form = await add_device(hass, loaded)
    for kind in ("network_anomaly", "hang", "http_500", "drop", "access_denied"):
        cloud.add_fault(Fault(kind))
        with patch("custom_components.dyness_atess.cloud.transport.TIMEOUT", 0.3):
            form = await send_device(hass, form, hidden)
        assert form["errors"] == {"base": "invalid_auth" if kind == "access_denied" else "cloud_unavailable"}
        assert suggested(form)["device_sn"] == hidden
        cloud.clear_faults()
    assert (await send_device(hass, form, hidden))["type"] is FlowResultType.CREATE_ENTRY


# Reconfiguration to a place without devices


@pytest.fixture
async def elsewhere() -> AsyncGenerator[DynessCloud]:
    """Another region, where the account has nothing."""
    elsewhere = DynessCloud(devices=[], calls_per_second=None)
    await elsewhere.start()
    yield elsewhere
    await elsewhere.stop()


async def test_reconfiguration_to_an_empty_region(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, elsewhere: DynessCloud
) -> None:
    before = dict(loaded.data)
    values = {"app_id": cloud.app_id, "app_secret": cloud.app_secret, "region": elsewhere.url}
    form = await change(hass, await loaded.start_reconfigure_flow(hass), values)
    assert form["errors"] == {"region": "empty_region"}
    assert suggested(form) == values
    assert loaded.data == before
    result = await change(hass, form, values | {"region": cloud.url})
    assert result["reason"] == "reconfigure_successful"
    assert state(hass, "soc") == "100"


async def test_another_secret_while_the_list_is_empty(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, unlisted: Replay
) -> None:
    form = await loaded.start_reconfigure_flow(hass)
    cloud.app_secret = "new-secret"
    values = {"app_id": cloud.app_id, "app_secret": "new-secret", "region": cloud.url}
    assert (await change(hass, form, values))["reason"] == "reconfigure_successful"


async def test_reconfiguration_with_devices_of_the_owner_only(
    hass: HomeAssistant, cloud: DynessCloud, unlisted: Replay, elsewhere: DynessCloud
) -> None:
    form = await send(hass, await open_account_form(hass), typed(cloud))
    entry = (await send(hass, form, {"device_sn": SERIAL}))["result"]
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    values = {"app_id": cloud.app_id, "region": elsewhere.url}
    form = await change(hass, form, values)
    assert form["errors"] == {"region": "empty_region"}
    elsewhere.devices[SERIAL] = unlisted
    elsewhere.add_fault(Fault("network_anomaly", path="/v1/device/realTime/data"))
    form = await change(hass, form, values)
    assert form["errors"] == {"base": "cloud_unavailable"}
    elsewhere.clear_faults()
    assert (await change(hass, form, values))["reason"] == "reconfigure_successful"
    assert state(hass, "soc") == "100"


async def test_blank_fields_of_a_change(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud) -> None:
    form = await loaded.start_reconfigure_flow(hass)
    form = await change(hass, form, {"app_id": " ", "region": cloud.url})
    assert form["errors"] == {"app_id": "wrong_account"}
    form = await change(hass, form, {"app_id": cloud.app_id, "app_secret": "", "region": cloud.url})
    assert form["reason"] == "reconfigure_successful"
    assert loaded.data == typed(cloud)


# Options


async def test_a_capacity_without_its_battery(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    form: Any = await hass.config_entries.options.async_init(loaded.entry_id)
    rest = {"single_cells": True, "hourly_calls": 120}
    for half, missing in (({"capacity": 9.5}, "device"), ({"device": SERIAL}, "capacity")):
        form = await hass.config_entries.options.async_configure(form["flow_id"], rest | half)
        assert form["errors"] == {missing: "incomplete_capacity"}
        assert suggested(form) == {"device": None, "capacity": None} | rest | half
        assert not loaded.options
    whole = rest | {"device": SERIAL, "capacity": 9.5}
    result = await hass.config_entries.options.async_configure(form["flow_id"], whole)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.options == rest | {"capacity": {SERIAL: 9.5}}


# Several flows at once


def in_progress(hass: HomeAssistant) -> list[Any]:
    return hass.config_entries.flow.async_progress()


async def test_the_same_account_in_two_tabs(hass: HomeAssistant, cloud: DynessCloud) -> None:
    forms = [await open_account_form(hass) for _ in range(2)]
    results = await asyncio.gather(*(send(hass, form, typed(cloud)) for form in forms))
    one, other = sorted(results, key=lambda result: str(result["type"]))
    assert (one["type"], one["reason"]) == (FlowResultType.ABORT, "already_configured")
    await expect_account(hass, other, cloud)
    assert not in_progress(hass)


async def test_a_forgotten_form_is_in_nobodys_way(hass: HomeAssistant, cloud: DynessCloud) -> None:
    forgotten = await send(hass, await open_account_form(hass), typed(cloud, app_secret="wrong"))
    assert forgotten["errors"] == {"base": "invalid_auth"}
    await expect_account(hass, await send(hass, await open_account_form(hass), typed(cloud)), cloud)
    result = await send(hass, forgotten, typed(cloud))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_a_serial_number_in_two_tabs(hass: HomeAssistant, cloud: DynessCloud, unlisted: Replay) -> None:
    forms = [await send(hass, await open_account_form(hass), typed(cloud)) for _ in range(2)]
    assert [form["step_id"] for form in forms] == ["serial", "serial"]
    results = [await send(hass, form, {"device_sn": SERIAL}) for form in forms]
    assert results[0]["type"] is FlowResultType.CREATE_ENTRY
    assert results[1]["reason"] == "already_configured"
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


@pytest.mark.parametrize("first", ["reauth", "reconfigure"])
async def test_reauthentication_beside_reconfiguration(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, first: str
) -> None:
    reconfigure = await loaded.start_reconfigure_flow(hass)
    reauth = await loaded.start_reauth_flow(hass)
    cloud.app_secret = "new-secret"
    new = {"app_id": cloud.app_id, "app_secret": "new-secret"}
    if first == "reauth":
        assert (await change(hass, reauth, new))["reason"] == "reauth_successful"
    result = await change(hass, reconfigure, new | {"region": cloud.url})
    assert result["reason"] == "reconfigure_successful"
    assert not in_progress(hass)
    assert loaded.data == typed(cloud)
    assert state(hass, "soc") == "100"


async def test_the_same_device_in_two_tabs(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud) -> None:
    hidden = "R07E00000002DEMO-BMS"
    cloud.devices[hidden] = replace(cast("Replay", cloud.devices[SERIAL]), serial=hidden, listed=False)
    forms = [await add_device(hass, loaded) for _ in range(2)]
    results = await asyncio.gather(*(send_device(hass, form, hidden) for form in forms))
    assert {result["type"] for result in results} == {FlowResultType.CREATE_ENTRY, FlowResultType.ABORT}
    assert [result["reason"] for result in results if "reason" in result] == ["already_configured"]
    assert len(loaded.subentries) == 1


type Open = Callable[[HomeAssistant, MockConfigEntry], Awaitable[Any]]

OPEN: dict[str, tuple[Open, dict[str, Any]]] = {
    "reconfigure": (lambda hass, entry: entry.start_reconfigure_flow(hass), {"app_id": "any", "region": "europe"}),
    "subentry": (add_device, {"device_sn": "any"}),
    "options": (
        lambda hass, entry: hass.config_entries.options.async_init(entry.entry_id),
        {"single_cells": False, "hourly_calls": 60},
    ),
}


@pytest.mark.parametrize("kind", OPEN)
async def test_the_entry_is_removed_while_a_form_is_open(
    hass: HomeAssistant, loaded: MockConfigEntry, kind: str
) -> None:
    opening, values = OPEN[kind]
    form = await opening(hass, loaded)
    await hass.config_entries.async_remove(loaded.entry_id)
    config = hass.config_entries
    manager: Any = {"subentry": config.subentries, "options": config.options}.get(kind, config.flow)
    result = await manager.async_configure(form["flow_id"], values)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "entry_removed")
    assert not manager.async_progress()


@pytest.mark.parametrize("kind", ["reauth", "reconfigure", "subentry"])
@pytest.mark.parametrize("fault", [None, "http_500"])
async def test_the_entry_is_removed_while_the_cloud_is_asked(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, kind: str, fault: FaultKind | None
) -> None:
    hidden = "R07E00000002DEMO-BMS"
    cloud.devices[hidden] = replace(cast("Replay", cloud.devices[SERIAL]), serial=hidden, listed=False)
    manager: Any
    if kind == "subentry":
        form, manager, values = await add_device(hass, loaded), hass.config_entries.subentries, {"device_sn": hidden}
    else:
        opening = loaded.start_reauth_flow if kind == "reauth" else loaded.start_reconfigure_flow
        form, manager = await opening(hass), hass.config_entries.flow
        values = {"app_id": cloud.app_id, "app_secret": cloud.app_secret}
        values |= {"region": cloud.url} if kind == "reconfigure" else {}
    if fault:
        cloud.add_fault(Fault(fault))
    asked = hass.async_create_task(manager.async_configure(form["flow_id"], values))
    await asyncio.sleep(0)
    await hass.config_entries.async_remove(loaded.entry_id)
    result: Any = await asked
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "entry_removed")
    assert not manager.async_progress()
