"""Who may talk to the studio, and which files it may show.

By default only this machine may. Beyond it a token is asked for, once in the address, then in a cookie. Requests whose
``Host`` or ``Origin`` is another's are refused, so that a page from elsewhere cannot reach the studio through a browser
that can.
"""

from __future__ import annotations

import hmac
import ipaddress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from farlands.errors import UserError

COOKIE = "farlands_token"
_POLICY = (
    b"default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
    b"frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Doorman:
    """Lets in who may come in, and sets headers that keep pages to themselves.

    Args:
        app: What is behind the door.
        token: That has to be known; empty where only this machine can connect.
    """

    def __init__(self, app: ASGIApp, token: str = "") -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused:
            if scope["type"] == "websocket":
                await WebSocketClose(code=1008, reason=refused)(scope, receive, send)
            else:
                await PlainTextResponse(refused + "\n", status_code=403)(scope, receive, send)
            return
        await self._app(scope, receive, self._with_headers(scope, send))

    def _refusal(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        name = urlsplit(f"//{host}").hostname or ""
        if not self._token and not is_loopback(name):
            return "this studio answers to this machine's own name only"
        origin = headers.get("origin")
        if origin and urlsplit(origin).netloc != host:
            return "this page is not the studio's"
        if self._token and not self._knows(scope, headers):
            return "a token is needed: open the address that the studio printed"
        return ""

    def _knows(self, scope: Scope, headers: Headers) -> bool:
        given = [parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]]
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == COOKIE:
                given.append(value)
        return any(hmac.compare_digest(each.encode(), self._token.encode()) for each in given)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def sending(message: dict) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                headers += [
                    (b"content-security-policy", _POLICY),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                    (b"cache-control", b"no-store"),
                ]
                if self._token and b"token=" in scope.get("query_string", b""):
                    cookie = f"{COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path=/"
                    headers.append((b"set-cookie", cookie.encode()))
                message = {**message, "headers": headers}
            await send(message)

        return sending  # type: ignore[return-value]


def inside(base: Path, *parts: str) -> Path:
    """A path below a directory.

    Raises:
        UserError: It leads out of it, by itself or through a link, or is no name a file can have.
    """
    for part in parts:
        if not part or "\0" in part or part.startswith(("/", "~")) or ".." in Path(part).parts or "\\" in part:
            raise UserError("not a file of this run:", part)
    root = base.resolve()
    try:
        path = root.joinpath(*parts).resolve()
    except (OSError, RuntimeError, ValueError):
        raise UserError("not a file of this run:", "/".join(parts)) from None
    if not path.is_relative_to(root):
        raise UserError("not a file of this run:", "/".join(parts))
    return path
