"""The map drawn from observations against the state they came from."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.blocks import AIR, BLOCK_ID
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID
from farlands.worlds.voxel.expert.guard import Guard
from farlands.worlds.voxel.expert.hands import Hands
from farlands.worlds.voxel.expert.memory import NEEDED, SeenView
from farlands.worlds.voxel.expert.pictures import Eye, empty_cells, shown_cells
from farlands.worlds.voxel.expert.view import IS_SOLID, View
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import POSITION_ONE, Body, Clock
from farlands.worlds.voxel.world import VoxelWorld

from ..gathering import Gathering
from .conftest import OPTIONS, row_of

EYE = Eye(OPTIONS.height, OPTIONS.width, OPTIONS.field_of_view, OPTIONS.sight)
WALK = ("forward", "turn_right_45", "forward", "left", "look_down", "jump_forward", "right", "look_up", "back", "noop")


def start_of(world: VoxelWorld) -> np.ndarray:
    clock = wp.to_torch(world.state.clock).numpy()
    return np.array([clock[Clock.START_X, 0], clock[Clock.START_Y, 0], 0])


def walk(world: VoxelWorld, seed: int, steps: int):
    """A map and the true view, step by step along a walk."""
    out, seen, action = world.reset([seed]), SeenView(OPTIONS), 0
    for step in range(steps):
        seen.take(row_of(out.observation), action)
        yield seen, View(world)
        action = FLAT_ACTION_ID[WALK[(step + step // 7) % len(WALK)]]
        out = world.step(torch.tensor([action], dtype=torch.int32))


def test_agents_and_lying_items_are_neither_creatures_nor_land():
    """In sight they are perceived, and pictures show them, but what is remembered is the zombie and the floor alone."""
    meadow = Gathering(1, 3, actions="flat", creatures="none", senses=NEEDED)
    meadow.put_creature("zombie", 3.5, 7.5)
    meadow.put_agent(0, 0.5, 0.5)
    meadow.put_agent(1, -1.5, 6.5, holds="planks", yaw=12)
    meadow.put_agent(2, 0.5, 3.5, yaw=12)
    for k in range(4):
        meadow.drop("planks", 0.5 + k, 2.5, count=3)
    seen, view = row_of(meadow.look()), SeenView(VoxelOptions())
    names = meadow.world.spec.observation["segmentation"].categories
    shown = {names[k] for k in np.unique(seen["segmentation"])}
    assert {"agent", "item", "zombie"} <= shown
    view.take(seen, 0)
    ((_, kind, *place),) = view.creatures()
    assert kind == CREATURE_ID["zombie"]
    assert place == pytest.approx([3.5, 7.5, 32], abs=0.3)
    cells = np.argwhere(view.known_window()) + np.array([*view.origin, 0])
    assert len(cells) > 300
    blocks = view.blocks_at(cells)
    assert set(blocks[cells[:, 2] >= 32].tolist()) == {AIR}
    assert Guard(view, Hands(view, lambda cell: True))._threat() is None
    meadow.put_creature("zombie", 0.5, 2.9)
    view.take(row_of(meadow.look()), 0)
    assert Guard(view, Hands(view, lambda cell: True))._threat() is not None


@pytest.mark.parametrize("seed", [3, 4])
def test_everything_on_the_map_is_so(shown: VoxelWorld, seed: int):
    """Along a walk: each known cell holds what the map says, and the map grows far beyond the cube."""
    known = 0
    for seen, true in walk(shown, seed, 40):
        start = start_of(shown)
        cells = np.argwhere(seen.known_window()) + np.array([*seen.origin, 0])
        here, there = seen.blocks_at(cells), true.blocks_at(cells + start)
        solid = IS_SOLID[here] | IS_SOLID[there]
        wrong = solid & (here != there)
        assert not wrong.any(), list(zip(cells[wrong].tolist(), here[wrong], there[wrong], strict=True))[:5]
        known = len(cells)
    assert known > 3_000


def test_the_body_is_where_it_is(shown: VoxelWorld):
    errors = []
    for seen, true in walk(shown, 5, 60):
        start = start_of(shown) * POSITION_ONE
        for row, offset in ((Body.X, start[0]), (Body.Y, start[1]), (Body.Z, 0)):
            assert seen.body(row) == true.body(row) - offset
        for row in (Body.YAW, Body.PITCH, Body.HEALTH, Body.FOOD):
            assert seen.body(row) == true.body(row)
        assert (seen.on_ground, seen.held) == (true.on_ground, true.held)
        errors += [abs(a - b) for a, b in zip(seen.velocity, true.velocity, strict=True)]
    assert np.median(errors) < 0.005
    assert np.mean(np.array(errors) < 0.03) > 0.9, "motion is guessed from the way made"


def test_pictures_name_no_wrong_cell(shown: VoxelWorld):
    """Anywhere in the window, whichever way the camera points."""
    rng, view, body = np.random.default_rng(0), View(shown), wp.to_torch(shown.state.body)
    out = shown.reset([8])
    told = 0
    for _ in range(40):
        x0, y0 = view.origin
        for row, low, high in ((Body.X, x0 + 26, x0 + 38), (Body.Y, y0 + 26, y0 + 38), (Body.Z, 34, 44)):
            body[row] = int(rng.integers(low * POSITION_ONE, high * POSITION_ONE))
        body[Body.YAW], body[Body.PITCH] = int(rng.integers(24)), int(rng.integers(-6, 7))
        if IS_SOLID[view.blocks_at(np.array(view.eye) // POSITION_ONE)]:
            continue
        seen = row_of(shown.observe(out).observation)
        at, yaw, pitch = np.array(view.eye) / POSITION_ONE, view.body(Body.YAW), view.body(Body.PITCH)
        cells, blocks = shown_cells(EYE, at, yaw, pitch, seen["depth"], seen["segmentation"])
        assert (view.blocks_at(cells) == blocks).all()
        passed = empty_cells(EYE, at, yaw, pitch, seen["depth"])
        through = view.blocks_at(passed)
        assert not (IS_SOLID[through] & ~_leafy(through)).any()
        told += len(np.unique(cells, axis=0))
    assert told > 2_000


def _leafy(blocks: np.ndarray) -> np.ndarray:
    """Blocks whose pictures have holes."""
    names = ("oak_leaves", "spruce_leaves", "glass", "cactus", "door", "bed")
    return np.isin(blocks, [BLOCK_ID[name] for name in names])


def test_what_is_broken_or_built_out_of_the_cube_is_noticed(shown: VoxelWorld):
    """A block two above the eyes: by the crosshair alone."""
    out, seen, body = shown.reset([6]), SeenView(OPTIONS), wp.to_torch(shown.state.body)
    view = View(shown)
    x, y, z = view.feet
    blocks = wp.to_torch(shown.state.blocks).view(64, 64, 64)
    column = blocks[x % 64, y % 64]
    column[z + 1 : z + 7] = 0
    body[Body.X], body[Body.Y] = (x << 11) + 1024, (y << 11) + 1024
    body[Body.PITCH] = 6
    cell = tuple(int(c) for c in np.array([x, y, z + 4]) - start_of(shown))
    for name in ("stone", "air", "planks", "air"):
        column[z + 4] = BLOCK_ID[name]
        seen.take(row_of(shown.observe(out).observation), 0)
        assert seen.block(cell) == BLOCK_ID[name], name


def test_the_map_follows_and_forgets(shown: VoxelWorld):
    """Far away the land left behind is blank again, and nothing of it shows up at the far end."""
    seen, out = SeenView(OPTIONS), shown.reset([3])
    row = row_of(out.observation)
    seen.take(row, 0)
    home = np.array(seen.feet) - np.array([0, 0, 1])
    assert seen.knows(home)
    for east in range(0, 400, 8):
        row["position"] = row["position"].copy()
        row["position"][0] = east
        seen.take(row, 0)
        assert seen.knows(np.array([east, *home[1:]]))
        assert not seen.knows(np.array([east + 60, *home[1:]]))
    assert not seen.knows(home)


def test_creatures_keep_their_names(make_arena):
    """Two cows and a zombie, seen while the agent turns: places within a quarter of a block, names that last."""
    arena = make_arena(1, senses=OPTIONS.senses, actions="flat", creatures="none", sight=24)
    arena.put_creature("cow", 4.5, 6.5)
    arena.put_creature("cow", -5.5, 3.5)
    arena.put_creature("zombie", 0.5, 9.5)
    seen = SeenView(OPTIONS)
    names = []
    for yaw in range(0, 24, 3):
        arena.body[Body.YAW] = yaw
        seen.take(row_of(arena.look()), 0)
        found = sorted(seen.creatures())
        for _, _, x, y, _ in found:
            assert min(math.dist((x, y), place) for place in ((4.5, 6.5), (-5.5, 3.5), (0.5, 9.5))) < 0.6
        names.append([(name, kind) for name, kind, *_ in found])
    assert len(names[0]) == 3
    assert all(each == names[0] for each in names)
