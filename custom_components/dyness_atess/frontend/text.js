// Words, numbers and times as the user has chosen them in Home Assistant.

const DOMAIN = "dyness_atess";
const NUMBERS = { comma_decimal: "en-US", decimal_comma: "de", space_comma: "fr", quote_decimal: "de-CH", system: undefined };
const NO_BREAK_SPACE = "\u00a0";

const loading = new Map(); // by language

/**
 * What gives the integration's texts in the language of the user.
 *
 * Loaded once for all elements of a page: who asks the frontend while it loads them for another gets none.
 */
export function translator({ language, loadBackendTranslation }) {
  const load = async () => {
    await loadBackendTranslation("common", [DOMAIN]);
    return loadBackendTranslation("entity", [DOMAIN]);
  };
  if (!loading.has(language)) loading.set(language, load());
  loading.get(language).catch(() => loading.delete(language));
  return loading.get(language);
}

export class Texts {
  /** Load the integration's texts in the language of the user. */
  static async load(hass) {
    return new Texts(hass, await translator(hass));
  }

  #localize;

  constructor(hass, localize) {
    this.#localize = localize;
    const { language, number_format: format, time_format: time, time_zone: zone } = hass.locale;
    this.language = language;
    this.numbers = format in NUMBERS ? NUMBERS[format] : language;
    this.grouping = format !== "none";
    this.clock = {
      hour: "numeric",
      minute: "2-digit",
      ...(time === "12" || time === "24" ? { hour12: time === "12" } : {}),
      ...(zone === "server" ? { timeZone: hass.config.time_zone } : {}),
    };
    this.fahrenheit = hass.config.unit_system?.temperature === "°F";
  }

  /** A text of the category `common`. */
  say(key, placeholders = {}) {
    return this.#localize(`component.${DOMAIN}.common.${key}`, placeholders) || "";
  }

  /** One of the texts that differ by a number. */
  count(key, count) {
    const form = (category) => this.say(`${key}_${category}`, { count: this.number(count) });
    return form(new Intl.PluralRules(this.language).select(count)) || form("other");
  }

  /** The name that the entity with this key has. */
  entity(key, platform = "sensor") {
    return this.#localize(`component.${DOMAIN}.entity.${platform}.${key}.name`) || key.replaceAll("_", " ");
  }

  number(value, digits = 0, options = {}) {
    const format = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: this.grouping, ...options };
    return new Intl.NumberFormat(this.numbers, format).format(value).replace("-", "−");
  }

  /** A number with its unit, or nothing. */
  quantity(value, unit, digits = 0, options = {}) {
    return Number.isFinite(value) ? `${this.number(value, digits, options)}${NO_BREAK_SPACE}${unit}` : "";
  }

  /** Without its sign: an arrow or a word gives the direction. */
  power(watts) {
    if (!Number.isFinite(watts)) return "";
    const amount = Math.abs(watts);
    return amount >= 10_000 ? this.quantity(amount / 1000, "kW", 1) : this.quantity(amount, "W");
  }

  /** A difference in mV. */
  deviation(millivolts) {
    return this.number(millivolts, 0, { signDisplay: "exceptZero" });
  }

  /** Lowest and highest voltage of cells. */
  range(lowest, highest) {
    return lowest === null ? "" : `${this.number(lowest, 3)}–${this.quantity(highest, "V", 3)}`;
  }

  /** Lowest and highest temperature. */
  temperatures(range) {
    if (!range) return "";
    const [low, high] = range.map((celsius) => (this.fahrenheit ? celsius * 1.8 + 32 : celsius));
    const ends = [...new Set([low, high].map((each) => this.number(each)))];
    return `${ends.join("–")}${NO_BREAK_SPACE}${this.fahrenheit ? "°F" : "°C"}`;
  }

  /** The time of day, with the day where that is not today's. */
  time(date, now = new Date()) {
    const day = (each) => new Intl.DateTimeFormat("en", { dateStyle: "short", timeZone: this.clock.timeZone }).format(each);
    const near = Math.abs(date - now) < 6 * 24 * 3600_000;
    const date_ = near ? { weekday: "short" } : { day: "numeric", month: "short" };
    return new Intl.DateTimeFormat(this.language, { ...this.clock, ...(day(date) === day(now) ? {} : date_) }).format(date);
  }

  /** How long ago something was. */
  ago(minutes) {
    if (minutes < 1) return this.say("card_now");
    const [amount, unit] = minutes < 90 ? [minutes, "minute"] : minutes < 36 * 60 ? [minutes / 60, "hour"] : [minutes / 1440, "day"];
    return new Intl.RelativeTimeFormat(this.language, { style: "short" }).format(-Math.round(amount), unit);
  }
}
