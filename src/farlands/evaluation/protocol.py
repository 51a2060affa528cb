"""The protocol: the first episode of each agent on each of a fixed set of levels.

Axis letters: R rows, N levels, A agents to a level.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from farlands.agents.agent import Act
from farlands.agents.noise import uniforms
from farlands.worlds.world import Episodes, World

UNSEEN = 1 << 63
"""Bit that is set in the seeds of evaluation levels. A world that keeps it clear in the seeds it derives for training
cannot meet them; in another the chance is that of 64-bit hashes to coincide, and reports count how often they did."""
_DRAIN_EVERY = 32


class Actor(Protocol):
    """Whatever acts: an ``Agent`` or a baseline. One that has a method ``attend`` is shown each batch of worlds first;
    that is for scripted players who see more than their observations.
    """

    @property
    def noise_size(self) -> int: ...

    def initial_memory(self, rows: int) -> Tensor: ...

    def act(
        self, observation: Mapping[str, Tensor], memory: Tensor, first: Tensor, noise: Tensor | None = None
    ) -> Act: ...


def evaluation_seeds(level_set: int, count: int) -> list[int]:
    """Seeds of ``count`` levels, the same for everyone; a longer list begins with the shorter one.

    Args:
        level_set: Which list, in [0, 2**64).
        count: N.
    """
    digests = (hashlib.sha256(f"farlands evaluation {level_set} {index}".encode()).digest() for index in range(count))
    return [int.from_bytes(digest[:8], "little") | UNSEEN for digest in digests]


@torch.no_grad()
def evaluate(
    actor: Actor,
    make_world: Callable[[int], World],
    seeds: Sequence[int],
    *,
    noise_seed: int = 0,
    greedy: bool = False,
    max_steps: int | None = None,
    batch: int = 512,
    progress: Callable[[int, int], None] | None = None,
) -> Episodes:
    """Live the first episode of each level, of each agent where there are several.

    Every row acts on noise keyed by its level's index (times A, plus its agent), so that two actors meet the same luck.

    Args:
        actor: Who acts.
        make_world: Makes a batch of that many worlds.
        seeds: N seeds of levels.
        noise_seed: Of the action noise.
        greedy: Take the likeliest action instead of drawing one.
        max_steps: Give up on what has not ended by then, by so many steps a trial; needed where there is no horizon.
        batch: Levels side by side.
        progress: Told how many episodes have ended, and N * A.

    Returns:
        One entry per level and agent whose episode ended, ordered as ``seeds``, ``row`` being the index into them
        times A, plus the agent; ``dropped`` counts the others. Where an episode holds several trials, an entry for each
        of them, which ``split_trials`` parts.

    Raises:
        ValueError: Neither the world nor ``max_steps`` bounds an episode.
    """
    found: list[Episodes] = []
    expected = 0
    for start in range(0, len(seeds), batch):
        part = list(seeds[start : start + batch])
        world = make_world(len(part))
        agents, trials = world.num_agents, world.spec.trials
        limit = max_steps if world.spec.horizon is None else min(max_steps or world.spec.horizon, world.spec.horizon)
        if limit is None:
            raise ValueError("the world has no horizon; max_steps must say when to give up")
        total, base = len(seeds) * agents, start * agents
        told = (lambda ended, base=base, total=total: progress(base + ended, total)) if progress else None
        limit *= trials
        found.append(_first_episodes(actor, world, part, start, limit, noise_seed, greedy, told, trials=trials))
        expected += len(part) * agents * trials
        world.close()
    return _concatenate(found, expected)


def split_trials(episodes: Episodes, trials: int) -> list[Episodes]:
    """The first, second, ... trial of each row that ``evaluate`` found; ``dropped`` counts the rows without it."""
    rows = (len(episodes) + episodes.dropped) // trials
    place = np.arange(len(episodes)) - np.searchsorted(episodes.row, episodes.row, side="left")
    parts = [_pick(episodes, np.flatnonzero(place == k)) for k in range(trials)]
    return [dataclasses.replace(part, dropped=rows - len(part)) for part in parts]


@torch.no_grad()
def relive(
    actor: Actor,
    make_world: Callable[[int], World],
    seeds: Sequence[int],
    episodes: Episodes,
    watch: Callable[[World, int, dict[int, int]], None],
    *,
    noise_seed: int = 0,
    greedy: bool = False,
    batch: int = 512,
) -> Episodes:
    """Live chosen episodes of an evaluation once more, among the same neighbours, so that they go the same way.

    Sums of floats depend on the size of a batch, so whole batches are lived, of which only the chosen rows are shown.

    Args:
        actor, make_world, seeds, noise_seed, greedy, batch: As ``evaluate`` had them.
        episodes: The chosen ones, as ``evaluate`` gave them.
        watch: Told before every step: the world, the step from 0, and by ``row`` of the chosen episodes that last the
            row of that world.

    Returns:
        The chosen episodes as they went this time; to be compared.
    """
    lengths = dict(zip(episodes.row.tolist(), episodes.length.tolist(), strict=True))
    found: list[Episodes] = []
    agents = _agents_of(make_world)
    for start in range(0, len(seeds), batch):
        mine = {index: length for index, length in lengths.items() if start <= index // agents < start + batch}
        if not mine:
            continue
        part = list(seeds[start : start + batch])
        world = make_world(len(part))
        base = start * agents

        def show(tick: int, world: World = world, base: int = base, mine: dict[int, int] = mine) -> None:
            watch(world, tick, {index: index - base for index, length in mine.items() if tick < length})

        lived = _first_episodes(actor, world, part, start, max(mine.values()), noise_seed, greedy, None, show)
        found.append(_pick(lived, np.flatnonzero(np.isin(lived.row, list(mine)))))
        world.close()
    return _concatenate(found, len(episodes))


def _agents_of(make_world: Callable[[int], World]) -> int:
    """How many agents share a world."""
    world = make_world(1)
    world.close()
    return world.num_agents


def _first_episodes(
    actor: Actor,
    world: World,
    seeds: list[int],
    start: int,
    limit: int,
    noise_seed: int,
    greedy: bool,
    progress: Callable[[int], None] | None,
    watch: Callable[[int], None] | None = None,
    trials: int = 1,
) -> Episodes:
    rows, device = world.num_rows, world.device
    here = world.reset(seeds)
    if hasattr(actor, "attend"):
        actor.attend(world)  # type: ignore[attr-defined]
    there = world.allocate()
    memory = actor.initial_memory(rows).to(device)
    first = torch.ones(rows, dtype=torch.bool, device=device)
    base = start * world.num_agents
    ids = base + torch.arange(rows, device=device)
    episodes: list[Episodes] = []
    lived = np.zeros(rows, dtype=np.int64)
    for tick in range(limit):
        if watch:
            watch(tick)
        noise = uniforms(noise_seed, ids, torch.tensor(tick, device=device), actor.noise_size)
        act = actor.act(here.observation, memory, first, None if greedy else noise)
        here, there = world.step(act.action, out=there), here
        memory, first = act.memory, here.terminated | here.truncated
        if tick % _DRAIN_EVERY == _DRAIN_EVERY - 1 or tick == limit - 1:
            episodes.append(_first_of_each(world.drain_episodes(), lived, trials))
            np.add.at(lived, episodes[-1].row, 1)
            if progress:
                progress(int((lived == trials).sum()))
            if (lived == trials).all():
                break
    whole = _concatenate(episodes, rows * trials)
    order = np.argsort(whole.row, kind="stable")
    picked = _pick(whole, order)
    return Episodes(**{**vars(picked), "row": picked.row + base})


def _first_of_each(episodes: Episodes, lived: np.ndarray, wanted: int) -> Episodes:
    """Each row's earliest episodes, until with the ``lived`` ones before them there are so many."""
    if episodes.dropped:
        raise RuntimeError(f"the world's log dropped {episodes.dropped} episodes in {_DRAIN_EVERY} steps")
    order = np.argsort(episodes.row, kind="stable")
    rows = episodes.row[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows, side="left")
    return _pick(episodes, np.sort(order[place + lived[rows] < wanted]))


def _pick(episodes: Episodes, index: np.ndarray) -> Episodes:
    arrays = {name: value[index] for name, value in vars(episodes).items() if name != "dropped"}
    return Episodes(**arrays, dropped=0)


def _concatenate(parts: Sequence[Episodes], expected: int) -> Episodes:
    names = [name for name in vars(parts[0]) if name != "dropped"]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Episodes(**arrays, dropped=expected - len(arrays["row"]))
