"""How card, dashboard and page get to the screen, and what is left of them at the end: nothing."""

from contextlib import suppress
import logging
from pathlib import Path

from aiohttp import web
from homeassistant.components.frontend import async_remove_panel
from homeassistant.components.http import KEY_HASS, HomeAssistantView, StaticPathConfig
from homeassistant.components.lovelace import LOVELACE_DATA
from homeassistant.components.lovelace.resources import ResourceStorageCollection
from homeassistant.components.panel_custom import async_register_panel
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import async_get_loaded_integration

from .const import CONF_SIDEBAR, DOMAIN

_LOGGER = logging.getLogger(__name__)

FOLDER = Path(__file__).with_name("frontend")
PREFIX = f"/{DOMAIN}/"
STABLE = f"{PREFIX}main.js"
"""For whoever writes resources by hand: the address of a version would end with the next update."""
PAGE = "dyness-atess"


def _module(hass: HomeAssistant) -> str:
    """Return where the browser finds everything; it keeps a version for a month."""
    return f"{PREFIX}{async_get_loaded_integration(hass, DOMAIN).version}/main.js"


class StableModule(HomeAssistantView):
    """Leads to the module of the version that runs."""

    name = f"{DOMAIN}:main"
    url = STABLE
    requires_auth = False

    async def get(self, request: web.Request) -> web.Response:
        """Answer with a module of one line."""
        text = f'import "{_module(request.app[KEY_HASS])}";\n'
        return web.Response(text=text, content_type="text/javascript", headers={"Cache-Control": "no-cache"})


async def async_serve(hass: HomeAssistant) -> None:
    """Serve the files, to whoever asks: there is no data in them."""
    path = StaticPathConfig(_module(hass).removesuffix("/main.js"), str(FOLDER), cache_headers=True)
    await hass.http.async_register_static_paths([path])
    hass.http.register_view(StableModule())


async def async_update_screen(hass: HomeAssistant) -> None:
    """Let every dashboard know the cards as long as there is an account, and show the page while one wants it."""
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False)
    await _update_resource(hass, is_wanted=bool(entries))
    await _update_page(hass, is_wanted=any(entry.options.get(CONF_SIDEBAR, True) for entry in entries))


async def _update_resource(hass: HomeAssistant, *, is_wanted: bool) -> None:
    if (lovelace := hass.data.get(LOVELACE_DATA)) is None:
        return  # no frontend
    resources, module = lovelace.resources, _module(hass)
    # They are loaded when somebody asks for them. Nothing is awaited from then until one is added: never two are.
    await resources.async_get_info()
    ours = [item for item in resources.async_items() if item["url"].startswith(PREFIX)]
    if not isinstance(resources, ResourceStorageCollection):
        if is_wanted and not ours:
            _LOGGER.warning("Dashboards need a resource in configuration.yaml: url: %s, type: module", STABLE)
        return
    if is_wanted and not ours:
        await resources.async_create_item({"res_type": "module", "url": module})
    elif is_wanted and ours[0]["url"] != module:
        await resources.async_update_item(ours[0]["id"], {"res_type": "module", "url": module})
    for surplus in ours[1:] if is_wanted else ours:
        await resources.async_delete_item(surplus["id"])


async def _update_page(hass: HomeAssistant, *, is_wanted: bool) -> None:
    if not is_wanted:
        async_remove_panel(hass, PAGE, warn_if_unknown=False)
        return
    texts = await async_get_translations(hass, hass.config.language, "common", {DOMAIN})
    with suppress(ValueError):  # it is there already
        await async_register_panel(
            hass,
            frontend_url_path=PAGE,
            webcomponent_name=f"{PAGE}-page",
            sidebar_title=texts[f"component.{DOMAIN}.common.card_page"],
            sidebar_icon="mdi:home-battery",
            module_url=_module(hass),
        )
