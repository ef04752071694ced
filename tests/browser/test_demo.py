"""What `scripts/demo` shows."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import expect
import pytest

from emulator.demo import DASHBOARD, OPTIONS, USER, Clouds, Life, furnished
from emulator.household import DOMAIN, Household
from tests.browser.frontend import chromium


@pytest.fixture
async def clouds() -> AsyncGenerator[Clouds]:
    """Those of a demo that begins."""
    clouds = Clouds(Life(began=datetime.now(UTC)))
    await clouds.start()
    yield clouds
    await clouds.stop()


async def test_dashboards_and_second_start(tmp_path: Path, port: int, clouds: Clouds) -> None:
    async with furnished(tmp_path, port, clouds) as home, chromium(home.url) as frontend:
        await frontend.log_in(USER)
        page = frontend.page
        await page.wait_for_url(f"**/{DASHBOARD}/*")
        await expect(page.locator("hui-gauge-card")).to_contain_text(["State of charge"] * 2)
        for name in ("Power", "PV power", "Output power", "Battery power"):
            await expect(page.locator("hui-tile-card", has=page.get_by_text(name, exact=True))).to_contain_text(" W")
        await expect(page.locator("hui-history-graph-card canvas")).to_have_count(3)
        await expect(page.locator("hui-error-card, hui-warning")).to_have_count(0)
        await frontend.screenshot("demo")
        await frontend.open("/energy/now")
        await expect(page.locator("hui-error-card, hui-warning")).to_have_count(0)
        await frontend.screenshot("demo-energy")
        await no_complaint_about_energy(home)
        await may_ask_often(home)
        assert not frontend.strangers
        entities = await home.entities(clouds.pbd.serial)

    async with furnished(tmp_path, port, clouds) as home:
        assert await home.entities(clouds.pbd.serial) == entities
        assert len(await home.call("config_entries/get", domain=DOMAIN)) == 2


async def may_ask_often(home: Household) -> None:
    for entry in await home.call("config_entries/get", domain=DOMAIN):
        shown = await home.request("GET", f"/api/diagnostics/config_entry/{entry['entry_id']}")
        assert shown["data"]["calls"]["chosen_ceiling"] == OPTIONS["hourly_calls"], entry["title"]


async def no_complaint_about_energy(home: Household) -> None:
    solar, battery = (await home.call("energy/get_prefs"))["energy_sources"]
    assert {"stat_energy_from", "stat_rate"} <= solar.keys()
    assert {"stat_energy_from", "stat_energy_to", "stat_rate", "stat_soc"} <= battery.keys()
    validation = await home.call("energy/validate")
    complaints = {issue["type"] for source in validation["energy_sources"] for issue in source}
    # The first statistics are there after five minutes.
    assert complaints <= {"statistics_not_defined"}
