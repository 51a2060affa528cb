"""Pictures as pages take them."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

QUALITY = 82
"""Of JPEG."""


def jpeg(picture: np.ndarray, quality: int = QUALITY) -> bytes:
    """uint8 ``[H, X, 3]`` as JPEG."""
    target = io.BytesIO()
    Image.fromarray(picture).save(target, "JPEG", quality=quality)
    return target.getvalue()


def png(picture: np.ndarray) -> bytes:
    """uint8 ``[H, X, 3]`` as PNG."""
    target = io.BytesIO()
    Image.fromarray(picture).save(target, "PNG", compress_level=1)
    return target.getvalue()


def mosaic(pictures: np.ndarray) -> tuple[np.ndarray, int]:
    """Pictures uint8 ``[n, H, X, 3]`` side by side in rows, as square as may be; and how many stand in a row."""
    count, height, width, _ = pictures.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    filled = np.zeros((rows * columns, height, width, 3), dtype=np.uint8)
    filled[:count] = pictures
    grid = filled.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(rows * height, columns * width, 3)), columns
