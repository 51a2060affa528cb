"""Phases of training captured as CUDA graphs: one launch from the host instead of thousands."""

from __future__ import annotations

from collections.abc import Callable

import torch


class CapturedPhase:
    """A phase captured as one CUDA graph on a stream of its own, which Warp and NCCL share with torch.

    The first run is eager: it compiles, allocates and meets its peers. The second captures the phase, and from then on
    it is replayed. Whatever the phase reads must stand where it stood then, and what it decides by numbers of the host
    is decided for good: ticks, rates and weights that change belong in tensors.
    """

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()
        self._graph: torch.cuda.CUDAGraph | None = None
        self._warm = False

    def run(self, phase: Callable[[], None]) -> None:
        """Run the phase; what it writes is ordered after everything on the present stream, and before what follows."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            if not self._warm:
                phase()
                self._warm = True
            else:
                self._replay(phase)
        torch.cuda.current_stream().wait_stream(self._stream)

    def _replay(self, phase: Callable[[], None]) -> None:
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
                phase()
        self._graph.replay()
