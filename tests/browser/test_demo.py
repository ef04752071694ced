"""What `scripts/demo` shows."""

from pathlib import Path

from playwright.async_api import expect

from emulator.demo import DASHBOARD, USER, EagerPowerHaus, furnished
from emulator.dyness import DynessCloud
from emulator.household import DOMAIN
from tests.browser.frontend import chromium


async def test_dashboard_and_second_start(tmp_path: Path, port: int, cloud: DynessCloud) -> None:
    battery = EagerPowerHaus(speed=60)
    cloud.devices = {battery.serial: battery}
    async with furnished(tmp_path, port, cloud, battery.serial) as (home, entities), chromium(home.url) as frontend:
        await frontend.log_in(USER)
        page = frontend.page
        await page.wait_for_url(f"**/{DASHBOARD}/*")
        await expect(page.locator("hui-gauge-card")).to_contain_text("State of charge")
        await expect(page.locator("hui-tile-card").first).to_contain_text(" W")
        await expect(page.locator("hui-history-graph-card canvas")).to_have_count(3)
        await expect(page.locator("hui-error-card, hui-warning")).to_have_count(0)
        await frontend.screenshot("demo")
        assert not frontend.strangers

    async with furnished(tmp_path, port, cloud, battery.serial) as (home, kept):
        assert kept == entities
        assert len(await home.call("config_entries/get", domain=DOMAIN)) == 1
