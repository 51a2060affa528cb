/** What lies over the player's picture: vitals, what is in the crosshair, feats as they come, and what stops the game. */

import { el, fill, say } from "../dom.js";
import { count, figure, readable, titled } from "../words.js";

const TOAST_SECONDS = 5;
const REFUSED_SECONDS = 3;
const ENDED_SECONDS = 6;
const HINT_SECONDS = 14;

const KEYS = [
  [["W", "A", "S", "D"], "walk"], [["W W", "Shift"], "run"], [["Space"], "jump, swim up"],
  [["mouse", "arrows", "Q E R F"], "look around"], [["left button", "J"], "hold to mine, to hit"],
  [["right button", "K"], "use what is in front or in the hand"], [["G"], "hold to eat"],
  [["1", "…", "9"], "make or place what is offered"], [["C", "Tab"], "everything you can make"], [["V"], "record, or stop recording"],
  [["Esc"], "pause, and free the mouse"],
];

function keyTable() {
  return el("dl.key-table", {}, KEYS.map(([keys, does]) => el("div", {}, el("dt", {}, keys.map((key) => el("kbd", {}, key))), el("dd", {}, does))));
}

const HINT = "W A S D walk · mouse or Q E R F look · hold left button or J to mine · Space jump · C make · V record · Esc all keys";

/** Short messages over the picture. */
export class Overlay {
  /** @param {import("../icons.js").Icons} icons */
  constructor(icons) {
    this.icons = icons;
    this.toasts = el("div.toasts", { role: "status", "aria-live": "polite" });
    this.aim = el("div.aim", { hidden: true }, el("span"), el("i"));
    this.refusal = el("p.refusal", { role: "status", hidden: true });
    this.ended = el("div.ended", { role: "status", hidden: true });
    /** A line of keys that fades once it has been there for a while; it stands outside, over what is carried. */
    this.hint = el("p.key-hint", { "aria-hidden": "true" }, HINT);
    this.recording = el("span.on-air", { hidden: true, "aria-hidden": "true" }, el("i.dot"), "recording");
    this.element = el("div.overlay", {}, this.toasts, this.aim, this.refusal, this.ended, this.recording);
  }

  /** Show the line of keys, for a while. */
  remind() {
    this.hint.classList.remove("gone");
    clearTimeout(this.hinting);
    this.hinting = setTimeout(() => this.hint.classList.add("gone"), 1000 * HINT_SECONDS);
  }

  /** @param {{target: ?Object, new: string[], recording: ?Object}} state */
  tell({ target, new: feats = [], recording }) {
    this.recording.hidden = !recording;
    this.aim.hidden = !target?.in_reach;
    if (target?.in_reach) {
      say(this.aim.firstChild, readable(target.block));
      this.aim.lastChild.style.setProperty("--share", target.break / 10);
    }
    feats.forEach((name) => this.#toast(this.toasts, TOAST_SECONDS, this.icons.of(name), el("span", {}, el("small", {}, "Achieved"), titled(name))));
  }

  /** Say in a line why something was not done, or what has just begun. */
  refuse(why) {
    say(this.refusal, why);
    this.refusal.hidden = false;
    clearTimeout(this.refusing);
    this.refusing = setTimeout(() => { this.refusal.hidden = true; }, 1000 * REFUSED_SECONDS);
  }

  /** Tell that a life ended, and what comes next. */
  end({ cause, steps, reward, achieved = {}, next }) {
    const feats = Object.keys(achieved).length;
    fill(
      this.ended, el("h2", {}, "This life is over"),
      el("p", {}, `${titled(cause || "time")} ended it after ${count(steps, "step")}: reward ${figure(reward)}, ${count(feats, "achievement")}.`),
      el("p.hint", {}, next === "life" ? "You come back where the level began." : "A new level begins."),
    );
    this.ended.hidden = false;
    clearTimeout(this.ending);
    this.ending = setTimeout(() => { this.ended.hidden = true; }, 1000 * ENDED_SECONDS);
  }

  #toast(host, seconds, ...children) {
    const toast = el("div.toast", {}, ...children);
    host.append(toast);
    setTimeout(() => toast.remove(), 1000 * seconds);
  }
}

/** What lies over a paused world. */
export class PauseCurtain {
  /** @param {() => void} goOn */
  constructor(goOn) {
    this.title = el("h2");
    this.button = el("button.primary.large", { type: "button", onclick: goOn });
    const touch = el("p.touch-words", {}, "Draw a finger over the picture to look around. The buttons below walk, mine and jump.");
    this.element = el("div.curtain", { hidden: true }, this.title, this.button, keyTable(), touch);
  }

  show(title, button) {
    say(this.title, title);
    say(this.button, button);
    this.element.hidden = false;
    this.button.focus({ preventScroll: true });
  }

  hide() {
    this.element.hidden = true;
  }
}

/** What one does to gather something, with a mouse or with thumbs. */
export function howToMine() {
  return window.matchMedia("(pointer: coarse)").matches ? "Hold Mine" : "Hold the left mouse button";
}

/** Hour and minute of a time of day that counts from sunrise at six. */
export function clock(time) {
  const minutes = Math.floor(((time / 1000 + 6) % 24) * 60);
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

/** The median of some numbers. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
