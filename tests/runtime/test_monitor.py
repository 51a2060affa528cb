"""What watches over a run, in whole runs: stalls, and checkpoints from before there was a monitor."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from pathlib import Path

from farlands.cli import main
from farlands.runtime import monitor
from farlands.runtime.metrics import read_metrics
from farlands.runtime.stalls import StallWatch

TINY = ["--num-worlds", "8", "--ppo.rollout", "16", "--threads", "1"]


def test_a_stalled_phase_is_told_while_it_stalls(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(
        "import time\n"
        "def sleep(context):\n"
        "    if context.updates == 12:\n"
        "        deadline = time.monotonic() + 60\n"
        "        while not (context.run_dir / 'alarms.jsonl').exists() and time.monotonic() < deadline:\n"
        "            time.sleep(0.05)\n"
    )
    monkeypatch.setattr(monitor, "StallWatch", functools.partial(StallWatch, least=4.0))
    run = tmp_path / "run"
    flags = ["--steps", str(128 * 14), "--callbacks", f"{tmp_path}/mine.py:sleep", "--run-dir", str(run)]
    assert main(["train", "cue-corridor", *TINY, *flags]) == 0
    lines = [json.loads(line) for line in (run / "alarms.jsonl").read_text().splitlines()]
    told = [(line["alarm"], line["state"], line["step"]) for line in lines]
    assert told == [("stalled", "rings", 128 * 12), ("stalled", "over", 128 * 13)]
    said = capsys.readouterr().out
    assert "ALARM stalled: this update has taken" in said
    assert "it is in the phase log" in said
    assert [row["update"] for row in read_metrics(run / "metrics.jsonl") if row["alarm/stalled"]] == [13]


def test_checkpoints_from_before_there_was_a_monitor_go_on(finished_run, tmp_path):
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    newest = sorted((run / "checkpoints").glob("step-*"))[-1]
    manifest = json.loads((newest / "manifest.json").read_text())
    del manifest["sha256"], manifest["files"]["monitor.json"]
    manifest["parts"].remove("monitor")
    (newest / "monitor.json").unlink()
    seal = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    (newest / "manifest.json").write_text(json.dumps({**manifest, "sha256": seal}))
    assert main(["resume", str(run), "--steps", "640"]) == 0


def test_words_about_steps_that_are_lived_again_are_dropped(finished_run, tmp_path):
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    lines = [json.dumps({"step": step, "alarm": "kl_too_large"}) for step in (128, 256, 384)]
    (run / "alarms.jsonl").write_text("\n".join([*lines, '{"step": 5']))
    assert main(["resume", str(run), "--checkpoint", "step-000000000256", "--steps", "384"]) == 0
    assert [json.loads(line)["step"] for line in (run / "alarms.jsonl").read_text().splitlines()] == [128, 256]
