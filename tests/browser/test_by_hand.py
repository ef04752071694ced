"""From the first page of a new Home Assistant to both systems, with a cloud that fails and comes back."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from emulator.atess.cloud import AtessCloud
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault
from emulator.household import DOMAIN, Household, User, household
from tests.browser.frontend import Frontend

ROBIN = User(name="Robin", username="robin", password="robin's password")
POWERHAUS = "R07E00000000DEMO-BMS"
READINGS = {"voltage": "53.2 V", "soc": "100%", "cell_voltage_max": "3.327 V"}
PBD = "DEMOPBD001"
WRONG = "mistyped"
RELOAD_DELAY = 30


async def test_both_systems(cloud: DynessCloud, atess: AtessCloud, home: Household, frontend: Frontend) -> None:
    await frontend.onboard(ROBIN)
    await add_dyness_with_wrong_secret(frontend, cloud)
    await put_secret_right(frontend, cloud)
    await read_device_page(frontend)
    await lose_cloud(frontend, cloud)
    await find_cloud_again(frontend, cloud)

    await add_atess_with_wrong_token(frontend, atess)
    await put_token_right(frontend, atess)
    await read_pbd_page(frontend, atess)
    await look_at_options(frontend)

    assert not cloud.writes
    assert not atess.writes
    assert not frontend.strangers
    complaints = [line for line in home.log.splitlines() if f" ERROR (MainThread) [custom_components.{DOMAIN}" in line]
    # The outage has one line. That the module was not recorded, and never answers, has none.
    assert [line.partition("] ")[2][:25] for line in complaints] == ["Error fetching PowerHaus "], complaints


async def add_dyness_with_wrong_secret(frontend: Frontend, cloud: DynessCloud) -> None:
    await frontend.add_integration("Dyness")
    await frontend.choose("Dyness")
    await expect(frontend.picked("Region")).to_contain_text("Europe")
    await frontend.fill(app_id=cloud.app_id, app_secret=WRONG)
    await frontend.pick("Region", "Another server")
    await frontend.screenshot("02-credentials")
    await frontend.submit()
    await frontend.fill(base_url="open-api.example")
    await frontend.submit()
    await expect(frontend.form).to_contain_text("This is no address")
    await frontend.screenshot("03-server")
    await frontend.fill(base_url=cloud.url)
    await frontend.submit()

    await expect(frontend.error).to_contain_text("Invalid authentication")
    await frontend.screenshot("04-wrong-secret")
    assert await frontend.typed("app_id") == cloud.app_id
    assert await frontend.typed("app_secret") == WRONG
    await expect(frontend.picked("Region")).to_contain_text("Another server")


async def put_secret_right(frontend: Frontend, cloud: DynessCloud) -> None:
    await frontend.fill(app_secret=cloud.app_secret)
    await frontend.submit()
    await frontend.fill(base_url=cloud.url)
    await frontend.submit()
    await expect(frontend.success).to_contain_text("PowerHaus")
    await frontend.screenshot("05-added")
    await frontend.finish()


async def read_device_page(frontend: Frontend) -> None:
    voltage = (await frontend.entities(POWERHAUS))["voltage"]
    await frontend.open(f"/config/devices/device/{voltage['device_id']}")
    await expect_readings(frontend, POWERHAUS, READINGS)
    await frontend.screenshot("06-device")


async def lose_cloud(frontend: Frontend, cloud: DynessCloud) -> None:
    device_page = frontend.page.url
    cloud.add_fault(Fault("network_anomaly"))
    await read_now(frontend)
    await expect_readings(frontend, POWERHAUS, dict.fromkeys(READINGS, "Unavailable"))
    await frontend.screenshot("07-network-anomaly")

    await frontend.open(f"/config/integrations/integration/{DOMAIN}")
    await expect(frontend.page.locator("ha-config-entry-row")).to_contain_text("PowerHaus")
    await frontend.screenshot("08-still-loaded")
    assert (await frontend.entry(DOMAIN))["state"] == "loaded"
    await frontend.open(device_page)


async def find_cloud_again(frontend: Frontend, cloud: DynessCloud) -> None:
    cloud.clear_faults()
    await read_now(frontend)
    await expect_readings(frontend, POWERHAUS, READINGS)
    await frontend.screenshot("09-back")


async def read_now(frontend: Frontend) -> None:
    """Ask for what would be read within five minutes; Home Assistant keeps 10 s between two that are asked for."""
    voltage = (await frontend.entities(POWERHAUS))["voltage"]
    await frontend.act("homeassistant.update_entity", voltage["entity_id"])


async def add_atess_with_wrong_token(frontend: Frontend, atess: AtessCloud) -> None:
    typed = {"api_id": atess.api_id, "api_token": WRONG, "device_sn": PBD, "server": atess.url}
    await frontend.add_integration("ATESS")
    await frontend.choose("ATESS")
    await frontend.fill(**typed)
    await frontend.screenshot("10-atess-credentials")
    await frontend.submit()

    await expect(frontend.error).to_contain_text("Invalid authentication")
    await frontend.screenshot("11-wrong-token")
    assert {name: await frontend.typed(name) for name in typed} == typed


async def put_token_right(frontend: Frontend, atess: AtessCloud) -> None:
    await frontend.fill(api_token=atess.api_token)
    await frontend.submit()
    await expect(frontend.success).to_contain_text("PBD")
    await frontend.screenshot("12-pbd-added")
    await frontend.finish()


async def read_pbd_page(frontend: Frontend, atess: AtessCloud) -> None:
    pbd = atess.devices[PBD]
    truth = pbd.truth(atess.clock())
    readings = {
        "soc": f"{truth['soc']:.0f}%",
        "voltage": f"{truth['voltage']:.1f} V",
        "current": f"{truth['current']:.1f} A",
        "pv1_voltage": f"{truth['pv1_voltage']:.1f} V",
        "pv1_power": f"{round(truth['pv1_voltage'], 1) * round(truth['pv1_current'], 1):,.0f} W",
        "status": "Charging",
        "device_status": "Running",
    }
    entities = await frontend.entities(PBD)
    await frontend.open(f"/config/devices/device/{entities['soc']['device_id']}")
    await expect_readings(frontend, PBD, readings)
    await frontend.screenshot("13-pbd")


async def look_at_options(frontend: Frontend) -> None:
    await frontend.open(f"/config/integrations/integration/{DOMAIN}")
    await frontend.configure("ATESS")
    for text in ("told from the numbers", "Sign of the battery current", "always shows discharging as positive"):
        await expect(frontend.form).to_contain_text(text)
    await frontend.screenshot("14-options")


async def expect_readings(frontend: Frontend, serial: str, readings: Mapping[str, str]) -> None:
    """Compare what the frontend makes of the states, and what stands on the open page of the device."""
    entities = await frontend.entities(serial)
    for key, text in readings.items():
        await frontend.expect_state(entities[key], text)
        await expect(frontend.row(entities[key]["original_name"])).to_contain_text(text)


async def test_single_cells_need_no_reload(tmp_path: Path, port: int) -> None:
    """Home Assistant reloads an account of which an entity is turned on after 30 s, each version by its own rules."""
    cloud = DynessCloud(devices=[device := PowerHaus()])
    await cloud.start()
    async with household(tmp_path, port) as home:
        await home.log_in(ROBIN)
        entry_id = await home.add_dyness(cloud)
        online = (await home.entities(device.serial))["online"]

        async def states() -> dict[str, dict[str, Any]]:
            return {state["entity_id"]: state for state in await home.call("get_states")}

        before = await states()
        await home.set_options(entry_id, {"single_cells": True})
        await asyncio.sleep(RELOAD_DELAY + 5)
        after = await states()
        cells = [entity for entity in after.keys() - before.keys() if "cell" in entity]
        assert len(cells) == 16
        assert all(3 < float(after[cell]["state"]) < 3.7 for cell in cells)
        assert after[online]["last_changed"] == before[online]["last_changed"]
    await cloud.stop()
