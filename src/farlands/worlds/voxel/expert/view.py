"""What an expert goes by, and the view that sees everything: one world's state, through walls, by block coordinates."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import warp as wp

from farlands.worlds.voxel.blocks import AIR, BEDROCK, BLOCK_ID, BLOCKS, Fluid, Shape
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.grid import STATION_ABOVE, STATION_ASIDE, STATION_BELOW
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.physics import BODY_HALF_WIDTH, BODY_HEIGHT, EYE_HEIGHT
from farlands.worlds.voxel.state import POSITION_ONE, POSITION_SHIFT, VELOCITY_ONE, Body, Clock
from farlands.worlds.voxel.world import VoxelWorld

Cell = tuple[int, int, int]
"""Block coordinates (x east, y north, z up)."""

SHAPE = np.array([block.shape for block in BLOCKS])
IS_SOLID = SHAPE == Shape.CUBE
IS_FLUID = SHAPE == Shape.FLUID
IS_WATER = np.array([block.fluid == Fluid.WATER for block in BLOCKS])
IS_LAVA = np.array([block.fluid == Fluid.LAVA or block.name == "fire" for block in BLOCKS])
"""By block: what burns whoever stands in it."""
IS_SOURCE = np.array([block.name in ("water", "lava") for block in BLOCKS])
"""By block: what a bucket is filled from."""
IN_CROSSHAIR = (SHAPE != Shape.EMPTY) & (SHAPE != Shape.FLUID)
STATION_REACH = ((-STATION_ASIDE, STATION_ASIDE),) * 2 + ((-STATION_BELOW, STATION_ABOVE),)
"""How far from the feet a station serves, in blocks east, north and up, from the least to the most."""
_PLACE = (Being.X, Being.Y, Being.Z)
SIDES: tuple[Cell, ...] = ((1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


class Outlook:
    """What an expert knows of its body and of the land, however it came to know it.

    The experts' arms and legs use nothing else. Kinds of it say what the raw facts are; the rest follows.

    Attributes:
        side: Side of the square of land that is looked over, in blocks.
    """

    side: int

    def body(self, row: Body) -> int:
        """One number of the body state: place, heading, pitch, health or food."""
        raise NotImplementedError

    @property
    def origin(self) -> tuple[int, int]:
        """Least block coordinates of the window."""
        raise NotImplementedError

    @property
    def velocity(self) -> tuple[float, float]:
        """Sideways motion, in blocks per tick."""
        raise NotImplementedError

    @property
    def on_ground(self) -> bool:
        """Whether the body stands on something."""
        raise NotImplementedError

    @property
    def held(self) -> str:
        """Item in the hand, ``"nothing"`` for the bare hand."""
        raise NotImplementedError

    @property
    def smelting(self) -> bool:
        """Whether a furnace may be at work for the agent."""
        raise NotImplementedError

    def count(self, item: str) -> int:
        """How many of an item are carried."""
        raise NotImplementedError

    def carried(self) -> dict[str, int]:
        """Everything carried, by item."""
        raise NotImplementedError

    def blocks_at(self, cells: np.ndarray) -> np.ndarray:
        """Block ids uint8 ``[...]`` of cells int ``[..., 3]``."""
        raise NotImplementedError

    def window(self) -> np.ndarray:
        """uint8 ``[S, S, 64]``: a copy of the window whose first cell is the block at ``origin``."""
        raise NotImplementedError

    def creatures(self) -> list[tuple[int, int, float, float, float]]:
        """A number that stays with it, kind and position in blocks of every creature."""
        raise NotImplementedError

    @property
    def eye(self) -> tuple[int, int, int]:
        """Where the crosshair's ray starts, in position units."""
        return self.body(Body.X), self.body(Body.Y), self.body(Body.Z) + EYE_HEIGHT

    @property
    def position(self) -> tuple[float, float, float]:
        """The feet, in blocks."""
        return tuple(self.body(row) / POSITION_ONE for row in (Body.X, Body.Y, Body.Z))  # type: ignore[return-value]

    @property
    def feet(self) -> Cell:
        """The cell of the middle of the feet."""
        return tuple(self.body(row) >> POSITION_SHIFT for row in (Body.X, Body.Y, Body.Z))  # type: ignore[return-value]

    @property
    def footprint(self) -> list[tuple[int, int]]:
        """The columns the body is over, as (x, y)."""
        spans = [
            range(
                (self.body(r) - BODY_HALF_WIDTH) >> POSITION_SHIFT,
                ((self.body(r) + BODY_HALF_WIDTH - 1) >> POSITION_SHIFT) + 1,
            )
            for r in (Body.X, Body.Y)
        ]
        return [(x, y) for x in spans[0] for y in spans[1]]

    def room(self, axis: int, limit: float = 1.0) -> tuple[float, float]:
        """How far the body can move along x (0) or y (1) to a solid block, back and forth, in blocks up to a limit."""
        z0 = self.body(Body.Z) >> POSITION_SHIFT
        levels = range(z0, ((self.body(Body.Z) + BODY_HEIGHT - 1) >> POSITION_SHIFT) + 1)
        across = sorted({column[1 - axis] for column in self.footprint})
        at = self.body(Body.X + axis)
        found = []
        for sign in (-1, 1):
            edge = at + sign * BODY_HALF_WIDTH
            layer = (edge >> POSITION_SHIFT) if sign < 0 else ((edge - 1) >> POSITION_SHIFT)
            layers = (layer + sign, layer + 2 * sign)
            blocked = next(
                (k for k in layers if any(self.solid(_cell_at(axis, k, c, z)) for c in across for z in levels)), None
            )
            if blocked is None:
                found.append(limit)
            else:
                face = (blocked + (sign < 0)) << POSITION_SHIFT
                found.append(min(limit, abs(face - edge) / POSITION_ONE))
        return found[0], found[1]

    @property
    def afloat(self) -> bool:
        """Whether the feet are in a fluid."""
        return bool(IS_FLUID[self.block(self.feet)])

    def block(self, cell: Cell) -> int:
        """Block id; beyond the window bedrock below the top of the world, air above it."""
        return int(self.blocks_at(np.array(cell)))

    def solid(self, cell: Cell) -> bool:
        """Whether a cell stops a body."""
        return bool(IS_SOLID[self.block(cell)])

    def sees(self, point: tuple[float, float, float]) -> bool:
        """Whether nothing solid lies between the eyes and a point, both in blocks."""
        eye = np.array(self.eye) / POSITION_ONE
        way = np.array(point) - eye
        steps = max(2, int(np.abs(way).max() * 4))
        points = eye + way * (np.arange(1, steps) / steps)[:, None]
        return not IS_SOLID[self.blocks_at(np.floor(points).astype(np.int64))].any()

    def touches_lava(self, cell: Cell) -> bool:
        """Whether lava stands in the cell or at one of its six sides."""
        return any(IS_LAVA[self.block(at)] for at in (cell, *beside(cell)))

    def station_near(self, item: str) -> bool:
        """Whether a station stands within its reach."""
        return self.find_near(item) is not None

    def find_near(self, item: str) -> Cell | None:
        """Cell of a station in reach of the feet, or None."""
        spans = (np.arange(low, high + 1) + at for at, (low, high) in zip(self.feet, STATION_REACH, strict=True))
        cells = np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1)
        found = cells[self.blocks_at(cells) == BLOCK_ID[item]]
        return tuple(found[0].tolist()) if len(found) else None  # type: ignore[return-value]


class View(Outlook):
    """The state of one world of a batch on the CPU, read in place: always up to date.

    Args:
        world: The batch.
        index: Which world of it; one agent a world.

    Raises:
        ValueError: The batch is not on the CPU.
    """

    def __init__(self, world: VoxelWorld, index: int = 0) -> None:
        if world.device.type != "cpu":
            raise ValueError(f"device {world.device}: the expert reads worlds on the cpu only")
        state, side = world.state, world.options.window
        self.side = side
        self._blocks = wp.to_torch(state.blocks).numpy()[index].reshape(side, side, HEIGHT)
        self._body = wp.to_torch(state.body).numpy()[:, index]
        self._clock = wp.to_torch(state.clock).numpy()[:, index]
        self._counts = wp.to_torch(state.counts).numpy()[index]
        self._slot_item = wp.to_torch(state.slot_item).numpy()[index]
        self._armour = wp.to_torch(state.armour_item).numpy()[index]
        self._creatures = wp.to_torch(state.creatures).numpy()[index]

    def body(self, row: Body) -> int:
        """One number of the body state."""
        return int(self._body[row])

    @property
    def origin(self) -> tuple[int, int]:
        """Least block coordinates of the window."""
        return int(self._clock[Clock.ORIGIN_X]), int(self._clock[Clock.ORIGIN_Y])

    @property
    def velocity(self) -> tuple[float, float]:
        """Sideways motion, in blocks per tick."""
        return self.body(Body.VX) / VELOCITY_ONE, self.body(Body.VY) / VELOCITY_ONE

    @property
    def on_ground(self) -> bool:
        """Whether the body stands on something."""
        return self.body(Body.ON_GROUND) != 0

    @property
    def held(self) -> str:
        """Item in the hand, ``"nothing"`` for the bare hand."""
        slot = self.body(Body.HAND)
        return ITEMS[int(self._slot_item[slot])].name if slot >= 0 else "nothing"

    @property
    def smelting(self) -> bool:
        """Whether a furnace works for the agent."""
        return self.body(Body.SMELTING) >= 0

    def count(self, item: str) -> int:
        """How many of an item are carried."""
        return int(self._counts[ITEM_ID[item]])

    def carried(self) -> dict[str, int]:
        """Everything carried, by item."""
        return {item.name: int(n) for item, n in zip(ITEMS, self._counts, strict=True) if n > 0}

    def blocks_at(self, cells: np.ndarray) -> np.ndarray:
        """Block ids uint8 ``[...]`` of cells int ``[..., 3]``."""
        x, y, z = cells[..., 0], cells[..., 1], cells[..., 2]
        x0, y0 = self.origin
        side = self.side
        inside = (x >= x0) & (x < x0 + side) & (y >= y0) & (y < y0 + side) & (z >= 0) & (z < HEIGHT)
        found = self._blocks[x % side, y % side, np.clip(z, 0, HEIGHT - 1)]
        return np.where(inside, found, np.where(z >= HEIGHT, AIR, BEDROCK))

    def block(self, cell: Cell) -> int:
        """Block id; beyond the window bedrock below the top of the world, air above it."""
        x, y, z = cell
        x0, y0 = self.origin
        if 0 <= x - x0 < self.side and 0 <= y - y0 < self.side and 0 <= z < HEIGHT:
            return int(self._blocks[x % self.side, y % self.side, z])
        return AIR if z >= HEIGHT else BEDROCK

    def window(self) -> np.ndarray:
        """uint8 ``[S, S, 64]``: a copy of the window whose first cell is the block at ``origin``."""
        x0, y0 = self.origin
        return np.roll(self._blocks, (-(x0 % self.side), -(y0 % self.side)), axis=(0, 1))

    @property
    def time(self) -> int:
        """Time of day, 0 to 23,999."""
        return int(self._clock[Clock.TIME])

    @property
    def start(self) -> tuple[int, int]:
        """The column where the episode began."""
        return int(self._clock[Clock.START_X]), int(self._clock[Clock.START_Y])

    @property
    def worn(self) -> tuple[str, ...]:
        """Pieces of armour worn, by place; ``"nothing"`` where there is none."""
        return tuple(ITEMS[int(item)].name for item in self._armour)

    def beings(self) -> np.ndarray:
        """int32 ``[n, Being]``: the state of every creature."""
        return self._creatures[: int(self._clock[Clock.CREATURES])].copy()

    def creatures(self) -> list[tuple[int, int, float, float, float]]:
        """Number within the episode, kind and position in blocks of every creature."""
        rows = self._creatures[: int(self._clock[Clock.CREATURES])]
        return [
            (int(row[Being.NAME]), int(row[Being.KIND]), *(float(row[at]) / POSITION_ONE for at in _PLACE))  # type: ignore[misc]
            for row in rows
        ]


def _cell_at(axis: int, along: int, across: int, z: int) -> Cell:
    return (along, across, z) if axis == 0 else (across, along, z)


def beside(cell: Cell) -> Iterable[Cell]:
    """The six cells that share a side with a cell."""
    return ((cell[0] + x, cell[1] + y, cell[2] + z) for x, y, z in SIDES)
