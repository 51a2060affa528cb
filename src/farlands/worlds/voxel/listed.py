"""Lists of worlds that launches go through, of lengths that only the device knows."""

from __future__ import annotations

import warp as wp


@wp.struct
class Listed:
    """Worlds of one shard.

    worlds: int32 ``[W]``, those of each shard from where its worlds begin. count: int32 ``[shards]``, how many are
    listed. shard, begin: Number and first world of the shard. stride: Threads of the launch, each of which goes on by
    as many.
    """

    worlds: wp.array(dtype=wp.int32)
    count: wp.array(dtype=wp.int32)
    shard: int
    begin: int
    stride: int


def list_worlds(worlds: wp.array, count: wp.array, shard: int, begin: int, stride: int) -> Listed:
    """A list as kernels take it; see ``Listed``."""
    listed = Listed()
    listed.worlds, listed.count = worlds, count
    listed.shard, listed.begin, listed.stride = shard, begin, stride
    return listed


@wp.func
def how_many(listed: Listed) -> int:
    """Length of the list."""
    return listed.count[listed.shard]


@wp.func
def world_at(listed: Listed, i: int) -> int:
    """The list's i-th world."""
    return listed.worlds[listed.begin + i]
