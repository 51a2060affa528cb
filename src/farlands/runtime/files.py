"""Writing files so that a crash at any moment leaves the old one or the new one, never half of either."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def fsync_path(path: Path) -> None:
    """Wait until a file's contents, or a directory's entries, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's whole text."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    fsync_path(beside)
    os.replace(beside, path)
    fsync_path(path.parent)


def write_json(path: Path, data: Any) -> None:
    """Replace a file by JSON, indented for people."""
    write_atomically(path, json.dumps(data, indent=2) + "\n")
