"""Stopwatches inside a run: in collection around the world and the agent, in learning around its three stages.

Nothing of the run is changed: methods are wrapped on its own objects, and torch's hooks tell where a backward pass
begins and ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import register_multi_grad_hook

from farlands.runtime.loop import Run
from farlands.runtime.profiling.counting import Counter, Work


class Hooks:
    """Times parts of every update under names of their own in ``run.phases``, and counts the work of the first.

    Attributes:
        work: By part, of one update.
        captured: Whether collection is a CUDA graph, inside which nothing can be timed.

    Args:
        run: Before its first update.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._counter, self._counting = run, Counter(), True
        self.work: dict[str, Work] = {}
        self._stage: Any = None
        self._learning = False
        world = run.world
        self.captured = world.device.type == "cuda" and bool(getattr(world, "supports_graph", False))
        run.collector.collect = self._counted(run.collector.collect)
        run.learner.update = self._learn(self._counted(run.learner.update))
        run.agent.act = self._timed("act", run.agent.act)
        if not self.captured:
            world.step = self._timed("simulate", world.step)
        self._watch_learning()

    def stop_counting(self) -> None:
        """From now on only time is taken."""
        self._counting = False

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            with self._counter if self._counting else nullcontext():
                return method(*arguments)

        return counted

    def _timed(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            with self._part(name):
                return method(*arguments, **named)

        return timed

    @contextmanager
    def _part(self, name: str) -> Iterator[None]:
        before = self._counter.read() if self._counting else Work()
        if self.captured and name == "act":  # counted, but timed by itself later
            yield
        else:
            with self._run.phases(name):
                yield
        if self._counting:
            self.work[name] = self.work.get(name, Work()).plus(self._counter.read().minus(before))

    def _learn(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def learn(*arguments: Any) -> Any:
            before, self._learning = self._counter.read(), True
            try:
                return method(*arguments)
            finally:
                self._switch("")
                self._learning = False
                if self._counting:
                    self.work["learn"] = self._counter.read().minus(before)

        return learn

    def _watch_learning(self) -> None:
        """Forward until the first gradient, backward until the last, optimiser until its step is done."""
        optimiser = getattr(self._run.learner, "optimiser", None)
        if not isinstance(optimiser, torch.optim.Optimizer):
            return
        unroll = self._run.agent.unroll
        parameters = [value for value in self._run.agent.parameters() if value.requires_grad]

        def forward(*arguments: Any, **named: Any) -> Any:
            if not (self._learning and torch.is_grad_enabled()):
                return unroll(*arguments, **named)
            self._switch("forward")
            output = unroll(*arguments, **named)
            ends = [value for value in (output.value, *vars(output.distribution).values()) if _has_gradient(value)]
            register_multi_grad_hook(ends, lambda _: self._switch("backward"), mode="any")
            return output

        self._run.agent.unroll = forward
        register_multi_grad_hook(parameters, lambda _: self._switch("optimiser"), mode="all")
        optimiser.register_step_post_hook(lambda *_: self._switch(""))

    def _switch(self, name: str) -> None:
        """End the stage that goes on, and begin another if it has a name."""
        if not self._learning:
            return
        if self._stage is not None:
            self._stage.__exit__(None, None, None)
        self._stage = self._part(name) if name else None
        if self._stage is not None:
            self._stage.__enter__()


def _has_gradient(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad
