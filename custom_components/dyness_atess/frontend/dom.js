import { Texts } from "./text.js";

/** Make an element: `on...` are listeners, true is an empty attribute, null and false are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value != null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child != null && child !== false && child !== ""));
  return element;
}

/** Fire an event, as the elements of Home Assistant do. */
export function fire(element, type, detail = {}) {
  element.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
}

/** Make a drawing of its markup. */
export function draw(attributes, markup) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  svg.innerHTML = markup;
  return svg;
}

/** An icon of Material Design, which Home Assistant's own are too. */
export const icon = (path, size = "1.25em", kind = "") =>
  draw({ viewBox: "0 0 24 24", width: size, height: size, class: kind, fill: "currentColor", "aria-hidden": "true" }, `<path d="${path}"/>`);

/** An element with its texts in the language of the user: who extends it draws itself with them in `draw`. */
export class Localized extends HTMLElement {
  texts;
  #locale;

  constructor(style) {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [style];
  }

  /** Load the texts where the user has chosen another language or form of numbers. */
  async localize(hass) {
    const { locale } = hass;
    if (locale === this.#locale) return;
    this.#locale = locale;
    try {
      const texts = await Texts.load(hass);
      if (locale === this.#locale) this.texts = texts;
    } catch {
      this.#locale = undefined; // no connection: once more with the next change of the house
    }
    this.draw();
  }
}
