"""The documentation runs: every python block, every command, in order, page by page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from farlands.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+\.py)\n")

EXTRAS = {"actors.md": "ray", "demonstrations.md": "minari", "several-agents.md": "pettingzoo"}
"""Packages that a page cannot do without and that Farlands can."""


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of every fenced block of a page."""
    return FENCE.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run(page, tmp_path, monkeypatch):
    """A python block that opens with the name of a file becomes that file; others run as they stand."""
    if page.name in EXTRAS:
        pytest.importorskip(EXTRAS[page.name])
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": page.stem}
    for language, text in blocks(page):
        if language == "console":
            for line in text.splitlines():
                assert line.startswith("$ farlands "), line
                assert main(shlex.split(line)[2:]) == 0, line
        elif language == "python":
            file = FILE.match(text)
            if file:
                (tmp_path / file[1]).write_text(text)
            else:
                exec(compile(text, f"{page.name}", "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = [target.partition("#")[0] for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text)]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("name", ["own-reward", "own-network", "own-world", "own-callback"])
def test_extending_takes_under_twenty_lines(name):
    """The first file of each page, comments, docstrings and blank lines aside."""
    first = next(text for language, text in blocks(ROOT / "docs" / f"{name}.md") if FILE.match(text))
    code = re.sub(r'""".*?"""', "", first, flags=re.DOTALL)
    lines = [line for line in code.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(lines) < 20, lines


def test_every_page_can_be_reached():
    """From the README, following links."""
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or not page.exists():
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)#:]+\.md)", page.read_text(encoding="utf-8"))
        todo += [(page.parent / link).resolve() for link in links]
    assert set(PAGES) <= reached
