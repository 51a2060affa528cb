"""Gymnasium ids of Farlands' worlds, known from ``import farlands`` on, whichever of the two is imported first.

Importing Gymnasium costs more than a command line's help may, so the ids are registered at once where Gymnasium is
already there, and as soon as it comes where it is not. Worlds themselves are imported by ``gymnasium.make``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

IDS = ("farlands/Voxel-v0", "farlands/VoxelPixels-v0", "farlands/Survival-v0")
"""What can be given to ``gymnasium.make`` and ``gymnasium.make_vec``."""

_ENTRY = "farlands.worlds.adapters.gymnasium:VoxelEnv"
_VECTOR_ENTRY = "farlands.worlds.adapters.gymnasium:VoxelVectorEnv"


def register_ids() -> None:
    """Tell Gymnasium the ids it does not know yet."""
    import gymnasium

    from farlands.worlds.voxel.options import LONG_LIFE, PIXELS

    for name, kwargs in zip(IDS, ({}, {"senses": PIXELS}, LONG_LIFE), strict=True):
        if name not in gymnasium.registry:
            gymnasium.register(name, _ENTRY, vector_entry_point=_VECTOR_ENTRY, kwargs=kwargs)


def register_with_gymnasium() -> None:
    """Register the ids now if Gymnasium has been imported, else right after it is."""
    if "gymnasium" in sys.modules:
        register_ids()
    elif not any(isinstance(finder, _WaitForGymnasium) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WaitForGymnasium())


class _WaitForGymnasium(MetaPathFinder):
    """Finds nothing by itself; lets the import of Gymnasium end with ``register_ids``, once."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        loader, run = spec.loader, spec.loader.exec_module

        def run_and_register(module: ModuleType) -> None:
            del loader.exec_module
            run(module)
            register_ids()

        # On the loader itself: a loader of our own around it would hide the package's resources.
        loader.exec_module = run_and_register
        return spec
