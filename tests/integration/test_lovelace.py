"""How card, dashboard and page get to the screen, and that nothing is left of them."""

from http import HTTPStatus
from typing import Any

from homeassistant.components.frontend import DATA_PANELS
from homeassistant.components.lovelace import LOVELACE_DATA
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.dyness_atess.const import DOMAIN
from emulator.dyness.cloud import DynessCloud

from .conftest import VERSION, account_entry, logged
from .test_config_flow import open_form_of, send

MODULE = f"/dyness_atess/{VERSION}/main.js"
PAGE = "dyness-atess"


@pytest.fixture
async def dashboards(hass: HomeAssistant) -> Any:
    """Dashboards whose resources are added on the screen."""
    assert await async_setup_component(hass, "lovelace", {})
    return hass.data[LOVELACE_DATA].resources


def accounts(hass: HomeAssistant, cloud: DynessCloud, *options: dict[str, Any]) -> list[MockConfigEntry]:
    """Return accounts that the cloud knows or not; what is on the screen does not depend on that."""
    entries = [account_entry(cloud, options=each) for each in options]
    for number, entry in enumerate(entries):
        data = {**entry.data, "app_id": f"app-{number}"}
        entry.add_to_hass(hass)
        hass.config_entries.async_update_entry(entry, data=data, unique_id=f"dyness:app-{number}")
    return entries


async def set_up(hass: HomeAssistant) -> None:
    """Set up all accounts at once."""
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done(wait_background_tasks=True)


def urls(resources: Any) -> list[str]:
    return [item["url"] for item in resources.async_items()]


def page(hass: HomeAssistant) -> Any:
    panel = hass.data.get(DATA_PANELS, {}).get(PAGE)
    return panel and panel.to_response()


async def test_two_accounts_at_once_and_none_left(
    hass: HomeAssistant, cloud: DynessCloud, dashboards: Any, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = accounts(hass, cloud, {}, {})
    await set_up(hass)
    assert urls(dashboards) == [MODULE]
    assert dashboards.async_items()[0]["type"] == "module"
    shown = page(hass)
    assert (shown["title"], shown["icon"], shown["require_admin"]) == ("Batteries", "mdi:home-battery", False)
    assert shown["config"]["_panel_custom"]["name"] == "dyness-atess-page"
    assert shown["config"]["_panel_custom"]["module_url"] == MODULE

    assert await hass.config_entries.async_reload(first.entry_id)
    assert (urls(dashboards), page(hass)) == ([MODULE], shown)
    await hass.config_entries.async_remove(first.entry_id)
    assert (urls(dashboards), page(hass)) == ([MODULE], shown)
    await hass.config_entries.async_remove(second.entry_id)
    assert (urls(dashboards), page(hass)) == ([], None)
    assert not [text for level, text in logged(caplog) if "resource" in text]


async def test_account_that_is_turned_off_and_on(hass: HomeAssistant, cloud: DynessCloud, dashboards: Any) -> None:
    (entry,) = accounts(hass, cloud, {})
    await set_up(hass)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert (urls(dashboards), page(hass)) == ([], None)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    assert urls(dashboards) == [MODULE]
    assert page(hass)


async def test_resources_of_other_versions_and_of_others(
    hass: HomeAssistant, cloud: DynessCloud, dashboards: Any
) -> None:
    await dashboards.async_get_info()
    for url in ("/dyness_atess/0.0.9/main.js", "/hacsfiles/other.js", "/dyness_atess/main.js", MODULE):
        await dashboards.async_create_item({"res_type": "module", "url": url})
    before = dashboards.async_items()[0]["id"]
    entries = accounts(hass, cloud, {})
    await set_up(hass)
    assert sorted(urls(dashboards)) == [MODULE, "/hacsfiles/other.js"]
    assert dashboards.async_items()[0]["id"] == before
    await hass.config_entries.async_remove(entries[0].entry_id)
    assert urls(dashboards) == ["/hacsfiles/other.js"]


@pytest.mark.parametrize("listed", [False, True])
async def test_resources_that_are_written_by_hand(
    hass: HomeAssistant,
    cloud: DynessCloud,
    hass_client_no_auth: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
    listed: bool,
) -> None:
    mine = [{"url": "/dyness_atess/main.js", "type": "module"}]
    config = {"lovelace": {"resource_mode": "yaml", "resources": mine if listed else []}}
    assert await async_setup_component(hass, "lovelace", config)
    entries = accounts(hass, cloud, {})
    await set_up(hass)
    told = [text for level, text in logged(caplog) if level == "WARNING" and "/dyness_atess/main.js" in text]
    assert len(told) == (not listed)
    assert urls(hass.data[LOVELACE_DATA].resources) == [item["url"] for item in mine if listed]

    client = await hass_client_no_auth()
    answer = await client.get("/dyness_atess/main.js")
    assert (answer.status, answer.content_type) == (HTTPStatus.OK, "text/javascript")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert await answer.text() == f'import "{MODULE}";\n'
    module = await client.get(MODULE)
    assert (module.status, module.content_type) == (HTTPStatus.OK, "text/javascript")
    assert "max-age" in module.headers["Cache-Control"]
    assert (await client.get("/dyness_atess/0.0.9/main.js")).status == HTTPStatus.NOT_FOUND
    await hass.config_entries.async_remove(entries[0].entry_id)


async def test_home_without_a_frontend(hass: HomeAssistant, cloud: DynessCloud) -> None:
    entries = accounts(hass, cloud, {})
    await set_up(hass)
    assert LOVELACE_DATA not in hass.data
    await hass.config_entries.async_remove(entries[0].entry_id)
    assert page(hass) is None


async def test_page_is_there_while_one_account_wants_it(
    hass: HomeAssistant, cloud: DynessCloud, dashboards: Any
) -> None:
    first, second = accounts(hass, cloud, {"sidebar": False}, {"sidebar": False})
    await set_up(hass)
    assert (urls(dashboards), page(hass)) == ([MODULE], None)
    steps = ((first, True, True), (second, True, True), (first, False, True), (second, False, False))
    for entry, wanted, shown in steps:
        account = entry.runtime_data
        await send(hass, await open_form_of(hass, entry, "options"), {"hourly_calls": 120, "sidebar": wanted})
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.options["sidebar"] is wanted
        assert bool(page(hass)) is shown
        assert entry.runtime_data is account  # no reload


@pytest.mark.parametrize("wanted", [True, False])
async def test_first_form_asks_for_the_page(
    hass: HomeAssistant, cloud: DynessCloud, dashboards: Any, wanted: bool
) -> None:
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})
    form = await send(hass, form, {"next_step_id": "dyness"})
    typed = {"app_id": cloud.app_id, "app_secret": "wrong", "region": "other", "sidebar": wanted}
    form = await send(hass, form, typed)
    form = await send(hass, form, {"base_url": cloud.url})
    assert (form["step_id"], form["errors"]) == ("dyness", {"base": "invalid_auth"})
    (field,) = [key for key in form["data_schema"].schema if key == "sidebar"]
    assert field.description == {"suggested_value": wanted}
    form = await send(hass, form, typed | {"app_secret": cloud.app_secret})
    result = await send(hass, form, {"base_url": cloud.url})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert result["result"].options == {"sidebar": wanted}
    assert "sidebar" not in result["result"].data
    assert bool(page(hass)) is wanted
