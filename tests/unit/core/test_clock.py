"""`time_now()` by a node's clock: what it gives while the record under it changes, and when that is spoilt."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from joule.core import ClockLaw, NodeClock, follow_clock, time_now
from joule.core.clock_law import LAW_BYTES

BOOT = bytes(16)
HOUR_US = 3_600_000_000


def boot_us():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


@pytest.fixture
def record():
    return bytearray(ClockLaw.start(BOOT, boot_us(), 10**15).pack())


@pytest.fixture
def clock(record):
    before = follow_clock(NodeClock(View(record)))
    yield record
    follow_clock(before)


class View:
    """Bytes that change, as a mapping gives them."""

    def __init__(self, data):
        self.data = data

    def __getitem__(self, part):
        return bytes(self.data[part])


def publish(record, law):
    record[:] = law.pack()


def law_of(record):
    return ClockLaw.unpack(bytes(record))


def test_without_a_node_s_clock_it_is_the_system_s():
    assert abs(time_now() - time.time_ns() // 1000) < 5000


def test_a_node_s_clock_counts_from_where_its_law_says(clock):
    before = boot_us()
    now = time_now()
    law = law_of(clock)
    assert law.node_us(before) <= now <= law.node_us(boot_us())
    assert type(now) is int


def test_a_new_law_counts_from_the_next_call_on(clock):
    time_now()
    publish(clock, law_of(clock).jump(boot_us(), 2 * 10**15))
    assert 2 * 10**15 <= time_now() < 2 * 10**15 + HOUR_US


def test_half_speed_begins_and_ends_by_itself(clock):
    start = boot_us()
    from joule.core.clock_law import Piece

    pieces = (Piece(0, 0, 1), Piece(start - 2000, 1000, 2), Piece(start + 100_000, 52_000, 1))
    publish(clock, ClockLaw(boot_id=BOOT, pieces=pieces, sequence=9))
    assert 2000 <= time_now() <= 1000 + (boot_us() - (start - 2000)) // 2 + 1
    while boot_us() < start + 100_000:
        assert time_now() <= 52_000 + max(0, boot_us() - start - 100_000)
    assert 52_000 <= time_now() <= 52_000 + boot_us() - start - 100_000


def test_a_spoilt_record_leaves_the_last_law_and_costs_a_moment_once(clock):
    before = time_now()
    clock[:] = b"\xff" * LAW_BYTES
    times = [time_now() for _ in range(1000)]  # looking for a whole record each time would take half a minute
    assert before <= times[0] <= times[-1] < before + HOUR_US
    publish(clock, ClockLaw.start(BOOT, boot_us(), 3 * 10**15, sequence=5))
    assert time_now() >= 3 * 10**15


def test_a_record_that_is_being_overwritten_is_waited_for(clock, monkeypatch):
    time_now()
    whole = ClockLaw.start(BOOT, boot_us(), 3 * 10**15, sequence=5).pack()
    clock[:64] = whole[:64]
    pauses = []

    def finish(duration_s):
        pauses.append(duration_s)
        clock[:] = whole

    monkeypatch.setattr(time, "sleep", finish)
    assert time_now() >= 3 * 10**15
    assert len(pauses) == 1


def test_a_record_without_a_law_is_no_clock():
    with pytest.raises(ValueError, match="no law"):
        NodeClock(View(bytearray(LAW_BYTES)))


def test_threads_never_see_the_time_run_backwards_while_laws_change(clock):
    wrong = []
    is_over = threading.Event()

    def look():
        last = 0
        while not is_over.is_set():
            now = time_now()
            if now < last:
                wrong.append((last, now))
            last = now

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 0.5
    for step in itertools.cycle([1, HOUR_US, 0]):
        law = law_of(clock)
        publish(clock, law.jump(boot_us(), law.node_us(boot_us()) + step))
        if time.monotonic() > end:
            break
    is_over.set()
    for thread in threads:
        thread.join()
    assert wrong == []
