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


_VOXEL_PPO = {
    "rollout": 64,
    "epochs": 1,
    "minibatches": 8,
    "learning_rate": 1e-3,
    "discount": 0.997,
    "entropy": 0.02,
    "entropy_end": 0.1,
}
_CRAFTER_PPO = {
    "rollout": 128,
    "epochs": 3,
    "minibatches": 8,
    "learning_rate": 5e-4,
    "discount": 0.95,
    "gae_lambda": 0.65,
    "entropy": 0.01,
    "entropy_end": 0.5,
}
_WORTH = (
    "oak_log:8:0.5", "spruce_log:8:0.5", "cobblestone:11:0.0909", "coal:5:0.4", "iron_ore:3:1.333", "diamond:3:2.667",
)  # fmt: skip

RECIPES: dict[str, Recipe] = {
    "demo": Recipe(
        "voxel",
        "wooden and first stone tools in about seven minutes on two CPU cores",
        {
            "steps": 15_000_000,
            "num_worlds": 512,
            "save_every": 60.0,
            "options": {"task": "tools", "horizon": 1_500, "stagger": True},
            "agent": {"hidden": 128},
            "ppo": _VOXEL_PPO,
            "rewards": {"sources": ("items",), "items": {"weight": 10.0}},
        },
    ),
    # Logs are worth four times what VPT paid: with fewer, agents stop at the first tools, for want of sticks.
    "voxel-symbols": Recipe(
        "voxel",
        "stone tools, furnaces and first iron from symbols, in half an hour on one CPU core",
        {
            "steps": 50_000_000,
            "num_worlds": 512,
            "options": {"task": "tools", "horizon": 2_000, "stagger": True},
            "agent": {"hidden": 128},
            "ppo": _VOXEL_PPO,
            "rewards": {"sources": ("items",), "items": {"weight": 10.0, "worth": _WORTH}},
        },
    ),
    # Little entropy: what the policy brings along is soon lost while the new task's reward is still rare.
    "voxel-tasks": Recipe(
        "voxel",
        "tasks of depth 1 to 3, three trials each, from the policy that comes with Farlands",
        {
            "steps": 40_000_000,
            "num_worlds": 512,
            "start_from": "voxel",
            "options": {
                "task": "tasks",
                "task_depths": (1, 2, 3),
                "task_split": "structure:train",
                "task_count": 10_000,
                "trials": 3,
                "horizon": 600,
                "stagger": True,
            },
            "agent": {"hidden": 128},
            "ppo": {**_VOXEL_PPO, "learning_rate": 5e-4, "entropy": 0.002},
            "rewards": {"task_weight": 10.0, "sources": ("items",), "items": {"weight": 0.1, "worth": _WORTH}},
        },
    ),
    "voxel-pixels": Recipe(
        "voxel",
        "the same from 64 x 64 pictures; wants a GPU",
        {
            "steps": 1_000_000_000,
            "num_worlds": 4_096,
            "options": {
                "task": "tools",
                "horizon": 2_000,
                "stagger": True,
                "senses": ("pixels", "vitals", "status", "inventory", "equipment", "action_mask"),
                "patch": 8,
            },
            "agent": {"hidden": 256, "patch": 8, "patch_channels": 64},
            "ppo": {**_VOXEL_PPO, "learning_rate": 5e-4},
            "rewards": {"sources": ("items",), "items": {"weight": 10.0, "worth": _WORTH}},
        },
    ),
    # A patch is one tile of the picture. Low discount and lambda, and a large batch, as in Moon et al. (2023).
    "crafter": Recipe(
        "crafter",
        "the protocol's million steps from pixels",
        {
            "steps": 1_000_000,
            "num_worlds": 16,
            "agent": {"hidden": 256, "patch": 7, "patch_channels": 64},
            "ppo": {**_CRAFTER_PPO, "epochs": 4, "minibatches": 4},
        },
    ),
    # As for Crafter, whose rules these are; a patch is one tile here too.
    "craftax-classic": Recipe(
        "craftax",
        "a million steps from pixels with Crafter's rules",
        {
            "steps": 1_000_000,
            "num_worlds": 32,
            "options": {"variant": "classic", "senses": "pixels"},
            "agent": {"hidden": 256, "patch": 7, "patch_channels": 64},
            "ppo": _CRAFTER_PPO,
        },
    ),
    # The settings of the benchmark's own PPO with memory (Matthews et al. 2024).
    "craftax-full": Recipe(
        "craftax",
        "a billion steps from symbols; wants a GPU",
        {
            "steps": 1_000_000_000,
            "num_worlds": 1_024,
            "options": {"variant": "full", "senses": "symbols"},
            "agent": {"hidden": 512},
            "ppo": {
                "rollout": 64,
                "epochs": 4,
                "minibatches": 8,
                "learning_rate": 2e-4,
                "discount": 0.99,
                "gae_lambda": 0.8,
                "entropy": 0.01,
                "entropy_end": 1.0,
                "max_grad_norm": 1.0,
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
