"""The verb `tasks`: what it prints, what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from farlands.cli import main
from farlands.runtime.tasks import ACTIONS, UNSOLVABLE
from farlands.worlds.voxel.tasks.manual import combinator_table, group_line, predicate_table
from farlands.worlds.voxel.tasks.splits import TOP_BIT

PAGE = Path(__file__).parents[2] / "docs" / "tasks.md"


def said(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["tasks", *argv]) == code
    captured = capsys.readouterr()
    return captured.err if code == 2 else captured.out


def test_samples_are_a_file_that_check_accepts(capsys, tmp_path):
    lines = said(capsys, "sample", "--count", "5", "--depths", "3", "7")
    assert len(lines.splitlines()) == 5
    assert said(capsys, "sample", "--count", "5", "--depths", "3", "7") == lines
    assert all("# depth 3," in line or "# depth 7," in line for line in lines.splitlines())
    path = tmp_path / "tasks.txt"
    path.write_text("# a comment\n\n" + lines)
    checked = said(capsys, "check", str(path))
    assert checked.count("solvable, depth") == 5
    assert f"{path}:3: " in checked


def test_a_split_by_seed_sets_or_clears_the_top_bit(capsys):
    for part, expected in (("train", 0), ("test", TOP_BIT)):
        lines = said(capsys, "sample", "--count", "3", "--split", f"seed:{part}").splitlines()
        seeds = [int(line.split("seed ")[1].split(":")[0]) for line in lines]
        assert all(seed & TOP_BIT == expected for seed in seeds)


def test_show_tells_all_about_a_task(capsys):
    shown = said(capsys, "show", "sequence(gain(log, 2), within(90, craft(planks)))")
    assert "First gain 2 logs, then (within 90 steps craft 1 plank)." in shown
    assert "solvable, depth 2" in shown
    assert "sequence(gain,within(craft))" in shown
    assert "oak_log, planks" in shown
    program = [line for line in shown.splitlines() if line.split()[-1].startswith(("sequence", "within", "craft"))]
    assert len(program) >= 3
    assert said(capsys, "show", "gain(diamond)", "--start-kit", "iron_pickaxe").count("depth 1,") == 1


def test_check_fails_for_what_cannot_be_solved(capsys):
    checked = said(capsys, "check", "gain(log)", "gain(obsidian)", code=UNSOLVABLE)
    assert checked.splitlines()[0].startswith("gain(log): solvable")
    assert (
        checked.splitlines()[1] == "gain(obsidian): not solvable: gain(obsidian): there is no way to come by obsidian"
    )
    assert "not solvable" in said(capsys, "check", "place(planks)", code=UNSOLVABLE)
    assert "solvable" in said(capsys, "check", "place(planks)", "--actions", "factored")
    assert "solvable" in said(capsys, "check", "gain(leather)")
    assert "not solvable" in said(capsys, "check", "gain(leather)", "--creatures", "none", code=UNSOLVABLE)
    assert "not solvable" in said(capsys, "check", "eat(bread)", code=UNSOLVABLE)
    assert "solvable" in said(capsys, "check", "eat(bread)", "--growth-rate", "10")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "needs sample|show|check|grammar first"),
        (["sampl"], "did you mean sample?"),
        (["sample", "x"], "unexpected argument 'x'"),
        (["sample", "--cout", "3"], "did you mean --count?"),
        (["sample", "--count", "0"], "--count is '0'; it must be in 1 to"),
        (["sample", "--seed", "-1"], "--seed is '-1'"),
        (["sample", "--depths", "3", "99"], "nothing of depth 99 can be had"),
        (["sample", "--depths", "7", "--split", "depth:train"], "none of the depths is of split depth:train"),
        (["sample", "--split", "structur:test"], "did you mean 'structure'?"),
        (["sample", "--min-share", "2"], "--min-share is '2.0'"),
        (["sample", "--horizon", "0"], "--horizon is '0'"),
        (["sample", "--growth-rate", "-1"], "--growth-rate is '-1.0'"),
        (["sample", "--creatures", "some"], "--creatures"),
        (["sample", "--start-kit", "woden_axe"], "did you mean 'wooden_axe'?"),
        (["sample", "--start-kit", "dirt:0"], "is not ITEM or ITEM:COUNT"),
        (["show"], "needs a task"),
        (["show", "gan(log)"], "did you mean 'gain'?"),
        (["check", "gain(lgo)"], "did you mean 'log'?"),
        (["check", "/no/such/file"], "unexpected '/' at character 1"),
    ],
)
def test_mistakes_give_one_line(capsys, argv, says):
    line = said(capsys, *argv, code=2)
    assert says in line
    assert line.startswith("farlands: ")
    assert line.count("\n") == 1


def test_mistakes_in_files_name_the_line(capsys, tmp_path):
    path = tmp_path / "tasks.txt"
    path.write_text("gain(log)\nall(gain(log), gan(dirt))\n")
    assert f"{path}:2: task: no predicate named 'gan'" in said(capsys, "check", str(path), code=2)
    path.write_text("# nothing\n")
    assert "no task in" in said(capsys, "check", str(path), code=2)
    path.write_bytes(b"\xff\xfe\x00gain")
    assert "cannot read" in said(capsys, "check", str(path), code=2)


def test_the_page_holds_the_grammar_as_it_is(capsys):
    tables = [predicate_table(), combinator_table(), group_line()]
    printed = said(capsys, "grammar")
    page = PAGE.read_text(encoding="utf-8")
    for table in tables:
        assert table in printed
        assert table in page, "python benchmarks/tasks.py grammar --write docs/tasks.md"


def test_neither_torch_nor_warp_is_needed():
    code = (
        "import sys; from farlands.cli import main; code = main(sys.argv[1:]);"
        "heavy = {'torch', 'warp', 'numba'} & set(sys.modules); sys.exit(f'imported {heavy}' if heavy else code)"
    )
    for argv in (["sample", "--count", "2"], ["show", "gain(log)"], ["--help"]):
        done = subprocess.run([sys.executable, "-c", code, "tasks", *argv], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


def test_help_names_every_action(capsys):
    text = said(capsys, "--help")
    assert "|".join(ACTIONS) in text
