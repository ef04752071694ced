"""Every language on a phone: nothing is cut off, nothing scrolls sideways, nothing is left untranslated."""

from collections.abc import AsyncGenerator
import json
from pathlib import Path
from typing import Any

from playwright.async_api import ConsoleMessage, Locator, expect
import pytest

from emulator.atess.cloud import AtessCloud
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus
from emulator.household import DOMAIN, REPOSITORY, Household, household
from tests.browser.frontend import Frontend, chromium
from tests.browser.test_card_states import STATES, WIDTHS, Harness, harness  # noqa: F401
from tests.browser.test_dashboard import PBD, ROBIN, add_accounts

TRANSLATIONS = REPOSITORY / "custom_components" / DOMAIN / "translations"
LANGUAGES = sorted(path.stem for path in TRANSLATIONS.glob("*.json"))
PHONE = WIDTHS["phone"]
DASHBOARD = "own-cells"
LOOK = """roots => {
    const all = (node) => [...node.querySelectorAll("*")]
        .flatMap((each) => [each, ...(each.shadowRoot ? all(each.shadowRoot) : [])]);
    const words = (node) =>
        node.nodeType === Node.TEXT_NODE ? node.data
        : ["style", "script"].includes(node.localName) ? ""
        : node.localName === "slot" ? node.assignedNodes({ flatten: true }).map(words).join(" ")
        : [...(node.shadowRoot ?? node).childNodes].map(words).join(" ");
    const text = (node) => words(node).replace(/\\s+/g, " ").trim();
    const range = document.createRange();
    const sticksOut = (each, { left, right }) => [...each.childNodes]
        .filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())
        .map((node) => (range.selectNodeContents(node), range.getBoundingClientRect()))
        .some((box) => box.width && (box.left < left - 1 || box.right > right + 1));
    const isCut = (each) => {
        const { overflowX, webkitLineClamp } = getComputedStyle(each);
        const isWide = overflowX !== "visible" && each.scrollWidth > each.clientWidth;
        return isWide || (webkitLineClamp !== "none" && each.scrollHeight > each.clientHeight);
    };
    const cutOff = (root) => {
        const box = root.getBoundingClientRect();
        const limits = box.width ? box : { left: 0, right: innerWidth };
        return [root, ...(root.shadowRoot ? all(root.shadowRoot) : []), ...all(root)]
            .filter((each) => each.localName !== "style" && each.checkVisibility() && !each.closest(".hidden"))
            .filter((each) => sticksOut(each, limits) || (isCut(each) && text(each)))
            .map((each) => `${each.localName}.${each.className}: ${text(each).slice(0, 80)}`);
    };
    return [roots.flatMap(cutOff), roots.map(text).join(" "), document.scrollingElement.scrollWidth];
}"""


@pytest.fixture
async def cloud() -> AsyncGenerator[DynessCloud]:
    """A cloud with a battery whose module answers."""
    cloud = DynessCloud(devices=[PowerHaus(raised={"3203"})])
    await cloud.start()
    yield cloud
    await cloud.stop()


def texts(language: str) -> dict[str, Any]:
    return dict(json.loads((TRANSLATIONS / f"{language}.json").read_text()))


class Findings(list[str]):
    """What is wrong in any language: all of it is told at the end."""

    async def look(self, where: str, elements: Locator, *expected: str) -> None:
        """Wait for some texts in the first; then none may be cut off, and none may be the name of a text."""
        for text in expected:
            await expect(elements.first).to_contain_text(text)
        cut_off, words, wide = await elements.evaluate_all(LOOK)
        self += [f"{where}: {found}" for found in cut_off]
        self += [f"{where}: {name}" for name in ("component.", DOMAIN, "card_", "undefined") if name in words]
        if wide > PHONE:
            self.append(f"{where}: {wide} px wide")


async def test_cards(harness: Harness) -> None:  # noqa: F811
    """All states of the card on one page, with their alarms and a cell opened, and the card of a day."""
    findings = Findings()
    for language in LANGUAGES:
        common = texts(language)["common"]
        await harness.show("", page="1", devices=",".join(STATES), language=language, width=PHONE)
        cards = harness.card
        await expect(cards).to_have_count(len(STATES))
        for opened in ("button.chip", ".module:first-child .tile:first-child"):
            for each in await cards.locator(opened).all():
                await each.click()
        await findings.look(f"{language} page", harness.page.locator("dyness-atess-page"), common["card_page"])
        await findings.look(f"{language} cards", cards)
        await harness.screenshot(f"language-{language}-cards")
        await harness.show("", day="1", language=language, width=PHONE)
        soc = texts(language)["entity"]["sensor"]["soc"]["name"]
        await findings.look(f"{language} day", harness.page.locator("dyness-atess-day-card"), soc)
        await harness.screenshot(f"language-{language}-day")
    assert not findings, "\n".join(findings)


async def test_forms_and_dashboard(tmp_path: Path, port: int, cloud: DynessCloud, atess: AtessCloud) -> None:
    findings = Findings()
    async with household(tmp_path, port) as home:
        await home.log_in(ROBIN)
        await add_accounts(home, cloud, atess)
        await home.call("lovelace/dashboards/create", url_path=DASHBOARD, title="Cells")
        strategy = {"strategy": {"type": f"custom:{DOMAIN.replace('_', '-')}"}}
        await home.call("lovelace/config/save", url_path=DASHBOARD, config=strategy)
        async with chromium(home.url) as frontend:
            complaints = listen(frontend)
            await frontend.log_in(ROBIN)
            await frontend.page.set_viewport_size({"width": PHONE, "height": 1700})
            for language in LANGUAGES:
                await speak(home, language)
                await look_at_dashboard(home, frontend, language, findings)
                await look_at_forms(frontend, language, findings)
    assert not findings, "\n".join(findings)
    assert not complaints


def listen(frontend: Frontend) -> list[str]:
    """Return what the page complains of our files from now on."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        text = f"{message.text} {message.location.get('url')}"
        if message.type in ("error", "warning") and DOMAIN in text and "/api/brands/" not in text:
            found.append(text)

    frontend.page.on("console", note)
    frontend.page.on("pageerror", lambda error: found.append(str(error)))
    return found


async def speak(home: Household, language: str) -> None:
    """Let the user and the system, which names the entities, speak a language."""
    chosen = {"language": language, "number_format": "language", "time_format": "language", "time_zone": "local"}
    await home.call("frontend/set_user_data", key="language", value=chosen)
    await home.call("config/core/update", language=language)
    for entry in await home.call("config_entries/get", domain=DOMAIN):
        await home.request("POST", f"/api/config/config_entries/entry/{entry['entry_id']}/reload")


async def look_at_dashboard(home: Household, frontend: Frontend, language: str, findings: Findings) -> None:
    page, known = frontend.page, texts(language)
    await frontend.open(f"/{DASHBOARD}")
    for name, serial in {"PowerHaus": PowerHaus.serial, "ATESS PBD": PBD}.items():
        await page.locator("ha-tab-group-tab", has_text=name).click()
        view, where = page.locator("hui-view"), f"{language} {name}"
        tiles = view.locator("hui-tile-card")
        await expect(tiles.first).to_contain_text(known["entity"]["sensor"]["soc"]["name"])
        await expect(view.locator("dyness-atess-cells-card .soc")).to_be_visible()
        await expect(view.locator("dyness-atess-day-card .soc").first).to_be_visible()
        for key, entity_id in (await home.entities(serial)).items():
            if text := {"time_to_full": "full_in", "time_to_empty": "empty_in"}.get(key):
                await tell(home, entity_id, "416")
                await expect(tiles.filter(has_text=known["common"][f"dashboard_{text}"])).to_be_visible()
        await findings.look(where, view, *(known["common"][f"dashboard_{key}"] for key in ("limits", "history")))
        await findings.look(where, view.locator("dyness-atess-cells-card, dyness-atess-day-card"), name)
        await frontend.screenshot(f"language-{language}-{name.split()[-1].lower()}")


async def tell(home: Household, entity_id: str, value: str) -> None:
    """Give an entity a value until its device is read again: a battery is never on its way to full and to empty."""
    state = await home.request("GET", f"/api/states/{entity_id}")
    await home.request("POST", f"/api/states/{entity_id}", json={"state": value, "attributes": state["attributes"]})


async def look_at_forms(frontend: Frontend, language: str, findings: Findings) -> None:
    page, known = frontend.page, texts(language)
    path = f"/config/integrations/integration/{DOMAIN}"
    await page.evaluate(
        "path => { history.pushState(null, '', path); dispatchEvent(new Event('location-changed')) }", path
    )
    for place, kind in enumerate(("dyness", "atess")):
        await page.locator("ha-config-integration-page .actions ha-button").first.click()
        step = known["config"]["step"]["user"]
        menu = frontend.flow.locator("step-flow-menu ha-list-item")
        await findings.look(f"{language} menu", frontend.flow, step["title"], *step["menu_options"].values())
        await menu.nth(place).click()
        await look_at_form(frontend, f"{language} {kind}", known["config"]["step"][kind], findings)
    for title, kind in {"Dyness": "dyness", "ATESS": "atess"}.items():
        await page.locator("ha-config-entry-row", has_text=title).locator("ha-icon-button[slot=end]").first.click()
        await look_at_form(frontend, f"{language} {kind} options", known["options"]["step"][kind], findings)


async def look_at_form(frontend: Frontend, where: str, step: dict[str, Any], findings: Findings) -> None:
    await expect(frontend.form).to_be_visible()
    await findings.look(where, frontend.flow, step["title"])
    await frontend.screenshot(f"language-{where.replace(' ', '-')}")
    await frontend.flow.locator("[data-dialog=close]").first.click()
    await expect(frontend.form).to_have_count(0)
