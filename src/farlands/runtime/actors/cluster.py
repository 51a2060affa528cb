"""Actors as Ray actors. Ray is imported here alone, and only once it is needed."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import farlands
from farlands.config import TrainConfig
from farlands.errors import UserError, first_line
from farlands.runtime.actors.files import describe
from farlands.runtime.actors.fleet import LostError
from farlands.runtime.actors.messages import Plan, Weights
from farlands.runtime.loop import describe_spec
from farlands.runtime.machine import usable_cores
from farlands.worlds.world import WorldSpec

_REACH = 5.0
"""Seconds for a first answer of a cluster's address."""
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""What keeps Ray from writing into our displays, and from telling its makers of it."""


class RayCluster:
    """Makes every actor a process on Ray.

    Args:
        config: Of the run, with files of the user's by absolute path.
        spec: What worlds look like here.

    Raises:
        UserError: Ray is not installed, or there is no cluster at the address.
    """

    def __init__(self, config: TrainConfig, spec: WorldSpec) -> None:
        data, files = describe(config)
        self._plan = Plan(data, files, 0, 0, describe_spec(spec))
        self._timeout = config.actors.timeout
        self._ray, self._owned = _connect(config)
        self._kind = self._make_kind(config)
        self._handles: list[Any] = []

    def start(self, slot: int, incarnation: int, weights: Any) -> tuple[Any, Hashable]:
        """See ``fleet.Cluster``."""
        handle = self._kind.remote(dataclasses.replace(self._plan, slot=slot, incarnation=incarnation))
        self._handles.append(handle)
        return handle, handle.begin.remote(weights)

    def put(self, weights: Weights) -> Any:
        """See ``fleet.Cluster``."""
        return self._ray.put(weights)

    def send(self, handle: Any, weights: Any) -> Hashable:
        """See ``fleet.Cluster``."""
        return handle.take.remote(weights)

    def ask(self, handle: Any) -> Hashable:
        """See ``fleet.Cluster``."""
        return handle.collect.remote()

    def wait(self, tickets: Sequence[Any], seconds: float) -> list[Hashable]:
        """See ``fleet.Cluster``."""
        if not tickets:
            time.sleep(seconds)
            return []
        tickets = list(tickets)
        # What is there already is worth no waiting; of several that come while we wait the first is enough.
        for count, patience in ((len(tickets), 0.0), (1, seconds)):
            there, _ = self._ray.wait(tickets, num_returns=count, timeout=patience, fetch_local=False)
            if there:
                break
        return there

    def fetch(self, ticket: Any) -> Any:
        """See ``fleet.Cluster``."""
        exceptions = self._ray.exceptions
        try:
            return self._ray.get(ticket, timeout=self._timeout)
        except exceptions.GetTimeoutError as error:
            raise LostError(f"its rollout could not be had within {self._timeout:g} s (--actors.timeout)") from error
        except exceptions.RayActorError as error:
            blameless = "its node has died" in str(error) or bool(getattr(error, "preempted", False))
            cause = "its machine left the cluster" if blameless else "its process died"
            raise LostError(cause, blameless=blameless) from error
        except exceptions.ObjectLostError as error:
            raise LostError("its machine left the cluster", blameless=True) from error
        except exceptions.RayError as error:
            raise LostError(first_line(error)[:300]) from error

    def stop(self, handle: Any) -> None:
        """See ``fleet.Cluster``."""
        if handle in self._handles:
            self._handles.remove(handle)
        with contextlib.suppress(Exception):
            self._ray.kill(handle)

    def close(self) -> None:
        """See ``fleet.Cluster``."""
        for handle in list(self._handles):
            self.stop(handle)
        if self._owned:
            self._ray.shutdown()

    def _make_kind(self, config: TrainConfig) -> Any:
        """The class of actors, as Ray has it: rollouts one after another, weights beside them in a thread."""
        from farlands.runtime.actors.worker import Actor

        threads = str(max(1, round(config.actors.cpus)))
        environment = {
            "PYTHONPATH": os.pathsep.join([*_module_folders(), "${PYTHONPATH}"]),
            "OMP_NUM_THREADS": threads,
            "GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", "10000"),
        }
        method = self._ray.method
        remote = type(
            "Actor",
            (Actor,),
            {
                "begin": method(concurrency_group="rollouts")(Actor.begin),
                "collect": method(concurrency_group="rollouts")(Actor.collect),
                "take": method(concurrency_group="weights")(Actor.take),
            },
        )
        make = self._ray.remote(
            num_cpus=config.actors.cpus,
            max_restarts=0,
            max_task_retries=0,
            concurrency_groups={"rollouts": 1, "weights": 1},
            scheduling_strategy="SPREAD",
            runtime_env={"env_vars": environment},
        )
        return make(remote)


def _connect(config: TrainConfig) -> tuple[Any, bool]:
    """The module ray, connected, and whether this made the connection."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise UserError("actors need Ray", allowed="pip install 'farlands[distributed]'") from error
    if ray.is_initialized():
        return ray, False
    address = config.actors.address or os.environ.get("RAY_ADDRESS", "") or "local"
    settings: dict[str, Any] = {"address": address, "log_to_driver": False, "logging_level": "ERROR"}
    if address == "local":
        # Whoever asks for more actors than there are cores means it.
        cores = max(usable_cores(), math.ceil(config.actors.count * config.actors.cpus))
        settings |= {"num_cpus": cores, "include_dashboard": False}
    elif address != "auto":
        _check_reachable(address)
    try:
        with _same_signals():
            ray.init(**settings)
        _hush(ray)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise UserError("no Ray cluster at", address, first_line(error)[:200]) from error
    return ray, True


def _hush(ray: Any) -> None:
    """Keep Ray from printing pages about machines that went away, which it does whatever ``log_to_driver`` says."""
    worker = getattr(getattr(ray, "_private", None), "worker", None)
    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda *_, **__: None  # type: ignore[union-attr]


def _check_reachable(address: str) -> None:
    """Raise UserError where nothing answers: Ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536 or "/" in host:
        raise UserError("--actors.address is", address, "expected HOST:PORT or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH).close()
    except OSError as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UserError("no Ray cluster at", address, f"{reason}; start one with: ray start --head") from error


@contextlib.contextmanager
def _same_signals() -> Iterator[None]:
    """Keep Ray from taking over the signals that ask a run to save and end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Mapping[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _module_folders() -> list[str]:
    """Where modules come from here beside what is installed: Farlands itself, and the user's own."""
    installed = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    folders = [Path(farlands.__file__).parents[1], *(Path(entry or ".") for entry in sys.path)]
    found = dict.fromkeys(folder.resolve() for folder in folders if folder.is_dir())
    return [str(folder) for folder in found if not installed & {folder, *folder.parents}]
