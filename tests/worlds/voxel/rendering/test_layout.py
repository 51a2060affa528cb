"""Pictures stored in patches are the pictures stored in rows."""

import numpy as np
import pytest
import torch

from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.rendering.renderer import pixel_order
from farlands.worlds.voxel.world import VoxelWorld

SENSES = ("pixels", "depth", "segmentation", "vitals")


@pytest.mark.parametrize(("height", "width", "patch"), [(16, 24, 8), (8, 8, 4), (6, 4, 2), (5, 7, 0)])
def test_every_pixel_is_drawn_once_patch_by_patch(height, width, patch):
    order = pixel_order(height, width, patch)
    assert sorted(order.tolist()) == list(range(height * width))
    if patch:
        y, x = np.divmod(order.reshape(-1, patch, patch), width)
        assert (np.ptp(y, axis=(1, 2)) == patch - 1).all()
        assert (np.ptp(x, axis=(1, 2)) == patch - 1).all()


@pytest.mark.parametrize(("size", "patch"), [((32, 48), 8), ((16, 16), 16)])
def test_patches_hold_the_same_picture(size, patch):
    seen = {}
    for side in (0, patch):
        options = VoxelOptions(senses=SENSES, height=size[0], width=size[1], patch=side)
        world = VoxelWorld(3, options)
        world.reset(5)
        for time in range(4):
            step = world.step(torch.full((3,), 1 + time, dtype=torch.int32))
        seen[side] = step.observation
        for key, array in world.spec.observation.items():
            assert tuple(step.observation[key].shape[1:]) == array.shape
    rows = seen[0]["pixels"].view(3, size[0] // patch, patch, size[1] // patch, patch, 3)
    assert torch.equal(seen[patch]["pixels"], rows.transpose(2, 3).reshape(3, -1, patch, patch, 3))
    assert rows.float().std() > 1
    for key in ("depth", "segmentation", "vitals"):
        assert torch.equal(seen[0][key], seen[patch][key])


def test_pictures_for_people_stay_in_rows():
    one, other = (VoxelWorld(1, VoxelOptions(senses=SENSES, patch=patch)) for patch in (0, 8))
    for world in (one, other):
        world.reset(3)
    assert torch.equal(one.render([0], 30, 40), other.render([0], 30, 40))


@pytest.mark.parametrize(("patch", "word"), [(7, "patch"), (-1, "patch"), (128, "patch")])
def test_patches_that_do_not_fit_are_refused(patch, word):
    with pytest.raises(ValueError, match=word):
        VoxelWorld(1, VoxelOptions(senses=SENSES, patch=patch))
