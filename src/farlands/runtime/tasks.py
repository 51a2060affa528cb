"""The verb `tasks`: sample, show and check tasks of the voxel world's grammar.

Needs neither torch nor warp.
"""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from farlands.errors import UserError
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.tasks.bank import MOST, seed_for, tree_of
from farlands.worlds.voxel.tasks.judge import Judge, Verdict
from farlands.worlds.voxel.tasks.manual import combinator_table, group_line, predicate_table
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.places import land_biomes, rules_seed
from farlands.worlds.voxel.tasks.program import LENGTH, WORDS, canonical, encode, structure
from farlands.worlds.voxel.tasks.sampler import DEPTHS, MIN_SHARE, Sampler, sample_many
from farlands.worlds.voxel.tasks.sentence import sentence
from farlands.worlds.voxel.tasks.splits import TOP_BIT, parse_split, part_of
from farlands.worlds.voxel.tasks.techtree import TechTree
from farlands.worlds.voxel.tasks.tree import Node, Task

ACTIONS = ("sample", "show", "check", "grammar")
UNSOLVABLE = 1
"""Exit code of ``check`` where a task can't be solved."""


@dataclass(frozen=True)
class JudgeConfig:
    """Show or check tasks: farlands tasks show TASK, farlands tasks check TASK|FILE..."""

    horizon: int = 10_000
    """Steps of an episode."""
    actions: Literal["flat", "factored"] = "flat"
    """Which actions there are: flat ones craft and place less."""
    start_kit: tuple[str, ...] = ()
    """Items carried at the start, e.g. wooden_pickaxe planks:4."""
    min_share: float = 0.0
    """Least share of levels that must grow a block near the start for a task to rest on it."""
    altered_rules: int = 0
    """Which alteration of recipes, smelting and drops holds; 0 for the standard rules."""
    biomes: tuple[str, ...] = ()
    """What the land is like: ocean, plains, forest, desert, snow, mountains; all of them if empty."""
    creatures: Literal["all", "animals", "none"] = "all"
    """Which creatures there are."""
    growth_rate: float = 1.0
    """Factor on how fast things grow."""

    MAIN_FLAGS: typing.ClassVar = (
        "horizon", "actions", "start-kit", "min-share", "altered-rules", "biomes", "creatures", "growth-rate",
    )  # fmt: skip


@dataclass(frozen=True)
class SampleConfig(JudgeConfig):
    """Sample tasks: farlands tasks sample"""

    min_share: float = MIN_SHARE
    """Least share of levels that must grow a block near the start for a task to rest on it."""
    count: int = 10
    """How many."""
    depths: tuple[int, ...] = DEPTHS
    """Depths in the tech tree to draw from, evenly."""
    split: str = ""
    """Part to keep to: structure, pairs, depth, seed, rules or biome, then :train or :test; empty for all."""
    seed: int = 1
    """Seed of the tasks; the same seed and settings give the same tasks."""

    MAIN_FLAGS: typing.ClassVar = (
        "count", "depths", "split", "seed", "horizon", "actions", "start-kit", "min-share", "altered-rules", "biomes",
    )  # fmt: skip


def configure(subjects: Sequence[str]) -> JudgeConfig:
    """The settings of what is asked for, at their defaults.

    Raises:
        UserError: It is none of ``ACTIONS``, or lacks its task.
    """
    if not subjects:
        return SampleConfig()
    action, *rest = subjects
    if action not in ACTIONS:
        raise UserError("farlands tasks: no action named", action, ACTIONS)
    if action in ("sample", "grammar") and rest:
        raise UserError("unexpected argument", rest[0], f"usage: farlands tasks {action} [--flag value ...]")
    return SampleConfig() if action == "sample" else JudgeConfig()


def run_tasks(subjects: Sequence[str], config: JudgeConfig) -> int:
    """Do what is asked for and print it. Returns the exit code.

    Raises:
        UserError: A setting or a task that can't be.
    """
    if not subjects:
        raise UserError("farlands tasks: no action named", "", ACTIONS)
    action, *rest = subjects
    if action == "grammar":
        print(f"{predicate_table()}\n\n{combinator_table()}\n\n{group_line()}")
        return 0
    if action != "sample" and not rest:
        raise UserError(f"farlands tasks {action} needs a task", allowed=f'e.g. farlands tasks {action} "gain(log, 3)"')
    if not 1 <= config.horizon < 2**30:
        raise UserError("--horizon is", config.horizon, "it must be in 1 to 2**30")
    if not 0 <= config.min_share <= 1:
        raise UserError("--min-share is", config.min_share, "it must be in 0 to 1")
    if not config.growth_rate >= 0:
        raise UserError("--growth-rate is", config.growth_rate, "it must be 0 or more")
    try:
        if isinstance(config, SampleConfig):
            return _sample(config)
        return _show(rest, config) if action == "show" else _check(rest, config)
    except ValueError as error:
        raise UserError(str(error)) from error


def _tree(config: JudgeConfig) -> TechTree:
    split = config.split if isinstance(config, SampleConfig) else ""
    place = VoxelOptions(task="tasks", task_split=split, altered_rules=config.altered_rules, biomes=config.biomes)
    return tree_of(
        config.start_kit, config.actions, config.min_share, rules_seed(place), land_biomes(place), config.creatures,
        config.growth_rate,
    )  # fmt: skip


def _sample(config: SampleConfig) -> int:
    if not 1 <= config.count <= MOST:
        raise UserError("--count is", config.count, f"it must be in 1 to {MOST:,}")
    if not config.depths:
        raise UserError("--depths: at least one is needed")
    split = parse_split(config.split)
    if not 0 <= config.seed < 2 * TOP_BIT:
        raise UserError("--seed is", config.seed, "it must be in [0, 2**64)")
    sampler = Sampler(_tree(config), depths=config.depths, horizon=config.horizon, split=split)
    for own, task in sample_many(sampler, seed_for(split, config.seed), config.count):
        print(f"{task}  # depth {sampler.judge.depth(task)}, seed {own}: {sentence(task)}")
    return 0


def _show(texts: Sequence[str], config: JudgeConfig) -> int:
    judge = Judge(_tree(config), config.horizon)
    for text in texts:
        task = parse(text)
        form = canonical(task)
        verdict = judge.judge(task)
        rules = [f"{rule} {part_of(form, 0, verdict.depth, rule)}" for rule in ("structure", "pairs", "depth")]
        rows = {
            "task": str(task),
            "in words": sentence(task),
            "judged": _verdict_text(verdict),
            "on the way": ", ".join(verdict.needs) or "nothing",
            "structure": structure(form),
            "parts": ", ".join(rules),
        }
        for name, value in rows.items():
            print(f"{name:<12}{value}")
        print("\n".join(_program_lines(task)))
    return 0


def _program_lines(task: Task) -> list[str]:
    """The tree with each node's words, the task itself first."""
    program = encode(task).reshape(LENGTH // WORDS, WORDS)
    at = iter(range(len(program)))
    lines: list[tuple[int, str]] = []

    def visit(node: Task, depth: int) -> None:
        if isinstance(node, Node):
            for child in node.children:
                visit(child, depth + 1)
        label = f"{node.name}({node.number})" if isinstance(node, Node) and node.number else str(node)
        label = node.name if isinstance(node, Node) and not node.number else label
        i = next(at)
        words = " ".join(f"{word:>5}" for word in program[i].tolist())
        lines.append((i, f"{'program' if not depth else '':<12}{i:>2}  {words}   {'  ' * depth}{label}"))

    visit(task, 0)
    return [line for _, line in sorted(lines, reverse=True)]


def _verdict_text(verdict: Verdict) -> str:
    if not verdict.solvable:
        return "not solvable: " + "; ".join(verdict.reasons)
    idle = "; doing nothing may fulfil it" if verdict.idle else ""
    return f"solvable, depth {verdict.depth}, about {verdict.steps:,} steps{idle}"


def _check(subjects: Sequence[str], config: JudgeConfig) -> int:
    judge = Judge(_tree(config), config.horizon)
    failed = 0
    for where, text in _texts(subjects):
        try:
            verdict = judge.judge(parse(text))
        except ValueError as error:
            raise UserError(f"{where}{error}") from error
        failed += not verdict.solvable
        print(f"{where}{text}: {_verdict_text(verdict)}")
    return UNSOLVABLE if failed else 0


def _texts(subjects: Sequence[str]) -> list[tuple[str, str]]:
    """(where, text) of every task: given ones, and the lines of files, up to a # and unless empty."""
    found: list[tuple[str, str]] = []
    for subject in subjects:
        path = Path(subject)
        if "(" in subject or not _is_file(path):
            found.append(("", subject))
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError("cannot read", subject, type(error).__name__) from error
        texts = [(f"{path}:{i}: ", line.partition("#")[0].strip()) for i, line in enumerate(lines, 1)]
        found += [(where, text) for where, text in texts if text]
    if not found:
        raise UserError("no task in", ", ".join(subjects))
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
