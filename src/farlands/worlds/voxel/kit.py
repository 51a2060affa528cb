"""What agents carry at the start, as people write it."""

from __future__ import annotations

from farlands.errors import closest
from farlands.worlds.voxel.items import ITEM_ID, ITEMS, NUM_SLOTS

_ITEM_NAMES = tuple(item.name for item in ITEMS)


def parse_kit(kit: tuple[str, ...]) -> list[tuple[int, int]]:
    """``("planks:4", "wooden_pickaxe")`` to (item id, count) pairs, one for each item.

    Raises:
        ValueError: There is no such item, a count is none, or the kit does not fit the slots.
    """
    counts: dict[int, int] = {}
    for entry in kit:
        name, _, count = entry.partition(":")
        if name not in ITEM_ID or name == "nothing":
            raise ValueError(f"start_kit: no item named {name!r}; {closest(name, _ITEM_NAMES[1:])}")
        if count and not (count.isdecimal() and 1 <= int(count) <= 36 * 64):
            raise ValueError(f"start_kit: {entry!r} is not ITEM or ITEM:COUNT with a count of 1 to {36 * 64}")
        counts[ITEM_ID[name]] = counts.get(ITEM_ID[name], 0) + int(count or 1)
    slots = sum(-(-count // ITEMS[item].stack) for item, count in counts.items())
    if slots > NUM_SLOTS:
        raise ValueError(f"start_kit: fills {slots} slots, but an agent has {NUM_SLOTS}")
    return list(counts.items())
