"""Page, dashboard and card of a user who has just added the integration."""

from collections.abc import AsyncGenerator
from pathlib import Path
import time
from typing import Any

from playwright.async_api import ConsoleMessage, expect
import pytest

from emulator.atess.cloud import AtessCloud
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus
from emulator.household import DOMAIN, Household, User, household
from tests.browser.frontend import Frontend, chromium

ROBIN = User(name="Robin", username="robin", password="robin's password")
PBD = "DEMOPBD001"
CLICKS = 8


@pytest.fixture
async def cloud() -> AsyncGenerator[DynessCloud]:
    """A cloud with a battery whose module answers."""
    cloud = DynessCloud(devices=[PowerHaus()])
    await cloud.start()
    yield cloud
    await cloud.stop()


def listen(frontend: Frontend) -> list[str]:
    """Return what the page complains of in the console from now on. Pictures of brands live on the internet.

    "disconnected" is the frontend's virtualizer, of whose promises nobody waits for the one that it rejects when a long
    list leaves the page before it was laid out.
    """
    found: list[str] = []

    def note(text: str) -> None:
        if text != "disconnected":
            found.append(text)

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "brands" not in message.location.get("url", ""):
            note(message.text)

    frontend.page.on("console", hear)
    frontend.page.on("pageerror", lambda error: note(str(error)))
    return found


@pytest.fixture
async def lived_in(
    tmp_path: Path, port: int, cloud: DynessCloud, atess: AtessCloud
) -> AsyncGenerator[tuple[Household, Frontend]]:
    """A Home Assistant with both accounts, and a browser in which its user has logged in."""
    async with household(tmp_path, port) as home:
        await home.log_in(ROBIN)
        await add_accounts(home, cloud, atess)
        async with chromium(home.url) as frontend:
            await frontend.log_in(ROBIN)
            yield home, frontend


async def add_accounts(home: Household, cloud: DynessCloud, atess: AtessCloud) -> None:
    """Do what the forms do."""
    await home.add_dyness(cloud)
    api = {"api_id": atess.api_id, "api_token": atess.api_token, "server": atess.url, "device_sn": PBD}
    await home.configure(DOMAIN, {"next_step_id": "atess"}, api)


async def test_from_the_overview_to_the_own_cells(cloud: DynessCloud, home: Household, frontend: Frontend) -> None:
    await frontend.onboard(ROBIN)
    await frontend.open("/")
    complaints = listen(frontend)
    page = frontend.page
    await expect(page.locator("home-assistant")).to_be_visible()
    await page.evaluate("window.sameDocument = true; window.clicks = 0")
    await page.evaluate("addEventListener('click', event => { if (event.isTrusted) clicks += 1 }, true)")
    began = time.monotonic()

    await page.locator("ha-sidebar").get_by_text("Settings").click()
    await page.locator("ha-config-navigation").get_by_text("Devices & services").click()
    await page.get_by_role("button", name="Add integration").click()
    dialog = page.locator("dialog-add-integration")
    await dialog.get_by_placeholder("Search for a brand name").fill("Dyness")
    await dialog.locator("ha-integration-list-item", has_text="Dyness").click()
    await frontend.choose("Dyness")
    await expect(frontend.form).to_contain_text("Show a page of my batteries in the sidebar")
    await frontend.fill(app_id=cloud.app_id, app_secret=cloud.app_secret)
    without_server = await page.evaluate("clicks")
    await frontend.pick("Region", "Another server")  # the emulated cloud; a user of Europe has nothing to choose
    await frontend.screenshot("20-first-form")
    await frontend.submit()
    await frontend.fill(base_url=cloud.url)
    server = await page.evaluate("clicks") - without_server
    await frontend.submit()
    await frontend.finish()
    await page.locator("ha-sidebar").get_by_text("Batteries", exact=True).click()

    card = page.locator("dyness-atess-cells-card")
    await expect(card).to_contain_text("PowerHaus")
    await expect(card).to_contain_text("mV")
    seconds, clicks = time.monotonic() - began, await page.evaluate("clicks") - server
    assert await page.evaluate("window.sameDocument"), "the page was reloaded"
    await frontend.screenshot("21-own-cells")
    print(f"\n{clicks} clicks, {seconds:.1f} s from the overview to the cells")  # noqa: T201
    assert clicks <= CLICKS
    assert not complaints
    assert not frontend.strangers


async def test_dashboard_through_the_picker(lived_in: tuple[Household, Frontend]) -> None:
    home, frontend = lived_in
    complaints = listen(frontend)
    page = frontend.page
    await frontend.open("/config/lovelace/dashboards")
    await page.get_by_role("button", name="Add dashboard").click()
    await page.get_by_text("Dyness & ATESS").click()
    await frontend.screenshot("22-new-dashboard")
    await page.get_by_role("button", name="Create").click()
    await page.locator("ha-sidebar").get_by_text("Battery dashboard").click()

    tabs = page.locator("ha-tab-group-tab")
    await expect(tabs).to_have_count(2)
    for name, texts in {"PowerHaus": ("mV", "OK"), "ATESS PBD": ("PV 1", "Output")}.items():
        await tabs.filter(has_text=name).click()
        card = page.locator("dyness-atess-cells-card")
        for text in texts:
            await expect(card).to_contain_text(text)
        await expect(page.locator("hui-tile-card", has_text="State of charge")).to_contain_text("%")
        await expect(page.locator("hui-heading-card", has_text="Limits")).to_be_visible()
        await expect(page.locator("dyness-atess-day-card path.soc").first).to_be_attached()
        await expect(page.locator("hui-error-card:visible, hui-warning")).to_have_count(0)
        await page.set_viewport_size({"width": 1280, "height": 1400})
        await frontend.screenshot(f"23-dashboard-{name}")
    await fits_a_phone(frontend)
    await the_same_twice(frontend)
    await follows_the_registry(home, frontend)
    assert not complaints
    assert not frontend.strangers


async def fits_a_phone(frontend: Frontend) -> None:
    await frontend.page.set_viewport_size({"width": 390, "height": 1700})
    await frontend.page.emulate_media(color_scheme="dark")
    await expect(frontend.page.locator("dyness-atess-day-card")).to_be_visible()
    await frontend.page.wait_for_timeout(500)  # the sidebar folds
    wide = """() => {
        const elements = [...document.querySelector("home-assistant").shadowRoot.querySelectorAll("*")];
        for (let each; (each = elements.pop()); ) {
            if (each.shadowRoot) elements.push(...each.shadowRoot.querySelectorAll("*"));
            if (each.localName.startsWith("dyness-") && each.scrollWidth > each.clientWidth) return each.localName;
        }
        return document.scrollingElement.scrollWidth > innerWidth ? "page" : null;
    }"""
    assert await frontend.page.evaluate(wide) is None
    await frontend.screenshot("24-phone-dark")


async def the_same_twice(frontend: Frontend) -> None:
    generate = """async () => {
        const { hass } = document.querySelector("home-assistant");
        const strategy = customElements.get("ll-strategy-dashboard-dyness-atess");
        return [await strategy.generate({}, hass), await strategy.generate({}, hass)].map(each => JSON.stringify(each));
    }"""
    one, other = await frontend.page.evaluate(generate)
    assert one == other
    assert len(one) > 1000


async def follows_the_registry(home: Household, frontend: Frontend) -> None:
    """A device that is renamed has another name at once, and what is hidden or shown again goes and comes."""
    soc = (await home.entities(PBD))["soc"]
    shown = frontend.page.locator("hui-tile-card", has_text="State of charge")
    for hidden_by, count in (("user", 0), (None, 1)):
        await home.call("config/entity_registry/update", entity_id=soc, hidden_by=hidden_by)
        await expect(shown).to_have_count(count)
    devices = await home.call("config/device_registry/list")
    pbd = next(device for device in devices if device["name"] == "ATESS PBD")
    await home.call("config/device_registry/update", device_id=pbd["id"], name_by_user="Roof")
    await expect(frontend.page.locator("ha-tab-group-tab", has_text="Roof")).to_be_visible()


async def test_card_is_there_on_every_load(lived_in: tuple[Household, Frontend]) -> None:
    home, frontend = lived_in
    complaints = listen(frontend)
    await home.call("lovelace/dashboards/create", url_path="own-cells", title="Cells")
    strategy: dict[str, Any] = {"strategy": {"type": "custom:dyness-atess"}}
    await home.call("lovelace/config/save", url_path="own-cells", config=strategy)
    for _ in range(3):
        await frontend.open("/own-cells")
        await expect(frontend.page.locator("dyness-atess-cells-card")).to_contain_text("OK")
        await expect(frontend.page.locator("hui-error-card:visible")).to_have_count(0)
    assert not complaints
