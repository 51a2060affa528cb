"""The command line: one name, verbs only, each a few lines that call a room.

``main`` is a plain function of its arguments, so that it can be tested and fuzzed in process. Nothing here imports
torch before a verb has read its flags without complaint.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from farlands.errors import PeerError, UserError

Config = TypeVar("Config")

USER_ERROR = 2
"""Exit code of a mistake of the user's; see ``StopRequest.exit_code`` for that of an interrupted, saved run."""

PEER_LOST = 69
"""Exit code of a process that waited in vain for another one of its run (BSD's EX_UNAVAILABLE)."""

VERBS = {
    "demo": "watch an agent learn in the voxel world, in about seven minutes",
    "train": "train an agent in a world",
    "studio": "watch runs in a browser: their worlds, what agents think, how they learn",
    "play": "walk in the voxel world in a browser, beside the agent that comes with Farlands",
    "resume": "go on with a run exactly where its newest checkpoint stands",
    "evaluate": "measure an agent on levels it never trained on",
    "inspect": "see what went bad where a run met numbers that are not finite",
    "compare": "train variants with several seeds each, at equal budgets, and tell which is better",
    "sweep": "search for good settings by many short runs",
    "record": "write demonstrations of an agent as a Minari dataset",
    "replay": "play a recorded episode again, check it, and draw it at any size",
    "save-info": "what is in a saved world",
    "bench": "measure the speed of a world and of learning in it, on this machine, and how it scales",
    "profile": "where the time of training goes, part by part, and what bounds it on this device",
    "plan": "time, devices, energy and money that a training run would take, from what was measured",
    "tasks": "sample, show or check tasks of the voxel world's grammar",
    "list": "worlds, agents, rewards and recipes; or one world in full",
    "doctor": "what this machine offers, and what is missing",
}

ALIASES = {"eval": "evaluate"}
"""Other names of verbs."""


def entry() -> None:
    """The console script."""
    # libgomp's threads spin for milliseconds after every parallel region. That starves the threads that step worlds
    # and, where other programs share the cores, slowed training more than threefold. Results do not depend on it.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    code = main(sys.argv[1:])
    sys.stdout.flush()
    if "FARLANDS_EXIT_NOTE" in os.environ:
        from farlands.runtime.launch import leave_note

        code = leave_note(code)
    sys.exit(code)


def main(argv: Sequence[str]) -> int:
    """Run one command.

    Args:
        argv: Its tokens, without the program's name.

    Returns:
        The exit code: 0 for success, 2 for a mistake of the user's, 3 where numbers that are not finite ended a run, 75
        or 130 where SIGTERM or SIGINT ended a run that was saved, 69 where another process of the run was lost.
    """
    try:
        return _dispatch(list(argv))
    except UserError as error:
        if not error.silent:
            print(f"farlands: {error}", file=sys.stderr)
        return USER_ERROR
    except PeerError as error:
        print(f"farlands: {error}", file=sys.stderr)
        return PEER_LOST
    except BrokenPipeError:
        # The reader of our output went away (`| head`); nothing is left to say to it, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "--help-all", "help"):
        print(_overview())
        return 0 if argv else USER_ERROR
    verb, *tokens = argv
    if verb in ("-V", "--version"):
        from farlands import __version__

        print(f"farlands {__version__}")
        return 0
    verb = ALIASES.get(verb, verb)
    if verb not in VERBS:
        raise UserError("unknown command", verb, VERBS)
    if any("\0" in token for token in tokens):
        raise UserError("an argument holds a NUL character")
    return _ROOMS[verb](tokens)


def _overview() -> str:
    width = max(map(len, VERBS)) + 4
    return "\n".join(
        [
            "Farlands trains agents in open worlds at simulator speed.",
            "",
            "usage: farlands COMMAND [...]",
            "",
            *(f"  {verb:<{width}}{meaning}" for verb, meaning in VERBS.items()),
            "",
            "farlands COMMAND --help tells more; start with: farlands demo",
        ]
    )


def _demo(tokens: list[str]) -> int:
    from farlands.config import DemoConfig

    config = _parse(DemoConfig(), tokens, "farlands demo")
    if config is None:
        return 0
    if config.watch:
        from farlands.runtime.watch import watch

        return watch(config)
    from farlands.runtime.demo import demo

    return demo(config)


def _train(tokens: list[str]) -> int:
    from farlands.config import anchored
    from farlands.recipes import start_from

    given = list(tokens)
    world, tokens = _take_subject(tokens, "WORLD", "farlands train")
    config, tokens = start_from(world, tokens)
    config = _parse(config, tokens, f"farlands train {world or 'WORLD'}", "farlands list shows worlds and recipes")
    if config is None:
        return 0
    from farlands.runtime.session import train

    return train(anchored(config), ["farlands", "train", *given])


def _resume(tokens: list[str]) -> int:
    from farlands.config import ResumeConfig

    run, tokens = _take_subject(tokens, "RUN_DIR", "farlands resume")
    config = _parse(ResumeConfig(run=run), tokens, f"farlands resume {run or 'RUN_DIR'}")
    if config is None:
        return 0
    from farlands.runtime.session import resume

    return resume(config)


def _studio(tokens: list[str]) -> int:
    from farlands.studio.config import StudioConfig

    target, tokens = _take_subject(tokens, "RUN_DIR", "farlands studio")
    config = _parse(StudioConfig(target=target), tokens, f"farlands studio {target or 'RUN_DIR'}")
    if config is None:
        return 0
    from farlands.studio.serve import studio

    return studio(config)


def _play(tokens: list[str]) -> int:
    from farlands.studio.config import PlayConfig

    target, tokens = (tokens[0], tokens[1:]) if tokens and not tokens[0].startswith("-") else ("", tokens)
    config = _parse(PlayConfig(target=target), tokens, "farlands play [SEED|SAVED_WORLD]")
    if config is None:
        return 0
    from farlands.studio.serve import play

    return play(config)


def _evaluate(tokens: list[str]) -> int:
    from farlands.config import EvalConfig

    given = list(tokens)
    target, tokens = _take_subject(tokens, "RUN_DIR|WORLD", "farlands evaluate")
    config = EvalConfig(target=target)
    if target and not Path(target).is_dir():
        config = _with_options(config, target)
    config = _parse(config, tokens, f"farlands evaluate {target or 'RUN_DIR|WORLD'}")
    if config is None:
        return 0
    from farlands.runtime.measure import evaluate_target

    return evaluate_target(config, ["farlands", "evaluate", *given])


def _inspect(tokens: list[str]) -> int:
    from farlands.config import InspectConfig

    target, tokens = _take_subject(tokens, "RUN_DIR|DUMP", "farlands inspect")
    config = _parse(InspectConfig(target=target), tokens, f"farlands inspect {target or 'RUN_DIR|DUMP'}")
    if config is None:
        return 0
    from farlands.runtime.inspection import inspect

    return inspect(config)


def _compare(tokens: list[str]) -> int:
    from farlands.config import CompareConfig
    from farlands.runtime.studies.directory import COMPARISON, reopen

    subjects, tokens = _take_subjects(tokens, "WORLD|RUN_DIR...", "farlands compare")
    first = subjects[0] if subjects else ""
    going_on = len(subjects) == 1 and Path(first).is_dir()
    begun = reopen(Path(first), CompareConfig, COMPARISON) if going_on else None
    config = _parse(begun or CompareConfig(world=first), tokens, f"farlands compare {first or 'WORLD|RUN_DIR...'}")
    if config is None:
        return 0
    from farlands.runtime.studies.compare import compare, compare_runs

    return compare_runs(subjects, config) if len(subjects) > 1 else compare(config, begun)


def _sweep(tokens: list[str]) -> int:
    from farlands.config import SweepConfig
    from farlands.runtime.studies.directory import SWEEP, reopen

    subject, tokens = _take_subject(tokens, "WORLD|SWEEP_DIR", "farlands sweep")
    begun = reopen(Path(subject), SweepConfig, SWEEP) if subject and Path(subject).is_dir() else None
    config = _parse(begun or SweepConfig(world=subject), tokens, f"farlands sweep {subject or 'WORLD|SWEEP_DIR'}")
    if config is None:
        return 0
    from farlands.runtime.studies.sweep import sweep

    return sweep(config, begun)


def _record(tokens: list[str]) -> int:
    from farlands.config import RecordConfig

    world, tokens = _take_subject(tokens, "WORLD", "farlands record")
    config = _parse(_with_options(RecordConfig(world=world), world), tokens, f"farlands record {world or 'WORLD'}")
    if config is None:
        return 0
    from farlands.runtime.demonstrations import record

    return record(config)


def _replay(tokens: list[str]) -> int:
    from farlands.config import ReplayConfig

    path, tokens = _take_subject(tokens, "FILE", "farlands replay")
    config = _parse(ReplayConfig(path=path), tokens, f"farlands replay {path or 'FILE'}")
    if config is None:
        return 0
    from farlands.runtime.replays import replay

    return replay(config)


def _save_info(tokens: list[str]) -> int:
    if _wants_help(tokens):
        print("usage: farlands save-info FILE\n\nSays what is in a saved world.")
        return 0
    path, tokens = _take_subject(tokens, "FILE", "farlands save-info")
    if tokens:
        raise UserError("unexpected argument", tokens[0], "usage: farlands save-info FILE")
    from farlands.runtime.replays import save_info

    return save_info(path)


def _bench(tokens: list[str]) -> int:
    from farlands.config import BenchConfig

    world, tokens = _take_subject(tokens, "WORLD", "farlands bench")
    if world == "scaling":
        return _bench_scaling(tokens)
    note = "farlands bench scaling WORLD|RUN_DIR... tells how cost and learning grow with sizes"
    config = _parse(_with_options(BenchConfig(world=world), world), tokens, f"farlands bench {world or 'WORLD'}", note)
    if config is None:
        return 0
    from farlands.runtime.bench import bench

    return bench(config)


def _bench_scaling(tokens: list[str]) -> int:
    from farlands.runtime.scaling.config import begin

    subjects, tokens = _take_subjects(tokens, "WORLD|RUN_DIR...", "farlands bench scaling")
    config, tokens = begin(subjects, tokens)
    config = _parse(config, tokens, f"farlands bench scaling {' '.join(subjects) or 'WORLD|RUN_DIR...'}")
    if config is None:
        return 0
    from farlands.runtime.scaling.scaling import scaling

    return scaling(config)


def _profile(tokens: list[str]) -> int:
    from farlands.runtime.profiling.config import begin

    subject, tokens = _take_subject(tokens, "WORLD|RUN_DIR", "farlands profile")
    config, tokens = begin(subject, tokens)
    config = _parse(config, tokens, f"farlands profile {subject or 'WORLD|RUN_DIR'}")
    if config is None:
        return 0
    from farlands.runtime.profiling.profile import profile

    return profile(config)


def _plan(tokens: list[str]) -> int:
    from farlands.runtime.scaling.config import PlanConfig

    source, tokens = _take_subject(tokens, "RUN_DIR|SCALING_DIR", "farlands plan")
    config = _parse(PlanConfig(source=source), tokens, f"farlands plan {source or 'RUN_DIR|SCALING_DIR'}")
    if config is None:
        return 0
    from farlands.runtime.scaling.plan import plan

    return plan(config)


def _tasks(tokens: list[str]) -> int:
    from farlands.runtime.tasks import ACTIONS, configure, run_tasks

    subjects, tokens = _take_subjects(tokens, "|".join(ACTIONS), "farlands tasks")
    prog = f"farlands tasks {subjects[0] if subjects else '|'.join(ACTIONS)}"
    config = _parse(configure(subjects), tokens, prog)
    return 0 if config is None else run_tasks(subjects, config)


def _list(tokens: list[str]) -> int:
    if _wants_help(tokens):
        print("usage: farlands list [WORLD]\n\nNames to use with the other commands; with a world, all about it.")
        return 0
    if len(tokens) > 1 or (tokens and tokens[0].startswith("-")):
        raise UserError("unexpected argument", tokens[-1], "usage: farlands list [WORLD]")
    from farlands.runtime.catalogue import print_catalogue, print_world

    return print_world(tokens[0]) if tokens else print_catalogue()


def _doctor(tokens: list[str]) -> int:
    if _wants_help(tokens):
        print(f"usage: farlands doctor\n\nShows {VERBS['doctor']}.")
        return 0
    if tokens:
        raise UserError("unexpected argument", tokens[0], "usage: farlands doctor")
    from farlands.runtime.doctor import doctor

    return doctor()


_ROOMS: dict[str, Callable[[list[str]], int]] = {
    "demo": _demo,
    "train": _train,
    "studio": _studio,
    "play": _play,
    "resume": _resume,
    "evaluate": _evaluate,
    "inspect": _inspect,
    "compare": _compare,
    "sweep": _sweep,
    "record": _record,
    "replay": _replay,
    "save-info": _save_info,
    "bench": _bench,
    "profile": _profile,
    "plan": _plan,
    "tasks": _tasks,
    "list": _list,
    "doctor": _doctor,
}


def _parse(config: Config, tokens: list[str], prog: str, *notes: str) -> Config | None:
    """``config`` with the flags in ``tokens``, or None when they asked for help, which is then printed."""
    from farlands.flags import parse_flags, print_all_help, short_help

    if "--help-all" in tokens:
        print_all_help(config, prog)
        return None
    if _wants_help(tokens):
        notes = (*notes, "--help-all shows every flag")
        print(short_help(config, config.MAIN_FLAGS, f"{prog} [--flag value ...]", notes))  # type: ignore[attr-defined]
        return None
    return parse_flags(config, tokens, prog)


def _wants_help(tokens: list[str]) -> bool:
    return any(token in ("-h", "--help", "--help-all") for token in tokens)


def _take_subject(tokens: list[str], name: str, prog: str) -> tuple[str, list[str]]:
    """The first token, which names what a command is about, and the rest; empty where only help is wanted."""
    if tokens and tokens[0] and not tokens[0].startswith("-"):
        return tokens[0], tokens[1:]
    if _wants_help(tokens):
        return "", tokens
    raise UserError(f"{prog} needs {name} first", allowed=f"usage: {prog} {name} [--flag value ...]")


def _take_subjects(tokens: list[str], name: str, prog: str) -> tuple[list[str], list[str]]:
    """All tokens before the first flag, and the rest."""
    first, rest = _take_subject(tokens, name, prog)
    subjects = [first] if first else []
    while rest and subjects and not rest[0].startswith("-"):
        subjects.append(rest.pop(0))
    return subjects, rest


def _with_options(config: Any, world: str) -> Any:
    from farlands.extensions import resolve_options

    return dataclasses.replace(config, options=resolve_options(world)()) if world else config
