"""The flow, each error of it put right in the same form."""

from dataclasses import replace
from typing import Any, cast
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.const import DOMAIN
from emulator.dyness import DynessCloud
from emulator.faults import Fault, FaultKind
from emulator.replay import Replay

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
