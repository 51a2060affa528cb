"""The protocol: the first episode of each of a fixed set of levels.

Axis letters: R rows, N levels.
"""

from __future__ import annotations

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
    """Live the first episode of each level.

    Every row acts on noise keyed by its level's index, so that two actors meet the same luck.

    Args:
        actor: Who acts.
        make_world: Makes a batch of that many worlds.
        seeds: N seeds of levels.
        noise_seed: Of the action noise.
        greedy: Take the likeliest action instead of drawing one.
        max_steps: Give up on what has not ended by then; needed where the world has no horizon.
        batch: Levels side by side.
        progress: Told how many episodes have ended, and N.

    Returns:
        One entry per level that ended, ordered as ``seeds``, ``row`` being the index into them; ``dropped`` counts
        the others.

    Raises:
        ValueError: Neither the world nor ``max_steps`` bounds an episode.
    """
    found: list[Episodes] = []
    for start in range(0, len(seeds), batch):
        part = list(seeds[start : start + batch])
        world = make_world(len(part))
        limit = max_steps if world.spec.horizon is None else min(max_steps or world.spec.horizon, world.spec.horizon)
        if limit is None:
            raise ValueError("the world has no horizon; max_steps must say when to give up")
        told = (lambda ended, base=start: progress(base + ended, len(seeds))) if progress else None
        found.append(_first_episodes(actor, world, part, start, limit, noise_seed, greedy, told))
        world.close()
    return _concatenate(found, len(seeds))


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
        watch: Told before every step: the world, the step from 0, and the row of each chosen level that lasts.

    Returns:
        The chosen episodes as they went this time; to be compared.
    """
    lengths = dict(zip(episodes.row.tolist(), episodes.length.tolist(), strict=True))
    found: list[Episodes] = []
    for start in range(0, len(seeds), batch):
        mine = {index: length for index, length in lengths.items() if start <= index < start + batch}
        if not mine:
            continue
        part = list(seeds[start : start + batch])
        world = make_world(len(part))

        def show(tick: int, world: World = world, start: int = start, mine: dict[int, int] = mine) -> None:
            watch(world, tick, {index: index - start for index, length in mine.items() if tick < length})

        lived = _first_episodes(actor, world, part, start, max(mine.values()), noise_seed, greedy, None, show)
        found.append(_pick(lived, np.flatnonzero(np.isin(lived.row, list(mine)))))
        world.close()
    return _concatenate(found, len(episodes))


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
) -> Episodes:
    if world.num_agents != 1:
        raise ValueError(f"levels have {world.num_agents} agents; the protocol measures single agents")
    rows, device = world.num_rows, world.device
    here = world.reset(seeds)
    if hasattr(actor, "attend"):
        actor.attend(world)  # type: ignore[attr-defined]
    there = world.allocate()
    memory = actor.initial_memory(rows).to(device)
    first = torch.ones(rows, dtype=torch.bool, device=device)
    ids = start + torch.arange(rows, device=device)
    episodes: list[Episodes] = []
    ended = np.zeros(rows, dtype=bool)
    for tick in range(limit):
        if watch:
            watch(tick)
        noise = uniforms(noise_seed, ids, torch.tensor(tick, device=device), actor.noise_size)
        act = actor.act(here.observation, memory, first, None if greedy else noise)
        here, there = world.step(act.action, out=there), here
        memory, first = act.memory, here.terminated | here.truncated
        if tick % _DRAIN_EVERY == _DRAIN_EVERY - 1 or tick == limit - 1:
            episodes.append(_first_of_each(world.drain_episodes(), ended))
            ended[episodes[-1].row] = True
            if progress:
                progress(int(ended.sum()))
            if ended.all():
                break
    whole = _concatenate(episodes, rows)
    order = np.argsort(whole.row, kind="stable")
    picked = _pick(whole, order)
    return Episodes(**{**vars(picked), "row": picked.row + start})


def _first_of_each(episodes: Episodes, ended: np.ndarray) -> Episodes:
    """Each row's earliest episode, of rows that have not ended one before."""
    if episodes.dropped:
        raise RuntimeError(f"the world's log dropped {episodes.dropped} episodes in {_DRAIN_EVERY} steps")
    _, earliest = np.unique(episodes.row, return_index=True)
    return _pick(episodes, earliest[~ended[episodes.row[earliest]]])


def _pick(episodes: Episodes, index: np.ndarray) -> Episodes:
    arrays = {name: value[index] for name, value in vars(episodes).items() if name != "dropped"}
    return Episodes(**arrays, dropped=0)


def _concatenate(parts: Sequence[Episodes], expected: int) -> Episodes:
    names = [name for name in vars(parts[0]) if name != "dropped"]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Episodes(**arrays, dropped=expected - len(arrays["row"]))
