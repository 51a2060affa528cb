/** The way into a world: which level, who else is there, what is rewarded; or a world that was saved. */

import { el, fill } from "../dom.js";
import { radios } from "../parts.js";
import { ago, readable } from "../words.js";

const BESIDE = [
  ["next-world", "An agent, in the next world", "The same level for both. See who gets further."],
  ["same-world", "An agent, in your world", "You meet, and can give each other things."],
  ["nobody", "Nobody", "The world is yours."],
];
const TASKS = [
  ["tools", "Tools", "Every first feat counts, tools most."],
  ["survive", "Survive", "Every first feat counts, and health."],
  ["diamond", "Diamond", "The way to a diamond."],
];

/** Name of the world that was left last. */
const LEFT = "where-you-left";

/** The form before a game. */
export class Lobby {
  /**
   * @param {(fields: Object) => void} enter Called with the fields of the message.
   * @param {Object} begin What was chosen on the command line.
   */
  constructor(enter, begin) {
    this.enter = enter;
    this.chosen = { beside: begin.beside ?? "next-world", task: begin.task ?? "tools" };
    this.seed = el("input", { type: "text", inputMode: "numeric", pattern: "[0-9]*", maxLength: 20, placeholder: "today's", value: begin.seed ?? "", autocomplete: "off", spellcheck: false });
    this.saves = el("div.saves");
    this.left = el("div");
    const form = el(
      "form.lobby.card", { onsubmit: (event) => { event.preventDefault(); this.#enter({ seed: this.seed.value.trim() }); } },
      radios("beside", "Who is with you?", BESIDE, this.chosen.beside, (value) => { this.chosen.beside = value; }),
      radios("task", "What counts?", TASKS, this.chosen.task, (value) => { this.chosen.task = value; }),
      el("label.field", {}, el("span", {}, "Level"), this.seed, el("small", {}, "Any whole number is a level; empty for today's.")),
      el("button.primary.large", { type: "submit" }, "Enter the world"),
    );
    this.element = el("section.page.narrow", {}, el("h1", {}, "Walk into a world"), el("p.lead", {}, "Gather, craft and survive in first person, in the same worlds that agents learn in."), this.left, form, this.saves);
  }

  /** List saved worlds. */
  tellSaves(saves) {
    fill(this.saves, saves.length ? [el("h2", {}, "Saved worlds"), el("ul.cards", {}, saves.map((save) => el("li", {}, save.broken
      ? el("span.card", {}, el("b", {}, save.name), el("span.broken", {}, `Broken: ${save.broken}`))
      : el("button.card", { type: "button", onclick: () => this.#enter({ save: save.name }) }, el("b", {}, save.name === LEFT ? "Where you left off" : save.name),
        el("span", {}, `level ${save.seed}, ${readable(save.task)}`), el("small", {}, ago(save.changed))))))] : []);
  }

  /** Say what remains of the game that has just ended. */
  tellLeft(...words) {
    fill(this.left, words.length ? el("p.done", {}, ...words) : []);
  }

  #enter(which) {
    this.enter({ ...this.chosen, ...which });
  }
}
