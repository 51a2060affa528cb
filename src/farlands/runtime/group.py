"""Several processes as one run: sums over torch's process groups, and who is late where a wait is too long.

Started by torchrun, on one machine or many, or by ``farlands train --processes``. Sums of tensors use NCCL on GPUs and
Gloo on CPUs; what the hosts tell each other always goes by Gloo.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import PrefixStore  # pyright: ignore[reportPrivateImportUsage]
from torch.distributed.rendezvous import rendezvous

from farlands.errors import PeerError
from farlands.learning.peers import Peers, Value
from farlands.runtime.seat import Seat

_BEAT = 1.0
"""Seconds between two signs of life."""

_GRACE = 3.0
"""Seconds that the others get to say that they are waiting too, or to be silent long enough to count as gone."""


class ProcessGroup(Peers):
    """The processes of a run.

    Args:
        seat: This process's place.
        device: Where tensors that are summed up live.
        timeout: Seconds after which a wait is given up.

    Attributes:
        seconds: Spent in communication since it was last read by ``take_seconds``, as the host saw it.

    Raises:
        PeerError: Not all processes came within the timeout.
    """

    def __init__(self, seat: Seat, device: torch.device, timeout: float) -> None:
        self.rank, self.size, self.timeout = seat.rank, seat.size, timeout
        self.goes_first = seat.local_rank == 0
        self.seconds, self._waits = 0.0, 0
        self._doing, self._since = "starting", time.time()
        self._store = _meet(seat, timeout)
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)
        self._heart.start()
        with self._waiting("joining"):
            self._join(device)

    def _join(self, device: torch.device) -> None:
        span = timedelta(seconds=self.timeout)
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",
            store=PrefixStore("group", self._store), rank=self.rank, world_size=self.size, timeout=span,
            device_id=device if device.type == "cuda" else None,
        )  # fmt: skip
        self._hosts = dist.new_group(backend="gloo", timeout=span)

    def note(self, doing: str) -> None:
        """Say what this process is about to do; others are told when they wait for it in vain."""
        self._doing, self._since = doing, time.time()

    def take_seconds(self) -> float:
        """Seconds of communication since the last call."""
        seconds, self.seconds = self.seconds, 0.0
        return seconds

    def sum_(self, tensor: Tensor) -> Tensor:
        with self._waiting("adding up"):
            dist.all_reduce(tensor)
        return tensor

    def gather(self, value: Value) -> list[Value]:
        found: list[Any] = [None] * self.size
        with self._waiting("comparing notes"):
            dist.all_gather_object(found, value, group=self._hosts)
        return found

    def close(self) -> None:
        """Part, in whatever order; nothing can be summed afterwards."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._heart.join()
        # A process that left early must not be taken for one that was lost.
        with contextlib.suppress(RuntimeError, ValueError):
            dist.destroy_process_group()

    @contextlib.contextmanager
    def _waiting(self, why: str) -> Iterator[None]:
        self._waits += 1
        began = time.perf_counter()
        try:
            yield
        except RuntimeError as error:
            raise PeerError(self._explain(why, error)) from error
        finally:
            self.seconds += time.perf_counter() - began

    def _explain(self, why: str, error: RuntimeError) -> str:
        """Who is not here, as far as the others can tell."""
        try:
            self._store.set(f"waiting/{self.rank}", str(self._waits))
            time.sleep(_GRACE)
            absent = [rank for rank in range(self.size) if rank != self.rank and not self._waits_too(rank)]
            stories = [f"process {rank} of {self.size} {self._story(rank)}" for rank in absent]
        except (RuntimeError, OSError):
            stories = ["the process that keeps the store, usually process 0, is gone"]
        if not stories:
            stories = [f"the connection failed ({' '.join(str(error).split())[:160]})"]
        return f"{'; '.join(stories)} (process {self.rank}, {why}, waited up to {self.timeout:g} s)"

    def _waits_too(self, rank: int) -> bool:
        key = f"waiting/{rank}"
        return self._store.check([key]) and int(self._store.get(key)) >= self._waits

    def _story(self, rank: int) -> str:
        if not self._store.check([f"beat/{rank}"]):
            return "never came"
        seen, since, doing = self._store.get(f"beat/{rank}").decode().split("|", 2)
        silent, busy = time.time() - float(seen), float(seen) - float(since)
        if silent > _GRACE - _BEAT / 2:
            return f"is gone; about its last word was: {doing}"
        return f"is late: for {busy:.0f} s in {doing}"

    def _beat(self) -> None:
        """Signs of life, one a second, until the end."""
        with contextlib.suppress(RuntimeError, OSError):
            while not self._ended.is_set():
                self._store.set(f"beat/{self.rank}", f"{time.time()}|{self._since}|{self._doing}")
                self._ended.wait(_BEAT)


def _meet(seat: Seat, timeout: float) -> Any:
    """The store that all processes share, once all are there. Raises PeerError naming those that are not."""
    span = timedelta(seconds=timeout)
    try:
        store, _, _ = next(iter(rendezvous("env://", seat.rank, seat.size, timeout=span)))
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise PeerError(f"process {seat.rank} of {seat.size} found no meeting point: {reason}") from error
    # The store outlives processes that are started again; what they said in an earlier life must not be read.
    store = PrefixStore(f"farlands-{seat.restart}", store)
    store.set(f"here/{seat.rank}", "1")
    deadline = time.monotonic() + timeout
    missing = list(range(seat.size))
    while missing := [rank for rank in missing if not store.check([f"here/{rank}"])]:
        if time.monotonic() > deadline:
            raise PeerError(f"{_name(missing)} of {seat.size} did not come within {timeout:g} s")
        time.sleep(0.05)
    return store


def _name(ranks: list[int]) -> str:
    return f"process {ranks[0]}" if len(ranks) == 1 else f"processes {', '.join(map(str, ranks))}"
