"""Saved worlds: what is loaded is what was saved, or is refused in one line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.persistence.documents import Document
from farlands.worlds.voxel.persistence.saves import Save
from farlands.worlds.voxel.state import Clock
from farlands.worlds.voxel.world import VoxelWorld

OPTIONS = VoxelOptions(
    window=32, mining_speed=20, start_kit=("planks:9", "oak_log:9", "crafting_table:3", "torch:9", "iron_pickaxe")
)
BUSY = ["attack", "attack", "jump_sprint", "jump_sprint", "jump_sprint", "look_down", "turn_right_45", "place_block",
        "place_torch", "place_crafting_table", "craft_stick", "equip_pickaxe"]  # fmt: skip


def busy_actions(steps: int, worlds: int, seed: int) -> torch.Tensor:
    generator = np.random.default_rng(seed)
    chosen = generator.choice([FLAT_ACTION_ID[name] for name in BUSY], size=(steps // 4 + 1, worlds))
    return torch.from_numpy(np.repeat(chosen, 4, axis=0)[:steps].astype(np.int32))


@pytest.fixture(scope="module")
def lived() -> VoxelWorld:
    """Three worlds whose agents dug, built and walked out of their first window."""
    world = VoxelWorld(3, OPTIONS, num_shards=1)
    world.reset([11, 12, 13])
    away = torch.full((200, 3), FLAT_ACTION_ID["jump_sprint"], dtype=torch.int32)
    for actions in torch.cat([busy_actions(120, 3, seed=0), away, busy_actions(80, 3, seed=1)]):
        world.step(actions)
    clock = world.snapshot()["clock"]
    assert int(clock[:, Clock.JOURNAL_COUNT].max()) > 0, "something was left behind"
    return world


def test_a_loaded_world_is_the_saved_one_and_goes_on_like_it(lived, tmp_path):
    path = tmp_path / "world.save"
    before = lived.state_hash()
    Save.of(lived, 1).write(path)
    assert torch.equal(lived.state_hash(), before), "saving changes nothing"
    assert path.stat().st_size < 16_000
    other = VoxelWorld(2, OPTIONS, num_shards=1)
    other.reset(99)
    untouched = other.state_hash()[0]
    Save.read(path).put(other, 1)
    assert other.state_hash()[1] == before[1]
    assert other.state_hash()[0] == untouched
    again = VoxelWorld(3, OPTIONS, num_shards=1)
    again.restore(lived.snapshot())
    for actions in busy_actions(60, 3, seed=5):
        expected, found = again.step(actions), other.step(actions[[0, 1]])
        for name, value in expected.observation.items():
            assert torch.equal(value[1], found.observation[name][1]), name
    assert again.state_hash()[1] == other.state_hash()[1]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**64 - 1), steps=st.integers(0, 150))
def test_round_trips_hash_equal(seed, steps):
    world = VoxelWorld(1, OPTIONS, num_shards=1)
    world.reset([seed])
    for actions in busy_actions(steps, 1, seed=seed % 2**32):
        world.step(actions)
    arrays, save = Save.of(world).arrays(), Save.of(world)
    other = VoxelWorld(1, OPTIONS, num_shards=1)
    other.reset(0)
    Save(save.options, save.rules, save.state_hash, save.state,
         *(arrays[name] for name in ("cells", "blocks", "raised", "tops", "journal"))).put(other)  # fmt: skip
    assert torch.equal(world.state_hash(), other.state_hash())


def test_it_says_what_is_in_it(lived):
    index = lived.snapshot()["clock"][:, Clock.EPISODE].tolist().index(0)
    about = Save.of(lived, index).describe()
    assert about["level seed"] == 11 + index
    assert about["step"] == 400
    assert about["changed blocks in the window"] + about["changed blocks outside"] > 0


def refused(path: Path, world: VoxelWorld) -> str:
    before = world.state_hash()
    with pytest.raises(ValueError, match=r"save|read") as caught:
        Save.read(path).put(world, 0)
    assert torch.equal(world.state_hash(), before), "nothing was overwritten"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def rewrite(path: Path, **changes: object) -> None:
    """The same file with parts of its header's frame changed, its seal as it was."""
    from safetensors import safe_open

    arrays = load_file(path)
    with safe_open(str(path), framework="numpy") as file:
        about = json.loads(file.metadata()["farlands"])
    save_file(arrays, path, metadata={"farlands": json.dumps({**about, **changes})})


def test_what_is_no_save_is_refused_and_nothing_changed(lived, tmp_path):
    path = tmp_path / "world.save"
    save = Save.of(lived, 0)
    save.write(path)
    whole = path.read_bytes()
    assert "there is no save" in refused(tmp_path / "none.save", lived)
    assert "cannot read" in refused(tmp_path, lived)
    for size in (0, 7, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert "torn or no save" in refused(path, lived)
    path.write_bytes(b"\x89PNG and so on" * 50)
    assert "torn or no save" in refused(path, lived)
    path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    assert "changed or damaged" in refused(path, lived)
    path.write_bytes(whole)
    rewrite(path, format=99)
    assert "format 99; this version reads up to 1" in refused(path, lived)
    path.write_bytes(whole)
    rewrite(path, kind="replay")
    assert "is a replay, not a save" in refused(path, lived)
    path.write_bytes(whole)
    rewrite(path, header={"rules": "x"})
    assert "changed or damaged" in refused(path, lived)
    path.write_bytes(whole)
    other = VoxelWorld(1, VoxelOptions(window=32), num_shards=1)
    other.reset(0)
    assert "options or version differ" in refused(path, other)
    with pytest.raises(ValueError, match="exists already"):
        save.write(path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("name", ["cells", "blocks", "journal", "state.body", "state.clock", "tops"])
def test_a_save_that_was_tampered_with_and_sealed_again_is_refused(lived, tmp_path, name):
    """Whoever forges the seal too still meets the state hash."""
    save = Save.of(lived, 0)
    arrays = {key: value.copy() for key, value in save.arrays().items()}
    if not arrays[name].size:
        arrays[name] = np.zeros(1, dtype=arrays[name].dtype)
    arrays[name].flat[0] += 1
    path = tmp_path / "forged.save"
    header = {"options": dataclasses.asdict(save.options), "rules": save.rules, "state_hash": save.state_hash}
    Document("save", header, arrays).write(path)
    said = refused(path, lived)
    assert "leads to state" in said or "does not fit" in said


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1), byte=st.integers(0, 255))
def test_no_changed_byte_goes_unnoticed(lived, tmp_path_factory, place, byte):
    path = tmp_path_factory.getbasetemp() / "fuzzed.save"
    Save.of(lived, 0).write(path, overwrite=True)
    whole = bytearray(path.read_bytes())
    at = min(int(place * len(whole)), len(whole) - 1)
    if whole[at] == byte:
        return
    whole[at] = byte
    path.write_bytes(bytes(whole))
    with pytest.raises(ValueError, match=r"save|read|written|changed") as caught:
        Save.read(path)
    assert "\n" not in str(caught.value)
