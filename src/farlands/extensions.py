"""Finding worlds, agents, rewards and callbacks by name: built in, installed, or in the user's own file.

A reference is one of

- a short name: built in, or an entry point of an installed package in the group ``farlands.<kind>s``;
- ``path/to/file.py:Name``: an object in a file of one's own;
- ``package.module:Name``: an object in an importable module.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from farlands.errors import UserError, first_line

Kind = Literal["world", "agent", "reward", "callback"]


@dataclass(frozen=True)
class Builtin:
    """What Farlands itself offers under a short name.

    Attributes:
        target: ``module:Name`` of the object.
        summary: One line for people.
        options: For worlds, ``module:Name`` of the options dataclass where that is importable without torch.
    """

    target: str
    summary: str
    options: str = ""


_REFERENCE = "farlands.worlds.reference"
_FOREIGN = "farlands.worlds.adapters.foreign."

BUILTINS: dict[str, dict[str, Builtin]] = {
    "world": {
        "voxel": Builtin(
            "farlands.worlds.voxel.world:VoxelWorld",
            "first-person survival and crafting in a procedurally generated block world",
            options="farlands.worlds.voxel.options:VoxelOptions",
        ),
        "cue-corridor": Builtin(
            _REFERENCE + ":CueCorridor",
            "remember a cue to the corridor's end (discrete, memory)",
            options=_REFERENCE + "_options:CueCorridorOptions",
        ),
        "combination": Builtin(
            _REFERENCE + ":Combination",
            "set two dials to the symbols shown (multi-discrete)",
            options=_REFERENCE + "_options:CombinationOptions",
        ),
        "point-reach": Builtin(
            _REFERENCE + ":PointReach",
            "push a point to its target (continuous)",
            options=_REFERENCE + "_options:PointReachOptions",
        ),
        "gymnasium": Builtin(
            _FOREIGN + "named:GymnasiumWorld",
            "any single environment of Gymnasium, by --world.env-id",
            options=_FOREIGN + "options:GymnasiumOptions",
        ),
        "crafter": Builtin(
            _FOREIGN + "named:CrafterWorld",
            "2-D survival with 22 achievements (extra: crafter)",
            options=_FOREIGN + "options:CrafterOptions",
        ),
        "minigrid": Builtin(
            _FOREIGN + "named:MinigridWorld",
            "grid worlds with goals in words, by --world.env-id (extra: minigrid)",
            options=_FOREIGN + "options:MinigridOptions",
        ),
        "atari": Builtin(
            _FOREIGN + "named:AtariWorld",
            "Atari 2600 games, by --world.game (extra: atari)",
            options=_FOREIGN + "options:AtariOptions",
        ),
        "craftax": Builtin(
            _FOREIGN + "craftax:CraftaxWorld",
            "Crafter's rules and more in JAX, on the device (extra: craftax)",
            options=_FOREIGN + "options:CraftaxOptions",
        ),
    },
    "agent": {
        "random": Builtin("farlands.agents.baselines:RandomAgent", "uniform over the possible choices"),
        "zero": Builtin("farlands.agents.baselines:ZeroAgent", "choice 0, or zeros, at every step"),
        "pretrained": Builtin(
            "farlands.agents.pretrained:pretrained", "comes with Farlands, trained by the recipe voxel-symbols"
        ),
        "expert": Builtin(
            "farlands.runtime.scripted:XrayExpert", "scripted, makes a diamond pickaxe; sees through walls"
        ),
        "honest-expert": Builtin(
            "farlands.runtime.scripted:HonestExpert", "scripted likewise, goes by its observations alone"
        ),
    },
    "reward": {
        "rnd": Builtin("farlands.rewards.rnd:RND", "novelty bonus by random network distillation"),
        "items": Builtin("farlands.rewards.items:ItemReward", "so much for each item gathered, up to a cap of each"),
        "affordances": Builtin(
            "farlands.rewards.affordances:AffordanceReward", "so much for each action that becomes possible"
        ),
    },
    "callback": {},
}
"""Short names by kind."""


def resolve(kind: Kind, reference: str) -> Any:
    """The object that ``reference`` names.

    Raises:
        UserError: There is no such name, file, module or attribute, or importing it failed.
    """
    if ":" in reference:
        return _load(kind, reference)
    if reference in BUILTINS[kind]:
        return _load(kind, BUILTINS[kind][reference].target)
    for point in entry_points(kind):
        if point.name == reference:
            try:
                return point.load()
            except Exception as error:
                raise UserError(f"cannot load {kind}", reference, f"{point.value}: {first_line(error)}") from error
    raise UserError(f"unknown {kind}", reference, names(kind) or "give it as file.py:Name or module:Name")


def resolve_options(reference: str) -> type:
    """The options dataclass of a world; for built-in worlds that keep it apart, without importing torch.

    Raises:
        UserError: As ``resolve``, or the object has no options dataclass.
    """
    builtin = BUILTINS["world"].get(reference)
    if builtin and builtin.options:
        return _load("world", builtin.options)
    options = getattr(resolve("world", reference), "Options", None)
    if not isinstance(options, type) or not hasattr(options, "__dataclass_fields__"):
        raise UserError("not a world", reference, "a world class has an Options dataclass")
    return options


def names(kind: Kind) -> list[str]:
    """Every short name of a kind, built in or installed."""
    return sorted({*BUILTINS[kind], *(point.name for point in entry_points(kind))})


@functools.cache
def entry_points(kind: Kind) -> tuple[Any, ...]:
    """Entry points that installed packages declare in the group ``farlands.<kind>s``."""
    from importlib import metadata

    return tuple(metadata.entry_points(group=f"farlands.{kind}s"))


def absolute(reference: str) -> str:
    """The same reference with its file's path made absolute, so that it holds from any working directory."""
    path, colon, name = reference.rpartition(":")
    return f"{Path(path).resolve()}{colon}{name}" if path.endswith(".py") else reference


def _load(kind: Kind, reference: str) -> Any:
    source, _, name = reference.rpartition(":")
    if not source or not name:
        raise UserError(f"incomplete {kind}", reference, "expected file.py:Name or module:Name")
    try:
        module = _load_file(Path(source)) if source.endswith(".py") else importlib.import_module(source)
    except UserError:
        raise
    except ModuleNotFoundError as error:
        raise UserError(f"cannot load {kind}", reference, f"no module named {error.name}") from error
    except Exception as error:
        raise UserError(f"cannot load {kind}", reference, first_line(error) + _where(error, source)) from error
    found = getattr(module, name, None)
    if found is None:
        public = [key for key in vars(module) if not key.startswith("_")]
        raise UserError(f"{source} has no {kind} named", name, public or "the file defines nothing")
    return found


def _load_file(path: Path) -> Any:
    path = path.resolve()
    if not path.is_file():
        beside = [file.name for file in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise UserError(f"no such file in {path.parent}", path.name, beside)
    module_name = f"farlands_file_{path.stem}_{abs(hash(str(path))):x}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None, path
    assert spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module


def _where(error: BaseException, source: str) -> str:
    """Line of the user's own file in which an exception arose, e.g. ``" (line 12)"``."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name == Path(source).name:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    number = lines[-1] if lines else getattr(error, "lineno", None)
    return f" (line {number})" if number else ""
