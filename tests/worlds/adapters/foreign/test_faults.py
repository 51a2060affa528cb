"""What goes wrong in a worker ends in one clear line, with nothing left behind."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch
from foreign_environments import Faulty

from farlands.errors import UserError
from farlands.worlds.adapters.foreign.named import GymnasiumWorld
from farlands.worlds.adapters.foreign.options import GymnasiumOptions
from farlands.worlds.adapters.foreign.pool import ForeignError

HERE = Path(__file__).parent


OPTIONS = GymnasiumOptions(workers=2, timeout=2.0)
ONE_LINE = r"^[^\n]+$"


def memory() -> set[str]:
    return {name for name in os.listdir("/dev/shm") if name.startswith("psm_")} if os.path.isdir("/dev/shm") else set()


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise", "Faulty failed in worker 0 of 2, row 0; RuntimeError: the tower fell"),
        ("exit", "Faulty failed in worker 0 of 2, row 0; it called for the process to exit with 3"),
        ("quit", "Faulty died in worker 0 of 2, row 0; its process exited with code 4"),
        ("kill", "Faulty died in worker 0 of 2, row 0; its process was ended by signal 9"),
        ("hang", "Faulty hangs in worker 0 of 2, row 0; one call took more than 2 s"),
    ],
)
def test_faults_in_a_step(fault, said):
    before = memory()
    world = GymnasiumWorld(4, OPTIONS, constructor=functools.partial(Faulty, fault, 3))
    processes = world.pool.processes
    world.reset(1)
    for _ in range(2):
        world.step(torch.zeros(4, dtype=torch.int32))
    begin = time.monotonic()
    with pytest.raises(UserError, match=ONE_LINE) as caught:
        world.step(torch.zeros(4, dtype=torch.int32))
    assert str(caught.value).startswith(said)
    assert time.monotonic() - begin < 12
    assert not any(alive(process) for process in processes)
    assert memory() <= before
    with pytest.raises(UserError, match="is closed"):
        world.step(torch.zeros(4, dtype=torch.int32))
    world.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_exceptions_that_are_put_up_with_cost_an_episode(workers):
    options = GymnasiumOptions(workers=workers, failures=4)
    world = GymnasiumWorld(4, options, constructor=functools.partial(Faulty, "raise", 3))
    world.reset(1)
    seen = [world.step(torch.zeros(4, dtype=torch.int32)) for _ in range(3)]
    assert [bool(step.truncated.any()) for step in seen] == [False, False, True]
    assert seen[-1].truncated.all()
    assert not seen[-1].terminated.any()
    assert not seen[-1].reward.any()
    assert world.final_observation["observation"].tolist() == [1] * 4, "what was seen before the failure"
    assert seen[-1].observation["observation"].tolist() == [0] * 4, "the next episode has begun"
    episodes = world.drain_episodes()
    assert episodes.cause.tolist() == ["failed"] * 4
    assert episodes.length.tolist() == [3] * 4
    for _ in range(2):
        world.step(torch.zeros(4, dtype=torch.int32))
    # Two workers of two rows have spent half of what each may; one that has all rows has spent everything.
    if workers == 0:
        with pytest.raises(UserError, match="the tower fell"):
            world.step(torch.zeros(4, dtype=torch.int32))
    else:
        world.step(torch.zeros(4, dtype=torch.int32))
        assert len(set(world.drain_episodes().seed.tolist()) | set(episodes.seed.tolist())) == 8
        world.close()


def test_the_environments_own_traceback_is_kept():
    world = GymnasiumWorld(1, OPTIONS, constructor=functools.partial(Faulty, "raise", 1))
    world.reset(1)
    with pytest.raises(ForeignError) as caught:
        world.step(torch.zeros(1, dtype=torch.int32))
    assert "in _do" in caught.value.details


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(("when", "said"), [(-1, "cannot be made"), (0, "failed in"), (1, "failed in")])
def test_faults_wherever_they_happen(workers, when, said):
    def live() -> None:
        options = GymnasiumOptions(workers=workers)
        world = GymnasiumWorld(2, options, constructor=functools.partial(Faulty, "raise", when))
        world.reset(1)
        world.step(torch.zeros(2, dtype=torch.int32))

    with pytest.raises(UserError, match=ONE_LINE) as caught:
        live()
    assert said in str(caught.value)
    assert "RuntimeError: the tower fell" in str(caught.value)


def test_closing_leaves_nothing():
    before = memory()
    world = GymnasiumWorld(2, GymnasiumOptions(workers=2))
    processes = world.pool.processes
    world.reset(1)
    # The name is gone while the world lives: no end of this process could leave the memory behind.
    assert memory() <= before
    world.close()
    world.close()
    assert not any(alive(process) for process in processes)


def test_dropping_leaves_nothing():
    world = GymnasiumWorld(2, GymnasiumOptions(workers=1))
    processes = world.pool.processes
    del world
    assert not any(alive(process) for process in processes)


def test_workers_end_with_a_killed_parent(tmp_path):
    """Even those in the middle of a call that never returns."""
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(f"""
        import functools, sys, torch
        sys.path.insert(0, {str(HERE)!r})
        from foreign_environments import Faulty
        from farlands.worlds.adapters.foreign.named import GymnasiumWorld
        from farlands.worlds.adapters.foreign.options import GymnasiumOptions

        if __name__ == "__main__":
            make = functools.partial(Faulty, "hang", 1)
            world = GymnasiumWorld(2, GymnasiumOptions(workers=2), constructor=make)
            world.reset(1)
            print(*world.pool.processes, flush=True)
            world.step(torch.zeros(2, dtype=torch.int32))
        """)
    )
    before = memory()
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    processes = [int(word) for word in parent.stdout.readline().split()]
    assert len(processes) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 10
    while any(alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(process) for process in processes)
    assert memory() <= before
    parent.stdout.close()


def test_a_script_without_a_guard(tmp_path):
    """Its main file is not run again by workers, which need not import what it imports; its classes go there whole."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        import sys, gymnasium, torch
        from farlands.worlds.adapters.foreign.named import GymnasiumWorld
        from farlands.worlds.adapters.foreign.options import GymnasiumOptions

        class Light(gymnasium.Env):
            observation_space = gymnasium.spaces.Discrete(2)
            action_space = gymnasium.spaces.Discrete(2)

            def reset(self, *, seed=None, options=None):
                return int("torch" in sys.modules), {}

            def step(self, action):
                return 0, 1.0, False, False, {}

        print("once")
        world = GymnasiumWorld(2, GymnasiumOptions(workers=2), constructor=Light)
        print(world.reset(0).observation["observation"].tolist())
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "once\n[0, 0]\n", "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"env_id": "NoSuchThing-v0"}, "NameNotFound"),
        ({"env_id": "no_such_module:Thing-v0"}, "no_such_module"),
        ({"kwargs": '{"colour": "red"}'}, "colour"),
    ],
)
def test_environments_that_cannot_be_made(options, said):
    with pytest.raises(UserError, match=ONE_LINE) as caught:
        GymnasiumWorld(1, GymnasiumOptions(workers=0, **options))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [{"kwargs": "{a"}, {"kwargs": "[1]"}, {"workers": -2}, {"timeout": 0.0}, {"replay": -1}, {"horizon": -1},
     {"seed_bits": 65}],
)  # fmt: skip
def test_options_that_cannot_be(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} is"):
        GymnasiumOptions(**options)
