/** One world large: what its agent sees, has, wants and expects. */

import { Chart } from "../chart.js";
import { el, fill, say } from "../dom.js";
import { sign } from "../icons.js";
import { fact, key, panel } from "../parts.js";
import { link } from "../router.js";
import { ofCores, Screen, sideFor } from "../screen.js";
import { Subscriptions } from "../socket.js";
import { Inventory, tellFeats, Vitals } from "../vitals.js";
import { figure, percent, readable } from "../words.js";

const LARGEST = ofCores(480, 640);

/** The view of one world, beside which the wall goes on. */
export class Mind {
  /**
   * @param {string} run
   * @param {number} world Index of it in the wall.
   * @param {Object} studio
   * @param {() => {shown: number, drawn: boolean}} wall How many worlds it shows, and whether they have pictures.
   */
  constructor(run, world, studio, wall) {
    Object.assign(this, { run, world, studio, wall });
    this.#build();
    this.subscriptions = new Subscriptions();
    const { wire } = studio;
    const mine = (show) => (about, picture) => about.world === this.world && show(about, picture);
    this.subscriptions.add(
      wire.on("look", mine((about, picture) => this.#see(about, picture))),
      wire.on("map", mine((about, picture) => this.land.show(picture, about))),
      wire.on("portrait", mine((told) => this.#tell(told))),
    );
    this.keys = (event) => this.#press(event);
    window.addEventListener("keydown", this.keys);
    this.look(world);
  }

  /** Look into another world. */
  look(world) {
    this.world = world;
    say(this.title, `World ${world + 1}`);
    this.waiting.hidden = false;
    this.ask();
  }

  /** Ask for its pictures, again after the wall was asked for anew. */
  ask() {
    this.studio.wire.say("look-into", { world: this.world, side: sideFor(this.view.clientWidth || 480, LARGEST, 240) });
  }

  close() {
    window.removeEventListener("keydown", this.keys);
    this.subscriptions.close();
    this.chart.close();
    this.studio.wire.say("look-into", { world: -1 });
    this.element.remove();
  }

  #build() {
    const canvas = el("canvas.first-person", { role: "img", "aria-label": "What the agent sees", width: 640, height: 480 });
    const map = el("canvas.map", { role: "img", "aria-label": "The land around it from above, north up; its way in red", width: 64, height: 64 });
    this.large = new Screen(canvas);
    this.land = new Screen(map);
    this.title = el("h2");
    this.waiting = el("p.over", {}, "Looking in…");
    this.view = el("div.view", {}, canvas, this.waiting);
    this.about = el("p.facts");
    this.vitals = new Vitals();
    this.inventory = new Inventory(this.studio.icons, "It carries nothing yet.");
    this.goal = el("p.goal", { hidden: true });
    this.action = el("b.action");
    this.options = el("ul.options", { "aria-label": "Likeliest actions" });
    this.pending = el("p.hint", { hidden: true }, "What it thinks comes with the run's next update.");
    this.chart = new Chart({ label: "Value and reward over the latest steps", height: 150, smooth: false, formatX: (x) => String(-x), unitX: "steps ago" });
    this.valueKey = key("value", "var(--series-1)");
    this.feats = el("ul.feats");
    this.mapPanel = panel("From above", map);
    this.element = el("div.mind", {}, this.#head(), el(
      "div.mind-grid", {},
      el("div.mind-main", {}, this.view, this.vitals.element, this.inventory.element),
      el(
        "div.mind-side", {},
        panel("What it wants", this.goal, el("p.does", {}, "does ", this.action), this.options, this.pending),
        panel("What it expects and gets", el("p.keys", {}, this.valueKey, key("reward", "var(--series-2)")), this.chart.element),
      ),
      el("div.mind-below", {}, this.mapPanel, panel("Achieved in this life", this.feats)),
    ));
  }

  #head() {
    const step = (by, name, words) => el("button.icon", { type: "button", "aria-label": words, title: words, onclick: () => this.#walk(by) }, sign(name));
    return el(
      "div.mind-head", {},
      el("a.button", { href: link("run", this.run, "worlds"), title: "Esc" }, sign("close"), "All worlds"),
      step(-1, "left", "Previous world (left arrow)"), this.title, step(1, "right", "Next world (right arrow)"), this.about,
    );
  }

  #see(about, picture) {
    this.waiting.hidden = true;
    this.large.show(picture, about);
  }

  #tell(told) {
    this.view.hidden = !this.wall().drawn;
    fill(
      this.about, told.seed !== undefined ? fact("level", told.seed) : "", told.step !== undefined ? fact("step", told.step.toLocaleString("en-GB")) : "",
      fact("reward so far", figure(told.reward)),
    );
    this.vitals.tell(told.vitals, told.status);
    if (told.inventory) this.inventory.tell(told.inventory, told.equipment);
    this.inventory.element.hidden = !told.inventory;
    this.mapPanel.hidden = this.land.shown === 0;
    this.#tellGoal(told.goal);
    say(this.action, readable(told.action ?? "nothing yet"));
    this.#tellOptions(told.options ?? [], told.action);
    this.pending.hidden = Boolean(told.options || told.values?.length || !told.action);
    this.#tellValues(told);
    tellFeats(this.feats, this.studio.icons, told.achieved);
  }

  #tellGoal(goal) {
    this.goal.hidden = !goal;
    if (!goal) return;
    const far = goal.progress === undefined ? "" : ` (${percent(goal.progress)} of the way)`;
    say(this.goal, `Its goal: ${goal.text}${far}`);
  }

  #tellOptions(options, action) {
    while (this.options.children.length > options.length) this.options.lastChild.remove();
    options.forEach(([name, chance], k) => {
      const row = this.options.children[k] ?? this.options.appendChild(el("li", {}, el("span"), el("b"), el("i")));
      const [label, share, bar] = row.children;
      row.classList.toggle("done-now", name === action);
      say(label, readable(name));
      say(share, percent(chance));
      bar.style.setProperty("--share", chance);
    });
  }

  #tellValues({ values = [], rewards = [] }) {
    this.valueKey.hidden = !values.length;
    // One point makes no line.
    this.chart.element.hidden = rewards.length < 2;
    const back = (list) => list.map((value, k) => [k + 1 - list.length, value]);
    this.chart.draw([
      { name: "value", points: back(values), colour: "var(--series-1)" },
      { name: "reward", points: back(rewards), colour: "var(--series-2)" },
    ]);
  }

  #walk(by) {
    const worlds = this.wall().shown || 64;
    window.location.replace(link("run", this.run, "worlds", (this.world + by + worlds) % worlds));
  }

  #press(event) {
    if (event.target.closest("input, textarea, select") || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") window.location.hash = link("run", this.run, "worlds");
    else if (event.key === "ArrowLeft") this.#walk(-1);
    else if (event.key === "ArrowRight") this.#walk(1);
  }
}
