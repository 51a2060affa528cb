"""The look of every block and item, drawn by code: 16 x 16 RGBA tiles, deterministic, no picture files.

A tile is uint8 ``[16, 16, 4]``, row 0 at the top; alpha is 0 or 255.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable

import numpy as np

TILE = 16
_Colour = tuple[int, int, int]

_WOOD = {"oak": ((98, 74, 44), (124, 97, 60)), "spruce": ((62, 44, 26), (86, 63, 38))}
_METAL = {
    "wooden": (150, 112, 66), "stone": (134, 134, 134), "iron": (222, 222, 222), "golden": (246, 212, 66),
    "diamond": (92, 220, 210), "leather": (168, 98, 58),
}  # fmt: skip


def _rng(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def _solid(colour: _Colour) -> np.ndarray:
    tile = np.empty((TILE, TILE, 4), dtype=np.float64)
    tile[..., :3] = colour
    tile[..., 3] = 255
    return tile


def speckle(name: str, colour: _Colour, spread: float = 10.0, grain: int = 1) -> np.ndarray:
    """float64 ``[16, 16, 4]``: a colour with brightness noise; ``grain`` 2 makes the specks two pixels wide."""
    noise = _rng(name).normal(0.0, spread, (TILE // grain, TILE // grain, 1))
    tile = _solid(colour)
    tile[..., :3] += np.kron(noise, np.ones((grain, grain, 1)))
    return tile


def _blobs(tile: np.ndarray, name: str, colour: _Colour, count: int, size: int = 2) -> np.ndarray:
    """Lumps of a colour with a darker lower edge, as in ore."""
    rng = _rng(name + "_blobs")
    for _ in range(count):
        y, x = rng.integers(1, TILE - size - 1, 2)
        lump = rng.random((size + 1, size + 1)) < 0.8
        for dy, dx in np.argwhere(lump):
            shade = 1.0 if dy < size else 0.72
            tile[y + dy, x + dx, :3] = np.array(colour) * shade * rng.uniform(0.9, 1.08)
    return tile


def _bricks(name: str, colour: _Colour) -> np.ndarray:
    """Rounded stones with dark joints."""
    tile = speckle(name, colour, 9.0)
    rng = _rng(name + "_joints")
    centres = rng.integers(0, TILE, (11, 2))
    y, x = np.mgrid[0:TILE, 0:TILE]
    distance = np.stack(
        [
            np.minimum(abs(y - cy), TILE - abs(y - cy)) ** 2 + np.minimum(abs(x - cx), TILE - abs(x - cx)) ** 2
            for cy, cx in centres
        ]
    )
    nearest = np.sort(distance, axis=0)
    tile[(nearest[1] - nearest[0]) < 5, :3] *= 0.62
    tile[..., :3] *= (0.86 + 0.035 * (distance.argmin(axis=0) % 7))[..., None]
    return tile


def _planks() -> np.ndarray:
    tile = speckle("planks", (172, 136, 84), 6.0)
    tile[..., :3] += _rng("planks_grain").normal(0, 5, (TILE, 1, 1))
    tile[3::4, :, :3] *= 0.66
    for row, seam in enumerate((4, 12, 7, 1)):
        tile[row * 4 : row * 4 + 4, seam, :3] *= 0.72
    return tile


def _log_side(kind: str) -> np.ndarray:
    dark, light = _WOOD[kind]
    tile = _solid(light)
    stripes = _rng(kind + "_bark").random((1, TILE, 1)) < 0.45
    tile[..., :3] = np.where(stripes, np.array(dark), tile[..., :3])
    tile[..., :3] += _rng(kind + "_bark_noise").normal(0, 8, (TILE, TILE, 1))
    return tile


def _log_top(kind: str) -> np.ndarray:
    y, x = np.mgrid[0:TILE, 0:TILE] - 7.5
    ring = np.maximum(abs(y), abs(x))
    tile = speckle(kind + "_rings", (180, 146, 94), 5.0)
    tile[(ring.astype(int) % 3) == 1, :3] *= 0.84
    tile[ring > 6.6] = _log_side(kind)[ring > 6.6]
    return tile


def _leaves(kind: str, colour: _Colour) -> np.ndarray:
    tile = speckle(kind + "_leaves", colour, 24.0, 2) * 0.6 + 0.4 * speckle(kind + "_leaf", colour, 26.0)
    tile[_rng(kind + "_gaps").random((TILE, TILE)) < 0.16, :3] *= 0.5
    tile[..., 3] = 255
    return tile


def _fringed_side(name: str, top: _Colour) -> np.ndarray:
    """Dirt with a ragged edge of what grows or lies on it."""
    tile = speckle("dirt", (134, 96, 67), 11.0)
    fringe = 3 + _rng(name + "_fringe").integers(0, 3, TILE)
    cover = np.arange(TILE)[:, None] < fringe[None, :]
    tile[cover] = speckle(name + "_top", top, 11.0)[cover]
    return tile


def _plant(name: str, stem: _Colour, head: _Colour | None) -> np.ndarray:
    """Blades, or a stem with a flower, on nothing."""
    tile = np.zeros((TILE, TILE, 4))
    rng = _rng(name)
    blades = 11 if head is None else 1
    for blade in range(blades):
        x = float(rng.integers(1, 15)) if blades > 1 else 7.5
        tall = int(rng.integers(7, 15)) if blades > 1 else 10
        lean = rng.normal(0, 0.16) if blades > 1 else 0.0
        for step in range(tall):
            column = int(np.clip(x + lean * step + 0.5 * (blade % 2), 0, 15))
            tile[TILE - 1 - step, column] = (*(np.array(stem) * (0.7 + 0.45 * step / tall)), 255)
    if head is not None:
        for dy, dx in ((0, 0), (0, 1), (1, -1), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (-1, 0), (-1, 1)):
            tile[5 + dy, 7 + dx] = (*(np.array(head) * (0.82 if dy > 1 else 1.0)), 255)
        tile[6, 7:9] = (250, 228, 120, 255)
        tile[11, 8:11] = tile[12, 5:8] = (*stem, 255)
    return tile


def _sapling(kind: str, colour: _Colour) -> np.ndarray:
    tile = np.zeros((TILE, TILE, 4))
    tile[9:16, 7:9] = (*_WOOD[kind][1], 255)
    y, x = np.mgrid[0:TILE, 0:TILE]
    crown = (abs(x - 7.5) * 1.1 + abs(y - 6.5)) < 6 + _rng(kind + "_sapling").normal(0, 0.9, (TILE, TILE))
    tile[crown] = _leaves(kind, colour)[crown]
    return tile


def _framed(inner: np.ndarray, colour: _Colour, border: int = 1) -> np.ndarray:
    tile = inner.copy()
    edge = np.ones((TILE, TILE), dtype=bool)
    edge[border:-border, border:-border] = False
    tile[edge] = (*colour, 255)
    return tile


def _crafting_table(face: str) -> np.ndarray:
    tile = _planks()
    if face == "top":
        tile = _framed(tile, (96, 66, 36), 2)
        tile[5:11, [5, 10]] = tile[[5, 10], 5:11] = (110, 78, 46, 255)
        tile[7:9, 7:9] = (214, 180, 124, 255)
        return tile
    tile = _framed(tile, (104, 72, 40))
    tile[0:3] = (128, 92, 54, 255)
    tile[5:7, 3:8] = tile[5:12, 5] = (152, 152, 158, 255)
    tile[5:8, 10:13] = (176, 176, 182, 255)
    tile[8:13, 11] = (92, 62, 34, 255)
    return tile


def _furnace(face: str) -> np.ndarray:
    tile = _framed(speckle("furnace", (122, 122, 122), 7.0), (92, 92, 92))
    if face == "side":
        tile[3:6, 3:13] = (64, 64, 64, 255)
        tile[9:14, 4:12] = (38, 34, 34, 255)
        tile[11:14, 5:11] = (236, 128, 34, 255)
        tile[12:14, 6:10] = (252, 204, 84, 255)
    return tile


def _torch() -> np.ndarray:
    tile = np.zeros((TILE, TILE, 4))
    tile[6:16, 7:9] = (128, 94, 54, 255)
    tile[4:7, 7:9] = (255, 220, 120, 255)
    tile[4, 7:9] = (255, 246, 200, 255)
    return tile


def _ladder() -> np.ndarray:
    tile = np.zeros((TILE, TILE, 4))
    tile[:, [2, 3, 12, 13]] = (142, 106, 62, 255)
    for row in (1, 5, 9, 13):
        tile[row : row + 2, 1:15] = (168, 130, 80, 255)
    return tile


def _door(*, is_open: bool) -> np.ndarray:
    tile = _framed(_planks() * np.array([0.82, 0.8, 0.78, 1.0]), (92, 66, 38), 2)
    if is_open:
        tile[2:-2, 2:-2, 3] = 0
    else:
        tile[3:8, 4:12] = speckle("pane", (176, 204, 214), 4.0)[3:8, 4:12]
        tile[3:8, 7:9] = (92, 66, 38, 255)
        tile[10, 12:14] = (230, 200, 90, 255)
    return tile


def _glass() -> np.ndarray:
    tile = np.zeros((TILE, TILE, 4))
    tile = _framed(tile, (206, 226, 232))
    for k in range(4):
        tile[4 + k, 7 - k] = tile[9 + k, 12 - k] = (232, 244, 248, 255)
    return tile


def _bed(face: str) -> np.ndarray:
    if face == "top":
        tile = speckle("bed", (172, 44, 44), 7.0)
        tile[:5] = speckle("pillow", (232, 232, 226), 5.0)[:5]
        return tile
    tile = _planks()
    tile[7:12] = speckle("bed", (160, 40, 40), 7.0)[7:12]
    return tile


def _cactus(face: str) -> np.ndarray:
    tile = speckle("cactus", (84, 130, 56), 8.0)
    if face == "top":
        return _framed(tile, (60, 100, 40))
    tile[:, 1::4, :3] *= 0.74
    tile[2::5, 3::4] = (224, 226, 190, 255)
    return tile


def _dirt() -> np.ndarray:
    return speckle("dirt", (134, 96, 67), 11.0)


def _lava() -> np.ndarray:
    return _blobs(speckle("lava", (212, 90, 18), 22.0, 2), "lava", (252, 196, 60), 8)


def _fire() -> np.ndarray:
    """Tongues of flame, yellow at the foot."""
    tile = np.zeros((TILE, TILE, 4))
    tall = 6 + _rng("fire").integers(0, 9, TILE)
    for x in range(TILE):
        for y in range(int(tall[x])):
            heat = 1.0 - y / TILE
            tile[TILE - 1 - y, x] = (252, int(90 + 150 * heat), int(20 + 90 * heat * heat), 255)
    return tile


def _furrows(name: str, colour: _Colour) -> np.ndarray:
    tile = speckle(name, colour, 9.0)
    tile[::4, :, :3] *= 0.68
    tile[1::4, :, :3] *= 0.84
    return tile


def _wheat(stage: int) -> np.ndarray:
    """Blades that rise and turn from green to gold."""
    tile = np.zeros((TILE, TILE, 4))
    ripe = stage / 7.0
    colour = np.array((70, 148, 44)) * (1.0 - ripe) + np.array((218, 182, 76)) * ripe
    tall = 3 + int(stage * 1.6)
    rng = _rng("wheat")
    for x in range(1, TILE, 2):
        high = min(tall + int(rng.integers(0, 2)), 15)
        for y in range(high):
            tile[TILE - 1 - y, x] = (*(colour * (0.72 + 0.36 * y / TILE)), 255)
        if stage >= 6:
            head = slice(TILE - high, TILE - high + 4)
            tile[head, x - 1] = (*(colour * 0.9), 255)
            tile[head, x] = (*(colour * 1.12), 255)
    return tile


def _tnt(face: str, *, lit: bool) -> np.ndarray:
    tile = speckle("tnt", (196, 52, 38), 7.0)
    if face == "side":
        tile[:, ::4, :3] *= 0.8
        tile[5:11] = (232, 226, 214, 255)
        for x in (2, 7, 12):
            tile[6:10, x : x + 2] = (52, 46, 46, 255)
    else:
        tile[4:12, 4:12] = (120, 96, 74, 255)
        tile[7:9, 7:9] = (40, 36, 34, 255)
    if lit:
        tile[..., :3] = tile[..., :3] * 0.35 + 165.0
    return tile


_STONE: _Colour = (126, 126, 126)
_LEAF = {"oak": (78, 138, 48), "spruce": (56, 102, 66)}
_ORES: dict[str, _Colour] = {
    "coal_ore": (44, 44, 46), "iron_ore": (214, 172, 142), "gold_ore": (248, 216, 80), "diamond_ore": (96, 232, 224),
}  # fmt: skip


def _same(make: Callable[[], np.ndarray]) -> Callable[[str], np.ndarray]:
    return lambda face: make()


_BLOCK_FACES: dict[str, Callable[[str], np.ndarray]] = {
    "bedrock": _same(lambda: speckle("bedrock", (74, 74, 76), 34.0, 2)),
    "stone": _same(lambda: speckle("stone", _STONE, 6.0, 2) * 0.5 + speckle("stone_fine", _STONE, 7.0) * 0.5),
    "dirt": _same(_dirt),
    "grass": lambda face: {
        "top": lambda: speckle("grass_top", (104, 158, 62), 11.0),
        "side": lambda: _fringed_side("grass", (104, 158, 62)),
        "bottom": _dirt,
    }[face](),
    "sand": _same(lambda: speckle("sand", (220, 206, 160), 6.0)),
    "gravel": _same(lambda: _blobs(speckle("gravel", (134, 126, 122), 20.0, 2), "gravel", (164, 156, 150), 7)),
    "clay": _same(lambda: speckle("clay", (158, 164, 176), 5.0)),
    "snow": lambda face: (
        _fringed_side("snow", (240, 246, 250)) if face == "side" else speckle("snow", (240, 246, 250), 4.0)
    ),
    "ice": _same(lambda: speckle("ice", (150, 186, 242), 6.0, 2)),
    "water": _same(lambda: speckle("water", (48, 92, 196), 7.0, 2)),
    "lava": _same(_lava),
    "oak_log": lambda face: _log_side("oak") if face == "side" else _log_top("oak"),
    "spruce_log": lambda face: _log_side("spruce") if face == "side" else _log_top("spruce"),
    "oak_leaves": _same(lambda: _leaves("oak", _LEAF["oak"])),
    "spruce_leaves": _same(lambda: _leaves("spruce", _LEAF["spruce"])),
    "cactus": _cactus,
    "tall_grass": _same(lambda: _plant("tall_grass", (96, 150, 56), None)),
    "red_flower": _same(lambda: _plant("red_flower", (74, 124, 46), (214, 44, 38))),
    "yellow_flower": _same(lambda: _plant("yellow_flower", (74, 124, 46), (246, 212, 46))),
    "oak_sapling": _same(lambda: _sapling("oak", _LEAF["oak"])),
    "spruce_sapling": _same(lambda: _sapling("spruce", _LEAF["spruce"])),
    **{
        name: _same(lambda name=name, colour=colour: _blobs(speckle("stone", _STONE, 7.0), name, colour, 6))
        for name, colour in _ORES.items()
    },
    "cobblestone": _same(lambda: _bricks("cobblestone", (138, 138, 138))),
    "obsidian": _same(lambda: speckle("obsidian", (26, 20, 40), 9.0, 2)),
    "planks": _same(_planks),
    "glass": _same(_glass),
    "wool": _same(lambda: speckle("wool", (226, 226, 226), 6.0, 2)),
    "crafting_table": lambda face: _planks() if face == "bottom" else _crafting_table(face),
    "furnace": _furnace,
    "torch": _same(_torch),
    "ladder": _same(_ladder),
    "bed": _bed,
    "door": _same(lambda: _door(is_open=False)),
    "open_door": _same(lambda: _door(is_open=True)),
    **{f"water_{level}": _same(lambda: speckle("water", (48, 92, 196), 7.0, 2)) for level in range(1, 8)},
    "falling_water": _same(lambda: speckle("water", (48, 92, 196), 7.0, 2)),
    **{f"lava_{level}": _same(_lava) for level in range(1, 4)},
    "falling_lava": _same(_lava),
    "fire": _same(_fire),
    "farmland": lambda face: _furrows("farmland", (122, 86, 58)) if face == "top" else _dirt(),
    "wet_farmland": lambda face: _furrows("wet_farmland", (76, 52, 36)) if face == "top" else _dirt(),
    **{f"wheat_{stage}": _same(lambda stage=stage: _wheat(stage)) for stage in range(7)},
    "ripe_wheat": _same(lambda: _wheat(7)),
    "tnt": lambda face: _tnt(face, lit=False),
    "lit_tnt": lambda face: _tnt(face, lit=True),
}

FACES = ("top", "side", "bottom")


@functools.cache
def block_tile(name: str, face: str) -> np.ndarray:
    """uint8 ``[16, 16, 4]`` tile of a block's face (``top``, ``side`` or ``bottom``); transparent for air."""
    if name == "air":
        return np.zeros((TILE, TILE, 4), dtype=np.uint8)
    return np.clip(_BLOCK_FACES[name](face), 0, 255).astype(np.uint8)


def _draw(rows: tuple[str, ...], colours: dict[str, _Colour]) -> np.ndarray:
    """A tile from text: one letter per pixel, blank for nothing."""
    tile = np.zeros((TILE, TILE, 4))
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            if letter in colours:
                tile[y, x] = (*colours[letter], 255)
    return tile


_STICK: _Colour = (120, 86, 48)
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
    "bone": ("", "           mm", "          mddm", "          mddm", "         mdmm", "        mdm", "       mdm", "      mdm", "     mdm", "   mmdm", "  mddm", "  mddm", "   mm"),
    "strand": ("", "    mm", "   m  m", "       m", "      m", "     m", "    m", "    m    m", "     m  m", "      mm"),
    "plume": ("", "          mm", "        mmdm", "       mddm", "      mddm", "     mddm", "    mddm", "    mdm", "   smm", "  s", " s"),
    "heap": ("", "", "", "", "", "      mm", "     mddm", "    mdwddm", "   mddddddm", "  mdwdddwddm", "  mmmmmmmmmm"),
    "hide": ("", "", "  mm     mm", "  mdmmmmmdm", "   mdddddm", "   mdddddm", "   mdddddm", "  mdddddddm", "  mdmmmmmdm", "  mm     mm"),
    "shears": ("", "", "  m       m", "  mm     mm", "   mm   mm", "    mm mm", "     mmm", "     mmm", "    ss ss", "   s s s s", "   sss sss"),
}  # fmt: skip

_ICON_COLOURS: dict[str, tuple[str, _Colour]] = {
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
    "beef": ("meat", (206, 52, 48)), "cooked_beef": ("meat", (122, 72, 42)), "porkchop": ("meat", (238, 142, 136)),
    "cooked_porkchop": ("meat", (198, 148, 96)), "mutton": ("meat", (214, 84, 72)),
    "cooked_mutton": ("meat", (148, 92, 58)), "chicken": ("meat", (240, 196, 176)),
    "cooked_chicken": ("meat", (206, 144, 76)),
}  # fmt: skip


def _shade(colour: _Colour, factor: float) -> _Colour:
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
    palette = {"m": _shade(colour, 0.62), "d": colour, "w": _shade(colour, 1.25), "s": _STICK}
    return _draw(_SHAPES[shape], palette).astype(np.uint8)
