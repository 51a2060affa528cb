"""The studio's door: who is let in, and which files are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from farlands.errors import UserError
from farlands.studio.access import COOKIE, Doorman, inside, is_loopback

TOKEN = "abcdefghij0123456789"


def client(token: str = "", host: str = "127.0.0.1:8700") -> TestClient:
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("in"))])
    return TestClient(Doorman(app, token), base_url=f"http://{host}")


@pytest.mark.parametrize(
    ("host", "ours"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("0.0.0.0", False),
     ("192.168.1.4", False), ("example.com", False), ("", False), ("localhost.example.com", False)],
)  # fmt: skip
def test_which_names_are_this_machine(host, ours):
    assert is_loopback(host) is ours


@pytest.mark.parametrize("host", ["localhost:8700", "127.0.0.1:8700", "[::1]:8700"])
def test_this_machine_comes_in_without_a_token(host):
    assert client(host=host).get("/").text == "in"


@pytest.mark.parametrize("host", ["evil.example:8700", "192.168.1.4:8700", "localhost.evil.example"])
def test_other_names_are_refused_without_a_token(host):
    """A page that points its own name at this machine must not get in through a browser here."""
    assert client(host=host).get("/").status_code == 403


def test_pages_from_elsewhere_are_refused():
    door = client()
    assert door.get("/", headers={"origin": "http://evil.example"}).status_code == 403
    assert door.get("/", headers={"origin": "http://127.0.0.1:9999"}).status_code == 403
    assert door.get("/", headers={"origin": "null"}).status_code == 403
    assert door.get("/", headers={"origin": "http://127.0.0.1:8700"}).status_code == 200
    with (
        pytest.raises(WebSocketDisconnect),
        door.websocket_connect("ws://127.0.0.1:8700/socket", headers={"origin": "http://evil"}),
    ):
        pass


def test_a_token_opens_once_in_the_address_and_then_by_cookie():
    door = client(TOKEN, host="192.168.1.4:8700")
    assert door.get("/").status_code == 403
    assert "token" in door.get("/").text
    assert door.get("/?token=wrong").status_code == 403
    assert door.get("/?token=").status_code == 403
    opened = door.get(f"/?token={TOKEN}")
    assert opened.text == "in"
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert door.get("/").text == "in", "the cookie is kept"
    stranger = client(TOKEN, host="192.168.1.4:8700")
    assert stranger.get("/", headers={"cookie": f"{COOKIE}=".encode() + b"\xe9" * 20}).status_code == 403


def test_pages_keep_to_themselves():
    headers = client().get("/").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_files_inside(tmp_path):
    (tmp_path / "report.html").write_text("x")
    (tmp_path / "sub").mkdir()
    assert inside(tmp_path, "report.html") == tmp_path / "report.html"
    assert inside(tmp_path, "sub", "a.png") == tmp_path / "sub" / "a.png"


@pytest.mark.parametrize(
    "name", ["..", "../x", "a/../../x", "/etc/passwd", "~/x", "", "a\0b", "..\\x", "sub/../../x", "//x"]
)
def test_no_path_leads_out(tmp_path, name):
    with pytest.raises(UserError):
        inside(tmp_path, name)


def test_links_lead_nowhere_else(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "secret").write_text("s")
    (tmp_path / "run" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "run" / "loop").symlink_to(tmp_path / "run" / "loop")
    with pytest.raises(UserError):
        inside(tmp_path / "run", "link")
    with pytest.raises(UserError):
        inside(tmp_path / "run", "loop", "x")


@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_fuzzed_paths_stay_inside_or_are_refused(tmp_path_factory, parts):
    base = tmp_path_factory.getbasetemp()
    try:
        path = inside(base, *parts)
    except UserError:
        return
    assert path.is_relative_to(base.resolve())
