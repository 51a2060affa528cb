"""What one page may ask of its game, and of the replays and demonstrations it looks at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from farlands.errors import UserError
from farlands.runtime.rundir import RunDirectory
from farlands.studio.clients import Client
from farlands.studio.games import Games
from farlands.studio.messages import (
    Act,
    CloseReplay,
    Enter,
    Leave,
    ListDemonstrations,
    ListReplays,
    ListSaves,
    Pause,
    SaveWorld,
    Seek,
    ShowDemonstration,
    ShowReplay,
    StartRecording,
    StopRecording,
)
from farlands.studio.play import Game
from farlands.studio.recording import check_recording, find_demonstration, list_demonstrations
from farlands.studio.replays import Scrubber, list_replays, replay_path
from farlands.studio.saves import Saves
from farlands.studio.tracks import track_of_demonstration, track_of_replay


class PlayRoom:
    """One page's game.

    Args:
        games: All that go on.
        client: The page.

    Attributes:
        doing: What answers each kind of message.
    """

    def __init__(self, games: Games, client: Client) -> None:
        self._games, self._client = games, client
        self._game: Game | None = None
        self.doing: dict[type, Callable[[Any], None]] = {
            Enter: self._enter,
            Act: lambda act: self._present().keys.take(act),
            Pause: self._pause,
            Leave: lambda _: self.close(),
            SaveWorld: self._save,
            ListSaves: lambda _: client.tell("saves", saves=Saves(games.home).overview()),
            StartRecording: self._start_recording,
            StopRecording: self._stop_recording,
        }

    def close(self) -> None:
        """Leave the game, if there is one."""
        game, self._game = self._game, None
        if game:
            self._games.end(game)

    def _present(self) -> Game:
        if self._game is None or self._game.ended:
            raise UserError("not in a world; enter one first")
        return self._game

    def _enter(self, message: Enter) -> None:
        self.close()
        self._game = self._games.begin(self._client, message)

    def _pause(self, message: Pause) -> None:
        game = self._present()
        game.ask(lambda: game.pause(message.on))

    def _save(self, message: SaveWorld) -> None:
        game = self._present()
        game.saves.find(message.name)
        game.ask(lambda: game.save(message.name))

    def _start_recording(self, message: StartRecording) -> None:
        game = self._present()
        check_recording(self._games.home, message)
        game.ask(lambda: game.start_recording(message))

    def _stop_recording(self, message: StopRecording) -> None:
        game = self._present()
        if game.recording is None:
            raise UserError("nothing is being recorded")
        game.ask(game.stop_recording)


class ReplayRoom:
    """The replay or demonstration that one page looks at.

    Args:
        home: Where a studio keeps what was played and recorded.
        client: The page.
        find_run: The directory of a run by name; raises UserError where there is none.

    Attributes:
        doing: What answers each kind of message.
    """

    def __init__(self, home: Path, client: Client, find_run: Callable[[str], RunDirectory]) -> None:
        self._home, self._client, self._find_run = home, client, find_run
        self._scrubber: Scrubber | None = None
        self.doing: dict[type, Callable[[Any], None]] = {
            ListReplays: self._list,
            ShowReplay: self._show_replay,
            ListDemonstrations: lambda _: client.tell("demonstrations", demonstrations=list_demonstrations(home)),
            ShowDemonstration: self._show_demonstration,
            Seek: self._seek,
            CloseReplay: lambda _: self.close(),
        }

    def close(self) -> None:
        """Put away what is open."""
        scrubber, self._scrubber = self._scrubber, None
        if scrubber:
            scrubber.close()

    def _directory(self, run: str) -> Path:
        return self._find_run(run).path if run else self._home / "replays"

    def _list(self, message: ListReplays) -> None:
        replays = list_replays(self._directory(message.run), deep=bool(message.run))
        self._client.tell("replays", run=message.run, replays=replays)

    def _show_replay(self, message: ShowReplay) -> None:
        path = replay_path(self._directory(message.run), message.file)
        self.close()
        self._scrubber = Scrubber(self._client, lambda: track_of_replay(path), message.step, message.side)

    def _show_demonstration(self, message: ShowDemonstration) -> None:
        home, name, episode = self._home, message.name, message.episode
        find_demonstration(home, name)
        self.close()
        self._scrubber = Scrubber(
            self._client, lambda: track_of_demonstration(home, name, episode), message.step, message.side
        )

    def _seek(self, message: Seek) -> None:
        if self._scrubber is None:
            raise UserError("no replay is open")
        self._scrubber.seek(message.step)
