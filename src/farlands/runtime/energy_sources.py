"""Where joules are read: the energy counters of NVIDIA's GPUs and of processors. A counter that can't be read is none.

Nothing is estimated from a nameplate: what has no counter is not measured.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch

POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows the energy counters of processors (RAPL: running average power limit)."""
_THROTTLE_COUNTS = "devices/system/cpu/cpu*/thermal_throttle/package_throttle_count"
_REASONS = {"power": 0x04 | 0x80, "thermal": 0x20 | 0x40, "hardware": 0x08}
"""Bits of NVML's clock event reasons: software power cap, power brake; software and hardware thermal slowdown; a
hardware slowdown that says no more."""


class Counter(Protocol):
    """A count of joules that only grows."""

    def read(self) -> float | None:
        """Joules since some moment that stays the same; None once it can't be told."""
        ...

    def throttling(self) -> dict[str, bool]:
        """Whether the clock is held back now, by reason; empty where that can't be told."""
        ...


class GpuCounter:
    """The energy counter of one NVIDIA GPU, by its management library (NVML): Volta and newer.

    Args:
        library: The module ``pynvml``, initialised.
        handle: Of the GPU.
    """

    def __init__(self, library: Any, handle: Any) -> None:
        self._library, self._handle = library, handle

    @classmethod
    def open(cls, device: torch.device) -> GpuCounter | None:
        """The counter of a CUDA device; None without the library or without such a counter."""
        try:
            library = importlib.import_module("pynvml")
        except ImportError:
            return None
        import torch

        try:
            library.nvmlInit()
            # NVML counts all GPUs of the machine, torch those it may use: only the UUID means the same to both.
            uuid = torch.cuda.get_device_properties(device).uuid
            return cls(library, library.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}"))
        except (library.NVMLError, AttributeError):
            return None

    def read(self) -> float | None:
        try:
            return self._library.nvmlDeviceGetTotalEnergyConsumption(self._handle) / 1000.0
        except self._library.NVMLError:
            return None

    def throttling(self) -> dict[str, bool]:
        # The newer name came with driver 535; older libraries know only the other.
        for name in ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"):
            ask = getattr(self._library, name, None)
            if ask is None:
                continue
            try:
                reasons = int(ask(self._handle))
            except self._library.NVMLError:
                continue
            return {reason: bool(reasons & bits) for reason, bits in _REASONS.items()}
        return {}


class CpuCounter:
    """The energy counters of this machine's processor packages, added up. Memory outside the packages is not in it.

    Each counts microjoules up to a limit and then begins again: readings must not lie a whole round apart, which at
    200 W takes some twenty minutes.

    Args:
        packages: Directories of the counters.
        root: Of the file system that tells of throttling, ``/sys``.
    """

    def __init__(self, packages: list[Path], root: Path) -> None:
        self._packages, self._root = packages, root
        self._limits = [_read_number(package / "max_energy_range_uj") for package in packages]
        self._last = [_read_number(package / "energy_uj") for package in packages]
        self._joules = 0.0
        self._throttled = self._count_throttling()

    @classmethod
    def open(cls, powercap: Path | None = None) -> CpuCounter | None:
        """The packages below a powercap tree, by default the machine's; None where not all of them can be read."""
        powercap = powercap or POWERCAP
        packages = find_packages(powercap)
        if not packages or not all(is_readable(package) for package in packages):
            return None
        return cls(packages, powercap.parent.parent)

    def read(self) -> float | None:
        for index, (package, last, limit) in enumerate(zip(self._packages, self._last, self._limits, strict=True)):
            now = _read_number(package / "energy_uj")
            if now is None or last is None:
                return None
            if now < last and limit is None:
                return None
            self._joules += (now - last + (limit if now < last else 0)) / 1e6  # type: ignore[operator]
            self._last[index] = now
        return self._joules

    def throttling(self) -> dict[str, bool]:
        before, self._throttled = self._throttled, self._count_throttling()
        return {} if self._throttled is None or before is None else {"thermal": self._throttled > before}

    def _count_throttling(self) -> int | None:
        counts = [_read_number(path) for path in self._root.glob(_THROTTLE_COUNTS)]
        return sum(count for count in counts if count is not None) if counts else None


class Uncounted:
    """In place of a counter that another process of this machine reads."""

    def read(self) -> float | None:
        return 0.0

    def throttling(self) -> dict[str, bool]:
        return {}


def open_counter(device: torch.device) -> Counter | None:
    """The counter of what a device computes with; None where there is none that can be read.

    Readings of several processes may be added up: of those that share a machine's processors only the first reads
    their counter, and processes with a GPU have one each.
    """
    if device.type == "cuda":
        return GpuCounter.open(device)
    return open_host_counter() if device.type == "cpu" else None


def open_host_counter() -> Counter | None:
    """The counter of this machine's processors, for the first of its processes; the others count nothing."""
    # Set by torchrun and its like; a process that was started alone is the first.
    first = os.environ.get("LOCAL_RANK", "0") in ("", "0")
    counter = CpuCounter.open()
    return counter if first or counter is None else Uncounted()


def find_packages(powercap: Path) -> list[Path]:
    """Directories of the counters of whole processor packages.

    Their parts (cores, memory) stand one level deeper; the platform's own counter (psys) and a second view of the same
    package (intel-rapl-mmio) would count things twice.
    """
    if not powercap.is_dir():
        return []
    domains = sorted(path for path in powercap.glob("intel-rapl:*") if path.name.count(":") == 1)
    return [path for path in domains if _read_text(path / "name").startswith("package")]


def is_readable(package: Path) -> bool:
    """Whether this process may read a package's counter; for most users it is root's alone."""
    return _read_number(package / "energy_uj") is not None


def describe_energy() -> Iterator[tuple[bool | None, str, str]]:
    """For ``doctor``: whether each energy counter is readable (None: no), its name, what was found."""
    import torch

    if torch.cuda.is_available():
        counter = GpuCounter.open(torch.device("cuda"))
        joules = counter.read() if counter else None
        need = "needs pip install 'farlands[energy]' and a GPU with a counter"
        yield (
            None if joules is None else True,
            "energy of GPU",
            f"not measured: {need}" if joules is None else "its own counter (NVML)",
        )
    packages = find_packages(POWERCAP)
    if packages and all(is_readable(package) for package in packages):
        yield True, "energy of CPU", f"{len(packages)} package{'s' if len(packages) > 1 else ''}, by RAPL"
    elif packages:
        yield None, "energy of CPU", f"not measured: {packages[0]}/energy_uj may not be read by this user"
    else:
        yield None, "energy of CPU", f"not measured: there is no counter in {POWERCAP}"


def _read_number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
