"""The one way Farlands declares Warp kernels, so that no module forgets the options determinism rests on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import warp as wp

MODULE_OPTIONS: dict[str, Any] = {
    # Gradients through simulators are not used, and generating them makes compiling 2.8 times slower.
    "enable_backward": False,
    # A fused multiply-add rounds once where two operations round twice: CPU and CUDA would drift apart.
    "fuse_fp": False,
    "fast_math": False,
    # Nested loops over small constants would unroll multiplicatively.
    "max_unroll": 4,
}


def kernel(function: Callable[..., None]) -> Any:
    """Declare a world kernel: ``wp.kernel`` with ``MODULE_OPTIONS`` set on the function's own module."""
    wp.set_module_options(MODULE_OPTIONS, module=sys.modules[function.__module__])
    return wp.kernel(function)
