"""The scoreboard: agents on the standard protocol, in one table.

    python benchmarks/scoreboard.py                      # measure every entry and rewrite docs/scoreboard.md
    python benchmarks/scoreboard.py --only random        # measure some, keep what is known of the others
    python benchmarks/scoreboard.py --page               # rewrite the page from what is known
    python benchmarks/scoreboard.py --page --robustness runs/.../report.json   # as `--protocol robust` leaves it

An entry is a line in ENTRIES. Results are kept in benchmarks/scoreboard.json with hardware, versions and commit.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures import describe

from farlands.config import EvalConfig
from farlands.evaluation.metrics import summarise
from farlands.evaluation.protocol import evaluation_seeds
from farlands.runtime.display import make_display
from farlands.runtime.measure import measure
from farlands.worlds.voxel.options import LONG_LIFE, VoxelOptions

RESULTS = Path(__file__).parent / "scoreboard.json"
PAGE = Path(__file__).parent.parent / "docs" / "scoreboard.md"
OPTIONS = VoxelOptions(task="diamond")
SURVIVAL_OPTIONS = VoxelOptions(**LONG_LIFE)
SURVIVAL_LEVELS, STEPS_A_DAY = 256, 6_000
ROBUSTNESS = "robustness of the PPO that comes with Farlands"
COLUMNS = ("make_wooden_pickaxe", "make_stone_pickaxe", "make_iron_pickaxe", "make_diamond_pickaxe")


INTRODUCTION = """\
# Scoreboard

Agents in the voxel world on the task `diamond`: default options, at most 10,000 steps, unseen levels, the protocol
`standard` (1,000 levels; the experts take the first of them). Return is the task's; score is the geometric mean of the
shares of all achievements, in percent; depth is how far up the tech tree an episode got; then come the shares of
episodes with each pickaxe, mean length, the step by which half have the diamond pickaxe, and how many died. Regenerated
by `python benchmarks/scoreboard.py`; intervals, machine and versions are in
[scoreboard.json](../benchmarks/scoreboard.json). One line there adds an agent.
"""

SURVIVAL = f"""
## Survival

Ten days (60,000 steps) without a goal, `farlands/Survival-v0`, {SURVIVAL_LEVELS} unseen levels: how long agents live.
A day has {STEPS_A_DAY:,} steps.
"""


@dataclass(frozen=True)
class Entry:
    """One row.

    Attributes:
        name: The agent.
        sees: What it acts on.
        trained: With how much of what.
        measure: Figures of its episodes, as ``metrics.summarise`` gives them.
    """

    name: str
    sees: str
    trained: str
    measure: Callable[[], dict[str, Any]]


def named(agent: str) -> Callable[[], dict[str, Any]]:
    """An agent that `farlands evaluate voxel --agent NAME --protocol standard --world.task diamond` measures."""
    return _measured(EvalConfig("voxel", OPTIONS, agent=agent, protocol="standard", varied=0, training_levels=0))


def survivor(agent: str) -> Callable[[], dict[str, Any]]:
    """An agent on the long life."""
    return _measured(EvalConfig("voxel", SURVIVAL_OPTIONS, agent=agent, episodes=SURVIVAL_LEVELS))


def _measured(config: EvalConfig) -> Callable[[], dict[str, Any]]:
    def run() -> dict[str, Any]:
        alone = dataclasses.replace(config, baseline=False, clips="off")
        with make_display() as display:
            report, _ = measure(alone, display)
        return report.figures[report.agent_name]

    return run


def scripted(agent: str, levels: int) -> Callable[[], dict[str, Any]]:
    """A scripted expert by its name, on the first levels of the same list."""

    def run() -> dict[str, Any]:
        from experts import live_all

        episodes, scale = live_all(agent, evaluation_seeds(0, levels))
        return summarise(episodes, scale)

    return run


ENTRIES = (
    Entry("random", "nothing", "-", named("random")),
    Entry(
        "recurrent PPO, comes with Farlands",
        "symbols",
        "50 million steps by the recipe voxel-symbols, one seed",
        named("pretrained"),
    ),
    Entry("scripted expert", "everything, through walls", "written by hand", scripted("expert", 100)),
    Entry(
        "honest scripted expert",
        "symbols, position, depth, segmentation",
        "written by hand",
        scripted("honest-expert", 100),
    ),
)

SURVIVORS = (
    Entry("survival: idle", "nothing", "-", survivor("zero")),
    Entry("survival: random", "nothing", "-", survivor("random")),
    Entry("survival: recurrent PPO, comes with Farlands", "symbols", ENTRIES[1].trained, survivor("pretrained")),
)


def row(entry: Entry, found: dict[str, Any]) -> str:
    """One line of the page's table."""
    cells = [entry.name, entry.sees, entry.trained, f"{found['episodes']:,}"]
    cells += [f"{found[name]['value']:.3g}" for name in ("return", "score", "depth")]
    cells += [f"{100 * found['achievements'][name]['value']:.1f} %" for name in COLUMNS]
    half = found["first_unlock"].get(COLUMNS[-1], {}).get("median", {}).get("value")
    cells += [f"{found['length']['value']:,.0f}", f"{half:,.0f}" if half else "-", dead(found)]
    return "| " + " | ".join(cells) + " |"


def dead(found: dict[str, Any]) -> str:
    """Share of episodes that ended in death, and of what most did."""
    deaths = found["survival"]["deaths"]
    share = f"{100 * sum(deaths.values()) / found['episodes']:.1f} %"
    return f"{share} (most: {next(iter(deaths))})" if deaths else share


def survival_row(entry: Entry, found: dict[str, Any]) -> str:
    """One line of the table of long lives."""
    alive = found["survival"]["alive_after"].get("60000")
    cells = [entry.name.removeprefix("survival: "), entry.sees, entry.trained]
    cells += [f"{found['survival']['steps_alive']['value'] / STEPS_A_DAY:.2f}"]
    cells += [f"{100 * alive['value']:.1f} %" if alive else "0.0 %", dead(found)]
    cells += [f"{found['diversity']['per_episode']['value']:.1f}", f"{found['return']['value']:.1f}"]
    return "| " + " | ".join(cells) + " |"


def robustness_lines(found: dict[str, Any] | None) -> list[str]:
    """The page's table of what is kept when something is changed."""
    if not found:
        return []
    parts = found["parts"]
    show = lambda share: "-" if share is None else f"{100 * share:.0f} %"  # noqa: E731
    lines = [
        "", "## Robustness", "",
        f"Share of its return that the policy keeps when one thing is changed, {found['levels']} a change, on the task "
        f"`{found['task']}` (`farlands evaluate RUN --protocol robust`). Training may draw from the train range.", "",
        "| axis | train range | held-out range |", "|---|---|---|",
    ]  # fmt: skip
    for axis in parts["train"]["kept"]:
        cells = (show(parts[part]["kept"].get(axis)) for part in ("train", "held-out"))
        lines.append(f"| {axis.replace('_', ' ')} | {' | '.join(cells)} |")
    worst = (
        f"{show(parts[part]['worst_kept'])} ({parts[part]['worst_axis'].replace('_', ' ')})"
        for part in ("train", "held-out")
    )
    mean = (show(parts[part]["mean_kept"]) for part in ("train", "held-out"))
    return [*lines, f"| mean over axes | {' | '.join(mean)} |", f"| worst axis | {' | '.join(worst)} |"]


def write_page(results: dict[str, Any]) -> None:
    """Rewrite docs/scoreboard.md."""
    heads = ["agent", "sees", "trained", "levels", "return", "score", "depth"]
    heads += [name.removeprefix("make_").replace("_", " ") for name in COLUMNS]
    heads += ["steps", "half have it by step", "died"]
    lives = ["agent", "sees", "trained", "days lived", "alive after ten", "died", "achievements", "return"]
    lines = [
        INTRODUCTION,
        f"| {' | '.join(heads)} |",
        "|---" * len(heads) + "|",
        *(row(entry, results[entry.name]["figures"]) for entry in ENTRIES if entry.name in results),
        "",
        "Not measured yet: PPO from pixels, which wants a GPU.",
        SURVIVAL,
        f"| {' | '.join(lives)} |",
        "|---" * len(lives) + "|",
        *(survival_row(entry, results[entry.name]["figures"]) for entry in SURVIVORS if entry.name in results),
        *robustness_lines(results.get(ROBUSTNESS)),
    ]
    PAGE.write_text("\n".join(lines) + "\n")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="measure entries whose name begins like this")
    parser.add_argument("--page", action="store_true", help="measure nothing")
    parser.add_argument("--robustness", type=Path, help="a report of the protocol robust to take up")
    asked = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if asked.robustness:
        report = json.loads(asked.robustness.read_text())
        results[ROBUSTNESS] = {
            "parts": report["robustness"]["parts"],
            "levels": report["levels"].rpartition(", ")[2].replace("seeds", "levels"),
            "task": report["world_options"]["task"], "provenance": report["provenance"],
        }  # fmt: skip
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    for entry in (*ENTRIES, *SURVIVORS):
        if asked.page or not entry.name.startswith(asked.only):
            continue
        results[entry.name] = {"figures": entry.measure(), "sees": entry.sees, "trained": entry.trained, **describe()}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        show = survival_row if entry in SURVIVORS else row
        print(show(entry, results[entry.name]["figures"]), flush=True)
    write_page(results)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
