"""A game: a person walks in a world at twenty ticks a second, alone or beside the agent that comes with Farlands.

The world, its rules and its actions are those that agents have, in the factored space, one tick to a step.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from farlands.errors import UserError
from farlands.evaluation.protocol import UNSEEN
from farlands.runtime.demonstrations import demonstration_seeds
from farlands.studio.clients import Client
from farlands.studio.company import AGENT, TICKS, Companion, Neighbour, held_item
from farlands.studio.keys import Keys
from farlands.studio.messages import Enter, StartRecording
from farlands.studio.panel import CHOICE_NAMES, achieved, describe_level, level_seed
from farlands.studio.recording import CONSENT, Recording
from farlands.studio.saves import SENSES, Saves, options_to_walk
from farlands.studio.screen import Screen
from farlands.studio.tapes import LEAST_STEPS, Tape
from farlands.worlds.voxel.launches import load_kernels
from farlands.worlds.voxel.options import LONG_LIFE, VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Episodes, Step

TICK = 0.05
"""Seconds."""
_MOST_ASKED = 16


class Game:
    """One person in one world. ``run`` is its life in a thread; ``begin``, ``tick`` and ``end`` are its parts.

    Args:
        client: The person's page.
        enter: What it asked for.
        home: Where saved worlds, recordings and replays are kept.
        clock: Seconds, from any beginning.

    Attributes:
        keys: What the person holds down; any thread may add to it.
        options: Of the world.
        world: Row 0 is the person; there from ``begin`` on, as is ``seen``.
        seen: What was seen after the latest step, all rows.
        neighbour, companion: The agent in the next world, or in this one; None where there is none.
        recording: What is being recorded; None for nothing.
        paused: Whether time stands still.
        ended: Whether it is over.
        ticks: Made so far.
        lives: Lives that have ended.

    Raises:
        UserError: The seed is none, or there is no such save, or it is not for what was asked for.
    """

    world: VoxelWorld
    seen: Step

    def __init__(
        self, client: Client, enter: Enter, home: Path, *, clock: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        self.client, self.enter, self._home, self._clock = client, enter, home, clock
        self.keys, self.saves, self._tape = Keys(), Saves(home), Tape(home, self._describe_game)
        self._save = self.saves.read(enter.save) if enter.save else None
        self.options = _options(enter) if self._save is None else _options_of(self._save.options, enter)
        self._seed = read_seed(enter.seed) if self._save is None else 0
        self._screen = Screen(client, (enter.side * 3 // 4, enter.side), TICK, clock)
        self.neighbour: Neighbour | None = None
        self.companion: Companion | None = None
        self.recording: Recording | None = None
        self.paused, self.ended, self.ticks, self.lives = False, False, 0, 0
        # Of the replay that goes on: lives that have ended in it, and what was achieved in them.
        self._taped_lives, self._feats = 0, set[str]()
        self._asked: deque[Callable[[], None]] = deque()
        self._left = threading.Event()

    def ask(self, do: Callable[[], None]) -> None:
        """Have something done between two ticks. Raises UserError where too much waits."""
        if len(self._asked) >= _MOST_ASKED:
            raise UserError("too much at once; wait until the world has answered")
        self._asked.append(do)

    def leave(self) -> None:
        """End soon."""
        self._left.set()

    def run(self) -> None:
        """Walk until one leaves."""
        try:
            self.client.tell("play-loading")
            self.begin()
            due = self._clock()
            while not self._left.is_set() and not self.client.gone:
                self.tick()
                # Who is late by more than a tick does not run after it: that time is lost.
                due = max(due + TICK, self._clock() - TICK)
                self._left.wait(max(0.0, due - self._clock()))
        except UserError as error:
            self.client.tell("play-failed", why=str(error))
        except Exception as error:
            self.client.tell("play-failed", why=f"{type(error).__name__}: {error}"[:300])
        finally:
            self.end()

    def begin(self) -> None:
        """Make the world and who else is there. Raises UserError where that cannot be."""
        load_kernels("cpu", pictures=True, company=self.options.agents > 1)
        try:
            self.world = VoxelWorld(1, self.options, num_shards=1)
            self.seen = self.world.allocate()
            self.world.reset([self._seed], self.seen)
            if self._save is not None:
                self._save.put(self.world)
                self.world.observe(self.seen)
        except ValueError as error:
            raise UserError(str(error)) from error
        self._tape.begin(self.world, self._seed if self._save is None else None)
        self._seed = level_seed(self.world)
        if self.options.agents > 1:
            self.companion = Companion(self.world)
        elif self.enter.beside == "next-world":
            self.neighbour = Neighbour(self.options, self._seed)
        self._introduce()
        self._tell_level("entered" if self._save is None else "loaded")

    def tick(self) -> None:
        """Do what was asked for; then, unless time stands still, one step of the world, and show it."""
        while self._asked and not self._left.is_set():
            try:
                self._asked.popleft()()
            except UserError as error:
                self.client.tell("mistake", why=str(error))
        if self.paused:
            return
        self._screen.begin_tick()
        seen = self.seen.observation
        bow = held_item(self.world.spec, seen, 0) == "bow"
        row = self.keys.next_row(seen["action_mask"][0].numpy(), bow=bow)
        rows = [row.action, *([self.companion.next_row(seen)] if self.companion else [])]
        self._step(torch.tensor(rows, dtype=torch.int32))
        self._screen.follow(self, row)
        self._screen.show(self)
        if self.neighbour and self.ticks % TICKS == TICKS - 1:
            self.neighbour.act()
        self.ticks += 1

    def end(self) -> None:
        """Write down what is to be kept, and release the worlds."""
        self.ended = True
        for keep in (self.stop_recording, self._tape.finish, self._keep_world):
            try:
                keep()
            except UserError as error:
                self.client.tell("mistake", why=str(error))
        for world in (getattr(self, "world", None), self.neighbour):
            if world is not None:
                world.close()
        self.client.tell("play-left", replay=self._tape.written, steps=self.ticks)

    def pause(self, on: bool) -> None:
        """Stop time, or let it go on; between two ticks."""
        self.paused = on
        self.keys.clear()
        self._screen.tell(self)

    def save(self, name: str) -> None:
        """Save the world; between two ticks. Raises UserError as ``Saves.write``."""
        self.saves.write(name, self.world)
        self.client.tell("saved", name=name)

    def start_recording(self, message: StartRecording) -> None:
        """Begin a level that is recorded; between two ticks. Raises UserError as ``Recording``."""
        if self.recording:
            raise UserError("a recording goes on already:", self.recording.name)
        self.recording = Recording(self._home, message, self.world.spec, self.options)
        self._begin_fresh_level()

    def stop_recording(self) -> None:
        """Publish what was recorded, if there is a recording; between two ticks. Raises UserError where that fails."""
        recording, self.recording = self.recording, None
        if recording:
            recording.stop(achieved(self.world))
            self.client.tell("recording", on=False, **recording.describe_end())

    def _keep_world(self) -> None:
        """Whoever leaves, or is cut off, finds the world again."""
        if self.ticks >= LEAST_STEPS:
            self.saves.keep(self.world)

    def _step(self, actions: torch.Tensor) -> None:
        self._tape_on(lambda: self._tape.note(self.world, actions))
        self.world.step(actions, self.seen)
        over = bool(self.seen.terminated[0] | self.seen.truncated[0])
        if self.recording:
            last = self.world.final_observation if over else self.seen.observation
            self.recording.note(actions, self.seen, last)
        if self.companion:
            self.companion.follow(self.seen)
        if bool((self.seen.terminated | self.seen.truncated).any()):
            ended = self.world.drain_episodes()
            for index in (ended.row == 0).nonzero()[0]:
                self._end_life(ended, int(index))

        if self.recording and self.recording.is_full:
            self.recording.end_episode("cut", achieved(self.world))
            self._begin_fresh_level()

    def _begin_fresh_level(self) -> None:
        """A level to be recorded, of none that agents are measured on."""
        (seed,) = demonstration_seeds(secrets.randbits(64), 1)
        # The replay so far tells of the world as it is, so it ends before that is gone.
        self._tape_on(self._tape.finish)
        self._taped_lives, self._feats = 0, set()
        self.world.reset([seed], self.seen)
        self._tape_on(lambda: self._tape.begin(self.world, seed))
        if self.companion:
            self.companion.begin()
        self._begin_level("recording")

    def _tape_on(self, do: Callable[[], None]) -> None:
        """What cannot be kept is told; the game goes on."""
        try:
            do()
        except UserError as error:
            self.client.tell("mistake", why=str(error))

    def _end_life(self, ended: Episodes, index: int) -> None:
        """Say how it ended and where one is now."""
        feats = zip(self.world.spec.achievements, ended.achievements[index].tolist(), strict=True)
        about: dict[str, Any] = {
            "cause": str(ended.cause[index]), "steps": int(ended.length[index]), "seed": str(self._seed),
            "reward": float(ended.reward[index]), "achieved": {name: step for name, step in feats if step >= 0},
        }  # fmt: skip
        self.lives += 1
        self._taped_lives += 1
        self._feats |= set(about["achieved"])
        goes_on = level_seed(self.world) == self._seed
        self.client.tell("life-ended", **about, next="life" if goes_on else "level")
        if self.recording:
            self.recording.end_episode(about["cause"], about["achieved"])
        if self.recording and goes_on:
            # Where others live on, a new life does not begin with its level; what is recorded does.
            self._begin_fresh_level()
        elif goes_on:
            self._screen.begin_life()
        else:
            self._begin_level("life ended")

    def _begin_level(self, why: str) -> None:
        """The world has begun another level."""
        self._seed = level_seed(self.world)
        self._screen.begin_life()
        self.keys.clear()
        if self.neighbour:
            self.neighbour.begin(self._seed)
        self._tell_level(why)
        if self.recording:
            self.recording.begin_episode(self._seed, self.seen.observation)
            self.client.tell("recording", on=True, seed=str(self._seed), **self.recording.describe())

    def _tell_level(self, why: str) -> None:
        self.client.tell("level-begins", seed=str(self._seed), why=why, life=self.lives)

    def _describe_game(self) -> dict[str, Any]:
        """Of the replay, for those who look for it later."""
        present = describe_level(self.world)
        feats, lives = sorted(self._feats | set(present["achieved"])), self._taped_lives + (present["step"] > 0)
        beside = AGENT if self.companion else ""
        return {"played_by": "a person", "beside": beside, "lives": max(1, lives), "achieved": feats}

    def _introduce(self) -> None:
        beside = "same-world" if self.companion else "next-world" if self.neighbour else "nobody"
        self.client.tell(
            "play-entered", seed=str(self._seed), save=self.enter.save, beside=beside, task=self.options.task,
            agents=self.options.agents, width=self.enter.side, height=self.enter.side * 3 // 4,
            window=self.options.window, choices=list(CHOICE_NAMES[1:]), consent=CONSENT,
        )  # fmt: skip


def read_seed(text: str, today: datetime.date | None = None) -> int:
    """The seed of a level that a person named; of a day's level for an empty text.

    Raises:
        UserError: It is no integer in [0, 2**64).
    """
    if not text.strip():
        words = hashlib.sha256(f"farlands level of {today or datetime.date.today():%Y-%m-%d}".encode()).digest()
        return int.from_bytes(words[:8], "little") & (UNSEEN - 1)
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 20 and int(digits) < 2**64):
        raise UserError("the seed of a level is a whole number from 0 to 2**64 - 1, not", text)
    return int(digits)


def _options(enter: Enter) -> VoxelOptions:
    """A world for a long life."""
    agents = 2 if enter.beside == "same-world" else 1
    horizon = LONG_LIFE["horizon"] * TICKS
    return VoxelOptions(
        task=enter.task, actions="factored", ticks_per_step=1, horizon=horizon, journal=LONG_LIFE["journal"],
        agents=agents, senses=SENSES,
    )  # fmt: skip


def _options_of(saved: VoxelOptions, enter: Enter) -> VoxelOptions:
    """A saved world's own."""
    if saved.agents == 1 and enter.beside == "same-world":
        raise UserError(
            f"the saved world {enter.save} is of one agent; enter it with the agent in the next world, or with nobody"
        )
    return options_to_walk(saved)
