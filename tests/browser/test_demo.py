"""What `scripts/demo` shows."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import expect
import pytest

from emulator.demo import OPTIONS, PATH, USER, Clouds, Life, furnished
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
        await page.wait_for_url(f"**/{PATH}/*")
        tabs = page.locator("ha-tab-group-tab")
        await expect(tabs).to_have_count(2)
        for tab, texts in {"PowerHaus": ("OK", "mV"), "ATESS PBD": ("PV 1", "Output", "W")}.items():
            await tabs.filter(has_text=tab).click()
            card = page.locator("dyness-atess-cells-card")
            for text in texts:
                await expect(card).to_contain_text(text)
            await expect(page.locator("hui-tile-card", has_text="State of charge")).to_contain_text("%")
            await expect(page.locator("dyness-atess-day-card path.soc").first).to_be_attached()
            await expect(page.locator("hui-error-card:visible, hui-warning")).to_have_count(0)
            await frontend.screenshot(f"demo-{tab.split()[-1].lower()}")
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
