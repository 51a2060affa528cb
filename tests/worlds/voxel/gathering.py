"""Flat worlds of several agents, to be looked at and never stepped: who stands where is written into the state.

Coordinates are those of ``conftest.Arena``: (0, 0, 0) is the cell of the feet at the start, x east, y north, z up.
"""

from __future__ import annotations

import torch
import warp as wp

from farlands.worlds.voxel.blocks import AIR, BEDROCK, BLOCK_ID, STONE
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID, CREATURES
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.lying import Lying
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import POSITION_ONE, Body, Clock
from farlands.worlds.voxel.world import VoxelWorld

FLOOR = 32
"""Height of the first free cell above the floor."""


class Gathering:
    """Worlds of ``agents`` each; all agents are gone but those that were put somewhere."""

    def __init__(self, num_worlds: int, agents: int, **options: object) -> None:
        chosen = {"endless": False, "start_time": 6_000, "actions": "factored"} | options
        self.world = VoxelWorld(num_worlds, VoxelOptions(agents=agents, **chosen), num_shards=1)  # type: ignore[arg-type]
        self.world.reset(0)
        state, self.side, self.agents = self.world.state, self.world.options.window, agents
        self.blocks = wp.to_torch(state.blocks).view(num_worlds, self.side, self.side, 64)
        self.tops = wp.to_torch(state.tops).view(num_worlds, self.side, self.side)
        self.clock, self.body = wp.to_torch(state.clock), wp.to_torch(state.body)
        self.creatures, self.lying = wp.to_torch(state.creatures), wp.to_torch(state.lying)
        self.slot_item, self.slot_count = wp.to_torch(state.slot_item), wp.to_torch(state.slot_count)
        self.clear()

    def clear(self) -> Gathering:
        """An empty floor and nobody there."""
        self.blocks[...] = AIR
        self.blocks[..., :FLOOR] = STONE
        self.blocks[..., 0] = BEDROCK
        self.tops[...] = FLOOR
        self.clock[Clock.ORIGIN_X : Clock.ORIGIN_Y + 1] = -(self.side // 2)
        self.clock[[Clock.CREATURES, Clock.LYING, Clock.START_X, Clock.START_Y]] = 0
        self.clock[Clock.TIME] = self.world.options.start_time
        for array in (self.creatures, self.lying, self.body, self.slot_item, self.slot_count):
            array.zero_()
        self.body[Body.GONE] = 1
        self.body[[Body.HAND, Body.BREAK_CELL, Body.SMELTING]] = -1
        self.body[Body.HEALTH] = 20
        return self

    def row(self, agent: int, world: int = 0) -> int:
        """Row of an agent."""
        return world * self.agents + agent

    def put_agent(
        self, agent: int, x: float, y: float, z: float = 0.0, *, yaw: int = 0, holds: str = "", world: int = 0,
        **columns: int,
    ) -> None:  # fmt: skip
        """Let an agent stand there; more rows by the names of ``Body``."""
        r = self.row(agent, world)
        self.body[Body.GONE, r], self.body[Body.YAW, r] = 0, yaw
        for axis, value in ((Body.X, x), (Body.Y, y), (Body.Z, z + FLOOR)):
            self.body[axis, r] = round(value * POSITION_ONE)
        if holds:
            self.slot_item[r, 5], self.slot_count[r, 5], self.body[Body.HAND, r] = ITEM_ID[holds], 1, 5
        for column, value in columns.items():
            self.body[Body[column], r] = value

    def drop(self, item: str, x: float, y: float, z: float = 0.0, *, count: int = 1, world: int = 0) -> None:
        """Let an item lie there."""
        k = int(self.clock[Clock.LYING, world])
        row = self.lying[world, k]
        row[Lying.ITEM], row[Lying.COUNT] = ITEM_ID[item], count
        for axis, value in ((Lying.X, x), (Lying.Y, y), (Lying.Z, z + FLOOR)):
            row[axis] = round(value * POSITION_ONE)
        self.clock[Clock.LYING, world] = k + 1

    def put_creature(self, name: str, x: float, y: float, *, yaw: int = 0, world: int = 0, **columns: int) -> None:
        """Let a creature stand there; more columns by the names of ``Being``."""
        k = int(self.clock[Clock.CREATURES, world])
        row = self.creatures[world, k]
        row[Being.KIND], row[Being.YAW] = CREATURE_ID[name], yaw
        row[Being.HEALTH] = CREATURES[CREATURE_ID[name] - 1].health
        for axis, value in ((Being.X, x), (Being.Y, y), (Being.Z, FLOOR)):
            row[axis] = round(value * POSITION_ONE)
        for column, value in columns.items():
            row[Being[column]] = value
        self.clock[Clock.CREATURES, world] = k + 1

    def wall(self, y: int, block: str = "stone") -> None:
        """A wall from west to east, in every world."""
        i = torch.arange(-12, 13) % self.side
        self.blocks[:, i, y % self.side, FLOOR : FLOOR + 5] = BLOCK_ID[block]
        self.tops[:, i, y % self.side] = FLOOR + 5

    def look(self) -> dict[str, torch.Tensor]:
        """What everybody perceives, by key ``[R, ...]``."""
        self.world.relight()
        return self.world.observe(self.world.allocate()).observation
