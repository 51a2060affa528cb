/** Small pieces that several pages are made of. */

import { el } from "./dom.js";

/** A name and its value in a line of such. */
export function fact(name, value) {
  return el("span.fact", {}, `${name} `, el("b", {}, value));
}

/** A titled card. */
export function panel(title, ...children) {
  return el("section.card", {}, el("h3", {}, title), ...children);
}

/** What a colour stands for. */
export function key(name, colour) {
  return el("span.key", {}, el("i", { style: { background: colour } }), name);
}

/** A choice of one of few, as buttons that stick; `options` are `[value, words, explanation]`. */
export function radios(name, label, options, chosen, changed = () => {}) {
  return el("fieldset.radios", {}, el("legend", {}, label), options.map(([value, words, more]) => el(
    "label.radio", {},
    el("input", { type: "radio", name, value, checked: value === chosen, onchange: () => changed(value) }),
    el("span", {}, el("b", {}, words), more ? el("small", {}, more) : null),
  )));
}
