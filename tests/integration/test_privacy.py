"""Nothing private leaves by a download, a log, a repair or a state, wherever in an answer it stands."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
import json
import logging
import re
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.const import DOMAIN
from custom_components.dyness_atess.diagnostics import redacted
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.dyness.catalogue import build
from emulator.dyness.cloud import DynessCloud, envelope
from emulator.dyness.replay import PbdReplay, Replay
from emulator.faults import Fault, Reply
from emulator.server import EmulatedCloud

from .conftest import Poll, account_entry
from .test_diagnostics import download

NOON = datetime(2026, 6, 10, 10, 0, tzinfo=UTC)
APP_ID, APP_SECRET = "appid-5c1f9a", "secret-Zq8!tR2x"
API_ID, API_TOKEN = "api-id-40961", "token-Kp4_vB6n"
MASTER, COLLECTOR, UNLISTED, INVERTER = "R07E00000000ABCD-BMS", "R07E00000000ABCD", "QWERTYUIOP1-BDU", "CYG-x7"
MODULES = ("l300250703151234", "R07E00000000ABCD-BMS-BDU-01", "R07E00000000ABCD-DYNESS02", "X-BMS-BDU-01")
PBD, SECOND_PBD = "PBD-A1", "HPS0B2"
SERIALS = (MASTER, COLLECTOR, UNLISTED, INVERTER, *MODULES, PBD, SECOND_PBD)
OWNER = "王小明的秘密电池 Ä"
PLACE = {
    "stationName": "Villa Ünsichtbar 我的电站",
    "stationId": 47029036261234,
    "position": "1 Hidden Lane, 75000 Cachéville",
    "ownerEmail": "jane.doe@example.org",
    "phone": "+49 170 1234567",
    "latitude": 48.1234567,
    "longitude": "11.7654321",
    "wifi_mac": "a4:cf:12:9b:00:7e",
    "lanAddress": "192.168.178.23",
    "meterSn": "E15A00000000WXYZ",
}
PRIVATE = (APP_ID, APP_SECRET, API_ID, API_TOKEN, *SERIALS, *map(str, PLACE.values()))
SENTENCE = "; ".join((*PRIVATE, OWNER))
ROW = PLACE | {"deviceName": OWNER, "hint": SENTENCE, "nested": {"list": [SENTENCE]}}
KEPT = {"emptyField": "", "nullField": None, "flagField": False, "levelField": 0.5, "countField": "17"}


def leaks(text: str) -> list[str]:
    """Return what is found in a text, in whatever case."""
    return [mark for mark in PRIVATE if re.search(rf"(?<![A-Za-z0-9]){re.escape(mark)}", text, re.IGNORECASE)]


def marked(name: str, serial: str, *, listed: bool = True, **fields: Any) -> Replay:
    """Make a device of the catalogue, in all of whose answers there is something private."""
    (device,) = build(name, **fields)
    row = device.listing(NOON) | ROW | KEPT | {"deviceSn": serial, "collectorSn": COLLECTOR}
    said = [
        {"flag": False, "pointId": f"9{number}", "pointValue": mark, "pointNameCn": "神秘", **ROW}
        for number, mark in enumerate((*SERIALS, OWNER, SENTENCE, "12.5"))
    ]
    points = [
        point | ({"pointValue": ",".join(MODULES)} if point["pointId"] == "SUB" else {})
        for point in device.points(NOON)
    ]
    recording = {
        "listing": row,
        "detail": row,
        "station": (device.station() or {}) | ROW | KEPT,
        "running": (device.running(NOON) or {}) | ROW | KEPT,
        "history": [record | ROW | KEPT for record in device.power_history(NOON)],
        "points": [*points, *said],
    }
    return Replay(serial=serial, recording=recording, listed=listed)


REFUSALS = ((200, "500"), (200, "401"), (403, "403"), (429, "429"), (500, "1"), (200, SENTENCE))
"""HTTP status and code"""


def refusal(status: int, code: str) -> Callable[..., Reply]:
    """Refuse, and name whom it is about."""
    body = envelope(code, {"text": SENTENCE}, SENTENCE).body | {"msg": SENTENCE}
    return lambda *_: Reply(status=status, body=body)


@pytest.fixture(params=["dyness", "atess"])
async def cloud(
    request: pytest.FixtureRequest, freezer: FrozenDateTimeFactory, caplog: pytest.LogCaptureFixture
) -> AsyncGenerator[Any]:
    """Either cloud."""
    freezer.move_to(NOON)
    caplog.set_level(logging.DEBUG)
    cloud: EmulatedCloud
    if request.param == "dyness":
        devices = [
            marked("dl5-1", MASTER, absent=frozenset({"800"})),
            marked("cygni", INVERTER),
            marked("tower-t14", UNLISTED, listed=False),
            *(marked("dl5-1", serial, listed=False) for serial in MODULES),
        ]
        cloud = DynessCloud(app_id=APP_ID, app_secret=APP_SECRET, devices=devices)
    else:
        records = {serial: Pbd(serial=serial).record(NOON) | ROW | KEPT for serial in (PBD, SECOND_PBD)}
        pbds = [PbdReplay(serial=serial, recording={"points": record}) for serial, record in records.items()]
        cloud = AtessCloud(api_id=API_ID, api_token=API_TOKEN, devices=pbds)
    await cloud.start()
    yield cloud
    await cloud.stop()


async def look(hass: HomeAssistant, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture) -> None:
    """Look at everything that can be read of an account."""
    states = [state.as_dict() for state in hass.states.async_all()]
    repairs = [issue.to_json() for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]
    content = await download(hass, entry)
    assert not leaks(f"{content} {states} {repairs}")
    assert OWNER not in content
    ours = [record for record in caplog.records if record.name.startswith(f"custom_components.{DOMAIN}")]
    assert not leaks(" ".join(f"{record.getMessage()} {record.args} {record.exc_text}" for record in ours))
    caplog.clear()


async def test_polling(hass: HomeAssistant, cloud: Any, poll: Poll, caplog: pytest.LogCaptureFixture) -> None:
    unlisted = [UNLISTED] if isinstance(cloud, DynessCloud) else [PBD, SECOND_PBD]
    entry = account_entry(cloud, *unlisted, options={"capacity": {unlisted[0]: 9.5}})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await poll(5.6)
    text = await download(hass, entry)
    # What helps to write a table stays: strange fields, numbers and nothings, strange names of points.
    for kept in (*(json.dumps({name: value})[1:-1] for name, value in KEPT.items()), '"hint": '):
        assert kept in text
    assert ("神秘" in text) == isinstance(cloud, DynessCloud)
    await look(hass, entry, caplog)
    for status, code in REFUSALS:
        cloud.answer = refusal(status, code)
        await poll(31)
        await look(hass, entry, caplog)
    del cloud.answer
    for kind in ("wrong_types", "text_data", "garbage"):
        cloud.add_fault(Fault(kind))
        await poll(31)
        await look(hass, entry, caplog)
        cloud.clear_faults()


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("deviceModelName", "Tower T14", "Tower T14"),
        ("dataUpdateTime", "2026-03-23 22:57:27 UTC+01:00", "2026-03-23 22:57:27 UTC+01:00"),
        ("strange", "2026-03-23T21:57:27.5Z", "2026-03-23T21:57:27.5Z"),
        ("strange", "2.50-62.0.11", "2.50-62.0.11"),
        ("strange", "0.30000000000000004", "0.30000000000000004"),
        ("strange", "null", "null"),
        ("powerGrid", -12, -12),
        ("strange", "Kimberley", "**REDACTED**"),
        ("strange", 1701234567, "**REDACTED**"),
        ("userId", 12345, "**REDACTED**"),
        ("strange", "r07e00000000abcd-bms", "sn{}-BMS"),
        ("strange", f"{MASTER},STRANGER0001", "sn{}-BMS,**REDACTED**"),
        ("deviceModelName", f"of {MASTER}", "**REDACTED**"),
        ("strange", {"inner": ["Kimberley", 5, None]}, {"inner": ["**REDACTED**", 5, None]}),
    ],
)
def test_what_the_cloud_said(field: str, value: Any, shown: Any) -> None:
    ours = redacted({"serial": MASTER, "listing": {field: value}}, [MASTER])
    digest = ours["serial"].removeprefix("sn").removesuffix("-BMS")
    expected = shown.format(digest) if isinstance(shown, str) else shown
    assert ours["listing"] == {field: expected}
    assert len(digest) == 8
