/** How a run learns: its curves, what its agents achieve, and what it costs. */

import { Chart, figureCard } from "../chart.js";
import { el, fill, say } from "../dom.js";
import { colour, curveTitle, phaseTitle } from "../names.js";
import { key } from "../parts.js";
import { figure, percent, span } from "../words.js";
import { FeatTree } from "./feats.js";

const FIRST = "episode/return";

/** Open the tab. */
export function openLearning(host, run, studio) {
  const tab = new Learning(studio);
  host.append(tab.element);
  return tab;
}

class Learning {
  constructor(studio) {
    this.cards = new Map();
    this.tree = new FeatTree(studio.icons);
    this.first = el("div");
    this.grid = el("div.grid");
    this.time = el("div");
    this.energy = el("p.figure-large");
    this.told = el("p.empty", {}, "No figures yet. They come after the first update.");
    this.costs = el(
      "div.grid", { hidden: true },
      el("section.card", {}, el("h3", {}, "Time of an update"), this.time),
      el("section.card", {}, el("h3", {}, "Energy"), this.energy),
    );
    this.element = el("div.learning", {}, this.told, this.first, this.tree.element, this.costs, this.grid);
  }

  close() {
    this.cards.forEach(({ chart }) => chart.close());
  }

  tellRun({ depths }) {
    this.tree.tellDepths(depths);
  }

  tellFigures({ curves, feats, phases, energy }) {
    this.told.hidden = true;
    for (const [name, points] of Object.entries(curves)) this.#draw(name, points);
    this.tree.tell(feats);
    this.costs.hidden = false;
    this.#tellTime(phases);
    say(this.energy, energyInWords(energy));
  }

  #draw(name, points) {
    const { chart, tell } = this.cards.get(name) ?? this.#newCard(name);
    chart.draw([{ name: "", points, colour: colour(0) }]);
    tell(figure(points.at(-1)?.[1]));
  }

  #newCard(name) {
    const title = curveTitle(name);
    const chart = new Chart({ label: title, height: name === FIRST ? 300 : 160 });
    const { card, tell } = figureCard(title, chart);
    (name === FIRST ? this.first : this.grid).append(card);
    this.cards.set(name, { chart, tell });
    return this.cards.get(name);
  }

  /** One bar of all phases; `communicate` is part of the others and not shown. */
  #tellTime(phases) {
    const parts = Object.entries(phases).filter(([name, seconds]) => name !== "communicate" && seconds > 0);
    const total = parts.reduce((sum, [, seconds]) => sum + seconds, 0);
    if (!total) {
      fill(this.time, el("p.empty", {}, "Not measured yet."));
      return;
    }
    parts.sort(([, a], [, b]) => b - a);
    const words = parts.map(([name, seconds]) => `${phaseTitle(name)} ${percent(seconds / total)}`);
    fill(
      this.time,
      el("p.figure-large", {}, total < 90 ? `${figure(total)} s` : span(total)),
      el("div.stack", { role: "img", "aria-label": words.join(", ") }, parts.map(([, seconds], k) => el("i", {
        style: { "flex-grow": seconds, background: colour(k) }, title: words[k],
      }))),
      el("p.keys", {}, words.map((each, k) => key(each, colour(k)))),
    );
  }
}

/** Joules for a million steps and watts, or that nobody counts them. */
export function energyInWords(energy) {
  const joules = energy["energy/per_million_steps"];
  if (!Number.isFinite(joules)) return "not measured on this machine";
  return joules >= 1e4 ? `${figure(joules / 1e3)} kJ per million steps` : `${figure(joules)} J per million steps`;
}
