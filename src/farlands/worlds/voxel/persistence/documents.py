"""What saves and replays share: one checked file of arrays with a header, written whole or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from farlands import __version__
from farlands.worlds.voxel.options import VoxelOptions

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Document:
    """A file's contents.

    Attributes:
        kind: ``"save"`` or ``"replay"``.
        header: JSON data; ``options`` and ``rules`` among it.
        arrays: By name.
        farlands: Version that wrote it.
    """

    kind: str
    header: dict[str, Any]
    arrays: dict[str, np.ndarray]
    farlands: str = __version__

    @property
    def options(self) -> VoxelOptions:
        """Options of the world it is about. Raises ValueError where they are none."""
        try:
            options = {k: tuple(v) if isinstance(v, list) else v for k, v in self.header["options"].items()}
            return VoxelOptions(**options)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the {self.kind} has options that are none: {error}") from None

    def write(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the file, so that a crash leaves the old one or the new one.

        Raises:
            ValueError: There is one already, and it may not be overwritten.
            OSError: It cannot be written.
        """
        from safetensors.numpy import save

        if path.exists() and not overwrite:
            raise ValueError(f"{path} exists already; nothing was overwritten")
        about = {"format": FORMAT_VERSION, "kind": self.kind, "farlands": self.farlands, "header": self.header}
        sealed = {**about, "sha256": _seal(about, self.arrays)}
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(save(dict(self.arrays), metadata={"farlands": json.dumps(sealed)}))
        os.replace(beside, path)

    @classmethod
    def read(cls, path: Path, kind: str) -> Document:
        """What ``write`` wrote.

        Raises:
            ValueError: In one line: the file is missing, torn, something else, of a newer version, or was changed.
        """
        about, arrays = _open(path, kind)
        if not isinstance(about.get("format"), int) or about["format"] > FORMAT_VERSION:
            raise ValueError(
                f"{path} was written by farlands {about.get('farlands')} in format {about.get('format')}; "
                f"this version reads up to {FORMAT_VERSION}"
            )
        seal = about.pop("sha256", "")
        if seal != _seal(about, arrays):
            raise ValueError(f"{path} was changed or damaged after it was written")
        return cls(kind, about["header"], arrays, about["farlands"])


def glance(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    """Header and shapes of the arrays, which are neither read nor checked.

    Raises:
        ValueError: As ``Document.read``, but for what only a whole reading shows.
    """
    about, shapes = _open(path, kind, lambda file, name: tuple(file.get_slice(name).get_shape()))
    return about["header"], shapes


def _open(
    path: Path, kind: str, get: Callable[[Any, str], Any] = lambda file, name: file.get_tensor(name)
) -> tuple[dict[str, Any], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            about = json.loads((file.metadata() or {})["farlands"])
            arrays = {name: get(file, name) for name in file.keys()}  # noqa: SIM118 (the file is no dictionary)
    except FileNotFoundError:
        raise ValueError(f"there is no {kind} {path}") from None
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from None
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} is torn or no {kind} of Farlands: {said}") from None
    if not isinstance(about, dict) or not isinstance(about.get("header"), dict):
        raise ValueError(f"{path} is torn or no {kind} of Farlands: its header is {type(about).__name__}")
    if about.get("kind") != kind:
        raise ValueError(f"{path} is a {about.get('kind')}, not a {kind}")
    return about, arrays


def describe_options(options: VoxelOptions) -> dict[str, Any]:
    """Options as JSON data."""
    return dataclasses.asdict(options)


def _seal(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
