/** Recording what is played: the consent before it, the red dot during it, and where it lies afterwards. */

import { el, fill, say } from "../dom.js";
import { link } from "../router.js";
import { amount } from "../viewer.js";
import { count } from "../words.js";

const NAME = "[A-Za-z0-9_\\-]{1,60}";

/** The button, and the dialogs that it opens. */
export class Recorder {
  /**
   * @param {Object} studio
   * @param {() => void} opened Called when a dialog opens, so that the world can wait.
   * @param {() => void} begun Called when a recording was asked for, so that it goes on.
   */
  constructor(studio, opened, begun) {
    Object.assign(this, { studio, opened, begun, on: false });
    this.button = el("button.record", { type: "button", onclick: () => this.press() });
    this.ask = this.#buildAsk();
    this.after = el("dialog.dialog", { "aria-label": "What was recorded" });
    this.element = el("div", {}, this.ask, this.after);
    this.#tellButton(null);
    this.ends = [studio.wire.on("recording", (told) => this.#told(told))];
  }

  /** Take the text that people agree to. */
  tellEntered(consent) {
    this.text.replaceChildren(...consent.split(/\n+/).map((line) => el("p", {}, line)));
  }

  /** @param {?{name: string, episode: number, steps: number}} recording As `play-state` has it. */
  tell(recording) {
    this.on = Boolean(recording);
    this.#tellButton(recording);
  }

  close() {
    this.ends.forEach((end) => end());
  }

  #buildAsk() {
    this.text = el("div.consent");
    this.name = el("input", { type: "text", required: true, pattern: NAME, maxLength: 60, autocomplete: "off", spellcheck: false, title: "Letters, digits, dashes" });
    this.who = el("input", { type: "text", maxLength: 80, autocomplete: "off" });
    this.agree = el("input", { type: "checkbox", required: true });
    const dialog = el("dialog.dialog", { "aria-label": "Record what you play" }, el(
      "form", { onsubmit: (event) => { event.preventDefault(); dialog.close(); this.#start(); } },
      el("h2", {}, "Record what you play"), this.text,
      el("label.field", {}, el("span", {}, "Name of the recording"), this.name, el("small", {}, "Letters, digits and dashes.")),
      el("label.field", {}, el("span", {}, "Your name, if you like"), this.who),
      el("label.check", {}, this.agree, el("span", {}, "I agree")),
      el("p.hint", {}, "The level begins anew when the recording starts."),
      el("div.dialog-last", {}, el("button.button", { type: "button", onclick: () => dialog.close() }, "Not now"), el("button.primary", { type: "submit" }, "Start recording")),
    ));
    return dialog;
  }

  /** Begin to record, or end it. */
  press() {
    if (this.on) {
      this.studio.wire.say("stop-recording");
      return;
    }
    this.opened();
    this.name.value ||= `played-${new Date().toISOString().slice(0, 16).replace(/[-:]/g, "").replace("T", "-")}`;
    this.agree.checked = false;
    this.ask.showModal();
  }

  #start() {
    this.studio.wire.say("start-recording", { name: this.name.value, who: this.who.value.trim(), consent: this.agree.checked });
    this.begun();
  }

  #told(told) {
    this.tell(told.on ? told : null);
    if (told.on) return;
    this.name.value = "";
    if (!told.episodes) {
      this.studio.notices.done("Nothing was kept: nothing had been played yet.");
      return;
    }
    this.opened();
    const copy = el("button.button", { type: "button", onclick: async () => { await navigator.clipboard.writeText(told.path); say(copy, "Copied"); } }, "Copy");
    fill(
      this.after, el("h2", {}, "Recorded"), el("p", {}, `${told.name}: ${amount(told.episodes, told.steps)}, as a Minari dataset in`),
      el("p.path", {}, el("code", {}, told.path), copy),
      el("div.dialog-last", {}, el("a.button", { href: link("recordings", "demonstration", told.name) }, "Look at it"), el("button.primary", { type: "button", onclick: () => this.after.close() }, "Play on")),
    );
    this.after.showModal();
  }

  #tellButton(recording) {
    this.button.classList.toggle("recording", Boolean(recording));
    const words = recording ? `Stop recording · ${count(recording.steps ?? 0, "step")}` : "Record";
    if (this.button.dataset.told === words) return;
    this.button.dataset.told = words;
    fill(this.button, el("i.dot", { "aria-hidden": "true" }), words, el("kbd", {}, "V"));
  }
}
