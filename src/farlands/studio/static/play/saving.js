/** Saving the world that is played under a name. */

import { el } from "../dom.js";

/** The button and the dialog that it opens. */
export class SaveDialog {
  /**
   * @param {Object} studio
   * @param {() => void} opened Called when the dialog opens, so that the world can wait.
   */
  constructor(studio, opened) {
    this.name = el("input", { type: "text", required: true, pattern: "[A-Za-z0-9_\\-]{1,60}", maxLength: 60, autocomplete: "off", spellcheck: false, title: "Letters, digits, dashes" });
    const save = (event) => {
      event.preventDefault();
      this.element.close();
      studio.wire.say("save-world", { name: this.name.value });
    };
    this.element = el("dialog.dialog", { "aria-label": "Save this world" }, el(
      "form", { onsubmit: save }, el("h2", {}, "Save this world"),
      el("label.field", {}, el("span", {}, "Name"), this.name, el("small", {}, "Letters, digits and dashes.")),
      el("div.dialog-last", {}, el("button.button", { type: "button", onclick: () => this.element.close() }, "Not now"), el("button.primary", { type: "submit" }, "Save")),
    ));
    this.button = el("button.button", { type: "button", onclick: () => { opened(); this.element.showModal(); } }, "Save");
  }
}
