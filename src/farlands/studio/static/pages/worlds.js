/** The live wall of a run's worlds. A click on one of them looks into it. */

import { el, fill, say } from "../dom.js";
import { link } from "../router.js";
import { ofCores, resize, Screen, sideFor } from "../screen.js";
import { Subscriptions } from "../socket.js";
import { Mind } from "./mind.js";

/** Numbers that fill whole rows, of wide pages and of narrow ones. */
const CHOICES = [8, 18, 32, 64];
const GAP = 4;
/** Walls a second: of pictures that have to be drawn, and of those that agents learn from. */
const RATE = 5;
const RATE_OF_OWN_EYES = 10;
/** Of the wall while one world is looked into, which hides it. */
const RATE_BEHIND = 0.2;
/** Pixels of a whole wall at most: where they have to be drawn, and elsewhere. */
const MOST_PIXELS = ofCores(130_000, 800_000);
const MOST_PIXELS_OF_OWN_EYES = 800_000;

const STATES = {
  loading: ["", "Opening the worlds…"],
  live: ["state-live", "Live: these are the very worlds it trains in right now."],
  "own eyes": ["state-live", "Live: what the agents see, in the very worlds it trains in right now."],
  "newest agent": ["state-still", "The newest agent, in worlds it has never seen."],
};
const WAITING = ["state-wait", "Waiting for the run's next update…"];

/** Open the tab. */
export function openWorlds(host, run, studio) {
  const tab = new Worlds(run, studio);
  host.append(tab.element);
  return tab;
}

class Worlds {
  constructor(run, studio) {
    Object.assign(this, { run, studio, worlds: 18, shown: 0, columns: 0, drawn: true, ownEyes: false, mind: null });
    this.#build();
    this.screen = new Screen(this.canvas, (context, picture, about) => this.#draw(context, picture, about));
    this.subscriptions = new Subscriptions();
    const { wire } = studio;
    this.subscriptions.add(
      wire.on("wall-state", (told) => this.#tellState(told)),
      wire.on("wall", (about, picture) => this.screen.show(picture, about)),
      wire.on("wall-failed", ({ why }) => this.#fail(why)),
      wire.joined(() => this.#ask()),
    );
  }

  /** Look into a world, or at all of them. */
  turn(inside) {
    const world = /^\d+$/.test(inside ?? "") ? Number(inside) : -1;
    this.wall.hidden = world >= 0;
    if (world < 0) {
      this.mind?.close();
      this.mind = null;
      this.#ask();
    } else if (this.mind) {
      this.mind.look(world);
    } else {
      this.mind = new Mind(this.run, world, this.studio, () => this);
      this.element.append(this.mind.element);
      this.#ask();
    }
  }

  close() {
    this.mind?.close();
    this.subscriptions.close();
    this.studio.wire.say("close-wall");
  }

  #build() {
    this.state = el("p.wall-state", { role: "status" }, "Opening the worlds…");
    this.canvas = el("canvas", { role: "img", "aria-label": "Worlds of the run, as their agents see them" });
    this.doors = el("div.wall-doors");
    this.sizes = el("div.choices", { role: "group", "aria-label": "Worlds shown" }, CHOICES.map((worlds) => el("button", {
      type: "button", "aria-pressed": String(worlds === this.worlds), onclick: () => this.#choose(worlds),
    }, String(worlds))));
    this.hint = el("p.hint", {}, "Click a world to see what its agent sees, carries and wants.");
    this.frame = el("div.wall-frame", {}, this.canvas, this.doors);
    this.wall = el("div.wall", {}, el("div.wall-head", {}, this.state, el("span.label", {}, "Worlds"), this.sizes), this.frame, this.hint);
    this.element = el("div", {}, this.wall);
  }

  #choose(worlds) {
    this.worlds = worlds;
    for (const button of this.sizes.children) button.setAttribute("aria-pressed", String(button.textContent === String(worlds)));
    this.#ask();
  }

  #ask() {
    const shown = this.frame.clientWidth || window.innerWidth;
    const tile = shown / columnsFor(this.worlds, shown);
    const most = this.ownEyes ? MOST_PIXELS_OF_OWN_EYES : MOST_PIXELS;
    const side = sideFor(tile, Math.min(256, Math.sqrt(most / this.worlds)), 48);
    const rate = this.mind ? RATE_BEHIND : this.ownEyes ? RATE_OF_OWN_EYES : RATE;
    this.studio.wire.say("show-wall", { run: this.run, worlds: this.worlds, rate, side });
    this.mind?.ask();
  }

  /** The pictures come as a square; they are laid out anew to fill the page's width. */
  #draw(context, picture, { columns, worlds, side }) {
    const across = columnsFor(worlds, this.frame.clientWidth);
    const rows = Math.ceil(worlds / across);
    resize(context.canvas, across * (side + GAP) - GAP, rows * (side + GAP) - GAP);
    for (let k = 0; k < worlds; k += 1) {
      const from = [(k % columns) * side, Math.floor(k / columns) * side];
      const to = [(k % across) * (side + GAP), Math.floor(k / across) * (side + GAP)];
      context.drawImage(picture, ...from, side, side, ...to, side, side);
    }
    if (this.shown !== worlds || this.columns !== across) this.#openDoors(worlds, across);
  }

  /** One link over each picture, for the mouse and the keyboard alike. */
  #openDoors(worlds, columns) {
    Object.assign(this, { shown: worlds, columns });
    this.doors.style.setProperty("--columns", columns);
    fill(this.doors, Array.from({ length: worlds }, (_, k) => el(
      "a.door", { href: link("run", this.run, "worlds", k), "aria-label": `Look into world ${k + 1}` }, el("span", {}, String(k + 1)),
    )));
  }

  #tellState({ state, worlds, drawn, checkpoint, own_eyes: ownEyes }) {
    const [kind, words] = STATES[state === "live" && ownEyes ? "own eyes" : state] ?? WAITING;
    this.state.className = `wall-state state ${kind}`;
    say(this.state, checkpoint ? `${words.slice(0, -1)} (${checkpoint}).` : words);
    if (drawn !== undefined) this.drawn = drawn;
    if (ownEyes !== undefined && ownEyes !== this.ownEyes) {
      this.ownEyes = ownEyes;
      if (!this.mind) this.#ask();
    }
    if (!this.drawn) {
      this.frame.classList.add("wall-blank");
      say(this.hint, "These worlds have no pictures. Open one to see what its agent does.");
      if (this.shown !== worlds) this.#openDoors(worlds, columnsFor(worlds, this.frame.clientWidth));
    }
  }

  #fail(why) {
    this.state.className = "wall-state state state-wrong";
    fill(this.state, `${why} `, el("button.link", { type: "button", onclick: () => this.#ask() }, "Try again"));
  }
}

/** As few columns as let a wall of this width be seen without much scrolling, and about so many that fill whole rows. */
function columnsFor(worlds, width) {
  const height = Math.max(360, window.innerHeight - 180);
  let fewest = 1;
  while (fewest < worlds && Math.ceil(worlds / fewest) * (width / fewest) > height) fewest += 1;
  for (let columns = Math.max(1, fewest - 1); columns <= 1.5 * fewest; columns += 1) {
    if (worlds % columns === 0) return columns;
  }
  return fewest;
}
