"""What pages may say: read, or refused in one line."""

from __future__ import annotations

import dataclasses
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.errors import UserError
from farlands.studio.messages import KINDS, MOST_BYTES, LookInto, ShowWall, frame, read_message


def test_messages_are_read():
    assert read_message('{"type": "show-wall", "run": "r", "worlds": 4, "rate": 5}') == ShowWall("r", 4, 5.0)
    assert read_message(b'{"type": "look-into", "world": -1}') == LookInto(-1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 4_000, "not JSON"),
        ("[]", "not a JSON object"),
        ("3", "not a JSON object"),
        ("{}", "unknown message type"),
        ('{"type": "show-wal"}', "did you mean show-wall?"),
        ('{"type": ["show-wall"]}', "unknown message type"),
        ('{"type": "show-wall"}', "run is missing"),
        ('{"type": "show-wall", "run": 3}', "expected str"),
        ('{"type": "show-wall", "run": "r", "wrlds": 3}', "did you mean worlds?"),
        ('{"type": "show-wall", "run": "r", "worlds": 1e9}', "expected int"),
        ('{"type": "show-wall", "run": "r", "worlds": 1000}', "it must be in [1, 64]"),
        ('{"type": "show-wall", "run": "r", "rate": NaN}', "it must be in"),
        ('{"type": "show-wall", "run": "r", "rate": 1' + "0" * 400 + "}", "rate"),
        ('{"type": "enter", "beside": "everybody"}', "one of"),
        ("x" * (MOST_BYTES + 1), "at most 4096 bytes"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_others_are_refused_in_one_line(text, said):
    with pytest.raises(UserError) as caught:
        read_message(text)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
FIELDS = sorted({item.name for kind in KINDS.values() for item in dataclasses.fields(kind)})


@settings(max_examples=600)
@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4))
def test_fuzzed_messages_are_read_or_refused(kind, fields):
    try:
        message = read_message(json.dumps({"type": kind, **fields}))
    except UserError:
        return
    assert type(message) is KINDS[kind]


@settings(max_examples=300)
@given(st.one_of(st.text(), st.binary()))
def test_fuzzed_noise_is_refused(noise):
    with pytest.raises(UserError):
        read_message(noise)


def test_frames_carry_what_they_are_about():
    data = frame({"type": "wall", "columns": 4}, b"picture")
    (length,) = struct.unpack_from("<I", data)
    assert json.loads(data[4 : 4 + length]) == {"type": "wall", "columns": 4}
    assert data[4 + length :] == b"picture"
