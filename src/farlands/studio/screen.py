"""What a page is shown of a game: pictures, the map, how one fares, and how the agent beside one does."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from farlands.studio.clients import Client
from farlands.studio.company import Neighbour
from farlands.studio.keys import Row
from farlands.studio.panel import achieved, describe_person, why_not
from farlands.studio.pictures import jpeg, png
from farlands.studio.portrait import draw_map, place_of, senses_of

if TYPE_CHECKING:
    from farlands.studio.play import Game

TELL_EVERY, MAP_EVERY, WATCH_EVERY, TELL_BESIDE_EVERY = 4, 20, 8, 10
"""Ticks between two of a kind."""
LEAST_DRAWN = 4
"""At least one tick of so many is drawn."""
_SHARE = 0.85
"""Of the time between two ticks that a step and its picture may take; beyond, fewer ticks are drawn."""
_BESIDE = (120, 160)
"""Height and width of the neighbour's pictures."""
_WAY = 600
"""Blocks of the way that the map shows."""
_MOST_SENT = 64


class Screen:
    """The page's side of a game.

    Args:
        client: The page.
        size: Height and width of the pictures.
        tick: Seconds between two ticks.
        clock: In seconds.
    """

    def __init__(self, client: Client, size: tuple[int, int], tick: float, clock: Callable[[], float]) -> None:
        self._client, self._size, self._tick, self._clock = client, size, tick, clock
        self._sent: deque[float] = deque(maxlen=_MOST_SENT)
        self._known: dict[str, int] = {}
        self._known_beside: dict[str, int] = {}
        self._way: deque[tuple[int, int]] = deque(maxlen=_WAY)
        self._cost, self._began = 0.0, clock()
        self._ticked: deque[float] = deque(maxlen=40)
        self._drawn: deque[float] = deque(maxlen=40)
        self._urgent = True

    def begin_life(self) -> None:
        """Another life, or another level: what is known of the one before is forgotten."""
        self._known, self._urgent = {}, True
        self._way.clear()

    def begin_tick(self) -> None:
        """A tick begins: what follows, up to the picture, is what it costs."""
        self._began = self._clock()
        self._ticked.append(self._began)

    def follow(self, game: Game, row: Row) -> None:
        """Take in the step that was just made."""
        self._sent.extend(row.sent)
        place = place_of(game.world, 0)
        if place is not None and (not self._way or self._way[-1] != place[:2]):
            self._way.append(place[:2])
        if row.refused:
            carried = senses_of(game.world.spec, game.seen.observation, 0)["inventory"]
            why = why_not(row.refused, carried, game.options)
            self._client.tell("play-refused", what=row.refused, why=why)
            self._urgent = True

    def show(self, game: Game) -> None:
        """Draw and tell what is due after a tick, the picture first."""
        if game.ticks % self._stride() == 0:
            self._draw(game)
        if game.ticks % TELL_EVERY == 0 or self._urgent or achieved(game.world).keys() != self._known.keys():
            self.tell(game)
        if game.ticks % MAP_EVERY == MAP_EVERY // 2:
            self._client.show("play-map", {"side": game.options.window}, png(draw_map(game.world, 0, self._way)))
        self._show_beside(game)

    def tell(self, game: Game) -> None:
        """How the person fares."""
        told = describe_person(game.world, game.seen.observation)
        new = [name for name in told["achieved"] if name not in self._known]
        self._known, self._urgent = told["achieved"], False
        recording = game.recording.describe() if game.recording else None
        rates = {"rate": _rate(self._ticked), "drawn": _rate(self._drawn)}
        self._client.tell(
            "play-state", **told, new=new, life=game.lives, paused=game.paused, recording=recording, **rates
        )

    def _draw(self, game: Game) -> None:
        picture = game.world.render([0], *self._size, first_only=True)[0].numpy()
        about: dict[str, Any] = {"width": self._size[1], "height": self._size[0], "step": game.ticks}
        if self._sent:
            about |= {"sent": self._sent[-1], "acts": list(self._sent)}
            self._sent.clear()
        self._client.show("play", about, jpeg(picture))
        now = self._clock()
        self._cost += 0.2 * (now - self._began - self._cost)
        self._drawn.append(now)

    def _stride(self) -> int:
        """Ticks to a picture that the machine can bear."""
        return min(max(1, math.ceil(self._cost / (_SHARE * self._tick))), LEAST_DRAWN)

    def _show_beside(self, game: Game) -> None:
        beside = game.neighbour or game.companion
        if beside is None:
            return
        if isinstance(beside, Neighbour) and game.ticks % WATCH_EVERY == WATCH_EVERY // 2 + 1:
            about = {"width": _BESIDE[1], "height": _BESIDE[0], "step": game.ticks}
            self._client.show("neighbour", about, jpeg(beside.picture(*_BESIDE)))
        feats = beside.achieved()
        if game.ticks % TELL_BESIDE_EVERY == 1 or feats.keys() != self._known_beside.keys():
            new = [name for name in feats if name not in self._known_beside]
            self._known_beside = feats
            self._client.tell("neighbour-state", **beside.describe(game.seen), new=new)


def _rate(times: deque[float]) -> float:
    """Events per second, of the times of the latest."""
    if len(times) < 2 or times[-1] <= times[0]:
        return 0.0
    return round((len(times) - 1) / (times[-1] - times[0]), 1)
