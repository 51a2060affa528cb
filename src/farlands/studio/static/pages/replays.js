/** Replays that evaluations left in a run. */

import { el, fill } from "../dom.js";
import { link } from "../router.js";
import { Viewer } from "../viewer.js";

/** Open the tab. */
export function openReplaysOfRun(host, run, studio) {
  const tab = new Replays(run, studio);
  host.append(tab.element);
  return tab;
}

class Replays {
  constructor(run, studio) {
    Object.assign(this, { run, studio, replays: null, chosen: "", open: "", viewer: null });
    this.list = el("nav.files", { "aria-label": "Replays" });
    this.empty = el("div", { hidden: true }, el("p.empty", {}, "No replay yet. An evaluation keeps some when it is asked to:"),
      el("code.command", {}, `farlands evaluate ${run} --replays 4`));
    this.element = el("div", {}, this.list, this.empty);
  }

  close() {
    this.viewer?.close();
  }

  tellRun({ replays }) {
    this.replays = replays;
    this.#show();
  }

  turn(file) {
    this.chosen = file ?? "";
    this.#show();
  }

  #show() {
    if (!this.replays) return;
    const chosen = this.replays.includes(this.chosen) ? this.chosen : this.replays[0] ?? "";
    this.empty.hidden = Boolean(chosen);
    fill(this.list, this.replays.map((file) => el("a", {
      href: link("run", this.run, "replays", file), "aria-current": file === chosen ? "true" : undefined,
    }, file.replace(/^replays\//, "").replace(/\.replay$/, ""))));
    if (chosen === this.open) return;
    this.viewer?.close();
    this.open = chosen;
    this.viewer = chosen ? new Viewer(this.studio, "show-replay", { run: this.run, file: chosen }) : null;
    if (this.viewer) this.element.append(this.viewer.element);
  }
}
