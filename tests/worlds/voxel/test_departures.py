"""Agents that die while their world goes on: what is logged, left behind, seen last, and what comes after."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.actions import FLAT_ACTION_ID, FLAT_ACTIONS
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.lying import Lying
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import POSITION_ONE, Body, Cause, Clock
from farlands.worlds.voxel.world import VoxelWorld

KIT = ("planks:7", "stone_pickaxe", "apple:2")
A = 3


class Crowd:
    """A batch of worlds of three agents with views of their state."""

    def __init__(self, worlds: int = 2, **options: object) -> None:
        chosen = {"agents": A, "creatures": "none", "horizon": 400, "start_kit": KIT, "stagger": False} | options
        self.world = VoxelWorld(worlds, VoxelOptions(**chosen))  # type: ignore[arg-type]
        self.first = self.world.reset(11)
        state = self.world.state
        self.body, self.clock = wp.to_torch(state.body), wp.to_torch(state.clock)
        self.lying, self.counts = wp.to_torch(state.lying), wp.to_torch(state.counts)
        self.tally, self.unlocked = wp.to_torch(state.tally), wp.to_torch(state.unlocked)
        self.out = self.world.allocate()

    def kill(self, *rows: int, cause: Cause = Cause.FALL) -> None:
        """Let agents die by the end of the next step."""
        for row in rows:
            self.body[Body.HEALTH, row], self.body[Body.CAUSE, row] = 0, int(cause)

    def step(self, steps: int = 1, action: str = "noop"):
        for _ in range(steps):
            self.world.step(torch.full((self.world.num_rows,), FLAT_ACTION_ID[action], dtype=torch.int32), self.out)
        return self.out

    def on_ground(self, world: int = 0) -> dict[int, int]:
        """Item id to number of what lies in a world."""
        found: dict[int, int] = {}
        for row in self.lying[world, : int(self.clock[Clock.LYING, world])].tolist():
            found[row[Lying.ITEM]] = found.get(row[Lying.ITEM], 0) + row[Lying.COUNT]
        return found


@pytest.fixture(scope="module")
def crowds():
    made: dict[tuple, tuple[Crowd, dict]] = {}

    def make(worlds: int = 2, **options: object) -> Crowd:
        key = (worlds, *sorted(options.items()))
        if key not in made:
            crowd = Crowd(worlds, **options)
            made[key] = (crowd, crowd.world.snapshot())
        crowd, start = made[key]
        crowd.world.restore(start)
        crowd.world.drain_episodes()
        return crowd

    return make


def test_a_death_ends_its_own_episode_only(crowds):
    crowd = crowds()
    crowd.step(30)
    crowd.kill(1)
    out = crowd.step()
    assert out.terminated.tolist() == [False, True, False] + [False] * 3
    assert not out.truncated.any()
    crowd.step(20)
    crowd.kill(1, 5, cause=Cause.LAVA)
    assert crowd.step().terminated.tolist() == [False, True, False, False, False, True]
    log = crowd.world.drain_episodes()
    assert log.row.tolist() == [1, 1, 5]
    assert log.length.tolist() == [31, 21, 52]
    assert log.cause.tolist() == ["fall", "lava", "lava"]
    assert crowd.clock[Clock.EPISODE].tolist() == [0, 0]
    assert len(set(log.seed[:2].tolist())) == 1


def test_who_died_stands_again_where_the_level_began_as_at_first(crowds):
    crowd = crowds()
    crowd.step(12, "sprint")
    crowd.tally[1, 5] = 3
    crowd.unlocked[1, 0] = 4
    kept = crowd.body[:, [0, 2]].clone()
    crowd.kill(1)
    crowd.step()
    body = crowd.body[:, 1]
    start = [int(crowd.clock[k, 0]) for k in (Clock.START_X, Clock.START_Y)]
    place = [int(body[Body.X]) >> 11, int(body[Body.Y]) >> 11]
    assert max(abs(a - b) for a, b in zip(start, place, strict=True)) <= 3
    assert (int(body[Body.HEALTH]), int(body[Body.FOOD]), int(body[Body.CAUSE])) == (20, 20, 0)
    assert int(body[Body.BORN]) == 13
    assert int(body[Body.RETURN]) == 0
    assert int(crowd.tally[1].abs().sum()) == 0
    assert int(crowd.unlocked[1].max()) == -1
    assert int(crowd.counts[1, ITEM_ID["planks"]]) == 7
    assert int(crowd.body[Body.WALKED, 0]) > int(kept[Body.WALKED, 0]) - 1
    assert crowd.body[Body.BORN, [0, 2]].tolist() == [0, 0]


def test_unlocks_count_from_the_beginning_of_the_life(crowds):
    crowd = crowds()
    crowd.step(40)
    crowd.kill(0)
    crowd.step(10)
    out = crowd.step(1, "craft_stick")
    assert crowd.unlocked.max(1).values.tolist() == [10] + [51] * 5
    assert out.reward[0] == 1.0
    assert out.reward[3] == 1.0


def test_the_last_observation_is_kept_of_who_died_alone(crowds):
    crowd = crowds()
    for value in crowd.world.final_observation.values():
        value.fill_(77)
    crowd.step(20, "turn_left")
    crowd.kill(4)
    crowd.body[Body.YAW, 4] = 5
    expected = {name: value[4].clone() for name, value in crowd.out.observation.items()}
    crowd.step()
    final = crowd.world.final_observation
    for name, value in final.items():
        assert (value[[0, 1, 2, 3, 5]] == 77).all(), name
        assert (value[4] != 77).any(), name
    assert int(final["vitals"][4, 0]) == 0
    assert int(crowd.out.observation["vitals"][4, 0]) == 20
    assert torch.equal(final["inventory"][4], expected["inventory"])


def test_what_the_dead_had_lies_where_they_died(crowds):
    crowd = crowds(start_kit=())
    slots, counts = wp.to_torch(crowd.world.state.slot_item), wp.to_torch(crowd.world.state.slot_count)
    for slot, (name, count) in enumerate((("planks", 64), ("planks", 3), ("stone_pickaxe", 1), ("apple", 5))):
        slots[1, slot], counts[1, slot] = ITEM_ID[name], count
        crowd.counts[1, ITEM_ID[name]] += count
    wp.to_torch(crowd.world.state.slot_wear)[1, 2] = 40
    wp.to_torch(crowd.world.state.armour_item)[1, 0] = ITEM_ID["iron_helmet"]
    wp.to_torch(crowd.world.state.armour_wear)[1, 0] = 9
    crowd.kill(1)
    place = crowd.body[Body.X : Body.Z + 1, 1].clone()
    crowd.step()
    expected = {"planks": 67, "stone_pickaxe": 1, "apple": 5, "iron_helmet": 1}
    assert crowd.on_ground() == {ITEM_ID[name]: count for name, count in expected.items()}
    rows = crowd.lying[0, : int(crowd.clock[Clock.LYING, 0])]
    wear = {int(row[Lying.ITEM]): int(row[Lying.WEAR]) for row in rows}
    assert wear[ITEM_ID["stone_pickaxe"]] == 40
    assert wear[ITEM_ID["iron_helmet"]] == 9
    assert int((rows[:, Lying.X : Lying.Z + 1] - place).abs().max()) <= 2 * POSITION_ONE
    assert int(crowd.counts[1].sum()) == 0
    assert crowd.clock[Clock.LOST].tolist() == [0, 0]


def test_what_finds_no_room_on_the_ground_is_counted(crowds):
    crowd = crowds(start_kit=())
    slots, counts = wp.to_torch(crowd.world.state.slot_item), wp.to_torch(crowd.world.state.slot_count)
    for row in range(A):
        slots[row], counts[row] = ITEM_ID["coal"], 64
        crowd.counts[row, ITEM_ID["coal"]] = 36 * 64
    crowd.kill(0, 1, 2)
    crowd.step()
    assert int(crowd.clock[Clock.LYING, 0]) == 16 * A
    assert sum(crowd.on_ground().values()) == 16 * A * 64
    assert int(crowd.clock[Clock.LOST, 0]) == (36 - 16) * A * 64


def test_without_coming_back_the_dead_are_gone_until_all_are(crowds):
    crowd = crowds(respawn=False)
    crowd.step(9)
    crowd.kill(1)
    assert crowd.step().terminated.tolist() == [False, True] + [False] * 4
    for _ in range(3):
        out = crowd.step(1, "turn_left")
        assert out.terminated.tolist() == [False, True] + [False] * 4
        assert float(out.reward[1]) == 0.0
        for name, value in out.observation.items():
            if name != "action_mask":
                assert not value[1].any(), name
        assert torch.nonzero(out.observation["action_mask"][1]).flatten().tolist() == [0]
    assert crowd.world.drain_episodes().row.tolist() == [1]
    body = crowd.body[:, 1]
    assert int(body[Body.GONE]) == 1
    assert int(body[Body.CAUSE]) == Cause.FALL
    crowd.kill(0, 2)
    out = crowd.step()
    assert out.terminated.tolist() == [True, True, True, False, False, False]
    assert crowd.clock[Clock.EPISODE].tolist() == [1, 0]
    assert crowd.body[Body.GONE].tolist() == [0] * 6
    assert crowd.on_ground() == {}
    assert (out.observation["vitals"][:3, 0] == 20).all()
    assert crowd.world.drain_episodes().row.tolist() == [0, 2]
    assert not crowd.step().terminated.any()


def test_at_the_horizon_all_who_are_present_are_cut(crowds):
    crowd = crowds(respawn=False, horizon=20)
    crowd.step(10)
    crowd.kill(2)
    crowd.step(9)
    out = crowd.step()
    assert out.truncated.tolist() == [True, True, False, True, True, True]
    assert out.terminated.tolist() == [False, False, True, False, False, False]
    log = crowd.world.drain_episodes()
    assert log.row.tolist() == [2, 0, 1, 3, 4, 5]
    assert log.length.tolist() == [11, 20, 20, 20, 20, 20]
    assert crowd.clock[Clock.EPISODE].tolist() == [1, 1]
    assert crowd.clock[Clock.STEP].tolist() == [0, 0]
    assert crowd.body[Body.GONE].tolist() == [0] * 6


def test_a_later_life_is_cut_at_the_same_horizon(crowds):
    crowd = crowds(horizon=20)
    crowd.step(15)
    crowd.kill(0)
    crowd.step()
    out = crowd.step(4)
    assert out.truncated.all()
    log = crowd.world.drain_episodes()
    assert dict(zip(log.row[1:].tolist(), log.length[1:].tolist(), strict=True)) == {
        0: 4,
        **dict.fromkeys(range(1, 6), 20),
    }


def test_worlds_that_outlive_their_agents_keep_what_lies_on_the_land(crowds):
    crowd = crowds(no_reset=True, horizon=30, start_kit=("coal:5",))
    crowd.step(10)
    crowd.kill(0)
    crowd.step()
    x = crowd.lying[0, 0, Lying.X].clone()
    crowd.lying[0, :, Lying.PAUSE] = 10_000
    crowd.step(19)
    assert crowd.clock[Clock.EPISODE].tolist() == [1, 1]
    assert crowd.on_ground() == {ITEM_ID["coal"]: 5}
    assert abs(int(crowd.lying[0, 0, Lying.X] - x)) < 2 * POSITION_ONE
    assert crowd.counts[:, ITEM_ID["coal"]].tolist() == [5] * 6


def test_reaching_the_goal_ends_ones_own_episode(crowds):
    crowd = crowds(task="diamond", start_kit=("diamond:3", "stick:2", "crafting_table"))
    goal = crowd.world.spec.achievements.index(crowd.world.spec.goal)
    crowd.step(5)
    crowd.unlocked[1, goal] = 5
    out = crowd.step()
    assert out.terminated.tolist() == [False, True] + [False] * 4
    assert crowd.world.drain_episodes().cause.tolist() == ["goal"]
    assert int(crowd.unlocked[1].max()) == -1
    assert crowd.on_ground()[ITEM_ID["diamond"]] == 3


def test_a_task_is_begun_anew_by_who_died_alone(crowds):
    crowd = crowds(task="tasks", tasks=("gain(planks, 3)",), start_kit=("oak_log:4",), horizon=300)
    tasks = crowd.world.tasks
    progress, steps, status = (wp.to_torch(a) for a in (tasks.progress, tasks.steps, tasks.status))
    crowd.step(4)
    crowd.kill(1)
    crowd.step()
    assert steps.tolist() == [5, 0, 5, 5, 5, 5]
    out = crowd.step(1, "craft_planks")
    assert out.terminated.all()
    assert status.tolist() == [0] * 6
    assert progress.tolist() == [0] * 6
    assert crowd.world.drain_episodes().length.tolist() == [5, 6, 1, 6, 6, 6, 6]


def test_hunters_forget_who_died_its_arrows_are_lost_and_what_it_fed_owes_nobody(crowds):
    crowd = crowds(creatures="all", start_time=18_000)
    creatures = wp.to_torch(crowd.world.state.creatures)
    crowd.clock[Clock.CREATURES] = 0
    creatures[...] = 0
    for place, columns in enumerate(({"PREY": 1, "SEES": 50}, {"PREY": 0, "SEES": 50}, {"OWNER": 2}, {"OWNER": 1})):
        row = creatures[0, place]
        row[Being.KIND], row[Being.HEALTH], row[Being.NAME] = CREATURE_ID["cow"], 20, place
        for axis in (0, 1):
            row[Being.X + axis] = (int(crowd.clock[Clock.START_X + axis, 0]) + 5 + place) * POSITION_ONE
        row[Being.Z] = 60 * POSITION_ONE
        for name, value in columns.items():
            row[Being[name]] = value
    creatures[0, 4] = creatures[0, 2]
    creatures[0, 4, Being.KIND] = CREATURE_ID["arrow"]
    crowd.clock[Clock.CREATURES, 0] = 5
    crowd.kill(1)
    crowd.step()
    assert creatures[0, :2, Being.SEES].tolist() == [0, 50]
    assert creatures[0, 2:4, Being.OWNER].tolist() == [0, 1]
    crowd.step()
    kinds = creatures[0, : int(crowd.clock[Clock.CREATURES, 0]), Being.KIND].tolist()
    assert kinds.count(CREATURE_ID["cow"]) == 4
    assert CREATURE_ID["arrow"] not in kinds


def test_who_returns_where_the_window_has_left_the_start_is_well_inside_it(crowds):
    crowd = crowds()
    origin = crowd.clock[Clock.ORIGIN_X : Clock.ORIGIN_Y + 1, 0].clone()
    for axis in (0, 1):
        crowd.clock[Clock.START_X + axis] -= 4 * 16
    crowd.kill(2)
    crowd.step()
    place = crowd.body[Body.X : Body.Y + 1, 2] >> 11
    inside = place - origin
    assert int(inside.min()) >= 0
    assert int(inside.max()) <= 8 + 14


@pytest.mark.parametrize("respawn", [True, False])
def test_everything_random_goes_on_with_deaths_all_the_time(respawn):
    """Every array handed out is written; lengths add up; nobody dies twice."""
    world = VoxelWorld(3, VoxelOptions(agents=4, horizon=60, respawn=respawn, start_kit=KIT, start_time=15_000))
    body = wp.to_torch(world.state.body)
    world.reset(2)
    generator = np.random.default_rng(5)
    ended = np.zeros(12, dtype=int)
    was_gone = np.zeros(12, dtype=bool)
    for _ in range(150):
        if generator.random() < 0.2:
            row = int(generator.integers(12))
            if not body[Body.GONE, row]:
                body[Body.HEALTH, row], body[Body.CAUSE, row] = 0, int(Cause.FALL)
        out = world.step(torch.from_numpy(generator.integers(0, len(FLAT_ACTIONS), 12)).int())
        assert not (out.terminated & out.truncated).any()
        ended += ((out.terminated | out.truncated).numpy() & ~was_gone).astype(int)
        was_gone = body[Body.GONE].bool().numpy().copy()
    log = world.drain_episodes()
    assert np.array_equal(np.bincount(log.row, minlength=12), ended)
    assert (log.length >= 1).all()
    assert (log.length <= 60).all()
