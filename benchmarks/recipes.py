"""What the recipes lead to, over training seeds.

    python benchmarks/recipes.py demo --seeds 5 --directory runs/demo-seeds
    python benchmarks/recipes.py voxel-symbols --seeds 3 --directory runs/symbols --threads 1 --parallel 2   # sooner
    python benchmarks/recipes.py --page                                                    # rewrite docs/recipes.md

Trains a recipe with the seeds 1 to N, measures every agent as PLANS has it, keeps what was found in
benchmarks/recipes.json, draws the learning curves into docs/pictures, and rewrites docs/recipes.md. Interrupted or
repeated with the same directory, it goes on with what is missing.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from figures import describe, record

from farlands.evaluation.crafter import score_run
from farlands.evaluation.selection import choose_curves
from farlands.recipes import RECIPES, Recipe, read_train_flags
from farlands.runtime.display import make_display
from farlands.runtime.metrics import read_metrics
from farlands.runtime.plots import new_figure
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.signals import StopRequest
from farlands.runtime.studies.comparison_plots import COLOURS, POINTS, curve
from farlands.runtime.studies.members import Member, carry_members

HERE = Path(__file__).parent
RESULTS = HERE / "recipes.json"
PAGE = HERE.parent / "docs" / "recipes.md"
PICTURES = HERE.parent / "docs" / "pictures"
L0_SHOWN = ("collect_log", "make_crafting_table", "make_wooden_pickaxe", "collect_cobblestone", "make_stone_pickaxe")
_PLACE = ("seed", "run_dir", "threads", "device", "save_every", "keep")
_LINES = 8
_LEAST = 0.01

INTRODUCTION = """\
# Recipes

Settings that are known to work together, by name: `farlands train WORLD --recipe NAME`; one named like its world
applies by itself, and flags override it. Written by `python benchmarks/recipes.py`, which trains every recipe over
several seeds; what it found is kept with hardware, versions and commit in
[recipes.json](../benchmarks/recipes.json). The tables of the voxel world's recipes are of the world before it had
creatures, light and matter that flows.
"""


@dataclass(frozen=True)
class Plan:
    """How a recipe is measured.

    Attributes:
        told: One sentence on what the figures are.
        measure: Flags of `farlands evaluate`; None where training's own episodes are scored by Crafter's protocol.
    """

    told: str
    measure: tuple[str, ...] | None


_UNSEEN = ("--episodes", "512", "--baseline", "False")
PLANS = {
    "demo": Plan("Each agent in 512 unseen levels, for at most 1,500 steps.", _UNSEEN),
    "voxel-symbols": Plan("Protocol `quick`: each agent in 256 unseen levels.", ("--protocol", "quick")),
    "crafter": Plan("Crafter's protocol: all training episodes inside the million steps are scored.", None),
    "craftax-classic": Plan("Each agent in 512 unseen levels.", _UNSEEN),
}


def members_of(directory: Path, name: str, seeds: int, threads: int) -> list[Member]:
    """The recipe's run for every seed."""
    measure = PLANS[name].measure
    return [
        Member(
            f"seed {seed}",
            directory / f"seed-{seed}",
            RECIPES[name].world,
            ("--recipe", name, "--seed", str(seed), "--threads", str(threads)),
            None if measure is None else (*measure, "--threads", str(threads)),
        )
        for seed in range(1, seeds + 1)
    ]


def check_recipe(member: Member, name: str) -> None:
    """Refuse a run that was made with other settings than the recipe's."""
    made = RunDirectory.open(str(member.directory)).read_config()
    meant = read_train_flags(member.world, ["--recipe", name])
    for item in dataclasses.fields(made):
        ours, theirs = getattr(made, item.name), getattr(meant, item.name)
        if item.name not in _PLACE and ours != theirs:
            raise SystemExit(f"{member.directory}: {item.name} is {ours}, the recipe has {theirs}")


def read_member(member: Member) -> dict[str, Any]:
    """Figures and rates of one seed's agent, each a number."""
    last = read_metrics(member.directory / "metrics.jsonl")[-1]
    cost = {"steps": int(last["step"]), "seconds": last["seconds"]}
    if member.measure is None:
        found = score_run(member.directory)
        figures = {"score": found.score, "return": found.reward, "length": found.length}
        return {**cost, "figures": figures, "rates": {name: rate / 100 for name, rate in found.rates.items()}}
    report = json.loads((member.directory / "report.json").read_text())
    agent = next(iter(report["actors"].values()))
    figures = {name: agent[name]["value"] for name in ("score", "return", "depth", "length") if agent.get(name)}
    gap, robust = report.get("generalisation_gap"), report.get("robustness")
    if gap:
        figures["return on training levels minus unseen"] = gap["difference"]["value"]
    if robust:
        figures |= {"return kept, mean over changes": robust["mean_kept"]}
        figures |= {f"return kept, worst ({robust['worst_axis'].replace('_', ' ')})": robust["worst_kept"]}
    return {**cost, "figures": figures, "rates": {name: one["value"] for name, one in agent["achievements"].items()}}


def draw(members: list[Member], name: str, picture: Path) -> None:
    """Return and some achievements over training: mean over seeds, and the lowest to the highest."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    runs = [[row for row in read_metrics(member.directory / "metrics.jsonl") if row.get("episode/count")]
            for member in members]  # fmt: skip
    end = min(run[-1]["step"] for run in runs)
    places = np.linspace(end / POINTS, end, POINTS)

    def lines(key: str) -> np.ndarray:
        return np.stack([curve(run, "step", key, places) for run in runs])

    depths = _depths(name)
    means = {feat: np.nan_to_num(lines(f"achievement/{feat}")).mean(axis=0) for feat in depths}
    shown = choose_curves({feat: mean for feat, mean in means.items() if mean.max() > _LEAST}, depths, _LINES)
    figure = new_figure(11, 4)
    axes = figure.subplots(1, 2, width_ratios=(2, 3))
    _band(axes[0], places, lines("episode/return"), COLOURS[0], "")
    axes[0].set_ylabel("return of an episode")
    for feat, colour in zip(shown, COLOURS, strict=False):
        _band(axes[1], places, 100 * lines(f"achievement/{feat}"), colour, feat.replace("_", " "))
    axes[1].set_ylabel("episodes with the achievement, %")
    axes[1].set_ylim(0, 100)
    axes[1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    for axis in axes:
        axis.set_xlabel("training steps")
        axis.set_xlim(0, end)
        axis.xaxis.set_major_locator(MaxNLocator(5))
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#e6e6e6", linewidth=0.6)
        axis.set_axisbelow(True)
    many = f"{len(runs)} seeds, mean and range" if len(runs) > 1 else "one seed"
    figure.suptitle(f"recipe {name}: {many}")
    figure.savefig(picture)


def _band(axis: Any, places: np.ndarray, lines: np.ndarray, colour: str, label: str) -> None:
    known = np.isfinite(lines).all(axis=0)
    axis.plot(places[known], lines[:, known].mean(axis=0), color=colour, linewidth=1.8, label=label)
    axis.fill_between(places[known], lines[:, known].min(axis=0), lines[:, known].max(axis=0), color=colour, alpha=0.15)


def _depths(name: str) -> dict[str, int]:
    """Depth of every achievement of a recipe's world, 0 where the world does not say."""
    import torch

    from farlands.runtime.build import build_world

    config = read_train_flags(RECIPES[name].world, ["--recipe", name])
    world = build_world(config.world, 1, config.options, torch.device("cpu"))
    feats, depths = world.spec.achievements, world.spec.depths
    world.close()
    return dict(zip(feats, depths or (0,) * len(feats), strict=True))


def write_page(results: dict[str, Any]) -> None:
    """Rewrite docs/recipes.md."""
    parts = [INTRODUCTION]
    for name, recipe in RECIPES.items():
        parts += [f"## {name}", f"{recipe.summary[0].upper()}{recipe.summary[1:]}.", f"```sh\n{_command(name)}\n```"]
        parts += [_settings(recipe)]
        parts += _found(name, results[name]) if name in results else []
    PAGE.write_text("\n\n".join(part.strip() for part in parts) + "\n")


def _command(name: str) -> str:
    world = RECIPES[name].world
    return f"farlands train {world}" if world == name else f"farlands train {world} --recipe {name}"


def _settings(recipe: Recipe) -> str:
    return "It sets " + ", ".join(f"`{flag} {_text(value)}`" for flag, value in _flags(recipe.settings)) + "."


def _flags(settings: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in settings.items():
        flag = prefix + {"options": "world"}.get(key, key).replace("_", "-")
        found += _flags(value, f"{flag}.") if isinstance(value, dict) else [(flag, value)]
    return found


def _text(value: Any) -> str:
    if isinstance(value, tuple | list):
        return " ".join(map(str, value))
    return f"{value:_}" if type(value) is int else str(value)


def _found(name: str, found: dict[str, Any]) -> list[str]:
    seeds, machine = found["seeds"], found["machine"]
    where = ", ".join(machine["gpus"]) or f"{machine['cores']} cores of {machine['processor']}"
    speed = sum(one["steps"] for one in seeds) / sum(one["seconds"] for one in seeds)
    rows = [_row("training seed", [str(k + 1) for k in range(len(seeds))]), "|---" * (1 + len(seeds)) + "|"]
    rows += [_row(key, [f"{one['figures'][key]:,.3g}" for one in seeds]) for key in seeds[0]["figures"]]
    best = {feat: max(one["rates"][feat] for one in seeds) for feat in seeds[0]["rates"]}
    for feat in sorted((feat for feat in best if best[feat] >= _LEAST), key=lambda feat: -best[feat]):
        rows.append(_row(feat.replace("_", " "), [f"{one['rates'][feat]:.1%}" for one in seeds]))
    told = f"{PLANS[name].told} {seeds[0]['steps']:,} training steps a seed at {speed:,.0f} steps/s, {where}."
    picture = f"![Return and achievements over training](pictures/recipe_{name}.png)"
    return [told, "\n".join(rows), f"Achievements below {_LEAST:.0%} are left out.", picture]


def _row(name: str, cells: list[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", nargs="?", choices=list(PLANS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--directory", type=Path)
    parser.add_argument("--page", action="store_true", help="rewrite the page from what is known")
    asked = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not asked.page:
        if not (asked.recipe and asked.directory):
            parser.error("a recipe and --directory are needed")
        members = members_of(asked.directory, asked.recipe, asked.seeds, asked.threads)
        with make_display() as display, StopRequest() as stop:
            carry_members(members, asked.parallel, stop, display.status)
        if stop.signal:
            return stop.exit_code
        for member in members:
            check_recipe(member, asked.recipe)
        found = [read_member(member) for member in members]
        results[asked.recipe] = {"seeds": found, **describe()}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        draw(members, asked.recipe, PICTURES / f"recipe_{asked.recipe}.png")
        if asked.recipe == "demo":
            _record_l0(found)
    write_page(results)
    return 0


def _record_l0(found: list[dict[str, Any]]) -> None:
    pickaxes = [one["rates"]["make_wooden_pickaxe"] for one in found]
    shares = {name: [round(one["rates"][name], 4) for one in found] for name in L0_SHOWN}
    record("L0", sum(pickaxes) / len(pickaxes), unit="share of episodes with a wooden pickaxe", seeds=len(found),
           episodes=512, shares=shares)  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
