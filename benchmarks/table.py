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
BEGIN, END = "<!-- speed table: benchmarks/table.py -->", "<!-- end of speed table -->"


def _number(value: float, unit: str) -> str:
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


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    text = README.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    new = f"{head}{BEGIN}\n{table()}\n{END}{tail}"
    if parser.parse_args().check:
        return int(new != text)
    README.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
