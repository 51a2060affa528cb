"""The verb `profile`: where the time of training goes, and what bounds it."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

from farlands.runtime.display import make_display
from farlands.runtime.machine import describe_git, describe_machine, describe_versions
from farlands.runtime.profiling.config import ProfileConfig


def profile(config: ProfileConfig) -> int:
    """Measure and print: a table and sentences, or JSON lines. Raises UserError as ``train`` does."""
    with make_display(errors=True) as display:
        display.status("loading torch")
        from farlands.runtime.profiling.measure import measure
        from farlands.runtime.profiling.words import sentences

        found = measure(config, display)
    if config.json:
        for line in as_json(config, found):
            print(json.dumps(line), flush=True)
        return 0
    _print_table(config, found)
    for sentence in sentences(found):
        print(f"- {sentence}")
    return 0


def as_json(config: ProfileConfig, found: Any) -> list[dict[str, Any]]:
    """One object for what was run and measured against, one per part, one with the sentences; NaN as null."""
    from farlands.runtime.profiling.words import list_parts, sentences

    about = {
        "world": config.world,
        "options": dataclasses.asdict(config.options),
        "num_worlds": found.num_worlds,
        "device": found.device,
        "threads": found.threads,
        "steps_per_update": found.steps,
        "updates": found.updates,
        "limits": found.limits._asdict(),
        "halved": {name: _finite(ratio) for name, ratio in found.halved.items()},
        "machine": describe_machine(),
        "versions": describe_versions(),
        "git": describe_git(Path(__file__).parent),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
    parts = [{name: _finite(value) for name, value in part._asdict().items()} for part in list_parts(found)]
    return [{"profile": about}, *({"part": part} for part in parts), {"words": list(sentences(found))}]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print_table(config: ProfileConfig, found: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    from farlands.runtime.profiling.words import describe_bound, list_parts

    parts, limits = list_parts(found), found.limits
    whole = sum(part.seconds for part in parts if "/" not in part.name)
    print(
        f"{config.world}: {found.num_worlds} worlds on {found.device}, {found.threads} threads; "
        f"{found.steps / whole:,.0f} steps/s, medians of {found.updates} updates of {found.steps:,} steps"
    )
    print(
        f"measured here: {limits.operations / 1e9:,.0f} GFLOP/s in {limits.dtype}, "
        f"{limits.bandwidth / 1e9:,.1f} GB/s of memory"
    )
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    table.add_column("part")
    for name in ("share", "ms", "GFLOP/s", "GB/s", *(("J",) if found.joules else ())):
        table.add_column(name, justify="right")
    table.add_column("bound by")
    for part in parts:
        joules = ("" if part.joules is None else f"{part.joules:.3g}",) if found.joules else ()
        phase, _, inner = part.name.partition("/")
        cells = (f"{part.share:.1%}", f"{1000 * part.seconds:,.1f}", _rate(part.operations), _rate(part.bandwidth))
        table.add_row(f"  {inner}" if inner else phase, *cells, *joules, describe_bound(part))
    Console(highlight=False, width=110).print(table)
    if found.captured:
        print("collection is one CUDA graph: simulate and act were timed by themselves, and need not add up to it")


def _rate(value: float) -> str:
    return "" if math.isnan(value) or value == 0 else f"{value / 1e9:,.3g}"
