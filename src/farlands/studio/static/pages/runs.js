/** All runs, and which of them to compare. */

import { el, fill, say } from "../dom.js";
import { link } from "../router.js";
import { ask, repeat } from "../server.js";
import { ago, big, count, figure, percent, titled } from "../words.js";

const EVERY = 3;

/** Open the page. */
export function openRuns(host) {
  const page = new RunsPage();
  host.append(page.element);
  return page;
}

class RunsPage {
  constructor() {
    this.chosen = new Set();
    this.rows = new Map();
    this.body = el("tbody");
    this.told = el("p.lead", {}, "Looking for runs…");
    this.compare = el("a.button.primary", { hidden: true });
    this.table = el(
      "table.runs", { hidden: true, "aria-label": "Runs" },
      el("thead", {}, el("tr", {}, ["", "Run", "World", "Steps", "Return", "Changed"].map((name) => el("th", { scope: "col" }, name)))),
      this.body,
    );
    this.element = el(
      "section.page", {},
      el("div.page-head", {}, el("h1", {}, "Runs"), this.compare), this.told, this.table,
    );
    this.stop = repeat(() => this.#read(), EVERY);
  }

  close() {
    this.stop();
  }

  async #read() {
    try {
      this.#show(await ask("/api/runs"));
    } catch (error) {
      say(this.told, error.message);
    }
  }

  #show(runs) {
    this.table.hidden = !runs.length;
    if (!runs.length) {
      fill(
        this.told, "There is no run here yet. Start one in a terminal, and it appears here by itself:",
        el("code.command", {}, "farlands train voxel --recipe demo"),
      );
      return;
    }
    say(this.told, runs.length > 1 ? "Open a run to watch it. Tick two or more to compare them." : "Open the run to watch it.");
    const names = new Set(runs.map((run) => run.name));
    this.chosen = new Set([...this.chosen].filter((name) => names.has(name)));
    for (const name of this.rows.keys()) if (!names.has(name)) this.rows.delete(name);
    const rows = runs.map((run) => this.#row(run));
    // Rows that stay where they are keep the focus.
    if (rows.some((row, k) => this.body.children[k] !== row) || this.body.children.length !== rows.length) fill(this.body, rows);
    this.#offer();
  }

  #row(run) {
    const row = this.rows.get(run.name) ?? this.#newRow(run.name);
    row.tell(run);
    return row.element;
  }

  #newRow(name) {
    const tick = el("input", {
      type: "checkbox", "aria-label": `Compare ${name}`,
      onchange: () => {
        if (tick.checked) this.chosen.add(name);
        else this.chosen.delete(name);
        this.#offer();
      },
    });
    const cells = ["run", "world", "steps", "return", "changed"].map((kind) => el(`td.runs-${kind}`));
    const element = el("tr", { onclick: (event) => follow(event, element) }, el("td.runs-tick", {}, el("label", {}, tick)), cells);
    const row = { element, tell: (run) => tellRow(cells, run, tick) };
    this.rows.set(name, row);
    return row;
  }

  #offer() {
    const names = [...this.chosen];
    this.compare.hidden = names.length < 2;
    this.compare.href = link("compare", ...names);
    say(this.compare, `Compare ${count(names.length, "run")}`);
  }
}

/** A click anywhere in a row opens its run, unless it was meant for the tick. */
function follow(event, row) {
  if (event.target.closest("input, label, a")) return;
  row.querySelector("a")?.click();
}

function tellRow([name, world, steps, gained, changed], run, tick) {
  tick.disabled = Boolean(run.broken);
  if (!name.firstChild) name.append(el("a", { href: link("run", run.name) }, run.name), el("span"));
  name.lastChild.className = run.running ? "state state-live" : "state";
  say(name.lastChild, run.running ? "running" : run.broken ? "" : run.step >= run.target ? "finished" : "stopped");
  say(changed, ago(run.changed));
  if (run.broken) {
    name.firstChild.removeAttribute("href");
    fill(world, el("span.broken", {}, `Broken: ${run.broken}`));
    fill(steps);
    fill(gained);
    return;
  }
  say(world, titled(run.world));
  tellProgress(steps, run.step, run.target);
  say(gained, run.return === null ? "no episode yet" : figure(run.return));
}

/** A bar and "3.1M of 15M", kept up to date in an element. */
export function tellProgress(host, step, target) {
  const share = target ? Math.min(1, step / target) : 0;
  if (!host.querySelector(".bar")) {
    fill(host, el("div.bar", { role: "progressbar", "aria-label": "Steps done", "aria-valuemin": 0, "aria-valuemax": 100 }, el("i")), el("span.bar-text"));
  }
  const [bar, text] = host.children;
  bar.setAttribute("aria-valuenow", Math.round(100 * share));
  bar.firstChild.style.width = `${100 * share}%`;
  say(text, target ? `${big(step)} of ${big(target)}` : big(step));
  text.title = percent(share);
}
