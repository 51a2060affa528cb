from __future__ import annotations

import pytest

from farlands import extensions
from farlands.errors import UserError


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k, names in extensions.BUILTINS.items() for n in names])
def test_every_builtin_resolves(kind, name):
    found = extensions.resolve(kind, name)
    assert callable(found)
    assert kind != "world" or isinstance(found, type)


@pytest.mark.parametrize("name", extensions.BUILTINS["world"])
def test_every_world_has_options_and_defaults(name):
    options = extensions.resolve_options(name)
    assert options() == options()
    assert extensions.resolve("world", name).Options is options


def test_file_and_module_references(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def bonus(rollout):\n    return rollout.rewards\n")
    assert extensions.resolve("reward", f"{file}:bonus").__name__ == "bonus"
    assert extensions.resolve("reward", f"{file}:bonus") is extensions.resolve("reward", f"{file}:bonus")
    assert extensions.resolve("callback", "farlands.errors:nearest").__name__ == "nearest"


def test_relative_path_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert extensions.absolute("mine.py:bonus") == f"{tmp_path.resolve()}/mine.py:bonus"
    assert extensions.absolute("voxel") == "voxel"
    assert extensions.absolute("package.module:Name") == "package.module:Name"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("rndd", "did you mean rnd?"),
        ("nowhere/mine.py:bonus", "no such file"),
        ("{tmp}/mine.py:bonsu", "did you mean bonus?"),
        ("{tmp}/broken.py:bonus", "ZeroDivisionError: division by zero (line 3)"),
        ("{tmp}/wrong.py:bonus", "SyntaxError"),
        ("no_such_module:bonus", "no module named no_such_module"),
        ("{tmp}/mine.py:", "expected file.py:Name or module:Name"),
    ],
)
def test_mistakes_are_named(tmp_path, reference, said):
    (tmp_path / "mine.py").write_text("bonus = 1\n")
    (tmp_path / "broken.py").write_text("# a\n\nbonus = 1 / 0\n")
    (tmp_path / "wrong.py").write_text("def bonus(:\n")
    with pytest.raises(UserError, match=r"^[^\n]*$") as caught:
        extensions.resolve("reward", reference.format(tmp=tmp_path))
    assert said in str(caught.value)


def test_a_file_that_failed_can_be_mended_and_loaded(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("raise RuntimeError('no')\n")
    with pytest.raises(UserError):
        extensions.resolve("reward", f"{file}:bonus")
    file.write_text("bonus = 3  # now longer, so that no cached bytecode is taken for it\n")
    assert extensions.resolve("reward", f"{file}:bonus") == 3


def test_entry_points_of_installed_packages(tmp_path, monkeypatch):
    package = tmp_path / "someones-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: someones\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[farlands.rewards]\ntheirs = farlands.errors:nearest\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    extensions.entry_points.cache_clear()
    try:
        assert extensions.resolve("reward", "theirs").__name__ == "nearest"
        assert "theirs" in extensions.names("reward")
    finally:
        extensions.entry_points.cache_clear()
