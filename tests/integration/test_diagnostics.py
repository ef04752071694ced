"""The diagnostics download: enough to write a family table from, and nothing personal."""

from dataclasses import replace
import json
from pathlib import Path
from typing import Any, cast

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.json import JSONEncoder
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.const import DOMAIN
from custom_components.dyness_atess.diagnostics import async_get_config_entry_diagnostics
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.replay import Replay, replay_all
from emulator.faults import Fault

from .conftest import SERIAL, Poll, all_states, state

PRIVATE = {
    "deviceName": "Grandma's battery",
    "stationName": "House of Secrets",
    "stationId": "47029036261234",
    "position": "1 Hidden Lane",
    "collectorSn": "R07E96466801ABCD",
}


async def download(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    content = await async_get_config_entry_diagnostics(hass, entry)
    return json.dumps({"home_assistant": {}, "data": content}, cls=JSONEncoder, ensure_ascii=False)


async def test_replay(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud, poll: Poll, tmp_path: Path
) -> None:
    """A user's download becomes the user's device, without the user."""
    device = cast("Replay", cloud.devices[SERIAL])
    listing = device.recording["listing"] | PRIVATE
    points = [
        *(
            point | ({"pointValue": "l300250703151234"} if point["pointId"] == "SUB" else {})
            for point in device.points(cloud.clock())
        ),
        {"flag": False, "pointId": "500", "pointValue": "l300250703151234", "pointNameCn": "序列号SN"},
        {"flag": False, "pointId": "77000", "pointValue": "210987654321098", "pointNameCn": "新"},
        {"flag": False, "pointId": "88000", "pointValue": "Grandma", "pointNameCn": "新的"},
    ]
    cloud.devices[SERIAL] = replace(device, recording=device.recording | {"listing": listing, "points": points})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    before = all_states(hass)
    text = await download(hass, entry)
    private = (*PRIVATE.values(), "R07E", "l300250703151234", "210987654321098", "Grandma")
    for hidden in (*private, cloud.app_id, cloud.app_secret):
        assert hidden not in text
    for kept in ("2.50-62.0.11", "单芯最高电压", "PowerHaus", "新的", "3.327", "low_voltage"):
        assert kept in text

    path = tmp_path / "download.json"
    path.write_text(text, encoding="utf-8")
    cloud.devices.clear()
    cloud.devices.update({replayed.serial: replayed for replayed in replay_all(path)})
    assert len(cloud.devices) == 1
    await hass.config_entries.async_remove(entry.entry_id)
    again = MockConfigEntry(domain=entry.domain, unique_id=entry.unique_id, data=entry.data)
    again.add_to_hass(hass)
    assert await hass.config_entries.async_setup(again.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert all_states(hass) | {"calls_last_hour": ""} == before | {"calls_last_hour": ""}


async def test_while_the_cloud_is_down(hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud) -> None:
    cloud.add_fault(Fault("network_anomaly"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    content: Any = json.loads(await download(hass, entry))["data"]
    assert content["devices"] == []
    assert content["device_list"]["last_update_success"] is False
    assert "Network Anomaly" in content["device_list"]["last_error"]


async def test_an_unknown_family_is_there_whole(
    hass: HomeAssistant, entry: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    device = cast("Replay", cloud.devices[SERIAL])
    points = [{"flag": False, "pointId": "70001", "pointValue": "12.5", "pointNameCn": "神秘"}]
    cloud.devices[SERIAL] = replace(device, recording=device.recording | {"points": points})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    (shown,) = json.loads(await download(hass, entry))["data"]["devices"]
    assert shown["points"] == points
    assert shown["reading"] is None
    assert state(hass, "soc") is None
    # There is a device to download it from, and a repair that asks for it.
    assert dr.async_get(hass).async_get_device_by_identifier((DOMAIN, SERIAL), entry.entry_id)
    (issue,) = [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]
    assert issue.translation_key == "not_understood"
