"""The command line: every mistake gives one clear line and exit code 2, and overwrites nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from farlands import cli
from farlands.cli import VERBS, main
from farlands.config import EvalConfig, ResumeConfig, TrainConfig
from farlands.flags import list_flags
from farlands.worlds.voxel.options import VoxelOptions

TINY = ["--num-worlds", "4", "--steps", "64", "--ppo.rollout", "8", "--threads", "1"]


def complaint(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """What a mistaken command says, once it has been seen to be one line with exit code 2."""
    capsys.readouterr()
    assert main(argv) == 2
    said = capsys.readouterr().err
    assert said.startswith("farlands: ")
    assert said.endswith("\n")
    assert len(said.splitlines()) == 1
    return said


def fingerprint(directory: Path) -> dict[str, str]:
    """Hash of every file below a directory; locks aside, which hold nothing."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["trian"], "did you mean train?"),
        (["train"], "needs WORLD first"),
        (["train", "voxl"], "did you mean voxel?"),
        (["train", "voxel", "--stepz", "3"], "did you mean --steps?"),
        (["train", "voxel", "--world.horizn", "3"], "did you mean --world.horizon?"),
        (["train", "voxel", "--steps"], "--steps has no value"),
        (["train", "voxel", "--steps", "many"], "expected a whole number"),
        (["train", "voxel", "--steps", "nan"], "expected a whole number"),
        (["train", "voxel", "--steps", "1e999"], "expected a whole number"),
        (["train", "voxel", "--steps", "-5"], "at least 1"),
        (["train", "voxel", "--steps", "3", "4"], "takes one value"),
        (["train", "voxel", "--num-worlds", "0"], "at least 1"),
        (["train", "voxel", "--num-worlds", "1e12"], "at most 16777216"),
        (["train", "voxel", "--threads", "1e9"], "at most 1024"),
        (["train", "voxel", "--world.horizon", "1e30"], "below 2**63"),
        (["train", "voxel", "--seed", "-1"], "[0, 2**64)"),
        (["train", "voxel", "--save-every", "nan"], "expected a number"),
        (["train", "voxel", "--ppo.clip", "-1"], "must be above 0"),
        (["train", "voxel", "--world.task", "surviv"], "did you mean survive?"),
        (["train", "voxel", "--world.cube", "3", "3"], "expected 3"),
        (["train", "voxel", "--world.hunger", "maybe"], "one of: False, True"),
        (["train", "voxel", "--recipe", "demmo"], "did you mean demo?"),
        (["train", "voxel", "--recipe"], "--recipe has no value"),
        (["train", "voxel", "extra"], "unexpected argument 'extra'"),
        (["train", "cue-corridor", "--world.length", "0"], "must be in [1, 200]"),
        (["train", "cue-corridor", "--device", "gpu"], "unknown device 'gpu'"),
        (["train", "cue-corridor", "--device", "cuda:99"], "no such device 'cuda:99'"),
        (["train", "cue-corridor", "--agent.network", "none.py:Net"], "no such file"),
        (["train", "cue-corridor", "--rewards.sources", "rndd"], "did you mean rnd?"),
        (["train", "cue-corridor", "--callbacks", "none.py:f"], "no such file"),
        (["train", "cue-corridor", "--ppo.minibatches", "65"], "only 64 sequences"),
        (["train", "farlands.errors:UserError"], "not a world"),
        (["train", "cue-corridor", "--on-nan", "sotp"], "one of: ignore, skip, stop"),
        (["train", "cue-corridor", "--nan-patience", "0"], "at least 1"),
        (["train", "cue-corridor", "--alarms", "kl_to_large=1"], "did you mean kl_too_large?"),
        (["train", "cue-corridor", "--alarms", "kl_too_large=much"], "expected kl_too_large=number"),
        (["train", "cue-corridor", "--tracker", "wanbd"], "did you mean wandb?"),
        (["inspect"], "needs RUN_DIR|DUMP first"),
        (["inspect", "nowhere"], "no such run or dump"),
        (["inspect", "nowhere", "--agian"], "did you mean --again?"),
        (["resume", "nowhere"], "no such run"),
        (["resume"], "needs RUN_DIR first"),
        (["eval", "nowhere"], "unknown world"),
        (["eval", "cue-corridor"], "--agent is missing"),
        (["eval", "cue-corridor", "--agent", "rnadom"], "did you mean random?"),
        (["eval", "cue-corridor", "--agent", "farlands.errors:UserError"], "cannot use the agent"),
        (["eval", "cue-corridor", "--agent", "random", "--max-steps", "2"], "must be above length"),
        (["eval", "cue-corridor", "--agent", "random", "--video", "a.avi"], ".mp4 or .gif"),
        (["eval", "cue-corridor", "--agent", "random", "--video", "a.mp4"], "no render()"),
        (["compare", "voxl"], "did you mean voxel?"),
        (["compare", "cue-corridor"], "two variants or more"),
        (["compare", "cue-corridor", "--variants", "a", "a"], "twice the name 'a'"),
        (["compare", "cue-corridor", "--variants", "a", "b: --ppo.clop 1"], "did you mean --ppo.clip?"),
        (["compare", "cue-corridor", "--variants", "a", "b: --seed 3"], "the comparison's to set: '--seed'"),
        (["compare", "cue-corridor", "--variants", "a", "../b"], "of plain letters"),
        (["compare", "cue-corridor", "--variants", "a", 'b: --recipe "x'], "No closing quotation"),
        (["compare", "cue-corridor", "nowhere"], "no such run"),
        (["sweep", "voxl"], "did you mean voxel?"),
        (["sweep", "cue-corridor"], "a sweep needs ranges"),
        (["sweep", "cue-corridor", "--ranges", "ppo.clop=1..2"], "did you mean ppo.clip?"),
        (["sweep", "cue-corridor", "--ranges", "ppo.clip=-1..2"], "must be above 0"),
        (["sweep", "cue-corridor", "--ranges", "ppo.clip=1..2", "ppo.clip=3..4"], "twice the flag"),
        (["replay"], "needs FILE first"),
        (["replay", "none.replay"], "there is no replay none.replay"),
        (["replay", "none.replay", "--width", "17"], "must be an even number"),
        (["tasks", ""], "needs sample|show|check|grammar first"),
        (["tasks", "smaple"], "did you mean sample?"),
        (["save-info", "none.save"], "there is no save none.save"),
        (["save-info", "a", "b"], "unexpected argument 'b'"),
        (["evaluate", "voxel", "--agent", "random", "--replays", "1"], "--replays needs a directory"),
        (["evaluate", "cue-corridor", "--agent", "random", "--replays", "1", "--out", "x"], "those of voxel"),
        (["bench", "voxl"], "did you mean voxel?"),
        (["profile"], "needs WORLD|RUN_DIR first"),
        (["profile", "voxl"], "did you mean voxel?"),
        (["profile", "voxel", "--seconds", "0"], "must be in [0.01, 86400]"),
        (["profile", "voxel", "--num-worlds", "0"], "at least 1"),
        (["profile", "cue-corridor", "--recipe", "demo"], "it is for the world voxel"),
        (["profile", "."], "it has no config.json"),
        (["bench", "scaling"], "needs WORLD|RUN_DIR... first"),
        (["bench", "scaling", "voxl"], "did you mean voxel?"),
        (["bench", "scaling", "voxel", "cue-corridor"], "unexpected argument 'cue-corridor'"),
        (["bench", "scaling", "."], "it has no config.json"),
        (["bench", "scaling", "voxel", "--axes", "windw"], "did you mean window?"),
        (["bench", "scaling", "voxel", "--axes", "window=64"], "two or more values"),
        (["bench", "scaling", "cue-corridor", "--axes", "window"], "no axis 'window'"),
        (["bench", "scaling", "voxel", "--rounds", "1"], "must be in [2, 1000]"),
        (["bench", "scaling", "voxel", "--threshold", "0"], "must be in [0.01, 1]"),
        (["plan"], "needs RUN_DIR|SCALING_DIR first"),
        (["plan", "nowhere"], "no such directory 'nowhere'"),
        (["plan", "."], "neither a run nor a scaling report"),
        (["plan", "nowhere", "--gpus", "0"], "--gpus is '0'"),
        (["plan", "nowhere", "--steps", "-1"], "must be in [0"),
        (["list", "voxl"], "did you mean voxel?"),
        (["list", "voxel", "too-much"], "unexpected argument"),
        (["doctor", "now"], "unexpected argument"),
        (["demo", "--recipe", "x"], "unknown recipe"),
        (["demo", "now"], "unexpected argument"),
        (["demo", "--watch", "maybe"], "one of: False, True"),
        (["evaluate", "cue-corridor", "--agent", "pretrained"], "cannot use the agent"),
        (["train", "voxel", "a\0b"], "NUL"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes(argv, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert said in complaint(capsys, *argv)
    assert fingerprint(tmp_path) == {}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_gpu_asked_for_but_absent(capsys, tmp_path):
    for argv in (
        ["train", "cue-corridor", "--run-dir", str(tmp_path / "run")],
        ["eval", "cue-corridor", "--agent", "zero"],
    ):
        assert "no such device 'cuda'" in complaint(capsys, *argv, "--device", "cuda")
    assert not (tmp_path / "run").exists()


def test_directory_that_cannot_be_written(capsys, tmp_path, run):
    (tmp_path / "file").write_text("mine")
    below = str(tmp_path / "file" / "run")
    assert "cannot write to" in complaint(capsys, "train", "cue-corridor", "--run-dir", below, *TINY)
    assert "cannot write to" in complaint(capsys, "eval", str(run), "--episodes", "4", "--out", below)
    assert "cannot write to" in complaint(capsys, "eval", str(run), "--episodes", "4", "--video", f"{below}/a.mp4")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_directory_without_permission(capsys, tmp_path):
    tmp_path.chmod(0o500)
    assert "Permission denied" in complaint(capsys, "train", "cue-corridor", "--run-dir", str(tmp_path / "run"), *TINY)


def test_train_refuses_an_existing_run_and_a_full_directory(capsys, run, tmp_path):
    before = fingerprint(tmp_path)
    assert "farlands resume" in complaint(capsys, "train", "cue-corridor", "--run-dir", str(run), *TINY)
    assert "not empty" in complaint(capsys, "train", "cue-corridor", "--run-dir", str(tmp_path), *TINY)
    assert fingerprint(tmp_path) == before


def test_a_world_that_does_not_fit_in_memory(capsys, tmp_path, monkeypatch):
    from farlands.worlds.reference import CueCorridor

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    monkeypatch.setattr(CueCorridor, "__init__", refuse)
    assert "does not fit in memory" in complaint(
        capsys, "train", "cue-corridor", "--run-dir", str(tmp_path / "run"), *TINY
    )
    assert not (tmp_path / "run").exists()


def edit_config(run: Path, **changes: object) -> None:
    """Change settings in a run's config, given by dotted names with __ for dots."""
    data = json.loads((run / "config.json").read_text())
    for name, value in changes.items():
        *path, last = name.split("__")
        node = data
        for key in path:
            node = node[key]
        node[last] = value
    (run / "config.json").write_text(json.dumps(data))


def newest(run: Path) -> Path:
    return sorted((run / "checkpoints").glob("step-*"))[-1]


def rewrite_manifest(checkpoint: Path, **changes: object) -> None:
    """Change entries of a manifest and seal it again, as another program would have written it."""
    manifest = json.loads((checkpoint / "manifest.json").read_text())
    manifest.pop("sha256")
    manifest |= changes
    seal = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    (checkpoint / "manifest.json").write_text(json.dumps({**manifest, "sha256": seal}))


def damage_byte(run: Path) -> None:
    path = newest(run) / "agent.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def tear_all(run: Path) -> None:
    for path in (run / "checkpoints").glob("step-*/agent.safetensors"):
        path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda run: shutil.rmtree(run / "checkpoints"), "nothing to go on from"),
        (tear_all, "is torn: agent.safetensors is missing or short"),
        (damage_byte, "is damaged: agent.safetensors is not as written"),
        (lambda run: rewrite_manifest(newest(run), format="other"), "not a Farlands checkpoint"),
        (lambda run: rewrite_manifest(newest(run), format_version=99), "format 99"),
        (lambda run: rewrite_manifest(newest(run), parts=["agent"]), "holds other parts"),
        (lambda run: edit_config(run, options__length=5), "was made with other rules"),
        (lambda run: edit_config(run, agent__hidden=16), "does not fit: agent"),
        (lambda run: edit_config(run, num_worlds=16), "does not fit: world"),
        (lambda run: edit_config(run, stepz=1), "did you mean steps?"),
        (lambda run: (run / "config.json").write_text("{"), "cannot read"),
        (lambda run: (run / "config.json").unlink(), "not a run"),
    ],
    ids=["none", "torn", "damaged", "foreign", "newer", "parts", "rules", "shapes", "worlds", "key", "broken", "bare"],
)  # fmt: skip
def test_checkpoints_that_cannot_be_used(spoil, said, run, capsys):
    spoil(run)
    before = fingerprint(run)
    assert said in complaint(capsys, "resume", str(run), "--steps", "4096")
    assert fingerprint(run) == before


def test_resume_of_what_is_done_or_unknown(run, capsys):
    before = fingerprint(run)
    assert "has done its 512 steps" in complaint(capsys, "resume", str(run))
    assert "no checkpoint in" in complaint(capsys, "resume", str(run), "--checkpoint", "step-1", "--steps", "4096")
    assert "no checkpoint in" in complaint(capsys, "eval", str(run), "--checkpoint", "step-1")
    assert fingerprint(run) == before


def test_a_run_in_use_is_left_alone(run, capsys):
    from farlands.runtime.rundir import RunDirectory

    holder = RunDirectory.open(str(run))
    holder.lock()
    try:
        assert "another process is using" in complaint(capsys, "resume", str(run), "--steps", "4096")
    finally:
        holder.release()


def test_a_torn_newest_checkpoint_is_passed_over_with_a_warning(run, capsys):
    torn = newest(run)
    path = torn / "agent.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert main(["resume", str(run), "--steps", "640"]) == 0
    said = capsys.readouterr().out
    assert f"warning: {torn.name} was torn by a crash" in said
    assert "going on from step 384" in said
    assert newest(run).name == "step-000000000640"


def test_a_broken_users_file_says_where(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("import torch\n\nraise KeyError('gone')\n")
    said = complaint(capsys, "train", "cue-corridor", "--rewards.sources", "mine.py:bonus", *TINY)
    assert "KeyError: 'gone' (line 3)" in said


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert f"usage: farlands {verb}" in capsys.readouterr().out


def test_short_help_is_short_and_full_help_is_full(capsys):
    main(["train", "voxel", "--help"])
    short = capsys.readouterr().out
    main(["train", "voxel", "--help-all"])
    full = capsys.readouterr().out
    config = TrainConfig(world="voxel", options=VoxelOptions())
    missing = [flag.name for flag in list_flags(config) if f"--{flag.name}" not in full]
    assert missing == []
    assert "--ppo.gae-lambda" not in short
    assert "--world.horizon" in short


def test_overview_version_and_no_command(capsys):
    assert main(["--help"]) == 0
    overview = capsys.readouterr().out
    assert all(verb in overview for verb in VERBS)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("farlands ")
    assert main([]) == 2


WORDS = [
    *VERBS, "voxel", "cue-corridor", "voxl", "nowhere", "--", "-", "", "-x", "--=",
    "--steps=", "--help", "--help-all",
    "--world", "--ppo", "--world.", "=", "1", "-1", "0", "1e9", "nan", "inf", "True", "survive", "random",
    "a.py:b", ":", "::",
    *(f"--{flag.name}" for flag in list_flags(TrainConfig(world="voxel", options=VoxelOptions()))),
    *(f"--{flag.name}" for config in (ResumeConfig(), EvalConfig()) for flag in list_flags(config)),
]  # fmt: skip
TOKENS = st.one_of(st.sampled_from(WORDS), st.text(max_size=12), st.integers().map(str), st.floats().map(str))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(verb="record", tokens=[""])
@example(verb="bench", tokens=["", "--help"])
@example(verb="bench", tokens=["scaling", "--help"])
@given(verb=st.sampled_from(list(VERBS)), tokens=st.lists(TOKENS, max_size=8))
def test_fuzz_gives_one_line_or_runs(verb, tokens, monkeypatch, capsys, tmp_path):
    import farlands.runtime.bench
    import farlands.runtime.catalogue
    import farlands.runtime.demo
    import farlands.runtime.demonstrations
    import farlands.runtime.doctor
    import farlands.runtime.measure
    import farlands.runtime.profiling.profile
    import farlands.runtime.scaling.scaling
    import farlands.runtime.session
    import farlands.runtime.studies.compare
    import farlands.runtime.studies.sweep
    import farlands.studio.serve

    # The rooms are replaced by doors: what is fuzzed is everything that stands before them.
    for module, name in (
        (farlands.runtime.session, "train"), (farlands.runtime.session, "resume"), (farlands.runtime.demo, "demo"),
        (farlands.runtime.measure, "evaluate_target"), (farlands.runtime.bench, "bench"),
        (farlands.runtime.profiling.profile, "profile"), (farlands.runtime.scaling.scaling, "scaling"),
        (farlands.runtime.doctor, "doctor"), (farlands.runtime.catalogue, "print_world"),
        (farlands.runtime.demonstrations, "record"), (farlands.runtime.studies.sweep, "sweep"),
        (farlands.runtime.studies.compare, "compare"), (farlands.runtime.studies.compare, "compare_runs"),
        (farlands.studio.serve, "serve"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, lambda *_: 0)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    code = main([verb, *tokens])
    said = capsys.readouterr().err
    assert code in (0, 2)
    assert len(said.splitlines()) == (1 if code == 2 else 0)
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "argv",
    [
        ["train", "voxel", "--stepz", "1"],
        ["train", "\udcff"],
        ["eval", "cue-corridor", "--agent", "zeor"],
        ["resume", "/"],
    ],
    ids=repr,
)
def test_real_processes_say_one_line(argv, tmp_path):
    command = [sys.executable, "-m", "farlands", *argv]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith(b"farlands: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_closed_pipe_is_no_error(tmp_path):
    command = f"{sys.executable} -m farlands train voxel --help | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, cwd=tmp_path, timeout=60)
    assert done.stderr == b""


def test_rooms_and_verbs_agree():
    assert set(cli._ROOMS) == set(VERBS)
