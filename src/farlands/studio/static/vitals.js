/** What somebody has in them and on them: hearts, food, air, what they carry and wear. */

import { el, fill } from "./dom.js";
import { sign } from "./icons.js";
import { count, readable } from "./words.js";

const FULL = 20;
const SHOWN = [["health", "heart"], ["food", "food"], ["air", "air"], ["armour", "armour"]];
const STATUS = {
  in_water: "in water", in_lava: "in lava", on_ladder: "on a ladder", burning: "burning", asleep: "asleep",
};

/** Rows of ten signs each, of which every one stands for two points. Redrawn only when something changes. */
export class Vitals {
  constructor() {
    this.element = el("div.vitals");
    this.told = "";
  }

  /** @param {Object} vitals Points of 20 by name. */
  tell(vitals = {}, status = {}) {
    const told = JSON.stringify([vitals, status]);
    if (told === this.told) return;
    this.told = told;
    const rows = SHOWN.filter(([name]) => worthShowing(name, vitals[name])).map(([name, kind]) => row(name, kind, vitals[name]));
    const flags = Object.entries(STATUS).filter(([name]) => status[name]).map(([, words]) => el("span.flag", {}, words));
    fill(this.element, rows, flags);
  }
}

/** Full lungs and bare skin need no mention. */
function worthShowing(name, points) {
  if (points === undefined) return false;
  if (name === "air") return points < FULL;
  return name !== "armour" || points > 0;
}

function row(name, kind, points) {
  const signs = Array.from({ length: FULL / 2 }, (_, k) => {
    const left = points - 2 * k;
    const made = sign(kind);
    made.classList.add(left >= 2 ? "full" : left === 1 ? "half" : "gone");
    return made;
  });
  return el(`div.vital.vital-${name}`, { role: "img", "aria-label": `${name} ${points} of ${FULL}` }, signs);
}

/** What is carried, as a grid of pictures with counts; what is in the hand is marked. */
export class Inventory {
  /** @param {import("./icons.js").Icons} icons */
  constructor(icons, empty = "Carries nothing.") {
    Object.assign(this, { icons, empty, told: "" });
    this.element = el("ul.inventory", { "aria-label": "Carried" });
  }

  tell(inventory = {}, equipment = {}, durability = {}) {
    const told = JSON.stringify([inventory, equipment, durability]);
    if (told === this.told) return;
    this.told = told;
    const worn = Object.entries(equipment).filter(([place]) => place !== "hand");
    const slots = [
      ...Object.entries(inventory).map(([item, number]) => this.#slot(item, number, item === equipment.hand, durability.hand)),
      ...worn.map(([place, item]) => this.#slot(item, 1, false, durability[place], place)),
    ];
    fill(this.element, slots.length ? slots : el("li.empty", {}, this.empty));
  }

  #slot(item, number, held, uses, place = "") {
    const words = `${place ? "" : `${number.toLocaleString("en-GB")} `}${readable(item)}${held ? ", in the hand" : ""}${place ? ", worn" : ""}`;
    const wear = uses !== undefined && (held || place) ? el("i.wear", { style: { "--share": uses } }) : null;
    return el(
      `li.slot${held ? ".held" : ""}${place ? ".worn" : ""}`, { title: words, "aria-label": words },
      this.icons.of(item), el("span.slot-name", {}, readable(item)), number > 1 ? el("b", {}, String(number)) : null, wear,
    );
  }
}

/** Feats that were done, the newest first, with the step of each. */
export function tellFeats(host, icons, achieved = {}, empty = "None yet in this life.") {
  const told = JSON.stringify(achieved);
  if (host.dataset.told === told) return;
  host.dataset.told = told;
  const order = Object.entries(achieved).sort(([, a], [, b]) => b - a);
  fill(host, order.length ? order.map(([name, step]) => el(
    "li.feat", { title: `at ${count(step, "step")}` }, icons.of(name), readable(name), el("small", {}, `step ${step.toLocaleString("en-GB")}`),
  )) : el("li.empty", {}, empty));
}
