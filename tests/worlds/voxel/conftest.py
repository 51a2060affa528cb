"""A flat test arena: a batch of voxel worlds whose land is replaced by a stone floor, edited block by block.

Arena coordinates: (0, 0, 0) is the cell of the feet at the start, x east, y north, z up. The agent stands in its
middle, faces north (+y) and looks level, so that block (0, 1, 1) is in the crosshair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import torch
import warp as wp

from farlands.worlds.voxel.actions import CHOICE_ID, Camera, Hand, Jump, Move
from farlands.worlds.voxel.blocks import AIR, BEDROCK, BLOCK_ID, BLOCKS, STONE
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID, CREATURES
from farlands.worlds.voxel.grid import FIXTURE_SHIFT
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import NUM_CLOCK, POSITION_ONE, Body, Clock
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Step

FLOOR = 32
"""Height of the first free cell above the arena's floor."""


class Arena:
    """A batch of flat worlds, one agent each unless told, and short words for editing and stepping them."""

    def __init__(self, num_worlds: int, **options: object) -> None:
        chosen = {
            "actions": "factored",
            "ticks_per_step": 1,
            "sticky_hand": "off",
            "horizon": 2**30,
            "endless": False,
            "creatures": "none",
        } | options
        self.world = VoxelWorld(num_worlds, VoxelOptions(**chosen), num_shards=1)  # type: ignore[arg-type]
        self.world.reset(0)
        state, side = self.world.state, self.world.options.window
        self.side = side
        self.blocks = wp.to_torch(state.blocks).view(num_worlds, side, side, 64)
        self.tops = wp.to_torch(state.tops).view(num_worlds, side, side)
        self.clock, self.body = wp.to_torch(state.clock), wp.to_torch(state.body)
        self.slot_item, self.slot_count = wp.to_torch(state.slot_item), wp.to_torch(state.slot_count)
        self.slot_wear, self.counts = wp.to_torch(state.slot_wear), wp.to_torch(state.counts)
        self.armour_item, self.armour_wear = wp.to_torch(state.armour_item), wp.to_torch(state.armour_wear)
        self.unlocked, self.fixtures = wp.to_torch(state.unlocked), wp.to_torch(state.fixtures)
        self.creatures, self.lying = wp.to_torch(state.creatures), wp.to_torch(state.lying)
        self._flatten()
        self.world.relight()
        self._unlit = False
        self._settle()
        self._flat = self.world.snapshot()
        self._actions = torch.zeros((len(self.rows), 5), dtype=torch.int32)
        self._out = self.world.allocate()

    def _flatten(self) -> None:
        self.blocks[...] = AIR
        self.blocks[..., :FLOOR] = STONE
        self.blocks[..., 0] = BEDROCK
        self.tops[...] = FLOOR
        self.clock[Clock.ORIGIN_X : Clock.ORIGIN_Y + 1] = -(self.side // 2)
        self.clock[Clock.START_X : Clock.START_Y + 1] = 0
        self.clock[Clock.START_Z] = FLOOR
        self.body[Body.X : Body.Y + 1] = POSITION_ONE // 2
        self.body[Body.Z] = FLOOR * POSITION_ONE
        self.body[Body.YAW] = 0
        self.fixtures[...] = -1
        self.clock[Clock.CREATURES] = 0
        self.creatures[...] = 0

    def _settle(self) -> None:
        """Press the feet to the floor, as they are after an episode's first two ticks."""
        for _ in range(2):
            self.world.step(torch.zeros((len(self.rows), *self.world.spec.action.shape), dtype=torch.int32))
        for row in (Clock.TICK, Clock.STEP):
            self.clock[row] = 0
        self.clock[Clock.TIME] = self.world.options.start_time

    def clear(self) -> Arena:
        """Everything as at first."""
        self.world.restore(self._flat)
        self._unlit = False
        self.world.drain_episodes()
        assert self.clock.shape == (NUM_CLOCK, self.world.num_worlds)
        return self

    @property
    def rows(self) -> range:
        return range(self.world.num_rows)

    def _worlds(self, worlds: Iterable[int] | int | None) -> list[int]:
        everyone = range(self.world.num_worlds)
        return [worlds] if isinstance(worlds, int) else list(everyone if worlds is None else worlds)

    def _rows(self, rows: Iterable[int] | int | None) -> list[int]:
        return [rows] if isinstance(rows, int) else list(self.rows if rows is None else rows)

    def set(self, name: str, x: int, y: int, z: int, worlds: Iterable[int] | int | None = None) -> None:
        """Put a block there, fixture and column top included, by plain assignments."""
        block, z = BLOCK_ID[name], z + FLOOR
        self._unlit = True
        for w in self._worlds(worlds):
            i, j = x % self.side, y % self.side
            cell = (i * self.side + j) * 64 + z
            self.blocks[w, i, j, z] = block
            opaque = [h for h in range(64) if BLOCKS[int(self.blocks[w, i, j, h])].opaque]
            self.tops[w, i, j] = max(opaque) + 1 if opaque else 0
            for k in range(self.fixtures.shape[1]):
                fixture = int(self.fixtures[w, k])
                if fixture >= 0 and fixture & ((1 << FIXTURE_SHIFT) - 1) == cell:
                    self.fixtures[w, k] = -1
            if name in ("crafting_table", "furnace"):
                k = next(k for k in range(self.fixtures.shape[1]) if int(self.fixtures[w, k]) < 0)
                self.fixtures[w, k] = (block << FIXTURE_SHIFT) | cell

    def fill(self, name: str, x: range, y: range, z: range) -> None:
        """A box of a block that is no fixture, in every world."""
        self._unlit = True
        for i in x:
            for j in y:
                self.blocks[:, i % self.side, j % self.side, z.start + FLOOR : z.stop + FLOOR] = BLOCK_ID[name]

    def _light(self) -> None:
        """Work out the light of what was edited."""
        if self._unlit:
            self.world.relight()
            self._unlit = False

    def get(self, x: int, y: int, z: int, world: int = 0) -> str:
        return BLOCKS[int(self.blocks[world, x % self.side, y % self.side, z + FLOOR])].name

    def give(self, name: str, count: int = 1, *, wear: int = 0, rows: Iterable[int] | int | None = None) -> None:
        """Put items into the first free slots, the open stack first."""
        item = ITEM_ID[name]
        for r in self._rows(rows):
            left = count
            for i in range(self.slot_item.shape[1]):
                if left and int(self.slot_item[r, i]) in (0, item):
                    taken = min(left, ITEMS[item].stack - int(self.slot_count[r, i]))
                    if taken:
                        self.slot_item[r, i], self.slot_wear[r, i] = item, wear
                        self.slot_count[r, i] += taken
                        left -= taken
            assert left == 0, f"{left} {name} too many"
            self.counts[r, item] += count

    def hold(self, name: str, *, wear: int = 0, rows: Iterable[int] | int | None = None) -> None:
        """Give one item and take it in hand."""
        for r in self._rows(rows):
            self.give(name, 1, wear=wear, rows=r)
            self.body[Body.HAND, r] = max(i for i in range(36) if int(self.slot_item[r, i]) == ITEM_ID[name])

    def carried(self, row: int = 0) -> dict[str, int]:
        """Name to number of everything in the slots."""
        found: dict[str, int] = {}
        for item, count in zip(self.slot_item[row].tolist(), self.slot_count[row].tolist(), strict=True):
            if item:
                found[ITEMS[item].name] = found.get(ITEMS[item].name, 0) + count
        return found

    def count(self, name: str) -> torch.Tensor:
        return self.counts[:, ITEM_ID[name]].clone()

    def put_body(self, **values: int) -> None:
        """Set rows of the body state by the names of ``Body``, e.g. ``put_body(FOOD=0)``, in every world."""
        for name, value in values.items():
            self.body[Body[name]] = value

    def stand(self, x: float, y: float, z: float, rows: Iterable[int] | int | None = None) -> None:
        """Move agents, all by default, to arena coordinates in blocks; (0.5, 0.5, 0) is where one starts. Falls begin
        at rest.
        """
        chosen = self._rows(rows)
        self.body[Body.VZ, chosen] = 0
        for axis, value in ((Body.X, x), (Body.Y, y), (Body.Z, z + FLOOR)):
            self.body[axis, chosen] = round(value * POSITION_ONE)

    def put_creature(
        self, name: str, x: float, y: float, z: float = 0.0, *, yaw: int = 0, worlds: Iterable[int] | int | None = None,
        **columns: int,
    ) -> int:  # fmt: skip
        """Let a creature stand at arena coordinates; more columns by the names of ``Being``. Its place in the list."""
        place = 0
        for w in self._worlds(worlds):
            place = int(self.clock[Clock.CREATURES, w])
            row = self.creatures[w, place]
            row[:] = 0
            row[Being.KIND], row[Being.NAME], row[Being.YAW] = CREATURE_ID[name], place + 1, yaw
            row[Being.HEALTH] = CREATURES[CREATURE_ID[name] - 1].health
            for axis, value in ((Being.X, x), (Being.Y, y), (Being.Z, z + FLOOR)):
                row[axis] = round(value * POSITION_ONE)
            for column, value in columns.items():
                row[Being[column]] = value
            self.clock[Clock.CREATURES, w] = place + 1
            self.clock[Clock.NAMES, w] = place + 1
        return place

    def creature(self, place: int = 0, world: int = 0) -> dict[str, int]:
        """A creature's columns by name, its position in blocks of the arena."""
        row = {column.name: int(self.creatures[world, place, column]) for column in Being}
        for axis in "XYZ":
            row[axis] /= POSITION_ONE
        row["Z"] -= FLOOR
        return row

    def kinds(self, world: int = 0) -> list[str]:
        """Names of the creatures in the list."""
        count = int(self.clock[Clock.CREATURES, world])
        return [CREATURES[int(kind) - 1].name for kind in self.creatures[world, :count, Being.KIND]]

    def position(self, row: int = 0) -> tuple[float, float, float]:
        """Arena coordinates of the feet, in blocks."""
        x, y, z = (int(self.body[axis, row]) / POSITION_ONE for axis in (Body.X, Body.Y, Body.Z))
        return x, y, z - FLOOR

    def health(self) -> torch.Tensor:
        return self.body[Body.HEALTH].clone()

    def act(
        self,
        steps: int = 1,
        *,
        move: Move = Move.NONE,
        jump: Jump = Jump.NO,
        camera: Camera = Camera.NONE,
        hand: Hand = Hand.NONE,
        choice: str | list[str] = "none",
    ) -> Step:
        """The same action of every agent for some steps; ``choice`` may be one name for each."""
        names = [choice] * len(self.rows) if isinstance(choice, str) else choice
        self._actions[:] = torch.tensor([[move, jump, camera, hand, CHOICE_ID[name]] for name in names])
        return self.act_rows(self._actions, steps)

    def act_rows(self, actions: torch.Tensor, steps: int = 1) -> Step:
        """The given factored actions int32 ``[R, 5]`` for some steps."""
        self._light()
        for _ in range(steps):
            self.world.step(actions, self._out)
        return self._out

    def look(self) -> dict[str, torch.Tensor]:
        """The present observation, after editing."""
        self._light()
        return self.world.observe(self.world.allocate()).observation

    def possible(self, choice: str, row: int = 0) -> bool:
        """Whether the mask allows a choice now."""
        mask = self.look()["action_mask"][row]
        return bool(mask[len(mask) - len(CHOICE_ID) + CHOICE_ID[choice]])

    def rewards(self) -> torch.Tensor:
        """Float reward of the last step."""
        return self._out.reward.clone()

    def check_inventory(self) -> None:
        """Counts are the sums over slots, no stack is over-full, and at most one stack of each item is open."""
        for r in self.rows:
            totals = dict.fromkeys(range(1, len(ITEMS)), 0)
            open_stacks: dict[int, int] = {}
            for i in range(self.slot_item.shape[1]):
                item, count = int(self.slot_item[r, i]), int(self.slot_count[r, i])
                assert (item == 0) == (count == 0), (r, i, item, count)
                if item == 0:
                    assert int(self.slot_wear[r, i]) == 0, (r, i)
                    continue
                assert count <= ITEMS[item].stack, (r, i, ITEMS[item].name, count)
                totals[item] += count
                open_stacks[item] = open_stacks.get(item, 0) + (count < ITEMS[item].stack)
            for item, total in totals.items():
                assert int(self.counts[r, item]) == total, (r, ITEMS[item].name, int(self.counts[r, item]), total)
                assert open_stacks.get(item, 0) <= 1, (r, ITEMS[item].name)
            hand = int(self.body[Body.HAND, r])
            assert hand == -1 or int(self.slot_item[r, hand]) != 0, (r, hand)


_arenas: dict[tuple, Arena] = {}


@pytest.fixture(scope="session")
def make_arena() -> Callable[..., Arena]:
    """``make_arena(num_worlds, **options)``: a cleared arena; the same object for the same arguments."""

    def make(num_worlds: int = 1, **options: object) -> Arena:
        key = (num_worlds, *sorted(options.items()))
        if key not in _arenas:
            _arenas[key] = Arena(num_worlds, **options)
        return _arenas[key].clear()

    return make


@pytest.fixture
def arena(make_arena: Callable[..., Arena]) -> Arena:
    """One flat world, one tick a step, factored actions, no sticky hand."""
    return make_arena(1)
