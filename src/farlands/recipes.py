"""Named settings that are known to work: data, applied over the defaults and under the command line's flags."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from farlands.config import TrainConfig
from farlands.errors import UserError
from farlands.extensions import resolve_options
from farlands.flags import parse_flags, take_flag


@dataclass(frozen=True)
class Recipe:
    """Settings for one world.

    Attributes:
        world: The world they are for.
        summary: One line for people.
        settings: Values by field name of ``TrainConfig``, nested for fields that are dataclasses.
    """

    world: str
    summary: str
    settings: dict[str, Any] = field(default_factory=dict)


RECIPES: dict[str, Recipe] = {
    "demo": Recipe(
        "voxel",
        "wooden and first stone tools in about five minutes on two CPU cores",
        {
            "steps": 15_000_000,
            "num_worlds": 512,
            "save_every": 60.0,
            "options": {"task": "tools", "horizon": 1_500, "stagger": True},
            "agent": {"hidden": 128},
            "ppo": {
                "rollout": 64,
                "epochs": 1,
                "minibatches": 8,
                "learning_rate": 1e-3,
                "discount": 0.997,
                "entropy": 0.02,
                "entropy_end": 0.1,
            },
            "rewards": {"sources": ("items",), "items": {"weight": 10.0}},
        },
    ),
    # A patch is one tile of the picture. Low discount and lambda, and a large batch, as in Moon et al. (2023).
    "crafter": Recipe(
        "crafter",
        "the protocol's million steps from pixels",
        {
            "steps": 1_000_000,
            "num_worlds": 32,
            "agent": {"hidden": 256, "patch": 7, "patch_channels": 64},
            "ppo": {
                "rollout": 128,
                "epochs": 3,
                "minibatches": 8,
                "learning_rate": 5e-4,
                "discount": 0.95,
                "gae_lambda": 0.65,
                "entropy": 0.01,
                "entropy_end": 0.5,
            },
        },
    ),
    "cue-corridor": Recipe(
        "cue-corridor",
        "solved in seconds, by an agent that remembers",
        {
            "steps": 60_000,
            "num_worlds": 64,
            "threads": 1,
            "agent": {"hidden": 32, "perception_layers": 0},
            "ppo": {"rollout": 16, "epochs": 2, "minibatches": 2, "learning_rate": 3e-3},
        },
    ),
}
"""Recipes by name; one named like its world is that world's default."""


def start_from(world: str, tokens: list[str]) -> tuple[TrainConfig, list[str]]:
    """What a world's training run is before its flags but ``--recipe`` are read, and those flags.

    Args:
        world: Name of the world; empty where only help is wanted.
        tokens: Flags of `farlands train`.

    Raises:
        UserError: There is no such world or recipe.
    """
    recipe, tokens = take_flag(tokens, "recipe")
    if not world:
        return TrainConfig(), tokens
    return apply_recipe(TrainConfig(world=world, options=resolve_options(world)()), recipe), tokens


def read_train_flags(world: str, tokens: list[str], prog: str = "farlands train") -> TrainConfig:
    """The config that `farlands train WORLD` with these flags has. Raises UserError where one is wrong."""
    config, tokens = start_from(world, tokens)
    return parse_flags(config, tokens, prog)


def apply_recipe(config: TrainConfig, name: str) -> TrainConfig:
    """``config`` with a recipe's settings, or with those named like its world if ``name`` is empty.

    Raises:
        UserError: There is no such recipe, or it is for another world.
    """
    if name and name not in RECIPES:
        raise UserError("unknown recipe", name, RECIPES)
    name = name or (config.world if config.world in RECIPES else "")
    if not name:
        return config
    recipe = RECIPES[name]
    if recipe.world != config.world:
        raise UserError("recipe", name, f"it is for the world {recipe.world}, not {config.world}")
    return _replace(config, {**recipe.settings, "recipe": name})


def _replace(config: Any, settings: dict[str, Any]) -> Any:
    changes = {
        key: _replace(getattr(config, key), value) if isinstance(value, dict) else value
        for key, value in settings.items()
    }
    return dataclasses.replace(config, **changes)
