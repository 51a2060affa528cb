/** Playing: first the way in, then the world. */

import { el } from "../dom.js";
import { link } from "../router.js";
import { Game } from "../play/game.js";
import { Lobby } from "../play/lobby.js";
import { Subscriptions } from "../socket.js";

/** Open the page. */
export function openPlay(host, parameters, studio) {
  const page = new PlayPage(host, studio);
  if (studio.straightIn) page.enter(studio.begin);
  studio.straightIn = false;
  return page;
}

class PlayPage {
  constructor(host, studio) {
    Object.assign(this, { host, studio, game: null });
    this.lobby = new Lobby((fields) => this.enter(fields), studio.begin);
    host.append(this.lobby.element);
    this.subscriptions = new Subscriptions();
    const { wire } = studio;
    this.subscriptions.add(
      wire.on("saves", ({ saves }) => this.lobby.tellSaves(saves)),
      wire.on("play-left", (told) => this.#left(told)),
      wire.on("play-failed", ({ why }) => this.#leave(`The game cannot go on: ${why}`)),
      // What was asked for cannot be entered; why is told in a notice.
      wire.on("mistake", () => this.game && !this.game.entered && this.#leave()),
      wire.joined(() => this.#joined()),
    );
  }

  /** Walk in, as soon as there is a connection. */
  enter({ seed = "", save = "", beside = "next-world", task = "tools" }) {
    this.lobby.tellLeft();
    this.lobby.element.hidden = true;
    this.game = new Game(this.studio, { seed, save, beside, task }, () => this.#leave());
    this.host.append(this.game.element);
    window.scrollTo(0, 0);
    this.game.ask();
  }

  close() {
    this.#endGame();
    this.subscriptions.close();
  }

  /** The studio forgets the game of a page that was gone. */
  #joined() {
    if (this.game?.entered) this.#leave("The connection was lost. The world waits below, where you left it.");
    this.studio.wire.say("list-saves");
    this.game?.ask();
  }

  #leave(why = "") {
    this.#endGame();
    this.lobby.element.hidden = false;
    if (why) this.lobby.tellLeft(why);
    this.studio.wire.say("list-saves");
  }

  #endGame() {
    if (!this.game) return;
    const { entered } = this.game;
    this.game.close();
    this.game = null;
    if (entered) this.studio.wire.say("leave");
  }

  #left({ replay }) {
    if (replay && !this.game) this.lobby.tellLeft("Your game was kept. ", el("a", { href: link("recordings", "game", replay) }, "Watch it again"));
  }
}
