"""What waits for a page is bounded, however slow the page is."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from starlette.websockets import WebSocketDisconnect

from farlands.studio import clients
from farlands.studio.clients import MOST_WAITING, Client


class Socket:
    """A page that takes what it is sent only while ``open`` is set."""

    def __init__(self, *, fails: bool = False):
        self.open, self.fails = asyncio.Event(), fails
        self.texts, self.frames, self.closed = [], [], None

    async def send_text(self, text):
        await self._take()
        self.texts.append(json.loads(text))

    async def send_bytes(self, data):
        await self._take()
        self.frames.append(data)

    async def _take(self):
        if self.fails:
            raise WebSocketDisconnect(1006)
        await self.open.wait()

    async def close(self, code, reason):
        self.closed = (code, reason)


def serve(scene, **how):
    """Run ``scene(client, socket)`` beside the sending; returns the client and the socket."""

    async def run():
        socket = Socket(**how)
        client = Client(socket, asyncio.get_running_loop())
        sending = asyncio.create_task(client.send_all())
        await scene(client, socket)
        sending.cancel()
        return client, socket

    return asyncio.run(asyncio.wait_for(run(), 30))


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


def test_words_come_in_order_and_of_pictures_the_newest():
    async def scene(client, socket):
        for n in range(5):
            client.tell("word", n=n)
            client.show("wall", {"n": n}, b"%d" % n)
        client.show("look", {"n": 9}, b"9")
        socket.open.set()
        await settle()
        await settle()

    _, socket = serve(scene)
    assert [each["n"] for each in socket.texts] == [0, 1, 2, 3, 4]
    assert [data[-1:] for data in socket.frames] == [b"4", b"9"]


def test_a_page_that_takes_nothing_is_let_go(monkeypatch):
    monkeypatch.setattr(clients, "SEND_SECONDS", 0.05)

    async def scene(client, socket):
        client.tell("word")
        await asyncio.sleep(0.3)

    client, socket = serve(scene)
    assert client.gone
    assert socket.closed == (1013, "too slow")


def test_a_page_with_too_much_waiting_is_let_go():
    async def scene(client, socket):
        for n in range(MOST_WAITING + 1):
            client.tell("word", n=n)
        await settle()

    client, socket = serve(scene)
    assert client.gone
    assert socket.closed == (1013, "too slow")
    client.tell("word")
    client.show("wall", {}, b"")


def test_pictures_for_a_slow_page_do_not_pile_up():
    async def scene(client, socket):
        for n in range(1_000):
            client.show("wall", {"n": n}, bytes(1_000))
        await settle()
        client.show("wall", {"n": 1_000}, bytes(1_000))
        client.show("wall", {"n": 1_001}, bytes(1_000))
        await settle()
        assert len(client._shown) == 1
        assert not client.gone, "late pictures are no reason to part"

    serve(scene)


def test_a_page_that_went_away_is_gone():
    async def scene(client, socket):
        client.tell("word")
        await settle()

    assert serve(scene, fails=True)[0].gone


def test_rooms_speak_from_their_own_threads():
    async def scene(client, socket):
        socket.open.set()
        threads = [threading.Thread(target=client.tell, args=("word",), kwargs={"n": n}) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        await settle()
        await settle()

    assert sorted(each["n"] for each in serve(scene)[1].texts) == list(range(8))


def test_a_room_that_outlives_the_server_notices():
    client, _ = serve(lambda client, socket: settle())
    client.tell("word")
    assert client.gone


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_no_json_are_told_as_nothing(value):
    async def scene(client, socket):
        socket.open.set()
        client.tell("word", value=value, many=[1.0, value], inner={"x": value})
        await settle()

    (told,) = serve(scene)[1].texts
    assert told == {"type": "word", "value": None, "many": [1.0, None], "inner": {"x": None}}
