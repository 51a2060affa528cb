/** Starts the studio: one connection, one page at a time. */

import { el, fill, say } from "./dom.js";
import { Icons } from "./icons.js";
import { Notices } from "./notice.js";
import { openCompare } from "./pages/compare.js";
import { openPlay } from "./pages/play.js";
import { openRecordings } from "./pages/recordings.js";
import { openRun } from "./pages/run.js";
import { openRuns } from "./pages/runs.js";
import { decode, link, Router } from "./router.js";
import { ask } from "./server.js";
import { socketAddress, Wire } from "./socket.js";
import { titled } from "./words.js";

/** What all pages share. `straightIn`: the first page is a world that was chosen on the command line. */
const studio = { wire: new Wire(socketAddress()), icons: new Icons(), notices: new Notices(), begin: {}, straightIn: false };

const ROUTES = [
  { pattern: /^runs$/, open: openRuns },
  { pattern: /^compare\/(.+)$/, open: openCompare },
  { pattern: /^run\/([^/]+)(?:\/([^/]+))?(?:\/(.+))?$/, key: 1, open: (host, parameters) => openRun(host, parameters, studio) },
  { pattern: /^play$/, open: (host, parameters) => openPlay(host, parameters, studio) },
  { pattern: /^recordings(?:\/(demonstration|game)\/([^/]+)(?:\/(\d+))?)?$/, key: 0, open: (host, parameters) => openRecordings(host, parameters, studio) },
];

async function start() {
  const main = document.querySelector("main");
  document.body.append(studio.notices.element);
  // The address says which page is open, so this link must not change it.
  document.querySelector(".skip").onclick = (event) => { event.preventDefault(); main.focus(); };
  try {
    // Without pictures of items their names are shown.
    [studio.begin] = await Promise.all([ask("/api/begin"), studio.icons.load().catch(() => {})]);
  } catch (error) {
    fill(main, el("section.page", {}, el("h1", {}, "The studio cannot be opened"), el("p.lead", {}, error.message)));
    return;
  }
  const first = firstPage(studio.begin);
  studio.straightIn = studio.begin.page === "play" && !window.location.hash;
  document.querySelector(".brand").href = `#/${first}`;
  watchConnection(document.querySelector(".lost"));
  studio.wire.on("mistake", ({ why }) => studio.notices.wrong(why));
  studio.wire.connect();
  new Router(main, ROUTES, turned).go(first);
}

function firstPage({ page, run }) {
  if (page === "play") return "play";
  return run ? link("run", run).slice(2) : "runs";
}

/** After each turn of a page: say where one is, and forget what was told of another page. */
function turned(path) {
  const links = [studio.begin.runs ? ["runs", "Runs", /^(runs|run\/|compare)/] : null, ["play", "Play", /^play/], ["recordings", "Recordings", /^recordings/]];
  fill(document.querySelector(".top-nav"), links.filter(Boolean).map(([to, words, here]) => el(
    "a", { href: `#/${to}`, "aria-current": here.test(path) ? "page" : undefined }, words,
  )));
  const [page, name] = path.split("/").map(decode);
  document.title = `${page === "run" ? name : titled(page)} · Farlands`;
  studio.notices.clear();
}

function watchConnection(line) {
  studio.wire.watch((state, why) => {
    line.hidden = state === "open";
    if (state === "lost") say(line, `Connection lost${why ? ` (${why})` : ""}, trying again…`);
  });
}

start();
