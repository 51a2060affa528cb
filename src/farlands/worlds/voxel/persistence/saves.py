"""Saved worlds: everything but the land that the seed says is there.

A save holds a world's state arrays but its blocks; of those it holds the changed cells. Loading makes the land anew,
puts the changes back and compares the state hash with the one that was written, so that a world is either the one
that was saved or refused.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from farlands.worlds.voxel.options import HEIGHT, VoxelOptions
from farlands.worlds.voxel.persistence.documents import Document, describe_options
from farlands.worlds.voxel.state import MAX_PENDING, NUM_RINGS, POSITION_ONE, Body, Clock
from farlands.worlds.voxel.world import VoxelWorld

KIND = "save"
_MADE = ("blocks", "tops", "edited", "journal")
"""Arrays that are not written as they are."""
_SPARSE = {"pending_cell": NUM_RINGS * MAX_PENDING, "pending_due": NUM_RINGS * MAX_PENDING}
"""Arrays, with their sizes, of which only what is not zero is written."""


@dataclass(frozen=True)
class Save:
    """One world at one moment.

    Attributes:
        options: Of the world.
        rules: Hash of the rules it lived by (``WorldSpec.rules``).
        state_hash: Of the world.
        state: Its arrays as a snapshot has them, without the leading world axis, but for ``blocks``, ``tops``,
            ``edited`` and ``journal``.
        cells: int32 ``[N]``, window cells that are not as the land was made, ascending.
        blocks: uint8 ``[N]``, what they are.
        raised: int32 ``[M]``, columns whose top is not as the land was made, ascending.
        tops: uint8 ``[M]``, their tops.
        journal: int64 ``[J]``, changes outside the window, the oldest first.
    """

    options: VoxelOptions
    rules: str
    state_hash: int
    state: dict[str, np.ndarray]
    cells: np.ndarray
    blocks: np.ndarray
    raised: np.ndarray
    tops: np.ndarray
    journal: np.ndarray

    @classmethod
    def of(cls, world: VoxelWorld, index: int = 0) -> Save:
        """World ``index`` of a batch as it is now."""
        snapshot = {name: value.cpu()[0] for name, value in world.snapshot([index]).items()}
        _, tops = _scratch(world.options).make_window(snapshot["clock"])
        cells = _changed_cells(snapshot["edited"])
        raised = torch.nonzero(snapshot["tops"] != tops).flatten()
        clock = snapshot["clock"]
        first, count = int(clock[Clock.JOURNAL_FIRST]), int(clock[Clock.JOURNAL_COUNT])
        return cls(
            options=world.options,
            rules=world.spec.rules,
            state_hash=int(world.state_hash()[index]),
            state={name: value.numpy().copy() for name, value in snapshot.items() if name not in _MADE},
            cells=cells.astype(np.int32),
            blocks=snapshot["blocks"].numpy()[cells],
            raised=raised.numpy().astype(np.int32),
            tops=snapshot["tops"][raised].numpy(),
            journal=np.roll(snapshot["journal"].numpy(), -first)[:count].copy(),
        )

    def put(self, world: VoxelWorld, index: int = 0) -> None:
        """Make world ``index`` of a batch this one.

        Raises:
            ValueError: The batch has other rules, or what was loaded is not the world that was saved; it then stays
                as it was.
        """
        if world.spec.rules != self.rules:
            raise ValueError(
                f"the save is of rules {self.rules}, this world of {world.spec.rules}: options or version differ"
            )
        scratch = _scratch(world.options)
        try:
            scratch.restore({name: value[None] for name, value in self._snapshot(scratch).items()})
        except (IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(f"the save does not fit: {str(error).splitlines()[0]}") from None
        found = int(scratch.state_hash()[0])
        if found != self.state_hash:
            raise ValueError(f"the save leads to state {found}, not to {self.state_hash} as it was written")
        world.restore(scratch.snapshot(), [index])

    def write(self, path: Path, *, overwrite: bool = False) -> None:
        """Write a file. Raises ValueError and OSError as ``Document.write``."""
        header = {"options": describe_options(self.options), "rules": self.rules, "state_hash": self.state_hash}
        Document(KIND, header, self.arrays()).write(path, overwrite=overwrite)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that has to be written, by name."""
        own = {name: getattr(self, name) for name in ("cells", "blocks", "raised", "tops", "journal")}
        own |= {f"state.{name}": value for name, value in self.state.items() if name not in _SPARSE}
        return own | {f"sparse.{name}": _pack(self.state[name]) for name in _SPARSE}

    @classmethod
    def read(cls, path: Path) -> Save:
        """What ``write`` wrote. Raises ValueError, in one line, for anything else."""
        document = Document.read(path, KIND)
        return cls.from_arrays(document, document.header, document.arrays)

    @classmethod
    def from_arrays(cls, document: Document, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Save:
        """A save from what ``arrays`` gave. Raises ValueError where something is missing."""
        try:
            own = {name: arrays[name] for name in ("cells", "blocks", "raised", "tops", "journal")}
            state = {name[6:]: value for name, value in arrays.items() if name.startswith("state.")}
            state |= {name: _unpack(arrays[f"sparse.{name}"], size) for name, size in _SPARSE.items()}
            return cls(document.options, str(header["rules"]), int(header["state_hash"]), state, **own)
        except KeyError as error:
            raise ValueError(f"the {document.kind} lacks {error}") from None
        except (IndexError, TypeError) as error:
            raise ValueError(f"the {document.kind} does not fit: {error}") from None

    def _snapshot(self, scratch: VoxelWorld) -> dict[str, torch.Tensor]:
        """Every array of the world, without a leading axis."""
        options = scratch.options
        state = {name: torch.from_numpy(value.copy()) for name, value in self.state.items()}
        blocks, tops = scratch.make_window(state["clock"])
        cells = torch.from_numpy(self.cells.astype(np.int64))
        blocks[cells] = torch.from_numpy(self.blocks.copy())
        tops[torch.from_numpy(self.raised.astype(np.int64))] = torch.from_numpy(self.tops.copy())
        edited = np.zeros(options.window * options.window, dtype=np.uint64)
        np.bitwise_or.at(edited, self.cells // HEIGHT, np.uint64(1) << (self.cells % HEIGHT).astype(np.uint64))
        journal = np.zeros(options.journal, dtype=np.int64)
        journal[: len(self.journal)] = self.journal
        journal = np.roll(journal, int(state["clock"][Clock.JOURNAL_FIRST]))
        made = {"blocks": blocks, "tops": tops}
        made |= {"edited": torch.from_numpy(edited.view(np.int64)), "journal": torch.from_numpy(journal)}
        return state | made

    def describe(self) -> dict[str, Any]:
        """What people want to know of it."""
        clock, bodies = self.state["clock"], np.atleast_2d(self.state["body"])
        seed = (int(clock[Clock.SEED_HIGH]) & 0xFFFFFFFF) << 32 | int(clock[Clock.SEED_LOW]) & 0xFFFFFFFF
        return {
            "level seed": seed,
            "task": self.options.task,
            "episode": int(clock[Clock.EPISODE]),
            "step": int(clock[Clock.STEP]),
            "time of day": int(clock[Clock.TIME]),
            **_describe_agents(bodies),
            "changed blocks in the window": len(self.cells),
            "changed blocks outside": len(self.journal),
            "forgotten changes": int(clock[Clock.FORGOTTEN]),
            "rules": self.rules,
            "state hash": self.state_hash,
        }


def _describe_agents(bodies: np.ndarray) -> dict[str, Any]:
    """Where agents are and how they fare; of several, under their numbers."""
    about: dict[str, Any] = {}
    for number, body in enumerate(bodies):
        before = f"agent {number} " if len(bodies) > 1 else ""
        place = tuple(round(int(body[axis]) / POSITION_ONE, 2) for axis in (Body.X, Body.Y, Body.Z))
        about[f"{before}position"] = "gone" if body[Body.GONE] else place
        about[f"{before}health"] = int(body[Body.HEALTH])
    return about


def _pack(array: np.ndarray) -> np.ndarray:
    """int32 ``[2, K]``: places and values of what is not zero."""
    places = np.flatnonzero(array)
    return np.stack([places, array[places]]).astype(np.int32)


def _unpack(pairs: np.ndarray, size: int) -> np.ndarray:
    """What ``_pack`` packed. Raises IndexError for places outside of it."""
    array = np.zeros(size, dtype=np.int32)
    array[pairs[0]] = pairs[1]
    return array


def _scratch(options: VoxelOptions) -> VoxelWorld:
    """One world with the same rules, to make land in."""
    return VoxelWorld(1, dataclasses.replace(options, senses=("vitals",)), num_shards=1)


def _changed_cells(edited: torch.Tensor) -> np.ndarray:
    """Cells whose bit is set, ascending."""
    words = edited.numpy().view(np.uint64)
    columns = np.flatnonzero(words)
    bits = (words[columns, None] >> np.arange(HEIGHT, dtype=np.uint64)) & np.uint64(1)
    column, z = np.nonzero(bits)
    return columns[column] * HEIGHT + z
