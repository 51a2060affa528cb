/**
 * Elements made in code. Text stays text: nothing here takes markup, so that no name of a run or a player can become any.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element, e.g. `el("button.quiet", { onclick: stop, "aria-label": "Stop" }, "Stop")`.
 *
 * @param {string} kind Tag, and classes after dots.
 * @param {Object} [attributes] Properties where the element has them (`onclick`, `value`, `hidden`), else attributes.
 * @param {...(Node|string|null|undefined)} children Empty ones are left out.
 */
export function el(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) set(made, name, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** An SVG element with attributes. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Put children in the place of those an element has. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
}

/** Set text only where it differs, so that screen readers and selections are left alone. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function set(element, name, value) {
  if (value === undefined || value === null) return;
  if (name === "style") Object.entries(value).forEach(([key, each]) => element.style.setProperty(key, each));
  else if (name in element && !name.startsWith("aria-") && name !== "list") element[name] = value;
  else element.setAttribute(name, value);
}
