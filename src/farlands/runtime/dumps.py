"""Evidence of a moment that was not finite: ``RUN/nan-<step>/``, bounded in size, readable without running code.

``dump.json`` tells what was found and where, ``rows.safetensors`` holds the rollout of the offending rows,
``agent.safetensors`` the parameters from before the update, ``worlds.safetensors`` the offending worlds as the rollout
left them. Axis letters: T steps, K offending rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from farlands.errors import UserError, first_line
from farlands.learning.rollout import Rollout
from farlands.runtime.findings import Finding, find_module
from farlands.runtime.guard import Guard, Trouble
from farlands.worlds.world import Episodes, Step, World

FORMAT = "farlands-nan-dump"
FORMAT_VERSION = 1
MOST_DUMPS = 3
"""Dumps that one run keeps: the first tell most."""
_MOST_ROWS = 8
_MOST_FINDINGS = 64
_MOST_BYTES = 64 << 20
"""Of each file; what would not fit is left out, and said to be."""


@dataclass(frozen=True)
class Dump:
    """A dump, read.

    Attributes:
        path: Its directory.
        facts: What ``dump.json`` says.
        rollout: Of the offending rows, in the order of ``facts["rows"]``, on the CPU.
        rewards: float32 ``[T, K]`` by the name of the source, as it was given.
        actions_before: Of the rollout before, ``[T, K, ...]``.
        parameters: State of the agent from before the update; empty where it was too large.
        worlds: Snapshot of the offending worlds after the rollout; empty where it was too large.
    """

    path: Path
    facts: dict[str, Any]
    rollout: Rollout
    rewards: dict[str, Tensor]
    actions_before: Tensor
    parameters: dict[str, Tensor]
    worlds: dict[str, Tensor]


def list_dumps(run: Path) -> list[Path]:
    """Dumps of a run, oldest first."""
    return sorted(path for path in run.glob("nan-*") if (path / "dump.json").is_file())


def write_dump(
    run: Path, trouble: Trouble, rollout: Rollout, world: World, episodes: Episodes, guard: Guard, checkpoint: str
) -> Path | None:
    """Leave the evidence in the run's directory.

    Args:
        run: The directory.
        trouble: What the guard found.
        rollout: What was collected.
        world: After the rollout.
        episodes: That ended in it.
        guard: Whose agent is asked which module went wrong.
        checkpoint: Name of the newest checkpoint from before; empty if there is none.

    Returns:
        The dump's directory; None where the run has ``MOST_DUMPS`` already.
    """
    row = trouble.figures[-1]
    process = f"-process-{guard.peers.rank}" if guard.peers.rank else ""
    final = run / f"nan-{int(row['step']):012d}{process}"
    if len(list_dumps(run)) >= MOST_DUMPS or final.exists():
        return None
    rows = _choose_rows(trouble.findings, rollout)
    index = torch.tensor(rows, dtype=torch.int64, device=rollout.values.device)
    worlds = sorted({each // world.num_agents for each in rows})
    fresh = final.with_name(f".{final.name}")
    fresh.mkdir(exist_ok=True)
    files = {
        "rows.safetensors": _rows_of(rollout, trouble, index),
        "agent.safetensors": dict(trouble.parameters),
        "worlds.safetensors": _snapshot(world, worlds),
    }
    facts = {
        **_describe(trouble, rollout, guard),
        "checkpoint": checkpoint,
        "module": _module(trouble, rollout, rows, guard),
        "rows": [_locate(each, trouble, rollout, world, episodes) for each in rows],
        "worlds": worlds,
        "left_out": [name for name, tensors in files.items() if not _save(fresh / name, tensors)],
    }
    (fresh / "dump.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return fresh.rename(final)


def read_dump(path: Path) -> Dump:
    """Read a dump. Raises UserError where it is none, or is incomplete."""
    try:
        facts = json.loads((path / "dump.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError("cannot read the dump", path, first_line(error)) from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT or facts.get("format_version") != FORMAT_VERSION:
        raise UserError("not a dump of this version of Farlands:", path)
    try:
        held, parameters, worlds = (_load(path / f"{name}.safetensors") for name in ("rows", "agent", "worlds"))
        rewards = {name: held[f"given.{number}"] for number, name in enumerate(facts["sources"])}
        return Dump(path, facts, _rollout_of(held), rewards, held["actions_before"], parameters, worlds)
    except (OSError, KeyError, TypeError, SafetensorError) as error:
        raise UserError("the dump is incomplete:", path, first_line(error)) from error


def _describe(trouble: Trouble, rollout: Rollout, guard: Guard) -> dict[str, Any]:
    """What was found, when, and after what, as plain data."""
    row = trouble.figures[-1]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "time": datetime.now().astimezone().isoformat(timespec="seconds"),
        "step": int(row["step"]),
        "update": int(row["update"]),
        "policy": guard.policy,
        "in_a_row": trouble.in_a_row,
        "findings": [each.to_json() for each in trouble.findings[:_MOST_FINDINGS]],
        "length": rollout.length,
        "num_rows": rollout.num_rows,
        "sources": list(trouble.rewards),
        "figures": [_finite(each) for each in trouble.figures],
    }


def _choose_rows(findings: Sequence[Finding], rollout: Rollout) -> list[int]:
    """Rows to keep: those of the first findings first; row 0 where no row is to blame."""
    rows = list(dict.fromkeys(row for finding in findings for row in finding.rows))[:_MOST_ROWS] or [0]
    seen = sum(value[:, 0].numel() * value.element_size() for value in rollout.steps.observation.values())
    return sorted(rows[: max(1, _MOST_BYTES // 2 // max(seen, 1))])


def _rows_of(rollout: Rollout, trouble: Trouble, index: Tensor) -> dict[str, Tensor]:
    steps = rollout.steps
    held = {f"observation.{key}": value for key, value in steps.observation.items()}
    held |= {f"step.{name}": getattr(steps, name) for name in ("reward", "terminated", "truncated")}
    names = ("first", "actions", "log_probs", "values", "next_values", "memories")
    held |= {name: getattr(rollout, name) for name in names}
    held |= {f"given.{number}": reward for number, reward in enumerate(trouble.rewards.values())}
    held["actions_before"] = trouble.actions_before
    return {name: value.detach().index_select(1, index) for name, value in held.items()}


def _rollout_of(held: Mapping[str, Tensor]) -> Rollout:
    names = ("first", "actions", "log_probs", "values", "next_values", "memories")
    seen = {name.removeprefix("observation."): value for name, value in held.items() if name.startswith("observation.")}
    steps = Step(seen, *(held[f"step.{name}"] for name in ("reward", "terminated", "truncated")))
    return Rollout(steps, **{name: held[name] for name in names})


def _snapshot(world: World, worlds: list[int]) -> dict[str, Tensor]:
    try:
        return dict(world.snapshot(worlds))
    except (NotImplementedError, ValueError):
        # Some worlds of others cannot be copied; the rows' evidence stands without.
        return {}


def _module(trouble: Trouble, rollout: Rollout, rows: list[int], guard: Guard) -> str:
    """Which module of the network made something not finite of finite inputs; empty where none is to blame."""
    if trouble.findings[0].kind not in ("memory", "value", "log_prob"):
        return ""
    try:
        return find_module(guard.agent, rollout, rows)
    except (RuntimeError, ValueError, IndexError, TypeError):
        # A network of a user's own may refuse sequences cut to some rows; evidence must not end a run.
        return ""


def _locate(row: int, trouble: Trouble, rollout: Rollout, world: World, episodes: Episodes) -> dict[str, Any]:
    """Where and when a row went bad: its world, its level's seed, the step of its episode."""
    at = next((each.step for each in trouble.findings if row in each.rows and each.step is not None), None)
    where = {"row": row, "world": row // world.num_agents, "agent": row % world.num_agents, "step_of_rollout": at}
    seed, step = _level(row, max(at or 0, 0), rollout, world, episodes)
    return {**where, "level_seed": seed, "step_of_episode": step}


def _level(row: int, at: int, rollout: Rollout, world: World, episodes: Episodes) -> tuple[int | None, int | None]:
    """Seed of the level a row was on at a step of the rollout, and how old its episode was; None where untold."""
    at = min(at, rollout.length - 1)
    ends = np.flatnonzero(rollout.first[1:, row].cpu().numpy())
    before = int((ends < at).sum())
    if before < len(ends):
        lived = np.flatnonzero(episodes.row == row)
        if len(lived) != len(ends):
            return None, None
        entry = lived[before]
        return int(episodes.seed[entry]), int(episodes.length[entry]) - int(ends[before] + 1 - at)
    levels = world.present_levels()
    if levels is None:
        return None, None
    seeds, ages = levels
    number = row // world.num_agents
    return int(seeds[number]), int(ages[number]) - (rollout.length - at)


def _save(path: Path, tensors: dict[str, Tensor]) -> bool:
    """Whether the tensors were small enough to be written."""
    size = sum(value.numel() * value.element_size() for value in tensors.values())
    if not tensors or size > _MOST_BYTES:
        return False
    save_file({name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}, path)
    return True


def _load(path: Path) -> dict[str, Tensor]:
    return load_file(path) if path.is_file() else {}


def _finite(row: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in row.items()}
