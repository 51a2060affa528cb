"""Predicates and feats reduced to acts, and what is forbidden reduced to bans."""

from __future__ import annotations

import itertools

import pytest

from farlands.worlds.voxel.achievements import ACHIEVEMENTS
from farlands.worlds.voxel.alterations import STANDARD
from farlands.worlds.voxel.expert.bans import NO_BANS, Bans, ban_of
from farlands.worlds.voxel.expert.wants import CARRIED, MATERIALS, ORDER, armour_for, wants_of
from farlands.worlds.voxel.items import ARMOUR_PIECES, ITEM_ID, ITEMS, armour_name
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.predicates import PREDICATES, Timing
from farlands.worlds.voxel.tasks.tree import Leaf


@pytest.mark.parametrize("feat", [each.name for each in ACHIEVEMENTS])
def test_every_feat_is_reduced_to_acts(feat: str):
    wants = wants_of(Leaf("unlock", (feat,)), 1)
    assert wants
    for want in wants:
        assert want.name in ORDER, want
        for demand in CARRIED.get(want.name, lambda want: [])(want):
            assert demand.count > 0
            assert all(name in ITEM_ID for name in demand.names.split("|")), demand


def test_every_event_count_is_an_act():
    counts = [row.name for row in PREDICATES if row.timing == Timing.EVENT]
    assert set(counts) <= set(ORDER)


def test_feats_name_what_will_do():
    assert wants_of(Leaf("unlock", ("collect_log",)), 1)[0].things == ("oak_log", "spruce_log")
    assert [want.things for want in wants_of(Leaf("unlock", ("wear_iron_armour",)), 1)] == [
        ("iron_helmet",), ("iron_chestplate",), ("iron_leggings",), ("iron_boots",),
    ]  # fmt: skip
    assert wants_of(Leaf("unlock", ("kill_cow",)), 1)[0].things == ("cow",)


@pytest.mark.parametrize(
    ("text", "bans"),
    [
        ("gain(log)", Bans(gain=frozenset({"oak_log", "spruce_log"}))),
        ("craft(stick)", Bans(craft=frozenset({"stick"}))),
        ("break(leaves)", Bans(breaks=frozenset({"oak_leaves", "spruce_leaves"}))),
        ("unlock(place_furnace)", Bans(place=frozenset({"furnace"}))),
        ("unlock(eat)", Bans(events=frozenset({"eat"}))),
        ("unlock(kill_zombie)", Bans(kill=frozenset({"zombie"}))),
        ("above(40)", NO_BANS),
    ],
)
def test_what_is_forbidden(text: str, bans: Bans):
    assert ban_of(parse(text)) == bans


def test_blocks_that_may_drop_what_is_forbidden_are_left_alone():
    blocks = ban_of(parse("gain(flint)")).untouchable(STANDARD)
    assert blocks == {"gravel"}
    assert ban_of(parse("unlock(collect_apple)")).untouchable(STANDARD) == {"oak_leaves", "spruce_leaves"}
    assert (ban_of(parse("break(clay)")) | ban_of(parse("gain(coal)"))).untouchable(STANDARD) == {"clay", "coal_ore"}


@pytest.mark.parametrize("points", [1, 2, 5, 7, 10, 15, 20])
def test_armour_is_the_cheapest_that_brings_the_points(points: int):
    price = {"leather": 3.0, "iron": 5.0, "diamond": 20.0}
    cost = {armour_name(m, slot): price[m] * (1 + slot) for m in MATERIALS for slot in ARMOUR_PIECES}
    worn = ("iron_helmet", "nothing", "nothing", "nothing")
    found = armour_for(points, worn, cost.__getitem__)
    had = ITEMS[ITEM_ID["iron_helmet"]].armour_points

    def total(names: tuple[str, ...]) -> int:
        by_slot = {0: had} | {}
        for name in names:
            item = ITEMS[ITEM_ID[name]]
            by_slot[item.armour] = max(item.armour_points, by_slot.get(item.armour, 0))
        return sum(by_slot.values())

    assert total(tuple(found)) >= points
    every = [names for n in range(5) for names in itertools.combinations(cost, n) if total(names) >= points]
    assert sum(map(cost.__getitem__, found)) == min(sum(map(cost.__getitem__, names)) for names in every)


def test_armour_that_nobody_could_wear_is_not_asked_for():
    assert armour_for(21, ("nothing",) * 4, lambda name: 1.0) == []
