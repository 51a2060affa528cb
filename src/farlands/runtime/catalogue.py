"""The verb `list`: what can be named on the command line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from farlands.extensions import BUILTINS, Kind, entry_points, resolve_options
from farlands.recipes import RECIPES

if TYPE_CHECKING:
    from farlands.worlds.world import ArraySpec, WorldSpec


def print_catalogue() -> int:
    """Worlds, agents, rewards, callbacks and recipes."""
    kinds: tuple[tuple[Kind, str], ...] = (
        ("world", "worlds"), ("agent", "agents to try a world with"), ("reward", "reward sources"),
        ("callback", "callbacks"),
    )  # fmt: skip
    for kind, heading in kinds:
        rows = {name: builtin.summary for name, builtin in BUILTINS[kind].items()}
        rows |= {point.name: f"from {point.value}" for point in entry_points(kind)}
        if rows:
            _print_rows(heading, rows)
    _print_rows("recipes", {name: f"{recipe.world}: {recipe.summary}" for name, recipe in RECIPES.items()})
    print("Your own: file.py:Name or module:Name anywhere a name stands. farlands list WORLD tells all about a world.")
    return 0


def print_world(reference: str) -> int:
    """A world's spec and options. Raises UserError where there is no such world."""
    import torch

    from farlands.flags import field_docs
    from farlands.runtime.build import build_world

    options = resolve_options(reference)()
    world = build_world(reference, 1, options, torch.device("cpu"))
    print(describe_world(world.spec))
    docs = field_docs(type(options))
    names = [item.name for item in dataclasses.fields(options)]
    _print_rows("options", {f"--world.{name.replace('_', '-')}": docs.get(name, "") for name in names})
    world.close()
    return 0


def describe_world(spec: WorldSpec) -> str:
    """A world's card: senses, actions, rewards, episodes."""
    low, high = spec.reward_range
    lines = [
        spec.name,
        f"  horizon       {spec.horizon:,} steps" if spec.horizon else "  horizon       none",
        f"  reward        {low:g} to {high:g} a step",
        f"  rules         {spec.rules}",
        f"  action        {type(spec.action).__name__}: {_describe_action(spec.action)}",
    ]
    if spec.achievements:
        lines.append(f"  achievements  {', '.join(spec.achievements)}")
    lines += [f"  measured      {each.name} ({each.unit}): {each.description}" for each in spec.measures]
    lines.append("\nobservation")
    lines += [f"  {key:<16}{_describe_array(array)}" for key, array in spec.observation.items()]
    return "\n".join(lines) + "\n"


def _describe_array(array: ArraySpec) -> str:
    shape = " x ".join(map(str, array.shape)) or "one"
    return f"{array.dtype:<8}{shape:<14}{array.low:g} to {array.high:g}  {array.description}"


def _describe_action(action: Any) -> str:
    match action.__class__.__name__:
        case "Discrete":
            return f"one of {action.n}: {', '.join(action.names)}" if action.names else f"one of {action.n}"
        case "MultiDiscrete":
            return " x ".join(map(str, action.nvec))
    bounds = zip(action.low, action.high, strict=True)
    return ", ".join(f"{low:g} to {high:g}" for low, high in bounds)


def _print_rows(heading: str, rows: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
    rows = dict(rows)
    width = max(map(len, rows)) + 2
    print(heading)
    for name, text in rows.items():
        print(f"  {name:<{width}}{text}")
    print()
