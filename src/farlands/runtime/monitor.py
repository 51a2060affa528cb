"""What watches over a run: the NaN guard, the alarms, the clock, and where they all leave word."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from farlands.config import TrainConfig
from farlands.learning.peers import ALONE, Peers
from farlands.learning.rollout import Rollout
from farlands.runtime.alarms import STALLED, Alarms, Ring
from farlands.runtime.display import Display
from farlands.runtime.dumps import write_dump
from farlands.runtime.events import EventWriter, NoEvents
from farlands.runtime.files import fsync_path, write_atomically
from farlands.runtime.guard import ELSEWHERE, FLAG, Guard, Trouble, skipped_steps
from farlands.runtime.inspection import describe_finding
from farlands.runtime.metrics import MetricsWriter
from farlands.runtime.phases import Phases
from farlands.runtime.stalls import StallWatch
from farlands.runtime.trackers import Tracker, make_tracker
from farlands.saved_config import to_json
from farlands.worlds.world import Episodes, World


@dataclass
class Monitor:
    """A component of the checkpoint: which alarms ring, so that a resume does not ring them again.

    Attributes:
        path: The run's directory.
        verdict: Why numbers that are not finite end the run; empty while they do not.
    """

    path: Path
    world: World
    guard: Guard
    alarms: Alarms
    events: EventWriter
    tracker: Tracker
    metrics: MetricsWriter
    display: Display
    phases: Phases
    verdict: str = ""
    _stalls: StallWatch | None = None
    _step: int = 0
    _checkpoint: str = ""
    _lost: bool = False
    _log: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, step: int, checkpoint: str) -> None:
        """The run starts or goes on.

        Args:
            step: How far it is.
            checkpoint: Name of its newest checkpoint; empty if there is none.
        """
        self._step, self._checkpoint = step, checkpoint
        self.guard.begin()
        self.events.add("resume" if step else "start", step)
        if self.alarms.stalled_times is not None:
            self._stalls = StallWatch(self._stalled, self.alarms.stalled_times)

    def look(self, rollout: Rollout, given: Sequence[Tensor]) -> dict[str, Tensor]:
        """Figures of the guard, still on the device; after the update, before figures are fetched."""
        return self.guard.look(rollout, given)

    def judge(self, row: dict[str, float], rollout: Rollout, episodes: Episodes) -> None:
        """Look at an update's figures, say what is to be said, and add the alarms' figures to them."""
        self._step = int(row["step"])
        trouble = self.guard.judge(row, rollout)
        if trouble:
            self._take_down(trouble, rollout, episodes)
        skipped = skipped_steps(row)
        if skipped or row.get(FLAG):
            self.events.add("skipped_step", self._step, f"{skipped} steps of the optimiser left out")
        for ring in self.alarms.hear(row):
            self._say(ring)
        row |= self.alarms.flags()
        if self._stalls:
            took = self._stalls.beat()
            row[f"alarm/{STALLED}"] = float(took > 0)
            if took:
                self._say(Ring(STALLED, "over", f"over: the update took {took:,.0f} s", took, self._stalls.usual))
        if self.tracker.dropped:
            row["tracker/dropped"] = float(self.tracker.dropped)
        self.tracker.log(row)

    def unfit(self) -> str:
        """What keeps the state from being saved, because it is not finite; empty if nothing does. Says so once."""
        found = self.guard.unfit()
        if found and not self._lost:
            self._lost = True
            self.events.add("nan", self._step, f"not saved: {found} is not finite")
            self.display.note(f"not saved: {found} is not finite; the newest checkpoint stays {self._checkpoint}")
        return found

    def saved(self, name: str) -> None:
        """A checkpoint has been published."""
        self._checkpoint, self._lost = name, False
        self.events.add("save", self._step, name)
        self.events.flush()

    def end(self, signal: int) -> None:
        """The run ends, by a signal or otherwise; what is still to be done has no usual time."""
        self._watch_no_more()
        if signal:
            self.events.add("signal", self._step, str(signal))
        self.events.add("end", self._step, self.verdict)

    def close(self) -> None:
        """Finish files and threads."""
        self._watch_no_more()
        self.events.flush()
        self.tracker.close()
        if self.tracker.failure or self.tracker.dropped:
            why = f": {self.tracker.failure}" if self.tracker.failure else ""
            self.display.note(f"the tracker lost {self.tracker.dropped} rows{why}; metrics.jsonl has them all")

    def state_dict(self) -> dict[str, Any]:
        return {"step": self._step, "alarms": self.alarms.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a ``state_dict`` back; what was written about later steps is dropped, which are lived again."""
        self._step = int(state["step"])
        self.alarms.load_state_dict(state["alarms"])
        for bell in self.alarms.bells:
            if bell.ringing:
                self.display.alarm(bell.alarm.name, "still on")
        path = self.path / "alarms.jsonl"
        if path.exists():
            kept = [line for line in path.read_text(encoding="utf-8").splitlines() if _step_of(line) <= self._step]
            write_atomically(path, "".join(line + "\n" for line in kept))

    def _watch_no_more(self) -> None:
        if self._stalls:
            self._stalls.close()

    def _take_down(self, trouble: Trouble, rollout: Rollout, episodes: Episodes) -> None:
        """Keep the evidence of a bad update, and decide whether it is the last."""
        first = trouble.findings[0]
        what = describe_finding(first.to_json())
        where: Path | None = None
        if trouble.in_a_row == 1:
            # Who has only heard of it has no evidence.
            where = self.path if first is ELSEWHERE else write_dump(
                self.path, trouble, rollout, self.world, episodes, self.guard, self._checkpoint
            )  # fmt: skip
        self.events.add("nan", self._step, f"not finite: {what}")
        if where:
            self.display.note(f"step {self._step:,}, not finite: {what}; left out; see: farlands inspect {where}")
        self.events.flush()
        if trouble.stop:
            times = f" in {trouble.in_a_row} updates in a row" if trouble.in_a_row > 1 else ""
            self.verdict = f"not finite{times}: {what}"

    def _stalled(self, seconds: float) -> None:
        """Called by the watching thread."""
        assert self._stalls
        usual = f", usual are {self._stalls.usual:,.1f} s" if self._stalls.usual else ""
        text = (
            f"this update has taken {seconds:,.0f} s so far{usual}; it is in the phase {self.phases.current or 'none'}"
        )
        self._say(Ring(STALLED, "rings", text, seconds, self.alarms.stalled_times or 0.0), on_board=False)

    def _say(self, ring: Ring, *, on_board: bool = True) -> None:
        """Tell people and write down that an alarm rings or is over; TensorBoard only from the loop's own thread."""
        if ring.state == "rings":
            self.display.alarm(ring.name, ring.text)
        else:
            self.display.calm(ring.name, ring.text)
        entry = {
            "step": self._step,
            "time": datetime.now().astimezone().isoformat(timespec="seconds"),
            "alarm": ring.name,
            "state": ring.state,
            "value": ring.value,
            "threshold": ring.threshold,
            "text": ring.text,
        }
        with self._log:
            path = self.path / "alarms.jsonl"
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
            fsync_path(path)
        self.events.add("alarm", self._step, f"{ring.name} {ring.state}: {ring.text}")
        if on_board:
            self.metrics.note(f"alarm/{ring.name}", f"{ring.state}: {ring.text}", self._step)


class Follower(Monitor):
    """Of a process that is not the first: it guards and keeps evidence, and leaves word to the first."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._step = int(state["step"])
        self.alarms.load_state_dict(state["alarms"])


def make_monitor(
    config: TrainConfig,
    world: World,
    guard: Guard,
    metrics: MetricsWriter,
    display: Display,
    phases: Phases,
    peers: Peers = ALONE,
) -> Monitor:
    """The monitor of a run whose config is resolved. Raises UserError where its tracker is not installed."""
    path, leads = Path(config.run_dir), peers.rank == 0
    return (Monitor if leads else Follower)(
        path=path,
        world=world,
        guard=guard,
        alarms=Alarms(config.alarms if leads else ("off",)),
        events=(EventWriter if leads else NoEvents)(path / "events"),
        tracker=make_tracker(config.tracker if leads else "none", path, to_json(config)),
        metrics=metrics,
        display=display,
        phases=phases,
    )


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 1 << 62
