"""Walking in worlds: keys and mouse as actions, the agent beside, saved worlds, and what is refused."""

from __future__ import annotations

import datetime
import itertools
import threading
import time

import numpy as np
import pytest
import torch

from farlands.errors import UserError
from farlands.studio import games as games_module
from farlands.studio.company import Companion, Mind, flat_mask
from farlands.studio.games import Games
from farlands.studio.messages import Act, Enter, Leave, ListSaves, Pause, SaveWorld, read_message
from farlands.studio.play import TICK, Game, read_seed
from farlands.studio.rooms import PlayRoom
from farlands.studio.saves import LEFT, Saves
from farlands.worlds.voxel.actions import FLAT_ACTIONS, Camera, Hand
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.persistence.replays import Replay
from farlands.worlds.voxel.persistence.saves import Save
from farlands.worlds.voxel.state import Body, Clock
from farlands.worlds.voxel.world import VoxelWorld


@pytest.fixture
def enter(page, tmp_path):
    """Makes games, begun, and ends them."""
    made = []

    def make(**asked):
        enter = Enter(**{"seed": "7", "beside": "nobody", "side": 160, **asked})
        # Where no time passes, every tick is drawn.
        game = Game(page, enter, tmp_path, clock=lambda: 0.0)
        made.append(game)
        game.begin()
        return game

    yield make
    for game in made:
        if not game.ended:
            game.end()


def test_keys_lead_where_the_same_actions_lead(enter):
    game = enter()
    acts = [
        *[Act(move="forward", turn=1)] * 3, *[Act(move="sprint", jump=True)] * 10, Act(hand="attack", tilt=-2),
        *[Act(hand="attack")] * 30, Act(turn=-4, choice="craft_planks"), *[Act(move="left")] * 5,
    ]  # fmt: skip
    expected = [
        *[(1, 0, Camera.RIGHT, 0, 0)] * 3, *[(5, 1, 0, 0, 0)] * 10, *[(0, 0, Camera.DOWN, Hand.ATTACK, 0)] * 2,
        *[(0, 0, 0, Hand.ATTACK, 0)] * 29, (0, 0, Camera.LEFT_45, 0, 0), (3, 0, Camera.LEFT, 0, 0),
        *[(3, 0, 0, 0, 0)] * 4,
    ]  # fmt: skip
    for act in acts:
        game.keys.take(act)
        game.tick()
    world = VoxelWorld(1, game.options)
    world.reset([7])
    for row in expected:
        world.step(torch.tensor([row], dtype=torch.int32))
    assert len(acts) == len(expected)
    assert torch.equal(game.world.state_hash(), world.state_hash())
    world.close()


def test_the_first_picture_after_an_act_carries_when_it_was_sent(enter, page):
    game = enter()
    game.tick()
    for sent in (10.5, 11.5):
        game.keys.take(Act(move="forward", sent=sent))
    game.tick()
    game.tick()
    abouts = [about for about, _ in page.pictures("play")]
    assert ["sent" in about for about in abouts] == [False, True, False]
    assert (abouts[1]["sent"], abouts[1]["acts"]) == (11.5, [10.5, 11.5])
    assert (abouts[1]["width"], abouts[1]["height"]) == (160, 120)
    assert abouts[1]["step"] == 1
    assert all(picture[:2] == b"\xff\xd8" for _, picture in page.pictures("play"))


def test_a_slow_machine_draws_fewer_ticks(page, tmp_path):
    now = [0.0]

    def clock():
        now[0] += 0.06
        return now[0]

    game = Game(page, Enter(seed="7", beside="nobody", side=160), tmp_path, clock=clock)
    game.begin()
    for _ in range(40):
        game.tick()
    assert len(page.pictures("play")) < 35
    steps = [about["step"] for about, _ in page.pictures("play")]
    assert max(b - a for a, b in itertools.pairwise(steps)) <= 4
    game.end()


def test_the_page_is_told_how_one_fares(enter, page):
    game = enter(task="survive")
    (entered,), (level,) = page.of("play-entered"), page.of("level-begins")
    assert (entered["seed"], entered["task"], entered["agents"], entered["beside"]) == ("7", "survive", 1, "nobody")
    assert "craft_planks" in entered["choices"]
    assert "none" not in entered["choices"]
    assert "seed of each level" in entered["consent"]
    assert (level["seed"], level["why"], level["life"]) == ("7", "entered", 0)
    for _ in range(25):
        game.tick()
    told = page.of("play-state")
    assert 6 <= len(told) <= 8
    assert told[-1].keys() >= {
        "seed", "life", "step", "time", "day", "paused", "reward", "vitals", "status", "inventory", "equipment",
        "durability", "target", "position", "heading", "pitch", "achieved", "new", "possible", "hands", "rate", "drawn",
        "recording",
    }  # fmt: skip
    assert told[-1]["position"][:2] == [0, 0]
    assert told[-1]["time"] == 1_000 + told[-1]["step"]
    assert len(page.pictures("play-map")) == 1
    give(game, "oak_log", 3)
    game.keys.take(Act(choice="craft_planks"))
    game.tick()
    newest = page.of("play-state")[-1]
    assert newest["new"] == ["make_planks"], "told at once"
    assert newest["inventory"] == {"oak_log": 2, "planks": 4}
    assert {"craft_planks", "craft_stick", "craft_crafting_table"} <= set(newest["possible"])


def give(game, item, count):
    """Put items into the person's first slot."""
    from farlands.worlds.voxel.items import ITEMS

    index = next(k for k, each in enumerate(ITEMS) if each.name == item)
    tensors = game.world.store.tensors
    tensors["slot_item"][0, 0], tensors["slot_count"][0, 0], tensors["counts"][0, index] = index, count, count
    game.world.observe(game.seen)


def test_impossible_choices_are_told_with_the_reason(enter, page):
    game = enter()
    give(game, "cobblestone", 5)
    for name in ("craft_furnace", "place_torch", "drop_log", "smelt_iron_ingot", "equip_pickaxe", "place_cobblestone"):
        game.keys.take(Act(choice=name, tilt=12))
        game.tick()
    game.keys.take(Act(hand="eat"))
    game.tick()
    said = {told["what"]: told["why"] for told in page.of("play-refused")}
    assert said["craft_furnace"] == (
        "craft_furnace: not possible now; needs 8 cobblestone (5 carried), a crafting table near"
    )
    assert said["place_torch"] == "place_torch: not possible now; no torch is carried"
    assert "nobody is there" in said["drop_log"]
    assert "a furnace near" in said["smelt_iron_ingot"]
    assert "nothing to eat" in said["eat"]
    assert "equip_pickaxe" in said


def test_time_stands_still_when_it_is_told_to(enter, page):
    game = enter()
    game.tick()
    before = game.world.state_hash()
    game.ask(lambda: game.pause(True))
    game.keys.take(Act(turn=3, sent=5.0))
    game.tick()
    game.tick()
    assert torch.equal(before, game.world.state_hash())
    assert page.of("play-state")[-1]["paused"] is True
    game.ask(lambda: game.pause(False))
    game.tick()
    assert game.ticks == 2
    assert page.of("play-state")[-1]["paused"] is False
    assert "sent" not in page.pictures("play")[-1][0], "what was said meanwhile is forgotten"


def test_a_life_ends_and_another_level_begins(enter, page):
    game = enter(beside="next-world")
    for _ in range(3):
        game.tick()
    game.world.store.tensors["clock"][Clock.LIMIT] = 5
    for _ in range(3):
        game.tick()
    (ended,) = page.of("life-ended")
    assert (ended["cause"], ended["steps"], ended["seed"], ended["next"]) == ("horizon", 5, "7", "level")
    begun = page.of("level-begins")[-1]
    assert (begun["why"], begun["life"]) == ("life ended", 1)
    assert begun["seed"] != "7"
    assert int(begun["seed"]) < 2**63
    assert game.neighbour.describe(game.seen)["seed"] == begun["seed"], "the agent is on the same level"


def test_who_dies_beside_somebody_comes_back(enter, page):
    game = enter(beside="same-world")
    game.tick()
    game.world.store.tensors["body"][Body.HEALTH, 0] = 1
    game.world.store.tensors["body"][Body.Z, 0] = -(64 << 11)
    for _ in range(200):
        game.tick()
        if page.of("life-ended"):
            break
    (ended,) = page.of("life-ended")
    assert ended["next"] == "life"
    assert not page.of("level-begins")[1:]
    game.tick()
    assert page.of("play-state")[-1]["life"] == 1


def test_the_agent_in_the_next_world_is_shown(enter, page):
    game = enter(beside="next-world")
    before = game.neighbour.world.state_hash()
    for _ in range(24):
        game.tick()
    assert int(game.neighbour.world.present_levels()[1][0]) == 6, "one action for four ticks"
    assert not torch.equal(before, game.neighbour.world.state_hash())
    told = page.of("neighbour-state")
    assert (told[-1]["where"], told[-1]["seed"], told[-1]["lives"]) == ("next-world", "7", 0)
    assert told[-1]["action"]
    assert len(page.pictures("neighbour")) == 3
    game.neighbour.world.store.tensors["clock"][Clock.LIMIT] = 7
    for _ in range(8):
        game.tick()
    assert (game.neighbour.lives, game.neighbour.describe(game.seen)["seed"]) == (1, "7")


def test_the_agent_in_the_same_world_acts(enter, page):
    game = enter(beside="same-world")
    bodies = game.world.store.tensors["body"]
    before = [tuple(bodies[:9, row].tolist()) for row in (0, 1)]
    for _ in range(40):
        game.tick()
    after = [tuple(bodies[:9, row].tolist()) for row in (0, 1)]
    assert before[0] == after[0], "the person stands"
    assert before[1] != after[1]
    told = page.of("neighbour-state")[-1]
    assert told["where"] == "same-world"
    assert not page.pictures("neighbour")
    assert set(told["vitals"]) == {"health", "food", "saturation", "air", "armour"}


def test_the_mask_of_flat_actions_follows_from_that_of_factored_ones():
    """At every step of a walk through a world in which there is something to do, and in bed."""
    kit = ("oak_log:8", "planks:40", "stick:9", "crafting_table:2", "cobblestone:20", "bed:2", "apple:3", "bow:1")
    rules = {"window": 32, "start_kit": kit, "start_time": 14_000, "creatures": "none"}
    flat = VoxelWorld(1, VoxelOptions(**rules))
    factored = VoxelWorld(1, VoxelOptions(**rules, actions="factored"))
    flat.reset([11])
    generator = torch.Generator().manual_seed(0)
    out, there, possible = flat.allocate(), factored.allocate(), set()
    flat.observe(out)
    for _ in range(300):
        factored.restore(flat.snapshot())
        factored.observe(there)
        derived = flat_mask(there.observation["action_mask"].numpy())
        assert (derived == out.observation["action_mask"].numpy()).all()
        chances = out.observation["action_mask"].float() * 1.0
        chances[:, 18:] *= 5
        possible |= set(np.flatnonzero(derived[0]))
        flat.step(torch.multinomial(chances, 1, generator=generator)[:, 0].int(), out)
    assert len(possible) > 25
    flat.close()
    factored.close()


def test_a_companion_does_what_the_agent_does_in_the_world_it_was_made_for():
    """Four rows for each of its actions lead to the same state as the action."""
    rules = {"window": 32, "creatures": "none", "task": "tools"}
    flat = VoxelWorld(1, VoxelOptions(**rules))
    ticks = VoxelWorld(1, VoxelOptions(**rules, actions="factored", ticks_per_step=1))
    here, there = flat.reset([3]), ticks.reset([3])
    mind, companion, chosen = Mind(flat.options), Companion(ticks, row=0), set()
    for _ in range(150):
        action = mind.decide(here.observation)
        flat.step(torch.tensor([action], dtype=torch.int32), here)
        for _ in range(4):
            row = companion.next_row(there.observation)
            ticks.step(torch.tensor([row], dtype=torch.int32), there)
            companion.follow(there)
        chosen.add(companion.action)
        assert companion.action == FLAT_ACTIONS[action].name
        for name in ("body", "counts", "blocks"):
            # Bodies as far as what they are breaking; what follows holds sums of single steps.
            one, other = (world.store.tensors[name][: Body.BREAK_CELL] for world in (flat, ticks))
            assert torch.equal(one, other), (name, companion.action)
    assert len(chosen) > 5
    for world in (flat, ticks):
        world.close()


def test_saved_worlds_are_the_worlds_that_were_saved(enter, page, tmp_path):
    game = enter()
    for _ in range(20):
        game.keys.take(Act(move="forward", hand="attack", tilt=-1))
        game.tick()
    game.ask(lambda: game.save("here"))
    game.keys.take(Act())
    game.pause(True)
    game.tick()
    assert page.of("saved") == [{"type": "saved", "name": "here"}]
    again = enter(save="here", beside="nobody")
    assert torch.equal(again.world.state_hash(), game.world.state_hash())
    assert page.of("level-begins")[-1]["why"] == "loaded"
    (about,) = Saves(tmp_path).overview()
    facts = [about[name] for name in ("name", "seed", "task", "agents", "step")]
    assert facts == ["here", "7", "tools", 1, 20]
    for world in (game, again):
        world.paused = False
        for _ in range(30):
            world.keys.take(Act(move="sprint"))
            world.tick()
    assert torch.equal(again.world.state_hash(), game.world.state_hash())
    again.end()
    replay = Replay.read(next((tmp_path / "replays").glob("*.replay")))
    assert len(replay) == 30
    assert replay.start is not None
    assert sum(1 for _ in replay.play()) == 31


def test_saves_are_never_overwritten(enter, page):
    game = enter()
    game.save("home")
    game.save("home-2")
    game.ask(lambda: game.save("home"))
    game.tick()
    assert page.of("mistake")[-1]["why"] == (
        "there is a saved world already: 'home'; nothing was overwritten; home-3 is free"
    )


def test_the_world_that_was_left_last_is_found_again(enter, tmp_path):
    for steps in (5, 30, 40):
        game = enter(seed=str(steps))
        for _ in range(steps):
            game.tick()
        left = game.world.state_hash()
        game.end()
    assert [each["name"] for each in Saves(tmp_path).overview()] == [LEFT]
    again = enter(save=LEFT)
    assert torch.equal(again.world.state_hash(), left)
    with pytest.raises(UserError, match="kept for the world that was left last"):
        again.save(LEFT)


def test_worlds_that_were_not_made_by_playing_are_refused(page, tmp_path):
    world = VoxelWorld(1, VoxelOptions(window=32))
    world.reset([1])
    (tmp_path / "saves").mkdir()
    Save.of(world).write(tmp_path / "saves" / "other.world")
    (tmp_path / "saves" / "torn.world").write_bytes(b"nothing")
    world.close()
    with pytest.raises(UserError, match="not made by playing: it has flat actions, 4 ticks"):
        Game(page, Enter(save="other"), tmp_path)
    with pytest.raises(UserError, match="torn or no save"):
        Game(page, Enter(save="torn"), tmp_path)
    assert "broken" in next(each for each in Saves(tmp_path).overview() if each["name"] == "torn")


def test_a_saved_world_of_one_has_no_room_for_two(enter, page, tmp_path):
    enter().save("mine")
    with pytest.raises(UserError, match="of one agent"):
        Game(page, Enter(save="mine", beside="same-world"), tmp_path)
    two = enter(beside="same-world")
    two.save("ours")
    assert enter(save="ours", beside="nobody").companion is not None, "a saved world has the agents it has"


@pytest.mark.parametrize("text", ["-1", "1.5", "2e3", str(2**64), "seven", "0x10", "٣", "1 2"])
def test_seeds_that_are_none(text):
    with pytest.raises(UserError, match="whole number from 0"):
        read_seed(text)


def test_every_day_has_a_level():
    assert read_seed("") == read_seed("  ") == read_seed("", datetime.date.today())
    days = {read_seed("", datetime.date(2026, 1, 1) + datetime.timedelta(days=k)) for k in range(50)}
    assert len(days) == 50
    assert max(days) < 2**63, "none that is measured on"
    assert read_seed(str(2**64 - 1)) == 2**64 - 1


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a.world", "x" * 61, "ä", "a b"])
def test_names_that_cannot_be(page, tmp_path, name):
    room = PlayRoom(Games(tmp_path), page)
    room.doing[Enter](Enter(seed="7", beside="nobody", side=160))
    with pytest.raises(UserError, match="letters, digits"):
        room.doing[SaveWorld](SaveWorld(name))
    room.close()


def test_what_needs_a_game_is_refused_without_one(page, tmp_path):
    room = PlayRoom(Games(tmp_path), page)
    for message in (Act(), Pause(), SaveWorld("x"), read_message('{"type": "stop-recording"}')):
        with pytest.raises(UserError, match="not in a world"):
            room.doing[type(message)](message)
    room.doing[Leave](Leave())
    room.doing[ListSaves](ListSaves())
    assert page.of("saves") == [{"type": "saves", "saves": []}]


def test_a_game_lives_in_a_thread_and_keeps_time(page, tmp_path):
    games = Games(tmp_path)
    room = PlayRoom(games, page)
    room.doing[Enter](Enter(seed="5", beside="nobody", side=160))
    assert page.wait(lambda: any(stream == "play" for stream, _, _ in page.shown))
    began, shown = time.monotonic(), len(page.pictures("play"))
    room.doing[Act](Act(move="forward", sent=3.0))
    assert page.wait(lambda: any(about.get("sent") == 3.0 for _, about, _ in page.shown))
    assert page.wait(lambda: len([1 for stream, _, _ in page.shown if stream == "play"]) >= shown + 8)
    took = time.monotonic() - began
    assert took > 6 * TICK, "not faster than time itself"
    room.doing[SaveWorld](SaveWorld("there"))
    assert page.wait(lambda: page.of("saved"))
    room.doing[Enter](Enter(save="there", beside="nobody", side=160))
    assert page.wait(lambda: len(page.of("play-entered")) == 2)
    assert page.of("play-left"), "the first game was left"
    room.close()
    assert not games._threads
    assert len(page.of("play-left")) == 2


def test_a_page_that_is_gone_ends_its_game(page, tmp_path):
    games = Games(tmp_path)
    games.begin(page, Enter(seed="5", beside="nobody", side=160))
    page.gone = True
    for thread in list(games._threads.values()):
        thread.join(30)
    assert not games._threads


def test_so_many_games_and_no_more(page, tmp_path, monkeypatch):
    held = threading.Event()
    monkeypatch.setattr(games_module.Game, "run", lambda game: held.wait(30))
    games = Games(tmp_path)
    for _ in range(games_module.MOST_GAMES):
        games.begin(page, Enter(seed="1"))
    with pytest.raises(UserError, match="4 games go on already"):
        games.begin(page, Enter(seed="1"))
    held.set()
    games.close()
    assert not games._threads


def test_a_game_that_cannot_go_on_says_so(page, tmp_path, monkeypatch):
    games = Games(tmp_path)
    monkeypatch.setattr(Game, "tick", lambda game: 1 / 0)
    game = games.begin(page, Enter(seed="1", beside="nobody"))
    assert page.wait(lambda: page.of("play-failed"))
    games.end(game)
    assert page.of("play-failed") == [{"type": "play-failed", "why": "ZeroDivisionError: division by zero"}]


def test_too_much_at_once_is_refused(enter):
    game = enter()
    for _ in range(16):
        game.ask(lambda: None)
    with pytest.raises(UserError, match="too much at once"):
        game.ask(lambda: None)


def test_late_ticks_are_not_made_up_for(page, tmp_path, monkeypatch):
    """A tick that takes ten ticks' time is followed by no burst of others."""
    times, now = [], [0.0]
    game = Game(page, Enter(seed="1", beside="nobody"), tmp_path, clock=lambda: now[0])

    class Waits:
        def is_set(self):
            return len(times) > 30

        def wait(self, seconds):
            now[0] += seconds

    def tick():
        times.append(now[0])
        if len(times) == 10:
            now[0] += 10 * TICK

    monkeypatch.setattr(game, "_left", Waits())
    monkeypatch.setattr(game, "tick", tick)
    monkeypatch.setattr(game, "begin", lambda: None)
    game.run()
    gaps = np.diff(times)
    assert gaps[9] == pytest.approx(10 * TICK)
    assert gaps[10:].sum() == pytest.approx(20 * TICK, abs=1.01 * TICK)
