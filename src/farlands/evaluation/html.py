"""A report as one page that needs nothing else: no network, no scripts, everything explained to a stranger."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from farlands.evaluation.charts import behaviour, learning, robustness_charts, unlocks
from farlands.evaluation.page import Clip, Page
from farlands.evaluation.report import NOTHING, TRIAL_HEADS, Figure, Report, show_number, show_share, words
from farlands.evaluation.style import STYLE


def render(page: Page) -> str:
    """The page as HTML text."""
    sections = "".join(section(page) for section in _SECTIONS)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(page.report.title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{sections}</main>\n</body>\n</html>\n"
    )


def _header(page: Page) -> str:
    report = page.report
    protocol, world = report.facts.get("protocol", ""), report.facts.get("world", "")
    kicker = f"Farlands evaluation · world {world} · protocol {protocol}" if world else "Farlands evaluation"
    return (
        f"<header><p>{escape(kicker)}</p><h1>{escape(report.title)}</h1></header>"
        f'<p class="lead">{escape(_lead(report))}</p>{_cards(report)}'
    )


def _lead(report: Report) -> str:
    """What was done and what came of it, in a few plain sentences."""
    ours = report.figures[report.agent_name]
    text = (
        f"An artificial agent was put into {ours['episodes']:,} worlds that it had never seen, once into each, and "
        "left alone until it died, finished or ran out of time. "
    )
    if ours["achievements"]:
        diversity = ours["diversity"]
        text += (
            f"Of {len(ours['achievements'])} possible achievements it made {diversity['per_episode']['value']:.1f} in "
            f"an average attempt, and {diversity['distinct']} in at least one. "
        )
    if report.baseline is not None:
        theirs = report.figures[report.baseline_name]
        text += "An agent that acts at random, in the same worlds, is shown beside it"
        made = theirs["diversity"].get("per_episode")
        text += f": it made {made['value']:.1f}." if made else "."
    return text


_CARDS: Sequence[tuple[str, str, Callable[[dict[str, Any]], Figure | None], bool]] = (
    ("Goal reached", "share of attempts", lambda f: f["success"], True),
    ("Return", "rewards added up over an attempt", lambda f: f["return"], False),
    ("Score", "of 100; rare feats count as much as common ones", lambda f: f["score"], False),
    ("Depth", "longest chain of feats, each needing the one before", lambda f: f["depth"], False),
    ("Steps alive", "until death, or the end of the time", lambda f: f["survival"]["steps_alive"], False),
)


def _cards(report: Report) -> str:
    ours = report.figures[report.agent_name]
    theirs = report.figures.get(report.baseline_name)
    cards = []
    for name, meaning, get, share in _CARDS:
        figure = get(ours)
        if figure is None or figure["value"] is None:
            continue
        big = f"{figure['value']:.0%}" if share else _compact(figure["value"])
        shown = (show_share if share else show_number)(figure)
        versus = (show_share if share else show_number)(get(theirs)) if theirs else NOTHING
        beside = f'<dd class="versus">random: {escape(versus.partition(" (")[0])}</dd>' if versus != NOTHING else ""
        cards.append(
            f'<div class="card"><dt>{name} <small>– {meaning}</small></dt><dd class="big">{big}</dd>'
            f'<dd class="range">95 % sure: {escape(shown.partition(" (")[2].rstrip(")"))}</dd>{beside}</div>'
        )
    return f'<dl class="cards">{"".join(cards)}</dl>'


def _compact(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _films(page: Page) -> str:
    if not page.clips:
        return "".join(f'<p class="soft">{escape(note)}</p>' for note in page.notes)
    films = "".join(_film(clip) for clip in page.clips)
    notes = "".join(f'<p class="soft">{escape(note)}</p>' for note in page.notes)
    return (
        "<h2>See it</h2><p>What the agent saw, one picture for each of its steps, in the attempt with the highest "
        f'return, the middle one and the lowest.</p><div class="grid3">{films}</div>{notes}'
    )


def _film(clip: Clip) -> str:
    video, poster = (base64.b64encode(data).decode() for data in (clip.video, clip.poster))
    label = escape(f"{clip.title}. {clip.caption}", quote=True)
    return (
        f'<figure><h3>{escape(clip.title)}</h3><video controls loop muted playsinline preload="metadata" '
        f'aria-label="{label}" poster="data:image/jpeg;base64,{poster}">'
        f'<source src="data:video/mp4;base64,{video}" type="video/mp4"></video>'
        f"<figcaption>{escape(clip.caption)}</figcaption></figure>"
    )


def _learning(page: Page) -> str:
    if page.curve is None:
        return ""
    return (
        "<h2>How it learned</h2><p>The agent began knowing nothing. These curves show how its attempts went while it "
        f'trained, on other worlds than those measured here.</p><div class="grid2">{learning(page.curve)}</div>'
    )


def _summary(page: Page) -> str:
    report = page.report
    rows = [[name, *cells] for name, cells in report.summary_rows()]
    caption = "In brackets: where the true figure lies with 95 % certainty, as far as chance among worlds goes."
    return "<h2>In figures</h2>" + table(["", *report.actors], rows, caption)


def _achievements(page: Page) -> str:
    report = page.report
    if not report.scale.achievements:
        return ""
    heads = ["achievement", "", *report.actors, "half had it by step"]
    rows = "".join(_achievement(report, name, rates) for name, rates in report.rate_rows())
    names, most = report.never()
    never = (
        f'<p class="soft never">Never, by either: {", ".join(map(words, names))} (at most {most:.1%} of attempts).</p>'
    )
    if not report.rate_rows():
        return f"<h2>What it achieved</h2>{never}"
    return (
        "<h2>What it achieved</h2><p>How many of its attempts got each achievement: the coloured bar is the share, the "
        "thin dark line the range that is 95 % sure. Deep ones need many others first.</p>"
        f'<div class="scroll"><table class="names"><thead><tr>{_heads(heads)}</tr></thead><tbody>{rows}</tbody></table>'
        "</div>"
        f"{_swatches(list(report.actors))}{never if names else ''}{unlocks(report)}"
    )


def _achievement(report: Report, name: str, rates: list[Figure]) -> str:
    bars = "".join(_bar(rate, colour) for colour, rate in enumerate(rates))
    cells = "".join(f'<td class="n">{_cell(show_share(rate))}</td>' for rate in rates)
    times = report.figures[report.agent_name]["first_unlock"].get(name)
    half = times["median"]["value"] if times else None
    depth = dict(zip(report.scale.achievements, report.scale.depths, strict=False)).get(name)
    label = words(name) + (f" <small>depth {depth}</small>" if depth else "")
    late = "–" if half is None else f"{half:,.0f}"
    return f'<tr><th scope="row">{label}</th><td class="bars">{bars}</td>{cells}<td class="n">{late}</td></tr>'


def _bar(rate: Figure, colour: int) -> str:
    value, low, high = (100 * (rate[name] or 0.0) for name in ("value", "low", "high"))
    return (
        f'<div class="bar c{colour}" aria-hidden="true"><b style="width:{value:.1f}%"></b>'
        f'<i style="left:{low:.1f}%;width:{high - low:.1f}%"></i></div>'
    )


def _swatches(names: Sequence[str]) -> str:
    entries = "".join(
        f'<li><span class="swatch c{colour}" aria-hidden="true"></span>{escape(name)}</li>'
        for colour, name in enumerate(names)
    )
    return f'<ul class="legend">{entries}</ul>'


def _behaviour(page: Page) -> str:
    report = page.report
    deaths = {name: each["survival"]["deaths"] for name, each in report.figures.items()}
    causes = sorted({cause for each in deaths.values() for cause in each}, key=lambda one: -_count(deaths, one))
    rows = [[words(cause), *(f"{each.get(cause, 0):,}" for each in deaths.values())] for cause in causes]
    dead = table(["attempts that ended early, by", *deaths], rows) if rows else ""
    return f'<h2>How its attempts went</h2><div class="grid2">{behaviour(report)}</div>{dead}'


def _count(deaths: dict[str, dict[str, int]], cause: str) -> int:
    return sum(each.get(cause, 0) for each in deaths.values())


def _diversity(page: Page) -> str:
    report = page.report
    if not report.scale.achievements:
        return ""
    figures = [each["diversity"] for each in report.figures.values()]
    rows = [
        ["different achievements, all attempts together", *(f"{each['distinct']}" for each in figures)],
        ["achievements got in nine of ten attempts", *(f"{each['reliable']}" for each in figures)],
        ["effective number of achievements", *(show_number(each["effective_achievements"]) for each in figures)],
        ["different collections of achievements", *(f"{each['distinct_sets']}" for each in figures)],
        ["chance that a new attempt repeats a known one", *(f"{each['set_coverage']:.0%}" for each in figures)],
    ]
    return (
        "<h2>How varied it is</h2><p>An agent may do one thing well or many. The effective number is how many equally "
        "common achievements would be as varied (the exponential of the entropy of their rates); a collection is all "
        f"that one attempt achieved.</p>{table(['', *report.actors], rows)}"
    )


def _trials(page: Page) -> str:
    rows = page.report.trial_rows()
    if not rows:
        return ""
    return (
        "<h2>Trial after trial</h2><p>Each level was tried several times in one episode: it began anew, with the same "
        "task, while the agent's memory went on. Who learns within an episode does better in later trials.</p>"
        f"{table(TRIAL_HEADS, rows)}"
    )


def _gap(page: Page) -> str:
    gap = page.report.gap
    if gap is None:
        return ""
    cells = [show_number(each._asdict()) for each in (gap.trained, gap.unseen, gap.difference)]
    rows = [["return", *cells]]
    if gap.scores:
        rows.append(["score, of 100", *(show_number(each._asdict()) for each in gap.scores), ""])
    low, high = gap.difference.low, gap.difference.high
    verdict = (
        "There is no clear difference: what it learned holds in new worlds."
        if low <= 0 <= high
        else "It does better where it trained, so part of what it learned does not carry over."
        if low > 0
        else "It does better in the new worlds, which may be easier."
    )
    count = len(page.report.trained or ())
    return (
        f"<h2>New worlds against known ones</h2><p>The agent was also put back into {count:,} worlds of its own "
        f"training. {verdict}</p>{table(['', 'worlds it trained on', 'new worlds', 'difference'], rows)}"
    )


def _robustness(page: Page) -> str:
    found = page.report.robustness
    if not found:
        return ""
    words_kept = ""
    if found["worst_axis"]:
        words_kept = (
            f" On average it keeps {found['mean_kept']:.0%} of its return; the worst is "
            f"{words(found['worst_axis'])}, where it keeps {found['worst_kept']:.0%}."
        )
    return (
        "<h2>When something is different</h2><p>One thing at a time was changed in the same worlds, and nothing else."
        f"{words_kept}</p>{_kept_by_part(page.report)}"
        f'<div class="grid2">{robustness_charts(page.report, page.meanings)}</div>'
    )


def _kept_by_part(report: Report) -> str:
    """The table of shares kept, a column for each range."""
    rows = report.part_rows()
    if not rows:
        return ""
    said = (
        "Share of the return kept. Training may draw from the train range of each axis; the held-out range lies beyond "
        "it; an agent that trained in the unchanged world alone knows neither. Where the unchanged return is not "
        "clearly above zero, a share of it says nothing: there stands by how much the return changed."
    )
    return table(["", *report.part_heads()], rows, said)


def _method(page: Page) -> str:
    report, source = page.report, page.provenance
    shown = {words(name): value for name, value in report.facts.items() if name != "world_options"}
    machine = {words(name): value for name, value in source.machine.items() if value not in ([], "")}
    commands = "\n".join(f"# {what}\n{command}" for what, command in source.commands)
    git = f" at commit {source.git['commit'][:12]}" if source.git.get("commit") else ""
    settings = _settings("Settings as given", source.given) + _settings("All settings", source.resolved)
    return (
        "<h2>How it was measured</h2><p>Each world is made from a number, its seed. The seeds of the measured worlds "
        "are the same for everyone and are never met in training. Every figure here can be made again from "
        "<code>report.parquet</code>, which lies beside this page and has one row for each attempt.</p>"
        f"{facts(shown)}<h3>What it cost</h3>{facts(source.cost)}<h3>On which machine</h3>{facts(machine)}"
        f"<h3>With which versions{escape(git)}</h3>{facts(source.versions)}"
        f"<h3>To do it again</h3><pre><code>{escape(commands)}</code></pre>{settings}"
    )


def _settings(title: str, data: Any) -> str:
    if data is None:
        return ""
    text = escape(json.dumps(data, indent=1))
    return f"<details><summary>{title}</summary><pre><code>{text}</code></pre></details>"


def _words_used(page: Page) -> str:
    return "<h2>Words used here</h2>" + facts(
        {
            "attempt, episode": "one life in one world, from its start to death, goal or the time limit",
            "step": "one decision of the agent",
            "return": "the rewards of an attempt added up; what is rewarded is part of the task",
            "achievement": "a feat that counts once in an attempt, the first time it is done",
            "score": "geometric mean of the achievements' shares in percent, each plus one (as in Crafter)",
            "depth": "how many feats, each resting on the one before, the deepest achievement of an attempt needs",
            "random": "an agent that draws among the possible actions and knows nothing",
            "95 % sure": "a range made so that it holds the true figure 95 times in 100; it speaks of chance among "
            "worlds, not of luck in training, which only several training runs can show",
        }
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """An HTML table whose first column names the rows."""
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td class="n">{_cell(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table>{said}<thead><tr>{_heads(heads)}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(text: str) -> str:
    """A figure whose interval, in brackets behind it, stays together and may stand below it."""
    value, bracket, interval = text.partition(" (")
    return escape(value) + (f' <span class="range">({escape(interval)}</span>' if bracket else "")


def facts(entries: dict[str, Any]) -> str:
    """Names and values side by side."""
    cells = "".join(f"<dt>{escape(str(name))}</dt><dd>{escape(_plain(value))}</dd>" for name, value in entries.items())
    return f'<dl class="facts">{cells}</dl>'


def _plain(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        ", ".join(map(str, value))
        if isinstance(value, list | tuple)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


def _heads(heads: Sequence[str]) -> str:
    cells = (
        f'<th scope="col"{" class=n" if index else ""}>{escape(head)}</th>' if head else "<td></td>"
        for index, head in enumerate(heads)
    )
    return "".join(cells)


_SECTIONS: Sequence[Callable[[Page], str]] = (
    _header, _films, _learning, _summary, _achievements, _behaviour, _diversity, _trials, _gap, _robustness,
    _method, _words_used,
)  # fmt: skip
