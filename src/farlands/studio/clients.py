"""The studio's side of one open page: what waits to be sent to it, bounded however slow the page is.

Rooms live in threads of their own and hand over what they have with ``tell`` and ``show``; a page that does not take
it loses pictures first, and then its connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from farlands.studio.messages import frame

MOST_WAITING = 256
"""Messages that may wait for a page; one more and it is let go."""
SEND_SECONDS = 10.0
"""Within which a page has to take a message."""


class Client:
    """One open page.

    Args:
        socket: Accepted.
        loop: In which it is served.
    """

    def __init__(self, socket: WebSocket, loop: asyncio.AbstractEventLoop) -> None:
        self._socket, self._loop = socket, loop
        self._told: deque[str] = deque()
        self._shown: dict[str, bytes] = {}
        self._something = asyncio.Event()
        self.gone = False

    def tell(self, kind: str, **about: Any) -> None:
        """Send a JSON object; in order, none is left out. From any thread."""
        text = _as_json({"type": kind, **about})
        self._hand_over(lambda: self._told.append(text))

    def show(self, stream: str, about: Mapping[str, Any], picture: bytes) -> None:
        """Send a picture; a newer one of the same stream takes the place of one that waits. From any thread."""
        data = frame({"type": stream, **about}, picture)
        self._hand_over(lambda: self._shown.__setitem__(stream, data))

    def _hand_over(self, put: Any) -> None:
        def do() -> None:
            put()
            self._something.set()

        if self.gone:
            return
        try:
            self._loop.call_soon_threadsafe(do)
        except RuntimeError:
            # The loop has ended, and with it the page.
            self.gone = True

    async def send_all(self) -> None:
        """Send what comes until the page is gone, or too slow."""
        while not self.gone:
            await self._something.wait()
            self._something.clear()
            if len(self._told) > MOST_WAITING:
                await self._let_go()
                return
            while self._told or self._shown:
                try:
                    await asyncio.wait_for(self._send_next(), SEND_SECONDS)
                except TimeoutError:
                    await self._let_go()
                    return
                except (WebSocketDisconnect, RuntimeError):
                    self.gone = True
                    return

    async def _send_next(self) -> None:
        if self._told:
            await self._socket.send_text(self._told.popleft())
        if self._shown:
            stream = next(iter(self._shown))
            await self._socket.send_bytes(self._shown.pop(stream))

    async def _let_go(self) -> None:
        self.gone = True
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            await asyncio.wait_for(self._socket.close(code=1013, reason="too slow"), 1.0)


def _as_json(about: Mapping[str, Any]) -> str:
    """JSON that browsers read: numbers that are not finite, which a bad reward may bring, are null."""
    try:
        return json.dumps(about, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(about), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
