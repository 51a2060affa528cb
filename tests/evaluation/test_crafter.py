"""The Crafter score: published tables, and the rules about which episodes count."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farlands.errors import UserError
from farlands.evaluation.crafter import (
    METHODS,
    PUBLISHED,
    PUBLISHED_SCORES,
    mean_score,
    score_rates,
    score_run,
)
from farlands.runtime.episodes import EpisodeWriter
from farlands.worlds.world import Episodes


@pytest.mark.parametrize("index", range(len(METHODS)), ids=METHODS)
def test_published_columns_give_published_scores(index):
    assert len(PUBLISHED) == 22
    score = score_rates(np.array([row[index] for row in PUBLISHED.values()]))
    assert score == pytest.approx(PUBLISHED_SCORES[index], abs=0.06)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=22))
def test_the_score_is_the_formula(rates):
    slow = math.exp(sum(math.log(1 + rate) for rate in rates) / len(rates)) - 1
    assert score_rates(np.array(rates)) == pytest.approx(slow, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("bad", [[-0.1], [100.5], [np.nan]])
def test_what_is_no_percentage_is_refused(bad):
    with pytest.raises(ValueError, match="percentages"):
        score_rates(np.array(bad))


def write_run(path, batches, steps, achievements=("wood", "stone")):
    """A run's records: batches of (step, [(length, reward, cause, first unlocks), ...])."""
    writer = EpisodeWriter(path / "episodes", achievements)
    for step, lines in batches:
        length, reward, cause, unlocked = zip(*lines, strict=True)
        count = len(lines)
        episodes = Episodes(
            row=np.arange(count), seed=np.arange(count, dtype=np.uint64), length=np.array(length),
            reward=np.array(reward), cause=np.array(cause), achievements=np.array(unlocked).reshape(count, -1),
        )  # fmt: skip
        writer.add(episodes, step)
        writer.flush()
    rows = [{"step": step, "update": index} for index, step in enumerate(steps)]
    path.mkdir(exist_ok=True)
    (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


BATCHES = [
    (100, [(10, 1.0, "rules", (3, -1)), (20, 0.0, "rules", (-1, -1))]),
    (200, [(30, 2.0, "horizon", (1, 5)), (5, 9.0, "interrupted", (1, 2))]),
    (300, [(40, 7.0, "rules", (1, 1))]),
]


def test_episodes_inside_the_budget_count(tmp_path):
    run = write_run(tmp_path / "run", BATCHES, (100, 200, 300))
    score = score_run(run, 200)
    assert score.rates == pytest.approx({"wood": 200 / 3, "stone": 100 / 3})
    assert score.score == pytest.approx(math.sqrt((1 + 200 / 3) * (1 + 100 / 3)) - 1)
    assert (score.episodes, score.length, score.reward) == (3, 20.0, 1.0)
    assert (score.steps, score.interrupted) == (200, 1)
    assert score_run(run, 300).episodes == 4
    everything = write_run(tmp_path / "all", BATCHES[2:], (300,))
    assert score_run(everything, 300).score == pytest.approx(100.0)


def test_a_run_short_of_its_budget_is_scored_on_request_only(tmp_path):
    run = write_run(tmp_path / "run", BATCHES, (100, 200, 300))
    with pytest.raises(UserError, match="has trained for 300 steps; its budget is 1,000,000"):
        score_run(run)
    assert score_run(run, partial=True).steps == 300


def test_seeds_are_averaged_not_pooled(tmp_path):
    runs = [write_run(tmp_path / str(index), [batch], (batch[0],)) for index, batch in enumerate(BATCHES)]
    scores = [score_run(run, batch[0]) for run, batch in zip(runs, BATCHES, strict=True)]
    values = [score.score for score in scores]
    mean, deviation = mean_score(scores)
    assert mean == pytest.approx(sum(values) / 3)
    assert deviation == pytest.approx(math.sqrt(sum((value - mean) ** 2 for value in values) / 3))


def test_what_is_no_run_is_refused_in_one_line(tmp_path):
    def refused(path, **options):
        with pytest.raises(UserError, match=r"^[^\n]+$") as caught:
            score_run(path, **options)
        return str(caught.value)

    assert "not a run that has trained" in refused(tmp_path / "nowhere")
    bare = write_run(tmp_path / "bare", [(10, [(1, 0.0, "rules", ())])], (10,), achievements=())
    assert "no achievements" in refused(bare, budget=10)
    empty = write_run(tmp_path / "empty", [], (10,))
    assert "no episodes in" in refused(empty, budget=10)
    late = write_run(tmp_path / "late", BATCHES[1:], (50, 300))
    assert "no episodes inside the budget" in refused(late, budget=60)
    (late / "episodes" / "part-000000.parquet").write_bytes(b"PAR1 but no more")
    assert "cannot read the episodes" in refused(late, budget=300)


@pytest.mark.filterwarnings("ignore")
def test_the_random_agent_scores_what_is_published():
    """Through the adapter, on few episodes: wide bounds that a wrong action, reset or count would leave."""
    pytest.importorskip("crafter")
    import torch

    from farlands.worlds.adapters.foreign.named import CrafterWorld
    from farlands.worlds.adapters.foreign.options import CrafterOptions

    world = CrafterWorld(8, CrafterOptions(workers=2))
    out, log = world.reset(0), []
    generator = torch.Generator().manual_seed(0)
    for actions in torch.randint(17, (650, 8), generator=generator, dtype=torch.int32):
        out = world.step(actions, out=out)
    log = world.drain_episodes()
    world.close()
    # Published: 168 steps, median 165. Episodes that end early are more often seen in so short a time.
    assert 140 < log.length.mean() < 185
    rates = dict(zip(world.spec.achievements, 100 * (log.achievements > 0).mean(axis=0), strict=True))
    published = {name: row[METHODS.index("random")] for name, row in PUBLISHED.items()}
    error = {name: math.sqrt(max(rate, 1) * (100 - min(rate, 99)) / len(log)) for name, rate in published.items()}
    far = {
        name: (rates[name], published[name]) for name in rates if abs(rates[name] - published[name]) > 4 * error[name]
    }
    assert far == {}
    assert 1.0 < score_rates(np.array(list(rates.values()))) < 2.4
