"""Which rows are stored: each newer than all before it, none too far ahead of the clock, whatever stands beside it."""

from __future__ import annotations

import errno
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.core import time_now
from joule.errors import DiskFullError, OutOfOrderError, TooFarAheadError, from_wire
from joule.log import DiskFiles, LogWriter, inspect_log, read_log
from joule.log._head import HEAD_NAME, HeadFile
from joule.log._order import Horizon, sift

from .conftest import LAYOUT, abandon, rows_at

DAY_US = 86_400_000_000
LIMITS = st.integers(-(2**63), 2**63 - 1)


def stored_times(directory):
    return [time for block in read_log(directory) for time in block["timestamp"].tolist()]


@given(st.lists(st.integers(-5, 20), min_size=1, max_size=30), st.integers(-5, 10), st.integers(0, 25))
def test_a_row_is_good_when_it_is_newer_than_every_good_one_before_and_not_too_late(times, last_us, latest_us):
    expected, newest = [], last_us
    for time in times:
        expected.append(newest < time <= latest_us)
        newest = time if expected[-1] else newest
    assert sift(np.array(times), last_us, latest_us).tolist() == expected


@given(st.lists(LIMITS, min_size=1), LIMITS, LIMITS)
def test_any_timestamps_can_be_sifted(times, last_us, latest_us):
    good = sift(np.array(times, np.int64), last_us, latest_us)
    kept = [last_us, *np.array(times, np.int64)[good].tolist()]
    assert sorted(set(kept)) == kept


def test_a_wild_timestamp_costs_itself_and_no_other_row(open_writer, directory):
    writer = open_writer(max_ahead_us=DAY_US)
    now_us = time_now()
    times = [now_us, now_us + 3650 * DAY_US, now_us + 1, now_us + DAY_US // 2, now_us + 2 * DAY_US]
    with pytest.raises(TooFarAheadError, match="'/a/raw'.*10 years ahead.*1 day ahead at most; 2 rows refused"):
        writer.store(rows_at(times))
    assert stored_times(directory) == [now_us, now_us + 1, now_us + DAY_US // 2]
    writer.store(rows_at([now_us + DAY_US // 2 + 1]))
    summary = inspect_log(directory)
    assert (summary.refused_rows, summary.ahead_rows) == (2, 2)


def test_rows_in_order_and_all_too_far_ahead_are_all_refused(open_writer, directory):
    writer = open_writer(max_ahead_us=DAY_US)
    now_us = time_now()
    with pytest.raises(TooFarAheadError) as caught:
        writer.store(rows_at([now_us + 2 * DAY_US, now_us + 3 * DAY_US]))
    assert (caught.value.timestamp_us, caught.value.refused) == (now_us + 2 * DAY_US, 2)
    assert now_us + DAY_US <= caught.value.last_us <= time_now() + DAY_US
    assert stored_times(directory) == []


def test_the_first_offender_names_the_fault_and_both_kinds_are_counted(open_writer, directory):
    writer = open_writer(max_ahead_us=DAY_US)
    now_us = time_now()
    with pytest.raises(OutOfOrderError, match="must increase") as caught:
        writer.store(rows_at([now_us, now_us, now_us + 9 * DAY_US, now_us + 1]))
    assert (type(caught.value), caught.value.refused) == (OutOfOrderError, 2)
    assert (inspect_log(directory).refused_rows, inspect_log(directory).ahead_rows) == (2, 1)


def test_without_a_limit_any_time_is_stored(open_writer, directory):
    open_writer().store(rows_at([1, 2**63 - 1]))
    assert stored_times(directory) == [1, 2**63 - 1]


def test_a_limit_of_three_hundred_thousand_years_is_one_too(open_writer):
    open_writer(max_ahead_us=2**63 - 1).store(rows_at([1, 2**63 - 1]))


def test_the_clock_is_asked_only_about_what_was_too_far_ahead_before(monkeypatch):
    asked = []
    monkeypatch.setattr("joule.log._order.time_now", lambda: asked.append(1) or 1000)
    horizon = Horizon(100)
    assert [horizon.includes(time) for time in (5, 900, 1100, 1100)] == [True] * 4
    assert len(asked) == 1
    assert not horizon.includes(1101)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1000, "nanoseconds.*divide by 1000"), (1e-3, "milliseconds.*multiply by 1000:?$"), (1e-6, "seconds.*1000000")],
)
def test_a_timestamp_in_another_unit_is_told_as_such(open_writer, factor, words):
    writer = open_writer(max_ahead_us=DAY_US)
    now_us = time_now()
    writer.store(rows_at([now_us]))
    with pytest.raises(OutOfOrderError, match=words):
        writer.store(rows_at([int((now_us + 1000) * factor)]))


def test_the_error_is_the_same_on_the_other_side_of_http():
    error = TooFarAheadError("/a", 9 * DAY_US, DAY_US, DAY_US // 2, 3)
    again = from_wire(error.to_wire())
    assert (type(again), again.message) == (TooFarAheadError, error.message)
    assert (again.timestamp_us, again.last_us, again.refused) == (9 * DAY_US, DAY_US + DAY_US // 2, 3)


def test_a_full_disk_between_refused_rows_counts_each_of_them_once(directory, monkeypatch):
    monkeypatch.setattr("joule.log._writer.PIECE_BYTES", 2 * LAYOUT.row_bytes)
    full = [True]

    class Disk(DiskFiles):
        def write(self, fd, data, size, offset):
            if size == 2 * LAYOUT.row_bytes and offset > 64 and full:
                raise OSError(errno.ENOSPC, "full")
            super().write(fd, data, size, offset)

    writer = LogWriter(directory, LAYOUT, stream="/a", holder="t", max_ahead_us=DAY_US, files=Disk())
    now_us = time_now()
    far = now_us + 9 * DAY_US
    rows = rows_at([now_us, far, now_us + 1, far, now_us + 2, now_us + 3, far])
    with pytest.raises(DiskFullError) as caught:
        writer.store(rows)
    full.clear()
    with pytest.raises(TooFarAheadError):
        writer.store(rows[caught.value.done :])
    writer.close()
    assert stored_times(directory) == [now_us, now_us + 1, now_us + 2, now_us + 3]
    assert (inspect_log(directory).refused_rows, inspect_log(directory).ahead_rows) == (3, 3)


def test_a_head_of_the_first_version_has_no_rows_ahead(open_writer, directory):
    """What was written before the field came has zeros there, and a checksum over them."""
    writer = open_writer()
    writer.store(rows_at([1]))
    abandon(writer)
    record = (directory / HEAD_NAME).read_bytes()
    assert struct.unpack_from("<Q", record, 72) == (0,)
    assert HeadFile(directory).load().ahead == 0
