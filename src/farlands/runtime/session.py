"""Training from the first word on the screen to the last: the verbs `train` and `resume`.

Heavy libraries are imported only once something is on the screen.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from farlands.config import ResumeConfig, TrainConfig
from farlands.errors import UserError
from farlands.runtime.display import Display, NoDisplay, make_display
from farlands.runtime.rundir import RunDirectory, free_name
from farlands.runtime.seat import Seat, find_seat
from farlands.runtime.signals import StopRequest
from farlands.saved_config import CARRIED, first_difference

if TYPE_CHECKING:
    import torch

    from farlands.learning.peers import Peers
    from farlands.runtime.loop import Run

NOT_FINITE = 3
"""Exit code of a run that numbers which are not finite ended."""


def train(config: TrainConfig, argv: list[str]) -> int:
    """Start a run and carry it to its end; go on with it where the same command has begun it before.

    Args:
        config: As given; device and threads are resolved here.
        argv: The command line, for the record.

    Returns:
        0; ``NOT_FINITE`` where numbers that are not finite ended the run; ``StopRequest.exit_code`` where a signal
        interrupted it, which is then saved.

    Raises:
        UserError: Something asked for is impossible; nothing is left on the disk.
        PeerError: Another process of the run is late or gone.
    """
    seat = find_seat()
    if seat is None and (config.processes > 1 or config.restarts):
        from farlands.runtime.launch import launch

        where = config.run_dir or str(free_name(config.recipe or config.world))
        return launch([*argv[1:], "--run-dir", where], config.processes, config.restarts)
    seat = seat or Seat()
    with _display(seat) as display, StopRequest() as stop, _meeting(config, seat, display) as peers:
        begun = peers.first(lambda: begun_before(config))
        run = _go_on(begun, display, stop, seat, peers) if begun else start(config, argv, display, stop, seat, peers)
        return carry(run) if run else 0


def start(
    config: TrainConfig,
    argv: list[str],
    display: Display,
    stop: StopRequest,
    seat: Seat = Seat(),
    peers: Peers | None = None,
) -> Run:
    """Make a run and its directory. Raises UserError, leaving nothing behind."""
    display.status("loading torch")
    from farlands.learning.peers import ALONE

    peers, resolved = peers or ALONE, resolve_machine(config, seat)
    path = peers.first(lambda: str(RunDirectory.reserve(config.run_dir, config.recipe or config.world)))
    directory = RunDirectory(Path(path))
    try:
        peers.first(directory.lock)
        resolved = dataclasses.replace(resolved, run_dir=path)
        run = _build(resolved, directory, display, stop, peers)
    except BaseException:
        if peers.rank == 0:
            directory.discard()
        raise
    peers.first(lambda: directory.describe(config, resolved, argv))
    peers.first(lambda: directory.note_start(0))
    return run


def resolve_machine(config: TrainConfig, seat: Seat) -> TrainConfig:
    """A config with the device and the threads that a process has on this machine. Raises UserError."""
    from farlands.runtime.devices import resolve_device, resolve_threads

    device, threads = resolve_device(config.device, seat), resolve_threads(config.threads, seat.local_size)
    return dataclasses.replace(config, device=str(device), threads=threads, processes=seat.size)


def resume(config: ResumeConfig) -> int:
    """Carry a run on from its newest checkpoint, or a named one.

    Raises:
        UserError: There is no run or no usable checkpoint, or it does not fit; nothing is changed on the disk.
        PeerError: Another process of the run is late or gone.
    """
    seat, settings = find_seat(), RunDirectory.open(config.run).read_config()
    processes = config.processes or settings.processes
    if seat is None and (processes > 1 or config.restarts):
        from farlands.runtime.launch import launch

        return launch(resume_tokens(config), processes, config.restarts)
    seat = seat or Seat()
    settings = dataclasses.replace(settings, device=config.device or settings.device, processes=config.processes or 1)
    with _display(seat) as display, StopRequest() as stop, _meeting(settings, seat, display) as peers:
        return carry(restore(config, display, stop, seat, peers))


def resume_tokens(config: ResumeConfig) -> list[str]:
    """The command line of a resume."""
    tokens = ["resume", config.run]
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if item.name != "run" and value != item.default:
            tokens += [f"--{item.name}", str(value)]
    return tokens


def carry(run: Run) -> int:
    """Train a run to its end and tell how to go on from there."""
    from farlands.runtime.build import disk_guard, memory_guard

    config, directory = run.config, run.directory
    where = shlex.quote(str(directory.path))
    shared = f", {run.peers.size} processes" if run.peers.size > 1 else ""
    run.display.begin(f"{config.world} on {config.device}{shared}, in {directory.path}", config.steps)
    try:
        with memory_guard(), disk_guard(run):
            _find_loop(config)(run)
        if run.peers.rank == 0:
            _draw_curve(run)
    finally:
        run.close()
        directory.release()
    run.display.close()
    words = f"done: {run.counters.steps:,} steps in {directory.path}; measure the agent with: farlands evaluate {where}"
    if run.monitor.verdict:
        return _tell_not_finite(run, where)
    if run.stop.signal:
        words = f"interrupted and saved at step {run.counters.steps:,}; go on with: farlands resume {where}"
    if run.peers.rank == 0:
        print(words)
    return run.stop.exit_code if run.stop.signal else 0


def _find_loop(config: TrainConfig) -> Callable[[Run], None]:
    if config.actors.count:
        from farlands.runtime.actors.run import run_with_actors

        return run_with_actors
    from farlands.runtime.loop import run_loop

    return run_loop


def _tell_not_finite(run: Run, where: str) -> int:
    saved = run.store.newest() or "no checkpoint"
    if run.peers.rank == 0:
        print(
            f"stopped at step {run.counters.steps:,}: {run.monitor.verdict}; the last good state is {saved}; "
            f"see: farlands inspect {where}",
            file=sys.stderr,
        )
    return NOT_FINITE


def begun_before(config: TrainConfig) -> str:
    """The directory of the run that the same command has begun, empty where there is none.

    What may differ is where and how it is carried (processes, restarts, timeouts, faults, saving), which is no part of
    what is learned.

    Raises:
        UserError: There is a run of other settings in that directory.
    """
    path = Path(config.run_dir).expanduser() if config.run_dir else None
    if path is None or not (path / "given.json").exists():
        return ""
    directory = RunDirectory.open(config.run_dir)
    given = directory.read_given()
    changed = first_difference(given, dataclasses.replace(config, **{name: getattr(given, name) for name in CARRIED}))
    if changed:
        name, before, now = changed
        raise UserError(
            f"there is a run with other settings in {path}: {name} was {before}, here it is",
            now,
            f"go on with it by: farlands resume {path}; or name another directory",
        )
    if not (directory.checkpoints / "latest").exists():
        # It ended before its first checkpoint: there is nothing to go on from, and nothing to lose.
        directory.lock()
        directory.wipe()
        directory.release()
        return ""
    return str(path)


def restore(config: ResumeConfig, display: Display, stop: StopRequest, seat: Seat, peers: Peers) -> Run:
    """A run as its checkpoint has it. Raises UserError, nothing being changed on the disk."""
    directory = RunDirectory(Path(config.run).expanduser())
    settings = directory.read_config()
    # As many threads as before where as many processes go on: sums depend on them.
    threads = settings.threads if seat.size == settings.processes else 0
    device = config.device or settings.device
    settings = resolve_machine(dataclasses.replace(settings, device=device, threads=threads), seat)
    peers.first(directory.lock)
    try:
        return _restore(config, settings, directory, display, stop, peers)
    except BaseException:
        directory.release()
        raise


def _go_on(begun: str, display: Display, stop: StopRequest, seat: Seat, peers: Peers) -> Run | None:
    """The run that the same command began, None where it is done."""
    from farlands.runtime.checkpoint import CheckpointStore
    from farlands.runtime.loop import Counters

    directory, counters = RunDirectory.open(begun), Counters()
    checkpoint, _ = CheckpointStore(directory.checkpoints, peers=peers).load(parts=("counters",))
    counters.load_state_dict(checkpoint.states["counters"])
    if counters.progress(directory.read_config()) < 1:
        return restore(ResumeConfig(run=begun), display, stop, seat, peers)
    if peers.rank == 0:
        print(f"done already: {counters.steps:,} steps in {begun}; train on with: farlands resume {begun} --steps N")
    return None


def _display(seat: Seat) -> Display:
    return make_display() if seat.rank == 0 else NoDisplay()


def _check_seat(config: TrainConfig, seat: Seat) -> torch.device:
    """The device of a process. Raises UserError where the config does not fit the processes that were started."""
    if config.processes not in (1, seat.size, seat.local_size):
        raise UserError("--processes is", config.processes, f"but {seat.size} were started")
    if seat.size > 1 and not config.run_dir:
        raise UserError("several processes need --run-dir", allowed="a directory that all of them see")
    from farlands.runtime.devices import resolve_device

    return resolve_device(config.device, seat)


@contextlib.contextmanager
def _meeting(config: TrainConfig, seat: Seat, display: Display) -> Iterator[Peers]:
    """The processes that carry a run together, once all are there."""
    display.status("loading torch")
    try:
        device = _check_seat(config, seat)
    except UserError as mistake:
        raise mistake if seat.rank == 0 else mistake.told() from None
    if seat.size == 1:
        from farlands.learning.peers import ALONE

        yield ALONE
        return
    from farlands.runtime.group import ProcessGroup

    display.status(f"waiting for {seat.size} processes")
    peers = ProcessGroup(seat, device, config.peer_timeout)
    try:
        yield peers
    finally:
        peers.close()


def _build(config: TrainConfig, directory: RunDirectory, display: Display, stop: StopRequest, peers: Peers) -> Run:
    from farlands.runtime.build import build_run

    display.status(
        f"making {config.num_worlds} worlds; the first time ever, kernels are compiled, which takes a minute"
    )
    return build_run(config, directory, display, stop, peers)


def _restore(
    config: ResumeConfig, settings: TrainConfig, directory: RunDirectory, display: Display, stop: StopRequest,
    peers: Peers,
) -> Run:  # fmt: skip
    from farlands.runtime.build import check_spec
    from farlands.runtime.checkpoint import CheckpointStore
    from farlands.runtime.shards import Share

    steps, seconds = config.steps or settings.steps, config.seconds or settings.seconds
    settings = dataclasses.replace(settings, steps=steps, seconds=seconds, run_dir=str(directory.path))
    if config.ray_address:
        settings = dataclasses.replace(
            settings, actors=dataclasses.replace(settings.actors, address=config.ray_address)
        )
    display.status("reading the checkpoint")
    store = CheckpointStore(directory.checkpoints, peers=peers)
    share = Share(peers.rank, peers.size, settings.num_worlds)
    checkpoint, warnings = store.load(config.checkpoint, share=share)
    done = checkpoint.facts["steps"]
    if done >= steps:
        raise UserError(f"the run has done its {steps:,} steps", allowed=f"train on with --steps, above {done}")
    if seconds and checkpoint.facts["seconds"] >= seconds:
        used = checkpoint.facts["seconds"]
        raise UserError(f"the run has used its {seconds:g} s", allowed=f"train on with --seconds, above {used:.0f}")
    run = _build(settings, directory, display, stop, peers)
    try:
        check_spec(run.world.spec, checkpoint.facts.get("spec"), checkpoint.path)
        peers.together(lambda: checkpoint.load_into(run.components(), run.own_components(), run.share))
    except BaseException:
        run.close()
        raise
    for warning in warnings:
        display.note(f"warning: {warning}")
    run.saved_steps = run.counters.steps
    peers.first(lambda: run.store.drop_after(checkpoint.path.name))
    peers.first(lambda: directory.note_start(run.counters.steps))
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
