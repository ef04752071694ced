"""The forms of both clouds: every error keeps what was typed and is put right in the same form."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from dataclasses import replace
from typing import Any, cast
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.account.connection import _CONNECTIONS
from custom_components.dyness_atess.cloud.atess import AtessClient, authorization
from custom_components.dyness_atess.cloud.dyness import REALTIME_DATA, REGIONS, STORAGE_LIST, DynessClient
from custom_components.dyness_atess.const import DOMAIN
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Hps, Pbd
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import Replay
from emulator.faults import Fault, FaultKind
from emulator.server import EmulatedCloud

from .conftest import SERIAL, Poll, account_entry, state

MODULE, HIDDEN, BARE = "DEMO000000000001", "R07E00000002DEMO-BMS", SERIAL.removesuffix("-BMS")
PBD, HPS = "DEMOPBD001", "DEMOHPS001"


@pytest.fixture
async def elsewhere() -> AsyncGenerator[DynessCloud]:
    """Another region, where the account has nothing."""
    elsewhere = DynessCloud(devices=[])
    await elsewhere.start()
    yield elsewhere
    await elsewhere.stop()


@pytest.fixture
async def atess() -> AsyncGenerator[AtessCloud]:
    atess = AtessCloud(devices=[Pbd(serial=PBD), Hps(serial=HPS, form="string")])
    await atess.start()
    yield atess
    await atess.stop()
    assert not atess.writes


@pytest.fixture(autouse=True)
def _regions(cloud: DynessCloud, elsewhere: DynessCloud) -> Generator[None]:
    with (
        patch.dict(REGIONS, europe=cloud.url, asia_pacific=elsewhere.url),
        patch("custom_components.dyness_atess.cloud.transport.TIMEOUT", 0.5),
    ):
        yield


@pytest.fixture
def hidden(cloud: DynessCloud) -> str:
    """A second battery, which the account does not list."""
    cloud.devices[HIDDEN] = replace(cast("Replay", cloud.devices[SERIAL]), serial=HIDDEN, listed=False)
    return HIDDEN


def typed(cloud: EmulatedCloud, **changes: str) -> dict[str, str]:
    if isinstance(cloud, AtessCloud):
        account = {"api_id": cloud.api_id, "api_token": cloud.api_token, "device_sn": PBD, "server": cloud.url}
    else:
        assert isinstance(cloud, DynessCloud)
        account = {"app_id": cloud.app_id, "app_secret": cloud.app_secret, "region": "europe"}
    return account | changes


def suggested(form: Any) -> dict[str, Any]:
    """Return what stands in the form."""
    fields = {str(key): (key.description or {}).get("suggested_value") for key in form["data_schema"].schema}
    is_default = {"sidebar": True, "reserve": 10.0}.items()
    return {field: value for field, value in fields.items() if value is not None and (field, value) not in is_default}


def asked(cloud: EmulatedCloud, path: str, serial: str | None = None) -> int:
    return sum((call.path, call.serial) == (path, serial) for call in cloud.calls)


def manager_of(hass: HomeAssistant, form: Any) -> Any:
    config, handler = hass.config_entries, form["handler"]
    if isinstance(handler, tuple):
        return config.subentries
    return config.flow if handler == DOMAIN else config.options


async def send(hass: HomeAssistant, form: Any, values: dict[str, Any]) -> Any:
    result = await manager_of(hass, form).async_configure(form["flow_id"], values)
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def expect(hass: HomeAssistant, form: Any, values: dict[str, Any], errors: dict[str, str]) -> Any:
    """Send a form that comes back with these errors, and with what was typed."""
    step = form["step_id"]
    form = await send(hass, form, values)
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, step, errors)
    assert suggested(form) == values
    return form


async def set_up(hass: HomeAssistant, cloud: EmulatedCloud, *serials: str) -> MockConfigEntry:
    entry = account_entry(cloud, *serials)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


async def open_form(hass: HomeAssistant, step: str = "dyness") -> Any:
    menu = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert (menu["type"], menu["menu_options"]) == (FlowResultType.MENU, ["dyness", "atess"])
    form = await hass.config_entries.flow.async_configure(menu["flow_id"], {"next_step_id": step})
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, step, {})
    return form


async def open_form_of(hass: HomeAssistant, entry: ConfigEntry, kind: str) -> Any:
    """Open a form of an account that is there: "options", "reauth", "reconfigure", or the kind of a device to add."""
    config: Any = hass.config_entries
    if kind == "options":
        return await config.options.async_init(entry.entry_id)
    if kind in ("reauth", "reconfigure"):
        context, data = {"source": kind, "entry_id": entry.entry_id}, dict(entry.data) if kind == "reauth" else None
        return await config.flow.async_init(DOMAIN, context=context, data=data)
    return await config.subentries.async_init((entry.entry_id, kind), context={"source": SOURCE_USER})


def expect_account(hass: HomeAssistant, result: Any, cloud: DynessCloud, **changes: str) -> None:
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, "Dyness")
    assert result["data"] == typed(cloud, **changes)
    assert result["result"].unique_id == f"dyness:{cloud.app_id}"
    assert state(hass, "soc") == "100"


# Errors

type Errors = list[tuple[dict[str, Any], dict[str, str]]]
FAULTS: list[FaultKind] = ["access_denied", "network_anomaly", "hang", "drop", "http_500", "html", "rate_limited"]
WRONG, BLANK = {"base": "invalid_auth"}, " \u200b"
SERVERS: Errors = [
    ({"server": "http://127.0.0.1:1"}, {"base": "cannot_connect"}),
    ({"server": "http://atess.example"}, {"server": "insecure_url"}),
    ({"server": "atess"}, {"server": "invalid_url"}),
]
SIGNS = ("ä", "ключ", "😀", "%0d", ":", "\\n")
MISTYPED: dict[tuple[str, str], Errors] = {
    ("dyness", "user"): [
        ({"app_secret": "wrong"}, WRONG),
        ({"app_id": "wrong"}, WRONG),
        *(({"app_id": sign, "app_secret": sign}, WRONG) for sign in SIGNS),
        ({"app_id": BLANK, "app_secret": ""}, {"app_id": "required", "app_secret": "required"}),
    ],
    ("dyness", "storage"): [
        *(({"device_sn": serial}, {"device_sn": "no_data"}) for serial in ("NOBODY-BMS", "NOBODY", "NO\r\nBODY")),
        *(({"device_sn": serial}, {"device_sn": "module_serial"}) for serial in (MODULE, "A0-BDU-01", "a-dyness02")),
        ({"device_sn": BLANK}, {"device_sn": "required"}),
        ({"device_sn": BARE.lower()}, {"device_sn": "already_known"}),
    ],
    ("dyness", "options"): [
        ({"capacity": 9.5}, {"device": "incomplete_capacity"}),
        ({"device": SERIAL}, {"capacity": "incomplete_capacity"}),
        ({"hourly_calls": 60.5}, {"hourly_calls": "whole_number"}),
    ],
    ("dyness", "reauth"): [
        ({"app_secret": "wrong"}, WRONG),
        ({"app_id": "another"}, {"app_id": "wrong_account"}),
        ({"app_secret": BLANK}, {"app_secret": "required"}),
    ],
    ("dyness", "reconfigure"): [
        ({"app_secret": "wrong"}, WRONG),
        ({"app_id": "another"}, {"app_id": "wrong_account"}),
        ({"app_id": BLANK}, {"app_id": "required"}),
        ({"region": "asia_pacific"}, {"region": "empty_region"}),
    ],
    ("atess", "user"): [
        ({"api_token": "wrong"}, WRONG),
        ({"api_id": "7"}, WRONG),
        ({"device_sn": "NOBODY0001"}, {"device_sn": "unknown_serial"}),
        ({"device_sn": BLANK}, {"device_sn": "required"}),
        ({"api_token": BLANK}, {"api_token": "required"}),
        *SERVERS,
    ],
    ("atess", "converter"): [
        ({"device_sn": PBD.lower()}, {"device_sn": "already_known"}),
        ({"device_sn": "NOBODY0001"}, {"device_sn": "unknown_serial"}),
        ({"device_sn": BLANK}, {"device_sn": "required"}),
    ],
    ("atess", "reauth"): [
        ({"api_token": "wrong"}, WRONG),
        ({"api_id": "7"}, {"api_id": "wrong_account"}),
        ({"api_token": BLANK}, {"api_token": "required"}),
    ],
    ("atess", "reconfigure"): [
        ({"api_token": "wrong"}, WRONG),
        ({"api_id": "7"}, {"api_id": "wrong_account"}),
        *SERVERS,
    ],
}


@pytest.mark.parametrize(("vendor", "kind"), MISTYPED)
async def test_every_error_is_put_right_in_the_same_form(
    hass: HomeAssistant, cloud: DynessCloud, atess: AtessCloud, hidden: str, caplog: Any, vendor: str, kind: str
) -> None:
    where: EmulatedCloud = cloud if vendor == "dyness" else atess
    if kind == "user":
        form = await open_form(hass, vendor)
    else:
        form = await open_form_of(hass, await set_up(hass, where, *([PBD] if where is atess else [])), kind)
    fields = {str(key) for key in form["data_schema"].schema}
    known = typed(where) | {"single_cells": True, "hourly_calls": 60}
    if kind in ("storage", "converter"):
        known["device_sn"] = hidden if where is cloud else HPS
    values = {field: value for field, value in known.items() if field in fields}
    calls = len(where.calls)
    for changes, errors in MISTYPED[vendor, kind]:
        form = await expect(hass, form, values | changes, errors)
        assert "required" not in errors.values() or len(where.calls) == calls
        calls = len(where.calls)
    for fault in FAULTS if kind != "options" else []:
        where.add_fault(Fault(fault))
        form = await expect(hass, form, values, WRONG if fault == "access_denied" else {"base": "cloud_unavailable"})
        where.clear_faults()
    if kind != "options":
        with patch.object(AtessClient if where is atess else DynessClient, "_call", side_effect=ZeroDivisionError):
            form = await expect(hass, form, values, {"base": "unknown"})
        assert "ZeroDivisionError" in caplog.text
    result = await send(hass, form, values)
    assert result["type"] is FlowResultType.CREATE_ENTRY or result["reason"] == f"{kind}_successful"
    assert len(hass.data[_CONNECTIONS]) == 1


async def test_errors_of_another_server(hass: HomeAssistant, cloud: DynessCloud) -> None:
    first = typed(cloud, region="other", app_secret="wrong")
    form = await send(hass, await open_form(hass), first)
    assert (form["step_id"], form["errors"]) == ("server", {})
    for error, addresses in {
        "insecure_url": ("http://open-api.example", "ftp://127.0.0.1", "http://127.0.0.1.evil.example"),
        "invalid_url": ("europa", "https://", "https://host:99999999", "https://[::1"),
        "required": (BLANK,),
    }.items():
        for address in addresses:
            form = await expect(hass, form, {"base_url": address}, {"base_url": error})
    form = await expect(hass, form, {"base_url": "http://127.0.0.1:1"}, {"base": "cannot_connect"})
    address = f" {cloud.url}/openapi/"
    form = await send(hass, form, {"base_url": address})
    assert (form["step_id"], form["errors"], suggested(form)) == ("dyness", WRONG, first)
    form = await send(hass, form, typed(cloud, region="other"))
    assert (form["step_id"], form["errors"], suggested(form)) == ("server", {}, {"base_url": address})
    expect_account(hass, await send(hass, form, {"base_url": address}), cloud, region=cloud.url)


@pytest.mark.parametrize("junk", ["\r\n", "\x00", "\u200b", "\ufeff", "\x85", "\u00a0", "\ud800", "\x7f\t "])
async def test_what_a_clipboard_brings_along(hass: HomeAssistant, cloud: DynessCloud, junk: str) -> None:
    form = await open_form(hass)
    for field in ("app_id", "app_secret"):
        value = typed(cloud)[field]
        values = typed(cloud, app_secret="wrong") | {field: f"{value[:3]}{junk}wrong{value[3:]}"}
        form = await expect(hass, form, values, WRONG)
    padded = {field: f"{junk}{typed(cloud)[field]}{junk}" for field in ("app_id", "app_secret")}
    expect_account(hass, await send(hass, form, typed(cloud) | padded), cloud)


# What the form has read


async def test_too_many_calls_right_after_success(hass: HomeAssistant, cloud: DynessCloud, poll: Poll) -> None:
    cloud.add_fault(Fault("rate_limited", path=REALTIME_DATA))
    result = await send(hass, await open_form(hass), typed(cloud))
    cloud.add_fault(Fault("rate_limited"))
    await poll(1.1)
    assert list(result["result"].runtime_data.devices) == [SERIAL]
    cloud.clear_faults()
    await poll(1.1)
    expect_account(hass, result, cloud)
    assert asked(cloud, STORAGE_LIST) == 1


async def test_a_person_is_told_of_a_long_pause(hass: HomeAssistant, cloud: DynessCloud) -> None:
    cloud.add_fault(Fault("rate_limited", times=1))
    values, unavailable = typed(cloud), {"base": "cloud_unavailable"}
    with (
        patch("custom_components.dyness_atess.cloud.queue.PAUSE", 600),
        patch("custom_components.dyness_atess.account.validation.PATIENCE", 0.1),
    ):
        form = await expect(hass, await open_form(hass), values, unavailable)
        form = await expect(hass, form, values, unavailable)
    assert asked(cloud, STORAGE_LIST) == 1


async def test_a_form_that_is_closed_costs_another_one_nothing(hass: HomeAssistant, cloud: DynessCloud) -> None:
    cloud.devices[SERIAL].listed = False
    form, other = await send(hass, await open_form(hass), typed(cloud)), await open_form(hass)
    hass.config_entries.flow.async_abort(other["flow_id"])
    assert (await send(hass, form, {"device_sn": SERIAL}))["type"] is FlowResultType.CREATE_ENTRY
    assert asked(cloud, STORAGE_LIST) == 1


@pytest.mark.parametrize("serial", [SERIAL, BARE, f"{BARE}-BDU", SERIAL.lower(), f"{BARE.lower()}-bdu", f" {BARE}\n"])
@pytest.mark.parametrize("fault", [None, "network_anomaly"])
async def test_a_battery_that_is_not_listed(
    hass: HomeAssistant, cloud: DynessCloud, elsewhere: DynessCloud, serial: str, fault: FaultKind | None
) -> None:
    cloud.devices[SERIAL].listed = False
    form = await send(hass, await open_form(hass), typed(cloud))
    assert (form["step_id"], form["errors"]) == ("serial", {})
    for kind in ("null_data", "points_without_values"):
        cloud.add_fault(Fault(kind))
        form = await expect(hass, form, {"device_sn": serial}, {"device_sn": "no_data"})
        cloud.clear_faults()
    cloud.calls.clear()
    for guess in {f"{BARE}-BDU", BARE, serial.strip()} - {SERIAL}:
        if fault:
            cloud.add_fault(Fault(fault, serial=guess))
    result = await send(hass, form, {"device_sn": serial, "collector_sn": f"{BARE} "})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = result["result"].subentries.values()
    assert (subentry.subentry_type, subentry.title, subentry.unique_id) == ("storage", SERIAL, SERIAL)
    assert subentry.data == {"device_sn": SERIAL, "collector_sn": BARE}
    assert state(hass, "soc") == "100"
    assert (asked(cloud, STORAGE_LIST), asked(cloud, REALTIME_DATA, SERIAL)) == (0, 1)
    # Where no list has it, the battery tells whether the account is right.
    form, values = await open_form_of(hass, result["result"], "reconfigure"), typed(cloud, region="asia_pacific")
    form = await expect(hass, form, values, {"region": "empty_region"})
    elsewhere.devices[SERIAL] = cloud.devices[SERIAL]
    assert (await send(hass, form, values))["reason"] == "reconfigure_successful"


@pytest.mark.parametrize(
    ("serial", "kind"), [(PBD, "pbd"), (PBD.lower(), "pbd"), (f" {HPS} ", "hps"), (HPS.lower(), "hps")]
)
async def test_atess(hass: HomeAssistant, atess: AtessCloud, serial: str, kind: str) -> None:
    values = typed(atess, device_sn=serial, server=f"{atess.url}/api")
    result = await send(hass, await open_form(hass, "atess"), values)
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, "ATESS")
    assert result["data"] == {"api_id": atess.api_id, "api_token": atess.api_token, "server": atess.url}
    assert result["result"].unique_id == f"atess:{atess.api_id}"
    (subentry,) = result["result"].subentries.values()
    found = serial.strip().upper()
    assert (subentry.subentry_type, subentry.title, subentry.unique_id) == ("converter", found, found)
    assert subentry.data == {"device_sn": found, "kind": kind}
    assert state(hass, "online", found) == "on"
    assert sum(call.outcome == "0" and call.serial == found for call in atess.calls) == (1 if kind == "pbd" else 2)


async def test_atess_asleep_with_the_ready_made_header(hass: HomeAssistant, atess: AtessCloud) -> None:
    header = authorization(atess.api_id, atess.api_token)
    atess.add_fault(Fault("null_data"))
    result = await send(hass, await open_form(hass, "atess"), typed(atess, api_id=" ", api_token=header))
    entry = result["result"]
    assert entry.data == {"api_token": header, "server": atess.url}
    assert [dict(subentry.data) for subentry in entry.subentries.values()] == [{"device_sn": PBD, "kind": "pbd"}]
    assert entry.state is ConfigEntryState.LOADED
    atess.authorization = header = "Basic new"
    atess.clear_faults()
    form = await open_form_of(hass, entry, "reauth")
    assert (await send(hass, form, {"api_token": header}))["reason"] == "reauth_successful"
    assert len(hass.data[_CONNECTIONS]) == 1
    # Nothing but the devices tells whose a header is.
    stranger = AtessCloud(devices=[], api_token="another")
    await stranger.start()
    form = await open_form_of(hass, entry, "reconfigure")
    foreign = {"api_token": stranger.authorization, "server": stranger.url}
    form = await expect(hass, form, foreign, {"base": "foreign_device"})
    await stranger.stop()
    account_entry(atess).add_to_hass(hass)
    same = {"api_id": atess.api_id, "api_token": header, "server": atess.url}
    assert (await send(hass, form, same))["reason"] == "already_configured"


async def test_two_accounts_have_two_names(hass: HomeAssistant, cloud: DynessCloud) -> None:
    MockConfigEntry(domain=DOMAIN, title="Dyness", unique_id="dyness:another", data={"app_id": "another"}).add_to_hass(
        hass
    )
    result = await send(hass, await open_form(hass), typed(cloud))
    assert result["result"].title == "Dyness 2"


# Several forms at once


@pytest.mark.parametrize("step", ["dyness", "serial", "storage"])
async def test_the_same_in_two_tabs(hass: HomeAssistant, cloud: DynessCloud, hidden: str, step: str) -> None:
    values = typed(cloud) if step == "dyness" else {"device_sn": hidden}
    if step == "storage":
        entry = await set_up(hass, cloud)
        forms = [await open_form_of(hass, entry, step) for _ in range(2)]
    else:
        forms = [await open_form(hass) for _ in range(2)]
    if step == "serial":
        cloud.devices[SERIAL].listed = False
        forms = [await send(hass, form, typed(cloud)) for form in forms]
    results = await asyncio.gather(*(send(hass, form, values) for form in forms))
    other, one = sorted(results, key=lambda result: result["type"] is FlowResultType.CREATE_ENTRY)
    assert one["type"] is FlowResultType.CREATE_ENTRY
    assert other.get("reason") == "already_configured" or other["errors"] == {"device_sn": "already_known"}
    (found,) = hass.config_entries.async_entries(DOMAIN)
    assert len(found.subentries) == (step != "dyness")
