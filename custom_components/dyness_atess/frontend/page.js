// The page in the sidebar: every battery and converter of the house, each as on its card.

import { TYPE, masters } from "./cells-card.js";
import { Localized, fire, icon, make } from "./dom.js";

const MENU = "M3,6H21V8H3V6M3,11H21V13H3V11M3,16H21V18H3V16Z";

const style = new CSSStyleSheet();
style.replaceSync(`
:host { display: block; min-block-size: 100%; background: var(--primary-background-color, #fafafa); color: var(--primary-text-color, #212121); font-family: var(--ha-font-family-body, sans-serif); }
.toolbar {
  position: sticky; inset-block-start: 0; z-index: 1; display: flex; align-items: center; gap: 0.75rem; box-sizing: border-box;
  block-size: var(--header-height, 3.5rem); padding-inline: 0.75rem; border-block-end: var(--app-header-border-bottom, none);
  background: var(--app-header-background-color, var(--primary-color, #009ac7)); color: var(--app-header-text-color, #fff);
}
h1 { margin: 0; font-size: var(--ha-font-size-xl, 1.25rem); font-weight: var(--ha-font-weight-normal, 400); padding-inline-start: 0.25rem; }
button { display: grid; place-items: center; inline-size: 2.5rem; block-size: 2.5rem; border: 0; border-radius: 50%; background: none; color: inherit; cursor: pointer; }
button:focus-visible { outline: 0.15rem solid currentColor; }
main { columns: 26rem 3; column-gap: var(--ha-space-4, 1rem); padding: var(--ha-space-4, 1rem) var(--ha-space-4, 1rem) 0; margin-inline: auto; max-inline-size: 110rem; }
main.few { columns: 1; max-inline-size: 60rem; }
main > * { break-inside: avoid; block-size: auto; padding-block-end: var(--ha-space-4, 1rem); }
@media (max-width: 40rem) { main { padding-inline: var(--ha-space-2, 0.5rem); } }
`);

class BatteriesPage extends Localized {
  #hass;
  #narrow = false;
  #seen;
  #cards = new Map(); // device id -> its element
  #toolbar = make("div", { class: "toolbar" });
  #main = make("main");

  constructor() {
    super(style);
    this.shadowRoot.append(this.#toolbar, this.#main);
  }

  set hass(hass) {
    const before = this.#hass;
    this.#hass = hass;
    this.localize(hass);
    if (before?.devices !== hass.devices || before?.dockedSidebar !== hass.dockedSidebar) this.draw();
    for (const card of this.#cards.values()) card.hass = hass;
  }

  set narrow(narrow) {
    this.#narrow = narrow;
    this.draw();
  }

  draw() {
    const hass = this.#hass;
    if (!this.texts || !hass) return;
    const label = hass.localize("ui.sidebar.sidebar_toggle") || "Menu";
    const hasMenu = this.#narrow || hass.dockedSidebar === "always_hidden";
    const menu = hasMenu && make("button", { "aria-label": label, onclick: () => fire(this, "hass-toggle-menu") }, icon(MENU, "1.5rem"));
    this.#toolbar.replaceChildren(...[menu, make("h1", {}, this.texts.say("card_page"))].filter(Boolean));

    const shown = masters(hass).map((device) => device.id);
    const same = shown.join() === this.#seen;
    this.#seen = shown.join();
    if (same && shown.length) return;
    this.#cards = new Map(shown.map((id) => [id, this.#cards.get(id) ?? this.#card(id)]));
    this.#main.className = shown.length < 2 ? "few" : "";
    this.#main.replaceChildren(...(shown.length ? this.#cards.values() : [make("p", {}, this.texts.say("card_page_empty"))]));
  }

  #card(id) {
    const card = document.createElement(TYPE);
    card.hass = this.#hass;
    card.setConfig({ device_id: id });
    return card;
  }
}

if (!customElements.get("dyness-atess-page")) customElements.define("dyness-atess-page", BatteriesPage);
