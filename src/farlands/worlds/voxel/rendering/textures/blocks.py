"""The look of every block: its tiles."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from farlands.worlds.voxel.rendering.textures.paint import TILE, Colour, blobs, framed, rng_of, solid, speckle

_WOOD = {"oak": ((98, 74, 44), (124, 97, 60)), "spruce": ((62, 44, 26), (86, 63, 38))}


def _bricks(name: str, colour: Colour) -> np.ndarray:
    """Rounded stones with dark joints."""
    tile = speckle(name, colour, 9.0)
    rng = rng_of(name + "_joints")
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
    tile[..., :3] += rng_of("planks_grain").normal(0, 5, (TILE, 1, 1))
    tile[3::4, :, :3] *= 0.66
    for row, seam in enumerate((4, 12, 7, 1)):
        tile[row * 4 : row * 4 + 4, seam, :3] *= 0.72
    return tile


def _log_side(kind: str) -> np.ndarray:
    dark, light = _WOOD[kind]
    tile = solid(light)
    stripes = rng_of(kind + "_bark").random((1, TILE, 1)) < 0.45
    tile[..., :3] = np.where(stripes, np.array(dark), tile[..., :3])
    tile[..., :3] += rng_of(kind + "_bark_noise").normal(0, 8, (TILE, TILE, 1))
    return tile


def _log_top(kind: str) -> np.ndarray:
    y, x = np.mgrid[0:TILE, 0:TILE] - 7.5
    ring = np.maximum(abs(y), abs(x))
    tile = speckle(kind + "_rings", (180, 146, 94), 5.0)
    tile[(ring.astype(int) % 3) == 1, :3] *= 0.84
    tile[ring > 6.6] = _log_side(kind)[ring > 6.6]
    return tile


def _leaves(kind: str, colour: Colour) -> np.ndarray:
    tile = speckle(kind + "_leaves", colour, 24.0, 2) * 0.6 + 0.4 * speckle(kind + "_leaf", colour, 26.0)
    tile[rng_of(kind + "_gaps").random((TILE, TILE)) < 0.16, :3] *= 0.5
    tile[..., 3] = 255
    return tile


def _fringed_side(name: str, top: Colour) -> np.ndarray:
    """Dirt with a ragged edge of what grows or lies on it."""
    tile = speckle("dirt", (134, 96, 67), 11.0)
    fringe = 3 + rng_of(name + "_fringe").integers(0, 3, TILE)
    cover = np.arange(TILE)[:, None] < fringe[None, :]
    tile[cover] = speckle(name + "_top", top, 11.0)[cover]
    return tile


def _plant(name: str, stem: Colour, head: Colour | None) -> np.ndarray:
    """Blades, or a stem with a flower, on nothing."""
    tile = np.zeros((TILE, TILE, 4))
    rng = rng_of(name)
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


def _sapling(kind: str, colour: Colour) -> np.ndarray:
    tile = np.zeros((TILE, TILE, 4))
    tile[9:16, 7:9] = (*_WOOD[kind][1], 255)
    y, x = np.mgrid[0:TILE, 0:TILE]
    crown = (abs(x - 7.5) * 1.1 + abs(y - 6.5)) < 6 + rng_of(kind + "_sapling").normal(0, 0.9, (TILE, TILE))
    tile[crown] = _leaves(kind, colour)[crown]
    return tile


def _crafting_table(face: str) -> np.ndarray:
    tile = _planks()
    if face == "top":
        tile = framed(tile, (96, 66, 36), 2)
        tile[5:11, [5, 10]] = tile[[5, 10], 5:11] = (110, 78, 46, 255)
        tile[7:9, 7:9] = (214, 180, 124, 255)
        return tile
    tile = framed(tile, (104, 72, 40))
    tile[0:3] = (128, 92, 54, 255)
    tile[5:7, 3:8] = tile[5:12, 5] = (152, 152, 158, 255)
    tile[5:8, 10:13] = (176, 176, 182, 255)
    tile[8:13, 11] = (92, 62, 34, 255)
    return tile


def _furnace(face: str) -> np.ndarray:
    tile = framed(speckle("furnace", (122, 122, 122), 7.0), (92, 92, 92))
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
    tile = framed(_planks() * np.array([0.82, 0.8, 0.78, 1.0]), (92, 66, 38), 2)
    if is_open:
        tile[2:-2, 2:-2, 3] = 0
    else:
        tile[3:8, 4:12] = speckle("pane", (176, 204, 214), 4.0)[3:8, 4:12]
        tile[3:8, 7:9] = (92, 66, 38, 255)
        tile[10, 12:14] = (230, 200, 90, 255)
    return tile


def _glass() -> np.ndarray:
    tile = np.zeros((TILE, TILE, 4))
    tile = framed(tile, (206, 226, 232))
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
        return framed(tile, (60, 100, 40))
    tile[:, 1::4, :3] *= 0.74
    tile[2::5, 3::4] = (224, 226, 190, 255)
    return tile


def _dirt() -> np.ndarray:
    return speckle("dirt", (134, 96, 67), 11.0)


def _lava() -> np.ndarray:
    return blobs(speckle("lava", (212, 90, 18), 22.0, 2), "lava", (252, 196, 60), 8)


def _fire() -> np.ndarray:
    """Tongues of flame with a bright heart, on nothing."""
    tile = np.zeros((TILE, TILE, 4))
    y, x = np.mgrid[0:TILE, 0:TILE]
    up = TILE - 1 - y
    flame = np.zeros((TILE, TILE))
    for foot, tall, wide, lean in (
        (2.5, 9, 2.6, 0.12),
        (7.0, 15, 3.4, -0.06),
        (11.0, 11, 2.6, 0.1),
        (13.8, 7, 2.0, -0.1),
    ):
        reach = wide * np.sqrt(np.clip(1.0 - up / tall, 0.0, 1.0))
        flame = np.maximum(flame, np.clip(1.0 - abs(x - foot - lean * up) / np.maximum(reach, 1e-6), 0.0, 1.0))
    flame *= 1.0 - up / 22.0
    for least, colour in ((0.0, (214, 62, 14)), (0.2, (244, 128, 24)), (0.42, (252, 196, 56)), (0.66, (255, 242, 168))):
        tile[flame > least] = (*colour, 255)
    return tile


def _furrows(name: str, colour: Colour) -> np.ndarray:
    tile = speckle(name, colour, 9.0)
    tile[::4, :, :3] *= 0.68
    tile[1::4, :, :3] *= 0.84
    return tile


def _wheat(stage: int) -> np.ndarray:
    """Blades that rise, bend and turn from green to gold; ears from the sixth stage on."""
    tile = np.zeros((TILE, TILE, 4))
    ripe = stage / 7.0
    colour = np.array((70, 148, 44)) * (1.0 - ripe) + np.array((218, 182, 76)) * ripe
    rng = rng_of("wheat")
    for x in range(1, TILE, 2):
        high = min(3 + int(stage * 1.5) + int(rng.integers(0, 3)), 15)
        bend = rng.choice((-1, 0, 1))
        for y in range(high):
            column = min(max(x + bend * int(y > high * 0.6), 0), TILE - 1)
            tile[TILE - 1 - y, column] = (*(colour * (0.68 + 0.4 * y / TILE)), 255)
            if stage >= 6 and y > high - 5:
                tile[TILE - 1 - y, max(column - 1, 0)] = (*(colour * (0.86 + 0.12 * (y % 2))), 255)
                tile[TILE - 1 - y, column] = (*(colour * (1.14 - 0.12 * (y % 2))), 255)
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


_STONE: Colour = (126, 126, 126)
_LEAF = {"oak": (78, 138, 48), "spruce": (56, 102, 66)}
_ORES: dict[str, Colour] = {
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
    "gravel": _same(lambda: blobs(speckle("gravel", (134, 126, 122), 20.0, 2), "gravel", (164, 156, 150), 7)),
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
        name: _same(lambda name=name, colour=colour: blobs(speckle("stone", _STONE, 7.0), name, colour, 6))
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
