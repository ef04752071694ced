"""Nothing private leaves by a download or a log, whichever way it came in."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
import json
import logging
import re
from typing import Any
from unittest.mock import patch

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.const import DOMAIN
from emulator.atess.cloud import AtessCloud, basic
from emulator.atess.pbd import Pbd
from emulator.dyness.catalogue import build
from emulator.dyness.cloud import DynessCloud, envelope
from emulator.dyness.replay import PbdReplay, Replay
from emulator.faults import Fault, FaultKind, Reply

from .conftest import Poll
from .test_atess import pbd_entry
from .test_diagnostics import download

NOON = datetime(2026, 6, 10, 10, 0, tzinfo=UTC)

APP_ID, APP_SECRET, NEW_SECRET = "appid-5c1f9a", "secret-Zq8!tR2x", "secret-Yw7?uS3y"
API_ID, API_TOKEN, NEW_TOKEN = "api-id-40961", "token-Kp4_vB6n", "token-Lr5_wC7m"
MASTER, COLLECTOR, UNLISTED, INVERTER = "R07E00000000ABCD-BMS", "R07E00000000ABCD", "QWERTYUIOP1-BDU", "CYG-x7"
MODULES = ("l300250703151234", "R07E00000000ABCD-BMS-BDU-01", "R07E00000000ABCD-DYNESS02", "X-BMS-BDU-01")
PBD, SECOND_PBD = "PBD-A1", "HPS0B2"
METER, OTHER = "MTR-7F-zz", "E15A00000000WXYZ"
BATTERIES = (MASTER, COLLECTOR, UNLISTED, INVERTER, *MODULES, METER, OTHER)
PBDS = (PBD, SECOND_PBD, METER, OTHER)
OWNER = "王小明的秘密电池 Ä"
PLACE = {
    "stationName": "Villa Ünsichtbar 我的电站",
    "stationId": 47029036261234,
    "position": "1 Hidden Lane, 75000 Cachéville",
    "address": "9 Backstreet",
    "ownerEmail": "jane.doe@example.org",
    "phone": "+49 170 1234567",
    "userName": "Jane Q. Private",
    "latitude": 48.1234567,
    "longitude": "11.7654321",
    "wifi_mac": "a4:cf:12:9b:00:7e",
}
SECRETS = (APP_ID, APP_SECRET, NEW_SECRET, API_ID, API_TOKEN, NEW_TOKEN)
PRIVATE = (*SECRETS, *BATTERIES, *PBDS, *map(str, PLACE.values()))
BY_USER = "My secret cellar"
"""What the owner called a device in Home Assistant, which has it in entity ids, names and so in logs of its own."""


def row(serials: tuple[str, ...]) -> dict[str, Any]:
    """Return fields with what is private, under names that say so and under others."""
    own = {"deviceName": OWNER, "meterSn": METER, "sn": OTHER}
    everything = "; ".join((*serials, OWNER, *map(str, PLACE.values())))
    return PLACE | own | {"hint": everything, "nested": {"list": [everything]}, "number": 48.1234567}


ROW, PBD_ROW = row(BATTERIES), row(PBDS)
SENTENCE = f"{ROW['hint']} {PBD_ROW['hint']}"
KEPT = {"newField": "运行 5", "emptyField": "", "nullField": None, "flagField": False, "levelField": 0.5}


def leaks(text: str, private: tuple[str, ...] = PRIVATE) -> list[str]:
    """Return what is found in a text, in whatever case; short serial numbers as a word."""
    return [mark for mark in private if re.search(rf"(?<![A-Za-z0-9]){re.escape(mark)}", text, re.IGNORECASE)]


def points(device: Replay) -> list[Any]:
    """Add points with all that is private to those of a device."""
    strange = [*BATTERIES, OWNER, *map(str, PLACE.values()), ROW["hint"]]
    return [
        *device.recording["points"],
        *(
            {"flag": False, "pointId": f"9{n}1", "pointValue": mark, "pointNameCn": "新"}
            for n, mark in enumerate(strange)
        ),
        *(
            {"flag": False, "pointId": f"9{n}2", "pointValue": "5", "pointNameCn": mark}
            for n, mark in enumerate(strange)
        ),
        *({"flag": False, "pointId": mark, "pointValue": "6", "pointNameCn": "新"} for mark in strange),
        {"flag": False, "pointId": "91", "pointValue": "12.5", "pointNameCn": "神秘", **ROW},
        {"flag": False, "pointId": "92", "pointValue": None, "pointNameCn": "空值"},
        {"flag": False, "pointId": "93", "pointValue": "0.30000000000000004", "pointNameCn": "运行时间"},
        {"flag": False, "pointId": "94", "pointValue": "Kimberley", "pointNameCn": "Owner name"},
    ]


def marked(name: str, serial: str, *, listed: bool = True, **fields: Any) -> Replay:
    """Make a device of the catalogue, in all of whose answers there is something private."""
    (device,) = build(name, **fields)
    row = device.listing(NOON) | ROW | KEPT | {"deviceSn": serial, "collectorSn": COLLECTOR}
    recording = {
        "listing": row,
        "detail": row,
        "station": (device.station() or {}) | ROW | KEPT,
        "running": (device.running(NOON) or {}) | ROW | KEPT,
        "history": [record | ROW | KEPT for record in device.power_history(NOON)],
        "received_at": NOON.isoformat(),
        "points": [
            point | ({"pointValue": ",".join(MODULES)} if point["pointId"] == "SUB" else {})
            for point in device.points(NOON)
        ],
    }
    replay = Replay(serial=serial, recording=recording, listed=listed)
    replay.recording["points"] = points(replay)
    return replay


class Talkative:
    """A cloud whose refusals name whom they are about."""

    refusal: tuple[int, str] | None = None
    """HTTP status and code."""

    def refuse(self) -> Reply | None:
        if not self.refusal:
            return None
        status, code = self.refusal
        text = f"{SENTENCE} {APP_SECRET} {API_TOKEN}"
        return Reply(status=status, body=envelope(code, {"text": text}, text).body | {"message": text, "msg": text})


class TalkativeDyness(Talkative, DynessCloud):
    def answer(self, request: web.Request, path: str, body: bytes) -> Reply:
        return self.refuse() or super().answer(request, path, body)


class TalkativeAtess(Talkative, AtessCloud):
    def answer(self, request: web.Request, path: str, body: bytes) -> Reply:
        return self.refuse() or super().answer(request, path, body)


REFUSALS = (
    (200, "500"),
    (200, "401"),
    (401, "401"),
    (403, "403"),
    (200, "429"),
    (429, "429"),
    (500, "1"),
    (200, SENTENCE),
)
FAULTS: tuple[FaultKind, ...] = (
    "hang",
    "drop",
    "garbage",
    "wrong_types",
    "text_data",
    "null_data",
    "html",
    "truncated",
)


@pytest.fixture(autouse=True)
def _log_everything(freezer: FrozenDateTimeFactory, caplog: pytest.LogCaptureFixture) -> None:
    freezer.move_to(NOON)
    caplog.set_level(logging.DEBUG)


@pytest.fixture
async def dyness() -> AsyncGenerator[TalkativeDyness]:
    devices = [
        marked("dl5-1", MASTER, absent=frozenset({"800"})),
        marked("cygni", INVERTER),
        marked("tower-t14", UNLISTED, listed=False),
        *(marked("dl5-1", serial, listed=False) for serial in MODULES),
    ]
    cloud = TalkativeDyness(app_id=APP_ID, app_secret=APP_SECRET, devices=devices, calls_per_second=None)
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
async def atess() -> AsyncGenerator[TalkativeAtess]:
    devices = [
        PbdReplay(serial=serial, recording={"points": Pbd(serial=serial).record(NOON) | PBD_ROW | KEPT})
        for serial in (PBD, SECOND_PBD)
    ]
    cloud = TalkativeAtess(api_id=API_ID, api_token=API_TOKEN, devices=devices)
    await cloud.start()
    yield cloud
    await cloud.stop()


@dataclass
class Watch:
    """Looks at everything that can be read of an account."""

    hass: HomeAssistant
    caplog: pytest.LogCaptureFixture

    def logs(self) -> None:
        """Look at what was logged since last time."""
        formatter = logging.Formatter("%(name)s %(message)s")
        for record in self.caplog.records:
            ours = record.name.startswith(f"custom_components.{DOMAIN}")
            if ours or record.name.startswith("homeassistant"):
                text = f"{formatter.format(record)} {record.args}"
                assert not leaks(text, (*PRIVATE, OWNER, BY_USER) if ours else PRIVATE), text
        self.caplog.clear()

    def states(self) -> None:
        """Look at the states."""
        assert self.hass.states.async_all()
        for state in self.hass.states.async_all():
            assert not leaks(str(state.as_dict()))

    async def download(self, entry: MockConfigEntry) -> Any:
        """Download the diagnostics, and look at them."""
        text = await download(self.hass, entry)
        # Home Assistant puts the repairs of the integration beside it.
        issues = [issue.to_json() for key, issue in ir.async_get(self.hass).issues.items() if key[0] == DOMAIN]
        assert not leaks(f"{text} {issues}", (*PRIVATE, OWNER, BY_USER, "Kimberley"))
        return json.loads(text)["data"]

    async def everything(self, entry: MockConfigEntry) -> Any:
        content = await self.download(entry)
        self.states()
        self.logs()
        return content


@pytest.fixture
def watch(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> Watch:
    return Watch(hass, caplog)


@contextmanager
def failing(cloud: Any, kind: FaultKind) -> Iterator[None]:
    """Let every call go wrong; nobody waits long for the answer of a cloud that hangs."""
    cloud.add_fault(Fault(kind))
    with patch("custom_components.dyness_atess.cloud.transport.TIMEOUT", 0.05 if kind == "hang" else 15.0):
        yield
    cloud.clear_faults()


async def trouble(cloud: Any, poll: Poll) -> AsyncGenerator[None]:
    """Let everything go wrong, one after the other."""
    for refusal in REFUSALS:
        cloud.refusal = refusal
        await poll(31)
        yield
    cloud.refusal = None
    for kind in FAULTS:
        with failing(cloud, kind):
            await poll(31)
        yield
    await poll(31)
    yield


def rename(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    registry = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        registry.async_update_device(device.id, name_by_user=BY_USER)


async def test_polling(hass: HomeAssistant, dyness: TalkativeDyness, watch: Watch, poll: Poll) -> None:
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=OWNER,
        unique_id=f"dyness:{APP_ID}",
        data={"app_id": APP_ID, "app_secret": APP_SECRET, "region": dyness.url},
        options={"capacity": {MASTER: 9.5, UNLISTED: 20.5}},
        subentries_data=[
            {
                "data": {"device_sn": UNLISTED, "collector_sn": COLLECTOR},
                "subentry_type": "storage",
                "title": UNLISTED,
                "unique_id": UNLISTED,
            }
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await poll(5.1)
    content = await watch.everything(entry)
    devices = content["devices"]
    assert len(devices) == 3 + len(MODULES)
    for device in devices:
        assert len(device["points"]) > 60
        values = {point["pointId"]: point for point in device["points"]}
        assert (values["91"]["pointNameCn"], values["91"]["pointValue"]) == ("神秘", "12.5")
        assert values["92"]["pointValue"] is None
        assert values["93"]["pointValue"] == "0.30000000000000004"
        answers = [device[name] for name in ("listing", "station", "running") if device.get(name)]
        for answer in (*answers, *device.get("history", ())):
            assert answer.items() >= KEPT.items()
            assert answer.keys() >= ROW.keys()
    answered = {name for device in devices for name in ("history", "running", "station") if device.get(name)}
    assert answered == {"history", "running", "station"}
    rename(hass, entry)
    async for _ in trouble(dyness, poll):
        await watch.everything(entry)
    for flow in hass.config_entries.flow.async_progress():
        hass.config_entries.flow.async_abort(flow["flow_id"])
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await watch.everything(entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    watch.logs()


async def test_polling_a_pbd(hass: HomeAssistant, atess: TalkativeAtess, watch: Watch, poll: Poll) -> None:
    entry = pbd_entry(hass, atess, PBD, SECOND_PBD)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    content = await watch.everything(entry)
    for device in content["devices"]:
        assert device["points"].items() >= KEPT.items()
        assert device["points"].keys() >= PBD_ROW.keys()
        assert len(device["points"]) == 78 + len(PBD_ROW) + len(KEPT)
    rename(hass, entry)
    async for _ in trouble(atess, poll):
        await watch.everything(entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    watch.logs()


type Step = Callable[[Any, dict[str, str]], Awaitable[Any]]


async def mistakes(form: Any, step: Step, typed: dict[str, str], cloud: Any, watch: Watch, call: str) -> Any:
    """Send a form while everything goes wrong, and return it as it then is."""
    for refusal in REFUSALS:
        cloud.refusal = refusal
        form = await step(form, typed)
        assert form["errors"]
    cloud.refusal = None
    for kind in FAULTS:
        if kind in ("null_data", "wrong_types"):
            continue  # to the first the Dyness flow has a form of its own, and any record shows that there is a PBD
        with failing(cloud, kind):
            form = await step(form, typed)
        assert form["errors"], kind
    with patch(f"custom_components.dyness_atess.cloud.{call}", side_effect=RuntimeError(f"{SENTENCE} {SECRETS}")):
        form = await step(form, typed)
    assert form["errors"] == {"base": "unknown"}
    watch.logs()
    return form


async def open_form(hass: HomeAssistant, cloud: str) -> Any:
    menu: Any = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    return await hass.config_entries.flow.async_configure(menu["flow_id"], {"next_step_id": cloud})


async def reconfigure(hass: HomeAssistant, entry: Any) -> Any:
    context: Any = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    return await hass.config_entries.flow.async_init(DOMAIN, context=context)


def steps(hass: HomeAssistant) -> tuple[Step, Step]:
    """Return what sends a form of the account, and one of a device."""

    async def send(form: Any, typed: dict[str, str]) -> Any:
        result = await hass.config_entries.flow.async_configure(form["flow_id"], typed)
        await hass.async_block_till_done(wait_background_tasks=True)
        return result

    async def send_device(form: Any, typed: dict[str, str]) -> Any:
        result = await hass.config_entries.subentries.async_configure(form["flow_id"], typed)
        await hass.async_block_till_done(wait_background_tasks=True)
        return result

    return send, send_device


async def test_flows(hass: HomeAssistant, dyness: TalkativeDyness, watch: Watch, poll: Poll) -> None:
    send, send_device = steps(hass)
    account = {"app_id": APP_ID, "app_secret": APP_SECRET, "region": dyness.url}
    form = await mistakes(
        await open_form(hass, "dyness"), send, account, dyness, watch, "dyness.DynessClient.storage_list"
    )
    form = await send(form, account | {"app_secret": NEW_SECRET})
    assert form["errors"] == {"base": "invalid_auth"}
    for device in dyness.devices.values():
        device.listed = False
    form = await send(form, account)
    assert form["step_id"] == "serial"
    for serial, error in ((OTHER, "no_data"), (MODULES[1], "module_serial")):
        form = await send(form, {"device_sn": serial, "collector_sn": COLLECTOR})
        assert form["errors"] == {"device_sn": error}
    added = {"device_sn": UNLISTED, "collector_sn": COLLECTOR}
    form = await mistakes(form, send, added, dyness, watch, "dyness.DynessClient.realtime_data")
    dyness.devices[INVERTER].listed = True
    result = await send(form, added)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    await watch.everything(entry)

    added = {"device_sn": MASTER, "collector_sn": COLLECTOR}
    form = await hass.config_entries.subentries.async_init((entry.entry_id, "storage"), context={"source": SOURCE_USER})
    form = await mistakes(form, send_device, added, dyness, watch, "dyness.DynessClient.realtime_data")
    assert (await send_device(form, added))["type"] is FlowResultType.CREATE_ENTRY
    options: Any = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(
        options["flow_id"], {"single_cells": True, "hourly_calls": 3600, "device": MASTER, "capacity": 9.5}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    await watch.everything(entry)

    dyness.app_secret = NEW_SECRET
    await poll(31)
    (form,) = hass.config_entries.flow.async_progress()
    new = {"app_id": APP_ID, "app_secret": NEW_SECRET}
    form = await send(form, new | {"app_secret": "wrong"})
    form = await mistakes(form, send, new, dyness, watch, "dyness.DynessClient.storage_list")
    assert (await send(form, new))["reason"] == "reauth_successful"
    form = await reconfigure(hass, entry)
    form = await mistakes(form, send, new | {"region": dyness.url}, dyness, watch, "dyness.DynessClient.storage_list")
    form = await send(form, new | {"region": f"https://{APP_ID}:{NEW_SECRET}@[bad"})
    assert form["errors"] == {"region": "invalid_url"}
    assert (await send(form, new | {"region": dyness.url}))["reason"] == "reconfigure_successful"
    await watch.everything(entry)


async def test_flows_of_a_pbd(hass: HomeAssistant, atess: TalkativeAtess, watch: Watch, poll: Poll) -> None:
    send, send_device = steps(hass)
    call = "atess.AtessClient.pbd_data_last"
    account = {"api_id": API_ID, "api_token": API_TOKEN, "device_sn": PBD, "server": atess.url}
    form = await mistakes(await open_form(hass, "atess"), send, account, atess, watch, call)
    for change in ({"api_token": NEW_TOKEN}, {"device_sn": OTHER}, {"server": f"ftp://{API_TOKEN}"}):
        form = await send(form, account | change)
        assert form["errors"]
    result = await send(form, account)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    form = await hass.config_entries.subentries.async_init((entry.entry_id, "pbd"), context={"source": SOURCE_USER})
    form = await mistakes(form, send_device, {"device_sn": SECOND_PBD}, atess, watch, call)
    assert (await send_device(form, {"device_sn": SECOND_PBD}))["type"] is FlowResultType.CREATE_ENTRY
    await watch.everything(entry)

    atess.authorization = basic(API_ID, NEW_TOKEN)
    await poll(31)
    (form,) = hass.config_entries.flow.async_progress()
    new = {"api_id": API_ID, "api_token": NEW_TOKEN}
    form = await mistakes(form, send, new, atess, watch, call)
    assert (await send(form, new))["reason"] == "reauth_successful"
    form = await reconfigure(hass, entry)
    form = await mistakes(form, send, new | {"server": atess.url}, atess, watch, call)
    assert (await send(form, new | {"server": atess.url}))["reason"] == "reconfigure_successful"
    await watch.everything(entry)


async def test_ready_made_header(hass: HomeAssistant, atess: TalkativeAtess, watch: Watch) -> None:
    """Its letters are the account's id and token."""
    send, _ = steps(hass)
    header = basic(API_ID, API_TOKEN)
    result = await send(await open_form(hass, "atess"), {"api_token": header, "device_sn": PBD, "server": atess.url})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    text = await download(hass, result["result"]) + watch.caplog.text
    assert header.removeprefix("Basic ") not in text
