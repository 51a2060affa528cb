"""Makes a run's newest agent the policy that comes with Farlands.

    python benchmarks/export_policy.py runs/demo-... voxel

Writes src/farlands/agents/policies/NAME.safetensors: parameters, what world they fit, and where they came from.
"""

from __future__ import annotations

import argparse
import json

import torch

from farlands.agents.pretrained import POLICIES, write_policy
from farlands.runtime.build import build_agent, build_world
from farlands.runtime.checkpoint import CheckpointStore
from farlands.runtime.rundir import RunDirectory

SHOWN = 0.05
"""Achievements that this share of the measured episodes had are named in the file."""


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("name")
    asked = parser.parse_args()
    run = RunDirectory.open(asked.run)
    config, device = run.read_config(), torch.device("cpu")
    world = build_world(config.world, 1, config.options, device)
    checkpoint, _ = CheckpointStore(run.checkpoints).load(parts=("agent",))
    agent, _ = build_agent(config, world.spec, device)
    checkpoint.load_into({"agent": agent})
    report = json.loads((run.path / "report.json").read_text())
    shares = next(iter(report["actors"].values()))["achievements"]
    origin = {
        "world": config.world,
        "recipe": config.recipe,
        "seed": config.seed,
        "steps": checkpoint.facts["steps"],
        "levels": report["levels"],
        "achievements": {name: one["value"] for name, one in shares.items() if one["value"] >= SHOWN},
    }
    path = POLICIES / f"{asked.name}.safetensors"
    write_policy(path, agent, config.agent, world.spec, origin)
    print(f"{path}: {path.stat().st_size:,} bytes\n{json.dumps(origin, indent=1)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
