from __future__ import annotations

import subprocess
import sys

import pytest

from farlands.runtime import quiet

START = """
import os, warp
from farlands.runtime.quiet import hush_warp
hush_warp()
warp.zeros(1, device="cpu")
os.write(2, b"still heard")
"""


def test_warp_starts_without_a_word_and_stderr_is_given_back():
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, timeout=120, check=True)
    assert (done.stdout, done.stderr) == (b"", b"still heard")


def test_errors_pass_through_closed_stderr(capfd):
    with pytest.raises(RuntimeError, match="cannot start"), quiet._stderr_closed():
        raise RuntimeError("cannot start")
    quiet.os.write(2, b"open again")
    assert capfd.readouterr().err == "open again"


def test_nothing_is_brought_in_for_worlds_without_warp():
    code = "import sys; from farlands.runtime.quiet import hush_warp; hush_warp(); assert 'warp' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], timeout=120, check=True)
