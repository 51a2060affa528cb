"""The verb `sweep`: many short training runs in search of good settings, on optuna."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from farlands.config import SweepConfig
from farlands.errors import UserError
from farlands.extensions import resolve_options
from farlands.recipes import read_train_flags
from farlands.runtime.display import Display, make_display
from farlands.runtime.files import write_atomically, write_json
from farlands.runtime.metrics import read_metrics
from farlands.runtime.signals import StopRequest
from farlands.runtime.studies.comparison_plots import metric_key
from farlands.runtime.studies.directory import SWEEP, begin, budget_flags, check_changes, split_flags, thread_flags
from farlands.runtime.studies.members import Member, carry_members
from farlands.runtime.studies.ranges import Range, read_range

if TYPE_CHECKING:
    from optuna import Study, Trial

_JOURNAL = "journal.log"
_LAST = 0.1
"""Share of a run, at its end, whose episodes are its score."""
_MAY_CHANGE = ("trials", "parallel")
_SHOWN = 10


def sweep(config: SweepConfig, begun: SweepConfig | None = None) -> int:
    """Run whatever trials are missing, then tell which did best.

    Args:
        config: What is asked for.
        begun: The sweep to go on with, as it was begun; None for a new one.

    Returns:
        0, or ``StopRequest.exit_code`` of the signal that interrupted it.

    Raises:
        UserError: Something asked for is impossible, optuna is not installed, or a run failed.
    """
    try:
        import optuna
    except ImportError as error:
        raise UserError("sweeps need optuna", allowed="pip install 'farlands[sweep]'") from error

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if begun is None:
        config = _begin(config)
    else:
        check_changes(begun, config, SWEEP, _MAY_CHANGE)
    directory = Path(config.run_dir)
    search = Search(config, directory)
    with make_display() as display, StopRequest() as stop:
        display.note(f"{config.trials} trials in {directory}; interrupt and repeat as you like")
        search.run(display, stop)
    if stop.signal:
        print(f"interrupted; go on with: farlands sweep {shlex.quote(str(directory))}")
        return stop.exit_code
    search.leave()
    return 0


class Search:
    """A sweep under way.

    Args:
        config: What is searched.
        directory: Where its trials and their journal lie.

    Raises:
        UserError: A range or flag is wrong.
    """

    def __init__(self, config: SweepConfig, directory: Path) -> None:
        self.config, self.directory = config, directory
        self.ranges = read_ranges(config)
        self.study = self._open_study()

    def run(self, display: Display, stop: StopRequest) -> None:
        """Bring trials to their end until there are as many as asked for."""
        from optuna.trial import TrialState

        while not stop.signal:
            batch = self._unfinished()
            done = len(self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))
            asked = min(self.config.parallel, self.config.trials - done) - len(batch)
            distributions = {each.flag: each.distribution() for each in self.ranges}
            batch += [self.study.ask(distributions) for _ in range(asked)]
            if not batch:
                return
            self._carry(batch, display, stop, done)

    def leave(self) -> None:
        """Print the best trials, and write all of them down."""
        from rich.console import Console
        from rich.table import Table

        trials = self._ended()
        table = Table(title=f"the best of {len(trials)} trials by {self.config.metric}", title_justify="left")
        for head in ("trial", self.config.metric, *(each.flag for each in self.ranges)):
            table.add_column(head, justify="right")
        for trial in trials[:_SHOWN]:
            table.add_row(*self._cells(trial))
        Console().print(table)
        best = self.train_flags(trials[0]["settings"])
        command = shlex.join(["farlands", "train", self.config.world, *best])
        write_json(self.directory / "trials.json", {"command": command, "trials": trials})
        write_atomically(self.directory / "sweep.md", self._page(trials, command))
        self._draw(trials)
        print(f"train with the best of them:\n  {command}\nall trials: {self.directory / 'sweep.md'}")

    def train_flags(self, settings: dict[str, Any]) -> tuple[str, ...]:
        """Flags of `farlands train` for a trial's settings."""
        own = (token for name, value in settings.items() for token in (f"--{name}", str(value)))
        return (*shlex.split(self.config.common), *own)

    def _open_study(self) -> Study:
        from optuna import create_study
        from optuna.pruners import MedianPruner, NopPruner
        from optuna.samplers import TPESampler
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        # The journal needs no database, and a torn last line loses no more than that line.
        storage = JournalStorage(JournalFileBackend(str(self.directory / _JOURNAL)))
        return create_study(
            storage=storage,
            study_name="sweep",
            direction="minimize" if self.config.minimise else "maximize",
            sampler=TPESampler(seed=self.config.seed),
            pruner=MedianPruner(n_startup_trials=5, n_warmup_steps=20) if self.config.prune else NopPruner(),
            load_if_exists=True,
        )

    def _unfinished(self) -> list[Trial]:
        """Trials that an interrupted sweep left behind."""
        from optuna import Trial
        from optuna.trial import TrialState

        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return [Trial(self.study, each._trial_id) for each in running]

    def _carry(self, batch: Sequence[Trial], display: Display, stop: StopRequest, done: int) -> None:
        from optuna.trial import TrialState

        members = {self._member(trial): trial for trial in batch}
        pruned: set[int] = set()

        def watch(member: Member) -> bool:
            trial = members[member]
            if self._report(trial, member) and trial.should_prune():
                pruned.add(trial.number)
                return False
            return True

        def status(text: str) -> None:
            display.status(f"trials: {done} of {self.config.trials} done; {text.partition(': ')[2]}")

        ended = carry_members(list(members), self.config.parallel, stop, status, watch)
        for member in ended:
            trial = members[member]
            value = self.score(member)
            if trial.number in pruned:
                self.study.tell(trial, state=TrialState.PRUNED)
            elif value is None:
                raise UserError(
                    f"{member.name}: no episode ended in the last tenth of the run", allowed="give more --steps"
                )
            else:
                self.study.tell(trial, value)

    def _report(self, trial: Trial, member: Member) -> bool:
        """Tell optuna how a trial is doing, in hundredths of its run; returns whether there is news."""
        share = int(100 * member.progress())
        if share >= 100 or share in self.study.get_trials(deepcopy=False)[trial.number].intermediate_values:
            return False
        value = self.score(member)
        if value is None:
            return False
        trial.report(value, share)
        return True

    def score(self, member: Member) -> float | None:
        """The metric over the episodes of the last tenth of what a member has done so far; None without one."""
        path = member.directory / "metrics.jsonl"
        rows = read_metrics(path) if path.exists() else []
        rows = [row for row in rows if row["progress"] > (1 - _LAST) * rows[-1]["progress"] and row["episode/count"]]
        if not rows:
            return None
        key = metric_key(self.config.metric, rows[-1])
        counts = np.array([row["episode/count"] for row in rows])
        return float((counts * np.array([row[key] for row in rows])).sum() / counts.sum())

    def _member(self, trial: Trial) -> Member:
        config, flags = self.config, self.train_flags(trial.params)
        own = (*budget_flags(config.steps, config.seconds), "--seed", str(config.train_seed), "--device", config.device)
        return Member(
            f"trial {trial.number}",
            self.directory / f"trial-{trial.number}",
            config.world,
            (*flags, *own, *thread_flags(flags, config.parallel)),
        )

    def _ended(self) -> list[dict[str, Any]]:
        """Every trial that ended, the best first and pruned ones last."""
        trials = []
        for each in self.study.get_trials(deepcopy=False):
            if each.state.is_finished():
                value = each.value if each.state.name == "COMPLETE" else None
                last = each.intermediate_values.get(max(each.intermediate_values, default=0))
                trials.append({"trial": each.number, "value": value, "last": last, "settings": each.params})
        sign = 1 if self.config.minimise else -1
        return sorted(
            trials, key=lambda trial: (trial["value"] is None, sign * (trial["value"] or 0.0), trial["trial"])
        )

    def _cells(self, trial: dict[str, Any]) -> list[str]:
        value = f"{trial['value']:.4g}" if trial["value"] is not None else f"early: {trial['last']:.4g}"
        settings = [trial["settings"][each.flag] for each in self.ranges]
        return [str(trial["trial"]), value, *(f"{s:.3g}" if isinstance(s, float) else str(s) for s in settings)]

    def _page(self, trials: list[dict[str, Any]], command: str) -> str:
        heads = ["trial", self.config.metric, *(each.flag for each in self.ranges)]
        lines = [f"# Sweep in {self.config.world}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        lines += [f"| {' | '.join(self._cells(trial))} |" for trial in trials]
        lines += [
            "",
            f"Every trial has one training seed ({self.config.train_seed}): before you believe a winner, run it with",
        ]
        lines += ["others by `farlands compare`.", "", "The best of them:", "", f"    {command}"]
        return "\n".join(lines) + "\n"

    def _draw(self, trials: list[dict[str, Any]]) -> None:
        from farlands.runtime.studies.sweep_plots import draw_sweep

        logs = {each.flag: each.log for each in self.ranges}
        draw_sweep(trials, logs, self.config.metric, self.directory / "sweep.png")


def read_ranges(config: SweepConfig) -> list[Range]:
    """The ranges a config asks for, checked by trying them on. Raises UserError."""
    if not config.ranges:
        raise UserError("a sweep needs ranges, e.g. --ranges ppo.learning-rate=1e-4..1e-2 agent.hidden=64,128,256")
    common = split_flags(config.common, "--common")
    settings = read_train_flags(config.world, list(common))
    ranges = [read_range(text, settings) for text in config.ranges]
    names = [each.flag for each in ranges]
    for name in names:
        if names.count(name) > 1:
            raise UserError("--ranges: twice the flag", name)
    for each in ranges:
        ends = each.choices or tuple(f"{int(end) if each.whole else end}" for end in (each.low, each.high))
        for value in ends:
            read_train_flags(config.world, [*common, f"--{each.flag}", value])
    return ranges


def _begin(config: SweepConfig) -> SweepConfig:
    """Write a new sweep down. Raises UserError."""
    resolve_options(config.world)
    read_ranges(config)
    directory = Path(config.run_dir or f"runs/sweep-{datetime.now():%Y%m%d-%H%M%S}").expanduser()
    config = dataclasses.replace(config, run_dir=str(directory))
    begin(directory, config, SWEEP)
    return config
