"""Other looks: they change pictures and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from farlands.worlds.voxel.blocks import BLOCKS
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.rendering.restyle import restyle, tone_curve
from farlands.worlds.voxel.rendering.textures import block_tile
from farlands.worlds.voxel.world import VoxelWorld

SENSES = ("pixels", "depth", "segmentation", "vitals")


def look(**options) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """What two agents see at first, and the hash of their worlds."""
    world = VoxelWorld(2, VoxelOptions(senses=SENSES, width=32, height=32, creatures="none", **options))
    seen = world.reset([21, 22]).observation
    found = {key: value.clone() for key, value in seen.items()}, world.state_hash()
    world.close()
    return found


@pytest.fixture(scope="module")
def standard():
    return look()


@pytest.mark.parametrize("options", [{"texture_seed": 3}, {"gamma": 2.0}])
def test_looks_change_the_pixels_and_nothing_else(standard, options):
    seen, state = look(**options)
    assert not torch.equal(seen["pixels"], standard[0]["pixels"])
    for key in ("depth", "segmentation", "vitals"):
        assert torch.equal(seen[key], standard[0][key])
    assert torch.equal(state, standard[1])


def test_gamma_is_a_curve_over_the_standard_picture(standard):
    curve = tone_curve(0.5)
    seen, _ = look(gamma=0.5)
    assert np.array_equal(seen["pixels"].numpy(), curve[standard[0]["pixels"].numpy()])
    assert seen["pixels"].float().mean() > standard[0]["pixels"].float().mean()


def test_a_curve_of_one_changes_nothing_and_others_keep_the_ends():
    assert np.array_equal(tone_curve(1.0), np.arange(256))
    for gamma in (0.25, 0.8, 1.25, 4.0):
        curve = tone_curve(gamma).astype(int)
        assert (curve[0], curve[255]) == (0, 255)
        assert (np.diff(curve) >= 0).all()


def test_tiles_keep_their_shape_and_change_their_colours():
    changed = 0
    for block in BLOCKS[1:]:
        tile = block_tile(block.name, "side")
        other = restyle(tile, block.name, 7)
        assert other.dtype == np.uint8
        assert np.array_equal(other[..., 3], tile[..., 3])
        solid = tile[..., 3] > 0
        gap = np.abs(other[..., :3][solid].astype(int) - tile[..., :3][solid]).mean()
        changed += gap > 8
        assert np.array_equal(other, restyle(tile, block.name, 7))
    assert changed > 0.8 * (len(BLOCKS) - 1)


def test_seeds_differ_and_0_is_the_standard():
    tile = block_tile("stone", "top")
    assert restyle(tile, "stone", 0) is tile
    assert len({restyle(tile, "stone", seed).tobytes() for seed in range(20)}) == 20


def test_faces_and_states_of_a_block_keep_a_likeness():
    """One turn of hue for all: what is one colour stays one colour."""
    flat = np.full((16, 16, 4), (200, 60, 30, 255), dtype=np.uint8)
    for one, other in (("water", "falling_water"), ("water", "water_3"), ("tnt", "lit_tnt"), ("door", "open_door")):
        assert np.array_equal(restyle(flat, one, 9), restyle(flat, other, 9))
    assert not np.array_equal(restyle(flat, "water", 9), restyle(flat, "lava", 9))
