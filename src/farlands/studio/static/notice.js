/** A line that tells what went wrong or what was done, over whatever the person looks at. */

import { el } from "./dom.js";

const SECONDS = 9;

/** Where notices appear. */
export class Notices {
  constructor() {
    this.element = el("div.notices", { role: "status", "aria-live": "polite" });
  }

  /** Say that something could not be done, and why. */
  wrong(why) {
    this.#show(why, "notice-wrong");
  }

  /** Say that something was done. */
  done(what) {
    this.#show(what, "notice-done");
  }

  /** Take all away, as when another page is turned to. */
  clear() {
    this.element.replaceChildren();
  }

  #show(text, kind) {
    const same = [...this.element.children].find((each) => each.firstChild.textContent === text);
    same?.remove();
    const close = el("button.icon", { "aria-label": "Dismiss", onclick: () => notice.remove() }, "×");
    const notice = el(`div.notice.${kind}`, {}, el("span", {}, text), close);
    this.element.append(notice);
    setTimeout(() => notice.remove(), 1000 * SECONDS);
  }
}
