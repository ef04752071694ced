// What a dashboard or the page in the sidebar loads: everything else, in one round.

import { TYPE, getEntitySuggestion } from "./cells-card.js";
import "./day-card.js";
import "./page.js";
import { STRATEGY } from "./strategy.js";
import { translator } from "./text.js";

const DOMAIN = "dyness_atess";
const documentationURL = "https://github.com/dyness-atess/dyness-atess-home-assistant";

const card = {
  type: TYPE,
  name: "Dyness & ATESS",
  description: "A battery with all its cells, or a converter with all that flows through it",
  preview: true,
  documentationURL,
  getEntitySuggestion,
};
const dashboard = {
  type: STRATEGY,
  strategyType: "dashboard",
  name: "Dyness & ATESS",
  description: "Every battery and converter: what it does now, its cells, its limits and its history",
  documentationURL,
};
(window.customCards ??= []).push(card);
(window.customStrategies ??= []).push(dashboard);

// In the user's language as soon as it is known; the pickers read it when they open.
const { hass } = document.querySelector("home-assistant") ?? {};
if (hass) {
  translator(hass).then((localize) => {
    for (const [entry, key] of [[card, "card_description"], [dashboard, "dashboard_description"]]) {
      entry.description = localize(`component.${DOMAIN}.common.${key}`) || entry.description;
    }
  }, () => {}); // no connection
}
