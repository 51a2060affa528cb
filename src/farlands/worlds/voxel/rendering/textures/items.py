"""The icon of every item: pictures written in letters, and the blocks themselves."""

from __future__ import annotations

import functools

import numpy as np

from farlands.worlds.voxel.rendering.textures.blocks import block_tile
from farlands.worlds.voxel.rendering.textures.paint import TILE, Colour, draw_letters

_METAL = {
    "wooden": (150, 112, 66), "stone": (134, 134, 134), "iron": (222, 222, 222), "golden": (246, 212, 66),
    "diamond": (92, 220, 210), "leather": (168, 98, 58),
}  # fmt: skip
_STICK: Colour = (120, 86, 48)
_SHAPES: dict[str, tuple[str, ...]] = {
    "pickaxe": (
        "", "", "    mmmmm", "   mddddddm", "    mm  sdddm", "        ssdddm", "       sss mdm", "      sss  mdm",
        "     sss   mdm", "    sss     m", "   sss", "  sss", "  ss",
    ),
    "axe": (
        "", "", "       mmm", "      mddmss", "      mdddss", "      mddsss", "       msssm", "        sss m",
        "       sss", "      sss", "     sss", "    sss", "   sss", "   ss",
    ),
    "shovel": (
        "", "           mmm", "          mdddm", "          mdddm", "         mddddm", "          smmm", "         sss",
        "        sss", "       sss", "      sss", "     sss", "    sss", "   sss", "   ss",
    ),
    "sword": (
        "            mmm", "           mddm", "          mddm", "         mddm", "        mddm", "       mddm",
        "   mm mddm", "    mmddm", "    mmmm", "   ssmm", "  sss mm", " sss", " ss",
    ),
    "helmet": ("", "", "", "    mmmmmmmm", "   mddddddddm", "   mddddddddm", "   mdd    ddm", "   mdd    ddm", "   mmm    mmm"),
    "chestplate": (
        "", "  mmm    mmm", "  mddm  mddm", "  mdddmmdddm", "  mmddddddmm", "    mddddm", "    mddddm", "    mddddm",
        "    mddddm", "    mmmmmm",
    ),
    "leggings": (
        "", "   mmmmmmmmm", "   mdddddddm", "   mdddddddm", "   mddm mddm", "   mddm mddm", "   mddm mddm", "   mddm mddm",
        "   mmmm mmmm",
    ),
    "boots": ("", "", "", "", "", "   mmm  mmm", "   mdm  mdm", "   mdm  mdm", "  mmdm  mdmm", "  mddm  mddm", "  mmmm  mmmm"),
    "ingot": ("", "", "", "", "", "     mmmmmm", "   mmddddddm", "  mddddddddm", "  mdddddddmm", "  mmmmmmmm"),
    "lump": ("", "", "", "     mmmm", "    mddddmm", "   mdddddddm", "   mdddddddm", "   mdddddddm", "    mdddddm", "     mmmmm"),
    "gem": ("", "", "", "     mmmmm", "    mddwddm", "   mdwwwdddm", "    mdwdddm", "     mdddm", "      mdm", "       m"),
    "apple": ("", "", "        s", "       s", "    mm s mm", "   mddddddm", "  mdwdddddm", "  mddddddddm", "  mddddddddm", "   mddddddm", "    mmmmmm"),
    "stick": ("", "", "           ss", "          sss", "         sss", "        sss", "       sss", "      sss", "     sss", "    sss", "   ss"),
    "hoe": (
        "", "", "     mmmmm", "    mdddddss", "    mm   sss", "         sss", "        sss", "       sss", "      sss",
        "     sss", "    sss", "   sss", "   ss",
    ),
    "bow": (
        "", "     ssss", "       sss", "   w     sss", "    w     ss", "     w     ss", "      w    ss", "       w   ss",
        "        w  ss", "         w ss", "          wss", "          sss", "         ss",
    ),
    "arrow": ("", "            mm", "           mmm", "          smm", "         ss", "        ss", "       ss", "      ss", "   w ss", "  wwss", " wwww", "  www", "   w"),
    "bucket": ("", "", "", "   mmmmmmmmm", "   mwwwwwwwm", "   mddddddmm", "    mdddddm", "    mdddddm", "    mdddddm", "     mdddm", "     mmmmm"),
    "full_bucket": ("", "", "", "   ssssssssss", "   sddddddds", "   sdwdddwds", "    sdddddss", "    ssssssss", "    swwwwwss", "     ssssss", "     ssssss"),
    "lighter": ("", "", "    sss", "   s   s", "  s     s", "  s     s", "   s", "    sss", "        mmm", "       mdddm", "       mddddm", "        mmmm"),
    "seeds": ("", "", "", "    mm", "   mdm   mm", "   mm   mdm", "        mm", "     mm", "    mdm    mm", "    mm    mdm", "          mm"),
    "sheaf": ("", "   m  m  m", "   mm m mm", "  mdm m mdm", "   mdmmmdm", "    mdmdm", "     mmm", "     sss", "     mmm", "    mm mm", "    m   m"),
    "bread": ("", "", "", "        mmmm", "      mmddddm", "    mmddwdddm", "   mddwddddm", "  mdwddddmm", "  mdddddm", "   mmmmm"),
    "meat": ("", "", "     mmmm", "   mmddddm", "  mddwwdddm", "  mdwwdddddm", "  mddddddddm", "   mddddddwm", "    mmdddwwm", "      mmmmm"),
    "drumstick": ("", "     mmmm", "   mmddddm", "  mddwwdddm", "  mdwddddddm", "  mdddddddmm", "  mdddddddm", "   mddddmm", "    mmmmss", "        sss", "         sss ss", "          sssss", "           sss", "          sss"),
    "chop": ("", "", "   mmm", "  mdddmm", " mdwwdddmm", " mdwwdddddmm", " mdddddwwdddm", "  mdddwwwwddm", "   mdddwwdddm", "    mmdddddm", "      mmmmssm", "          sss", "           ss"),
    "bone": ("", "           mm", "          mddm", "          mddm", "         mdmm", "        mdm", "       mdm", "      mdm", "     mdm", "   mmdm", "  mddm", "  mddm", "   mm"),
    "strand": ("", "    mm", "   m  m", "       m", "      m", "     m", "    m", "    m    m", "     m  m", "      mm"),
    "plume": ("", "          mm", "        mmdm", "       mddm", "      mddm", "     mddm", "    mddm", "    mdm", "   smm", "  s", " s"),
    "heap": ("", "", "", "", "", "      mm", "     mddm", "    mdwddm", "   mddddddm", "  mdwdddwddm", "  mmmmmmmmmm"),
    "hide": ("", "", "  mm     mm", "  mdmmmmmdm", "   mdddddm", "   mdddddm", "   mdddddm", "  mdddddddm", "  mdmmmmmdm", "  mm     mm"),
    "shears": ("", "", "  m       m", "  mm     mm", "   mm   mm", "    mm mm", "     mmm", "     mmm", "    ss ss", "   s s s s", "   sss sss"),
}  # fmt: skip

_ICON_COLOURS: dict[str, tuple[str, Colour]] = {
    "stick": ("stick", _STICK), "coal": ("lump", (48, 48, 50)), "charcoal": ("lump", (74, 62, 52)),
    "iron_ingot": ("ingot", _METAL["iron"]), "gold_ingot": ("ingot", _METAL["golden"]),
    "diamond": ("gem", _METAL["diamond"]), "flint": ("lump", (86, 86, 92)), "apple": ("apple", (206, 40, 36)),
    "golden_apple": ("apple", (246, 212, 66)), "shears": ("shears", (206, 206, 212)),
    "bow": ("bow", (222, 222, 222)), "arrow": ("arrow", (150, 150, 154)), "bucket": ("bucket", (176, 176, 182)),
    "water_bucket": ("full_bucket", (60, 104, 210)), "lava_bucket": ("full_bucket", (236, 112, 28)),
    "flint_and_steel": ("lighter", (84, 84, 90)), "wheat_seeds": ("seeds", (96, 160, 60)),
    "wheat": ("sheaf", (222, 186, 84)), "bread": ("bread", (196, 136, 62)), "bone": ("bone", (232, 230, 214)),
    "bone_meal": ("heap", (232, 232, 226)), "string": ("strand", (228, 228, 228)), "feather": ("plume", (240, 240, 240)),
    "gunpowder": ("heap", (92, 92, 96)), "leather": ("hide", (168, 98, 58)), "rotten_flesh": ("meat", (150, 104, 70)),
    "beef": ("meat", (206, 52, 48)), "cooked_beef": ("meat", (122, 72, 42)), "porkchop": ("chop", (238, 142, 136)),
    "cooked_porkchop": ("chop", (198, 148, 96)), "mutton": ("chop", (214, 84, 72)),
    "cooked_mutton": ("chop", (148, 92, 58)), "chicken": ("drumstick", (240, 196, 176)),
    "cooked_chicken": ("drumstick", (206, 144, 76)),
}  # fmt: skip


_HANDLES: dict[str, Colour] = {
    "full_bucket": (150, 150, 156), "lighter": (158, 158, 166), "drumstick": (232, 226, 206), "chop": (232, 226, 206),
}  # fmt: skip
"""Colour of the letter s in the shapes where it is no stick."""


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (int(min(255, channel * factor)) for channel in colour)
    return red, green, blue


@functools.cache
def item_tile(name: str, places: str) -> np.ndarray:
    """uint8 ``[16, 16, 4]`` icon of an item; ``places`` is the block it places, empty for none."""
    if name == "nothing":
        return np.zeros((TILE, TILE, 4), dtype=np.uint8)
    shape, colour = _ICON_COLOURS.get(name, ("", (0, 0, 0)))
    if places and not shape:
        return block_tile(places, "side")
    if not shape:
        material, _, shape = name.partition("_")
        colour = _METAL[material]
    palette = {"m": _shade(colour, 0.62), "d": colour, "w": _shade(colour, 1.25), "s": _HANDLES.get(shape, _STICK)}
    return draw_letters(_SHAPES[shape], palette).astype(np.uint8)
