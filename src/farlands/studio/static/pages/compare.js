/** Curves of several runs over each other. */

import { Chart, figureCard } from "../chart.js";
import { el, fill, say } from "../dom.js";
import { colour, curveTitle } from "../names.js";
import { link } from "../router.js";
import { ask, repeat } from "../server.js";
import { figure, readable } from "../words.js";

const EVERY = 4;
const MOST = 8;

/** Open the page; the parameter is the runs' names, with slashes between. */
export function openCompare(host, [path]) {
  const page = new ComparePage(path.split("/").filter(Boolean).slice(0, MOST));
  host.append(page.element);
  return page;
}

class ComparePage {
  constructor(names) {
    this.names = names;
    this.cards = new Map();
    this.grid = el("div.grid");
    this.told = el("p.lead", {}, "Reading the runs…");
    this.feats = el("div.scroll");
    const legend = names.map((name, k) => el("a.key", { href: link("run", name) }, el("i", { style: { background: colour(k) } }), name));
    this.element = el(
      "section.page", {},
      el("div.page-head", {}, el("h1", {}, "Compare"), el("a.button", { href: "#/runs" }, "Choose other runs")),
      el("nav.keys", { "aria-label": "Runs compared" }, legend), this.told, this.grid, this.feats,
    );
    this.stop = repeat(() => this.#read(), EVERY);
  }

  close() {
    this.stop();
    this.cards.forEach(({ chart }) => chart.close());
  }

  async #read() {
    const answers = await Promise.allSettled(this.names.map((name) => ask(`/api/figures/${encodeURIComponent(name)}`)));
    const failed = answers.filter((each) => each.status === "rejected").map((each) => each.reason.message);
    say(this.told, failed.length ? failed.join(" ") : "Over the steps of each run. Point at a chart to read it.");
    const told = answers.map((each) => each.value ?? { curves: {}, feats: {} });
    const curves = new Set(told.flatMap((each) => Object.keys(each.curves)));
    for (const curve of curves) this.#draw(curve, told);
    this.#tellFeats(told);
  }

  #draw(curve, told) {
    const { chart, tell } = this.cards.get(curve) ?? this.#newCard(curve);
    const series = this.names.map((name, k) => ({ name, colour: colour(k), points: told[k].curves[curve] ?? [] }));
    chart.draw(series);
    tell(series.map((each) => figure(each.points.at(-1)?.[1])).join("  ·  "));
  }

  #newCard(curve) {
    const title = curveTitle(curve);
    const chart = new Chart({ label: title, height: curve === "episode/return" ? 280 : 180 });
    const { card, tell } = figureCard(title, chart);
    if (curve === "episode/return") card.classList.add("wide");
    this.grid.append(card);
    this.cards.set(curve, { chart, tell });
    return this.cards.get(curve);
  }

  #tellFeats(told) {
    const seen = new Set(told.flatMap((each) => Object.entries(each.feats).filter(([, [, best]]) => best > 0).map(([name]) => name)));
    if (!seen.size) {
      fill(this.feats);
      return;
    }
    const share = (each, name) => each.feats[name]?.[0] ?? 0;
    const order = [...seen].sort((a, b) => Math.max(...told.map((each) => share(each, b))) - Math.max(...told.map((each) => share(each, a))));
    fill(this.feats, el("h2", {}, "Achievements"), el(
      "table.plain", {},
      el("caption", {}, "Share of the latest episodes that have each"),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Achievement"), this.names.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, order.map((name) => el(
        "tr", {}, el("th", { scope: "row" }, readable(name)),
        told.map((each, k) => el("td", {}, el("div.share", { style: { "--share": share(each, name), "--line": colour(k) } }, `${Math.round(100 * share(each, name))} %`))),
      ))),
    ));
  }
}
