from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farlands.errors import UserError, first_line, nearest


def test_names_value_allowed_and_nearest():
    error = UserError("unknown world", "voxl", ["voxel", "cue-corridor"])
    assert str(error) == "unknown world 'voxl'; did you mean voxel? (one of: cue-corridor, voxel)"


def test_phrase_stands_after_value():
    assert str(UserError("--steps is", "x", "expected a whole number")) == "--steps is 'x'; expected a whole number"


def test_long_lists_are_left_out_once_the_nearest_is_known():
    names = [f"--flag-{index}" for index in range(30)]
    assert str(UserError("unknown flag", "--flag-07", names)).count("--flag") == 2
    assert "and 18 more" in str(UserError("unknown flag", "zzz", names))


@given(st.text(), st.text(), st.lists(st.text(), max_size=20))
def test_always_one_printable_line(what, value, allowed):
    text = str(UserError(what, value, allowed))
    assert len(text.splitlines()) <= 1


def test_nearest_gives_none_for_strangers():
    assert nearest("qqqq", ["voxel"]) is None


def test_first_line_joins_lines():
    assert first_line(ValueError("a\n  b")) == "ValueError: a b"
    assert first_line(KeyError()) == "KeyError"
