/** The achievements, in the order in which they build on each other, lit by how many episodes have them. */

import { el, fill, say } from "../dom.js";
import { percent, readable } from "../words.js";

const KINDS = ["collect", "make", "place", "cook", "eat", "sleep", "wear", "till", "shear", "breed", "shoot", "kill"];

/** All achievements of a world; told again it changes what it has. */
export class FeatTree {
  /** @param {import("../icons.js").Icons} icons */
  constructor(icons) {
    Object.assign(this, { icons, depths: {}, tiles: new Map(), order: "" });
    this.rows = el("div.feat-rows");
    this.sum = el("span.figure-now");
    this.element = el(
      "section.card.feats-card", { hidden: true },
      el("h3", {}, "Achievements", this.sum),
      el("p.hint", {}, "The brighter, the more of the latest episodes have it. An outline: an earlier one had it."), this.rows,
    );
  }

  /** How many acts, each resting on the one before, an achievement takes. */
  tellDepths(depths = {}) {
    this.depths = depths;
  }

  /** @param {Object<string, [number, number]>} feats Share of episodes now, and the largest there was. */
  tell(feats) {
    const names = Object.keys(feats);
    this.element.hidden = !names.length;
    this.#lay(names);
    for (const name of names) this.#light(this.tiles.get(name), name, feats[name]);
    const reached = names.filter((name) => feats[name][0] > 0).length;
    say(this.sum, `${reached} of ${names.length} in the latest episodes`);
  }

  /** Lay the tiles in rows, unless they lie so already. */
  #lay(names) {
    const order = JSON.stringify([names, this.depths]);
    if (order === this.order) return;
    this.order = order;
    for (const name of names) if (!this.tiles.has(name)) this.tiles.set(name, this.#tile(name));
    const rows = grouped(names, (name) => this.#rowOf(name));
    const sorted = [...rows].sort(([a], [b]) => a - b);
    fill(this.rows, sorted.map(([row, inside]) => el(
      "div.feat-row", {},
      el("h4", {}, this.#rowTitle(row)),
      el("ul", {}, inside.sort(byKind).map((name) => this.tiles.get(name).element)),
    )));
  }

  #rowOf(name) {
    return this.depths[name] ?? KINDS.indexOf(name.split("_")[0]);
  }

  #rowTitle(row) {
    if (!Object.keys(this.depths).length) return KINDS[row] ?? "";
    return row === 1 ? "first acts" : `${row} acts deep`;
  }

  #tile(name) {
    const share = el("b");
    const element = el("li.feat-tile", {}, this.icons.of(name), el("span", {}, readable(name)), share);
    return { element, share };
  }

  #light({ element, share }, name, [now, best]) {
    element.style.setProperty("--share", now);
    element.classList.toggle("lit", now > 0);
    element.classList.toggle("once", best > 0);
    say(share, now > 0 ? percent(now) : "");
    element.title = best > 0 ? `${readable(name)}: ${percent(now)} of the latest episodes, ${percent(best)} at best` : `${readable(name)}: never yet`;
  }
}

function byKind(a, b) {
  return KINDS.indexOf(a.split("_")[0]) - KINDS.indexOf(b.split("_")[0]) || a.localeCompare(b);
}

/** Values by what they have in common. */
function grouped(values, by) {
  const groups = new Map();
  for (const value of values) groups.set(by(value), [...(groups.get(by(value)) ?? []), value]);
  return groups;
}
