// A card or the page with a house that exists only here: `?picture=tower&language=de&dark`, `?page`, `?day`.

import { day, pictures } from "./pictures.js";

const SHIPPED = "/custom_components/dyness_atess";
const wanted = new URLSearchParams(location.search);
const language = wanted.get("language") ?? "en";
const [texts, english] = await Promise.all(
  [language, "en"].map(async (each) => (await fetch(`${SHIPPED}/translations/${each === "ar" ? "en" : each}.json`)).json()),
);

function text(path) {
  const found = (from) => path.split(".").slice(2).reduce((inner, key) => inner?.[key], from);
  return found(texts) ?? found(english) ?? "";
}

export const house = {
  sent: [], // messages of subscriptions, the newest last
  ended: 0,
  errors: [], // what the next subscriptions are answered with instead of a picture
  push: (picture) => house.take?.(picture),
  ready: () => listeners.forEach((listener) => listener()),
};
window.house = house;
const listeners = new Set();

export const hass = {
  language,
  locale: { language, number_format: "language", time_format: "language", time_zone: "local" },
  config: { time_zone: "Europe/Berlin", unit_system: { temperature: wanted.get("temperature") ?? "°C" }, state: "RUNNING" },
  themes: { darkMode: wanted.has("dark") },
  dockedSidebar: "docked",
  loadBackendTranslation: async () => hass.localize,
  localize: (key, values = {}) => Object.entries(values).reduce((words, [name, value]) => words.replaceAll(`{${name}}`, value), text(key)),
  devices: Object.fromEntries(
    Object.keys(pictures)
      .filter((name) => (wanted.get("devices") ?? "tower,single,converter").split(",").includes(name))
      .map((id) => [id, { id, name: pictures[id].name, identifiers: [["dyness_atess", id]], via_device_id: null }]),
  ),
  states: Object.fromEntries(
    Object.entries({ "sensor.soc": "%", "sensor.power": "W" }).map(([id, unit_of_measurement]) => {
      const { s: state, lu } = day[id].at(-1);
      return [id, { state, attributes: { unit_of_measurement }, last_updated: new Date(1000 * lu).toISOString() }];
    }),
  ),
  formatEntityState: ({ state, attributes }) => `${state} ${attributes.unit_of_measurement}`,
  callWS: async () => day,
  entities: { "sensor.soc": { platform: "dyness_atess", device_id: "tower" } },
  connection: {
    addEventListener: (_, listener) => listeners.add(listener),
    removeEventListener: (_, listener) => listeners.delete(listener),
    subscribeMessage: async (take, message) => {
      house.sent.push(message);
      if (house.errors.length) throw house.errors.shift();
      house.take = take;
      take(pictures[message.device_id]);
      return async () => {
        house.ended += 1;
      };
    },
  },
};

document.documentElement.classList.toggle("dark", wanted.has("dark"));
document.documentElement.lang = language;
document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
window.hass = hass;
const main = document.querySelector("main");
if (wanted.has("page")) {
  document.body.style.padding = 0;
  await import(`${SHIPPED}/frontend/page.js`);
  const page = document.createElement("dyness-atess-page");
  page.hass = hass;
  page.narrow = innerWidth < 870;
  main.append(page);
} else if (wanted.has("day")) {
  const { TYPE } = await import(`${SHIPPED}/frontend/day-card.js`);
  const card = document.createElement(TYPE);
  card.setConfig({ soc: "sensor.soc", power: "sensor.power" });
  card.hass = hass;
  main.append(card);
} else {
  const { TYPE } = await import(`${SHIPPED}/frontend/cells-card.js`);
  const card = document.createElement(TYPE);
  const name = wanted.get("picture");
  card.setConfig(name ? { device_id: name } : {});
  card.hass = hass;
  main.append(card);
}
