"""What an expert knows that has only its observations: a map it draws as it goes, with guesses where it is blank."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from farlands.worlds.voxel.actions import FLAT_ACTIONS, Move
from farlands.worlds.voxel.blocks import AIR, BEDROCK, BLOCKS, STONE, Look
from farlands.worlds.voxel.creatures.columns import ENTITY_LABELS
from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.expert.pictures import Eye, empty_cells, shown_cells
from farlands.worlds.voxel.expert.sight import line_of_sight
from farlands.worlds.voxel.expert.view import IN_CROSSHAIR, IS_SOLID, Outlook
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.options import HEIGHT, VoxelOptions
from farlands.worlds.voxel.physics import AIR_INERTIA, DAMP_SHIFT, GROUND_INERTIA, WATER_INERTIA
from farlands.worlds.voxel.state import CHUNK, POSITION_ONE, Body
from farlands.worlds.voxel.tables import NUM_HEADINGS

NEEDED = (
    "voxels", "vitals", "status", "inventory", "equipment", "target_block", "target", "compass", "position",
    "entities", "depth", "segmentation",
)  # fmt: skip
"""Senses the map is drawn from."""

_UNKNOWN = 255
_REACH = 256
"""Side of the map, in blocks: what is farther behind is forgotten."""
_WINDOW = 64
_SURFACE = 30
"""Height from which on a known piece of ground counts as the surface of its column."""
_LONGEST_FALL = 4
_NEAR = 3
"""Columns around the feet of which the cube shows the ground, if it is there."""
_DAY_LOOKS = (Look.LOG, Look.LEAVES, Look.AIR)
_GROUND = IS_SOLID & np.array([block.look not in _DAY_LOOKS for block in BLOCKS])
_KINDS = slice(ENTITY_LABELS.index(CREATURES[0].name), ENTITY_LABELS.index(CREATURES[-1].name) + 1)
"""Columns of creatures' kinds; other agents and lying items are no creatures."""
_SAME = 2.0
"""Blocks that a creature may have moved since it was last seen to be taken for the same."""
_PUSHES = {Move.FORWARD: 0, Move.SPRINT: 0, Move.RIGHT: 6, Move.BACK: 12, Move.LEFT: 18}
_ONE = 1 << DAMP_SHIFT
_PUSH_ON_GROUND, _PUSH_ELSEWHERE = 0.098, 0.0196


class SeenView(Outlook):
    """A view made of one row's observations alone.

    Blocks are counted from the start: x east, y north. Where the map is blank there is rock below the surface and air
    above it, as far as anyone can tell; below what is known to be empty it may go deep.

    Args:
        options: The world's: what the pictures and the ticks of a step mean.
    """

    side = _WINDOW

    def __init__(self, options: VoxelOptions = VoxelOptions()) -> None:
        self._eye = Eye(options.height, options.width, options.field_of_view, options.sight)
        self._ticks = options.ticks_per_step
        self._blocks = np.full((_REACH, _REACH, HEIGHT), _UNKNOWN, dtype=np.uint8)
        self._tops = np.full((_REACH, _REACH), -1, dtype=np.int16)
        self._corner = np.zeros(2, dtype=np.int64)
        self._level = -1
        self._body: dict[Body, int] = {}
        self._status = np.zeros(6, dtype=bool)
        self._inventory = np.zeros(len(ITEMS), dtype=np.int64)
        self._held = 0
        self._velocity = (0.0, 0.0)
        self._pose: tuple[int, ...] = ()
        self._creatures: list[tuple[int, int, float, float, float]] = []
        self._names = 0
        self._new: set[int] = set()
        self._window: np.ndarray | None = None

    def take(self, seen: Mapping[str, np.ndarray], action: int) -> None:
        """Take in an observation.

        Args:
            seen: One row of each of ``NEEDED``.
            action: The flat action that led to it; 0 at first.
        """
        if self._body and not np.any(seen["vitals"]):
            # Nobody who lives has no health: this observation was lost.
            return
        before = dict(self._body)
        was_on_ground, was_afloat = bool(self._status[0]), bool(self._status[1] or self._status[2])
        self._take_body(seen)
        if before:
            self._velocity = self._guess_velocity(before, action, was_on_ground, was_afloat)
        self._scroll()
        self._take_cube(np.asarray(seen["voxels"]))
        self._take_pictures(np.asarray(seen["depth"]), np.asarray(seen["segmentation"]))
        self._take_crosshair(int(seen["target_block"][0]), np.asarray(seen["target"]))
        self._take_creatures(np.asarray(seen["entities"]))
        self._window = None

    def _take_body(self, seen: Mapping[str, np.ndarray]) -> None:
        compass, position = np.asarray(seen["compass"]).astype(int), np.asarray(seen["position"]).astype(int)
        yaw = round(math.degrees(math.atan2(compass[0], compass[1])) / 15) % NUM_HEADINGS
        place = position[:3] * POSITION_ONE + position[3:]
        self._body = {
            Body.X: int(place[0]),
            Body.Y: int(place[1]),
            Body.Z: int(place[2]),
            Body.YAW: yaw,
            Body.PITCH: round(compass[3] / 21),
            Body.HEALTH: int(seen["vitals"][0]),
            Body.FOOD: int(seen["vitals"][1]),
        }
        self._status = np.asarray(seen["status"]).astype(bool)
        self._inventory = np.asarray(seen["inventory"]).astype(np.int64)
        self._held = int(seen["equipment"][0])
        if self._level < 0:
            self._level = int(position[2]) - 1
            self._corner[:] = (position[:2] >> 4) * CHUNK - _REACH // 2

    def _guess_velocity(
        self, before: Mapping[Body, int], action: int, on_ground: bool, afloat: bool
    ) -> tuple[float, float]:
        """Motion at the end of a step, in blocks per tick, from the way made in it and the keys held."""
        inertia = (WATER_INERTIA if afloat else GROUND_INERTIA if on_ground else AIR_INERTIA) / _ONE
        push = _PUSH_ON_GROUND if on_ground and not afloat else _PUSH_ELSEWHERE
        move, n = FLAT_ACTIONS[action].move, self._ticks
        left = inertia**n
        sums = (1 - left) / (1 - inertia)
        angle = (self.body(Body.YAW) + _PUSHES.get(move, 0)) * 2 * math.pi / NUM_HEADINGS
        if move == Move.NONE:
            push = 0.0
        found = []
        for row, part, was in (
            (Body.X, math.sin(angle), self._velocity[0]),
            (Body.Y, math.cos(angle), self._velocity[1]),
        ):
            way = (self._body[row] - before[row]) / POSITION_ONE
            own = push * part * (n - inertia * sums) / (1 - inertia)
            start = (way - own) / sums
            blocked = abs(way) < abs(was * sums + own) - 0.05
            found.append(0.0 if blocked else start * left + push * part * inertia * sums)
        return found[0], found[1]

    def _scroll(self) -> None:
        """Keep the body in the middle half of the map; columns that come in anew are blank."""
        for axis, row in ((0, Body.X), (1, Body.Y)):
            here = self._body[row] // POSITION_ONE
            while not _REACH // 4 <= here - self._corner[axis] < 3 * _REACH // 4:
                back = here - self._corner[axis] < _REACH // 4
                first = int(self._corner[axis]) - CHUNK if back else int(self._corner[axis]) + _REACH
                strip = (slice(None),) * axis + (np.arange(first, first + CHUNK) % _REACH,)
                self._blocks[strip], self._tops[strip] = _UNKNOWN, -1
                self._corner[axis] += -CHUNK if back else CHUNK

    def _take_cube(self, cube: np.ndarray) -> None:
        quarter = ((self.body(Body.YAW) + 3) // 6) & 3
        ahead_x, ahead_y = (0, 1, 0, -1)[quarter], (1, 0, -1, 0)[quarter]
        up, ahead, right = (np.arange(size) - size // 2 for size in cube.shape)
        x, y, z = self.feet
        k, i, j = np.meshgrid(up, ahead, right, indexing="ij")
        cells = np.stack([x + i * ahead_x + j * ahead_y, y + i * ahead_y - j * ahead_x, z + k], axis=-1)
        self._write(cells.reshape(-1, 3), cube.ravel())

    def _take_pictures(self, depth: np.ndarray, seen: np.ndarray) -> None:
        pose = tuple(self._body[row] for row in (Body.X, Body.Y, Body.Z, Body.YAW, Body.PITCH))
        if pose == self._pose:
            return
        self._pose = pose
        at = np.array(self.eye) / POSITION_ONE
        passed = empty_cells(self._eye, at, pose[3], pose[4], depth)
        passed = passed[self._inside(passed)]
        blank = self._blocks[passed[:, 0] % _REACH, passed[:, 1] % _REACH, passed[:, 2]] == _UNKNOWN
        passed = passed[blank]
        self._blocks[passed[:, 0] % _REACH, passed[:, 1] % _REACH, passed[:, 2]] = AIR
        self._write(*shown_cells(self._eye, at, pose[3], pose[4], depth, seen))

    def _inside(self, cells: np.ndarray) -> np.ndarray:
        """Which cells are on the map."""
        aside = ((cells[..., :2] >= self._corner) & (cells[..., :2] < self._corner + _REACH)).all(axis=-1)
        return aside & (cells[..., 2] >= 0) & (cells[..., 2] < HEIGHT)

    def _write(self, cells: np.ndarray, blocks: np.ndarray) -> None:
        keep = self._inside(cells)
        cells, blocks = cells[keep], blocks[keep]
        x, y, z = cells[:, 0] % _REACH, cells[:, 1] % _REACH, cells[:, 2]
        news = blocks[self._blocks[x, y, z] != blocks]
        self._new.update(np.unique(news).tolist())
        self._blocks[x, y, z] = blocks
        ground = _GROUND[blocks] & (z >= _SURFACE)
        np.maximum.at(self._tops, (x[ground], y[ground]), z[ground].astype(np.int16))

    def _take_crosshair(self, block: int, target: np.ndarray) -> None:
        """The first cell on the line of sight is what the crosshair says; those before it stop nothing."""
        tenths, in_reach, upright = int(target[0]), bool(target[1]), int(target[3]) != 3
        gone, hits = [], []
        for cell, distance, axis in line_of_sight(self):
            far = (distance * 10) >> 16
            if in_reach and far == tenths and (axis < 0 or (axis == 2) == upright):
                hits.append(cell)
            elif not in_reach or far < tenths:
                gone += [cell] if IN_CROSSHAIR[self.block(cell)] else []
        hit = next((cell for cell in hits if self.block(cell) == block), hits[0] if hits else None)
        if gone:
            self._write(np.array(gone), np.full(len(gone), AIR, dtype=np.uint8))
        if hit is not None:
            self._write(np.array([hit]), np.array([block], dtype=np.uint8))

    def _take_creatures(self, rows: np.ndarray) -> None:
        """The creatures among the nearest in sight, given back the names they had in the step before."""
        angle = self.body(Body.YAW) * 2 * math.pi / NUM_HEADINGS
        sine, cosine = math.sin(angle), math.cos(angle)
        x, y, z = self.position
        last, found = list(self._creatures), []
        for row in rows.astype(float):
            kinds = np.flatnonzero(row[_KINDS])
            if not len(kinds):
                continue
            ahead, right, up = row[0] / 4, row[1] / 4, row[2] / 4
            kind = int(kinds[0]) + 1
            place = (x + ahead * sine + right * cosine, y + ahead * cosine - right * sine, z + up)
            known = [c for c in last if c[1] == kind and math.dist(c[2:], place) < _SAME]
            if known:
                same = min(known, key=lambda c: math.dist(c[2:], place))
                last.remove(same)
                name = same[0]
            else:
                self._names += 1
                name = self._names
            found.append((name, kind, *place))
        self._creatures = found

    def news(self) -> set[int]:
        """Ids of the blocks that have come to be known since this was last asked."""
        news, self._new = self._new, set()
        return news

    def body(self, row: Body) -> int:
        return self._body[row]

    @property
    def origin(self) -> tuple[int, int]:
        x, y, _ = self.feet
        return x - _WINDOW // 2, y - _WINDOW // 2

    @property
    def velocity(self) -> tuple[float, float]:
        return self._velocity

    @property
    def on_ground(self) -> bool:
        return bool(self._status[0])

    @property
    def held(self) -> str:
        return ITEMS[self._held].name

    @property
    def smelting(self) -> bool:
        """Always: what a furnace does is not seen, only what comes out of it."""
        return True

    def count(self, item: str) -> int:
        return int(self._inventory[ITEM_ID[item]])

    def carried(self) -> dict[str, int]:
        return {item.name: int(n) for item, n in zip(ITEMS, self._inventory, strict=True) if n > 0}

    def knows(self, cells: np.ndarray) -> np.ndarray:
        """Bool ``[...]``: which of the cells int ``[..., 3]`` are on the map and not blank."""
        z = np.clip(cells[..., 2], 0, HEIGHT - 1)
        return self._inside(cells) & (self._blocks[cells[..., 0] % _REACH, cells[..., 1] % _REACH, z] != _UNKNOWN)

    def blocks_at(self, cells: np.ndarray) -> np.ndarray:
        x, y, z = cells[..., 0] % _REACH, cells[..., 1] % _REACH, cells[..., 2]
        found = self._blocks[x, y, np.clip(z, 0, HEIGHT - 1)]
        tops = self._tops[x, y]
        guess = np.where(z <= np.where(tops >= 0, tops, self._level), np.where(z <= 0, BEDROCK, STONE), AIR)
        blank = (found == _UNKNOWN) | ~self._inside(cells)
        return np.where(blank, guess, found).astype(np.uint8)

    def window(self) -> np.ndarray:
        if self._window is None:
            self._window = self._fill()
        return self._window.copy()

    def _fill(self) -> np.ndarray:
        (x0, y0), span = self.origin, np.arange(_WINDOW)
        xs, ys = (x0 + span) % _REACH, (y0 + span) % _REACH
        known = self._blocks[np.ix_(xs, ys)]
        tops = self._tops[np.ix_(xs, ys)][..., None]
        z = np.arange(HEIGHT)
        guess = np.where(z <= np.where(tops >= 0, tops, self._level), STONE, AIR).astype(np.uint8)
        guess[..., 0] = BEDROCK
        blank = known == _UNKNOWN
        filled = np.where(blank, guess, known)
        # Under ground, and close by, what lies unseen below emptiness may be a drop.
        may_fall = np.zeros_like(blank)
        may_fall[..., 1:_SURFACE] = True
        middle = slice(_WINDOW // 2 - _NEAR, _WINDOW // 2 + _NEAR + 1)
        may_fall[middle, middle, 1:-1] = True
        for _ in range(_LONGEST_FALL):
            deep = np.zeros_like(blank)
            deep[..., :-1] = (filled[..., 1:] == AIR) & (blank & may_fall)[..., :-1]
            filled[deep] = AIR
        return filled

    def known_window(self) -> np.ndarray:
        """Bool ``[S, S, 64]``: which cells of ``window`` are no guesses."""
        (x0, y0), span = self.origin, np.arange(_WINDOW)
        return self._blocks[np.ix_((x0 + span) % _REACH, (y0 + span) % _REACH)] != _UNKNOWN

    def creatures(self) -> list[tuple[int, int, float, float, float]]:
        return list(self._creatures)

    def sees(self, point: tuple[float, float, float]) -> bool:
        """True: only creatures in sight are perceived."""
        return True
