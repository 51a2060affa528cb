"""Where hosts run: in the world's own process, or one in each of several worker processes."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import sys
import time
import types
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from farlands.errors import UserError, first_line
from farlands.worlds.adapters.foreign.host import Host, HostSpec, Source
from farlands.worlds.adapters.foreign.memory import Arrays, SharedArrays, plan, private
from farlands.worlds.adapters.foreign.worker import work

_GRACE = 2.0
"""Seconds that a worker asked to end has for it before it is killed."""


class ForeignError(UserError):
    """An environment failed, or the worker process it was in.

    Attributes:
        details: Traceback of the environment's exception, empty where there is none.
    """

    def __init__(self, what: str, allowed: str, details: str = "") -> None:
        super().__init__(what, allowed=allowed)
        self.details = details


class Pool(ABC):
    """Hosts that together hold every row of a world.

    Attributes:
        spec: What their environments look like.
        arrays: By name, as ``memory.plan`` says.
    """

    spec: HostSpec
    arrays: Arrays

    @abstractmethod
    def step(self) -> None:
        """Step every row. Raises ForeignError."""

    @abstractmethod
    def reset(self, rows: Sequence[int]) -> None:
        """Begin episodes in these rows. Raises ForeignError."""

    @abstractmethod
    def replay(self, actions: dict[int, np.ndarray]) -> None:
        """Begin an episode in each row and take these actions. Raises ForeignError."""

    @abstractmethod
    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Pictures of these rows. Raises ForeignError."""

    @abstractmethod
    def close(self) -> None:
        """Close the environments; safe to call again."""


class LocalPool(Pool):
    """One host, in this process.

    Args:
        name: For messages.
        host: Hosts every row.
    """

    def __init__(self, name: str, host: Host) -> None:
        self._name, self._host, self._closed = name, host, False
        self.spec = host.spec
        layout = plan(len(host.rows), host.spec.observation, host.spec.action, len(host.spec.achievements))
        self.arrays = private(layout)
        host.attach(self.arrays)

    @classmethod
    def of(cls, source: Source, num_rows: int) -> LocalPool:
        """With a host of environments from ``source``. Raises ForeignError where they can't be made."""
        with _one_line(source.name):
            return cls(source.name, source.host(range(num_rows)))

    def step(self) -> None:
        with self._guard():
            self._host.step()

    def reset(self, rows: Sequence[int]) -> None:
        with self._guard():
            self._host.reset(rows)

    def replay(self, actions: dict[int, np.ndarray]) -> None:
        with self._guard():
            for row, taken in actions.items():
                self._host.replay(row, taken)

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        with self._guard():
            return self._host.render(rows)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._host.close()

    def _guard(self) -> contextlib.AbstractContextManager[None]:
        if self._closed:
            raise ForeignError(f"{self._name} is closed", "make a new world")
        return _one_line(self._name, self.arrays)


class ProcessPool(Pool):
    """Hosts in worker processes, each stepping its rows one after another into shared memory.

    Workers are spawned, never forked. A worker that raises, exits, is killed, or makes no call to an environment come
    back within ``timeout`` ends the pool: every worker is killed, and the memory given back, before the error is
    raised. Workers end with this process, however it ends.

    Args:
        source: Makes the environments.
        num_rows: Of the world.
        workers: Processes, at most one per row.
        timeout: Seconds that one call to an environment may take.

    Raises:
        ForeignError: The environments can't be made.
    """

    def __init__(self, source: Source, num_rows: int, workers: int, timeout: float) -> None:
        self._name, self._timeout = source.name, timeout
        bounds = np.linspace(0, num_rows, workers + 1).astype(int)
        self._rows = [list(range(begin, end)) for begin, end in itertools.pairwise(bounds)]
        self._owner = np.repeat(np.arange(workers), np.diff(bounds))
        self._memory: SharedArrays | None = None
        self.arrays = {}
        self._start(source)
        self._finalizer = weakref.finalize(self, _end, self._processes, self._pipes, self._memory)

    @property
    def processes(self) -> list[int]:
        """Process ids of the workers."""
        return [process.pid or 0 for process in self._processes]

    def step(self) -> None:
        self._ask(dict.fromkeys(range(len(self._pipes)), ("step", ())))

    def reset(self, rows: Sequence[int]) -> None:
        asked: dict[int, list[int]] = {}
        for row in rows:
            asked.setdefault(int(self._owner[row]), []).append(int(row))
        self._ask({worker: ("reset", (own,)) for worker, own in asked.items()})

    def replay(self, actions: dict[int, np.ndarray]) -> None:
        waiting = [[(row, actions[row]) for row in rows if row in actions] for rows in self._rows]
        while any(waiting):
            self._ask({worker: ("replay", own.pop()) for worker, own in enumerate(waiting) if own})

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        asked = {int(worker): ("render", ([row for row in rows if self._owner[row] == worker],)) for worker in
                 np.unique(self._owner[list(rows)])}  # fmt: skip
        found = self._ask(asked)
        pictures = {row: picture for worker, (_, (own,)) in asked.items()
                    for row, picture in zip(own, found[worker], strict=True)}  # fmt: skip
        return [pictures[row] for row in rows]

    def close(self) -> None:
        self.arrays = {}
        self._finalizer()

    def _start(self, source: Source) -> None:
        import cloudpickle

        context = multiprocessing.get_context("spawn")
        self._pipes, self._processes = [], []
        packed = cloudpickle.dumps(source)
        try:
            with _environment(OMP_NUM_THREADS="1", PYGAME_HIDE_SUPPORT_PROMPT="1"), _bare_main():
                for worker, rows in enumerate(self._rows):
                    here, there = context.Pipe()
                    arguments = (there, packed, rows, worker)
                    process = context.Process(target=work, args=arguments, daemon=True, name=f"farlands-{worker}")
                    process.start()
                    there.close()
                    self._pipes.append(here)
                    self._processes.append(process)
            self._introduce()
        except BaseException:
            _end(self._processes, self._pipes, self._memory, grace=0)
            raise

    def _introduce(self) -> None:
        everyone = range(len(self._pipes))
        # Imports, compilations and a first reset: more than a step may take.
        specs = self._receive(set(everyone), max(120.0, self._timeout))
        self.spec = specs[0]
        for worker, spec in specs.items():
            if spec != self.spec:
                raise ForeignError(f"{self._name} in worker {worker} differs from worker 0", f"{spec} and {self.spec}")
        layout = plan(
            len(self._owner), self.spec.observation, self.spec.action, len(self.spec.achievements), len(self._pipes)
        )
        self._memory = SharedArrays(layout)
        for pipe in self._pipes:
            pipe.send((layout, self._memory.name))
        self._receive(set(everyone), self._timeout)
        # From here on the memory lives as long as the processes that use it, and leaves nothing behind.
        self._memory.unlink()
        self.arrays = self._memory.arrays

    def _ask(self, commands: dict[int, tuple[str, Any]]) -> dict[int, Any]:
        """Send each worker its command and wait for all answers."""
        if not self.arrays:
            raise ForeignError(f"{self._name} is closed", "make a new world")
        try:
            for worker, command in commands.items():
                # A worker that died is found out when its answer is waited for.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self._pipes[worker].send(command)
            return self._receive(set(commands), self._timeout)
        except BaseException:
            # Answers not yet read would be taken for those of later commands.
            self.close()
            raise

    def _receive(self, awaited: set[int], timeout: float) -> dict[int, Any]:
        """Everyone's answer. Raises ForeignError about the first worker that fails or makes no progress."""
        answers = {}
        for worker in sorted(awaited):
            pipe, since, beat = self._pipes[worker], time.monotonic(), self._beat(worker)
            while not pipe.poll(min(1.0, timeout / 4)):
                if self._beat(worker) != beat:
                    since, beat = time.monotonic(), self._beat(worker)
                elif time.monotonic() - since > timeout:
                    raise ForeignError(
                        f"{self._name} hangs in {self._place(worker)}", f"one call took more than {timeout:g} s"
                    )
            try:
                verdict, *rest = pipe.recv()
            except (EOFError, ConnectionResetError):
                raise ForeignError(f"{self._name} died in {self._place(worker)}", self._death(worker)) from None
            if verdict == "failed":
                line, details = rest
                what = "failed" if self.arrays else "cannot be made"
                raise ForeignError(f"{self._name} {what} in {self._place(worker)}", line, details)
            answers[worker] = rest[0]
        return answers

    def _beat(self, worker: int) -> int:
        return int(self.arrays["beat"][worker]) if self.arrays else 0

    def _place(self, worker: int) -> str:
        row = f", row {int(self.arrays['at'][worker])}" if self.arrays else ""
        return f"worker {worker} of {len(self._pipes)}{row}"

    def _death(self, worker: int) -> str:
        process = self._processes[worker]
        process.join(_GRACE)
        code = process.exitcode
        if code is not None and code < 0:
            return f"its process was ended by signal {-code}"
        return f"its process exited with code {code}; what it printed is above"


def _end(processes: Sequence[Any], pipes: Sequence[Any], memory: SharedArrays | None, grace: float = _GRACE) -> None:
    """End workers, by asking and then by force, and give the memory back."""
    for pipe in pipes:
        with contextlib.suppress(OSError, ValueError):
            pipe.send(("close", ()))
    deadline = time.monotonic() + grace
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
    for pipe in pipes:
        pipe.close()
    if memory is not None:
        memory.close()


@contextlib.contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Environment variables for processes started within; those that are set already stay."""
    fresh = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(fresh)
    try:
        yield
    finally:
        for name in fresh:
            os.environ.pop(name, None)


@contextlib.contextmanager
def _bare_main() -> Iterator[None]:
    """Spare processes spawned within the import of this program's main file, with all that it imports.

    Nothing of it is needed: what a source refers to in the main file goes to workers whole. A main file without the
    customary guard would start over in every worker.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _one_line(name: str, arrays: Arrays | None = None) -> Iterator[None]:
    """What an environment raises, as a ForeignError."""
    try:
        yield
    except (UserError, KeyboardInterrupt):
        raise
    except Exception as error:
        place = f"failed in row {int(arrays['at'][0])}" if arrays else "cannot be made"
        raise ForeignError(f"{name} {place}", first_line(error)) from error
