"""What strangers install: a wheel, used away from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*argv: str, cwd: Path, path: Path | None = None) -> str:
    """What a command prints, once it has succeeded."""
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as its wheel leaves it; the wheel is built from a copy, which it may litter."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(source / "dist"), ".", cwd=source)
    (wheel,) = (source / "dist").glob("farlands-*.whl")
    target = tmp_path_factory.mktemp("installed")
    run(*pip, "install", "--no-deps", "--target", str(target), str(wheel), cwd=source)
    return target


def test_the_wheel_holds_the_whole_package(installed):
    ours = {path.relative_to(ROOT / "src") for path in (ROOT / "src" / "farlands").rglob("*.py")}
    theirs = {path.relative_to(installed) for path in (installed / "farlands").rglob("*.py")}
    assert theirs == ours
    assert (installed / "farlands" / "py.typed").exists()


def test_the_wheel_trains_and_measures_away_from_the_checkout(installed, tmp_path):
    where = run(sys.executable, "-c", "import farlands; print(farlands.__file__)", cwd=tmp_path, path=installed)
    assert Path(where.strip()).is_relative_to(installed)
    farlands = (sys.executable, "-m", "farlands")
    tiny = ("--num-worlds", "4", "--steps", "64", "--ppo.rollout", "8", "--threads", "1")
    run(*farlands, "train", "voxel", "--run-dir", "run", *tiny, cwd=tmp_path, path=installed)
    said = run(*farlands, "eval", "run", "--episodes", "2", "--max-steps", "8", cwd=tmp_path, path=installed)
    assert "random" in said
    assert (tmp_path / "run" / "report.json").exists()
