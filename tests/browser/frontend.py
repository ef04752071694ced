"""What a user does with Home Assistant's frontend, and what he reads there, in a real Chromium."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Locator, Page, TimeoutError as PlaywrightTimeoutError, async_playwright, expect

from emulator.household import REPOSITORY, User

SCREENSHOTS = REPOSITORY / "screenshots"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--headless",
    "--no-first-run",
    "--no-sandbox",
]
SOURCES = "https://raw.githubusercontent.com/home-assistant/frontend/"
"""Where the frontend looks up the place of an error in its own code."""
PATIENCE = 20_000
"""Milliseconds that anything on a page may take."""

expect.set_options(timeout=PATIENCE)


@asynccontextmanager
async def chromium(url: str) -> AsyncGenerator[Frontend]:
    """Open a browser for the Home Assistant at `url`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(
            base_url=url,
            locale="en-US",
            reduced_motion="reduce",
            service_workers="block",
            viewport={"width": 1280, "height": 960},
        )
        context.set_default_timeout(PATIENCE)
        yield Frontend(await context.new_page())
        await browser.close()


class Frontend:
    """One page of the frontend.

    Its CSS locators look into open shadow roots, but labels live in slots there: fields are found by name.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.flow = page.locator("dialog-data-entry-flow")
        self.form = page.locator("step-flow-form")
        self.strangers: list[str] = []
        """Requests to anything but loopback."""
        page.on("request", lambda request: self._check(request.url))

    def _check(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:", SOURCES)):
            self.strangers.append(url)

    async def screenshot(self, name: str) -> None:
        """Keep what is on the page."""
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")

    async def open(self, path: str) -> None:
        """Go to a page as soon as the frontend knows everything that it shows."""
        await self.page.goto(path)
        await self.ready()

    async def ready(self) -> None:
        """Wait for Home Assistant, not for the network: the frontend talks all the time."""
        await self.page.wait_for_function(
            """() => {
                const hass = document.querySelector("home-assistant")?.hass;
                const loading = document.querySelector("#ha-launch-screen");
                return hass?.connected && hass.config?.state === "RUNNING" && !loading;
            }"""
        )

    async def onboard(self, user: User) -> None:
        """Go through all pages that a new Home Assistant shows; the one about the location wants the internet."""
        page = self.page
        await page.goto("/")
        await page.get_by_role("button", name="Create my smart home").click()
        create = page.locator("onboarding-create-user")
        for field, value in {
            "name": user.name,
            "username": user.username,
            "password": user.password,
            "password_confirm": user.password,
        }.items():
            await create.locator(f"input[name={field}]").fill(value)
        await self.screenshot("01-onboarding")
        await create.get_by_role("button", name="Create account").click()
        await page.locator("onboarding-analytics").get_by_role("button", name="Next").click()
        await page.locator("onboarding-integrations").get_by_role("button", name="Finish").click()
        await self.ready()

    async def log_in(self, user: User) -> None:
        """Log in where a user exists already."""
        await self.page.goto("/")
        for field, value in {"username": user.username, "password": user.password}.items():
            await self.page.locator(f"ha-authorize input[name={field}]").fill(value)
        await self.page.get_by_role("button", name="Log in").click()
        await self.ready()

    async def add_integration(self, name: str) -> None:
        """Choose an integration by its name from the list of all."""
        await self.open("/config/integrations/dashboard")
        await self.page.get_by_role("button", name="Add integration").click()
        dialog = self.page.locator("dialog-add-integration")
        await dialog.get_by_placeholder("Search for a brand name").fill(name)
        await dialog.locator("ha-integration-list-item", has_text=name).click()

    async def configure(self, title: str) -> None:
        """Open the options of an entry on the page of its integration."""
        entry = self.page.locator("ha-config-entry-row", has_text=title)
        await entry.get_by_role("button", name="Configure").click()

    async def choose(self, option: str) -> None:
        """Choose an option of a menu step."""
        await self.page.locator("step-flow-menu ha-list-item", has_text=option).click()

    async def fill(self, **values: str) -> None:
        """Type into the text fields of a step."""
        for name, value in values.items():
            await self.form.locator(f"input[name={name}]").fill(value)

    async def pick(self, label: str, option: str) -> None:
        """Choose an option of a select field."""
        await self.picked(label).click()
        await self.form.locator("ha-dropdown-item", has_text=option).click()

    async def typed(self, name: str) -> str:
        """What stands in a text field."""
        return await self.form.locator(f"input[name={name}]").input_value()

    def picked(self, label: str) -> Locator:
        """What stands in a select field."""
        return self.form.locator(f"ha-picker-field[aria-label={label}]")

    @property
    def success(self) -> Locator:
        """The step that tells of success."""
        return self.page.locator("step-flow-create-entry")

    @property
    def error(self) -> Locator:
        """The error text of a step."""
        return self.form.locator("ha-alert[alert-type=error]")

    async def submit(self) -> None:
        """Send the form of a step."""
        await self.flow.get_by_role("button", name="Submit").click()

    async def finish(self) -> None:
        """Leave the names and areas of the new devices as they are."""
        await self.flow.get_by_role("button", name="Skip and finish").click()
        await self.success.wait_for(state="detached")
        await self.closed()

    async def closed(self) -> None:
        """Wait for the step back in the history with which a dialog ends: it would take the next page away."""
        await self.page.wait_for_function("!history.state?.dialog")

    async def call(self, command: str, **fields: Any) -> Any:
        """Send a WebSocket command over the connection of the page."""
        message = {"type": command, **fields}
        return await self.page.evaluate(
            "message => document.querySelector('home-assistant').hass.callWS(message)", message
        )

    async def act(self, action: str, entity_id: str) -> None:
        """Call a service for an entity and wait until it is done."""
        domain, service = action.split(".")
        await self.call("call_service", domain=domain, service=service, target={"entity_id": entity_id})

    async def entry(self, domain: str) -> dict[str, Any]:
        """The only config entry of an integration."""
        [entry] = await self.call("config_entries/get", domain=domain)
        return dict(entry)

    async def entities(self, serial: str) -> dict[str, dict[str, Any]]:
        """What the registry knows of the entities of a device, by vocabulary key."""
        registry = await self.call("config/entity_registry/list")
        keys = {entity["unique_id"].removeprefix(f"{serial}-"): entity for entity in registry}
        return {key: entity for key, entity in keys.items() if entity["unique_id"] != key}

    def row(self, name: str) -> Locator:
        """The row of an entity on its device's page."""
        label = self.page.locator(f".info[title='{name}']")
        return self.page.locator("ha-device-entities-card hui-generic-entity-row").filter(has=label)

    async def expect_state(self, entity: dict[str, Any], text: str) -> None:
        """Wait until the frontend gives the state of an entity as `text`."""
        shown = """entity => {
            const hass = document.querySelector("home-assistant").hass;
            return hass.formatEntityState(hass.states[entity]).replaceAll("\\u00a0", " ");
        }"""
        entity_id = entity["entity_id"]
        try:
            await self.page.wait_for_function(f"([entity, text]) => ({shown})(entity) === text", arg=[entity_id, text])
        except PlaywrightTimeoutError:
            found = await self.page.evaluate(shown, entity_id)
            raise AssertionError(f"{entity_id} is {found!r}, not {text!r}") from None
