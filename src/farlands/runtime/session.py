"""Training from the first word on the screen to the last: the verbs `train` and `resume`.

Heavy libraries are imported only once something is on the screen.
"""

from __future__ import annotations

import dataclasses
import shlex
import sys
from typing import TYPE_CHECKING

from farlands.config import ResumeConfig, TrainConfig
from farlands.errors import UserError
from farlands.runtime.display import Display, make_display
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.signals import StopRequest

if TYPE_CHECKING:
    from farlands.runtime.loop import Run

NOT_FINITE = 3
"""Exit code of a run that numbers which are not finite ended."""


def train(config: TrainConfig, argv: list[str]) -> int:
    """Start a run and carry it to its end.

    Args:
        config: As given; device and threads are resolved here.
        argv: The command line, for the record.

    Returns:
        0; 3 where numbers that are not finite ended the run; or 128 + the number of the signal that interrupted it,
        which is then saved.

    Raises:
        UserError: Something asked for is impossible; nothing is left on the disk.
    """
    with make_display() as display, StopRequest() as stop:
        run = start(config, argv, display, stop)
        return carry(run)


def start(config: TrainConfig, argv: list[str], display: Display, stop: StopRequest) -> Run:
    """Make a run and its directory. Raises UserError, leaving nothing behind."""
    display.status("loading torch")
    from farlands.runtime.devices import resolve_device, resolve_threads

    resolved = dataclasses.replace(
        config, device=str(resolve_device(config.device)), threads=resolve_threads(config.threads)
    )
    directory = RunDirectory.create(config.run_dir, config.recipe or config.world)
    try:
        resolved = dataclasses.replace(resolved, run_dir=str(directory.path))
        run = _build(resolved, directory, display, stop)
    except BaseException:
        directory.discard()
        raise
    directory.describe(config, resolved, argv)
    directory.note_start(0)
    return run


def resume(config: ResumeConfig) -> int:
    """Carry a run on from its newest checkpoint, or a named one.

    Raises:
        UserError: There is no run or no usable checkpoint, or it does not fit; nothing is changed on the disk.
    """
    with make_display() as display, StopRequest() as stop:
        directory = RunDirectory.open(config.run)
        directory.lock()
        try:
            run = _restore(config, directory, display, stop)
        except BaseException:
            directory.release()
            raise
        return carry(run)


def carry(run: Run) -> int:
    """Train a run to its end and tell how to go on from there."""
    from farlands.runtime.build import memory_guard
    from farlands.runtime.loop import run_loop

    config, directory = run.config, run.directory
    run.display.begin(f"{config.world} on {config.device}, in {directory.path}", config.steps)
    try:
        with memory_guard():
            run_loop(run)
        _draw_curve(run)
    finally:
        run.close()
        directory.release()
    run.display.close()
    where = shlex.quote(str(directory.path))
    if run.monitor.verdict:
        saved = run.store.newest() or "no checkpoint"
        print(
            f"stopped at step {run.counters.steps:,}: {run.monitor.verdict}; the last good state is {saved}; "
            f"see: farlands inspect {where}",
            file=sys.stderr,
        )
        return NOT_FINITE
    if run.stop.signal:
        print(f"interrupted and saved at step {run.counters.steps:,}; go on with: farlands resume {where}")
        return run.stop.exit_code
    print(f"done: {run.counters.steps:,} steps in {directory.path}; measure the agent with: farlands evaluate {where}")
    return 0


def _build(config: TrainConfig, directory: RunDirectory, display: Display, stop: StopRequest) -> Run:
    from farlands.runtime.build import build_run

    display.status(
        f"making {config.num_worlds} worlds; the first time ever, kernels are compiled, which takes a minute"
    )
    return build_run(config, directory, display, stop)


def _restore(config: ResumeConfig, directory: RunDirectory, display: Display, stop: StopRequest) -> Run:
    display.status("loading torch")
    from farlands.runtime.build import check_spec
    from farlands.runtime.checkpoint import CheckpointStore
    from farlands.runtime.devices import resolve_device

    settings = directory.read_config()
    device = str(resolve_device(config.device or settings.device))
    steps, seconds = config.steps or settings.steps, config.seconds or settings.seconds
    settings = dataclasses.replace(settings, device=device, steps=steps, seconds=seconds, run_dir=str(directory.path))
    display.status("reading the checkpoint")
    checkpoint, warnings = CheckpointStore(directory.checkpoints).load(config.checkpoint)
    done = checkpoint.facts["steps"]
    if done >= steps:
        raise UserError(f"the run has done its {steps:,} steps", allowed=f"train on with --steps, above {done}")
    if seconds and checkpoint.facts["seconds"] >= seconds:
        used = checkpoint.facts["seconds"]
        raise UserError(f"the run has used its {seconds:g} s", allowed=f"train on with --seconds, above {used:.0f}")
    run = _build(settings, directory, display, stop)
    check_spec(run.world.spec, checkpoint.facts.get("spec"), checkpoint.path)
    checkpoint.load_into(run.components())
    for warning in warnings:
        display.note(f"warning: {warning}")
    run.saved_steps = run.counters.steps
    run.store.drop_after(checkpoint.path.name)
    directory.note_start(run.counters.steps)
    display.note(f"going on from step {run.counters.steps:,}")
    return run


def _draw_curve(run: Run) -> None:
    try:
        from farlands.runtime.plots import draw_learning_curve
    except ImportError:
        return
    spec = run.world.spec
    depths = dict(zip(spec.achievements, spec.depths, strict=False))
    draw_learning_curve(run.directory.metrics, run.directory.path / "learning_curve.png", run.config.world, depths)
