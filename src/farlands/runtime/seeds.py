"""Seeds and random states of a run."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np
import torch


def derive_seed(seed: int, *purpose: str | int) -> int:
    """A seed of its own for a purpose, in [0, 2**64): the first bytes of SHA-256 over both."""
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def seed_everything(seed: int) -> None:
    """Set the process-wide generators of Python, NumPy and torch, on every device."""
    random.seed(derive_seed(seed, "python"))
    np.random.seed(derive_seed(seed, "numpy") % 2**32)
    torch.manual_seed(derive_seed(seed, "torch") % 2**63)


class RandomStates:
    """The process-wide generators, as a component of the checkpoint. Farlands draws nothing from them after the
    network is made; users' rewards, networks and callbacks may.
    """

    def state_dict(self) -> dict[str, Any]:
        """States of Python's, NumPy's, torch's and, where used, each GPU's generator."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        kind, keys, position, has_gauss, gauss = np.random.get_state()
        return {
            "python": random.getstate(),
            "numpy": {"kind": kind, "keys": keys, "position": position, "has_gauss": has_gauss, "gauss": gauss},
            "torch": torch.get_rng_state(),
            "cuda": cuda,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put a ``state_dict`` back; GPUs that are not here are passed over."""
        version, words, gauss = state["python"]
        random.setstate((version, tuple(words), gauss))
        numpy = state["numpy"]
        np.random.set_state((numpy["kind"], numpy["keys"], numpy["position"], numpy["has_gauss"], numpy["gauss"]))
        torch.set_rng_state(state["torch"])
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        for index, one in enumerate(state["cuda"][:count]):
            torch.cuda.set_rng_state(one, index)
