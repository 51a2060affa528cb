"""Replays and demonstrations, drawn at any step: the world is lived again from where it began, bit for bit.

Snapshots on the way make going back quick.
"""

from __future__ import annotations

import bisect
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from farlands.errors import UserError
from farlands.studio.access import inside
from farlands.studio.clients import Client
from farlands.studio.panel import describe_level, level_seed, name_action, position_of
from farlands.studio.pictures import jpeg
from farlands.studio.play import TICK
from farlands.studio.portrait import senses_of
from farlands.studio.tracks import Track
from farlands.worlds.voxel.persistence.replays import Glimpse

SPACING = 100
"""Steps between two snapshots, at first."""
MOST_SNAPSHOTS = 64
"""Kept; when there are more, every second one goes and the rest lie further apart."""
_AROUND = 4
"""Actions before and after the present one that are told."""
MOST_LISTED = 200
"""Replays in a list."""
_AT_ONCE = 200
"""Steps between two looks at whether something else is wanted."""
_TELL_EVERY = 0.3
"""Seconds between two words on how far one is."""


class Past:
    """A track that can be taken to any of its steps.

    Args:
        track: What is lived again.

    Attributes:
        world: As it was before step ``step``.
        seen: What it showed then.
        step: In [0, len(track)].

    Raises:
        UserError: It cannot be lived again.
    """

    def __init__(self, track: Track) -> None:
        self.track, self.world, self.step = track, track.make_world(), 0
        self.seen = self.world.observe(self.world.allocate())
        self._actions = torch.from_numpy(track.actions)
        self._spacing = SPACING
        self._snapshots = {0: self.world.snapshot()}

    def go(self, wanted: int) -> Iterator[int]:
        """Live up to a step, which may lie behind; yields now and then where it is, so that one can stop.

        Raises:
            UserError: It goes another way than was recorded.
        """
        wanted = min(max(wanted, 0), len(self.track))
        self._jump(wanted)
        while self.step < wanted:
            self._live()
            if self.step % _AT_ONCE == 0:
                yield self.step

    def close(self) -> None:
        """Release the world."""
        self.world.close()

    def _jump(self, wanted: int) -> None:
        """To the nearest snapshot before a step, unless the way there from here is no longer."""
        steps = sorted(self._snapshots)
        nearest = steps[bisect.bisect_right(steps, wanted) - 1]
        if wanted < self.step or nearest > self.step:
            self.world.restore(self._snapshots[nearest])
            self.world.observe(self.seen)
            self.step = nearest

    def _live(self) -> None:
        track, step = self.track, self.step
        if step in track.hashes and int(self.world.state_hash()[0]) != track.hashes[step]:
            raise UserError(f"{track.name} goes another way than was recorded, before step {step}")
        self.world.step(self._actions[step], self.seen)
        if step < len(track.rewards) and float(self.seen.reward[0]) != float(track.rewards[step]):
            raise UserError(f"{track.name} goes another way than was recorded, at step {step}")
        self.step += 1
        if self.step % self._spacing == 0 and self.step not in self._snapshots:
            self._snapshots[self.step] = self.world.snapshot()
            if len(self._snapshots) > MOST_SNAPSHOTS:
                self._spacing *= 2
                self._snapshots = {at: kept for at, kept in self._snapshots.items() if at % self._spacing == 0}


class Scrubber:
    """Shows a page one track at whatever step it wants, in a thread of its own; the newest wish counts.

    Args:
        client: The page.
        find: Reads the track.
        step: To begin at.
        side: Width of the pictures, in pixels.
        ended: Called when it has ended.
    """

    def __init__(
        self, client: Client, find: Callable[[], Track], step: int, side: int, ended: Callable[[], None] = lambda: None
    ) -> None:  # fmt: skip
        self._client, self._find, self._size, self._ended = client, find, (side * 3 // 4, side), ended
        self._wanted: int | None = step
        self._news = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="scrubber", daemon=True)
        self._thread.start()

    def seek(self, step: int) -> None:
        """Draw the world before a step; whatever was wanted before is given up."""
        with self._news:
            self._wanted = step
            self._news.notify()

    def close(self) -> None:
        """End, and wait until it has."""
        with self._news:
            self._closed = True
            self._news.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=30.0)

    def _run(self) -> None:
        try:
            self._client.tell("replay-loading")
            past = Past(self._find())
            with contextlib.closing(past):
                self._introduce(past)
                while (wanted := self._next()) is not None:
                    if self._reach(past, wanted):
                        self._show(past)
        except UserError as error:
            self._client.tell("replay-failed", why=str(error))
        except Exception as error:
            self._client.tell("replay-failed", why=f"{type(error).__name__}: {error}"[:300])
        finally:
            self._ended()

    def _next(self) -> int | None:
        """The step that is wanted, when one is; None at the end."""
        with self._news:
            self._news.wait_for(lambda: self._closed or self._client.gone or self._wanted is not None, timeout=None)
            wanted, self._wanted = self._wanted, None
            return None if self._closed or self._client.gone else wanted

    def _reach(self, past: Past, wanted: int) -> bool:
        """Live up to a step; False where something else came to be wanted."""
        told = time.monotonic()
        for step in past.go(wanted):
            if time.monotonic() - told > _TELL_EVERY:
                told = time.monotonic()
                self._client.tell("replay-working", step=step, wanted=wanted)
            with self._news:
                if self._closed or self._client.gone or self._wanted is not None:
                    return False
        return True

    def _introduce(self, past: Past) -> None:
        track, options = past.track, past.track.options
        paid = [[int(at), float(track.rewards[at])] for at in np.flatnonzero(track.rewards)]
        self._client.tell(
            "replay-opened", what=track.what, name=track.name, length=len(track), seed=str(level_seed(past.world)),
            task=options.task, agents=options.agents, ticks_per_step=options.ticks_per_step, rewards=paid,
            **{"episode": 0, "episodes": 1, "cause": "", "about": {}, **track.facts},
        )  # fmt: skip

    def _show(self, past: Past) -> None:
        picture = past.world.render([0], *self._size, first_only=True)[0].numpy()
        about = {"width": self._size[1], "height": self._size[0], "step": past.step}
        self._client.show("replay", about, jpeg(picture))
        self._client.tell("replay-state", length=len(past.track), **describe(past))


def describe(past: Past) -> dict[str, Any]:
    """The present step, as JSON data; what is told of the level has names of its own."""
    track, spec, step = past.track, past.world.spec, past.step
    nearby = range(max(0, step - _AROUND), min(len(track), step + _AROUND + 1))
    names = {at: name_action(spec, track.actions[at, 0]) for at in nearby}
    told = describe_level(past.world)
    return {
        **senses_of(spec, past.seen.observation, 0),
        "step": step, "seed": told["seed"], "life_step": told["step"], "reward": told["reward"],
        "achieved": told["achieved"], "action": names.get(step, ""),
        "around": [[at, name] for at, name in names.items()],
        "position": position_of(past.world),
    }  # fmt: skip


def list_replays(directory: Path, *, deep: bool = False) -> list[dict[str, Any]]:
    """The replay files of a directory, and with ``deep`` of those in it, the newest first.

    Each has ``file``, ``changed`` in seconds since 1970 and, where they can be told, ``seconds`` of world time,
    ``task`` and the ``facts`` that were kept with it; ``broken`` where the file is no replay.
    """
    found = []
    for path in directory.glob("**/*.replay" if deep else "*.replay"):
        with contextlib.suppress(OSError):
            found.append((path.stat().st_mtime, path))
    return [
        {"file": str(path.relative_to(directory)), "changed": changed, **_glance(path)}
        for changed, path in sorted(found, reverse=True)[:MOST_LISTED]
    ]


def _glance(path: Path) -> dict[str, Any]:
    try:
        seen = Glimpse.of(path)
    except ValueError as error:
        return {"broken": str(error).removeprefix(f"{path} ")}
    return {"seconds": seen.steps * seen.ticks_per_step * TICK, "task": seen.task, "facts": dict(seen.facts)}


def replay_path(directory: Path, file: str) -> Path:
    """A replay file below a directory. Raises UserError where there is none, or it lies elsewhere."""
    path = inside(directory, file)
    if path.suffix != ".replay" or not path.is_file():
        raise UserError("no such replay:", file)
    return path
