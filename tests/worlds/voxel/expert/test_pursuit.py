"""What is to be brought about next, by the tree of a task and how its parts stand. No world."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.expert.pursuit import Moment, Pursuit
from farlands.worlds.voxel.expert.standing import LATCHED, Account, Part, parts_of
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.tasks.events import TALLY, THINGS
from farlands.worlds.voxel.tasks.measure import FINAL, HOLDS
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.predicates import MAX_NODES, Event
from farlands.worlds.voxel.tasks.program import encode
from farlands.worlds.voxel.tasks.sampler import Sampler
from farlands.worlds.voxel.tasks.state import AT_WORK
from farlands.worlds.voxel.tasks.tree import Leaf, walk

STAGE = 1 << 8


def stand(text: str, *holding: str, lost: str = "", stage: int = 0, steps: int = 0) -> Part:
    """A task at work in which the parts written in ``holding`` hold, as the world would note it."""
    task = parse(text)
    zeros = [np.zeros(MAX_NODES, dtype=np.int32) for _ in range(3)]
    one = np.zeros(1, dtype=np.int32)
    account = Account(encode(task), *zeros, np.zeros(TALLY, dtype=np.int32), one + steps, one.copy())
    root = parts_of(account)
    begin(root, stage)
    for part in root.walk():
        account.value[part.index] = HOLDS * (str(part.task) in holding) | FINAL * (str(part.task) == lost)
    return root


def begin(part: Part, stage: int) -> None:
    part.account.flags[part.index] = AT_WORK
    if part.name == "sequence":
        part.account.flags[part.index] |= stage * STAGE
        begin(part.children[stage], 0)
    else:
        for child in part.children:
            begin(child, 0)


def price(leaf: Leaf, number: int) -> float:
    return {"above": 5.0, "away": math.inf}.get(leaf.name, 10.0) * number


def pursue(root: Part) -> Pursuit:
    return Pursuit(root, price)


def seen(moment: Moment) -> tuple[list[str], list[str], list[str]]:
    """Events with what is missing, states, and what is to be undone, as texts."""
    events = [f"{leaf.name} {leaf.thing} {number}" for leaf, number in moment.events]
    return events, list(map(str, moment.states)), list(map(str, moment.undo))


def test_parts_stand_where_the_program_has_them():
    for seed in range(200):
        task = Sampler().sample(seed)
        root = stand(str(task))
        assert sorted(part.index for part in root.walk()) == list(range(sum(1 for _ in walk(task))))
        nodes = list(walk(task))
        for part in root.walk():
            assert nodes[part.index] == part.task


def test_all_brings_counts_and_states_about_together():
    root = stand("all(gain(oak_log, 3), carry(planks, 2), not(near(torch)), at_least(health, 5))", "near(torch)")
    events, states, undo = seen(pursue(root).moment())
    assert events == ["gain oak_log 3"]
    assert sorted(states) == ["at_least(health, 5)", "carry(planks, 2)"]
    assert undo == ["near(torch)"]


def test_what_was_done_since_its_part_began_is_not_done_again():
    root = stand("gain(log, 5)")
    for name, number in (("oak_log", 4), ("spruce_log", 3), ("dirt", 9)):
        root.account.tally[Event.GAINED * THINGS + ITEM_ID[name]] = number
    root.account.start[0] = 4
    assert root.remaining == 2
    assert root.done == 3


def test_sequences_are_pursued_by_their_stage_alone():
    text = "sequence(carry(stick, 5), all(gain(oak_log), near(torch)), craft(planks))"
    assert seen(pursue(stand(text)).moment()) == ([], ["carry(stick, 5)"], [])
    events, states, _ = seen(pursue(stand(text, stage=1)).moment())
    assert (events, states) == (["gain oak_log 1"], ["near(torch)"])


def test_what_has_to_be_done_in_time_comes_first_and_what_must_hold_at_one_time_last():
    text = (
        "all(carry(planks), sequence(gain(oak_log), hold(stone_axe)), within(300, gain(stick)), within(90, gain(coal)))"
    )
    moment = pursue(stand(text)).moment()
    assert seen(moment) == (["gain coal 1"], [], [])
    then = "within(90, gain(coal))"
    assert seen(pursue(stand(text, then)).moment())[0] == ["gain stick 1"]
    assert seen(pursue(stand(text, then, "within(300, gain(stick))")).moment())[0] == ["gain oak_log 1"]
    last = stand(text, then, "within(300, gain(stick))", "sequence(gain(oak_log), hold(stone_axe))")
    assert seen(pursue(last).moment()) == ([], ["carry(planks)"], [])


def test_of_a_choice_the_cheapest_that_can_still_be_had_is_pursued():
    text = "any(above(50), gain(coal), away(100))"
    assert seen(pursue(stand(text)).moment())[0] == ["gain coal 1"]
    assert seen(pursue(stand(text, lost="gain(coal)")).moment())[1] == ["above(50)"]
    two = pursue(stand("count(2, above(2), gain(coal), away(100))")).moment()
    assert seen(two) == (["gain coal 1"], ["above(2)"], [])


def test_what_failed_is_given_way_to_something_else():
    pursuit = pursue(stand("any(gain(coal, 2), gain(oak_log, 3))"))
    assert seen(pursuit.moment())[0] == ["gain coal 2"]
    pursuit.blame(pursuit.task.children[0])
    assert seen(pursuit.moment())[0] == ["gain oak_log 3"]


@pytest.mark.parametrize(
    ("text", "opposite"),
    [("at_most(health, 5)", "at_least(health, 6)"), ("at_least(food, 9)", "at_most(food, 8)"),
     ("above(40)", "below(39)"), ("below(20)", "above(21)")],
)  # fmt: skip
def test_the_opposite_of_a_limit_is_a_limit(text: str, opposite: str):
    assert seen(pursue(stand(f"not({text})", text)).moment()) == ([], [opposite], [])


def test_not_of_several_lets_go_of_as_few_as_will_do():
    text = "not(all(carry(stick), near(torch)))"
    assert seen(pursue(stand(text)).moment())[2] == []
    assert len(seen(pursue(stand(text, "carry(stick)", "near(torch)", text[4:-1])).moment())[2]) == 1
    either = "not(any(carry(stick), near(torch)))"
    moment = pursue(stand(either, "carry(stick)", "near(torch)", either[4:-1])).moment()
    assert seen(moment)[2] == ["carry(stick)", "near(torch)"]


def test_what_is_forbidden_is_banned_while_its_part_is_at_work():
    text = "sequence(all(gain(coal), not(craft(torch))), all(gain(sand), not(unlock(eat)), not(break(clay))))"
    first, second = pursue(stand(text)).bans(), pursue(stand(text, stage=1)).bans()
    assert first.craft == {"torch"}
    assert not second.craft
    # A feat is of the whole episode: it must not come about before its part begins either.
    assert first.events == second.events == {"eat"}
    assert not first.breaks
    assert second.breaks == {"clay"}


def test_a_count_is_forbidden_once_it_gets_close():
    root = stand("all(gain(coal), not(break(sand, 5)))")
    assert not pursue(root).bans().breaks
    root.account.tally[Event.BROKEN * THINGS + BLOCK_ID["sand"]] = 4
    assert pursue(root).bans().breaks == {"sand"}


@example(20229, random.Random(3))
@given(st.integers(0, 2**40), st.randoms(use_true_random=False))
def test_there_is_something_to_do_as_long_as_a_task_is_open(seed: int, chance):
    """However a drawn task stands: a part that does not hold leads to an act or a state; nothing done is asked for."""
    root = stand(str(Sampler().sample(seed)))
    closed = (*LATCHED, "not")
    stages = {child.index for part in root.walk() if part.name in closed for child in part.children}
    for part in root.walk():
        # What ends a stage ends with it, and a forbidden act is the end of a task: neither is seen in an open one.
        if part.lasts and part is not root and part.index not in stages:
            root.account.value[part.index] = HOLDS * chance.choice((0, 0, 1))
    moment = pursue(root).moment()
    # The same act may be asked for by two parts that stand differently, such as of two stages.
    asked = Counter(str(part.task) for part in root.walk())
    done = {str(part.task) for part in root.walk() if part.holds and part.lasts and asked[str(part.task)] == 1}
    assert not {str(leaf) for leaf, _ in moment.events} & done
    assert all(number > 0 for _, number in moment.events)
    if not _fulfilled(moment.root):
        assert moment.events or moment.states or moment.undo


def _fulfilled(part: Part) -> bool:
    if isinstance(part.task, Leaf) or part.name in ("sequence", "within"):
        return part.holds
    holding = [_fulfilled(child) for child in part.children]
    if part.name == "not":
        return not holding[0]
    return sum(holding) >= {"all": len(holding), "any": 1}.get(part.name, part.task.number)
