"""The log of finished episodes: kernels write it on the device, the host drains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import warp as wp

from farlands.worlds.voxel.measures import MEASURES, read_measure, to_units
from farlands.worlds.voxel.state import NUM_ACHIEVEMENTS, Body, Cause, Clock, VoxelState
from farlands.worlds.voxel.tables import MILLI
from farlands.worlds.world import Episodes

LOG_ROW, LOG_TIME, LOG_SEED_LOW, LOG_SEED_HIGH, LOG_LENGTH, LOG_RETURN, LOG_CAUSE, LOG_UNLOCKED = range(8)
LOG_MEASURES = LOG_UNLOCKED + NUM_ACHIEVEMENTS
NUM_MEASURES = len(MEASURES)
LOG_COLUMNS = LOG_MEASURES + NUM_MEASURES
EPISODES_PER_WORLD = 16
"""Finished episodes kept per world between two drains."""


@wp.struct
class EpisodeLog:
    """Finished episodes, one list per shard.

    rows: int32 ``[shards, capacity, LOG_COLUMNS]``. count: int32 ``[shards]``, also of those that no longer fit.
    time: int32 ``[shards]``, steps since the last drain.
    """

    rows: wp.array3d(dtype=wp.int32)
    count: wp.array(dtype=wp.int32)
    time: wp.array(dtype=wp.int32)


@wp.func
def log_episode(s: VoxelState, log: EpisodeLog, shard: int, w: int, r: int):
    """Note down the episode that row ``r`` has just finished."""
    n = wp.atomic_add(log.count, shard, 1)
    if n < log.rows.shape[1]:
        log.rows[shard, n, LOG_ROW] = r
        log.rows[shard, n, LOG_TIME] = log.time[shard]
        log.rows[shard, n, LOG_SEED_LOW] = s.clock[Clock.SEED_LOW, w]
        log.rows[shard, n, LOG_SEED_HIGH] = s.clock[Clock.SEED_HIGH, w]
        log.rows[shard, n, LOG_LENGTH] = s.clock[Clock.STEP, w] - s.body[Body.BORN, r]
        log.rows[shard, n, LOG_RETURN] = s.body[Body.RETURN, r]
        log.rows[shard, n, LOG_CAUSE] = s.body[Body.CAUSE, r]
        k = int(0)
        while k < NUM_ACHIEVEMENTS:
            log.rows[shard, n, LOG_UNLOCKED + k] = s.unlocked[r, k]
            k += 1
        k = int(0)
        while k < NUM_MEASURES:
            log.rows[shard, n, LOG_MEASURES + k] = read_measure(s, w, r, k)
            k += 1


class EpisodeBook:
    """The host's side of the log.

    Args:
        shard_sizes: Rows of each shard; a row's shard follows from them.
        device: Where the log lives.

    Attributes:
        log: What kernels write to.
    """

    def __init__(self, shard_sizes: Sequence[int], device: str) -> None:
        self._edges = np.cumsum(shard_sizes)
        shape = (len(shard_sizes), EPISODES_PER_WORLD * max(shard_sizes), LOG_COLUMNS)
        self._rows = torch.zeros(shape, dtype=torch.int32, device=device)
        self._count = torch.zeros(len(shard_sizes), dtype=torch.int32, device=device)
        self._time = torch.zeros(len(shard_sizes), dtype=torch.int32, device=device)
        self._dropped = 0
        self.log = EpisodeLog()
        self.log.rows = wp.from_torch(self._rows, requires_grad=False)
        self.log.count = wp.from_torch(self._count, requires_grad=False)
        self.log.time = wp.from_torch(self._time, requires_grad=False)

    @property
    def num_bytes(self) -> int:
        """Device memory of the log."""
        return self._rows.numel() * self._rows.element_size()

    def clear(self) -> None:
        """Forget everything."""
        self._count.zero_()
        self._time.zero_()
        self._dropped = 0

    def drain(self) -> Episodes:
        """What finished since the last drain, ordered by (end time, row)."""
        rows, dropped = self._read()
        self.clear()
        low, high = (
            np.ascontiguousarray(rows[:, k]).view(np.uint32).astype(np.uint64) for k in (LOG_SEED_LOW, LOG_SEED_HIGH)
        )
        return Episodes(
            row=rows[:, LOG_ROW].astype(np.int64),
            seed=low | (high << np.uint64(32)),
            length=rows[:, LOG_LENGTH].astype(np.int64),
            reward=rows[:, LOG_RETURN].astype(np.float64) / MILLI,
            cause=np.array([Cause(int(code)).name.lower() for code in rows[:, LOG_CAUSE]], dtype=object),
            achievements=rows[:, LOG_UNLOCKED:LOG_MEASURES].astype(np.int64),
            measures=to_units(rows[:, LOG_MEASURES:]),
            dropped=dropped,
        )

    def _read(self) -> tuple[np.ndarray, int]:
        """int32 ``[N, LOG_COLUMNS]`` in order, and how many did not fit."""
        counts = self._count.cpu().numpy()
        kept = np.minimum(counts, self._rows.shape[1])
        rows = np.concatenate([self._rows[k, : kept[k]].cpu().numpy() for k in range(len(kept))])
        return rows[np.lexsort((rows[:, LOG_ROW], rows[:, LOG_TIME]))], self._dropped + int((counts - kept).sum())

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Undrained episodes, whatever the shards: rows in order, how many were dropped, steps since the last drain."""
        rows, dropped = self._read()
        return {
            "episode_rows": torch.from_numpy(rows),
            "episode_dropped": torch.tensor([dropped]),
            "episode_time": self._time[:1].cpu().clone(),
        }

    def empty_state(self) -> dict[str, torch.Tensor]:
        """The ``state_dict`` of a log that was just drained."""
        return {
            "episode_rows": torch.zeros(0, LOG_COLUMNS, dtype=torch.int32),
            "episode_dropped": torch.zeros(1, dtype=torch.int64),
            "episode_time": torch.zeros(1, dtype=torch.int32),
        }

    def check(self, state: Mapping[str, torch.Tensor]) -> None:
        """Raise ValueError when a ``state_dict`` is not one of a log with these columns."""
        for name, shape in (("episode_rows", (LOG_COLUMNS,)), ("episode_dropped", ()), ("episode_time", ())):
            if name not in state or tuple(state[name].shape[1:]) != shape:
                found = tuple(state[name].shape) if name in state else "missing"
                raise ValueError(f"world state: {name} is {found}, expected {('N', *shape)}")

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put a ``state_dict`` back, into any number of shards; what does not fit a shard's list counts as dropped."""
        rows = state["episode_rows"].cpu()
        shards = np.searchsorted(self._edges, rows[:, LOG_ROW].numpy(), side="right")
        self._time.fill_(int(state["episode_time"][0]))
        for k in range(len(self._edges)):
            mine = rows[torch.from_numpy(shards == k)]
            fit = min(len(mine), self._rows.shape[1])
            self._rows[k, :fit].copy_(mine[:fit])
            self._count[k] = len(mine)
        self._dropped = int(state["episode_dropped"][0])
