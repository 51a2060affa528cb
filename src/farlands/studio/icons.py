"""Pictures of the voxel world's items, as one sheet for pages."""

from __future__ import annotations

import base64
import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

_COLUMNS = 16


@cache
def item_sheet() -> dict[str, Any]:
    """Every item's icon: ``names`` in the order of the sheet, its ``columns``, the ``tile`` side in pixels, the
    ``picture`` as a PNG in a data address.
    """
    from farlands.worlds.voxel.items import ITEMS
    from farlands.worlds.voxel.rendering.textures.items import item_tile
    from farlands.worlds.voxel.rendering.textures.paint import TILE

    rows = -(-len(ITEMS) // _COLUMNS)
    sheet = np.zeros((rows * TILE, _COLUMNS * TILE, 4), dtype=np.uint8)
    for k, item in enumerate(ITEMS):
        row, column = divmod(k, _COLUMNS)
        sheet[row * TILE :][:TILE, column * TILE :][:, :TILE] = item_tile(item.name, item.places)
    target = io.BytesIO()
    Image.fromarray(sheet).save(target, "PNG", optimize=True)
    picture = "data:image/png;base64," + base64.b64encode(target.getvalue()).decode()
    return {"names": [item.name for item in ITEMS], "columns": _COLUMNS, "tile": TILE, "picture": picture}
