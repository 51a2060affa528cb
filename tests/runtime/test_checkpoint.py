"""Publishing is all or nothing: whatever moment a save is cut off at, a complete checkpoint can be read afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farlands.errors import UserError
from farlands.runtime import checkpoint as module
from farlands.runtime import files
from farlands.runtime.checkpoint import CheckpointStore

NAMES = st.sampled_from(["facts", "parts", "files", "steps", "one", "../one.json", "one.json", "$tensor", "x"])
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), NAMES),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)


class Holder:
    """A component with one tensor."""

    def __init__(self, value: float) -> None:
        self.tensor = torch.full((8,), float(value))

    def state_dict(self):
        return {"tensor": self.tensor, "note": "x"}

    def load_state_dict(self, state):
        if state["tensor"].shape != self.tensor.shape:
            raise ValueError("other shape")
        self.tensor.copy_(state["tensor"])


def save(store: CheckpointStore, step: int) -> Path:
    return store.save({"one": Holder(step), "two": Holder(step + 0.5)}, {"steps": step})


def test_load_gives_back_what_was_saved(tmp_path):
    save(CheckpointStore(tmp_path), 5)
    found, warnings = CheckpointStore(tmp_path).load()
    holders = {"one": Holder(0), "two": Holder(0)}
    found.load_into(holders)
    assert holders["one"].tensor.tolist() == [5.0] * 8
    assert holders["two"].tensor.tolist() == [5.5] * 8
    assert found.facts == {"steps": 5, "processes": 1}
    assert warnings == []


def test_parts_can_be_read_alone(tmp_path):
    save(CheckpointStore(tmp_path), 5)
    found, _ = CheckpointStore(tmp_path).load(parts=("two",))
    assert list(found.states) == ["two"]


def test_only_the_newest_are_kept_and_latest_names_the_last(tmp_path):
    store = CheckpointStore(tmp_path, keep=2)
    for step in (1, 2, 3, 4):
        save(store, step)
    assert store.names() == ["step-000000000003", "step-000000000004"]
    assert (tmp_path / "latest").read_text() == "step-000000000004\n"
    assert {path.name for path in tmp_path.iterdir()} == {*store.names(), "latest"}


def test_saving_the_same_step_again_replaces_it(tmp_path):
    store = CheckpointStore(tmp_path)
    save(store, 1)
    store.save({"one": Holder(9), "two": Holder(9)}, {"steps": 1})
    found, _ = store.load()
    assert found.states["one"]["tensor"].tolist() == [9.0] * 8


class Crash(BaseException):
    """Stands for a kill; nothing may catch it."""


def crashing_save(store: CheckpointStore, step: int, after: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Save, cut off before the ``after``-th effect on the disk. Returns whether it was cut off."""
    done = 0

    def guarded(function):
        def call(*args, **kwargs):
            nonlocal done
            if done == after:
                raise Crash
            done += 1
            return function(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", guarded(os.replace))
        patch.setattr(os, "fsync", guarded(os.fsync))
        patch.setattr(module, "save_file", guarded(module.save_file))
        patch.setattr(Path, "write_text", guarded(Path.write_text))
        patch.setattr(Path, "mkdir", guarded(Path.mkdir))
        patch.setattr(module.shutil, "rmtree", guarded(module.shutil.rmtree))
        try:
            save(store, step)
        except Crash:
            return True
    return False


@pytest.mark.parametrize("step", [1, 2], ids=["same step again", "next step"])
def test_a_save_cut_off_anywhere_leaves_a_complete_checkpoint(tmp_path, monkeypatch, step):
    for after in range(200):
        directory = tmp_path / str(after)
        store = CheckpointStore(directory, keep=1)
        save(store, 1)
        cut = crashing_save(store, step, after, monkeypatch)
        if step == 1 and not store.names():
            # Between moving the old one away and the new one in, the same step's content is the new directory's.
            assert list(directory.glob(".new-*"))
        else:
            found, _ = CheckpointStore(directory).load()
            assert found.facts["steps"] in (1, step)
            found.load_into({"one": Holder(0), "two": Holder(0)})
        save(CheckpointStore(directory, keep=1), 3)
        assert {path.name for path in directory.iterdir()} == {"step-000000000003", "latest"}
        if not cut:
            break
    assert not cut
    assert after > 15


@pytest.mark.parametrize("victim", ["one.safetensors", "one.json", "manifest.json"])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_the_newest_torn_falls_back_with_a_warning(tmp_path, victim, how):
    store = CheckpointStore(tmp_path)
    save(store, 1)
    path = save(store, 2) / victim
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-3])
    else:
        path.unlink()
    found, warnings = store.load()
    assert found.facts["steps"] == 1
    assert len(warnings) == 1
    assert "step-000000000002 was torn" in warnings[0]
    with pytest.raises(UserError, match="is torn"):
        store.load("step-000000000002")


def test_damage_is_never_passed_over(tmp_path):
    store = CheckpointStore(tmp_path)
    save(store, 1)
    path = save(store, 2) / "one.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 64
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"damaged: one\.safetensors.*--checkpoint: step-000000000001"):
        store.load()


def test_a_changed_manifest_is_noticed(tmp_path):
    path = save(CheckpointStore(tmp_path), 1) / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["facts"]["steps"] = 7
    path.write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"damaged: manifest\.json"):
        CheckpointStore(tmp_path).load()


def test_a_component_that_refuses_is_named(tmp_path):
    save(CheckpointStore(tmp_path), 1)
    found, _ = CheckpointStore(tmp_path).load()
    other = Holder(0)
    other.tensor = torch.zeros(3)
    with pytest.raises(UserError, match="does not fit: two; ValueError: other shape"):
        found.load_into({"one": Holder(0), "two": other})


def test_drop_after_removes_newer_ones(tmp_path):
    store = CheckpointStore(tmp_path)
    for step in (1, 2, 3):
        save(store, step)
    store.drop_after("step-000000000001")
    assert store.names() == ["step-000000000001"]
    assert (tmp_path / "latest").read_text() == "step-000000000001\n"


def test_nothing_to_load(tmp_path):
    with pytest.raises(UserError, match="nothing to go on from"):
        CheckpointStore(tmp_path / "none").load()


def test_atomic_write_leaves_old_or_new(tmp_path, monkeypatch):
    path = tmp_path / "file"
    files.write_atomically(path, "old")

    def crash(*_: object) -> None:
        raise Crash

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(Crash):
        files.write_atomically(path, "new")
    assert path.read_text() == "old"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_fuzzed_files_are_refused_or_read_never_worse(data, tmp_path):
    directory = tmp_path / "checkpoints"
    shutil.rmtree(directory, ignore_errors=True)
    path = save(CheckpointStore(directory), 1)
    victim = data.draw(st.sampled_from(sorted(path.iterdir())))
    content = bytearray(victim.read_bytes())
    match data.draw(st.sampled_from(["flip", "cut", "replace", "json"])):
        case "flip":
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        case "cut":
            del content[data.draw(st.integers(0, len(content) - 1)) :]
        case "replace":
            content = data.draw(st.binary(max_size=200))
        case "json":
            content = json.dumps(data.draw(JSON)).encode()
    victim.write_bytes(content)
    # Nobody seals what they break, except somebody who means to: half of the manifests are sealed again.
    if victim.name == "manifest.json" and data.draw(st.booleans()):
        reseal(victim)
    with contextlib.suppress(UserError):
        found, _ = CheckpointStore(directory).load()
        found.load_into({"one": Holder(0), "two": Holder(0)})


def reseal(path: Path) -> None:
    """Give a manifest, if it is one at all, the right format and hash."""
    try:
        manifest = json.loads(path.read_text())
    except ValueError:
        return
    if isinstance(manifest, dict):
        manifest |= {"format": module.FORMAT, "format_version": module.FORMAT_VERSION}
        manifest.pop("sha256", None)
        path.write_text(json.dumps({**manifest, "sha256": module._seal(manifest)}))
