"""The web application: pages, what runs are about, and one socket for each open page."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from farlands import __version__
from farlands.errors import UserError
from farlands.studio.access import Doorman, inside
from farlands.studio.clients import Client
from farlands.studio.games import Games
from farlands.studio.icons import item_sheet
from farlands.studio.messages import read_message
from farlands.studio.runs import Runs
from farlands.studio.session import Session
from farlands.studio.stages import Stages

STATIC = Path(__file__).parent / "static"
MOST_PAGES = 32
"""Open at once."""


class Studio:
    """Everything that pages share.

    Args:
        runs: Which runs there are to see.
        home: Where saved worlds and recordings are kept.
        begin: What a page shows first, for the page: ``{"page": "play", ...}`` or empty.

    Attributes:
        app: The ASGI application, without a door.
        stages: Worlds that are watched.
        games: Worlds that are played in.
    """

    def __init__(self, runs: Runs | None, home: Path, begin: dict[str, Any] | None = None) -> None:
        self.runs, self.home, self.begin = runs, home, begin or {}
        self.stages, self.games = Stages(), Games(home)
        self._open = 0
        self.app = Starlette(
            routes=[
                Route("/", self._index),
                Route("/api/begin", self._tell_begin),
                Route("/api/runs", self._tell_runs),
                Route("/api/figures/{run}", self._tell_figures),
                Route("/api/icons", self._tell_icons),
                Route("/runs/{run}/{file:path}", self._file_of_run),
                WebSocketRoute("/socket", self._talk),
                Mount("/static", StaticFiles(directory=STATIC)),
            ],
            exception_handlers={UserError: _tell_mistake},
            lifespan=self._lifespan,
        )

    def behind_door(self, token: str = "") -> Doorman:
        """The application as it may be served."""
        return Doorman(self.app, token)

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> Any:
        yield
        await asyncio.to_thread(self.stages.close)
        await asyncio.to_thread(self.games.close)

    async def _index(self, request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _tell_begin(self, request: Request) -> Response:
        return JSONResponse({"version": __version__, "runs": self.runs is not None, **self.begin})

    async def _tell_runs(self, request: Request) -> Response:
        if self.runs is None:
            return JSONResponse([])
        return JSONResponse(await asyncio.to_thread(self.runs.overview))

    async def _tell_figures(self, request: Request) -> Response:
        """A run's figures so far, as ``Curves.tell`` has them, for pages that compare several."""
        if self.runs is None:
            raise UserError("there is no run here")
        return JSONResponse(await asyncio.to_thread(self.runs.figures, request.path_params["run"]))

    async def _tell_icons(self, request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(item_sheet))

    async def _file_of_run(self, request: Request) -> Response:
        """A report, and what it shows."""
        if self.runs is None:
            raise UserError("there is no run here")
        run, name = request.path_params["run"], request.path_params["file"]
        directory = await asyncio.to_thread(self.runs.directory, run)
        path = inside(directory.path, name)
        if path.suffix not in _SHOWN or not path.is_file():
            raise UserError("no such file of the run:", name)
        return FileResponse(path)

    async def _talk(self, socket: WebSocket) -> None:
        if self._open >= MOST_PAGES:
            await socket.close(code=1013, reason="too many pages are open")
            return
        await socket.accept()
        self._open += 1
        client = Client(socket, asyncio.get_running_loop())
        session = Session(self, client)
        sending = asyncio.create_task(client.send_all())
        try:
            await self._listen(socket, session, client)
        finally:
            client.gone = True
            self._open -= 1
            sending.cancel()
            await asyncio.to_thread(session.close)

    async def _listen(self, socket: WebSocket, session: Session, client: Client) -> None:
        while not client.gone:
            try:
                received = await socket.receive()
            except (WebSocketDisconnect, RuntimeError):
                return
            if received["type"] == "websocket.disconnect":
                return
            try:
                message = read_message(received.get("text") or received.get("bytes") or "")
                await asyncio.to_thread(session.receive, message)
            except UserError as error:
                client.tell("mistake", why=str(error))


_SHOWN = (".html", ".png", ".svg", ".css", ".json", ".csv", ".gif", ".mp4", ".jpg", ".webp")
"""Kinds of files of a run that pages may show."""


async def _tell_mistake(request: Request, error: Exception) -> Response:
    return JSONResponse({"mistake": str(error)}, status_code=404)
