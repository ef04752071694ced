import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Texts } from "../../custom_components/dyness_atess/frontend/text.js";

const plain = (text) => text.replaceAll(/[\u00a0\u202f]/g, " ");

function texts(language, locale = {}, unit = "°C") {
  const file = new URL(`../../custom_components/dyness_atess/translations/${language}.json`, import.meta.url);
  const { common } = JSON.parse(readFileSync(file));
  const localize = (key, values) => Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), common[key.split(".").at(-1)] ?? "");
  const chosen = { language, number_format: "language", time_format: "language", time_zone: "server", ...locale };
  return new Texts({ locale: chosen, config: { time_zone: "Europe/Berlin", unit_system: { temperature: unit } } }, localize);
}

test("numbers as the user wants them", () => {
  assert.equal(plain(texts("en").quantity(3.2474, "V", 3)), "3.247 V");
  assert.equal(plain(texts("de").quantity(3.2474, "V", 3)), "3,247 V");
  assert.equal(plain(texts("de", { number_format: "comma_decimal" }).quantity(3.2474, "V", 3)), "3.247 V");
  assert.equal(plain(texts("en", { number_format: "none" }).quantity(9876, "W")), "9876 W");
  assert.equal(texts("en").quantity(null, "V"), "");
  assert.deepEqual([-12, 0, 7].map((each) => texts("en").deviation(each)), ["−12", "0", "+7"]);
});

test("powers are kW from 10,000 W on, and have no sign", () => {
  assert.deepEqual([-1200, 9999, 12_640, null].map((each) => plain(texts("en").power(each))), ["1,200 W", "9,999 W", "12.6 kW", ""]);
});

test("temperatures as a range in the unit of the house", () => {
  assert.equal(plain(texts("en").temperatures([21.4, 23])), "21–23 °C");
  assert.equal(plain(texts("en").temperatures([21.4, 21.3])), "21 °C");
  assert.equal(plain(texts("en", {}, "°F").temperatures([20, 25])), "68–77 °F");
  assert.equal(texts("en").temperatures(null), "");
});

test("times name the day where it is another one", () => {
  const now = new Date("2026-11-21T12:00:00Z");
  const time = (words, date) => plain(words.time(new Date(date), now));
  assert.equal(time(texts("en"), "2026-11-21T13:20:00Z"), "2:20 PM");
  assert.equal(time(texts("en", { time_format: "24" }), "2026-11-21T13:20:00Z"), "14:20");
  assert.equal(time(texts("de"), "2026-11-21T13:20:00Z"), "14:20");
  assert.match(time(texts("en"), "2026-11-21T23:20:00Z"), /^Sun.* 12:20 AM$/);
  assert.match(time(texts("en"), "2026-10-02T08:00:00Z"), /^Oct 2\b/);
});

test("ages and plurals", () => {
  assert.deepEqual([0, 1, 47, 120, 5000].map((each) => texts("en").ago(each)), ["just now", "1 min. ago", "47 min. ago", "2 hr. ago", "3 days ago"]);
  assert.equal(texts("de").ago(3), "vor 3 Min.");
  assert.deepEqual([1, 2].map((each) => texts("de").count("card_alarms", each)), ["1 Alarm", "2 Alarme"]);
  assert.deepEqual([1, 0].map((each) => texts("en").count("card_notes", each)), ["1 note", "0 notes"]);
});
