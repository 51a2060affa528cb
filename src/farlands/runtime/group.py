"""Several processes as one run: sums over torch's process groups, and who is late where a wait is too long.

Started by torchrun, on one machine or many, or by ``farlands train --processes``. Sums of tensors use NCCL on GPUs and
Gloo on CPUs; what the hosts tell each other always goes by Gloo.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import PrefixStore
from torch.distributed.rendezvous import rendezvous

from farlands.errors import PeerError, UserError
from farlands.learning.peers import Peers, Value
from farlands.runtime.seat import Seat

_BEAT = 1.0
"""Seconds between two signs of life."""

_GRACE = 3.0
"""Seconds that the others get to say that they are waiting too."""


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
        self._goes_first = seat.local_rank == 0
        self.seconds, self._waits = 0.0, 0
        self._doing, self._since = "starting", time.time()
        span = timedelta(seconds=timeout)
        self._store = _meet(seat, timeout)
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",
            store=PrefixStore("group", self._store), rank=self.rank, world_size=self.size, timeout=span,
            device_id=device if device.type == "cuda" else None,
        )  # fmt: skip
        self._hosts = dist.new_group(backend="gloo", timeout=span)
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)
        self._heart.start()

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

    def first(self, make: Callable[[], Value]) -> Value:
        box: list[Any] = [None]
        error: BaseException | None = None
        if self.rank == 0:
            try:
                box = [(True, make())]
            except Exception as raised:
                box, error = [(False, str(raised))], raised
        with self._waiting("hearing from process 0"):
            dist.broadcast_object_list(box, src=0, group=self._hosts)
        if error is not None:
            raise error
        fine, value = box[0]
        if not fine:
            raise UserError(value).told()
        return value

    def together(self, make: Callable[[], Value]) -> Value:
        value: Any = None
        error: Exception | None = None
        try:
            value = make()
        except Exception as raised:
            error = raised
        verdicts = self.gather(None if error is None else (str(error), isinstance(error, UserError)))
        failed = [rank for rank, verdict in enumerate(verdicts) if verdict is not None]
        if not failed:
            return value
        # The first that failed tells; a mistake of the user's is told once, anything else where it happened.
        if error is not None and (self.rank == failed[0] or not isinstance(error, UserError)):
            raise error
        text, _ = verdicts[failed[0]]  # type: ignore[misc]
        raise UserError(f"process {failed[0]} of {self.size}: {text}").told()

    def by_turns(self, make: Callable[[], Value]) -> Value:
        made = self.together(make if self._goes_first else lambda: None)
        return self.together((lambda: made) if self._goes_first else make)  # type: ignore[return-value]

    def place(self, count: int) -> tuple[int, int]:
        counts = self.gather(count)
        return sum(counts[: self.rank]), sum(counts)

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
        if silent > 3 * _BEAT + _GRACE:
            return f"is gone: last heard of {silent:.0f} s ago, in {doing}"
        return f"is late: in {doing} for {busy:.0f} s"

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
    store = PrefixStore("farlands", store)
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
