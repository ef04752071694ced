// The dashboard strategy: a view for each battery or converter, made of what Home Assistant knows of it.

import { TYPE, masters, nameOf } from "./cells-card.js";
import { TYPE as DAY } from "./day-card.js";
import { translator } from "./text.js";

const DOMAIN = "dyness_atess";
export const STRATEGY = "dyness-atess";
const [WHOLE, HALF] = [12, 6]; // columns of a section
const LADDER = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000]; // A
const TODAY = ["energy_charged_today", "energy_discharged_today", "pv_energy_today", "output_energy_today"];
const SHORT = {
  time_to_full: "full_in", time_to_empty: "empty_in",
  energy_charged_today: "charged_today", energy_discharged_today: "discharged_today", pv_energy_today: "pv_today", output_energy_today: "output_today",
  charge_current_limit: "charge_limit", discharge_current_limit: "discharge_limit", charge_voltage_limit: "charge_limit", discharge_voltage_limit: "discharge_limit",
}; // where the entity's own name does not fit on a tile
const LIMITS = ["charge_current_limit", "discharge_current_limit", "charge_voltage_limit", "discharge_voltage_limit"];
const HEALTH = ["cell_spread_full", "cell_lead_full"];
const MONTHS = 180; // days

/** The entities of a device by the key of their names; single cells share one and are left to the card. */
function entitiesOf(hass, device) {
  const ours = Object.values(hass.entities).filter((entity) => entity.platform === DOMAIN && entity.device_id === device.id && !entity.hidden);
  return Object.fromEntries(ours.map((entity) => [entity.translation_key, entity.entity_id]));
}

function tile(entities, key, columns, say, more = {}) {
  const name = SHORT[key] ? say(`dashboard_${SHORT[key]}`) : { type: "entity" };
  return { type: "tile", entity: entities[key], name, grid_options: { columns }, ...more };
}

const bar = (min, max) => ({ features: [{ type: "bar-gauge", min, max }] });

/** Only while it has a value: a battery is on its way to full or to empty, never to both. */
const whileKnown = (entity) => ({ visibility: [{ condition: "state", entity, state_not: ["unavailable", "unknown"] }] });

/** The end of a bar of amperes, a round number: what would empty the battery in an hour, or more where it allows more. */
function ampereScale(hass, entities) {
  const value = (key) => Number.parseFloat(hass.states[entities[key]]?.state) || 0;
  const most = Math.max((1000 * value("energy_rated")) / (value("voltage") || Infinity), ...LIMITS.slice(0, 2).map(value));
  return LADDER.find((step) => step >= most && most) ?? 100;
}

function hero(entities, title, say) {
  const cards = [{ type: "heading", heading: title, icon: "mdi:home-battery" }];
  const add = (keys, columns, more = () => ({})) => {
    for (const key of keys) if (entities[key]) cards.push(tile(entities, key, columns, say, more(entities[key])));
  };
  add(["soc"], WHOLE, () => bar(0, 100));
  if (!entities.pv_power) add(["power"], HALF); // of a converter the card below shows all powers
  add(["time_to_full", "time_to_empty"], HALF, whileKnown);
  add(TODAY, HALF);
  return { type: "grid", cards };
}

function limits(hass, entities, say) {
  const known = LIMITS.filter((key) => entities[key]);
  if (!known.length) return null;
  const scale = bar(0, ampereScale(hass, entities));
  const cards = known.map((key) => tile(entities, key, HALF, say, key.includes("current") ? scale : {}));
  return { type: "grid", cards: [{ type: "heading", heading: say("dashboard_limits"), icon: "mdi:speedometer" }, ...cards] };
}

function history(entities, say) {
  const cards = [];
  const power = entities.power ?? entities.output_power ?? entities.pv_power;
  if (entities.soc || power) cards.push({ type: `custom:${DAY}`, soc: entities.soc, power, grid_options: { columns: "full" } });
  const health = HEALTH.filter((key) => entities[key]).map((key) => ({ entity: entities[key], name: { type: "entity" } }));
  if (health.length) {
    const graph = { type: "statistics-graph", title: say("dashboard_months"), period: "day", days_to_show: MONTHS, stat_types: ["mean"] };
    cards.push({ ...graph, entities: health, grid_options: { columns: "full" } });
  }
  if (!cards.length) return null;
  return { type: "grid", cards: [{ type: "heading", heading: say("dashboard_history"), icon: "mdi:chart-line" }, ...cards] };
}

/** On a phone from top to bottom, on a wall side by side; the cells of a tower take two columns there. */
function viewOf(hass, device, say) {
  const entities = entitiesOf(hass, device);
  const title = nameOf(device);
  const card = { type: `custom:${TYPE}`, device_id: device.id, grid_options: { columns: "full" } };
  const modules = Object.values(hass.devices).filter((other) => other.via_device_id === device.id);
  const cells = { type: "grid", column_span: modules.length > 2 ? 2 : 1, cards: [card] };
  const sections = [hero(entities, title, say), cells, limits(hass, entities, say), history(entities, say)];
  return { title, path: device.id, type: "sections", max_columns: 3, dense_section_placement: true, sections: sections.filter(Boolean) };
}

class Strategy extends HTMLElement {
  static registryDependencies = ["devices", "entities"];
  static noEditor = true;

  static async getCreateSuggestions(hass) {
    const localize = await translator(hass);
    return { title: localize(`component.${DOMAIN}.common.dashboard_title`), icon: "mdi:view-dashboard" };
  }

  static async generate(_config, hass) {
    const localize = await translator(hass);
    const say = (key) => localize(`component.${DOMAIN}.common.${key}`);
    const devices = masters(hass);
    if (devices.length) return { views: devices.map((device) => viewOf(hass, device, say)) };
    return { views: [{ title: say("card_page"), cards: [{ type: "markdown", content: say("card_page_empty") }] }] };
  }
}

const element = `ll-strategy-dashboard-${STRATEGY}`;
if (!customElements.get(element)) customElements.define(element, Strategy);
