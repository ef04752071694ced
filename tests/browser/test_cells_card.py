"""Card and page in the real frontend, with batteries of all sizes, through outages, restarts and an update."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
import re
import shutil
import time
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, async_playwright, expect
import pytest

from emulator.dyness.catalogue import build
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault
from emulator.household import DOMAIN, REPOSITORY, Household, User, household
from tests.browser.accessibility import grave_violations
from tests.browser.frontend import CHROMIUM, FLAGS, PATIENCE, SCREENSHOTS, Frontend

CARD = "dyness-atess-cells-card"
PAGE = "dyness-atess-page"
USER = User(name="Robin", username="robin", password="robin's password")
DASHBOARD = "dashboard-cells"
NAMES = ("PowerHaus", "DL5.0C", "Tower T46")
LOADS = int(os.environ.get("CARD_LOADS", "2"))
"""Cold and warm loads each."""
FIRST_SAMPLES = 90_000
"""Milliseconds until the last of 19 modules was asked, a second after another."""
FOREIGN = re.compile(r"Failed to load resource|WebSocket connection")
"""Pictures of other integrations come from the internet."""
WATCH = """
const shown = (root) => [...root.querySelectorAll("*")].flatMap((each) => [
    ...(each.localName.startsWith("hui-error-card") && each.getClientRects().length ? [each.innerText] : []),
    ...(each.shadowRoot ? shown(each.shadowRoot) : []),
]);
window.errorsSeen = [];
setInterval(() => errorsSeen.push(...shown(document)), 50);
"""


class House:
    """A browser before a Home Assistant, and what it complains of."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self.state: Any = None
        self.complaints: list[str] = []

    async def context(self) -> BrowserContext:
        """Open a profile without a cache, in which somebody is logged in already."""
        context = await self.browser.new_context(
            base_url=self.url,
            locale="en-US",
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
            service_workers="block",
            viewport={"width": 1280, "height": 1000},
            storage_state=self.state,
        )
        context.set_default_timeout(PATIENCE)
        await context.add_init_script(WATCH)
        return context

    async def frontend(self, context: BrowserContext) -> Frontend:
        """Open a page there."""
        page = await context.new_page()
        page.on("console", lambda message: message.type == "error" and self._complain(message.text))
        page.on("pageerror", lambda error: self._complain(f"{error} {error.stack}"))
        return Frontend(page)

    def _complain(self, text: str) -> None:
        if not FOREIGN.search(text):
            self.complaints.append(text)


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[House]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield House(browser, url)
        await browser.close()


@pytest.fixture
async def cloud() -> AsyncGenerator[DynessCloud]:
    """An account with batteries of one, three and thirteen modules, somewhere where it is ten in the morning."""
    now = datetime.now(UTC)
    since_midnight = now - now.replace(hour=0, minute=0, second=0, microsecond=0)
    there: dict[str, Any] = {
        "utc_offset": (timedelta(hours=22) - since_midnight) % timedelta(days=1) - timedelta(hours=12)
    }
    cold = PowerHaus(**there, raised={"3203"})
    cloud = DynessCloud(devices=[cold, *build("dl5-3", **there), *build("tower-13", **there)])
    await cloud.start()
    yield cloud
    await cloud.stop()
    assert not cloud.writes


async def test_card_and_page(tmp_path: Path, port: int, cloud: DynessCloud) -> None:
    packages = tmp_path / "packages"
    shutil.copytree(REPOSITORY / "custom_components", packages, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "custom_components").symlink_to(packages)
    async with opened(f"http://127.0.0.1:{port}") as house:
        async with household(tmp_path, port) as home:
            await furnish(home, cloud)
            context = await house.context()
            dashboard, page = await house.frontend(context), await house.frontend(context)
            await dashboard.log_in(USER)
            await see_cells(dashboard)
            await look_from_all_sides(home, dashboard)
            await ask_for_history(dashboard)
            await edit(dashboard)
            await page.open("/dyness-atess")
            await expect(page.page.locator(CARD)).to_contain_text(["DL5.0C", "PowerHaus", "Tower T46"])
            await page.screenshot("cells-page")
            assert not await grave_violations(page.page, PAGE)
            await lose_cloud(home, cloud, dashboard, page)
            house.state = await context.storage_state()
            await load_often(house)
            assert not house.complaints

        async with household(tmp_path, port) as home:
            await home.log_in(USER)
            await lose_cloud(home, cloud, dashboard, page)

        manifest = packages / DOMAIN / "manifest.json"
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": "99.0.0"}))
        async with household(tmp_path, port) as home:
            await home.log_in(USER)
            for shown in (dashboard, page):
                await reload_new_version(shown)
        assert not [text for frontend in (dashboard, page) for text in frontend.strangers]
    # When a connection is back, the frontend ends subscriptions that are gone, and says so without naming a file.
    assert not [text for text in house.complaints if f"/{DOMAIN}/" in text]


async def furnish(home: Household, cloud: DynessCloud) -> None:
    """Add the account and a dashboard with a card for each battery."""
    await home.log_in(USER)
    entry_id = await home.add_dyness(cloud)
    # So many that no read has to wait for others that fail.
    await home.set_options(entry_id, {"single_cells": True, "hourly_calls": 3600})
    devices = {device["name"]: device["id"] for device in await home.call("config/device_registry/list")}
    cards = [{"type": f"custom:{CARD}", "device_id": devices[name]} for name in NAMES]
    view = {"type": "sections", "title": "Cells", "sections": [{"type": "grid", "cards": [card]} for card in cards]}
    await home.call("lovelace/dashboards/create", url_path=DASHBOARD, title="Cells")
    await home.call("lovelace/config/save", url_path=DASHBOARD, config={"views": [view]})


def card_of(frontend: Frontend, name: str) -> Locator:
    return frontend.page.locator(CARD).filter(has_text=name)


async def see_cells(frontend: Frontend) -> None:
    """Wait until all modules were asked: a second after another."""
    await frontend.open(f"/{DASHBOARD}")
    await expect(card_of(frontend, "PowerHaus").locator(".tile")).to_have_count(16)
    await expect(card_of(frontend, "DL5.0C").locator(".tile")).to_have_count(3 * 16, timeout=FIRST_SAMPLES)
    tower = card_of(frontend, "Tower T46")
    await expect(tower.get_by_role("rowheader")).to_have_count(13, timeout=FIRST_SAMPLES)
    await expect(tower.get_by_role("columnheader", name="Cell 30")).to_have_count(1)
    await expect(tower.locator(".ribbon").first).to_be_visible()
    for name in NAMES:
        for text in ("%", "charging", "now" if await in_time(card_of(frontend, name)) else "min. ago"):
            await expect(card_of(frontend, name).locator("header")).to_contain_text(text)


async def in_time(card: Locator) -> bool:
    return "now" in await card.locator(".age").inner_text()


async def look_from_all_sides(home: Household, frontend: Frontend) -> None:
    """See it light and dark, on a wall and on a phone, and in German."""
    page = frontend.page
    cold = card_of(frontend, "PowerHaus")
    await cold.get_by_role("button", name="1 alarm").click()
    await expect(cold.locator(".alarms")).to_contain_text("Cell temperature low")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await expect(cold).to_have_attribute("dark", "") if scheme == "dark" else None
        for width in (1280, 390, 320):
            await page.set_viewport_size({"width": width, "height": 1000})
            assert await page.evaluate("document.documentElement.scrollWidth") == width
            for name in NAMES:
                card = card_of(frontend, name)
                await expect(card.locator(".tile").first).to_be_visible()
                assert await card.evaluate("card => card.shadowRoot.firstChild.scrollWidth <= card.clientWidth"), (
                    name,
                    width,
                )
            await frontend.screenshot(f"cells-{scheme}-{width}")
            if width == 390:
                await card_of(frontend, "Tower T46").screenshot(path=SCREENSHOTS / f"cells-{scheme}-tower.png")
        assert not await grave_violations(page, CARD)
    await page.set_viewport_size({"width": 390, "height": 1000})
    await speak(home, "de")
    await expect(cold.locator("header")).to_contain_text("1 Alarm")
    await expect(cold.locator(".alarms, header")).to_contain_text(["lädt", "Zelltemperatur niedrig"])
    await frontend.screenshot("cells-german")
    await speak(home, "en")
    await expect(cold.locator("header")).to_contain_text("1 alarm")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 1280, "height": 1000})


async def speak(home: Household, language: str) -> None:
    chosen = {"language": language, "number_format": "language", "time_format": "language", "time_zone": "local"}
    await home.call("frontend/set_user_data", key="language", value=chosen)


async def ask_for_history(frontend: Frontend) -> None:
    """Tap on a cell: its volts, and what Home Assistant recorded of it."""
    card = card_of(frontend, "DL5.0C")
    await card.locator(".tile").nth(20).click()
    await expect(card.locator(".detail")).to_contain_text(re.compile(r"Cell 5 · 3\.\d{3}\sV · "))
    await card.get_by_role("button", name="History").click()
    await expect(frontend.page.locator("ha-more-info-dialog")).to_contain_text("Cell 5 voltage")
    await frontend.page.keyboard.press("Escape")
    await expect(frontend.page.locator("ha-more-info-info")).to_have_count(0)


async def edit(frontend: Frontend) -> None:
    """Another battery is chosen by clicks, and whoever picks an entity of ours is offered the card."""
    page = frontend.page
    await frontend.open(f"/{DASHBOARD}/0?edit=1")
    await page.locator("hui-card-edit-mode").filter(has=page.locator(CARD, has_text="PowerHaus")).click()
    dialog = page.locator("hui-dialog-edit-card")
    await expect(dialog.locator("ha-device-picker")).to_contain_text("Battery or converter")
    await expect(dialog.locator(CARD)).to_contain_text("PowerHaus")
    await dialog.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Add card").first.click()
    dialog = page.locator("hui-dialog-create-card")
    await dialog.get_by_placeholder("Search entities").fill("PowerHaus state of charge")
    await dialog.get_by_text("State of charge").first.click()
    await expect(dialog.locator(CARD)).to_contain_text("PowerHaus")
    await frontend.screenshot("cells-suggestion")
    await frontend.open(f"/{DASHBOARD}")


async def lose_cloud(home: Household, cloud: DynessCloud, *frontends: Frontend) -> None:
    """Show what was last known while the cloud does not answer, and go on by itself."""
    batteries = [
        (await home.entities(serial))["soc"] for serial in cloud.devices if "soc" in await home.entities(serial)
    ]
    cloud.add_fault(Fault("network_anomaly"))
    await read(home, batteries)
    for frontend in frontends:
        for name in NAMES:
            card = card_of(frontend, name)
            await expect(card.locator("ha-alert")).to_contain_text("Last values of", timeout=2 * PATIENCE)
            await expect(card.locator("ha-alert")).to_contain_text("The cloud does not answer.")
            await expect(card.locator(".faded .tile").first).to_be_visible()
        assert not await frontend.page.locator(CARD).get_by_text("unavailable").count()
    await frontends[0].screenshot("cells-outage")
    cloud.clear_faults()
    await read(home, batteries)
    for frontend in frontends:
        await expect(frontend.page.locator(CARD).locator("ha-alert")).to_have_count(0, timeout=4 * PATIENCE)


async def read(home: Household, entities: list[str]) -> None:
    target = {"entity_id": entities}
    await home.call("call_service", domain="homeassistant", service="update_entity", target=target)


async def load_often(house: House) -> None:
    """No load shows an error card, however short."""
    seconds: dict[str, list[float]] = {"cold": [], "warm": []}
    for _ in range(LOADS):
        context = await house.context()
        frontend = await house.frontend(context)
        for taken in seconds.values():
            began = time.monotonic()
            await frontend.page.goto(f"/{DASHBOARD}")
            for name in NAMES:
                await expect(card_of(frontend, name).locator(".tile").first).to_be_visible()
            taken.append(round(time.monotonic() - began, 2))
            assert await frontend.page.evaluate("errorsSeen") == []
        await context.close()
    (SCREENSHOTS / "cells-loads.json").write_text(json.dumps(seconds))


async def reload_new_version(frontend: Frontend) -> None:
    """A page that was open over the update says so, and is of the new version after one click."""
    banner = frontend.page.locator(CARD).first.locator("ha-alert")
    await expect(banner).to_contain_text("The integration was updated.", timeout=4 * PATIENCE)
    await banner.get_by_role("button", name="Reload").click()
    await frontend.ready()
    await expect(card_of(frontend, "PowerHaus").locator(".tile")).to_have_count(16)
    await expect(frontend.page.locator(CARD).locator("ha-alert")).to_have_count(0)
    loaded = await frontend.page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert {name.split("/")[4] for name in loaded if "/dyness_atess/" in name} == {"99.0.0"}
