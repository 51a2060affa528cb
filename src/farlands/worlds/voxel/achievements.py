"""One-off feats of an episode and what each task pays for them. Data only; ``inventory.py`` and friends unlock them."""

from __future__ import annotations

from dataclasses import dataclass

from farlands.worlds.voxel.blocks import ToolClass
from farlands.worlds.voxel.creatures.kinds import LIVING
from farlands.worlds.voxel.items import tool_name


@dataclass(frozen=True)
class Achievement:
    """One feat.

    Attributes:
        name: Its id in words.
        items: Unlocked by gaining any of these items, by whatever means.
        places: Unlocked by putting up any of these items as blocks.
        event: Unlocked by what is done: ``eat``, ``sleep`` (through a night), ``wear_iron`` and the like (all four
            pieces), ``till``, ``shear``, ``breed``, ``shoot`` (hit with an arrow), ``kill_zombie`` and the like.
    """

    name: str
    items: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    event: str = ""


def _collect(name: str, *items: str) -> Achievement:
    return Achievement(f"collect_{name}", items=items or (name,))


def _make(name: str) -> Achievement:
    return Achievement(f"make_{name}", items=(name,))


_TOOLS = (ToolClass.PICKAXE, ToolClass.AXE, ToolClass.SHOVEL, ToolClass.SWORD)

ACHIEVEMENTS: tuple[Achievement, ...] = (
    _collect("log", "oak_log", "spruce_log"),
    _collect("dirt"),
    _collect("sand"),
    _collect("gravel"),
    _collect("flint"),
    _collect("clay"),
    _collect("snow"),
    _collect("flower", "red_flower", "yellow_flower"),
    _collect("sapling", "oak_sapling", "spruce_sapling"),
    _collect("cactus"),
    _collect("apple"),
    _collect("cobblestone"),
    _collect("coal"),
    _collect("iron_ore"),
    _collect("gold_ore"),
    _collect("diamond"),
    _collect("obsidian"),
    _make("planks"),
    _make("stick"),
    _make("crafting_table"),
    _make("torch"),
    _make("furnace"),
    _make("ladder"),
    _make("door"),
    _make("bed"),
    _make("shears"),
    _make("charcoal"),
    _make("stone"),
    _make("glass"),
    _make("iron_ingot"),
    _make("gold_ingot"),
    _make("golden_apple"),
    *(_make(tool_name(m, tool)) for m in ("wooden", "stone", "iron", "diamond") for tool in _TOOLS),
    Achievement("place_crafting_table", places=("crafting_table",)),
    Achievement("place_furnace", places=("furnace",)),
    Achievement("place_torch", places=("torch",)),
    Achievement("place_sapling", places=("oak_sapling", "spruce_sapling")),
    Achievement("eat", event="eat"),
    Achievement("sleep", event="sleep"),
    Achievement("wear_iron_armour", event="wear_iron"),
    Achievement("wear_diamond_armour", event="wear_diamond"),
    _collect("seeds", "wheat_seeds"),
    _collect("wheat"),
    _collect("wool"),
    _collect("leather"),
    _collect("feather"),
    _collect("string"),
    _collect("bone"),
    _collect("gunpowder"),
    _collect("meat", "beef", "porkchop", "mutton", "chicken"),
    _collect("water", "water_bucket"),
    _collect("lava", "lava_bucket"),
    Achievement("cook_meat", items=("cooked_beef", "cooked_porkchop", "cooked_mutton", "cooked_chicken")),
    _make("bread"),
    _make("bucket"),
    _make("bow"),
    _make("arrow"),
    _make("flint_and_steel"),
    Achievement("make_hoe", items=tuple(tool_name(m, ToolClass.HOE) for m in ("wooden", "stone", "iron", "diamond"))),
    _make("tnt"),
    Achievement("place_seeds", places=("wheat_seeds",)),
    Achievement("place_tnt", places=("tnt",)),
    Achievement("wear_leather_armour", event="wear_leather"),
    *(Achievement(event, event=event) for event in ("till", "shear", "breed", "shoot")),
    *(Achievement(f"kill_{name}", event=f"kill_{name}") for name in LIVING),
)

ACHIEVEMENT_ID: dict[str, int] = {a.name: index for index, a in enumerate(ACHIEVEMENTS)}


@dataclass(frozen=True)
class Task:
    """What an episode pays.

    Attributes:
        rewards: Reward of the first unlock in an episode, by achievement.
        per_health: Reward per health point gained (lost: the negative).
        goal: Achievement that ends the episode as a success; empty for none.
    """

    rewards: dict[str, float]
    per_health: float = 0.0
    goal: str = ""


# The rewards that became standard for the chain from a log to a diamond pickaxe.
_MILESTONES: dict[str, float] = {
    "collect_log": 1, "make_planks": 2, "make_stick": 4, "make_crafting_table": 4, "make_wooden_pickaxe": 8,
    "collect_cobblestone": 16, "make_furnace": 32, "make_stone_pickaxe": 32, "collect_iron_ore": 64,
    "make_iron_ingot": 128, "make_iron_pickaxe": 256, "collect_diamond": 1024, "make_diamond_pickaxe": 2048,
}  # fmt: skip

TASKS: dict[str, Task] = {
    "survive": Task({a.name: 1.0 for a in ACHIEVEMENTS}, per_health=0.1),
    # The feats show a beginner what its hands can do; the milestones say which of them lead on.
    "tools": Task({a.name: 1.0 + _MILESTONES.get(a.name, 0.0) for a in ACHIEVEMENTS}, per_health=0.1),
    "diamond": Task(_MILESTONES, goal="make_diamond_pickaxe"),
    # What is paid and what ends an episode is its own task's business.
    "tasks": Task({}),
}
