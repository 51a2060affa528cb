"""The blocks: one row each. Ids are bytes below 128, in the order of the table; 0 is air.

Hardness and tools follow the survival-crafting genre (in the units of the mining-time rule in
``breaking.py``). Adding a block appends a row: ids are part of save files and of the rules hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Shape(IntEnum):
    """How a block meets a body and a ray."""

    EMPTY = 0
    """Air: nothing there."""
    CUBE = 1
    """Fills its cell: stops bodies and rays."""
    PLANT = 2
    """Drawn as crossed planes; bodies pass, the crosshair hits it."""
    FLUID = 3
    """Bodies swim in it, the crosshair passes through it."""
    LADDER = 4
    """Bodies climb in it, the crosshair hits it."""
    DOORWAY = 5
    """An open door: bodies pass, the crosshair hits it."""


class ToolClass(IntEnum):
    """Which kind of tool works a block faster, and which kind an item is."""

    NONE = 0
    PICKAXE = 1
    AXE = 2
    SHOVEL = 3
    SWORD = 4
    SHEARS = 5
    HOE = 6
    BOW = 7
    BUCKET = 8
    LIGHTER = 9


class Fluid(IntEnum):
    """Which fluid a block is, if any."""

    NONE = 0
    WATER = 1
    LAVA = 2


class Look(IntEnum):
    """Sixteen classes that tell blocks apart for small networks; the value is its code of four bits.

    Bits from the highest: solid ground, wood or plant, mineral, special.
    """

    AIR = 0b0000
    WATER = 0b0001
    FIXTURE = 0b0010
    LAVA = 0b0011
    PLANT = 0b0100
    FURNITURE = 0b0101
    CRAFTING_TABLE = 0b0110
    FURNACE = 0b0111
    SOIL = 0b1000
    OTHER_SOLID = 0b1001
    ROCK = 0b1010
    ORE = 0b1011
    LOG = 0b1100
    LEAVES = 0b1101
    PLANKS = 0b1110
    BEDROCK = 0b1111


UNBREAKABLE = -1.0
HOLDS = 3_600.0
"""Blast resistance of what no explosion breaks."""


@dataclass(frozen=True)
class Block:
    """One kind of block.

    Attributes:
        name: Its id in words.
        hardness: Mining hardness; 0 breaks at once, ``UNBREAKABLE`` never.
        tool: The class of tool that is faster on it.
        tier: Least tier of that tool that makes it drop (0: any hand will do; 1 wood, 2 stone, 3 iron, 4 diamond).
        shape: How bodies and rays meet it.
        drop: Name of the item it drops; empty for none.
        drop_one_in: The drop comes with chance ``1 / drop_one_in``.
        rare_drop: A second item, dropped instead of the first with chance ``1 / rare_one_in``.
        rare_one_in: See ``rare_drop``.
        look: Class for small networks.
        opaque: Whether it casts full shade on what is under it. Trees don't: woods are bright.
        light: Light it gives off, 0 to 15.
        replaceable: Whether placing a block may overwrite it.
        falls: Whether it falls where nothing is under it.
        grows: Whether it becomes something else in time.
        fluid: Which fluid it is.
        level: How full of fluid it is: 8 for a source and for what falls, 7 to 1 for what has run that far.
        catches: How easily fire beside it spreads to it, 0 (never) to 60.
        burns: How soon it is burnt by fire beside it, 0 (never) to 100.
        resistance: What an explosion loses in going through a block of it, see ``matter/explosions.py``.
    """

    name: str
    hardness: float
    tool: ToolClass = ToolClass.NONE
    tier: int = 0
    shape: Shape = Shape.CUBE
    drop: str = ""
    drop_one_in: int = 1
    rare_drop: str = ""
    rare_one_in: int = 0
    look: Look = Look.OTHER_SOLID
    opaque: bool = True
    light: int = 0
    replaceable: bool = False
    falls: bool = False
    grows: bool = False
    fluid: Fluid = Fluid.NONE
    level: int = 0
    catches: int = 0
    burns: int = 0
    resistance: float = 0.0


FULL = 8
"""Level of a source, and of what falls."""
WATER_RUNS = 7
LAVA_RUNS = 3
"""How many blocks a fluid runs from its source on level ground."""
WHEAT_STAGES = 8

_PICK, _AXE, _SHOVEL = ToolClass.PICKAXE, ToolClass.AXE, ToolClass.SHOVEL


def _soil(name: str, hardness: float, drop: str, tier: int = 0, **more: object) -> Block:
    return Block(name, hardness, _SHOVEL, tier, drop=drop, look=Look.SOIL, resistance=hardness, **more)  # type: ignore[arg-type]


def _rock(name: str, hardness: float, tier: int, drop: str, look: Look = Look.ROCK, resistance: float = 3.0) -> Block:
    return Block(name, hardness, _PICK, tier, drop=drop, look=look, resistance=resistance)


def _leaves(name: str, sapling: str) -> Block:
    return Block(
        name, 0.2, ToolClass.SHEARS, drop=sapling, drop_one_in=20, rare_drop="apple", rare_one_in=40,
        look=Look.LEAVES, opaque=False, catches=30, burns=60, resistance=0.2,
    )  # fmt: skip


def _plant(name: str, drop: str, **more: object) -> Block:
    return Block(name, 0.0, shape=Shape.PLANT, drop=drop, look=Look.PLANT, opaque=False, **more)  # type: ignore[arg-type]


def _fluid(name: str, fluid: Fluid, level: int) -> Block:
    look, light = (Look.WATER, 0) if fluid == Fluid.WATER else (Look.LAVA, 15)
    return Block(
        name, UNBREAKABLE, shape=Shape.FLUID, look=look, opaque=False, light=light, replaceable=True, fluid=fluid,
        level=level, resistance=100.0,
    )  # fmt: skip


def _wheat(stage: int) -> Block:
    if stage == WHEAT_STAGES - 1:
        return _plant("ripe_wheat", "wheat")
    return _plant(f"wheat_{stage}", "wheat_seeds", grows=True)


BLOCKS: tuple[Block, ...] = (
    Block("air", UNBREAKABLE, shape=Shape.EMPTY, look=Look.AIR, opaque=False, replaceable=True),
    Block("bedrock", UNBREAKABLE, look=Look.BEDROCK, resistance=HOLDS),
    _rock("stone", 1.5, 1, "cobblestone", resistance=6.0),
    _soil("dirt", 0.5, "dirt"),
    _soil("grass", 0.6, "dirt"),
    _soil("sand", 0.5, "sand", falls=True),
    _soil("gravel", 0.6, "gravel", rare_drop="flint", rare_one_in=10, falls=True),
    _soil("clay", 0.6, "clay"),
    _soil("snow", 0.2, "snow", tier=1),
    Block("ice", 0.5, _PICK, drop="", opaque=False, resistance=0.5),
    _fluid("water", Fluid.WATER, FULL),
    _fluid("lava", Fluid.LAVA, FULL),
    Block("oak_log", 2.0, _AXE, drop="oak_log", look=Look.LOG, opaque=False, catches=5, burns=5, resistance=2.0),
    Block("spruce_log", 2.0, _AXE, drop="spruce_log", look=Look.LOG, opaque=False, catches=5, burns=5, resistance=2.0),
    _leaves("oak_leaves", "oak_sapling"),
    _leaves("spruce_leaves", "spruce_sapling"),
    Block("cactus", 0.4, drop="cactus", look=Look.OTHER_SOLID, opaque=False, resistance=0.4),
    _plant("tall_grass", "wheat_seeds", drop_one_in=8, replaceable=True, catches=60, burns=100),
    _plant("red_flower", "red_flower", catches=60, burns=100),
    _plant("yellow_flower", "yellow_flower", catches=60, burns=100),
    _plant("oak_sapling", "oak_sapling", grows=True),
    _plant("spruce_sapling", "spruce_sapling", grows=True),
    _rock("coal_ore", 3.0, 1, "coal", Look.ORE),
    _rock("iron_ore", 3.0, 2, "iron_ore", Look.ORE),
    _rock("gold_ore", 3.0, 3, "gold_ore", Look.ORE),
    _rock("diamond_ore", 3.0, 3, "diamond", Look.ORE),
    _rock("cobblestone", 2.0, 1, "cobblestone", resistance=6.0),
    _rock("obsidian", 50.0, 4, "obsidian", resistance=1200.0),
    Block("planks", 2.0, _AXE, drop="planks", look=Look.PLANKS, catches=5, burns=20, resistance=3.0),
    Block("glass", 0.3, opaque=False, resistance=0.3),
    Block("wool", 0.8, ToolClass.SHEARS, drop="wool", catches=30, burns=60, resistance=0.8),
    Block("crafting_table", 2.5, _AXE, drop="crafting_table", look=Look.CRAFTING_TABLE, resistance=2.5),
    Block("furnace", 3.5, _PICK, 1, drop="furnace", look=Look.FURNACE, resistance=3.5),
    Block("torch", 0.0, shape=Shape.PLANT, drop="torch", look=Look.FIXTURE, opaque=False, light=14),
    Block("ladder", 0.4, _AXE, shape=Shape.LADDER, drop="ladder", look=Look.FIXTURE, opaque=False, resistance=0.4),
    Block("bed", 0.2, drop="bed", look=Look.FURNITURE, opaque=False, resistance=0.2),
    Block("door", 3.0, _AXE, drop="door", look=Look.FURNITURE, opaque=False, resistance=3.0),
    Block("open_door", 3.0, _AXE, shape=Shape.DOORWAY, drop="door", look=Look.FIXTURE, opaque=False, resistance=3.0),
    *(_fluid(f"water_{level}", Fluid.WATER, level) for level in range(1, WATER_RUNS + 1)),
    _fluid("falling_water", Fluid.WATER, FULL),
    *(_fluid(f"lava_{level}", Fluid.LAVA, level) for level in range(1, LAVA_RUNS + 1)),
    _fluid("falling_lava", Fluid.LAVA, FULL),
    Block("fire", 0.0, shape=Shape.PLANT, look=Look.LAVA, opaque=False, light=15, replaceable=True),
    _soil("farmland", 0.6, "dirt", grows=True),
    _soil("wet_farmland", 0.6, "dirt", grows=True),
    *(_wheat(stage) for stage in range(WHEAT_STAGES)),
    Block("tnt", 0.0, drop="tnt", look=Look.FURNITURE, catches=15, burns=100),
    Block("lit_tnt", UNBREAKABLE, look=Look.FURNITURE, falls=True),
)


def is_restless(block: Block) -> bool:
    """Whether a change beside a block can change it: what runs, falls, burns, is lit, or needs something to hold it."""
    if block.fluid or block.falls or block.shape in (Shape.PLANT, Shape.LADDER, Shape.DOORWAY):
        return True
    return block.name in ("cactus", "bed", "door", "tnt", "farmland", "wet_farmland")


BLOCK_ID: dict[str, int] = {block.name: index for index, block in enumerate(BLOCKS)}

AIR = BLOCK_ID["air"]
BEDROCK = BLOCK_ID["bedrock"]
STONE = BLOCK_ID["stone"]
DIRT = BLOCK_ID["dirt"]
GRASS = BLOCK_ID["grass"]
SAND = BLOCK_ID["sand"]
GRAVEL = BLOCK_ID["gravel"]
CLAY = BLOCK_ID["clay"]
SNOW = BLOCK_ID["snow"]
ICE = BLOCK_ID["ice"]
WATER = BLOCK_ID["water"]
LAVA = BLOCK_ID["lava"]
CACTUS = BLOCK_ID["cactus"]
TORCH = BLOCK_ID["torch"]
LADDER = BLOCK_ID["ladder"]
CRAFTING_TABLE = BLOCK_ID["crafting_table"]
FURNACE = BLOCK_ID["furnace"]
BED = BLOCK_ID["bed"]
DOOR = BLOCK_ID["door"]
OPEN_DOOR = BLOCK_ID["open_door"]
WATER_1 = BLOCK_ID["water_1"]
FALLING_WATER = BLOCK_ID["falling_water"]
LAVA_1 = BLOCK_ID["lava_1"]
FALLING_LAVA = BLOCK_ID["falling_lava"]
FIRE = BLOCK_ID["fire"]
FARMLAND = BLOCK_ID["farmland"]
WET_FARMLAND = BLOCK_ID["wet_farmland"]
WHEAT_0 = BLOCK_ID["wheat_0"]
RIPE_WHEAT = BLOCK_ID["ripe_wheat"]
TNT = BLOCK_ID["tnt"]
LIT_TNT = BLOCK_ID["lit_tnt"]
OAK_LOG = BLOCK_ID["oak_log"]
SPRUCE_LOG = BLOCK_ID["spruce_log"]
OAK_LEAVES = BLOCK_ID["oak_leaves"]
SPRUCE_LEAVES = BLOCK_ID["spruce_leaves"]
OAK_SAPLING = BLOCK_ID["oak_sapling"]
SPRUCE_SAPLING = BLOCK_ID["spruce_sapling"]
COBBLESTONE = BLOCK_ID["cobblestone"]
OBSIDIAN = BLOCK_ID["obsidian"]
