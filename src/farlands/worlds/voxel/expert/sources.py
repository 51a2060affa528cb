"""Ways to items that are neither blocks to break nor recipes, with what they may take."""

from __future__ import annotations

from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.creatures.kinds import CREATURES, Temper
from farlands.worlds.voxel.expert.bans import Bans
from farlands.worlds.voxel.expert.hunting import Hunter, is_shaggy
from farlands.worlds.voxel.expert.planner import Source
from farlands.worlds.voxel.expert.view import View
from farlands.worlds.voxel.expert.wants import STRONG_WEAPONS, WEAPONS

HUNT, SHEAR, SCOOP = "hunt", "shear", "scoop"
_CHASE = 300.0
"""Ticks that killing something near may take, and (below) finding an animal, or a monster."""
_SEARCH = {Temper.PEACEFUL: 3_000.0, Temper.HOSTILE: 12_000.0}
_RISK = 3_000.0
"""Ticks that hunting a monster with a wooden sword is worse than with a better one; the bare hand, thrice that."""
_SHEARED_WOOL = 2.0
_ANIMAL_TOOLS: tuple[tuple[float, tuple[str, ...]], ...] = ((0.0, ()),)
_MONSTER_TOOLS = ((0.0, ("|".join(STRONG_WEAPONS),)), (_RISK, ("|".join(WEAPONS),)), (3 * _RISK, ()))
"""What is taken along, and the ticks it is worse than the best."""
_WAY = 400.0
_FAR_WAY = 8_000.0


def known_sources(view: View, hunter: Hunter, bans: Bans) -> list[Source]:
    """Every such way that is not forbidden, as it looks from here."""
    found = []
    for creature in (each for each in CREATURES if each.name not in bans.kill):
        near = hunter.find(creature.name) is not None if creature.drops else False
        ticks = _CHASE if near else _SEARCH.get(creature.temper, 0.0)
        for risk, tools in _MONSTER_TOOLS if creature.temper == Temper.HOSTILE else _ANIMAL_TOOLS:
            found += [
                Source(f"{HUNT} {creature.name}", drop.item, ticks * 2 / (drop.least + drop.most) + risk, tools=tools)
                for drop in creature.drops
            ]
    sheep = hunter.find("sheep", is_shaggy) is not None
    ticks = (_CHASE if sheep else _SEARCH[Temper.PEACEFUL]) / _SHEARED_WOOL
    if SHEAR not in bans.events:
        found.append(Source(SHEAR, "wool", ticks, tools=("shears",)))
    blocks = view.window()
    for fluid in ("water", "lava"):
        way = _WAY if (blocks == BLOCK_ID[fluid]).any() else _FAR_WAY
        found.append(Source(f"{SCOOP} {fluid}", f"{fluid}_bucket", way, uses=("bucket",)))
    return found
