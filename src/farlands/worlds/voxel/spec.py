"""What the voxel world looks like from outside: its observation arrays, actions, and the hash of its rules."""

from __future__ import annotations

import dataclasses
import hashlib
import json

from farlands.errors import closest
from farlands.worlds.voxel.achievements import ACHIEVEMENTS, TASKS
from farlands.worlds.voxel.actions import CHOICES, FACTORED_NAMES, FACTORED_SIZES, FLAT_ACTIONS
from farlands.worlds.voxel.alterations import alter
from farlands.worlds.voxel.blocks import BLOCKS, ToolClass
from farlands.worlds.voxel.creatures.columns import ENTITIES, ENTITY_LABELS, ENTITY_WIDTH
from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.depths import achievement_depths
from farlands.worlds.voxel.items import ITEMS, Item
from farlands.worlds.voxel.kit import parse_kit
from farlands.worlds.voxel.lying import MAX_AGENTS
from farlands.worlds.voxel.measures import MEASURES
from farlands.worlds.voxel.options import GROWTH_TICKS, SENSES, SPAWN_EVERY, SPAWN_TICKS, VoxelOptions
from farlands.worlds.voxel.recipes import FUELS
from farlands.worlds.voxel.tasks.bank import task_bank
from farlands.worlds.voxel.tasks.goal import goal_specs
from farlands.worlds.voxel.tasks.places import land_biomes, rules_seed
from farlands.worlds.world import ArraySpec, Discrete, MultiDiscrete, WorldSpec

RULES_VERSION = 7
"""Raised whenever code, not data, changes what the same seed and actions lead to."""

TASK_SUCCESS = 1_000
"""Thousandths of a point that a fulfilled task pays on top of its progress."""

_PRESENTATION = ("senses", "cube", "sight", "width", "height", "patch", "field_of_view", "texture_seed", "gamma")
"""Options that change what is seen, not what happens."""

_BLOCK_NAMES = tuple(block.name for block in BLOCKS)
_SEEN_NAMES = (*_BLOCK_NAMES, *(creature.name for creature in CREATURES), "agent", "item")
_ITEM_NAMES = tuple(item.name for item in ITEMS)
_LOOK_BITS = tuple(tuple((block.look >> bit) & 1 for bit in (3, 2, 1, 0)) for block in BLOCKS)
_ONE_HOT_BLOCKS = tuple(tuple(int(i == j) for j in range(len(BLOCKS))) for i in range(len(BLOCKS)))


def _item_bits(item: Item) -> tuple[int, ...]:
    """Sixteen bits: nine tool classes, three of tier, armour, placeable, food, anything at all."""
    tool = [int(item.tool == k) for k in ToolClass if k]
    tier = [(item.tier >> bit) & 1 for bit in (2, 1, 0)]
    return (
        *tool,
        *tier,
        int(item.armour >= 0),
        int(bool(item.places)),
        int(item.food > 0),
        int(item.name != "nothing"),
    )


def num_actions(options: VoxelOptions) -> int:
    """Length of the action mask."""
    return len(FLAT_ACTIONS) if options.actions == "flat" else sum(FACTORED_SIZES)


def _symbol_specs(options: VoxelOptions) -> dict[str, ArraySpec]:
    return {
        "voxels": ArraySpec(
            options.cube, "uint8", 0, len(BLOCKS) - 1, categories=_BLOCK_NAMES, class_bits=_LOOK_BITS,
            description="Blocks around the agent [up, ahead, right], the feet in the middle, turned to the heading.",
        ),
        "vitals": ArraySpec(
            (5,), "uint8", 0, 20, labels=("health", "food", "saturation", "air", "armour"),
            description="Points of 20.",
        ),
        "status": ArraySpec(
            (6,), "uint8", 0, 1, labels=("on_ground", "in_water", "in_lava", "on_ladder", "burning", "asleep"),
            description="Flags.",
        ),
        "inventory": ArraySpec(
            (len(ITEMS),), "int16", 0, 36 * 64, labels=_ITEM_NAMES, description="How many of each item are carried.",
        ),
        "equipment": ArraySpec(
            (5,), "uint8", 0, len(ITEMS) - 1, labels=("hand", "helmet", "chestplate", "leggings", "boots"),
            categories=_ITEM_NAMES, class_bits=tuple(_item_bits(item) for item in ITEMS),
            description="Items in the hand and worn.",
        ),
        "durability": ArraySpec(
            (5,), "uint8", 0, 255, labels=("hand", "helmet", "chestplate", "leggings", "boots"),
            description="Share of uses left, of 255; 0 for things that don't wear.",
        ),
        "target_block": ArraySpec(
            (1,), "uint8", 0, len(BLOCKS) - 1, categories=_BLOCK_NAMES, class_bits=_ONE_HOT_BLOCKS,
            description="Block in the crosshair within sight; air if none.",
        ),
        "target": ArraySpec(
            (4,), "uint8", 0, 255, labels=("distance", "in_reach", "break_stage", "face"),
            description="Distance in tenths of a block; flag; 0 to 10; 0 none, 1 top, 2 bottom, 3 side.",
        ),
        "compass": ArraySpec(
            (9,), "int8", -127, 127,
            labels=(
                "heading_sin", "heading_cos", "heading_rest", "pitch", "start_ahead", "start_right", "height",
                "time_sin", "time_cos",
            ),
            description=(
                "Heading and time of day on circles of 127; 42 per 15 degrees beyond the quarter the cube is turned "
                "to; pitch 21 per 15 degrees; way back to the start and height in blocks."
            ),
        ),
        "position": ArraySpec(
            (6,), "int16", -32_767, 32_767,
            labels=("east", "north", "height", "part_east", "part_north", "part_up"),
            description=(
                "What a map would tell: the block of the feet, east and north of the start and above bedrock, and the "
                "place within it in parts of 2,048."
            ),
        ),
        "entities": ArraySpec(
            (ENTITIES, ENTITY_WIDTH), "int8", -127, 127, labels=ENTITY_LABELS,
            description=(
                "The nearest creatures, other agents and lying items in sight: quarters of a block ahead, right and "
                "up; heading against the agent's on a circle of 127; health times 6; 127 for hurt, roused, young and "
                "its kind. Of an item health is how many there are, and the column item its id; of an agent item is "
                "the id of what it holds, and roused that it strikes or draws. Zeros where there are none."
            ),
        ),
    }  # fmt: skip


def _picture_specs(options: VoxelOptions) -> dict[str, ArraySpec]:
    size, patch = (options.height, options.width), options.patch
    grid = (options.height // patch, options.width // patch) if patch else ()
    stored = (grid[0] * grid[1], patch, patch, 3) if patch else (*size, 3)
    return {
        "pixels": ArraySpec(
            stored, "uint8", 0, 255, grid=grid,
            description=f"First-person picture, {'patches in ' * bool(patch)}rows from the top, RGB.",
        ),
        "depth": ArraySpec(size, "uint8", 0, 255, description="Distance along the ray, 255 at the limit of sight."),
        "segmentation": ArraySpec(
            size, "uint8", 0, len(_SEEN_NAMES) - 1, categories=_SEEN_NAMES,
            description="Block, creature, other agent or lying item seen by each pixel; air for sky.",
        ),
    }  # fmt: skip


def observation_spec(options: VoxelOptions) -> dict[str, ArraySpec]:
    """The arrays asked for, in the order of ``SENSES``."""
    names = FLAT_ACTIONS if options.actions == "flat" else ()
    everything = {
        **_symbol_specs(options),
        **_picture_specs(options),
        "action_mask": ArraySpec(
            (num_actions(options),), "uint8", 0, 1, labels=tuple(action.name for action in names),
            description="1 where a choice is possible now.",
        ),
    }  # fmt: skip
    chosen = {name: everything[name] for name in SENSES if name in options.senses}
    if options.trials > 1:
        chosen["trial"] = ArraySpec(
            (2,), "uint8", 0, options.trials - 1, labels=("over", "to_come"), description="Trials of this episode.",
        )  # fmt: skip
    return chosen | (goal_specs() if options.task == "tasks" else {})


def action_spec(options: VoxelOptions) -> Discrete | MultiDiscrete:
    """The chosen action space."""
    if options.actions == "flat":
        return Discrete(len(FLAT_ACTIONS), tuple(action.name for action in FLAT_ACTIONS))
    return MultiDiscrete(FACTORED_SIZES, FACTORED_NAMES)


def rules_hash(options: VoxelOptions) -> str:
    """Hash of the tables, of the options that change what happens, and of the tasks that are set."""
    chosen = {k: v for k, v in dataclasses.asdict(options).items() if k not in _PRESENTATION}
    recipes, smeltings, blocks = alter(rules_seed(options))
    tables = (blocks, ITEMS, recipes, smeltings, FUELS, ACHIEVEMENTS, CHOICES, FLAT_ACTIONS)
    rows = [[dataclasses.asdict(row) if dataclasses.is_dataclass(row) else row for row in table] for table in tables]
    tasks = [str(task) for task in task_bank(options)] if options.task == "tasks" else []
    document = json.dumps([RULES_VERSION, chosen, rows, *([tasks] if tasks else [])], sort_keys=True, default=str)
    return hashlib.sha256(document.encode()).hexdigest()[:16]


def world_spec(options: VoxelOptions) -> WorldSpec:
    """The whole spec of a world with these options."""
    task = TASKS[options.task]
    most = sum(task.rewards.values()) + 20 * task.per_health
    least = -20.0 * task.per_health
    if options.task == "tasks":
        least, most = -1.0, 1.0 + TASK_SUCCESS / 1_000
    return WorldSpec(
        name=f"voxel-{options.task}",
        observation=observation_spec(options),
        action=action_spec(options),
        reward_range=(least, most),
        horizon=options.horizon,
        trials=options.trials,
        achievements=tuple(a.name for a in ACHIEVEMENTS),
        depths=achievement_depths(alter(rules_seed(options))),
        goal="task" if options.task == "tasks" else task.goal,
        measures=MEASURES,
        rules=rules_hash(options),
    )


def check_options(options: VoxelOptions) -> None:
    """Raise ValueError in one line for an option that can't be."""
    positive = {
        "agents": MAX_AGENTS, "trials": 255, "horizon": 2**30, "ticks_per_step": 1000, "mining_speed": 1000,
        "journal": 2**20, "width": 4096, "height": 4096,
    }  # fmt: skip
    for name, most in positive.items():
        value = getattr(options, name)
        if not 1 <= value <= most:
            raise ValueError(f"{name} {value} is out of range: 1 to {most}")
    if options.trials > 1 and (options.agents > 1 or options.no_reset):
        other = "agents share a world" if options.agents > 1 else "no_reset keeps the land"
        raise ValueError(f"trials {options.trials}: a level cannot begin anew where {other}")
    if options.task not in TASKS:
        raise ValueError(f"task: no task named {options.task!r}; {closest(options.task, tuple(TASKS))}")
    if options.actions not in ("flat", "factored"):
        raise ValueError(f"actions: {options.actions!r} is not one of flat, factored")
    if options.sticky_hand not in ("auto", "on", "off"):
        raise ValueError(f"sticky_hand: {options.sticky_hand!r} is not one of auto, on, off")
    if options.creatures not in ("all", "animals", "none"):
        raise ValueError(f"creatures: {options.creatures!r} is not one of all, animals, none")
    if not 0.0 <= options.spawn_rate <= SPAWN_EVERY / SPAWN_TICKS:
        raise ValueError(f"spawn_rate {options.spawn_rate} is out of range: 0 to {SPAWN_EVERY / SPAWN_TICKS:g}")
    for name in ("gravity", "gamma"):
        if not 0.25 <= getattr(options, name) <= 4.0:
            raise ValueError(f"{name} {getattr(options, name)} is out of range: 0.25 to 4")
    if not 240 <= options.day_length <= 2_400_000:
        raise ValueError(f"day_length {options.day_length} is out of range: 240 to 2400000")
    if not 0 <= options.texture_seed < 2**31:
        raise ValueError(f"texture_seed {options.texture_seed} is out of range: 0 (the standard textures) to 2**31 - 1")
    land_biomes(options)
    rules_seed(options)
    if options.window not in (32, 64, 128):
        raise ValueError(f"window {options.window} is not one of 32, 64, 128")
    if not 0 <= options.start_time < 24_000:
        raise ValueError(f"start_time {options.start_time} is out of range: 0 to 23999")
    if not 5 <= options.sight <= 64:
        raise ValueError(f"sight {options.sight} is out of range: 5 (the reach of the hand) to 64")
    if options.patch < 0 or (options.patch and (options.width % options.patch or options.height % options.patch)):
        size = f"{options.height} x {options.width}"
        raise ValueError(f"patch {options.patch} does not divide pictures of {size}; 0 stores them in rows")
    if not 10.0 <= options.field_of_view <= 150.0:
        raise ValueError(f"field_of_view {options.field_of_view} is out of range: 10 to 150")
    if not 0.0 <= options.growth_rate <= GROWTH_TICKS:
        raise ValueError(f"growth_rate {options.growth_rate} is out of range: 0 to {GROWTH_TICKS}")
    if len(options.cube) != 3 or any(size % 2 != 1 or not 1 <= size <= 31 for size in options.cube):
        raise ValueError(f"cube {options.cube} is not three odd numbers of 1 to 31")
    for sense in options.senses:
        if sense not in SENSES:
            raise ValueError(f"senses: no sense named {sense!r}; {closest(sense, SENSES)}")
    if options.task == "tasks":
        task_bank(options)
    if not options.senses:
        raise ValueError("senses: at least one is needed")
    parse_kit(options.start_kit)
