"""Pictures of a batch of worlds: the tables of the ray caster, and its launches."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
import warp as wp

from farlands.worlds.voxel.blocks import BLOCKS, Fluid, Shape
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.listed import Listed
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.rendering.bodies import make_bodies
from farlands.worlds.voxel.rendering.camera import NUM_OVERLAY, NUM_VIEW, _aim_cameras_kernel
from farlands.worlds.voxel.rendering.draw import Pictures, _draw_kernel
from farlands.worlds.voxel.rendering.figures import NUM_FIGURE, _pose_figures_kernel, figure_room
from farlands.worlds.voxel.rendering.raycast import (
    MODEL_BOX,
    MODEL_CROSS,
    MODEL_CUBE,
    MODEL_CUTOUT,
    MODEL_FLUID,
    MODEL_NONE,
    Look,
)
from farlands.worlds.voxel.rendering.restyle import restyle, tone_curve
from farlands.worlds.voxel.rendering.textures import FACES, block_tile, item_tile
from farlands.worlds.voxel.state import Rules, VoxelState
from farlands.worlds.voxel.tables import Tables

PICTURES = ("pixels", "depth", "segmentation")
PICTURE_KERNELS = (_aim_cameras_kernel, _pose_figures_kernel, _draw_kernel)

_MODELS = {Shape.EMPTY: MODEL_NONE, Shape.CUBE: MODEL_CUBE, Shape.PLANT: MODEL_CROSS, Shape.FLUID: MODEL_FLUID}
_SPECIAL_MODELS = {
    "glass": MODEL_CUTOUT, "ladder": MODEL_CUTOUT, "door": MODEL_CUTOUT, "open_door": MODEL_CUTOUT,
    "torch": MODEL_BOX, "bed": MODEL_BOX, "cactus": MODEL_BOX,
}  # fmt: skip
_BOXES = {"torch": (0.0625, 0.75), "bed": (0.5, 0.5625), "cactus": (0.4375, 1.0)}
_GLOW = {"torch": 1.0, "fire": 1.0} | {b.name: 0.95 for b in BLOCKS if b.fluid == Fluid.LAVA}


def pixel_rays(height: int, width: int, field_of_view: float) -> np.ndarray:
    """float32 ``[H * X, 3]``: right, up and length of the ray through each pixel's middle, one block ahead."""
    half = np.tan(np.radians(field_of_view) / 2)
    up = (1 - (np.arange(height) + 0.5) / height * 2) * half
    right = ((np.arange(width) + 0.5) / width * 2 - 1) * half * width / height
    up, right = np.meshgrid(up, right, indexing="ij")
    return np.stack([right, up, np.sqrt(right**2 + up**2 + 1)], axis=-1).reshape(-1, 3).astype(np.float32)


def pixel_order(height: int, width: int, patch: int) -> np.ndarray:
    """int32 ``[H * X]``: pixels, counted row by row, patch after patch; row after row for patch 0."""
    pixels = np.arange(height * width, dtype=np.int32)
    if not patch:
        return pixels
    return pixels.reshape(height // patch, patch, width // patch, patch).swapaxes(1, 2).reshape(-1)


def make_look(
    height: int, width: int, options: VoxelOptions, device: str, patch: int = 0, *, drawn: int = 0
) -> Look:  # fmt: skip
    """Textures, models and rays of pictures of a size on a device, stored in patches of a side or, for 0, in rows; of
    so many agents of each world, all by default.
    """
    tiles: list[np.ndarray] = []
    faces = np.zeros((len(BLOCKS), len(FACES)), dtype=np.int32)
    for index, block in enumerate(BLOCKS):
        for k, face in enumerate(FACES):
            faces[index, k] = len(tiles)
            tiles.append(restyle(block_tile(block.name, face), block.name, options.texture_seed))
    items = np.zeros(len(ITEMS), dtype=np.int32)
    for index, item in enumerate(ITEMS):
        items[index] = len(tiles)
        tiles.append(restyle(item_tile(item.name, item.places), item.places or item.name, options.texture_seed))
    models = [_SPECIAL_MODELS.get(b.name, _MODELS.get(b.shape, MODEL_CUTOUT)) for b in BLOCKS]
    look = Look()
    look.tiles = wp.array(np.stack(tiles).reshape(len(tiles), -1, 4), dtype=wp.vec4ub, device=device)
    look.block_tile = wp.array(faces, dtype=wp.int32, device=device)
    look.block_model = wp.array(models, dtype=wp.int32, device=device)
    look.block_box = wp.array([_BOXES.get(b.name, (0.5, 1.0)) for b in BLOCKS], dtype=wp.vec2, device=device)
    look.block_light = wp.array([_GLOW.get(b.name, 0.0) for b in BLOCKS], dtype=wp.float32, device=device)
    look.block_fluid = wp.array([(int(b.fluid), b.level) for b in BLOCKS], dtype=wp.vec2i, device=device)
    look.item_tile = wp.array(items, dtype=wp.int32, device=device)
    look.rays = wp.array(pixel_rays(height, width, options.field_of_view), dtype=wp.vec3, device=device)
    look.order = wp.array(pixel_order(height, width, patch), dtype=wp.int32, device=device)
    look.width = width
    look.height = height
    look.sight = float(options.sight)
    look.drawn = drawn or options.agents
    look.tone = wp.array(tone_curve(options.gamma), dtype=wp.uint8, device=device)
    return look


class Renderer:
    """Draws the views of the agents, or of the first ones, of any subset of worlds, at one resolution.

    Args:
        state, tables, rules: Of the worlds to draw.
        num_rows: R.
        options: Field of view and sight; and, unless a size is given, the size and how pixels are stored.
        device: Warp device name.
        size: (height, width) in pixels instead of the options' own.
        drawn: How many agents of each world to draw, the first ones; 0 for all.
    """

    def __init__(
        self, state: VoxelState, tables: Tables, rules: Rules, num_rows: int, options: VoxelOptions, device: str,
        size: tuple[int, int] | None = None, drawn: int = 0,
    ) -> None:  # fmt: skip
        height, width = size if size is not None else (options.height, options.width)
        self._state, self._tables, self._rules, self._device = state, tables, rules, device
        self._look = make_look(height, width, options, device, options.patch if size is None else 0, drawn=drawn)
        self._views = wp.zeros((num_rows, NUM_VIEW), dtype=wp.float32, device=device)
        self._overlay = wp.zeros((num_rows, NUM_OVERLAY), dtype=wp.int32, device=device)
        self._bodies = make_bodies(device, options.texture_seed)
        room = figure_room(rules.agents)
        self._figures = wp.zeros((num_rows, room, NUM_FIGURE), dtype=wp.float32, device=device)
        self._seen = wp.zeros(num_rows, dtype=wp.int32, device=device)

    def draw(self, launch: Callable[..., None], listed: Listed, into: Mapping[str, torch.Tensor]) -> None:
        """Draw the listed worlds into whichever of ``pixels``, ``depth``, ``segmentation`` are given.

        Args:
            launch: ``launch(kernel, dim, inputs, outputs)``.
            listed: Which worlds.
            into: Tensors ``[R, H, X(, 3)]`` of uint8; pixels in patches ``[R, P, side, side, 3]``.
        """
        pictures = Pictures()
        for name in PICTURES:
            array = wp.empty((0, 0), dtype=wp.uint8, device=self._device)
            if name in into:
                flat = into[name].reshape(into[name].shape[0], -1)
                array = wp.from_torch(flat, dtype=wp.uint8, requires_grad=False)
            setattr(pictures, name, array)
        scene = [self._views, self._overlay]
        launch(_aim_cameras_kernel, listed.stride, [self._tables, self._rules, self._state, listed], scene)
        figures = [self._figures, self._seen]
        models = [self._tables, self._look, self._rules, self._bodies.bounds]
        launch(_pose_figures_kernel, listed.stride, [*models, self._state, self._views, listed], figures)
        models = [self._look, self._bodies, self._rules]
        launch(_draw_kernel, listed.stride, [*models, self._state, *scene, *figures, listed], [pictures])
