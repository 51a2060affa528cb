/** Reports that `farlands evaluate` left in a run, opened in place. */

import { el, fill } from "../dom.js";
import { link } from "../router.js";

/** Open the tab. */
export function openReports(host, run) {
  const tab = new Reports(run);
  host.append(tab.element);
  return tab;
}

class Reports {
  constructor(run) {
    Object.assign(this, { run, reports: [], chosen: "" });
    this.list = el("nav.files", { "aria-label": "Reports" });
    this.view = el("div.report");
    this.element = el("div", {}, this.list, this.view);
  }

  close() {}

  tellRun({ reports }) {
    this.reports = reports;
    this.#show();
  }

  turn(file) {
    this.chosen = file ?? "";
    this.#show();
  }

  #show() {
    const chosen = this.reports.includes(this.chosen) ? this.chosen : this.reports[0];
    if (!chosen) {
      fill(this.list);
      fill(
        this.view, el("p.empty", {}, "No report yet. This one measures the agent on levels it never saw:"),
        el("code.command", {}, `farlands evaluate ${this.run}`),
      );
      return;
    }
    fill(this.list, this.reports.length > 1 ? this.reports.map((file) => el("a", {
      href: link("run", this.run, "reports", file), "aria-current": file === chosen ? "true" : undefined,
    }, file)) : []);
    const address = `/runs/${[this.run, ...chosen.split("/")].map(encodeURIComponent).join("/")}`;
    if (this.view.firstChild?.getAttribute?.("src") === address) return;
    // A report is a page of its own: it may show itself, and nothing else.
    const frame = el("iframe", { title: `Report ${chosen}`, sandbox: "allow-popups" });
    frame.setAttribute("src", address);
    fill(this.view, frame, el("a.button", { href: address, target: "_blank", rel: "noopener" }, "Open by itself"));
  }
}
