"""What every item takes: how deep it lies, what must be had and broken on the way, about how many steps.

Built from the rule tables it is given, so altered recipes and start kits are judged by what they are. The depth of an
item is that of ``depths.item_depths``, over what the land really grows and the actions really offer.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from farlands.worlds.voxel.actions import CHOICES, FLAT_ACTIONS
from farlands.worlds.voxel.blocks import BLOCKS, UNBREAKABLE, Block, ToolClass
from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.recipes import FUELS, RECIPES, SMELTING_TICKS, SMELTINGS, Recipe, Smelting, Station
from farlands.worlds.voxel.tasks.land import LAND, MET, RIPENING_STEPS, Deposit

STATION_ITEM = {Station.CRAFTING_TABLE: "crafting_table", Station.FURNACE: "furnace"}
TICKS_PER_STEP = 4
HOES: tuple[str, ...] = tuple(item.name for item in ITEMS if item.tool == ToolClass.HOE)
_STATION_STEPS = 10


@dataclass(frozen=True, slots=True)
class Way:
    """The way to one of an item: of the least deep ones that with the fewest steps.

    Attributes:
        depth: Acts that rest on each other, the item's own included; 0 for what is in the start kit.
        steps: Rough number of steps for one more, once all of ``once`` is there.
        once: Tools and stations that have to be had once, ``find:`` blocks and creatures, and ``ripen:`` what ripens.
        needs: Items that come into the slots on the way, itself included.
        breaks: Blocks broken and creatures killed on the way.
        recipe, smelting, block, creature: How: one is set, except for the start kit and what comes of using things.
    """

    depth: int
    steps: float
    once: frozenset[str]
    needs: frozenset[str]
    breaks: frozenset[str]
    recipe: Recipe | None = None
    smelting: Smelting | None = None
    block: str = ""
    creature: str = ""


_NOTHING: frozenset[str] = frozenset()


def flat_choices() -> frozenset[str]:
    """Names of the choices that flat actions offer."""
    return frozenset(CHOICES[action.choice].name for action in FLAT_ACTIONS)


class TechTree:
    """Ways to all items under given rules.

    Args:
        recipes, smeltings, blocks: The rule tables.
        kit: Items carried at the start, by name.
        choices: Names of the choices (see ``actions.CHOICES``) there are; None for all of them.
        min_share: Least share of levels that must grow a block for it to be counted on.
        land: What the land grows.
        met: Which creatures are met.
        growth: Factor on how fast things grow.
    """

    def __init__(
        self,
        recipes: Iterable[Recipe] = RECIPES,
        smeltings: Iterable[Smelting] = SMELTINGS,
        blocks: Iterable[Block] = BLOCKS,
        *,
        kit: Mapping[str, int] | None = None,
        choices: frozenset[str] | None = None,
        min_share: float = 0.0,
        land: Mapping[str, Deposit] = LAND,
        met: Mapping[str, Deposit] = MET,
        growth: float = 1.0,
    ) -> None:
        self.blocks = {block.name: block for block in blocks}
        self.recipes, self.smeltings = tuple(recipes), tuple(smeltings)
        self.kit = dict(kit or {})
        self.choices = choices
        self.min_share = min_share
        self.land, self.met = land, met
        self.growth = growth
        start = Way(0, 0.0, _NOTHING, _NOTHING, _NOTHING)
        self.ways: dict[str, Way] = dict.fromkeys(self.kit, start)
        self._settle()

    @functools.cached_property
    def natural(self) -> TechTree:
        """The same rules without the start kit."""
        if not self.kit:
            return self
        return TechTree(
            self.recipes, self.smeltings, self.blocks.values(), choices=self.choices, min_share=self.min_share,
            land=self.land, met=self.met, growth=self.growth,
        )  # fmt: skip

    def offers(self, choice: str) -> bool:
        """Whether the actions offer a choice."""
        return self.choices is None or choice in self.choices

    def grows(self, block: str) -> bool:
        """Whether a block can be counted on in the land."""
        return block in self.land and self.land[block].share >= self.min_share

    def meets(self, creature: str) -> bool:
        """Whether a kind of creature can be counted on."""
        return creature in self.met and self.met[creature].share >= self.min_share

    def way(self, names: str | Iterable[str]) -> Way | None:
        """The best way to any of some items, None where there is none."""
        known = [self.ways[n] for n in ([names] if isinstance(names, str) else names) if n in self.ways]
        return min(known, key=lambda way: (way.depth, way.steps), default=None)

    def _settle(self) -> None:
        """Depth by depth, so that each way rests on ways that are settled."""
        left = {item.name for item in ITEMS[1:]} - set(self.ways)
        while left:
            found: dict[str, Way] = {}
            for item, way in self._all_ways():
                if item in left and (item not in found or (way.depth, way.steps) < _key(found[item])):
                    found[item] = way
            if not found:
                return
            least = min(way.depth for way in found.values())
            self.ways |= {item: way for item, way in found.items() if way.depth == least}
            left -= set(self.ways)

    def _all_ways(self) -> Iterator[tuple[str, Way]]:
        for block in self.blocks.values():
            if self.grows(block.name):
                way = self.breaking(block.name)
                for item, one_in in ((block.drop, block.drop_one_in), (block.rare_drop, block.rare_one_in)):
                    if item and way is not None:
                        own = frozenset((item,))
                        yield (
                            item,
                            Way(way.depth, way.steps * one_in, way.once, way.needs | own, way.breaks, block=block.name),
                        )
        for creature in CREATURES:
            hunt = self.killing(creature.name)
            for drop in creature.drops if hunt is not None else ():
                each = hunt.steps * 2 / (drop.least + drop.most)
                yield drop.item, replace(hunt, steps=each, needs=frozenset((drop.item,)), creature=creature.name)
        yield from self._uses()
        for recipe in self.recipes:
            if (made := self.crafting(recipe)) is not None:
                yield recipe.output, made
        for smelting in self.smeltings:
            if (made := self.smelting(smelting)) is not None:
                yield smelting.output, made

    def killing(self, name: str) -> Way | None:
        """The way to having killed a creature of a kind; None where none can be counted on."""
        if not self.meets(name):
            return None
        return Way(1, self.met[name].each, frozenset((f"find:{name}",)), _NOTHING, frozenset((name,)))

    def _uses(self) -> Iterator[tuple[str, Way]]:
        """What comes of using things on the land: filled buckets, and wheat that was sown."""
        bucket = self.ways.get("bucket") if self.offers("equip_bucket") else None
        for fluid in ("water", "lava"):
            if bucket is not None and self.grows(fluid):
                yield f"{fluid}_bucket", self._using(f"{fluid}_bucket", [bucket], bucket.steps + 10, f"find:{fluid}")
        hoe = self.way(HOES) if self.offers("equip_hoe") else None
        seeds = self.ways.get("wheat_seeds") if self.offers("place_wheat_seeds") else None
        if hoe is not None and seeds is not None and self.growth > 0:
            tool = min((name for name in HOES if self.ways.get(name) is hoe), default="")
            yield "wheat", self._using("wheat", [hoe, seeds], seeds.steps, "ripen:wheat", tool)

    def _using(self, item: str, ways: list[Way], steps: float, *once: str) -> Way:
        return Way(
            1 + max(way.depth for way in ways),
            steps,
            frozenset().union(*(way.once for way in ways), once),
            frozenset().union(*(way.needs for way in ways), (item,)),
            frozenset().union(*(way.breaks for way in ways)),
        )

    def breaking(self, name: str) -> Way | None:
        """The way to having broken a grown block with what makes it drop; None where there is none."""
        block = self.blocks[name]
        if block.hardness == UNBREAKABLE:
            return None
        held, tool = self._tool_for(block)
        if tool is None:
            return None
        per_hardness = 30 / (ITEMS[ITEM_ID[held]].speed if held else 1)
        steps = self.land[name].each + math.ceil(block.hardness * per_hardness) / TICKS_PER_STEP
        once = tool.once | {f"find:{name}"} | ({held} if held else _NOTHING)
        return Way(1 + tool.depth, steps, once, tool.needs, tool.breaks | {name})

    def _tool_for(self, block: Block) -> tuple[str, Way | None]:
        """The least deep tool that makes a block drop: its name, empty for the hand, and its way."""
        if block.tier == 0:
            return "", Way(0, 0.0, _NOTHING, _NOTHING, _NOTHING)
        fit = [item.name for item in ITEMS if item.tool == block.tool and item.tier >= block.tier]
        equips = self.offers(f"equip_{ToolClass(block.tool).name.lower()}")
        known = [name for name in fit if name in self.ways and equips]
        best = min(known, key=lambda name: _key(self.ways[name]), default="")
        return best, self.ways.get(best)

    def crafting(self, recipe: Recipe) -> Way | None:
        """The way through a recipe; None where something is missing."""
        if not self.offers(f"craft_{recipe.output}"):
            return None
        parts = [(self.way(names.split("|")), count) for names, count in recipe.inputs]
        return self._made(parts, recipe.station, recipe.output, recipe.count, 1.0, recipe=recipe)

    def smelting(self, smelting: Smelting) -> Way | None:
        """The way through a furnace; None where something is missing."""
        if not self.offers(f"smelt_{smelting.output}"):
            return None
        parts = [(self.way(smelting.input.split("|")), 1), (self.way(FUELS), 1)]
        steps = SMELTING_TICKS / TICKS_PER_STEP
        return self._made(parts, Station.FURNACE, smelting.output, 1, steps, smelting=smelting)

    def _made(
        self, parts: list, station: Station, output: str, count: int, steps: float, **how: Recipe | Smelting
    ) -> Way | None:
        stood: Way | None = Way(-1, 0.0, _NOTHING, _NOTHING, _NOTHING)
        name = STATION_ITEM.get(station, "")
        if name:
            stood = self.ways.get(name) if self.offers(f"place_{name}") else None
        ways = [way for way, _ in parts]
        if stood is None or any(way is None for way in ways):
            return None
        every = [*ways, stood]
        once = frozenset().union(*(way.once for way in every)) | ({name} if name else _NOTHING)
        return Way(
            1 + max(*(way.depth for way in ways), stood.depth + 1),
            (sum(way.steps * n for way, n in parts) + steps) / count,
            once,
            frozenset().union(*(way.needs for way in every), (output,)),
            frozenset().union(*(way.breaks for way in every)),
            **how,  # type: ignore[arg-type]
        )

    def once_steps(self, name: str) -> float:
        """Rough number of steps for one of ``Way.once``."""
        if name.startswith("find:"):
            thing = name.removeprefix("find:")
            return (self.met if thing in self.met else self.land)[thing].search
        if name.startswith("ripen:"):
            return RIPENING_STEPS / self.growth
        return self.ways[name].steps + (_STATION_STEPS if name in STATION_ITEM.values() else 1)


def _key(way: Way) -> tuple[int, float]:
    return way.depth, way.steps


@functools.cache
def default_tree(flat: bool = True, min_share: float = 0.0) -> TechTree:
    """The tree of the standard rules, with the choices of flat actions or with all."""
    return TechTree(choices=flat_choices() if flat else None, min_share=min_share)
