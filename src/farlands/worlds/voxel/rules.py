"""What kernels know of a batch's options: fixed numbers, worked out once."""

from __future__ import annotations

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID, TASKS
from farlands.worlds.voxel.options import (
    BIOMES,
    GROWTH_TICKS,
    MAX_ANIMALS,
    MAX_MONSTERS,
    RANDOM_TICKS,
    SPAWN_EVERY,
    SPAWN_TICKS,
    VoxelOptions,
)
from farlands.worlds.voxel.physics import GRAVITY
from farlands.worlds.voxel.state import Rules
from farlands.worlds.voxel.tables import MILLI
from farlands.worlds.voxel.tasks.places import land_biomes

_MOST = 2**32 - 1


def make_rules(options: VoxelOptions) -> Rules:
    """The rules of a batch with these options."""
    o = options
    task = TASKS[o.task]
    rules = Rules()
    rules.agents = o.agents
    rules.side_shift = o.window.bit_length() - 1
    rules.side_mask = o.window - 1
    rules.ticks_per_step = o.ticks_per_step
    rules.mining_speed = o.mining_speed
    rules.sticky = int(o.sticky_hand == "on" or (o.sticky_hand == "auto" and o.actions == "flat"))
    rules.hunger = int(o.hunger)
    rules.horizon = o.horizon
    rules.trials = o.trials
    rules.stagger = int(o.stagger)
    rules.start_time = o.start_time
    rules.health_reward = round(task.per_health * MILLI)
    rules.goal = ACHIEVEMENT_ID[task.goal] if task.goal else -1
    rules.flat = int(o.actions == "flat")
    rules.animals = MAX_ANIMALS if o.creatures != "none" else 0
    rules.monsters = MAX_MONSTERS if o.creatures == "all" else 0
    rules.gravity = round(GRAVITY * o.gravity)
    rules.day_length = o.day_length
    rules.biomes = sum(1 << BIOMES.index(name) for name in set(land_biomes(o)))
    rules.spawn = _chance(o.spawn_rate * SPAWN_TICKS / SPAWN_EVERY)
    rules.growth = _chance(o.growth_rate / GROWTH_TICKS)
    rules.random_tick = _chance(o.growth_rate / RANDOM_TICKS)
    rules.respawn = int(o.respawn)
    rules.hitting = int(o.hitting)
    return rules


def _chance(share: float) -> int:
    """A chance as what a 32-bit draw has to be below."""
    return min(round(2**32 * share), _MOST)
