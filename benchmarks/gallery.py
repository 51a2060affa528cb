"""The pictures of the docs, drawn by the renderer from natural land: places, heights and hours.

python benchmarks/gallery.py docs/pictures
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import warp as wp
from PIL import Image

from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.options import HEIGHT, VoxelOptions
from farlands.worlds.voxel.state import POSITION_ONE, Body, Clock
from farlands.worlds.voxel.world import VoxelWorld

WORLDS = 96


@dataclass(frozen=True)
class Scene:
    """One picture: where to stand (a block to stand near, or a cave), how to look, when, and with what in hand."""

    name: str
    ground: str
    time: int = 4_000
    pitch: int = 0
    lift: float = 0.0
    held: str = ""
    torches: int = 0
    underground: bool = False
    room: bool = False


SCENES = (
    Scene("woods", "grass", time=2_500, held="wooden_axe"),
    Scene("woods_at_dusk", "grass", time=12_100),
    Scene("sand", "sand", time=6_000),
    Scene("snow", "snow", time=3_000),
    Scene("shore", "water", time=5_000, pitch=-1, lift=4.0),
    Scene("hills_from_above", "grass", time=3_500, pitch=-2, lift=12.0),
    Scene("night", "grass", time=18_000, torches=1, held="torch"),
    Scene("cave_by_torchlight", "diamond_ore", underground=True, torches=1, held="iron_pickaxe"),
    Scene("under_water", "water", time=6_000, lift=-2.2),
    Scene("room_by_torchlight", "grass", time=18_000, room=True),
)


class Studio:
    """A batch of fresh worlds whose agents can be put anywhere."""

    def __init__(self) -> None:
        self.world = VoxelWorld(WORLDS, VoxelOptions(sight=40))
        self.world.reset(2026)
        self.blocks = wp.to_torch(self.world.state.blocks).view(WORLDS, 64, 64, HEIGHT).numpy()
        self.tops = wp.to_torch(self.world.state.tops).view(WORLDS, 64, 64).numpy()
        self.body = wp.to_torch(self.world.state.body)
        self.clock = wp.to_torch(self.world.state.clock)

    def place(self, w: int, x: int, y: int, z: float, yaw: int, scene: Scene) -> None:
        """Stand the agent of world ``w`` at array cell (x, y), feet at height z, dressed for the scene."""
        origin = [int(self.clock[axis, w]) for axis in (Clock.ORIGIN_X, Clock.ORIGIN_Y)]
        block = [origin[k] + ((cell - origin[k]) & 63) for k, cell in enumerate((x, y))]
        self.body[Body.X, w] = block[0] * POSITION_ONE + POSITION_ONE // 2
        self.body[Body.Y, w] = block[1] * POSITION_ONE + POSITION_ONE // 2
        self.body[Body.Z, w] = int(z * POSITION_ONE)
        self.body[Body.YAW, w] = yaw
        self.body[Body.PITCH, w] = scene.pitch
        self.clock[Clock.TIME, w] = scene.time
        if scene.held:
            wp.to_torch(self.world.state.slot_item)[w, 0] = ITEM_ID[scene.held]
            self.body[Body.HAND, w] = 0

    def light_up(self, w: int, x: int, y: int, z: int) -> None:
        """Put a torch into an array cell."""
        self.blocks[w, x, y, z] = BLOCK_ID["torch"]
        self.world.relight([w])

    def build_room(self, w: int, x: int, y: int, z: int) -> None:
        """A hall of stone and planks around an array cell, with a torch and an open doorway to a dark room."""
        around = [np.arange(at - 6, at + 7) & 63 for at in (x, y)]
        self.blocks[w][np.ix_(*around, np.arange(z - 1, z + 5))] = BLOCK_ID["stone"]
        self.tops[w][np.ix_(*around)] = np.maximum(self.tops[w][np.ix_(*around)], z + 5)
        inside = [axis[1:-1] for axis in around]
        self.blocks[w][np.ix_(*inside, np.arange(z, z + 4))] = 0
        self.blocks[w][np.ix_(*inside, [z - 1])] = BLOCK_ID["planks"]
        self.blocks[w][np.ix_([(x + 2) & 63], inside[1], np.arange(z, z + 4))] = BLOCK_ID["cobblestone"]
        self.blocks[w, (x + 2) & 63, y, z : z + 2] = 0
        self.light_up(w, (x - 1) & 63, (y + 2) & 63, z)


def _middle(studio: Studio, w: int, x: int, y: int) -> float:
    """How near an array cell is to the middle of its window: 0 at the middle, 32 at the edge."""
    offset = [(cell - int(studio.clock[axis, w])) & 63 for axis, cell in ((Clock.ORIGIN_X, x), (Clock.ORIGIN_Y, y))]
    return max(abs(offset[0] - 32), abs(offset[1] - 32))


def _surface_stand(studio: Studio, scene: Scene) -> tuple[int, int, int, float] | None:
    """World and cell of the scene's ground near the middle of a window where much of the same lies around."""
    block = BLOCK_ID[scene.ground]
    best = None
    for w in range(WORLDS):
        tops = studio.tops[w].astype(int)
        ground = np.take_along_axis(studio.blocks[w], np.maximum(tops - 1, 0)[..., None], axis=2)[..., 0]
        if scene.ground == "water":
            ground = studio.blocks[w][..., 31]
        match = ground == block
        share = match.mean()
        target = {"grass": 0.85, "water": 0.35, "clay": 0.01}.get(scene.ground, 0.75)
        cells = [tuple(c) for c in np.argwhere(match) if _middle(studio, w, *c) < 12]
        if not cells:
            continue
        rough = float(np.std(tops[match]))
        score = -abs(share - target) + 0.02 * min(rough, 8)
        if best is None or score > best[0]:
            x, y = cells[len(cells) // 2] if scene.ground != "water" else min(cells, key=lambda c: tops[c])
            best = (score, w, x, y, float(tops[x, y] if scene.ground != "water" else 32))
    return best[1:] if best else None


def _cave_stand(studio: Studio, scene: Scene) -> tuple[int, int, int, float] | None:
    """A roomy cave cell near an ore."""
    ore = BLOCK_ID[scene.ground]
    best = None
    for w in range(WORLDS):
        air = studio.blocks[w] == 0
        for x, y, z in np.argwhere(studio.blocks[w] == ore):
            if not (4 <= x < 60 and 4 <= y < 60 and 8 <= z < 24):
                continue
            around = air[x - 3 : x + 4, y - 3 : y + 4, z - 1 : z + 3]
            free = np.argwhere(around[:, :, :-1] & around[:, :, 1:])
            if len(free) > 20 and (best is None or len(free) > best[0]):
                dx, dy, dz = free[len(free) // 2] - [3, 3, 1]
                if _middle(studio, w, x, y) < 20:
                    best = (len(free), w, int(x + dx), int(y + dy), float(z + dz))
    return best[1:] if best else None


def photograph(studio: Studio, scene: Scene, size: tuple[int, int]) -> np.ndarray:
    """The scene from the most colourful of eight directions, uint8 ``[H, X, 3]``."""
    spot = _cave_stand(studio, scene) if scene.underground else _surface_stand(studio, scene)
    if spot is None:
        raise SystemExit(f"no place for {scene.name} in these worlds")
    w, x, y, z = spot
    if scene.room:
        studio.build_room(w, x, y, int(z))
        x = (x - 4) & 63
    if scene.torches:
        spots = [(x + 1, y + 1), (x + 2, y), (x, y + 2), (x - 1, y + 1), (x, y)]
        for tx, ty in spots:
            level = int(z) if scene.underground else int(studio.tops[w, tx & 63, ty & 63])
            if studio.blocks[w, tx & 63, ty & 63, level] == 0:
                studio.light_up(w, tx & 63, ty & 63, level)
                break
    best = None
    for yaw in range(0, 24, 2):
        studio.place(w, x, y, z + scene.lift, yaw, scene)
        picture = studio.world.render([w], *size)[0].numpy()
        score = float(picture.reshape(-1, 3).astype(float).std(axis=0).mean())
        if best is None or score > best[0]:
            best = (score, picture)
    return best[1]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--height", type=int, default=216)
    parser.add_argument("--width", type=int, default=384)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    studio = Studio()
    pictures = []
    for scene in SCENES:
        pictures.append(photograph(studio, scene, (arguments.height, arguments.width)))
        Image.fromarray(pictures[-1]).save(arguments.folder / f"{scene.name}.png", optimize=True)
    rows = [np.concatenate(pictures[k : k + 3], axis=1) for k in range(0, 9, 3)]
    Image.fromarray(np.concatenate(rows)).save(arguments.folder / "all.png", optimize=True)


if __name__ == "__main__":
    main()
