"""Imports go one way, cost little, and do nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import farlands

SOURCE = Path(farlands.__file__).parent
ROOMS = {
    "worlds": set(),
    "agents": {"worlds"},
    "learning": {"agents", "worlds"},
    "rewards": {"agents", "worlds", "learning"},
    "evaluation": {"agents", "worlds"},
    "runtime": {"agents", "worlds", "learning", "rewards", "evaluation"},
    "studio": {"agents", "worlds", "evaluation", "runtime"},
}
SHARED = {"errors", "config", "decoding", "saved_config", "extensions", "recipes", "flags"}


def imported_rooms(path: Path) -> set[str]:
    """Rooms and top-level modules of farlands that a file imports when it runs, type checking aside."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    only_types = {
        node
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    names = set()
    for node in ast.walk(tree):
        if node in only_types:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return {name.split(".")[1] for name in names if name.startswith("farlands.")}


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_run_one_way(room):
    for path in sorted((SOURCE / room).rglob("*.py")):
        allowed = ROOMS[room] | {room, "errors"} | (SHARED if room in ("runtime", "studio") else set())
        assert imported_rooms(path) <= allowed, path


def test_agents_know_only_the_contract_of_worlds():
    for path in sorted((SOURCE / "agents").rglob("*.py")):
        modules = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
        assert {name for name in modules if name and name.startswith("farlands.worlds")} <= {"farlands.worlds.world"}, (
            path
        )


@pytest.mark.parametrize(
    "command",
    [["--help"], ["train", "--help"], ["train", "voxel", "--help"], ["train", "voxel", "--help-all"], ["train", "voxl"],
     ["train", "voxel", "--stepz", "1"], ["resume", "nowhere"]],
    ids=" ".join,
)  # fmt: skip
def test_help_and_mistakes_need_neither_torch_nor_warp(command):
    code = (
        "import sys; from farlands.cli import main; main(sys.argv[1:]);"
        "heavy = {'torch', 'warp', 'tensorboard', 'pyarrow', 'matplotlib', 'gymnasium'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_help_is_quick():
    def seconds() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "farlands", "--help"], check=True, capture_output=True, timeout=60)
        return time.perf_counter() - begin

    # The promise is 0.7 s; the best of three leaves a busy machine out of it.
    assert min(seconds() for _ in range(3)) < 0.7
