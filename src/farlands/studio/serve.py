"""The verbs `studio` and `play`: opens the door and says where it is."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import webbrowser
from pathlib import Path
from typing import Any

from farlands.errors import UserError
from farlands.studio.access import is_loopback
from farlands.studio.config import PlayConfig, StudioConfig


def studio(config: StudioConfig) -> int:
    """Serve the studio until Ctrl-C. Raises UserError where something is missing or the port is taken."""
    _require_server()
    from farlands.studio.app import Studio
    from farlands.studio.runs import Runs

    runs = Runs(Path(config.target).expanduser())
    begin = {"page": "wall", "run": runs.first} if runs.single else {"page": "runs"}
    return serve(Studio(runs, runs.base, begin), config)


def play(config: PlayConfig) -> int:
    """Serve a world to walk in until Ctrl-C. Raises UserError as ``studio``, or where there is no such world."""
    _require_server()
    from farlands.studio.app import Studio
    from farlands.studio.runs import Runs

    home = Path("runs").absolute()
    begin = {"page": "play", "beside": config.beside, "task": config.task, **_find_world(config.target, home)}
    runs = Runs(home) if home.is_dir() else None
    return serve(Studio(runs, home, begin), StudioConfig(port=config.port, open=config.open))


def _find_world(target: str, home: Path) -> dict[str, str]:
    """Which world a word on the command line means: a level's seed, or a saved world's name."""
    from farlands.studio.saves import Saves

    if not target:
        return {}
    if target.isascii() and target.isdigit():
        if int(target) >= 2**64:
            raise UserError("the level's seed is", target, "a whole number below 2**64")
        return {"seed": target}
    names = Saves(home).names()
    if target not in names:
        raise UserError("no such saved world in runs/saves:", target, names or "a level's seed is a whole number")
    return {"save": target}


def serve(studio: Any, config: StudioConfig) -> int:
    """Serve an application until Ctrl-C.

    Raises:
        UserError: The address cannot be had.
    """
    import torch
    import uvicorn

    from farlands.runtime.quiet import hush_warp

    hush_warp()
    # Training beside it needs the cores more.
    torch.set_num_threads(1)
    token = config.token or ("" if is_loopback(config.host) else secrets.token_hex(16))
    door = _listen(config)
    port = door.getsockname()[1]
    name = f"[{config.host}]" if ":" in config.host else config.host
    address = f"http://{name}:{port}/" + (f"?token={token}" if token else "")
    server = uvicorn.Server(
        uvicorn.Config(
            studio.behind_door(token), log_level="warning", access_log=False, ws_max_size=1 << 16, ws_max_queue=64,
            timeout_graceful_shutdown=2, lifespan="on",
        )
    )  # fmt: skip
    print(f"studio: {address}   (Ctrl-C ends)", flush=True)
    if config.open and _has_screen():
        webbrowser.open(address)
    try:
        server.run(sockets=[door])
    except KeyboardInterrupt:
        pass
    finally:
        door.close()
    return 0


def _has_screen() -> bool:
    """Whether a browser would be a window of its own; browsers of the terminal would take this one over."""
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _listen(config: StudioConfig) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise UserError("--host is", config.host, getattr(error, "strerror", "") or "no such address") from error
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(address)
        door.listen(64)
        return door
    except OSError as error:
        door.close()
        hint = "another studio may be there; name another port, or 0 for any" if config.port else ""
        raise UserError(f"cannot listen on {config.host} port", config.port, f"{error.strerror}; {hint}") from error


def _require_server() -> None:
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"the studio needs {error.name}, which is not installed", allowed="pip install 'farlands[studio]'"
        ) from None
