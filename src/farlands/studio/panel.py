"""What a page shows beside the picture of a world that is walked in, as JSON data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from farlands.studio.portrait import senses_of
from farlands.worlds.voxel.actions import CHOICES, FACTORED_SIZES, ChoiceKind, Hand
from farlands.worlds.voxel.alterations import alter
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.recipes import Station
from farlands.worlds.voxel.state import POSITION_SHIFT, Body, Clock
from farlands.worlds.voxel.tasks.places import rules_seed
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Discrete, WorldSpec

CHOICE_NAMES: tuple[str, ...] = tuple(choice.name for choice in CHOICES)
_HANDS_AT = sum(FACTORED_SIZES[:3])
_CHOICES_AT = sum(FACTORED_SIZES[:4])
_DEGREES = 15
"""Of one step of heading or pitch."""
_STATIONS = {Station.CRAFTING_TABLE: "a crafting table near", Station.FURNACE: "a furnace near"}


def describe_person(world: VoxelWorld, observation: Mapping[str, torch.Tensor], row: int = 0) -> dict[str, Any]:
    """How one agent fares, what it carries, sees, and could do; of a world with factored actions."""
    clock, body = world.store.tensors["clock"][:, 0], world.store.tensors["body"][:, row]
    mask = observation["action_mask"][row].numpy()
    return {
        **senses_of(world.spec, observation, row),
        **describe_level(world, row),
        "time": int(clock[Clock.TIME]),
        "day": int(clock[Clock.TICK]) // world.options.day_length,
        "durability": _durability(world.spec, observation, row),
        "target": _target(world.spec, observation, row),
        "position": position_of(world, row),
        "heading": int(body[Body.YAW]) * _DEGREES,
        "pitch": int(body[Body.PITCH]) * _DEGREES,
        "possible": [CHOICE_NAMES[k] for k in np.flatnonzero(mask[_CHOICES_AT:]) if k],
        "hands": [hand.name.lower() for hand in Hand if hand and mask[_HANDS_AT + hand]],
    }


def describe_level(world: VoxelWorld, row: int = 0) -> dict[str, Any]:
    """The level that world 0 is on, and one agent's steps, rewards and feats in its present life."""
    clock, body = world.store.tensors["clock"][:, 0], world.store.tensors["body"][:, row]
    return {
        "seed": str(level_seed(world)),
        "step": int(clock[Clock.STEP]) - int(body[Body.BORN]),
        "reward": int(body[Body.RETURN]) / 1000,
        "achieved": achieved(world, row),
    }


def level_seed(world: VoxelWorld) -> int:
    """Of the level that world 0 is on, in [0, 2**64)."""
    clock = world.store.tensors["clock"]
    low, high = (int(clock[half, 0]) & 0xFFFFFFFF for half in (Clock.SEED_LOW, Clock.SEED_HIGH))
    return high << 32 | low


def position_of(world: VoxelWorld, row: int = 0) -> list[int]:
    """Block of an agent's feet in world 0: east and north of where the level began, and above bedrock."""
    clock, body = world.store.tensors["clock"][:, 0], world.store.tensors["body"][:, row]
    x, y, z = (int(body[axis]) >> POSITION_SHIFT for axis in (Body.X, Body.Y, Body.Z))
    return [x - int(clock[Clock.START_X]), y - int(clock[Clock.START_Y]), z]


def achieved(world: VoxelWorld, row: int = 0) -> dict[str, int]:
    """Step of the first unlock of each feat that an agent has, in its present life."""
    steps = world.store.tensors["unlocked"][row].tolist()
    return {name: step for name, step in zip(world.spec.achievements, steps, strict=True) if step >= 0}


def why_not(name: str, inventory: Mapping[str, int], options: VoxelOptions) -> str:
    """One line on something that was asked for and is not possible now.

    Args:
        name: Of a choice, or of what the hand does.
        inventory: What is carried, by name.
        options: Of the world.
    """
    recipes, smeltings, _ = alter(rules_seed(options))
    choice = next((each for each in CHOICES if each.name == name), None)
    if choice is None:
        reason = {"use": "there is nothing to use", "eat": "one is full, or carries nothing to eat"}.get(name, "")
    elif choice.kind == ChoiceKind.CRAFT:
        recipe = recipes[choice.argument]
        reason = _needs(recipe.inputs, recipe.station, inventory)
    elif choice.kind == ChoiceKind.SMELT:
        reason = _needs(((smeltings[choice.argument].input, 1),), Station.FURNACE, inventory) + ", and fuel"
    elif choice.kind == ChoiceKind.PLACE:
        item = ITEMS[choice.argument].name
        carried = inventory.get(item, 0) or (choice.either and inventory.get(ITEMS[choice.either].name, 0))
        reason = "nothing there to place it on" if carried else f"no {_plain(item)} is carried"
    elif choice.kind == ChoiceKind.DROP and options.agents == 1:
        reason = "nobody is there to pick it up"
    else:
        reason = "nothing of that kind is carried, or it is in use already"
    return f"{name}: not possible now" + (f"; {reason}" if reason else "")


def name_action(spec: WorldSpec, action: np.ndarray) -> str:
    """One agent's action in words."""
    if isinstance(spec.action, Discrete):
        return spec.action.names[int(action)]
    names = [chosen[int(k)] for chosen, k in zip(spec.action.names, action, strict=True)]  # type: ignore[union-attr]
    names[1] = "jump" if names[1] == "yes" else ""
    names[2] = {"left": "turn_left", "right": "turn_right", "up": "look_up", "down": "look_down"}.get(
        names[2], f"turn_{names[2]}" if names[2] != "none" else ""
    )
    return " ".join(name for name in names if name not in ("none", "")) or "nothing"


def _needs(inputs: tuple[tuple[str, int], ...], station: Station, inventory: Mapping[str, int]) -> str:
    parts = []
    for names, count in inputs:
        have = sum(inventory.get(name, 0) for name in names.split("|"))
        parts.append(f"{count} {' or '.join(_plain(name) for name in names.split('|'))} ({have} carried)")
    return "needs " + ", ".join([*parts, *([_STATIONS[station]] if station in _STATIONS else [])])


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _durability(spec: WorldSpec, observation: Mapping[str, torch.Tensor], row: int) -> dict[str, float]:
    """Share of its uses that each worn thing has left."""
    shares = zip(spec.observation["durability"].labels, observation["durability"][row].tolist(), strict=True)
    return {name: round(share / 255, 3) for name, share in shares if share}


def _target(spec: WorldSpec, observation: Mapping[str, torch.Tensor], row: int) -> dict[str, Any] | None:
    """The block in the crosshair; None for the sky."""
    block = int(observation["target_block"][row, 0])
    if not block:
        return None
    distance, in_reach, stage, _ = observation["target"][row].tolist()
    name = spec.observation["target_block"].categories[block]
    return {"block": name, "distance": distance / 10, "in_reach": bool(in_reach), "break": stage}
