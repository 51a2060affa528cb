"""The games that go on, each in a thread of its own."""

from __future__ import annotations

import threading
from pathlib import Path

from farlands.errors import UserError
from farlands.studio.clients import Client
from farlands.studio.messages import Enter
from farlands.studio.play import Game

MOST_GAMES = 4
"""At once."""
_END_SECONDS = 30.0
"""Within which a game ends that was left."""


class Games:
    """Games by their threads.

    Args:
        home: Where saved worlds, recordings and replays are kept.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._threads: dict[Game, threading.Thread] = {}
        self._lock = threading.Lock()

    def begin(self, client: Client, enter: Enter) -> Game:
        """Walk into a world. Raises UserError as ``Game``, and where too many walk already."""
        game = Game(client, enter, self.home)
        thread = threading.Thread(target=self._live, args=(game,), name="game", daemon=True)
        with self._lock:
            if len(self._threads) >= MOST_GAMES:
                raise UserError(f"{MOST_GAMES} games go on already; leave one of them first")
            self._threads[game] = thread
        thread.start()
        return game

    def end(self, game: Game) -> None:
        """Leave a game, and wait until it has ended."""
        game.leave()
        with self._lock:
            thread = self._threads.get(game)
        if thread:
            thread.join(timeout=_END_SECONDS)

    def close(self) -> None:
        """End all."""
        with self._lock:
            games = list(self._threads)
        for game in games:
            game.leave()
        for game in games:
            self.end(game)

    def _live(self, game: Game) -> None:
        try:
            game.run()
        finally:
            with self._lock:
                self._threads.pop(game, None)
