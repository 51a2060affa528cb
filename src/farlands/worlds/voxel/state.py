"""The state of a batch of voxel worlds: struct of arrays, every array named, shaped and hashed.

Units: positions are 1/2048 block in int32, which reaches to +-2^20 blocks; velocities 1/65536 block per tick; rewards,
food and saturation thousandths; times ticks of 0.05 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import warp as wp

from farlands.worlds.voxel.achievements import ACHIEVEMENTS
from farlands.worlds.voxel.actions import NUM_FACTORS
from farlands.worlds.voxel.creatures.columns import MAX_CREATURES, NUM_BEING
from farlands.worlds.voxel.items import ITEMS, NUM_SLOTS
from farlands.worlds.voxel.lying import NUM_LYING, max_lying
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.tasks.events import TALLY

POSITION_SHIFT = 11
POSITION_ONE = 1 << POSITION_SHIFT
VELOCITY_ONE = 1 << 16
VELOCITY_TO_POSITION_SHIFT = 5

MAX_FIXTURES = 64
"""Placed stations a world can hold; placing one more is refused (masked)."""

MAX_PENDING = 256
"""Cells of a world that can wait in each ring of ``matter/pending.py``, a power of two."""

MAX_GROWING = 256
"""Saplings, crops and plots of farmland of a world that can change; one more stays what it is."""

MAX_LEAVES = 256
"""Leaves of a world that can wait to be looked at; one more stays."""

MAX_FUSES = 64
"""TNT of a world that can burn down at the same time; more is blown away with the rest."""

SCRATCH = 512
"""Words of a world for sums that are forgotten at once."""

MAX_LIGHT_CHANGES = 32
"""Changed cells of a world that are noted in a step; after more, its whole window is lit anew."""

NUM_ARMOUR = 4

CHUNK_SHIFT = 4
CHUNK = 1 << CHUNK_SHIFT
"""Land is made, and the window moves, in chunks of 16 x 16 columns."""
PATCH_SHIFT = 3
"""Land is counted in patches of 8 x 8 columns."""
VISITED_BITS = 2048
"""Size of the sketch in which patches are counted."""


class Body(IntEnum):
    """Rows of ``VoxelState.body``."""

    X = 0
    Y = 1
    Z = 2
    VX = 3
    VY = 4
    VZ = 5
    YAW = 6
    """Heading in steps of 15 degrees, 0 north (+y), clockwise, 0 to 23."""
    PITCH = 7
    """Elevation in steps of 15 degrees, -6 (down) to 6 (up)."""
    ON_GROUND = 8
    FALL = 9
    """Blocks fallen so far, in position units."""
    JUMP_PAUSE = 10
    HEALTH = 11
    FOOD = 12
    SATURATION = 13
    EXHAUSTION = 14
    AIR = 15
    HURT = 16
    """Ticks until the next hit counts in full."""
    HURT_DAMAGE = 17
    """Damage of the hit that opened the present hurt window."""
    FIRE = 18
    """Ticks left burning."""
    FOOD_TIMER = 19
    EATING = 20
    """Ticks of the present bite."""
    SLEEPING = 21
    """Ticks slept, 0 when awake."""
    HAND = 22
    """Inventory slot in the hand, -1 for the bare hand."""
    BREAK_CELL = 23
    """Window cell being broken, -1 for none."""
    BREAK_PROGRESS = 24
    BREAK_PAUSE = 25
    HOLDING = 26
    """Whether a sticky break goes on."""
    SMELTING = 27
    """Smelting under way, -1 for none."""
    SMELT_COUNT = 28
    SMELT_PROGRESS = 29
    FUEL = 30
    """Ticks the burning fuel lasts."""
    REGENERATION = 31
    """Thousandths of a health point gained so far."""
    CAUSE = 32
    """How the episode ended: 0 going on, else a ``Cause``."""
    REWARD = 33
    """Reward of the present step, in thousandths."""
    RETURN = 34
    """Sum of rewards of the episode, in thousandths."""
    WALKED = 35
    """Way gone sideways in the episode, in position units."""
    PLACES = 36
    """Bits of ``VoxelState.visited`` set so far."""
    LOWEST = 37
    """Least height of the feet at the end of a step, in blocks."""
    KINDS = 38
    """Kinds of items carried at some time: bits of ``VoxelState.held`` set so far."""
    STRIKE = 39
    """Whether it strikes at the creature or agent in the crosshair in this tick."""
    TEND = 40
    """Whether it feeds or shears the creature in the crosshair in this tick."""
    STRIKE_PAUSE = 41
    """Ticks to the next blow."""
    DRAWN = 42
    """Ticks the bow has been drawn."""
    LOOSE = 43
    """Ticks it had been drawn when it was let go in this tick, 0 otherwise."""
    BORN = 44
    """Steps of the world before this life began; episodes of one agent begin with their world."""
    GONE = 45
    """Whether it has left the world for good; only one of several can."""


class Cause(IntEnum):
    """How an episode ended."""

    NONE = 0
    HORIZON = 1
    GOAL = 2
    FALL = 3
    DROWNING = 4
    LAVA = 5
    FIRE = 6
    CACTUS = 7
    STARVATION = 8
    SUFFOCATION = 9
    EXPLOSION = 10
    ARROW = 11
    ZOMBIE = 12
    SPIDER = 13
    AGENT = 14
    """Killed by another agent."""


class Ring(IntEnum):
    """What the cells of a world wait for, each kind in a ring of its own, because each waits its own time."""

    FALL = 0
    WATER = 1
    LAVA = 2
    FIRE = 3
    GROW = 4
    """To grow at once, by bone meal."""
    TOUCHED = 5
    """What was changed, until it is known whom that concerns; entries carry the block that was there."""


class Clock(IntEnum):
    """Rows of ``VoxelState.clock``, one column per world."""

    TICK = 0
    STEP = 1
    TIME = 2
    """Time of day, 0 to 23,999."""
    EPISODE = 3
    SEED_LOW = 4
    SEED_HIGH = 5
    STREAM_LOW = 6
    STREAM_HIGH = 7
    ORIGIN_X = 8
    """Least block coordinate in the window."""
    ORIGIN_Y = 9
    START_X = 10
    """Block the episode started on."""
    START_Y = 11
    START_Z = 12
    LIMIT = 13
    """Steps after which this episode is cut."""
    REGION_X = 14
    """Least block coordinate of the part of the window made last."""
    REGION_Y = 15
    REGION_NX = 16
    """Its size in blocks."""
    REGION_NY = 17
    JOURNAL_FIRST = 18
    """Place of the oldest entry in ``VoxelState.journal``."""
    JOURNAL_COUNT = 19
    FORGOTTEN = 20
    """Changes that the journal had no room for any more."""
    GROWING_COUNT = 21
    LEAF_COUNT = 22
    FUSE_COUNT = 23
    SWEEP = 24
    """Parts of columns still to go through for changed cells, after a ring was full."""
    OVERFLOWS = 25
    """Times that a ring or the list of leaves had no room."""
    FALL_FIRST = 26
    """Place of the oldest entry in a ring; two rows for each ``Ring``."""
    FALL_COUNT = 27
    WATER_FIRST = 28
    WATER_COUNT = 29
    LAVA_FIRST = 30
    LAVA_COUNT = 31
    FIRE_FIRST = 32
    FIRE_COUNT = 33
    GROW_FIRST = 34
    GROW_COUNT = 35
    TOUCHED_FIRST = 36
    TOUCHED_COUNT = 37
    CREATURES = 38
    """Rows of ``VoxelState.creatures`` in use, the first ones."""
    NAMES = 39
    """Creatures there have been in the episode."""
    TIME_REST = 40
    """What is left over of ``TIME``, in parts of ``Rules.day_length``."""
    LYING = 41
    """Rows of ``VoxelState.lying`` in use, the first ones."""
    LOST = 42
    """Items of the dead for which there was no room on the ground."""
    TRIAL = 43
    """Trials of the episode that are over."""


NUM_BODY = len(Body)
NUM_CLOCK = len(Clock)
NUM_RINGS = len(Ring)
NUM_ITEMS = len(ITEMS)
NUM_ACHIEVEMENTS = len(ACHIEVEMENTS)


@wp.struct
class VoxelState:
    """Arrays on the device. W worlds, R = W * agents rows, S the side of the window.

    blocks: uint8 ``[W, S * S * 64]``, cell ``((x mod S) * S + y mod S) * 64 + z``; read through ``grid.block_at``.
    columns: uint64 ``[W, S * S * 8]``, the same bytes eight cells at a time.
    tops: uint8 ``[W, S * S]``, height of the highest opaque block plus one, by column.
    clock: int32 ``[Clock, W]``. body: int32 ``[Body, R]``.
    slot_item, slot_count: uint8 ``[R, 36]``. slot_wear: int16 ``[R, 36]``, uses so far.
    armour_item: uint8 ``[R, 4]``. armour_wear: int16 ``[R, 4]``.
    counts: int16 ``[R, items]``, how many of each item the slots hold.
    unlocked: int32 ``[R, achievements]``, step of the first unlock, -1 before.
    fixtures: int32 ``[W, 64]``, ``block << 20 | cell`` of placed stations, -1 where free.
    edited: int64 ``[W, S * S]``, by column a bit for each cell that is not as the land was made.
    journal: int64 ``[W, J]``, a ring of changes to land outside the window, see ``journal.py``; zero where free.
    pending_cell, pending_due: int32 ``[W, 6 * 256]``, rings of cells to look at again and of the ticks to do it, see
        ``matter/pending.py``; zero where free.
    growing: int32 ``[W, 256]``, window cells in which something grows, zero beyond their number.
    leaves: int32 ``[W, 256]``, window cells of leaves that may have lost their tree, likewise.
    fuse_cell, fuse_due: int32 ``[W, 64]``, window cells of lit TNT and the ticks at which it explodes, likewise.
    visited: int32 ``[R, 64]``, a sketch of the patches of land set foot in: a bit by hash of the patch.
    tally: int32 ``[R, TALLY]``, what was done in the episode, see ``tasks/events.py``.
    creatures: int32 ``[W, 24, Being]``, the first ``Clock.CREATURES`` in use, zero beyond.
    lying: int32 ``[W, 16 * agents, Lying]``, the first ``Clock.LYING`` in use, zero beyond; one row for one agent, who
        can't drop anything.
    held: int32 ``[R, items / 32]``, a bit for each kind of item that was carried.
    light: uint8 ``[W, S * S * 64]``, light of the sky << 4 | light of blocks, by cell; follows from blocks and tops, so
        it is neither hashed nor saved, see ``light/``. light_words: uint64 ``[W, S * S * 8]``, the same bytes.
    light_changes: int32 ``[W, 32]``, cells changed since light was worked out, and light_count: int32 ``[W]``, how
        many; none between steps.
    action: int32 ``[5, R]``, the decoded action of the present step; not persistent.
    scratch: int32 ``[W, 512]``, room for sums within one thread; not persistent.
    """

    blocks: wp.array2d(dtype=wp.uint8)
    columns: wp.array2d(dtype=wp.uint64)
    tops: wp.array2d(dtype=wp.uint8)
    clock: wp.array2d(dtype=wp.int32)
    body: wp.array2d(dtype=wp.int32)
    slot_item: wp.array2d(dtype=wp.uint8)
    slot_count: wp.array2d(dtype=wp.uint8)
    slot_wear: wp.array2d(dtype=wp.int16)
    armour_item: wp.array2d(dtype=wp.uint8)
    armour_wear: wp.array2d(dtype=wp.int16)
    counts: wp.array2d(dtype=wp.int16)
    unlocked: wp.array2d(dtype=wp.int32)
    fixtures: wp.array2d(dtype=wp.int32)
    edited: wp.array2d(dtype=wp.int64)
    journal: wp.array2d(dtype=wp.int64)
    pending_cell: wp.array2d(dtype=wp.int32)
    pending_due: wp.array2d(dtype=wp.int32)
    growing: wp.array2d(dtype=wp.int32)
    leaves: wp.array2d(dtype=wp.int32)
    fuse_cell: wp.array2d(dtype=wp.int32)
    fuse_due: wp.array2d(dtype=wp.int32)
    visited: wp.array2d(dtype=wp.int32)
    held: wp.array2d(dtype=wp.int32)
    creatures: wp.array3d(dtype=wp.int32)
    lying: wp.array3d(dtype=wp.int32)
    tally: wp.array2d(dtype=wp.int32)
    light: wp.array2d(dtype=wp.uint8)
    light_words: wp.array2d(dtype=wp.uint64)
    light_changes: wp.array2d(dtype=wp.int32)
    light_count: wp.array(dtype=wp.int32)
    action: wp.array2d(dtype=wp.int32)
    scratch: wp.array2d(dtype=wp.int32)


@wp.struct
class Rules:
    """Scalars fixed for the life of a world object, so safe to freeze into captured graphs."""

    agents: wp.int32
    side_shift: wp.int32
    side_mask: wp.int32
    ticks_per_step: wp.int32
    mining_speed: wp.int32
    sticky: wp.int32
    hunger: wp.int32
    horizon: wp.int32
    trials: wp.int32
    stagger: wp.int32
    start_time: wp.int32
    health_reward: wp.int32
    goal: wp.int32
    flat: wp.int32
    growth: wp.uint32
    """Of 2^32: chance per tick that a sapling grows."""
    random_tick: wp.uint32
    """Of 2^32: chance per tick that a crop or a plot of farmland is looked at."""
    animals: wp.int32
    """Most animals that appear by themselves in a window."""
    monsters: wp.int32
    """Most monsters in a window."""
    spawn: wp.uint32
    """Of 2^32: chance that a monster tries to appear, at every fourth tick."""
    gravity: wp.int32
    """Speed that a fall gains in a tick, in velocity units."""
    day_length: wp.int32
    """Ticks that a day lasts."""
    biomes: wp.int32
    """A bit for each ``Biome`` that the land may be."""
    respawn: wp.int32
    """Whether one of several agents that dies comes back."""
    hitting: wp.int32
    """Whether agents can hurt each other."""


@dataclass(frozen=True)
class StateArray:
    """One persistent array: its name, element type, and shape with ``"W"`` or ``"R"`` standing for the batch."""

    name: str
    dtype: type
    shape: tuple[int | str, ...]

    @property
    def batch_axis(self) -> int:
        return next(axis for axis, size in enumerate(self.shape) if isinstance(size, str))

    @property
    def per_row(self) -> bool:
        return "R" in self.shape


def persistent_arrays(side: int, journal: int, agents: int = 1) -> tuple[StateArray, ...]:
    """Every array that makes up a world, what is hashed and saved, by the window's side, the journal's capacity and the
    number of agents.
    """
    return (
        StateArray("blocks", wp.uint8, ("W", side * side * HEIGHT)),
        StateArray("tops", wp.uint8, ("W", side * side)),
        StateArray("clock", wp.int32, (NUM_CLOCK, "W")),
        StateArray("body", wp.int32, (NUM_BODY, "R")),
        StateArray("slot_item", wp.uint8, ("R", NUM_SLOTS)),
        StateArray("slot_count", wp.uint8, ("R", NUM_SLOTS)),
        StateArray("slot_wear", wp.int16, ("R", NUM_SLOTS)),
        StateArray("armour_item", wp.uint8, ("R", NUM_ARMOUR)),
        StateArray("armour_wear", wp.int16, ("R", NUM_ARMOUR)),
        StateArray("counts", wp.int16, ("R", NUM_ITEMS)),
        StateArray("unlocked", wp.int32, ("R", NUM_ACHIEVEMENTS)),
        StateArray("fixtures", wp.int32, ("W", MAX_FIXTURES)),
        StateArray("edited", wp.int64, ("W", side * side)),
        StateArray("journal", wp.int64, ("W", journal)),
        StateArray("pending_cell", wp.int32, ("W", NUM_RINGS * MAX_PENDING)),
        StateArray("pending_due", wp.int32, ("W", NUM_RINGS * MAX_PENDING)),
        StateArray("growing", wp.int32, ("W", MAX_GROWING)),
        StateArray("leaves", wp.int32, ("W", MAX_LEAVES)),
        StateArray("fuse_cell", wp.int32, ("W", MAX_FUSES)),
        StateArray("fuse_due", wp.int32, ("W", MAX_FUSES)),
        StateArray("creatures", wp.int32, ("W", MAX_CREATURES, NUM_BEING)),
        StateArray("lying", wp.int32, ("W", max_lying(agents), NUM_LYING)),
        StateArray("visited", wp.int32, ("R", VISITED_BITS // 32)),
        StateArray("held", wp.int32, ("R", (NUM_ITEMS + 31) // 32)),
        StateArray("tally", wp.int32, ("R", TALLY)),
    )


def allocate_state(num_worlds: int, num_agents: int, side: int, journal: int, device: str) -> VoxelState:
    """A zeroed state on ``device``."""
    sizes = {"W": num_worlds, "R": num_worlds * num_agents}
    state = VoxelState()
    for array in persistent_arrays(side, journal, num_agents):
        shape = tuple(sizes[size] if isinstance(size, str) else size for size in array.shape)
        setattr(state, array.name, wp.zeros(shape, dtype=array.dtype, device=device))
    state.light = wp.zeros((num_worlds, side * side * HEIGHT), dtype=wp.uint8, device=device)
    state.light_changes = wp.zeros((num_worlds, MAX_LIGHT_CHANGES), dtype=wp.int32, device=device)
    state.light_count = wp.zeros(num_worlds, dtype=wp.int32, device=device)
    words = (num_worlds, side * side * (HEIGHT // 8))
    state.columns = wp.array(ptr=state.blocks.ptr, dtype=wp.uint64, shape=words, device=device)
    state.light_words = wp.array(ptr=state.light.ptr, dtype=wp.uint64, shape=words, device=device)
    state.action = wp.zeros((NUM_FACTORS, sizes["R"]), dtype=wp.int32, device=device)
    state.scratch = wp.zeros((num_worlds, SCRATCH), dtype=wp.int32, device=device)
    return state
