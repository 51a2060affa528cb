"""Farlands: large-scale reinforcement learning in batched, procedurally generated worlds."""

from __future__ import annotations

from farlands.registration import register_with_gymnasium

__all__ = ["__version__"]

__version__ = "0.1.0"

register_with_gymnasium()
