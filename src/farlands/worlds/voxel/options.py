"""What can be chosen about the voxel world. Free of heavy imports, so that command lines can show it at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HEIGHT = 64
"""Blocks from bedrock to the top of the world."""

SENSES = (
    "voxels", "vitals", "status", "inventory", "equipment", "durability", "target_block", "target", "compass",
    "position", "entities", "pixels", "depth", "segmentation", "action_mask",
)  # fmt: skip
"""Every observation array there is."""

SYMBOLS = (
    "voxels", "vitals", "status", "inventory", "equipment", "durability", "target_block", "target", "compass",
    "entities", "action_mask",
)  # fmt: skip
"""The symbolic senses: the default."""

PIXELS = ("pixels", "vitals", "status", "inventory", "equipment", "action_mask")
"""The senses of the pixel environments."""

GROWTH_TICKS = 19_115
"""Mean wait of a sapling: two stages of one in seven random ticks, which come to a cell every 4,096 / 3 ticks."""

MAX_ANIMALS = 8
MAX_MONSTERS = 5
"""Most of them that appear by themselves in a window."""

SPAWN_TICKS = 4
"""Ticks between two chances of a monster to try to appear, a power of two; at most it tries each time."""
SPAWN_EVERY = 8
"""Ticks between two tries, on average."""
RANDOM_TICKS = 4096 / 3
"""Mean ticks between two random ticks of a cell: three cells of each 16 x 16 x 16 are drawn every tick."""

DAY = 24_000
"""Units of the time of day, and the ticks of a standard day."""

BIOMES = ("ocean", "plains", "forest", "desert", "snow", "mountains")
"""What land can be like, in the order of ``generation.terrain.Biome``."""

LONG_LIFE = {"horizon": 60_000, "journal": 32_768}
"""What the long-lived environments change: ten days, and a memory of the land that lasts as long."""


@dataclass(frozen=True)
class VoxelOptions:
    """Options of the voxel world. All but senses and looks are part of its rules and recorded with every result."""

    task: Literal["survive", "tools", "diamond", "tasks"] = "survive"
    """What is rewarded: the first unlock of every achievement, the milestones of the diamond chain, or (tools) both; or
    the progress of a task, another in each episode, which the agent then sees among its senses (tasks)."""
    tasks: tuple[str, ...] = ()
    """For --world.task tasks: the tasks themselves, as `farlands tasks` writes them; by default they are drawn."""
    task_count: int = 1_000
    """How many tasks to draw."""
    task_depths: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    """Depths to draw them from, evenly."""
    task_split: str = "structure:train"
    """Part of the tasks to keep to, e.g. structure:test, or of the rules (rules:test) or the land (biome:test) they are
    set in; empty for all of them."""
    task_seed: int = 0
    """Which tasks are drawn."""
    actions: Literal["flat", "factored"] = "flat"
    """One choice among some ninety actions, or one for each of movement, jump, camera, hand and craft/place/equip."""
    horizon: int = 10_000
    """Steps after which an episode is cut."""
    ticks_per_step: int = 4
    """Ticks of 0.05 s that one action lasts."""
    sticky_hand: Literal["auto", "on", "off"] = "auto"
    """Whether a begun break goes on until it ends or the hand or camera does something else. auto: on for flat."""
    mining_speed: int = 1
    """Factor on the progress of breaking blocks; 1 is the genre's own."""
    start_kit: tuple[str, ...] = ()
    """Items carried at the start, e.g. wooden_pickaxe planks:4."""
    start_time: int = 1_000
    """Time of day at the start, in ticks of a day of 24,000 (0 sunrise, 6,000 noon, 13,000 night)."""
    day_length: int = DAY
    """Ticks that a day lasts. The time of day counts to 24,000 at any length."""
    gravity: float = 1.0
    """Factor on how fast bodies fall, 0.25 to 4; 1 is the genre's own. Above 1.35 nobody can jump up a block."""
    biomes: tuple[str, ...] = ()
    """What the land may be like: ocean, plains, forest, desert, snow, mountains; all of them if empty."""
    altered_rules: int = 0
    """Which alteration of recipes, smelting and drops holds; 0 for the standard rules."""
    hunger: bool = True
    """Whether effort makes hungry; hunger stops healing and, at its worst, takes health down to one point."""
    growth_rate: float = 1.0
    """Factor on how fast things grow; 1 is the genre's own, sixteen minutes of the world's time for a tree."""
    creatures: Literal["all", "animals", "none"] = "all"
    """Which creatures there are."""
    spawn_rate: float = 1.0
    """Factor on how readily monsters appear in the dark."""
    window: int = 64
    """Side of the square of land each world holds, in blocks: 32, 64 or 128."""
    endless: bool = True
    """Whether the land goes on for ever; if not, the first window is all there is and its edge cannot be passed."""
    journal: int = 2_048
    """Changes to land left behind that a world remembers; beyond, the oldest are forgotten."""
    trials: int = 1
    """Attempts that an episode holds: after each but the last the level begins anew, with the same task, while the
    agent's memory goes on. Its senses then tell which trial it is."""
    no_reset: bool = False
    """Whether a world outlives its agent: after death, or the horizon, a new life begins where the level began, in the
    land as it was left."""
    agents: int = 1
    """Agents in each world, 1 to 8. They see, block, hit and can give things to each other, and stay within one
    window."""
    respawn: bool = True
    """Of several agents: whether one that dies comes back where the level began; if not, it is gone until the world
    begins anew, which it does when all are gone or at the horizon."""
    hitting: bool = True
    """Whether agents can hurt each other; if not, their blows and arrows pass through others."""
    stagger: bool = False
    """Cut each world's first episode at a random step, so that a batch does not end its episodes all at once."""
    senses: tuple[str, ...] = SYMBOLS
    """Observation arrays to hand out."""
    cube: tuple[int, int, int] = (5, 7, 7)
    """Size of the block cube around the agent: up, ahead, right; odd numbers."""
    sight: int = 24
    """How far the crosshair and the eye reach, in blocks."""
    width: int = 64
    """Width of the pictures, in pixels."""
    height: int = 64
    """Height of the pictures, in pixels."""
    patch: int = 0
    """Side of the square patches that the sense `pixels` is stored in, for networks that read such patches and then
    need not cut them out; 0 for rows of pixels. Must divide width and height."""
    field_of_view: float = 70.0
    """Vertical opening angle of the pictures, in degrees."""
    texture_seed: int = 0
    """Which hues and grain the pictures' textures have; 0 for the standard ones."""
    gamma: float = 1.0
    """Exponent on the brightness of the pictures, 0.25 to 4: below 1 they are brighter, above it darker."""
