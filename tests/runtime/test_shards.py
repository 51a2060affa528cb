"""Checkpoints of several processes: every one its own part, and any number of them can go on."""

import copy

import pytest
import torch

from farlands.errors import UserError
from farlands.learning.peers import ALONE, Peers
from farlands.runtime.checkpoint import CheckpointStore
from farlands.runtime.shards import Share, join_rows, needed_shards, shard_name, split_name


class Rows:
    """State of some rows: ``value[r]`` is the row's global number."""

    per_row = ("value", "seen")

    def __init__(self, rows: range) -> None:
        self.rows, self.value, self.step = rows, torch.tensor(list(rows)), 7

    def state_dict(self):
        return {"value": self.value, "seen": {"a": self.value[:, None] * 2}, "step": self.step}

    def load_state_dict(self, state):
        assert state["step"] == 7
        assert torch.equal(state["seen"]["a"][:, 0], state["value"] * 2)
        self.value = state["value"]


class Whole:
    """State that all processes share."""

    def __init__(self, value: float) -> None:
        self.value = value

    def state_dict(self):
        return {"value": self.value}

    def load_state_dict(self, state):
        self.value = state["value"]


class Private(Whole):
    """State of a process that belongs to no row."""


def parts(share: Share, value: float):
    rows = range(share.worlds.start * share.agents, share.worlds.stop * share.agents)
    return {"rows": Rows(rows), "whole": Whole(value), "private": Private(share.rank)}


def share_of(peers: Peers, total: int, agents: int) -> Share:
    return Share(peers.rank, peers.size, total, agents)


@pytest.mark.parametrize(("before", "after"), [(1, 1), (2, 2), (2, 3), (3, 2), (4, 1), (1, 4)])
@pytest.mark.parametrize("agents", [1, 3])
def test_any_number_of_processes_goes_on(before, after, agents, tmp_path, side_by_side):
    total = 10

    def save(peers: Peers):
        store = CheckpointStore(tmp_path, peers=peers)
        store.save(parts(share_of(peers, total, agents), 5.0), {"steps": 3}, own=("rows", "private"))

    def load(peers: Peers):
        share = share_of(peers, total, agents)
        checkpoint, _ = CheckpointStore(tmp_path, peers=peers).load(share=share)
        fresh = parts(share, 0.0)
        for each in fresh.values():
            each.value = each.value * 0 - 1
        checkpoint.load_into(fresh, own=("rows", "private"), share=share)
        assert checkpoint.processes == before
        return fresh

    run(save, before, side_by_side)
    found = run(load, after, side_by_side)
    assert torch.cat([each["rows"].value for each in found]).tolist() == list(range(total * agents))
    assert [each["whole"].value for each in found] == [5.0] * after
    kept = list(range(after)) if before == after else [-1] * after
    assert [each["private"].value for each in found] == kept, "what belongs to no row is not handed on"


def run(work, size: int, side_by_side):
    return [work(copy.copy(ALONE))] if size == 1 else side_by_side(size, work)


def test_a_failure_of_one_is_told_by_all_and_leaves_nothing(tmp_path, side_by_side):
    class Broken(Whole):
        def state_dict(self):
            raise OSError(28, "No space left on device")

    def work(peers: Peers):
        store = CheckpointStore(tmp_path, peers=peers)
        store.save({"whole": Whole(1.0)}, {"steps": 1})
        mine = {"whole": Whole(2.0), "own": Broken(0) if peers.rank else Private(0)}
        with pytest.raises(UserError, match="No space left on device; the newest that is whole: step-000000000001"):
            store.save(mine, {"steps": 2}, own=("own",))
        return store.names()

    assert side_by_side(2, work) == [["step-000000000001"]] * 2
    assert not list(tmp_path.glob(".new-*"))


def test_names_go_in_and_out():
    assert shard_name("world", 0, 1) == "world"
    assert split_name("world", 1) == ("world", 0)
    for rank in range(3):
        assert split_name(shard_name("reward-0-RND", rank, 3), 3) == ("reward-0-RND", rank)
    assert split_name("learner", 3) == ("learner", 0)


def test_only_what_is_needed_is_read():
    assert needed_shards(Share(1, 4, 100), 4) == [1]
    assert needed_shards(Share(0, 2, 100), 4) == [0, 1]
    assert needed_shards(Share(1, 3, 100), 2) == [0, 1]
    assert needed_shards(Share(0, 1, 5), 5) == [0, 1, 2, 3, 4]


def test_entries_without_rows_stay_so():
    empty = {"seen": torch.zeros(0, 4)}
    joined = join_rows([(empty, slice(0, 2)), (empty, slice(0, 1))], ("seen",))
    assert joined["seen"].shape == (0, 4)
