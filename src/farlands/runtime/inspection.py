"""The verb `inspect`: what went bad first, where, after what, and how to live the moment again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farlands.config import InspectConfig
from farlands.errors import UserError, first_line

if TYPE_CHECKING:
    from farlands.runtime.dumps import Dump

_WHAT = {
    "parameter": "the parameters {name}",
    "observation": "the observation {name}",
    "memory": "the agent's memory",
    "value": "the agent's values",
    "log_prob": "the log-probabilities of actions",
    "reward": "the reward from {name}",
    "next_value": "the values of what came next",
    "figure": "the figure {name}",
    "gradient": "the gradient of {name}",
}
_CURVES = (
    "learn/policy_loss", "learn/value_loss", "learn/entropy", "learn/approx_kl", "learn/grad_norm",
    "learn/return_mean", "learn/value_std", "learn/skipped_steps", "episode/return",
)  # fmt: skip
"""Figures shown of the updates before, where there are such."""
_SHOWN_STEPS = 6
"""Steps of a row shown before it went bad."""


def describe_finding(finding: Mapping[str, Any]) -> str:
    """A finding in words, e.g. "the reward from mine.py:haste", paths shortened to their last part."""
    name = str(finding["name"])
    if (finding["kind"], name) == ("reward", "task"):
        return "the world's own reward"
    short = name if name.rpartition(":")[0].rpartition("/")[2] == "" else name.rpartition("/")[2]
    return _WHAT[finding["kind"]].format(name=short)


def inspect(config: InspectConfig) -> int:
    """Print what is known of a run's newest dump, or of the one named.

    Raises:
        UserError: There is no dump, or it is damaged.
    """
    from rich.console import Console

    from farlands.runtime.dumps import read_dump

    path = find_dump(Path(config.target).expanduser())
    dump, console = read_dump(path), Console(highlight=False, soft_wrap=True)
    for part in (_headline(dump), _rows(dump), _before(dump), _again(dump)):
        console.print(part, markup=False)
    if config.again:
        console.print(live_again(dump), markup=False)
    return 0


def find_dump(path: Path) -> Path:
    """The dump that a path names: itself, or the newest of a run. Raises UserError where there is none."""
    from farlands.runtime.dumps import list_dumps

    if (path / "dump.json").is_file():
        return path
    if not path.is_dir():
        raise UserError("no such run or dump", path)
    if not (path / "config.json").is_file():
        raise UserError("neither a run nor a dump:", path)
    dumps = list_dumps(path)
    if not dumps:
        raise UserError("nothing to inspect in", path, "nothing that was not finite has been seen in this run")
    return dumps[-1]


def _headline(dump: Dump) -> str:
    facts = dump.facts
    first, *others = facts["findings"]
    lines = [f"Not finite at step {facts['step']:,}, update {facts['update']:,}: {describe_finding(first)}."]
    if first["step"] is not None and first["rows"]:
        shown = ", ".join(map(str, first["rows"][:8])) + (" ..." if len(first["rows"]) > 8 else "")
        lines.append(
            f"First at step {first['step']} of the rollout's {facts['length']}, in {len(first['rows'])} of "
            f"{facts['num_rows']} rows ({shown}); {_numbers(first['count'])} in all."
        )
    elif first["step"] == -1:
        lines.append("It was so before the rollout began, in every row.")
    if facts["module"]:
        lines.append(f"Its inputs were finite; what came out of the module {facts['module']} was not.")
    if others:
        lines += ["", "After it:", *(f"  {each}" for each in _consequences(others))]
    return "\n".join(lines)


def _consequences(findings: list[Mapping[str, Any]]) -> list[str]:
    """What was not finite after the first thing; parameters and gradients by their number where they are many."""
    lines = []
    for kind in dict.fromkeys(each["kind"] for each in findings):
        alike = [each for each in findings if each["kind"] == kind]
        if kind in ("parameter", "gradient") and len(alike) > 3:
            lines.append(f"the {kind}s of {alike[0]['name']} and {len(alike) - 1} other arrays of the network")
        else:
            lines += [f"{describe_finding(each)}{_at(each)}" for each in alike]
    return lines


def _numbers(count: int) -> str:
    return f"{count:,} number{'s' if count != 1 else ''}"


def _at(finding: Mapping[str, Any]) -> str:
    if finding["step"] is None or finding["step"] < 0:
        return ""
    return f", from step {finding['step']}, {_numbers(finding['count'])}"


def _rows(dump: Dump) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    if not any(each["step_of_rollout"] is not None for each in dump.facts["rows"]):
        return Text("\nNo single row is to blame.")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("row", "world", "agent", "level's seed", "step of episode", "step of rollout"):
        table.add_column(name, justify="right")
    for each in dump.facts["rows"]:
        keys = ("row", "world", "agent", "level_seed", "step_of_episode", "step_of_rollout")
        table.add_row(*("-" if each[key] is None else str(each[key]) for key in keys))
    number = next(n for n, each in enumerate(dump.facts["rows"]) if each["step_of_rollout"] is not None)
    return Group(Text("\nWhere:"), table, _steps(dump, number))


def _steps(dump: Dump, number: int) -> Any:
    """What one row did, was worth and was given, up to the moment it went bad."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    rollout, at = dump.rollout, max(dump.facts["rows"][number]["step_of_rollout"], 0)
    at = min(at, rollout.length - 1)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("step", "action", "value", "log-prob"):
        table.add_column(name, justify="right")
    for name in dump.rewards:
        table.add_column(name.rpartition("/")[2], justify="right")
    for t in range(max(0, at - _SHOWN_STEPS), min(at + 2, rollout.length)):
        given = [f"{reward[t, number]:.4g}" for reward in dump.rewards.values()]
        value, log_prob = rollout.values[t, number, 0], rollout.log_probs[t, number]
        action = " ".join(f"{each:.4g}" for each in rollout.actions[t, number].reshape(-1).tolist())
        table.add_row(str(t), action, f"{value:.4g}", f"{log_prob:.4g}", *given, style="red" if t == at else "")
    title = f"\nRow {dump.facts['rows'][number]['row']} up to that moment (values in the learner's units):"
    return Group(Text(title), table)


def _before(dump: Dump) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    rows = dump.facts["figures"][-6:]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("step", no_wrap=True)
    for row in rows:
        table.add_column(f"{int(row['step']):,}", justify="right")
    for name in _CURVES:
        if any(name in row for row in rows):
            cells = ["-" if name not in row else _show(row[name]) for row in rows]
            table.add_row(name, *cells)
    return Group(Text("\nFigures of the updates before, and of this one:"), table)


def _show(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.4g}"


def _again(dump: Dump) -> str:
    path, facts = dump.path, dump.facts
    run = path.parent
    lines = ["", "To live it again:", f"  farlands inspect {shlex.quote(str(path))} --again"]
    if facts["checkpoint"] and (run / "checkpoints" / facts["checkpoint"]).is_dir():
        beside = run.with_name(run.name + "-again")
        lines += [
            "  or the whole run from the checkpoint before it, bit for bit on a CPU:",
            f"  cp -r {shlex.quote(str(run))} {shlex.quote(str(beside))}",
            f"  farlands resume {shlex.quote(str(beside))} --checkpoint {facts['checkpoint']} --steps {facts['step']}",
        ]
    lines += [
        "In Python, the rollout of these rows (what rewards are given), the parameters and the worlds:",
        "  from farlands.runtime.dumps import read_dump",
        f"  dump = read_dump(Path({str(path)!r}))",
    ]
    lines += [f"Too large to be kept, or not to be had: {', '.join(facts['left_out'])}"] if facts["left_out"] else []
    return "\n".join(lines)


def live_again(dump: Dump) -> str:
    """Ask agent and reward sources anew for what they make of the offending rows, and say what is not finite now.

    Sources that remember (novelty, say) begin anew.

    Raises:
        UserError: The run's config is gone, or something it names is.
    """
    import dataclasses

    import torch

    from farlands.runtime.build import build_agent, build_world
    from farlands.runtime.rundir import RunDirectory

    settings = dataclasses.replace(RunDirectory.open(str(dump.path.parent)).read_config(), start_from="")
    device = torch.device("cpu")
    world = build_world(settings.world, 1, settings.options, device)
    try:
        agent, sources = build_agent(settings, world.spec, device)
    finally:
        world.close()
    lines = ["", "Lived again:"]
    for name, source in zip(("task", *settings.rewards.sources), sources, strict=True):
        lines.append(f"  {describe_finding({'kind': 'reward', 'name': name})}: {_ask(source.reward, dump.rollout)}")
    if dump.parameters:
        agent.load_state_dict(dump.parameters)

        def unroll(rollout: Any) -> torch.Tensor:
            with torch.no_grad():
                return agent.unroll(rollout.observations, rollout.memory, rollout.first[:-1]).value

        lines.append(f"  the agent's values, with the parameters from before: {_ask(unroll, dump.rollout)}")
    return "\n".join(lines)


def _ask(function: Any, rollout: Any) -> str:
    try:
        bad = ~function(rollout).isfinite()
    except Exception as error:
        return f"raised {first_line(error)}"
    if not bad.any():
        return "finite"
    return f"not finite, {_numbers(int(bad.sum()))}, first at step {int(bad.flatten(1).any(1).nonzero()[0])}"
