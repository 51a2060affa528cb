"""Farlands: large-scale reinforcement learning in batched, procedurally generated worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farlands.registration import register_with_gymnasium

if TYPE_CHECKING:
    from farlands.worlds.adapters.pettingzoo import WorldParallelEnv

__all__ = ["__version__", "parallel_env"]

__version__ = "0.1.0"

register_with_gymnasium()


def parallel_env(**options: Any) -> WorldParallelEnv:
    """A voxel world with several agents, as a PettingZoo environment; see ``worlds.adapters.pettingzoo.parallel_env``.

    Raises:
        ImportError: PettingZoo is not installed.
        ValueError: An option that can't be, in one line.
    """
    try:
        from farlands.worlds.adapters.pettingzoo import parallel_env as make
    except ModuleNotFoundError as error:
        if error.name != "pettingzoo":
            raise
        raise ImportError("PettingZoo is not installed: pip install farlands[pettingzoo]") from None
    return make(**options)
