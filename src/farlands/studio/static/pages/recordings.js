/** What people left: demonstrations recorded for learning, and games to look at again. */

import { el, fill, say } from "../dom.js";
import { link } from "../router.js";
import { Subscriptions } from "../socket.js";
import { amount, Viewer } from "../viewer.js";
import { ago, moment } from "../words.js";

/** Open the page; parameters: `demonstration` or `game`, its name, and an episode. */
export function openRecordings(host, parameters, studio) {
  const page = new RecordingsPage(studio);
  host.append(page.element);
  return page;
}

class RecordingsPage {
  constructor(studio) {
    Object.assign(this, { studio, viewer: null });
    this.demonstrations = el("ul.cards");
    this.games = el("ul.cards");
    this.listing = el(
      "div.listing", {},
      el("h2", {}, "Demonstrations"),
      el("p.hint", {}, "Recorded on purpose, as datasets that agents learn from. Start one with Record while you play."), this.demonstrations,
      el("h2", {}, "Your games"),
      el("p.hint", {}, "Every game you leave can be watched again."), this.games,
    );
    this.title = el("h1", {}, "Recordings");
    this.back = el("a.button", { href: "#/recordings", hidden: true }, "All recordings");
    this.episodes = el("nav.files", { "aria-label": "Episodes" });
    this.element = el("section.page", {}, el("div.page-head", {}, this.title, this.back), this.episodes, this.listing);
    this.subscriptions = new Subscriptions();
    const { wire } = studio;
    this.subscriptions.add(
      wire.on("demonstrations", ({ demonstrations }) => this.#listDemonstrations(demonstrations)),
      wire.on("replays", ({ run, replays }) => run === "" && this.#listGames(replays)),
      wire.on("replay-opened", (about) => this.#listEpisodes(about)),
      wire.joined(() => { wire.say("list-demonstrations"); wire.say("list-replays", { run: "" }); }),
    );
  }

  turn([kind, name, episode]) {
    this.viewer?.close();
    this.viewer = null;
    fill(this.episodes);
    this.listing.hidden = Boolean(name);
    this.back.hidden = !name;
    say(this.title, name ? moment(name) : "Recordings");
    if (!name) return;
    this.name = name;
    this.viewer = kind === "game"
      ? new Viewer(this.studio, "show-replay", { run: "", file: name })
      : new Viewer(this.studio, "show-demonstration", { name, episode: Number(episode) || 0 });
    this.element.append(this.viewer.element);
  }

  close() {
    this.viewer?.close();
    this.subscriptions.close();
  }

  #listDemonstrations(demonstrations) {
    fill(this.demonstrations, demonstrations.length ? demonstrations.map((each) => el("li", {}, each.broken
      ? el("span.card", {}, el("b", {}, each.name), el("span.broken", {}, `Broken: ${each.broken}`))
      : el("a.card", { href: link("recordings", "demonstration", each.name) }, el("b", {}, each.name),
        el("span", {}, amount(each.episodes, each.steps)), el("small", {}, `${each.who ? `${each.who}, ` : ""}${ago(Date.parse(each.made) / 1000)}`))))
      : el("li.empty", {}, "None yet. ", el("a", { href: "#/play" }, "Play"), " and press Record to make the first."));
  }

  #listGames(games) {
    fill(this.games, games.length ? games.map(({ file, changed }) => el("li", {}, el(
      "a.card", { href: link("recordings", "game", file) }, el("b", {}, moment(file)), el("small", {}, ago(changed)),
    ))) : el("li.empty", {}, "None yet. ", el("a", { href: "#/play" }, "Walk into a world"), " to play the first."));
  }

  #listEpisodes({ what, episode, episodes }) {
    fill(this.episodes, what !== "demonstration" || episodes < 2 ? [] : Array.from({ length: episodes }, (_, k) => el("a", {
      href: link("recordings", "demonstration", this.name, k), "aria-current": k === episode ? "true" : undefined,
    }, `Episode ${k + 1}`)));
  }
}
