// A battery or converter on the screen: one subscription, drawn anew with each picture.

import { Localized, fire, icon, make } from "./dom.js";
import { STEPS, age, arrival, columns, direction, flows, view } from "./model.js";
import { style } from "./style.js";

const DOMAIN = "dyness_atess";
export const TYPE = "dyness-atess-cells-card";
const COMMAND = "dyness_atess/battery";
const VERSION = new URL(import.meta.url).pathname.match(/^\/dyness_atess\/([^/]+)\//)?.[1];
const CONNECTION_LOST = 3; // of the frontend's connection, which reports when it is there again
const [SOON, LATER, PATIENCE] = [5_000, 60_000, 12]; // ms between tries, and after how many of them something is wrong
const AGE_SECONDS = 20;
const PREVIEWED = 2; // modules
const ICONS = {
  charging: "M13,20H11V8L5.5,13.5L4.08,12.08L12,4.16L19.92,12.08L18.5,13.5L13,8V20Z",
  discharging: "M11,4H13V16L18.5,10.5L19.92,11.92L12,19.84L4.08,11.92L5.5,10.5L11,16V4Z",
  ok: "M21,7L9,19L3.5,13.5L4.91,12.09L9,16.17L19.59,5.59L21,7Z",
  warning: "M13 14H11V9H13M13 18H11V16H13M1 21H23L12 2L1 21Z",
  fold: "M7.41,8.58L12,13.17L16.59,8.58L18,10L12,16L6,10L7.41,8.58Z",
};

/** A battery, module or converter; an account, whose batteries are shown as one, is a service. */
const isOurs = (device) => device?.entry_type !== "service" && device?.identifiers?.some(([domain]) => domain === DOMAIN);

export const nameOf = (device) => device.name_by_user ?? device.name ?? "";

/** The batteries and converters of the house, by name; modules are part of theirs. */
export function masters(hass) {
  const known = Object.values(hass.devices ?? {}).filter((device) => isOurs(device) && !device.disabled_by);
  const shown = known.filter((device) => !isOurs(hass.devices[device.via_device_id]));
  return shown.sort((one, other) => nameOf(one).localeCompare(nameOf(other), hass.language));
}

/** The card that shows the device of an entity of ours: for the frontend's dialog "Add to dashboard". */
export function getEntitySuggestion(hass, entityId) {
  const entity = hass.entities?.[entityId];
  const device = entity?.platform === DOMAIN ? hass.devices[entity.device_id] : null;
  if (!isOurs(device)) return null;
  const master = hass.devices[device.via_device_id];
  return { config: { type: `custom:${TYPE}`, device_id: isOurs(master) ? master.id : device.id } };
}

export class CellsCard extends Localized {
  static getConfigForm() {
    const selector = { device: { filter: [{ integration: DOMAIN }] } };
    const computeLabel = (_, localize) => localize(`component.${DOMAIN}.common.card_device`) || "Battery or converter";
    return { schema: [{ name: "device_id", required: true, selector }], computeLabel };
  }

  static getStubConfig(hass) {
    const [first] = masters(hass);
    return first ? { device_id: first.id } : {};
  }

  #hass;
  #config = {};
  #source; // the subscription
  #picture;
  #problem; // key of a text
  #unfolded = new Map(); // module id -> whether its user wants it open
  #selected; // module id and number of a cell
  #alarmsOpen = false;
  #timer;

  constructor() {
    super(style);
  }

  set hass(hass) {
    this.#hass = hass;
    this.localize(hass);
    this.toggleAttribute("dark", Boolean(hass.themes?.darkMode));
    this.#subscribe();
  }

  setConfig(config) {
    if (config.device_id !== this.#config.device_id) this.#picture = this.#problem = this.#selected = undefined;
    this.#config = config;
    this.#subscribe();
    this.draw();
  }

  getCardSize() {
    return 4 + 2 * (this.#picture?.modules?.length ?? 1);
  }

  getGridOptions() {
    return { columns: 12, min_columns: 6, rows: "auto" };
  }

  connectedCallback() {
    this.#timer = setInterval(() => this.#showAge(), AGE_SECONDS * 1000);
    this.#subscribe();
    this.draw();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.#unsubscribe();
  }

  #subscribe() {
    const { connection } = this.#hass ?? {};
    const device = this.#config.device_id;
    if (connection === this.#source?.connection && device === this.#source?.device) return;
    this.#unsubscribe();
    if (!this.isConnected || !connection || !device) return;
    const source = { connection, device, tries: 0 };
    source.ask = () => this.#ask(source);
    this.#source = source;
    connection.addEventListener("ready", source.ask);
    source.ask();
  }

  #unsubscribe() {
    const source = this.#source;
    if (!source) return;
    this.#source = undefined;
    clearTimeout(source.timer);
    source.connection.removeEventListener("ready", source.ask);
    source.subscription.then((end) => end()).catch(() => {});
  }

  #ask(source) {
    clearTimeout(source.timer);
    const take = (picture) => {
      if (source !== this.#source) return;
      source.tries = 0;
      this.#problem = undefined;
      this.#picture = picture;
      this.draw();
    };
    const message = { type: COMMAND, device_id: source.device };
    // It is asked for again below, which also works while Home Assistant still starts.
    source.subscription = source.connection.subscribeMessage(take, message, { resubscribe: false });
    source.subscription.catch((error) => {
      if (source !== this.#source || error === CONNECTION_LOST) return;
      source.tries += 1;
      const refused = error?.code === "unauthorized";
      if (refused || source.tries >= PATIENCE) {
        this.#problem = refused ? "card_unauthorized" : error?.code === "not_found" ? "card_gone" : "card_no_answer";
        this.draw();
      }
      source.timer = setTimeout(source.ask, refused || source.tries >= PATIENCE ? LATER : SOON);
    });
  }

  draw() {
    if (!this.texts || !this.isConnected) return;
    const focused = this.shadowRoot.activeElement?.dataset.focus;
    this.shadowRoot.replaceChildren(make("ha-card", {}, make("div", { class: "body" }, this.#content())));
    if (focused) [...this.shadowRoot.querySelectorAll("[data-focus]")].find((each) => each.dataset.focus === focused)?.focus();
  }

  #content() {
    const say = (key) => this.texts.say(key);
    const picture = this.#picture;
    const message = (text, type = "info") => make("ha-alert", { "alert-type": type }, text);
    if (!this.#config.device_id) return message(say("card_choose"));
    if (this.#problem) return message(say(this.#problem), "warning");
    if (!picture) return make("p", { class: "quiet", role: "status" }, say("card_loading"));
    const other = VERSION && picture.version && picture.version !== VERSION && this.#newVersion();
    if (picture.state === "gone") return message(say("card_gone"), "warning");
    if (picture.state !== "ready") return [other, make("p", { class: "quiet", role: "status" }, say("card_starting"))];
    const shown = view(picture);
    if (this.preview && this.layout === undefined) shown.modules = shown.modules.slice(0, PREVIEWED);
    const rest = picture.kind === "converter" ? this.#flows(picture) : shown.cells ? this.#cells(shown) : this.#extremes(picture);
    return [other, this.#header(picture, shown), this.#outage(picture), make("div", { class: picture.outage ? "faded" : null }, rest)];
  }

  #newVersion() {
    const reload = make("button", { class: "link", onclick: () => location.reload() }, this.texts.say("card_reload"));
    return make("ha-alert", { "alert-type": "info" }, `${this.texts.say("card_new_version")} `, reload);
  }

  #outage({ outage, until, sampled_at: sampledAt }) {
    const texts = this.texts;
    if (!outage) return sampledAt ? null : make("p", { class: "quiet" }, texts.say("card_no_values"));
    const time = (each) => each && texts.time(new Date(each));
    const last = sampledAt ? texts.say("card_last_values", { time: time(sampledAt) }) : texts.say("card_no_values");
    const waiting = until ? "card_outage_calls_until" : "card_outage_calls";
    const reason = { cloud: "card_outage_cloud", device: "card_outage_device", calls: waiting }[outage];
    return make("ha-alert", { "alert-type": "warning" }, make("strong", {}, last), ` ${texts.say(reason, { time: time(until) })}`);
  }

  #header(picture, shown) {
    const texts = this.texts;
    const way = direction(picture);
    const when = arrival(picture, new Date());
    const arrives = when && texts.say({ full: "card_full_at", reserve: "card_reserve_at" }[when.kind], { time: texts.time(when.time) });
    const doing = { charging: "card_charging", discharging: "card_discharging", idle: "card_idle" }[way];
    const arrow = ICONS[way] && icon(ICONS[way], undefined, way);
    const watts = way === "idle" ? "" : texts.power(picture.power);
    return make("header", {},
      make("div", { class: "title" },
        make("div", {}, make("h2", {}, picture.name ?? ""), this.#age(picture)),
        picture.outage && !shown.alarms.length ? null : this.#chip(shown)),
      this.#alarmsOpen && shown.alarms.length ? this.#alarms(shown) : null,
      make("div", { class: "now" },
        Number.isFinite(picture.soc) ? make("span", { class: "soc figure" }, texts.number(picture.soc), make("small", {}, "%")) : null,
        make("div", { class: "flow" },
          make("div", {}, arrow, arrow ? " " : null, watts ? [make("strong", { class: "figure" }, watts), " · "] : null, doing ? texts.say(doing) : null),
          arrives ? make("div", { class: "quiet" }, arrives) : null)));
  }

  #age(picture) {
    const past = age(picture.sampled_at, new Date());
    return past && make("span", { class: "age", "data-level": past.level }, this.texts.ago(past.minutes));
  }

  #showAge() {
    const shown = this.shadowRoot.querySelector(".age");
    if (shown && this.#picture) shown.replaceWith(this.#age(this.#picture));
  }

  #chip({ alarms, serious }) {
    const kind = serious.some((alarm) => alarm.protection) ? "protection" : serious.length ? "warning" : "ok";
    const text = serious.length ? this.texts.count("card_alarms", serious.length) : this.texts.say("card_ok");
    const more = !serious.length && alarms.length ? [", ", this.texts.count("card_notes", alarms.length)] : [];
    const content = [icon(kind === "ok" ? ICONS.ok : ICONS.warning, "1.1em"), make("span", {}, text, more)];
    if (!alarms.length) return make("span", { class: `chip ${kind}` }, content);
    const toggle = () => {
      this.#alarmsOpen = !this.#alarmsOpen;
      this.draw();
    };
    return make("button", { class: `chip ${kind}`, "aria-expanded": String(this.#alarmsOpen), "data-focus": "alarms", onclick: toggle }, content);
  }

  #alarms({ alarms, modules }) {
    const texts = this.texts;
    const line = (alarm) => {
      const kind = alarm.protection ? "protection" : alarm.expected ? "expected" : "warning";
      const where = alarm.module != null && modules.length > 1 ? texts.say("card_module", { number: alarm.module }) : null;
      const note = [where, alarm.expected ? texts.say("card_expected") : null].filter(Boolean).join(" · ");
      const mark = icon(alarm.expected ? ICONS.ok : ICONS.warning, undefined, kind);
      const words = make("span", { class: "words" }, make("span", {}, texts.entity(alarm.key, "binary_sensor")), note ? make("span", { class: "quiet" }, note) : null);
      if (!alarm.entity_id) return make("div", {}, mark, words);
      const show = () => fire(this, "hass-more-info", { entityId: alarm.entity_id });
      return make("button", { onclick: show, "data-focus": `alarm ${alarm.key} ${alarm.module}` }, mark, words);
    };
    return make("ul", { class: "alarms" }, alarms.map((alarm) => make("li", {}, line(alarm))));
  }

  #cells(shown) {
    const alone = shown.modules.length === 1;
    const rows = shown.modules.map((module) => this.#module(module, shown, alone));
    return [this.#comparison(shown.comparison), make("div", { class: `modules ${alone ? "alone" : ""}` }, rows), this.#legend(), this.#table(shown.modules)];
  }

  #comparison(comparison) {
    if (!comparison) return null;
    const texts = this.texts;
    const { from, to, widest, isApart, bars } = comparison;
    const volts = (value) => make("span", { class: "figure quiet" }, texts.quantity(value, "V", 3));
    const percent = (part) => `${(part * 100).toFixed(1)}%`;
    const spread = texts.quantity(widest.spread, "mV");
    const words = isApart ? texts.say("card_widest", { number: widest.number, spread }) : texts.say("card_alike", { spread });
    const caption = [texts.say("card_comparison"), ...(bars.some((bar) => bar.older) ? [texts.say("card_older")] : [])].join("; ");
    return make("figure", { class: "strip" },
      make("figcaption", {}, make("span", { class: "quiet" }, caption), make("span", {}, words)),
      make("div", { class: "ends" }, volts(to), volts(from)),
      make("div", { class: "plot", "aria-hidden": "true" }, bars.map((bar) =>
        make("div", { class: `${bar.widest ? "widest" : ""} ${bar.older ? "older" : ""}` },
          make("i", { class: "range", style: `bottom: ${percent(bar.lowest)}; top: ${percent(1 - bar.highest)}` }),
          make("i", { class: "mean", style: `bottom: ${percent(bar.mean)}` })))),
      make("div", { class: "numbers", "aria-hidden": "true" }, bars.map((bar) => make("span", { class: bar.widest ? "widest" : "quiet" }, `${bar.number}`))));
  }

  #module(module, shown, alone) {
    const texts = this.texts;
    const open = this.#unfolded.get(module.id) ?? shown.open.has(module.id);
    const name = texts.say("card_module", { number: module.number });
    const figure = (kind, text) => make("span", { class: `figure ${kind}` }, text);
    // Modules of a tower report their cells and temperatures only.
    const bare = [module.soc, module.voltage, module.current].every((each) => each == null);
    const line = `figures ${bare ? "bare" : ""}`;
    const figures = [
      alone ? null : make("span", { class: "number" }, make("span", { class: "hidden" }, texts.say("card_module", { number: "" })), `${module.number ?? ""}`),
      Number.isFinite(module.soc) ? make("span", { class: "bar" }, make("i", { style: `inline-size: ${Math.min(Math.max(module.soc, 0), 100)}%` })) : null,
      bare ? figure("cells quiet", texts.range(module.lowest, module.highest)) : null,
      alone ? null : figure("soc-value", texts.quantity(module.soc, "%")),
      figure("voltage", texts.quantity(module.voltage, "V", 1)),
      figure("current", texts.quantity(module.current, "A", 1)),
      figure("temperature", texts.temperatures(module.temperature)),
      figure("spread", [make("span", { class: "quiet", "aria-hidden": "true" }, "Δ "), make("b", {}, texts.quantity(module.spread, "mV"))].slice(module.spread === null ? 2 : 0)),
    ];
    if (alone) return make("section", { class: "module" }, make("div", { class: line }, figures), this.#tiles(module, name));
    const toggle = () => {
      this.#unfolded.set(module.id, !open);
      this.draw();
    };
    const head = make("button", { class: line, "aria-expanded": String(open), "data-focus": `fold ${module.id}`, onclick: toggle },
      figures, make("span", { class: "fold quiet" }, icon(ICONS.fold)));
    const ribbon = () => make("div", { class: "ribbon", "aria-hidden": "true" }, module.cells.map((cell) => make("i", { "data-step": cell.step })));
    return make("section", { class: "module", "aria-label": name }, head, open ? this.#tiles(module, name) : ribbon());
  }

  #tiles(module, name) {
    const texts = this.texts;
    const selected = this.#selected?.module === module.id ? module.cells[this.#selected.number - 1] : null;
    const reachable = selected ?? module.cells.find((cell) => cell.mark === "lowest") ?? module.cells[0];
    const describe = (cell) => [
      texts.say("card_cell", { number: cell.number }),
      cell.voltage === null ? "–" : texts.quantity(cell.voltage, "V", 3),
      cell.voltage === null ? null : texts.say("card_deviation", { deviation: `${texts.deviation(cell.deviation)}\u00a0mV` }),
      cell.mark && texts.say({ highest: "card_highest", lowest: "card_lowest" }[cell.mark]),
    ].filter(Boolean);
    const tile = (cell) => {
      const [title, ...figures] = describe(cell);
      const select = () => {
        this.#selected = cell === selected ? undefined : { module: module.id, number: cell.number };
        this.draw();
      };
      return make("button", {
        class: "tile", "data-step": cell.step, "data-mark": cell.mark, "data-focus": `cell ${module.id} ${cell.number}`, onclick: select,
        tabindex: cell === reachable ? "0" : "-1", "aria-pressed": String(cell === selected), "aria-label": `${title}: ${figures.join(", ")}`,
      }, cell.deviation === null ? "–" : texts.deviation(cell.deviation));
    };
    const count = module.cells.length;
    const layout = `--narrow: ${columns(count, 8)}; --medium: ${columns(count, 10)}; --wide: ${columns(count, 16)}`;
    const history = selected?.entity && make("button", {
      class: "link", "data-focus": "history", onclick: () => fire(this, "hass-more-info", { entityId: selected.entity }),
    }, texts.say("card_history"));
    return [
      make("div", { class: "tiles", role: "group", "aria-label": name, style: layout, onkeydown: (event) => this.#move(event) }, module.cells.map(tile)),
      selected ? make("div", { class: "detail" }, make("span", {}, describe(selected).join(" · ")), history) : null,
    ];
  }

  /** Arrow keys go from tile to tile; the tabulator leaves the group. */
  #move(event) {
    const tiles = [...event.currentTarget.children];
    const row = getComputedStyle(event.currentTarget).gridTemplateColumns.split(" ").length;
    const from = tiles.indexOf(event.target);
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, ArrowUp: from - row, ArrowDown: from + row, Home: 0, End: tiles.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (!tiles[to]) return;
    for (const tile of tiles) tile.tabIndex = -1;
    tiles[to].tabIndex = 0;
    tiles[to].focus();
  }

  #legend() {
    const most = STEPS.length;
    const scale = Array.from({ length: 2 * most + 1 }, (_, place) => make("i", { "data-step": place - most }));
    const end = this.texts.number(STEPS.at(-1));
    return make("div", { class: "legend" },
      make("span", { class: "ends-of-scale", "aria-hidden": "true" }, `−${end}`, make("span", { class: "scale" }, scale), `+${end}\u00a0mV`),
      make("span", {}, this.texts.say("card_legend")));
  }

  #table(modules) {
    const texts = this.texts;
    const most = Math.max(...modules.map((module) => module.cells.length));
    const cell = (text) => make("td", {}, text);
    const heading = (text) => make("th", { scope: "col" }, text);
    const numbers = Array.from({ length: most }, (_, place) => texts.say("card_cell", { number: place + 1 }));
    const titles = [...["soc", "voltage", "current"].map((key) => texts.entity(key)), texts.say("card_temperature"), texts.entity("cell_voltage_spread")];
    return make("div", { class: "hidden" }, make("table", {},
      make("caption", {}, texts.say("card_table")),
      make("thead", {}, make("tr", {}, make("td"), [...titles, ...numbers].map(heading))),
      make("tbody", {}, modules.map((module) => make("tr", {},
        make("th", { scope: "row" }, texts.say("card_module", { number: module.number })),
        [texts.quantity(module.soc, "%"), texts.quantity(module.voltage, "V", 1), texts.quantity(module.current, "A", 1),
          texts.temperatures(module.temperature), texts.quantity(module.spread, "mV"),
          ...module.cells.map((each) => texts.quantity(each.voltage, "V", 3))].map(cell))))));
  }

  /** What is known of the cells of a battery without them one by one. */
  #extremes({ extremes = {} }) {
    const texts = this.texts;
    const shown = [
      ["cell_voltage_max", "V", 3],
      ["cell_voltage_min", "V", 3],
      ["cell_voltage_spread", "mV", 0],
    ].filter(([key]) => Number.isFinite(extremes[key]));
    return make("dl", { class: "extremes" }, shown.map(([key, unit, digits]) =>
      make("div", {}, make("dt", {}, texts.entity(key)), make("dd", { class: "figure" }, texts.quantity(extremes[key], unit, digits)))));
  }

  #flows(picture) {
    const texts = this.texts;
    const names = { input: "card_input", battery: "card_battery", output: "card_output" };
    const arrow = ICONS[direction(picture)];
    return make("ul", { class: "flows" }, flows(picture).map((part) => make("li", { class: part.kind },
      make("span", {}, texts.say(names[part.kind], { number: part.number }), " ",
        make("span", { class: "figure quiet" }, [texts.quantity(part.voltage, "V"), texts.quantity(part.current, "A", 1)].filter(Boolean).join(" · "))),
      make("strong", { class: "figure" }, part.kind === "battery" && arrow ? [icon(arrow, "1.1em"), " "] : null, texts.power(part.power)),
      make("span", { class: "bar" }, make("i", { style: `inline-size: ${(part.part * 100).toFixed(1)}%` })))));
  }
}

if (!customElements.get(TYPE)) customElements.define(TYPE, CellsCard);
