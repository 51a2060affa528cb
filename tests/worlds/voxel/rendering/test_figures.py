"""Agents and lying items in pictures: seen where they are, told apart, hidden by what hides them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.blocks import BLOCKS
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.listed import list_worlds
from farlands.worlds.voxel.lying import MAX_AGENTS
from farlands.worlds.voxel.rendering.draw import _draw_kernel
from farlands.worlds.voxel.rendering.figures import MAX_ITEMS_SHOWN, Figure, _pose_figures_kernel, figure_room
from farlands.worlds.voxel.rendering.models import MODELS
from farlands.worlds.voxel.rendering.people import Pose, awake_run, people
from farlands.worlds.voxel.rendering.renderer import Renderer, make_look
from farlands.worlds.voxel.state import Body, Clock

from ..gathering import Gathering

SENSES = ("pixels", "depth", "segmentation")


@pytest.fixture(scope="module")
def crowd() -> Gathering:
    return Gathering(1, 8, creatures="none", senses=SENSES)


@pytest.fixture
def meadow(crowd: Gathering) -> Gathering:
    return crowd.clear()


def names(meadow: Gathering) -> tuple[str, ...]:
    return meadow.world.spec.observation["segmentation"].categories


def view(meadow: Gathering, agent: int = 0) -> dict[str, np.ndarray]:
    return {key: value[agent].numpy() for key, value in meadow.look().items()}


def shows(meadow: Gathering, what: str, agent: int = 0) -> np.ndarray:
    """Bool ``[H, X]``: where a picture shows something."""
    return view(meadow, agent)["segmentation"] == names(meadow).index(what)


def test_ids_of_what_is_seen(meadow):
    assert names(meadow)[: len(BLOCKS)] == tuple(block.name for block in BLOCKS)
    assert names(meadow)[len(BLOCKS) :] == (*MODELS, "agent", "item")
    assert meadow.world.spec.observation["segmentation"].high == len(names(meadow)) - 1


def test_agents_are_seen_at_ten_blocks_and_told_apart(meadow):
    """From each other, by the colour of what they wear, and from monsters that go upright; from before and behind."""
    for yaw in (14, 2):
        colours = []
        for agent in range(MAX_AGENTS):
            meadow.clear()
            viewer = (agent + 1) % MAX_AGENTS
            meadow.put_agent(viewer, 0.5, 0.5)
            empty = view(meadow, viewer)
            meadow.put_agent(agent, 0.5, 10.5, yaw=yaw)
            seen, its = view(meadow, viewer), shows(meadow, "agent", viewer)
            assert its.sum() >= 20
            assert (seen["depth"][its] <= empty["depth"][its]).all()
            changed = (seen["pixels"] != empty["pixels"]).any(axis=-1)
            assert not (changed & ~its).any(), "nothing else in the picture has changed"
            colours.append(seen["pixels"][its].astype(float).mean(axis=0))
        for name in ("zombie", "skeleton", "creeper"):
            meadow.clear()
            meadow.put_agent(0, 0.5, 0.5)
            meadow.put_creature(name, 0.5, 10.5, yaw=yaw)
            seen, its = view(meadow), shows(meadow, name)
            assert its.sum() >= 15
            colours.append(seen["pixels"][its].astype(float).mean(axis=0))
        apart = torch.cdist(*[torch.tensor(np.array(colours))] * 2) + 1_000 * torch.eye(len(colours))
        assert float(apart[:MAX_AGENTS].min()) > 12.0, apart


def test_one_does_not_see_oneself(meadow):
    meadow.put_agent(1, 0.5, 0.5, PITCH=-4, holds="")
    meadow.put_agent(2, 0.5, 30.5)
    assert not shows(meadow, "agent", 1).any()
    meadow.put_agent(2, 0.5, 1.5)
    assert shows(meadow, "agent", 1).any()


def test_who_is_gone_is_not_drawn(meadow):
    meadow.put_agent(0, 0.5, 0.5)
    meadow.put_agent(1, 0.5, 5.5, holds="planks")
    assert shows(meadow, "agent").any()
    meadow.body[Body.GONE, 1] = 1
    assert not shows(meadow, "agent").any()


def test_walls_hide_and_glass_does_not(meadow):
    meadow.put_agent(0, 0.5, 0.5)
    meadow.put_agent(1, 0.5, 6.5)
    meadow.drop("apple", 2.2, 5.5)
    meadow.wall(3, "glass")
    assert shows(meadow, "agent").any()
    assert shows(meadow, "item").any()
    meadow.wall(3, "stone")
    assert not shows(meadow, "agent").any()
    assert not shows(meadow, "item").any()


@pytest.mark.parametrize("far", [1.5, 4.0, 11.0])
def test_depth_is_right(meadow, far):
    """To the chest, which is 2 sixteenths of a block before the middle, within a step of the picture."""
    sight = meadow.world.options.sight
    meadow.put_agent(0, 0.5, 0.5)
    meadow.put_agent(1, 0.5, 0.5 + far, yaw=12)
    seen, its = view(meadow), shows(meadow, "agent")
    nearest = int(seen["depth"][its].min()) * sight / 255
    assert nearest == pytest.approx(far - 0.25, abs=0.15)
    meadow.put_agent(1, 0.5, 40.5)
    meadow.drop("diamond", 0.5, 0.5 + far)
    meadow.body[Body.PITCH, 0] = -round(np.degrees(np.arctan2(1.5, far)) / 15)
    seen, its = view(meadow), shows(meadow, "item")
    assert its.any()
    for depth in seen["depth"][its].astype(float):
        assert np.hypot(far, 1.2) - 0.1 <= depth * sight / 255 + 0.1
        assert depth * sight / 255 <= np.hypot(far, 1.62) + 0.1


def test_every_item_can_be_seen_lying_and_no_two_look_alike(meadow):
    """Near the feet."""
    pictures = []
    meadow.put_agent(0, 0.5, 0.5, PITCH=-4)
    for item in ITEMS[1:]:
        meadow.clock[Clock.LYING, 0] = 0
        meadow.drop(item.name, 0.5, 1.4)
        its = shows(meadow, "item")
        assert its.sum() >= 5, item.name
        pictures.append(np.where(its[..., None], view(meadow)["pixels"], 0).ravel())
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_what_is_held_is_seen(meadow):
    for item in ("iron_sword", "planks", "bread"):
        meadow.clear()
        meadow.put_agent(0, 0.5, 0.5)
        meadow.put_agent(1, 0.5, 3.0, yaw=12)
        bare = view(meadow)
        meadow.put_agent(1, 0.5, 3.0, yaw=12, holds=item)
        armed = view(meadow)
        more = (armed["segmentation"] == names(meadow).index("agent")) & (bare["segmentation"] != armed["segmentation"])
        assert more.sum() >= 8, item
        meadow.body[Body.GONE, 1] = 1
        assert not shows(meadow, "agent").any(), "nothing is held by who is gone"


@pytest.mark.parametrize("doing", ["STRIKE_PAUSE", "DRAWN", "EATING", "HOLDING"])
def test_who_strikes_raises_an_arm(meadow, doing):
    meadow.put_agent(0, 0.5, 0.5)
    meadow.put_agent(1, 0.5, 3.0, yaw=6)
    resting = shows(meadow, "agent")
    meadow.body[Body[doing], 1] = 3
    raised = shows(meadow, "agent")
    assert np.flatnonzero(raised.any(axis=0)).max() > np.flatnonzero(resting.any(axis=0)).max() + 3


def test_sleepers_lie_and_the_hurt_are_red(meadow):
    meadow.put_agent(0, 0.5, 0.5)
    meadow.put_agent(1, 0.5, 4.0, yaw=6, holds="iron_sword")
    awake, standing = view(meadow), shows(meadow, "agent")
    meadow.body[Body.HURT, 1] = 5
    hurt = view(meadow)
    assert (shows(meadow, "agent") == standing).all()
    change = hurt["pixels"][standing].astype(int) - awake["pixels"][standing]
    assert change[:, 0].mean() > 10 > -10 > change[:, 1].mean()
    meadow.body[Body.HURT, 1], meadow.body[Body.SLEEPING, 1] = 0, 7
    lying = shows(meadow, "agent")
    high, wide = (np.ptp(np.flatnonzero(lying.any(axis=axis))) + 1 for axis in (1, 0))
    assert wide > 2 * high
    assert np.flatnonzero(lying.any(axis=1)).min() > np.flatnonzero(standing.any(axis=1)).min() + 8


def test_legs_swing_as_one_walks(meadow):
    meadow.put_agent(0, 0.5, 0.5)
    meadow.put_agent(1, 0.5, 4.0, yaw=6, WALKED=1024)
    width = [np.ptp(np.flatnonzero(shows(meadow, "agent").any(axis=0)))]
    meadow.body[Body.VX, 1] = 14_000
    width.append(np.ptp(np.flatnonzero(shows(meadow, "agent").any(axis=0))))
    assert width[1] > width[0] + 4
    before = view(meadow)["pixels"]
    meadow.body[Body.WALKED, 1] += 3 * 4096
    assert (view(meadow)["pixels"] == before).all(), "a stride is two blocks long, however far the way"


def test_poses_are_runs_of_parts():
    for awake, asleep in people():
        begin, count = awake_run(Pose.STANDING, len(awake))
        assert sum(part.swing != 0 for part in awake[begin : begin + count]) == 4
        begin, count = awake_run(Pose.ARM_RAISED, len(awake))
        assert sum(part.swing != 0 for part in awake[begin : begin + count]) == 3
        assert all(part.swing == 0 for part in asleep)
    assert len(people()) == MAX_AGENTS


@pytest.mark.parametrize("seed", range(8))
def test_culling_leaves_nothing_out(meadow, seed):
    """Pictures are the same when every figure is tried on every pixel."""
    rng = np.random.default_rng(seed)
    for agent in range(8):
        x, y = rng.uniform(-8, 8, 2)
        meadow.put_agent(
            agent, x, y, rng.uniform(0, 2), yaw=int(rng.integers(24)), PITCH=int(rng.integers(-4, 4)),
            holds=ITEMS[int(rng.integers(1, len(ITEMS)))].name, SLEEPING=int(rng.random() < 0.2),
            STRIKE_PAUSE=int(rng.random() < 0.3), VX=int(rng.integers(0, 2)) * 15_000, WALKED=int(rng.integers(9_999)),
        )  # fmt: skip
    for name in MODELS:
        meadow.put_creature(
            name, *rng.uniform(-8, 8, 2), yaw=int(rng.integers(24)), VX=15_000, STRIDE=int(rng.integers(2048)),
            AGE=-int(rng.random() < 0.3),
        )  # fmt: skip
    for _ in range(24):
        meadow.drop(ITEMS[int(rng.integers(1, len(ITEMS)))].name, *rng.uniform(-6, 6, 2), rng.uniform(0, 1))
    world = meadow.world
    world.relight()
    launcher = world._launcher
    renderer = Renderer(world.state, launcher.tables, launcher.rules, 8, world.options, "cpu", size=(48, 48))
    figures = wp.to_torch(renderer._figures)
    listed = list_worlds(launcher.everyone, launcher.shard_sizes, 0, 0, 1)
    everywhere = make_look(48, 48, world.options, "cpu")
    # As if pixels were huge: then everything is within the picture.
    everywhere.rays = wp.array([(0.0, 1.0e6, 1.0)], dtype=wp.vec3, device="cpu")
    pictures = []
    for cull in (True, False):

        def launch(kernel, dim, inputs, outputs, cull=cull):
            if kernel is _pose_figures_kernel and not cull:
                inputs[1] = everywhere
            if kernel is _draw_kernel and not cull:
                figures[..., [Figure.LEFT, Figure.TOP]] = -1.0
                figures[..., [Figure.RIGHT, Figure.BOTTOM]] = 1_000.0
            wp.launch(kernel, dim, inputs=inputs, outputs=outputs, device="cpu")

        into = {name: torch.zeros((8, 48, 48), dtype=torch.uint8) for name in ("depth", "segmentation")}
        renderer.draw(launch, listed, into)
        pictures.append(into)
    for name in into:
        assert torch.equal(pictures[0][name], pictures[1][name])
    seen = pictures[0]["segmentation"]
    assert int(seen.max()) >= names(meadow).index("agent")


def test_there_is_room_for_everybody_and_the_first_items(meadow):
    """With all that can be there at once nobody overwrites anybody."""
    for agent in range(8):
        meadow.put_agent(agent, 0.5 + 0.9 * agent, 0.5 + (agent > 0) * 8.0, holds="planks")
    for k in range(meadow.lying.shape[1]):
        meadow.drop("diamond", -6 + 0.1 * k, 5.0)
    for k in range(24):
        meadow.put_creature("cow", -8 + 0.7 * k, 14.5)
    seen = view(meadow)["segmentation"]
    columns = {name: np.flatnonzero((seen == names(meadow).index(name)).any(axis=0)) for name in ("agent", "item")}
    assert len(columns["agent"]) > 20
    assert len(columns["item"]) > 8
    assert figure_room(8) == 12 + 14 + MAX_ITEMS_SHOWN
    assert figure_room(1) == 12
    counted = wp.to_torch(meadow.world._launcher.renderer._seen)
    assert int(counted.max()) <= figure_room(8)
    assert int(counted[0]) > 40
