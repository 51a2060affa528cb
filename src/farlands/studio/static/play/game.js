/** A world that is played: the picture, what surrounds it, and what the keys do. */

import { el, fill, say } from "../dom.js";
import { fact, panel } from "../parts.js";
import { ofCores, resize, Screen, sideFor } from "../screen.js";
import { Subscriptions } from "../socket.js";
import { Inventory, tellFeats, Vitals } from "../vitals.js";
import { count, figure, readable } from "../words.js";
import { Choices } from "./choices.js";
import { Controls } from "./controls.js";
import { clock, howToMine, median, Overlay, PauseCurtain } from "./overlay.js";
import { Recorder } from "./recorder.js";
import { SaveDialog } from "./saving.js";
import { touchPad } from "./touch.js";

const DELAYS = 31;
/** Width of the picture in pixels: small enough to be drawn at every tick. */
const LARGEST = ofCores(480, 720);

/** One visit to a world. */
export class Game {
  /**
   * @param {Object} studio
   * @param {Object} fields Of the message that walks in.
   * @param {() => void} leave
   */
  constructor(studio, fields, leave) {
    Object.assign(this, { studio, fields, leave, entered: false, ready: false, paused: true, delays: [] });
    this.#build();
    this.controls = new Controls(this.view, (act) => studio.wire.say("act", act));
    this.pad.append(...touchPad(this.controls, () => this.choices.toggle()));
    this.#listen();
    this.#wait("Opening the world…");
  }

  /** Ask to walk in. */
  ask() {
    this.studio.wire.say("enter", { ...this.fields, side: sideFor(this.view.clientWidth || LARGEST, LARGEST, 320) });
  }

  close() {
    this.stops.forEach((stop) => stop());
    this.subscriptions.close();
    this.recorder.close();
    this.controls.close();
    this.element.remove();
  }

  #build() {
    const { icons } = this.studio;
    const canvas = el("canvas.first-person", { role: "img", "aria-label": "What you see", width: 640, height: 480, tabIndex: 0 });
    this.screen = new Screen(canvas, (context, picture, about) => this.#show(context, picture, about));
    this.overlay = new Overlay(icons);
    this.curtain = new PauseCurtain(() => this.#goOn());
    this.over = el("p.over", {}, "");
    const map = el("canvas.map", { role: "img", "aria-label": "The land around you from above, north up", width: 64, height: 64 });
    this.land = new Screen(map);
    this.vitals = new Vitals();
    this.view = el("div.view", {}, canvas, this.vitals.element, map, this.overlay.element, this.curtain.element, this.over);
    this.inventory = new Inventory(icons, `You carry nothing yet. ${howToMine()} on a tree.`);
    this.choices = new Choices(icons, (choice) => this.controls.choose(choice), () => this.#menuClosed());
    this.recorder = new Recorder(this.studio, () => this.#pause(), () => this.#goOn());
    this.saving = new SaveDialog(this.studio, () => this.#pause());
    this.pad = el("div.touch");
    this.place = el("p.facts");
    this.delay = el("span.delay", { title: "From a key to the picture that shows it" });
    this.element = el(
      "section.game", {},
      el(
        "div.game-bar", {}, this.place, this.delay, this.recorder.button,
        el("button.button", { type: "button", onclick: () => this.choices.toggle() }, "Make ", el("kbd", {}, "C")),
        this.saving.button, el("button.button", { type: "button", onclick: () => this.leave() }, "Leave"),
      ),
      el(
        "div.game-grid", {},
        el("div.game-main", {}, this.view, this.choices.menu, this.pad, el("div.game-hud", {}, this.overlay.hint, this.choices.quick, this.inventory.element)),
        this.#buildSide(),
      ),
      this.recorder.element, this.saving.element,
    );
  }

  #buildSide() {
    const neighbour = el("canvas", { role: "img", "aria-label": "What the agent sees", width: 160, height: 120 });
    this.neighbourScreen = new Screen(neighbour);
    this.neighbourView = el("div.neighbour-view", { hidden: true }, neighbour);
    this.neighbourWords = el("p.hint");
    this.neighbourFeats = el("ul.feats");
    this.neighbour = panel("The agent", this.neighbourView, this.neighbourWords, this.neighbourFeats);
    this.neighbour.hidden = true;
    this.feats = el("ul.feats");
    return el("div.game-side", {}, this.neighbour, panel("Achieved in this life", this.feats));
  }

  #listen() {
    const { wire, notices } = this.studio;
    this.subscriptions = new Subscriptions();
    this.subscriptions.add(
      wire.on("play-loading", () => this.#wait("Making the world… The first time takes up to a minute.")),
      wire.on("play-entered", (told) => this.#enter(told)),
      wire.on("play-state", (state) => this.#tell(state)),
      wire.on("play", (about, picture) => this.screen.show(picture, about)),
      wire.on("play-map", (about, picture) => this.land.show(picture, about)),
      wire.on("neighbour", (about, picture) => { this.neighbourView.hidden = false; this.neighbourScreen.show(picture, about); }),
      wire.on("neighbour-state", (state) => this.#tellNeighbour(state)),
      wire.on("play-refused", ({ why }) => this.overlay.refuse(why)),
      wire.on("life-ended", (life) => this.overlay.end(life)),
      wire.on("level-begins", ({ why }) => why === "recording" && this.overlay.refuse("Recording. A fresh level has begun.")),
      wire.on("saved", ({ name }) => notices.done(`Saved as ${name}. It waits where you walk into a world.`)),
    );
    const hear = (target, name, listener) => {
      target.addEventListener(name, listener);
      return () => target.removeEventListener(name, listener);
    };
    this.stops = [
      hear(window, "blur", () => this.#pause()),
      hear(document, "visibilitychange", () => document.hidden && this.#pause()),
      hear(document, "pointerlockchange", () => this.#lockChanged()),
      hear(window, "keydown", (event) => this.#press(event)),
    ];
  }

  #wait(words) {
    say(this.over, words);
    this.over.hidden = !words;
  }

  #enter({ consent, beside }) {
    this.entered = true;
    this.recorder.tellEntered(consent);
    this.neighbour.hidden = beside === "nobody";
  }

  /** There is something to see: now the world waits until the person is ready. */
  #ready() {
    this.ready = true;
    this.#wait("");
    this.studio.wire.say("pause", { on: true });
    this.curtain.show("Ready?", "Begin");
  }

  #goOn() {
    this.paused = false;
    this.curtain.hide();
    this.overlay.remind();
    this.studio.wire.say("pause", { on: false });
    this.controls.start();
    this.screen.canvas.focus({ preventScroll: true });
    this.controls.catchMouse();
  }

  #pause() {
    if (this.paused || !this.entered) return;
    this.paused = true;
    this.controls.stop();
    this.controls.releaseMouse();
    this.studio.wire.say("pause", { on: true });
    this.curtain.show("Paused", "Go on");
  }

  /** Esc lets go of the mouse by itself; the world then waits, unless a menu wanted the mouse. */
  #lockChanged() {
    if (!this.controls.locked && !this.choices.open) this.#pause();
  }

  #menuClosed() {
    this.screen.canvas.focus({ preventScroll: true });
    if (!this.paused) this.controls.catchMouse();
  }

  #press(event) {
    if (!this.entered || event.target.closest?.("input, select, textarea, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.code === "Escape") {
      if (this.choices.open) this.choices.toggle(false);
      else this.#pause();
    } else if (this.paused) {
      return;
    } else if (event.code === "KeyC" || event.code === "Tab") {
      this.choices.toggle();
      if (this.choices.open) this.controls.releaseMouse();
    } else if (event.code === "KeyV") {
      this.recorder.press();
    } else if (/^(Digit|Numpad)[1-9]$/.test(event.code)) {
      this.choices.pick(Number(event.code.at(-1)));
    } else {
      return;
    }
    event.preventDefault();
  }

  #show(context, picture, { sent, width, height }) {
    resize(context.canvas, width, height);
    context.drawImage(picture, 0, 0);
    if (!this.ready) this.#ready();
    if (sent === undefined) return;
    this.delays = [...this.delays.slice(1 - DELAYS), performance.now() - sent];
    say(this.delay, `delay ${Math.round(median(this.delays))} ms`);
  }

  #tell(state) {
    fill(
      this.place, fact("level", state.seed), state.life ? fact("life", state.life + 1) : "", fact("day", `${state.day + 1}, ${clock(state.time)}`),
      fact("reward", figure(state.reward)),
    );
    this.vitals.tell(state.vitals, state.status);
    this.inventory.tell(state.inventory, state.equipment, state.durability);
    this.choices.tell(state.possible);
    this.recorder.tell(state.recording);
    this.overlay.tell(state);
    tellFeats(this.feats, this.studio.icons, state.achieved, "None yet. The first tree makes one.");
  }

  #tellNeighbour({ where, action, reward, achieved = {} }) {
    const feats = count(Object.keys(achieved).length, "achievement");
    const lead = where === "same-world" ? "It is in your world." : "On the same level, in a world of its own.";
    say(this.neighbourWords, `${lead} ${action ? `Does: ${readable(action)}. ` : ""}Reward ${figure(reward)}, ${feats}.`);
    tellFeats(this.neighbourFeats, this.studio.icons, achieved, "It has achieved nothing yet.");
  }
}
