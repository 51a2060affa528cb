"""The application as pages meet it."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
import socket
import struct
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from farlands.cli import main
from farlands.errors import UserError
from farlands.studio.app import Studio
from farlands.studio.config import StudioConfig
from farlands.studio.messages import KINDS
from farlands.studio.runs import Runs
from farlands.studio.serve import _find_world, serve


@pytest.fixture
def studio(voxel_run, tmp_path):
    made = Studio(Runs(voxel_run), tmp_path / "home", {"page": "wall", "run": "small"})
    with TestClient(made.behind_door(), base_url="http://127.0.0.1:8700") as client:
        yield client


def receive(socket, *kinds):
    """The next message of one of some kinds: a dict, or of pictures the dict and the bytes."""
    for _ in range(400):
        message = socket.receive()
        if message.get("text") is not None:
            told = json.loads(message["text"])
            if told["type"] in kinds:
                return told
        elif message.get("bytes") is not None:
            data = message["bytes"]
            (length,) = struct.unpack_from("<I", data)
            about = json.loads(data[4 : 4 + length])
            if about["type"] in kinds:
                return about, data[4 + length :]
        else:
            raise AssertionError(f"the socket was closed: {message}")
    raise AssertionError(f"none of {kinds} came")


def test_begin_and_runs(studio):
    assert studio.get("/api/begin").json()["run"] == "small"
    (run,) = studio.get("/api/runs").json()
    assert run["name"] == "small"


def test_reports_are_shown_and_nothing_else(studio, voxel_run):
    (voxel_run / "report.html").write_text("<p>report</p>")
    assert studio.get("/runs/small/report.html").text == "<p>report</p>"
    for path in (
        "/runs/small/checkpoints/latest", "/runs/small/.lock", "/runs/small/never.html", "/runs/never/report.html",
        "/runs/small/%2e%2e/secret.html", "/runs/%2e%2e/small/report.html", "/runs/small//etc/passwd",
        "/static/../app.py", "/static/%2e%2e/app.py",
    ):  # fmt: skip
        answer = studio.get(path)
        assert answer.status_code in (404, 405), path
        assert "Traceback" not in answer.text
    (voxel_run / "report.html").unlink()


def test_a_run_is_told_and_its_worlds_are_shown(studio):
    with studio.websocket_connect("ws://127.0.0.1:8700/socket") as page:
        page.send_text('{"type": "open-run", "run": "small"}')
        assert receive(page, "run")["num_worlds"] == 4
        assert receive(page, "figures")["now"]["step"] == 96
        page.send_text('{"type": "show-wall", "run": "small", "worlds": 3, "rate": 20, "side": 32}')
        about, first = receive(page, "wall")
        assert (about["worlds"], about["columns"], about["side"]) == (3, 2, 32)
        assert first[:2] == b"\xff\xd8", "a JPEG"
        page.send_text('{"type": "look-into", "world": 1, "side": 64}')
        assert receive(page, "portrait")["world"] == 1
        about, _ = receive(page, "look")
        assert about["world"] == 1
        _, land = receive(page, "map")
        assert land[:4] == b"\x89PNG"
        assert any(receive(page, "wall")[1] != first for _ in range(10)), "the pictures change"
        page.send_text('{"type": "close-wall"}')


def test_several_pages_watch_the_same_worlds(studio):
    with (
        studio.websocket_connect("ws://127.0.0.1:8700/socket") as one,
        studio.websocket_connect("ws://127.0.0.1:8700/socket") as two,
    ):
        for page, side in ((one, 32), (two, 48)):
            page.send_text(json.dumps({"type": "show-wall", "run": "small", "worlds": 2, "rate": 20, "side": side}))
        assert receive(one, "wall")[0]["side"] == 32
        assert receive(two, "wall")[0]["side"] == 48
        one.close()
        for _ in range(3):
            receive(two, "wall")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "not JSON"),
        ('{"type": "show-wall", "run": "never"}', "no such run"),
        ('{"type": "open-run", "run": "../small"}', "no such run"),
        ('{"type": "look-into", "world": 1}', "no wall is shown"),
    ],
)
def test_mistakes_are_told_and_the_page_goes_on(studio, text, said):
    with studio.websocket_connect("ws://127.0.0.1:8700/socket") as page:
        page.send_text(text)
        assert said in receive(page, "mistake")["why"]
        page.send_text('{"type": "open-run", "run": "small"}')
        assert receive(page, "run")["name"] == "small"


def test_a_broken_run_is_told_as_broken(voxel_run, tmp_path):
    shutil.copytree(voxel_run, tmp_path / "runs" / "broken")
    (tmp_path / "runs" / "broken" / "config.json").write_text("{")
    made = Studio(Runs(tmp_path / "runs"), tmp_path)
    with TestClient(made.behind_door(), base_url="http://127.0.0.1:1") as client:
        assert "broken" in client.get("/api/runs").json()[0]
        with client.websocket_connect("ws://127.0.0.1:8700/socket") as page:
            for kind in ("open-run", "show-wall"):
                page.send_text(json.dumps({"type": kind, "run": "broken"}))
                assert "config.json" in receive(page, "mistake", "wall-failed")["why"]


KIND = st.sampled_from(sorted(set(KINDS) - {"show-wall", "enter", "start-recording"}))
FIELD = st.sampled_from(["run", "world", "step", "name", "save", "file", "move", "choice", "on", "episode", "side"])
VALUE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.just("small"))


@settings(max_examples=150)
@given(st.lists(st.tuples(KIND, st.dictionaries(FIELD, VALUE, max_size=3)), min_size=1, max_size=5))
def test_fuzzed_pages_break_nothing(voxel_run, tmp_path_factory, messages):
    made = Studio(Runs(voxel_run), tmp_path_factory.mktemp("home"))
    with TestClient(made.behind_door(), base_url="http://127.0.0.1:1") as client:
        with client.websocket_connect("ws://127.0.0.1:8700/socket") as page:
            for kind, fields in messages:
                page.send_text(json.dumps({"type": kind, **fields}))
            page.send_text("the end")
            while "not JSON" not in receive(page, "mistake")["why"]:
                pass
        assert client.get("/api/begin").status_code == 200


def test_ten_thousand_fuzzed_messages_break_nothing(studio):
    draws = random.Random(0)
    fields = sorted({item.name for kind in KINDS.values() for item in dataclasses.fields(kind)})
    # Walls and games are begun elsewhere: a thousand of them would be a test of patience.
    kinds = [*sorted(set(KINDS) - {"show-wall", "enter", "open-run"}), "never", None, 3]
    values = [
        None,
        True,
        -1,
        0,
        1,
        2**70,
        1.5,
        -1e308,
        "",
        "small",
        "..",
        "a/b",
        "\0",
        "\ud800",
        "x" * 99,
        [],
        {},
        [[]],
    ]

    def noise():
        if draws.random() < 0.1:
            return draws.choice(["", "{", "null", "[]", "\x00", '"type"', '{"type":' * 50, "é" * 99])
        chosen = {name: draws.choice(values) for name in draws.sample(fields, draws.randrange(4))}
        return json.dumps({"type": draws.choice(kinds), **chosen})

    with studio.websocket_connect("ws://127.0.0.1:8700/socket") as page:
        for _ in range(100):
            for _ in range(100):
                page.send_text(noise())
            page.send_text('{"type": "the end"}')
            while True:
                told = receive(page, "mistake", "saves", "replays", "demonstrations", "replay-failed")
                if told["type"] == "mistake":
                    assert "\n" not in told["why"]
                    assert "Traceback" not in told["why"]
                if "'the end'" in told.get("why", ""):
                    break
    assert studio.get("/api/begin").status_code == 200


def test_a_second_studio_on_the_same_port_is_told(voxel_run, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["studio", str(voxel_run), "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert f"port '{port}'" in said or str(port) in said
    assert "another studio may be there" in said
    assert said.count("\n") == 1


def test_addresses_that_cannot_be():
    with pytest.raises(UserError, match="cannot listen"):
        serve(None, StudioConfig(host="203.0.113.7", port=0))
    with pytest.raises(UserError, match="--host"):
        serve(None, StudioConfig(host="no such host!", port=0))
    with pytest.raises(ValueError, match="port is 70000"):
        StudioConfig(port=70_000)
    with pytest.raises(ValueError, match="token"):
        StudioConfig(token="short")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["studio"], "needs RUN_DIR"),
        (["studio", "/never"], "no such directory"),
        (["studio", "/tmp", "--prt", "3"], "did you mean --port"),
        (["studio", "/tmp", "--token", "x"], "at least 16"),
    ],
)
def test_mistakes_on_the_command_line(given, said, capsys):
    assert main(given) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_the_command_line_asks_for_no_server_before_it_is_needed():
    code = (
        "import sys; from farlands.cli import main; main(['studio', '--help']);"
        "assert not {'torch', 'starlette', 'uvicorn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["play", "house"], "no such saved world"),
        (["play", "99999999999999999999999"], "below 2**64"),
        (["play", "--beside", "everybody"], "everybody"),
        (["play", "7", "8"], "8"),
    ],
)
def test_mistakes_before_playing(given, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(given) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_world_to_play_in_is_found_by_seed_or_name(tmp_path):
    assert _find_world("", tmp_path) == {}
    assert _find_world("12", tmp_path) == {"seed": "12"}
    (tmp_path / "saves").mkdir()
    (tmp_path / "saves" / "house.world").touch()
    assert _find_world("house", tmp_path) == {"save": "house"}
    with pytest.raises(UserError, match="did you mean house"):
        _find_world("hause", tmp_path)
