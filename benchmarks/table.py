"""Writes the README's table of speeds from the results file: the newest figure of each target.

python benchmarks/table.py            # rewrite README.md between its markers
python benchmarks/table.py --check    # exit 1 if it is out of date
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from figures import RESULTS, TARGETS

README = Path(__file__).parent.parent / "README.md"
DEMO = Path(__file__).parent / "demo_report.json"
END = "<!-- end of table -->"
LEAST_SHARE = 0.05
"""Achievements that neither agent reaches this often are left out of the README; the report has all."""


def _number(value: float, unit: str) -> str:
    if unit == "ratio":
        return f"{value:.2f}"
    if unit in ("s", "KB"):
        return f"{value:.3g} {unit}"
    return f"{value:,.0f} {unit}"


def table() -> str:
    """Markdown of every target that has been measured, with its distance to floor and goal."""
    newest = {}
    for line in RESULTS.read_text().splitlines():
        figure = json.loads(line)
        newest[figure["name"]] = figure
    rows = ["| | what | measured | floor | goal | on |", "|---|---|---|---|---|---|"]
    for name, target in TARGETS.items():
        floor, goal = _number(target.floor, target.unit), _number(target.goal, target.unit)
        if name not in newest:
            rows.append(f"| {name} | {target.what} | not measured yet | {floor} | {goal} | |")
            continue
        figure = newest[name]
        machine = figure["machine"]
        where = ", ".join(machine["gpus"]) or f"{machine['cores']} cores, {machine['processor']}"
        measured = _number(figure["value"], target.unit)
        rows.append(f"| {name} | {target.what} | **{measured}** | {floor} | {goal} | {where} |")
    return "\n".join(rows)


def _share(interval: dict[str, float]) -> str:
    return f"{interval['value']:.1%} ({interval['low']:.1%} to {interval['high']:.1%})"


def demo_table() -> str:
    """Markdown of the demo's achievements beside the random agent's, with Wilson intervals."""
    actors = json.loads(DEMO.read_text())["actors"]
    agent, random = (actors[name]["achievements"] for name in ("agent", "random"))
    rows = ["| achievement | after the demo | random agent |", "|---|---|---|"]
    rows.extend(
        f"| {name.replace('_', ' ')} | {_share(agent[name])} | {_share(random[name])} |"
        for name in sorted(agent, key=lambda name: -agent[name]["value"])
        if max(agent[name]["value"], random[name]["value"]) >= LEAST_SHARE
    )
    return "\n".join(rows)


def seeds_table() -> str:
    """Markdown of the demo's recipe over training seeds: one column per seed."""
    figures = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    newest = [figure for figure in figures if figure["name"] == "L0"][-1]
    seeds = range(1, newest["seeds"] + 1)
    rows = [f"| training seed | {' | '.join(map(str, seeds))} |", "|---" * (1 + len(seeds)) + "|"]
    for name, values in newest["shares"].items():
        rows.append(f"| {name.replace('_', ' ')} | {' | '.join(f'{value:.1%}' for value in values)} |")
    return "\n".join(rows)


def peers_table() -> str:
    """Markdown of others' figures beside ours of the same run: the newest of each."""
    newest = {}
    for line in RESULTS.read_text().splitlines():
        figure = json.loads(line)
        if figure["name"].startswith("peer-") and "farlands" in figure:
            newest[figure["name"]] = figure
    rows = ["| peer | its steps/s | Farlands, same run | ratio, by round |", "|---|---|---|---|"]
    for figure in newest.values():
        rounds = ", ".join(f"{ratio:.3g}" for ratio in figure["ratios"])
        cells = f"{figure['value']:,.0f} | {figure['farlands']:,.0f} | {figure['ratio']:.3g} ({rounds})"
        rows.append(f"| {figure['note']} | {cells} |")
    return "\n".join(rows)


def _fill(text: str, begin: str, content: str) -> str:
    head, marker, rest = text.partition(begin)
    if not marker:
        raise SystemExit(f"table: README.md lacks the marker {begin}")
    return f"{head}{begin}\n{content}\n{END}{rest.partition(END)[2]}"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    text = README.read_text()
    new = _fill(text, "<!-- speed table: benchmarks/table.py -->", table())
    new = _fill(new, "<!-- demo table: benchmarks/table.py -->", demo_table())
    new = _fill(new, "<!-- seeds table: benchmarks/table.py -->", seeds_table())
    new = _fill(new, "<!-- peers table: benchmarks/table.py -->", peers_table())
    if parser.parse_args().check:
        return int(new != text)
    README.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
