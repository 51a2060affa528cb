"""What the environment says about processes that were started together."""

import pytest

from farlands.errors import UserError
from farlands.runtime.seat import Seat, find_seat

TORCHRUN = {
    "RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "MASTER_ADDR": "here",
    "TORCHELASTIC_RESTART_COUNT": "2",
}  # fmt: skip


def test_torchrun_is_understood():
    assert find_seat(TORCHRUN) == Seat(rank=5, size=8, local_rank=1, local_size=4, restart=2)


def test_nobody_has_given_a_seat():
    assert find_seat({}) is None
    assert find_seat({"RANK": "0", "WORLD_SIZE": "2"}) is None, "other programs set these too"


def test_one_process_a_machine_where_nothing_more_is_said():
    assert find_seat({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "a"}) == Seat(rank=1, size=2)


@pytest.mark.parametrize(
    "change",
    [{"RANK": "-1"}, {"RANK": "eight"}, {"RANK": "8"}, {"WORLD_SIZE": "0"}, {"LOCAL_RANK": "4"}, {"RANK": "²"},
     {"LOCAL_WORLD_SIZE": "9"}, {"WORLD_SIZE": ""}, {"RANK": "99999999999999999999"}],
)  # fmt: skip
def test_nonsense_is_refused(change):
    with pytest.raises(UserError, match=r"RANK|SIZE"):
        find_seat(TORCHRUN | change)
