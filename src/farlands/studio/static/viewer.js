/** What was recorded, step by step: a picture, what was done around it, and a slider over all of it. */

import { el, fill, say } from "./dom.js";
import { sign } from "./icons.js";
import { fact, panel } from "./parts.js";
import { Screen, sideFor } from "./screen.js";
import { Subscriptions } from "./socket.js";
import { Inventory, tellFeats, Vitals } from "./vitals.js";
import { count, figure, readable } from "./words.js";

const SPEEDS = [0.5, 1, 2, 4, 8];
const TICKS_PER_SECOND = 20;
const SEEKS_PER_SECOND = 20;
/** Milliseconds to wait for a picture before the next is asked for all the same. */
const PATIENCE = 3000;
/** Milliseconds that may be caught up at once: where pictures come slowly, what is shown goes slowly too. */
const LONGEST_STEP = 250;
const LARGEST = 640;
/** What ended an episode, where the world's own word says little. */
const ENDS = { cut: "being stopped", horizon: "its time" };

/** Opens something recorded and goes through it; `close` it when done. */
export class Viewer {
  /**
   * @param {Object} studio
   * @param {"show-replay"|"show-demonstration"} kind
   * @param {Object} fields What to open, as the message says.
   */
  constructor(studio, kind, fields) {
    Object.assign(this, { studio, kind, fields, length: 0, step: 0, speed: 1, pace: TICKS_PER_SECOND, timer: 0, asked: 0, answered: true });
    this.#build();
    this.subscriptions = new Subscriptions();
    const { wire } = studio;
    this.subscriptions.add(
      wire.on("replay-loading", () => this.#over("Opening…")),
      wire.on("replay-opened", (about) => this.#opened(about)),
      wire.on("replay-state", (state) => this.#tell(state)),
      wire.on("replay-working", ({ step, wanted }) => this.#over(`On the way to step ${wanted.toLocaleString("en-GB")}: ${step.toLocaleString("en-GB")}`)),
      wire.on("replay-failed", ({ why }) => this.#over(why)),
      wire.on("replay", (about, picture) => this.#see(about, picture)),
      wire.joined(() => this.#open()),
    );
    this.keys = (event) => this.#press(event);
    window.addEventListener("keydown", this.keys);
  }

  close() {
    this.pause();
    window.removeEventListener("keydown", this.keys);
    this.subscriptions.close();
    this.studio.wire.say("close-replay");
    this.element.remove();
  }

  /** Go on by itself, from the beginning if it was at the end. */
  play() {
    if (this.timer) return;
    if (this.step >= this.length) this.#seek(0);
    this.clock = performance.now();
    this.exact = this.step;
    this.timer = setInterval(() => this.#goOn(), 1000 / SEEKS_PER_SECOND);
    this.#tellPlaying();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.#tellPlaying();
  }

  #build() {
    const canvas = el("canvas.first-person", { role: "img", "aria-label": "What was seen at this step", width: 640, height: 480 });
    this.screen = new Screen(canvas);
    this.over = el("p.over", {}, "Opening…");
    this.view = el("div.view", {}, canvas, this.over);
    this.toggle = el("button.icon.big", { type: "button", onclick: () => (this.timer ? this.pause() : this.play()) });
    this.slider = el("input.scrub", {
      type: "range", min: 0, max: 0, value: 0, "aria-label": "Step",
      oninput: () => { this.pause(); this.#seek(Number(this.slider.value)); },
    });
    this.marks = el("div.marks", { "aria-hidden": "true" });
    this.place = el("span.scrub-place");
    this.speeds = el("select", { "aria-label": "Speed", onchange: () => { this.speed = Number(this.speeds.value); } },
      SPEEDS.map((speed) => el("option", { value: speed, selected: speed === 1 }, `${speed} ×`)));
    this.about = el("p.facts");
    this.vitals = new Vitals();
    this.inventory = new Inventory(this.studio.icons);
    this.around = el("ol.around", { "aria-label": "Actions around this step" });
    this.feats = el("ul.feats");
    this.element = el(
      "div.viewer", {},
      el(
        "div.mind-grid", {},
        el(
          "div.mind-main", {}, this.view,
          el("div.scrubber", {}, this.toggle, el("div.scrub-track", {}, this.marks, this.slider), this.place, this.speeds),
          this.vitals.element, this.inventory.element,
          el("p.hint.for-keys", {}, "Space plays and pauses; left and right arrow go one step, with Shift ten."),
        ),
        el("div.mind-side", {}, panel("What was done", this.around), panel("Achieved so far", this.feats), panel("About it", this.about)),
      ),
    );
    this.#tellPlaying();
  }

  #open() {
    const side = sideFor(this.view.clientWidth || 480, LARGEST, 240);
    this.studio.wire.say(this.kind, { ...this.fields, step: this.step, side });
  }

  #opened(about) {
    this.length = about.length;
    this.pace = TICKS_PER_SECOND / Math.max(1, about.ticks_per_step);
    this.slider.max = about.length;
    this.#place(Math.min(this.step, about.length));
    const people = about.about ?? {};
    fill(
      this.about, about.episodes > 1 ? fact("episode", `${about.episode + 1} of ${about.episodes}`) : "",
      fact("steps", about.length.toLocaleString("en-GB")), about.seed ? fact("level", about.seed) : "", about.task ? fact("task", about.task) : "",
      about.cause ? fact("ended by", ENDS[about.cause] ?? readable(about.cause)) : "", people.who ? fact("played by", people.who) : "",
      people.made ? fact("on", new Date(people.made).toLocaleDateString()) : "",
    );
    fill(this.marks, (about.rewards ?? []).map(([step, reward]) => el(`i${reward < 0 ? ".bad" : ""}`, {
      style: { left: `${(100 * step) / Math.max(1, about.length)}%` },
    })));
    this.#over("");
  }

  #goOn() {
    const now = performance.now();
    if (!this.answered && now - this.asked < PATIENCE) return;
    this.exact += (Math.min(now - this.clock, LONGEST_STEP) / 1000) * this.pace * this.speed;
    this.clock = now;
    if (this.exact >= this.length) this.pause();
    this.#seek(Math.min(this.length, Math.floor(this.exact)));
  }

  #seek(step) {
    const wanted = Math.max(0, Math.min(this.length, step));
    if (wanted === this.step) return;
    this.#place(wanted);
    Object.assign(this, { asked: performance.now(), answered: false });
    this.studio.wire.say("seek", { step: wanted });
  }

  #place(step) {
    this.step = step;
    this.slider.value = step;
    this.slider.style.setProperty("--share", this.length ? step / this.length : 0);
    say(this.place, `${step.toLocaleString("en-GB")} / ${this.length.toLocaleString("en-GB")}`);
  }

  #see(about, picture) {
    this.answered = true;
    this.#over("");
    this.screen.show(picture, about);
  }

  #tell(state) {
    this.answered = true;
    this.vitals.tell(state.vitals, state.status);
    this.inventory.tell(state.inventory, state.equipment);
    tellFeats(this.feats, this.studio.icons, state.achieved, "Nothing yet.");
    fill(this.around, (state.around ?? [[state.step, state.action]]).map(([step, action]) => el(
      "li", { "aria-current": step === state.step ? "step" : undefined },
      el("small", {}, step.toLocaleString("en-GB")), readable(action || "nothing"),
    )), el("li.sum", {}, el("small", {}, "sum"), `reward ${figure(state.reward ?? 0)}`));
  }

  #tellPlaying() {
    fill(this.toggle, sign(this.timer ? "pause" : "play"));
    this.toggle.setAttribute("aria-label", this.timer ? "Pause" : "Play");
  }

  #over(words) {
    say(this.over, words);
    this.over.hidden = !words;
  }

  #press(event) {
    const target = event.target;
    if (target.closest("input:not(.scrub), textarea, select, button, a, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = event.shiftKey ? 10 : 1;
    const moves = { ArrowLeft: this.step - steps, ArrowRight: this.step + steps, Home: 0, End: this.length };
    if (event.key === " ") {
      if (this.timer) this.pause();
      else this.play();
    } else if (event.key in moves) {
      this.pause();
      this.#seek(moves[event.key]);
    } else {
      return;
    }
    event.preventDefault();
  }
}

/** How much was recorded, in words. */
export function amount(episodes, steps) {
  return `${count(episodes, "episode")}, ${count(steps, "step")}`;
}
