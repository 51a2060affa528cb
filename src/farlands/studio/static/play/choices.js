/** What can be made, placed and taken in hand now: the first nine on number keys, all of them in a menu. */

import { el, fill } from "../dom.js";
import { readable } from "../words.js";
import { howToMine } from "./overlay.js";

const GROUPS = [
  ["craft", "Make"], ["smelt", "Smelt"], ["place", "Put up"], ["equip", "Take in hand"], ["wear", "Wear"], ["drop", "Drop"],
];
const QUICK = 9;

/** A choice's group, and its name without it. */
export function parts(choice) {
  const [group, ...rest] = choice.split("_");
  return { group, item: rest.join("_") };
}

/** The quick row and the menu; both show what is possible now. */
export class Choices {
  /**
   * @param {import("../icons.js").Icons} icons
   * @param {(choice: string) => void} choose
   * @param {() => void} closed Called when the menu is closed.
   */
  constructor(icons, choose, closed) {
    Object.assign(this, { icons, choose, closed, possible: [], told: "" });
    this.quick = el("div.quick", { role: "group", "aria-label": "Possible now, by number keys" });
    this.body = el("div.menu-body");
    this.menu = el(
      "section.menu", { hidden: true, "aria-label": "What you can do with what you carry" },
      el("div.menu-head", {}, el("h2", {}, "Make, place, take"), el("button.icon", { type: "button", "aria-label": "Close", onclick: () => this.toggle(false) }, "×")),
      this.body,
    );
  }

  /** Whether the menu is open. */
  get open() {
    return !this.menu.hidden;
  }

  /** @param {string[]} possible Names of choices, in the order of the world's table. */
  tell(possible = []) {
    const told = possible.join();
    if (told === this.told) return;
    Object.assign(this, { told, possible });
    this.#tellQuick();
    this.#tellMenu();
  }

  toggle(open = this.menu.hidden) {
    if (open === this.open) return;
    this.menu.hidden = !open;
    if (open) this.body.querySelector("button")?.focus();
    else this.closed();
  }

  /** The choice of a number key, if there is one. */
  pick(number) {
    const choice = this.#first()[number - 1];
    if (choice) this.choose(choice);
  }

  /** Things are dropped by the menu only: a number pressed by mistake should lose nothing. */
  #first() {
    return this.possible.filter((choice) => parts(choice).group !== "drop").slice(0, QUICK);
  }

  #tellQuick() {
    fill(this.quick, this.#first().map((choice, k) => this.#button(choice, String(k + 1), readable(choice).replace(/^craft/, "make"))));
  }

  #tellMenu() {
    const focused = document.activeElement?.dataset?.choice;
    const groups = GROUPS.map(([group, title]) => [title, this.possible.filter((choice) => parts(choice).group === group)]);
    const shown = groups.filter(([, inside]) => inside.length);
    fill(this.body, shown.length ? shown.map(([title, inside]) => el(
      "div.menu-group", {}, el("h3", {}, title),
      el("div.menu-choices", {}, inside.map((choice) => this.#button(choice, "", readable(parts(choice).item)))),
    )) : el("p.empty", {}, `Nothing yet. Gather something first. ${howToMine()} on a tree.`));
    if (focused && this.open) this.body.querySelector(`[data-choice="${CSS.escape(focused)}"]`)?.focus();
  }

  #button(choice, number, words) {
    const button = el(
      "button.choice", { type: "button", onclick: () => this.choose(choice) },
      number ? el("kbd", {}, number) : null, this.icons.of(choice), el("span", {}, words),
    );
    button.dataset.choice = choice;
    return button;
  }
}
