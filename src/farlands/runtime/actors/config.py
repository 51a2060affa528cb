"""Choices about actors. Free of torch, so that command lines can show them quickly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ActorsConfig:
    """Worker processes that the worlds live in, on Ray, apart from the learner."""

    count: int = 0
    """Worker processes on Ray that worlds live in, each as soon as there is room for it; 0 for none: worlds live in
    the learner's process. docs/actors.md tells more."""
    worlds: int = 0
    """Worlds of each actor; 0 for an equal share of --num-worlds."""
    address: str = ""
    """Address of a Ray cluster, HOST:PORT, or auto for the one of this machine; by default $RAY_ADDRESS, or else one is
    started here."""
    cpus: float = 1.0
    """Cores that each actor has for itself."""
    batch: int = 0
    """Rollouts that an update learns from, whoever they come from; 0 for as many as there are actors."""
    ahead: int = 2
    """Rollouts of an actor that may be under way or wait for the learner; then the actor waits."""
    max_staleness: int = 8
    """Rollouts by weights that are more than this many updates old are dropped, and counted."""
    minimum: int = 1
    """With fewer actors than this for --actors.timeout the run is saved and ends."""
    timeout: float = 300.0
    """Seconds that an actor may take for a rollout before another takes its place, and that the run waits for too few
    actors to become enough."""
    restarts: int = 3
    """Times that one actor may fail within --actors.window; after that the run is saved and ends."""
    window: float = 600.0
    """Seconds over which failures of an actor are counted."""

    def __post_init__(self) -> None:
        least = {"count": 0, "worlds": 0, "batch": 0, "ahead": 1, "max_staleness": 0, "minimum": 1, "restarts": 0}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ValueError(f"actors.{name.replace('_', '-')} is {getattr(self, name)}; it must be at least {low}")
        for name in ("cpus", "timeout", "window"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"actors.{name} is {getattr(self, name)}; it must be above 0")
        if self.count > 100_000:
            raise ValueError(f"actors.count is {self.count}; it must be at most 100000")
        if self.count and self.minimum > self.count:
            raise ValueError(
                f"actors.minimum is {self.minimum}; it must be at most actors.count, which is {self.count}"
            )

    def worlds_each(self, num_worlds: int) -> int:
        """Worlds of each actor in a run of so many."""
        return self.worlds or num_worlds // self.count

    @property
    def rollouts(self) -> int:
        """Of an update."""
        return self.batch or self.count
