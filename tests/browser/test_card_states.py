"""The card and the page alone in a real Chromium, with pictures that are rare or hard to bring about."""

from collections.abc import AsyncGenerator
import re
from typing import Any

from aiohttp import web
from playwright.async_api import Locator, Page, async_playwright, expect
import pytest

from emulator.household import REPOSITORY
from tests.browser.accessibility import grave_violations
from tests.browser.frontend import CHROMIUM, FLAGS, SCREENSHOTS

CARD = "dyness-atess-cells-card"
STATES = (
    *("tower", "single", "three", "bare", "outage", "calls"),
    *("blind", "never", "gaps", "starting", "gone", "converter"),
)
WIDTHS = {"wall": 1600, "section": 480, "phone": 390, "small": 320}


LAYOUT = """card => [
    document.documentElement.scrollWidth,
    [...document.querySelector(card).shadowRoot.querySelectorAll("button")]
        .map((each) => each.getBoundingClientRect()).filter(({ width, height }) => width < 24 || height < 24).length,
]"""
EDITOR = """async () => {
    const { CellsCard, getEntitySuggestion } = await import("/custom_components/dyness_atess/frontend/cells-card.js");
    const device = (id, domain, via_device_id = null) => ({ id, identifiers: [[domain, id]], via_device_id });
    const ours = device("module", "dyness_atess", "tower");
    const account = { ...device("account", "dyness_atess"), entry_type: "service" }; // all its batteries as one
    const devices = { ...hass.devices, module: ours, other: device("other", "zha"), account };
    const entities = {
        a: { platform: "dyness_atess", device_id: "module" },
        b: { platform: "zha", device_id: "other" },
        d: { platform: "dyness_atess", device_id: "account" },
    };
    const { schema, computeLabel } = CellsCard.getConfigForm();
    return [
        schema[0].selector,
        computeLabel(schema[0], hass.localize),
        CellsCard.getStubConfig(hass),
        CellsCard.getStubConfig({ devices: { account } }),
        ...["a", "b", "c", "d"].map((id) => getEntitySuggestion({ devices, entities }, id)),
    ];
}"""


class Harness:
    """A page that shows one card, and what it complains of."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @property
    def card(self) -> Locator:
        return self.page.locator(CARD)

    async def show(self, picture: str, *, width: int = 480, **wishes: str) -> None:
        await self.page.set_viewport_size({"width": width, "height": 800})
        query = "&".join(f"{name}={value}" for name, value in {"picture": picture, **wishes}.items())
        await self.page.goto(f"{self.url}/tests/browser/harness/index.html?{query}")
        await expect(self.page.locator("ha-card").first).to_be_visible()

    async def screenshot(self, name: str) -> None:
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    async def listen(self, event: str) -> None:
        """Remember what an event of this name tells."""
        await self.page.evaluate("name => addEventListener(name, ({ detail }) => { window.told = detail })", event)

    async def house(self, what: str) -> Any:
        return await self.page.evaluate(f"house.{what}")


@pytest.fixture
async def harness() -> AsyncGenerator[Harness]:
    app = web.Application()
    for folder in ("custom_components", "tests"):
        app.router.add_static(f"/{folder}", REPOSITORY / folder)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(locale="en-US", timezone_id="Europe/Berlin", reduced_motion="reduce")
        page.set_default_timeout(10_000)
        harness = Harness(page, f"http://127.0.0.1:{runner.addresses[0][1]}")
        yield harness
        await browser.close()
    await runner.cleanup()
    assert not harness.complaints


@pytest.mark.parametrize("look", [{}, {"language": "de", "dark": "1"}, {"language": "ar"}], ids=str)
async def test_every_state_at_every_width(harness: Harness, look: dict[str, str]) -> None:
    for state in (*STATES, ""):
        await harness.show(state, **look)
        text = await harness.card.locator("ha-card").inner_text()
        assert text, state
        assert not {"undefined", "NaN", "null", "Infinity"} & set(text.split()), text
        assert not {"{", "card_"} & set(re.findall(r"\{|card_", text)), text
        assert not await grave_violations(harness.page, CARD), state
        for name, width in WIDTHS.items():
            await harness.page.set_viewport_size({"width": width, "height": 800})
            wide, small = await harness.page.evaluate(LAYOUT, CARD)
            assert wide == width, f"{state} is {wide} wide on {width}"
            assert not small, f"{small} buttons of {state} are smaller than 24 px on {width}"
            if name == "phone" or state == "tower":
                await harness.screenshot("-".join(["card", state or "empty", name, *look.values()]))


async def test_what_the_header_says(harness: Harness) -> None:
    await harness.show("tower")
    header = harness.card.locator("header")
    for text in ("Tower T14", "64%", "12.6 kW", "discharging", "down to the reserve at", "3 min. ago", "2 alarms"):
        await expect(header).to_contain_text(text)
    await harness.show("single", language="de")
    for text in ("1.200 W", "lädt", "voll um", "OK, 1 Hinweis"):
        await expect(header).to_contain_text(text)


async def test_alarms_are_listed_by_name_and_lead_to_their_entity(harness: Harness) -> None:
    await harness.show("tower", language="de")
    chip = harness.card.get_by_role("button", name="2 Alarme")
    await expect(chip).to_have_attribute("aria-expanded", "false")
    await chip.click()
    await expect(harness.card.locator(".alarms li")).to_have_text(
        ["Schutz: Zellspannung niedrigModul 5", "Zellspannungen ungleich"]
    )
    await expect(chip).to_be_focused()
    await harness.listen("hass-more-info")
    await harness.card.locator(".alarms button").click()
    assert await harness.page.evaluate("told") == {"entityId": "binary_sensor.low"}
    await harness.show("single")
    await harness.card.get_by_role("button", name="OK, 1 note").click()
    await expect(harness.card.locator(".alarms")).to_contain_text("Normal for a full battery")


async def test_modules_that_are_alike_are_folded(harness: Harness) -> None:
    await harness.show("tower")
    heads = harness.card.locator("button.figures")
    await expect(heads).to_have_count(13)
    is_open = [await head.get_attribute("aria-expanded") == "true" for head in await heads.all()]
    assert [number for number, shown in enumerate(is_open, 1) if shown] == [5, 10]
    await expect(harness.card.locator(".tile")).to_have_count(60)
    await expect(harness.card.locator(".ribbon")).to_have_count(11)
    await heads.nth(0).click()
    await heads.nth(4).click()
    await expect(harness.card.locator(".tile")).to_have_count(60)
    await expect(heads.nth(4)).to_have_attribute("aria-expanded", "false")
    # What a user has opened stays so when the next picture comes.
    await harness.house("push({ version: '1.0.0', state: 'starting' })")
    await expect(harness.card).to_contain_text("starting")
    await harness.house("ready()")
    await expect(heads.nth(0)).to_have_attribute("aria-expanded", "true")
    await expect(heads.nth(4)).to_have_attribute("aria-expanded", "false")


@pytest.mark.parametrize(("width", "columns"), [(320, 6), (390, 10), (480, 15), (1600, 15)])
async def test_tiles_stand_in_full_rows(harness: Harness, width: int, columns: int) -> None:
    await harness.show("tower", width=width)
    tiles = harness.card.locator(".tiles").first
    rows = await tiles.evaluate("each => getComputedStyle(each).gridTemplateColumns.split(' ').length")
    assert rows == columns


async def test_keyboard(harness: Harness) -> None:
    await harness.show("single")
    page, tiles = harness.page, harness.card.locator(".tile")
    await expect(harness.card.locator(".tile[tabindex='0']")).to_have_count(1)
    await harness.card.get_by_role("button", name="OK, 1 note").focus()
    await page.keyboard.press("Tab")
    await expect(tiles.nth(8)).to_be_focused()  # the lowest cell
    for key, place in (("ArrowRight", 9), ("ArrowLeft", 8), ("End", 15), ("ArrowRight", 15), ("Home", 0)):
        await page.keyboard.press(key)
        await expect(tiles.nth(place)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(tiles.nth(0)).to_be_focused()
    await expect(harness.card.locator(".detail")).to_contain_text("Cell 1 · 3.332 V · −9 mV from the mean")
    await page.keyboard.press("Tab")
    await expect(harness.card.get_by_role("button", name="History")).to_be_focused()
    # The next picture takes nothing away from whoever is reading.
    await harness.house("ready()")
    await expect(harness.card.get_by_role("button", name="History")).to_be_focused()


async def test_tap_tells_volts_and_leads_to_the_history_where_there_is_one(harness: Harness) -> None:
    await harness.show("three")
    lowest = harness.card.get_by_role("button", name="lowest")
    await lowest.nth(1).click()
    await expect(harness.card.locator(".detail")).to_contain_text(" V · ")
    await expect(harness.card.get_by_role("button", name="History")).to_have_count(0)  # its entity is off
    await lowest.nth(1).click()
    await expect(harness.card.locator(".detail")).to_have_count(0)


async def test_table_behind_the_tiles(harness: Harness) -> None:
    await harness.show("three")
    table = harness.card.get_by_role("table")
    await expect(table.get_by_role("row")).to_have_count(4)
    await expect(table.get_by_role("columnheader")).to_have_count(5 + 16)
    await expect(table.get_by_role("rowheader")).to_have_text(["Module 1", "Module 2", "Module 3"])


async def test_outage_fades_tiles_and_no_text(harness: Harness) -> None:
    await harness.show("outage")
    card = harness.card
    await expect(card.locator("ha-alert")).to_contain_text("Last values of")
    await expect(card.locator("ha-alert")).to_contain_text("The cloud does not answer.")
    await expect(card.locator(".age")).to_have_attribute("data-level", "stale")
    await expect(card.get_by_text("OK")).to_have_count(0)
    await expect(card.get_by_text("unavailable")).to_have_count(0)
    faded = await card.locator(".tile[data-step='5'], .tile[data-step='-5']").first.evaluate(
        "each => [getComputedStyle(each).opacity, getComputedStyle(each).color]"
    )
    assert faded == ["1", "rgb(20, 20, 20)"]
    for state, words in {
        "calls": "Waiting for calls until",
        "never": "the device sends nothing new",
        "gone": "does not exist any more",
    }.items():
        await harness.show(state)
        await expect(card.locator("ha-alert")).to_contain_text(words)


async def test_asks_again_until_it_is_answered(harness: Harness) -> None:
    await harness.page.clock.install()
    await harness.show("single")
    await harness.page.evaluate("house.errors.push({ code: 'unknown_command' }, { code: 'not_found' }), house.ready()")
    await harness.page.clock.run_for(4_000)
    assert await harness.house("sent.length") == 2
    await harness.page.clock.run_for(7_000)
    assert await harness.house("sent.length") == 4
    await expect(harness.card.locator("ha-alert")).to_have_count(0)
    await harness.page.evaluate("house.errors.push(...Array(20).fill({ code: 'not_found' })), house.ready()")
    await harness.page.clock.run_for(70_000)
    await expect(harness.card.locator("ha-alert")).to_contain_text("does not exist any more")
    await harness.page.clock.run_for(600_000)
    await expect(harness.card.locator("ha-alert")).to_have_count(0)
    await harness.page.evaluate("house.errors.push({ code: 'unauthorized' }), house.ready()")
    await expect(harness.card.locator("ha-alert")).to_contain_text("may not see")
    asked = await harness.house("sent.length")
    await harness.page.evaluate("document.querySelector('dyness-atess-cells-card').remove()")
    await harness.page.clock.run_for(600_000)
    assert await harness.house("sent.length") == asked


async def test_age_grows_without_a_picture(harness: Harness) -> None:
    await harness.page.clock.install()
    await harness.show("single")
    age = harness.card.locator(".age")
    await expect(age).to_have_attribute("data-level", "fresh")
    await harness.page.clock.run_for(10 * 60_000)
    await expect(age).to_have_attribute("data-level", "old")
    await expect(age).to_contain_text("13 min")
    await harness.page.clock.run_for(20 * 60_000)
    await expect(age).to_have_attribute("data-level", "stale")


async def test_one_subscription_and_none_when_it_is_gone(harness: Harness) -> None:
    await harness.show("single")
    page = harness.page
    await page.evaluate(f"for (let i = 0; i < 20; i++) document.querySelector('{CARD}').hass = {{ ...hass }}")
    assert [await harness.house("sent.length"), await harness.house("ended")] == [1, 0]
    await page.evaluate(f"document.querySelector('{CARD}').setConfig({{ device_id: 'three' }})")
    await expect(harness.card).to_contain_text("DL5.0C")
    assert [await harness.house("sent.length"), await harness.house("ended")] == [2, 1]
    await page.evaluate(f"window.card = document.querySelector('{CARD}'), card.remove()")
    assert await harness.house("ended") == 2
    await page.evaluate("document.querySelector('main').append(card)")
    assert await harness.house("sent.length") == 3


async def test_what_the_editor_is_given(harness: Harness) -> None:
    await harness.show("", devices="tower,single")
    await expect(harness.card).to_contain_text("Choose a battery")
    given = await harness.page.evaluate(EDITOR)
    config = {"type": f"custom:{CARD}", "device_id": "tower"}
    filters = {"device": {"filter": [{"integration": "dyness_atess"}]}}
    expected = [filters, "Battery or converter", {"device_id": "single"}, {}, {"config": config}, None, None, None]
    assert given == expected


async def test_page(harness: Harness) -> None:
    for name, width in WIDTHS.items():
        await harness.show("", page="1", width=width)
        await expect(harness.page.get_by_role("heading", level=1)).to_have_text("Batteries")
        names = ["PBD250 with a name that is rather long for a phone", "PowerHaus", "Tower T14 in the cellar"]
        await expect(harness.page.get_by_role("heading", level=2)).to_have_text(names)
        assert await harness.page.evaluate("document.documentElement.scrollWidth") == width
        await expect(harness.page.get_by_role("button", name="Menu")).to_have_count(int(width < 870))
        await harness.screenshot(f"page-{name}")
    assert not await grave_violations(harness.page, "dyness-atess-page")
    await harness.listen("hass-toggle-menu")
    await harness.page.get_by_role("button", name="Menu").click()
    assert await harness.page.evaluate("told") == {}


@pytest.mark.parametrize("look", [{}, {"language": "de", "dark": "1"}], ids=str)
async def test_day(harness: Harness, look: dict[str, str]) -> None:
    for name, width in WIDTHS.items():
        await harness.show("", day="1", width=width, **look)
        card = harness.page.locator("dyness-atess-day-card")
        await expect(card.locator("path.power")).to_have_count(2)  # an outage is a gap, an unchanged value none
        await expect(card.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"15 %, .*W"))
        assert await harness.page.evaluate("document.documentElement.scrollWidth") == width
        assert not await grave_violations(harness.page, "dyness-atess-day-card")
        await harness.screenshot("-".join(["day", name, *look.values()]))
    await harness.listen("hass-more-info")
    await card.get_by_role("button").first.click()
    assert await harness.page.evaluate("told") == {"entityId": "sensor.soc"}


async def test_page_follows_the_devices(harness: Harness) -> None:
    await harness.show("", page="1", devices="single")
    page = harness.page
    await expect(page.get_by_role("heading", level=2)).to_have_text(["PowerHaus"])
    change = "document.querySelector('dyness-atess-page').hass = { ...hass, devices: %s }"
    both = "{ ...hass.devices, three: { ...hass.devices.single, id: 'three', name: 'A' } }"
    await page.evaluate(change % both)
    await expect(page.get_by_role("heading", level=2)).to_have_text(["DL5.0C", "PowerHaus"])
    await page.evaluate(change % "{}")
    await expect(page.locator("main p")).to_contain_text("No battery yet")


async def test_texts_come_with_the_connection(harness: Harness) -> None:
    await harness.show("single")
    late = """async ([tag, language]) => {
        const loadBackendTranslation = async () => { throw new Error("no connection"); };
        const later = { ...hass, language, loadBackendTranslation };
        const element = document.createElement(tag);
        element.setConfig?.({ device_id: "single" });
        element.hass = later;
        document.querySelector("main").replaceChildren(element);
        await new Promise((done) => setTimeout(done, 50));
        const before = element.shadowRoot.textContent.trim();
        element.hass = { ...later, loadBackendTranslation: async () => hass.localize };
        await new Promise((done) => setTimeout(done, 50));
        return [before, element.shadowRoot.textContent.trim() !== ""];
    }"""
    await harness.page.evaluate("import('/custom_components/dyness_atess/frontend/page.js')")
    for language, tag in {"fr": CARD, "it": "dyness-atess-page"}.items():
        assert await harness.page.evaluate(late, [tag, language]) == ["", True], tag
