"""The agent that comes with Farlands, at work beside a person: in the next world over, or in the same one.

It decides five times a second, one action for four ticks, as it learned to.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from farlands.agents.noise import uniforms
from farlands.runtime.subject import named_actor
from farlands.studio.panel import achieved, describe_level
from farlands.studio.portrait import senses_of
from farlands.worlds.voxel.actions import FACTORED_SIZES, FLAT_ACTIONS, LONE_ACTIONS, Camera, Hand
from farlands.worlds.voxel.crosshair import NO_CELL
from farlands.worlds.voxel.options import SYMBOLS, VoxelOptions
from farlands.worlds.voxel.spec import world_spec
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Step, WorldSpec

AGENT = "pretrained"
TICKS = 4
"""Ticks that one of its actions lasts."""
_BOW = "bow"
_STARTS = np.cumsum((0, *FACTORED_SIZES[:-1]))
_FLAT_ROWS = np.array([(a.move, a.jump, a.camera, a.hand, a.choice) for a in FLAT_ACTIONS])


class Mind:
    """The shipped agent as one that acts for one row, whoever steps the world.

    Args:
        options: Of a world as it was made for: its senses and flat actions.

    Raises:
        UserError: It does not fit them.
    """

    def __init__(self, options: VoxelOptions) -> None:
        self._actor = named_actor(AGENT)(world_spec(options), torch.device("cpu"))
        self._decisions = 0
        self.forget()

    def forget(self) -> None:
        """A new episode begins."""
        self._memory, self._first = self._actor.initial_memory(1), torch.ones(1, dtype=torch.bool)

    @torch.no_grad()
    def decide(self, observation: dict[str, torch.Tensor]) -> int:
        """The flat action it chooses, for an observation of one row."""
        noise = uniforms(0, torch.zeros(1, dtype=torch.int64), torch.tensor(self._decisions), self._actor.noise_size)
        act = self._actor.act(observation, self._memory, self._first, noise)
        self._memory, self._first = act.memory, torch.zeros(1, dtype=torch.bool)
        self._decisions += 1
        return int(act.action[0])


class Neighbour:
    """It lives in a world of its own, on the level that the person is on, which it begins anew when its life ends.

    Args:
        options: Of the person's world; its rules are kept, but for how long an action lasts.
        seed: Of the level.

    Attributes:
        world: Its world.
        lives: That have ended.
        action: Name of what it did last.
    """

    def __init__(self, options: VoxelOptions, seed: int) -> None:
        horizon = -(-options.horizon // TICKS)
        options = dataclasses.replace(
            options, actions="flat", ticks_per_step=TICKS, horizon=horizon, agents=1, senses=SYMBOLS
        )
        self._mind = Mind(options)
        self.world = VoxelWorld(1, options, num_shards=1)
        self._seen = self.world.allocate()
        self.lives, self.action = -1, ""
        self.begin(seed)

    def begin(self, seed: int) -> None:
        """Begin a level."""
        self._seed = seed
        self.world.reset([seed], self._seen)
        self._mind.forget()
        self.lives += 1

    def act(self) -> None:
        """One action."""
        index = self._mind.decide(self._seen.observation)
        self.action = FLAT_ACTIONS[index].name
        self.world.step(torch.tensor([index], dtype=torch.int32), self._seen)
        if bool(self._seen.terminated[0] | self._seen.truncated[0]):
            self.begin(self._seed)

    def picture(self, height: int, width: int) -> np.ndarray:
        """What it sees, uint8 ``[height, width, 3]``."""
        return self.world.render([0], height, width)[0].numpy()

    def describe(self, seen: Step) -> dict[str, Any]:
        """How it fares, as JSON data; what the person's world shows is another matter."""
        told = {"where": "next-world", "lives": self.lives, "action": self.action}
        return told | describe_level(self.world) | senses_of(self.world.spec, self._seen.observation, 0)

    def achieved(self) -> dict[str, int]:
        """Step of the first unlock of each feat of this life."""
        return achieved(self.world)

    def close(self) -> None:
        """Release its world."""
        self.world.close()


class Companion:
    """It acts for one agent of the person's world, tick by tick.

    Its four-tick actions are made of four rows: it moves, jumps and uses its hand for all of them, turns and chooses
    in the first. What its hand had begun to break it goes on breaking, as hands do in the world it was made for. It is
    not offered what only several agents can do, which it never learned: dropping things.

    Args:
        world: Of factored actions, one tick a step.
        row: Which agent.
    """

    def __init__(self, world: VoxelWorld, row: int = 1) -> None:
        self._world, self._row = world, row
        options = dataclasses.replace(world.options, actions="flat", ticks_per_step=TICKS, agents=1, senses=SYMBOLS)
        self._mind = Mind(options)
        self._shown = tuple(name for name in SYMBOLS if name != "action_mask")
        self.lives = 0
        self.begin()

    @property
    def action(self) -> str:
        """Name of what it does."""
        return FLAT_ACTIONS[self._chosen].name

    def begin(self) -> None:
        """A life begins."""
        self._mind.forget()
        self._tick, self._chosen = 0, 0
        self._attacked, self._cell = False, NO_CELL

    def next_row(self, observation: dict[str, torch.Tensor]) -> tuple[int, int, int, int, int]:
        """Its row of the coming tick.

        Args:
            observation: Of all rows of the world.
        """
        row = slice(self._row, self._row + 1)
        if self._tick == 0:
            seen = {name: observation[name][row] for name in self._shown}
            seen["action_mask"] = torch.from_numpy(flat_mask(observation["action_mask"][row].numpy()))
            self._chosen = self._mind.decide(seen)
        move, jump, camera, hand, choice = _FLAT_ROWS[self._chosen].tolist()
        if self._tick:
            camera, choice = int(Camera.NONE), 0
            if hand == Hand.USE and self._in_hand(observation) != _BOW:
                # Using is done once to an action; only a bow is drawn on.
                hand = int(Hand.NONE)
        busy = camera != Camera.NONE or choice or hand not in (Hand.NONE, Hand.ATTACK)
        hand = self._go_on_breaking(hand, bool(busy))
        self._tick = (self._tick + 1) % TICKS
        return move, jump, camera, hand, choice

    def follow(self, seen: Step) -> None:
        """Take in that the world has made a step."""
        if bool(seen.terminated[self._row] | seen.truncated[self._row]):
            self.begin()
            self.lives += 1

    def describe(self, seen: Step) -> dict[str, Any]:
        """How it fares, as JSON data, where the world shows what it shows."""
        told = {"where": "same-world", "lives": self.lives, "action": self.action}
        return told | describe_level(self._world, self._row) | senses_of(self._world.spec, seen.observation, self._row)

    def achieved(self) -> dict[str, int]:
        """Step of the first unlock of each feat of this life."""
        return achieved(self._world, self._row)

    def _go_on_breaking(self, hand: int, busy: bool) -> int:
        """What the hand does: attack, too, where it does nothing else and what it attacked is not yet broken."""
        under_way = int(self._world.store.tensors["body"][Body.BREAK_CELL, self._row])
        if self._attacked or self._cell != under_way:
            self._cell = under_way if self._attacked else NO_CELL
        if busy:
            self._cell = NO_CELL
        self._attacked = hand == Hand.ATTACK
        return int(Hand.ATTACK) if hand == Hand.NONE and self._cell != NO_CELL else hand

    def _in_hand(self, observation: dict[str, torch.Tensor]) -> str:
        return held_item(self._world.spec, observation, self._row)


def held_item(spec: WorldSpec, observation: Mapping[str, torch.Tensor], row: int) -> str:
    """Name of the item in an agent's hand, ``nothing`` for none."""
    return spec.observation["equipment"].categories[int(observation["equipment"][row, 0])]


def flat_mask(mask: np.ndarray) -> np.ndarray:
    """What one agent alone could do, of the flat actions, where a mask of factored ones holds.

    Args:
        mask: uint8 ``[R, sum of the factors' sizes]``.

    Returns:
        uint8 ``[R, flat actions]``.
    """
    possible = np.logical_and.reduce(mask[:, _STARTS + _FLAT_ROWS], axis=-1)
    possible[:, LONE_ACTIONS:] = False
    return possible.astype(np.uint8)
