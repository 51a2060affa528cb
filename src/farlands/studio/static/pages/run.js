/** One run: how far it is, what is wrong with it, and its worlds, curves, replays and reports behind tabs. */

import { el, fill, say } from "../dom.js";
import { fact } from "../parts.js";
import { link } from "../router.js";
import { Subscriptions } from "../socket.js";
import { big, figure, span, titled } from "../words.js";
import { openLearning } from "./learning.js";
import { openReports } from "./reports.js";
import { openReplaysOfRun } from "./replays.js";
import { tellProgress } from "./runs.js";
import { openWorlds } from "./worlds.js";

const TABS = {
  worlds: ["Worlds", openWorlds],
  learning: ["Learning", openLearning],
  replays: ["Replays", openReplaysOfRun],
  reports: ["Reports", openReports],
};

/** Open the page; parameters are the run's name, the tab and what is open in it. */
export function openRun(host, [name], studio) {
  const page = new RunPage(name, studio);
  host.append(page.element);
  return page;
}

class RunPage {
  constructor(name, studio) {
    Object.assign(this, { name, studio, run: null, figures: null, toldAlarms: "{}", tab: null, tabName: "" });
    this.#build();
    this.subscriptions = new Subscriptions();
    this.subscriptions.add(
      studio.wire.on("run", (run) => run.name === name && this.#tellRun(run)),
      studio.wire.on("figures", (figures) => figures.run === name && this.#tellFigures(figures)),
      studio.wire.on("mistake", ({ why }) => !this.run && this.#missing(why)),
      studio.wire.joined(() => studio.wire.say("open-run", { run: name })),
    );
  }

  /** Show a tab. */
  turn([, tab, inside]) {
    const chosen = TABS[tab] ? tab : "worlds";
    if (chosen !== this.tabName) {
      this.tab?.close();
      this.tabName = chosen;
      this.body.replaceChildren();
      this.tab = TABS[chosen][1](this.body, this.name, this.studio);
      this.tabs.forEach(({ element, key }) => {
        if (key === chosen) element.setAttribute("aria-current", "page");
        else element.removeAttribute("aria-current");
      });
      if (this.run) this.tab.tellRun?.(this.run);
      if (this.figures) this.tab.tellFigures?.(this.figures);
    }
    this.tab.turn?.(inside);
  }

  close() {
    this.tab?.close();
    this.subscriptions.close();
  }

  #build() {
    this.state = el("span.state");
    this.facts = el("p.facts");
    this.progress = el("div.progress");
    this.alarms = el("div.alarms", { role: "alert" });
    this.body = el("div.tab-body");
    this.tabs = Object.entries(TABS).map(([key, [title]]) => {
      const number = el("span.badge");
      return { key, number, element: el("a", { href: link("run", this.name, key) }, title, number) };
    });
    this.element = el(
      "section.page", {},
      el("div.run-head", {}, el("h1", {}, this.name), this.state, this.facts), this.progress, this.alarms,
      el("nav.tabs", { "aria-label": "Parts of the run" }, this.tabs.map(({ element }) => element)),
      this.body,
    );
  }

  /** There is nothing behind the tabs. */
  #missing(why) {
    fill(this.element, el("h1", {}, this.name), el("p.lead", {}, why), el("p", {}, el("a.button", { href: "#/runs" }, "All runs")));
  }

  #tellRun(run) {
    this.run = run;
    tellProgress(this.progress, run.step, run.target);
    this.#tellState(run.running, run.step, run.target);
    for (const { key, number } of this.tabs) say(number, run[key]?.length ? String(run[key].length) : "");
    if (!this.figures) this.#tellFacts({ "episode/return": [[run.step, run.return]] }, {});
    this.tab?.tellRun?.(run);
  }

  #tellFigures(figures) {
    this.figures = figures;
    if (this.run) tellProgress(this.progress, figures.now.step, this.run.target);
    this.#tellFacts(figures.curves, figures.now);
    this.#tellAlarms(figures.alarms);
    this.tab?.tellFigures?.(figures);
  }

  /** Only when they change, or a screen reader would say them every second. */
  #tellAlarms(alarms) {
    const told = JSON.stringify(alarms);
    if (told === this.toldAlarms) return;
    this.toldAlarms = told;
    fill(this.alarms, Object.entries(alarms).map(([name, text]) => alarmLine(name, text)));
  }

  #tellState(running, step, target) {
    this.state.className = running ? "state state-live" : "state";
    say(this.state, running ? "running" : step >= target ? "finished" : "stopped");
  }

  #tellFacts(curves, now) {
    const left = this.run?.running && now.progress > 0.01 ? (now.seconds * (1 - now.progress)) / now.progress : null;
    const gained = curves["episode/return"]?.at(-1)?.[1];
    fill(
      this.facts,
      this.run ? el("span", {}, `${titled(this.run.world)}${this.run.task ? `, task ${this.run.task}` : ""}`) : "",
      fact("return", Number.isFinite(gained) ? figure(gained) : "no episode yet"),
      now.steps_per_second ? fact("steps per second", big(now.steps_per_second)) : "",
      now.seconds ? fact("time", span(now.seconds)) : "",
      left ? fact("left", `about ${span(left)}`) : "",
    );
  }
}

function alarmLine(name, text) {
  return el("p.alarm", {}, el("b", {}, titled(name).replace(/^Kl/, "KL")), text ? `: ${text}` : "");
}
