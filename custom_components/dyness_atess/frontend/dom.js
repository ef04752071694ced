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

/** Tell Home Assistant's frontend something, as its own elements do. */
export function tell(element, type, detail = {}) {
  element.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
}

/** An icon of Material Design, which Home Assistant's own are too. */
export function icon(path, size = "1.25em") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
  shape.setAttribute("d", path);
  for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", width: size, height: size, fill: "currentColor", "aria-hidden": "true" })) {
    svg.setAttribute(name, value);
  }
  svg.append(shape);
  return svg;
}
