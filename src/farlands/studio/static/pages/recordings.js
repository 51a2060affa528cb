/** What people left: demonstrations recorded for learning, and games to look at again. */

import { el, fill, say } from "../dom.js";
import { link } from "../router.js";
import { Subscriptions } from "../socket.js";
import { amount, Viewer } from "../viewer.js";
import { ago, count, moment, readable, span } from "../words.js";

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
    fill(this.demonstrations, demonstrations.length ? demonstrations.map((each) => el("li", {}, demonstrationCard(each))) : el("li.empty", {}, "None yet. ", el("a", { href: "#/play" }, "Play"), " and press Record to make the first."));
  }

  #listGames(games) {
    fill(this.games, games.length ? games.map((each) => el("li", {}, gameCard(each))) : el("li.empty", {}, "None yet. ", el("a", { href: "#/play" }, "Walk into a world"), " to play the first."));
  }

  #listEpisodes({ what, episode, episodes }) {
    fill(this.episodes, what !== "demonstration" || episodes < 2 ? [] : Array.from({ length: episodes }, (_, k) => el("a", {
      href: link("recordings", "demonstration", this.name, k), "aria-current": k === episode ? "true" : undefined,
    }, `Episode ${k + 1}`)));
  }
}

function demonstrationCard({ name, broken, unfinished, episodes, steps, who, made }) {
  if (broken) return el("span.card", {}, el("b", {}, name), el("span.broken", {}, `Broken: ${broken}`));
  const about = [el("b", {}, name), el("span", {}, amount(episodes, steps))];
  if (unfinished) {
    const why = "Still being recorded, or cut off. What is complete of it lies in ";
    return el("span.card", {}, ...about, el("small", {}, why, el("code", {}, unfinished)));
  }
  return el("a.card", { href: link("recordings", "demonstration", name) }, ...about, el("small", {}, `${who ? `${who}, ` : ""}${ago(Date.parse(made) / 1000)}`));
}

function gameCard({ file, changed, seconds, facts, broken }) {
  if (broken) return el("span.card", {}, el("b", {}, moment(file)), el("span.broken", {}, `Broken: ${broken}`));
  const { achieved, lives = 1, beside = "" } = facts;
  const lived = [span(seconds), achieved && count(achieved.length, "achievement"), lives > 1 && count(lives, "life", "lives")].filter(Boolean);
  return el("a.card", { href: link("recordings", "game", file), title: (achieved ?? []).map(readable).join(", ") },
    el("b", {}, moment(file)), el("span", {}, lived.join(", ")), el("small", {}, `${beside ? "Beside the agent, " : ""}${ago(changed)}`));
}
