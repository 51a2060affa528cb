"""The verb `doctor`: what this machine offers and what a missing thing disables."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from farlands.runtime.energy_sources import describe_energy
from farlands.runtime.machine import describe_machine, describe_versions


def doctor() -> int:
    """Print findings; 0 unless something that everything needs is broken, then 1."""
    broken = False
    for good, name, found in inspect_machine():
        mark = {True: "ok", False: "MISSING", None: "--"}[good]
        print(f"{mark:<9}{name:<16}{found}")
        broken |= good is False
    return int(broken)


def inspect_machine() -> Iterator[tuple[bool | None, str, str]]:
    """Whether each thing is there (None: absent, but only something optional needs it), its name, what was found."""
    for name, version in describe_versions().items():
        yield (version != "not installed", name, version)
    machine = describe_machine()
    yield True, "processor", f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
    gpus = ", ".join(machine["gpus"])
    yield (True if gpus else None), "GPU", gpus or "none that torch can use: everything runs on the CPU"
    yield from describe_energy()
    yield _check_warp()
    for module, extra, purpose in (
        ("matplotlib", "plots", "learning curves"),
        ("imageio_ffmpeg", "video", ".mp4 films"),
        ("ray", "distributed", "actors apart from the learner"),
    ):
        found = importlib.util.find_spec(module) is not None
        yield (
            (True if found else None),
            module,
            f"for {purpose}" if found else f"no {purpose}: pip install 'farlands[{extra}]'",
        )
    yield _check_writable("here", Path.cwd())
    yield _check_writable("temporary", Path(tempfile.gettempdir()))


def _check_warp() -> tuple[bool, str, str]:
    """Whether kernels can be compiled for the CPU, and where they are cached."""
    import warp as wp

    wp.config.log_level = wp.LOG_ERROR
    try:
        wp.init()
        cache = Path(wp.config.kernel_cache_dir or "")
        size = sum(file.stat().st_size for file in cache.rglob("*") if file.is_file()) / 2**20
        devices = ", ".join(str(device) for device in wp.get_devices())
        return True, "kernels", f"for {devices}; cached in {cache} ({size:.0f} MiB)"
    except Exception as error:
        return False, "kernels", f"warp cannot start: {error}"


def _check_writable(name: str, path: Path) -> tuple[bool | None, str, str]:
    good = os.access(path, os.W_OK)
    free = shutil.disk_usage(path).free / 2**30
    return (True if good else None), name, f"{path}, {free:.0f} GiB free" if good else f"{path} is not writable"
