"""A process that does nothing any more is ended; one that works is left alone."""

import threading
import time

from farlands.runtime.watchdog import Watchdog


def test_silence_ends_it_and_says_in_what():
    said, ended = [], threading.Event()
    watchdog = Watchdog(0.2, lambda words: (said.append(words), ended.set()))
    watchdog.note("collect of update 3")
    assert ended.wait(30)
    assert said[0].startswith("stuck for 0 s in collect of update 3")
    watchdog.close()


def test_work_is_left_alone():
    said = []
    watchdog = Watchdog(5.0, said.append)
    for update in range(8):
        watchdog.note(f"learn of update {update}")
        time.sleep(0.02)
    watchdog.close()
    assert said == []


def test_no_watch_no_thread():
    before = threading.active_count()
    watchdog = Watchdog(0.0)
    assert threading.active_count() == before
    watchdog.note("collect")
    watchdog.close()
