// State of charge and power of the last 24 hours, in one chart with a line at zero.

import { Localized, draw, fire, make } from "./dom.js";

export const TYPE = "dyness-atess-day-card";
const DAY = 24 * 3600_000;
const GRID = 6 * 3600_000;
const STEADY = 30 * 60_000; // a value that holds for longer has no slope to the next
const KEYS = ["soc", "power"];
const UNITS = { kW: 1000, MW: 1_000_000 }; // where the user has chosen another than W

const style = new CSSStyleSheet();
style.replaceSync(`
:host { display: block; }
ha-card { display: block; container-type: inline-size; padding: var(--ha-space-4, 1rem); font-family: var(--ha-font-family-body, sans-serif); font-size: var(--ha-font-size-m, 0.875rem); color: var(--primary-text-color, #212121); }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin-block-end: 0.5rem; }
button { display: inline-flex; align-items: center; gap: 0.4rem; min-block-size: 1.75rem; padding: 0; border: 0; background: none; color: inherit; font: inherit; cursor: pointer; }
button:focus-visible { outline: 0.15rem solid var(--primary-color, #009ac7); }
button::before { content: ""; inline-size: 1.25rem; block-size: 0.25rem; border-radius: 0.2rem; background: var(--line); }
.soc { --line: var(--success-color, #43a047); }
.power { --line: var(--primary-color, #009ac7); }
.plot { display: grid; grid-template: 11rem auto / auto 1fr auto; gap: 0.25rem 0.5rem; direction: ltr; color: var(--secondary-text-color, #727272); font-size: var(--ha-font-size-s, 0.75rem); font-variant-numeric: tabular-nums; }
.axis { position: relative; min-inline-size: 4.2em; white-space: nowrap; }
.axis span { position: absolute; translate: 0 -50%; inset-inline-end: 0; }
.axis.soc { min-inline-size: 2.8em; }
.axis.soc span { inset-inline: 0 auto; }
.times { grid-column: 2; position: relative; block-size: 1.2rem; }
.times span { position: absolute; translate: -50% 0; white-space: nowrap; }
@container (max-width: 26rem) { .times span:nth-child(even) { display: none; } }
svg { inline-size: 100%; block-size: 100%; overflow: visible; }
path, line { fill: none; stroke: var(--line); stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
path.area { stroke: none; fill: var(--line); opacity: 0.15; }
line { stroke: var(--divider-color, #e0e0e0); stroke-width: 1; }
line.zero { stroke: var(--secondary-text-color, #727272); }
`);

/** Points of a line from states: the recorder keeps changes only, and a state that is no number interrupts the line. */
export function segments(states, end) {
  const lines = [[]];
  let last;
  for (const state of states) {
    if (Number.isFinite(last?.value) && state.time - last.time > STEADY) lines.at(-1).push({ ...last, time: state.time });
    if (Number.isFinite(state.value)) lines.at(-1).push(state);
    else lines.push([]);
    last = state;
  }
  if (Number.isFinite(last?.value)) lines.at(-1).push({ ...last, time: end });
  return lines.filter((line) => line.length);
}

/** A round number that is not less. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999);
}

class DayCard extends Localized {
  #hass;
  #config = {};
  #states = { soc: [], power: [] };
  #shown = []; // the last state of each

  constructor() {
    super(style);
  }

  setConfig(config) {
    this.#config = config;
    this.#shown = [];
  }

  getCardSize() {
    return 4;
  }

  getGridOptions() {
    return { columns: 12, min_columns: 6, rows: "auto" };
  }

  set hass(hass) {
    this.#hass = hass;
    this.localize(hass);
    const shown = KEYS.map((key) => hass.states[this.#config[key]]);
    if (this.#shown.length && shown.every((state, place) => state === this.#shown[place])) return;
    this.#shown = shown;
    this.#read(hass);
  }

  #number(key, text) {
    return Number.parseFloat(text) * (UNITS[this.#hass.states[this.#config[key]]?.attributes.unit_of_measurement] ?? 1);
  }

  /** What the recorder has, and the newest states, which it may write later. */
  async #read(hass) {
    const entity_ids = KEYS.map((key) => this.#config[key]).filter((entity) => hass.states[entity]);
    const request = { type: "history/history_during_period", start_time: new Date(Date.now() - DAY).toISOString(), entity_ids };
    const options = { minimal_response: true, no_attributes: true, significant_changes_only: false };
    const past = entity_ids.length ? await hass.callWS({ ...request, ...options }).catch(() => ({})) : {};
    for (const key of KEYS) {
      const states = (past[this.#config[key]] ?? []).map(({ s, lu }) => ({ time: lu * 1000, value: this.#number(key, s) }));
      const now = hass.states[this.#config[key]];
      this.#states[key] = now ? [...states, { time: Date.parse(now.last_updated), value: this.#number(key, now.state) }] : states;
    }
    this.draw();
  }

  draw() {
    const { texts } = this;
    if (!texts) return;
    const [end, start] = [Date.now(), Date.now() - DAY];
    const lines = {};
    for (const key of KEYS) {
      lines[key] = segments(this.#states[key].map((state) => ({ ...state, time: Math.max(state.time, start) })), end);
    }
    const powers = lines.power.flat().map(({ value }) => value);
    const [low, high] = [Math.min(0, ...powers), Math.max(0, ...powers)];
    const step = roundUp(Math.max(high, -low, 1) / 2);
    const [bottom, top] = [Math.floor(low / step) * step, Math.ceil(Math.max(high, low ? 0 : step) / step) * step];
    const x = (time) => (1000 * (time - start)) / DAY;
    const y = { soc: (value) => 100 - value, power: (value) => (100 * (top - value)) / (top - bottom) };
    const path = (key, line) => `M${line.map(({ time, value }) => `${x(time).toFixed(1)},${y[key](value).toFixed(2)}`).join("L")}`;
    const ticks = [];
    for (let value = bottom; value <= top + step / 2; value += step) ticks.push(Math.round(value / step) * step);
    const clock = new Date(start);
    clock.setHours(Math.ceil((clock.getHours() + 1) / 6) * 6, 0, 0, 0);
    const times = [0, 1, 2, 3].map((number) => clock.getTime() + number * GRID).filter((time) => time > start + GRID / 6 && time < end - GRID / 6);

    const label = KEYS.map((key) => `${texts.entity(key)} ${this.#value(key)}`).join(", ");
    const chart = draw({ viewBox: "0 0 1000 100", preserveAspectRatio: "none", role: "img", "aria-label": label }, [
      ...ticks.map((value) => `<line class="${value ? "" : "zero"}" x1="0" x2="1000" y1="${y.power(value)}" y2="${y.power(value)}"/>`),
      ...times.map((time) => `<line x1="${x(time)}" x2="${x(time)}" y1="0" y2="100"/>`),
      ...lines.soc.map((line) => `<path class="soc area" d="${path("soc", line)}L${x(line.at(-1).time)},100L${x(line[0].time)},100Z"/>`),
      ...KEYS.flatMap((key) => lines[key].map((line) => `<path class="${key}" d="${path(key, line)}"/>`)),
    ].join(""));
    const plot = make("div", { class: "plot" },
      make("div", { class: "axis" }, this.#config.power ? ticks.map((value) => make("span", { style: `top: ${y.power(value)}%` }, this.#watts(value))) : []),
      chart,
      make("div", { class: "axis soc" }, this.#config.soc ? [0, 50, 100].map((value) => make("span", { style: `top: ${100 - value}%` }, `${value} %`)) : []),
      make("div", { class: "times" }, times.map((time) => make("span", { style: `left: ${x(time) / 10}%` }, texts.time(new Date(time)))))
    );
    const legend = KEYS.filter((key) => this.#config[key]).map((key) =>
      make("button", { class: key, onclick: () => fire(this, "hass-more-info", { entityId: this.#config[key] }) }, `${texts.entity(key)} ${this.#value(key)}`)
    );
    this.shadowRoot.replaceChildren(make("ha-card", {}, make("div", { class: "legend" }, legend), plot));
  }

  #watts(value) {
    return `${value < 0 ? "−" : ""}${this.texts.power(value)}`;
  }

  #value(key) {
    const state = this.#hass.states[this.#config[key]];
    const value = this.#number(key, state?.state);
    if (key === "power" && Number.isFinite(value)) return this.#watts(value);
    return state ? this.#hass.formatEntityState(state) : "";
  }
}

if (!customElements.get(TYPE)) customElements.define(TYPE, DayCard);
