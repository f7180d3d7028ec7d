"""The writer: what is stored, what is refused, what a dead writer leaves."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from joule.core import DATATYPES, Layout
from joule.errors import (
    DamagedLogError,
    DiskFullError,
    ForeignFileError,
    LayoutMismatchError,
    LogError,
    OutOfOrderError,
    StreamBusyError,
)
from joule.log import BREAK, DISK, DiskFiles, LogWriter, inspect_log, read_log

from .conftest import LAYOUT, abandon, rows_at


def stored_times(directory: Path) -> list[int | str]:
    """Timestamps in a log, with "break" between intervals."""
    found: list[int | str] = []
    for block in read_log(directory):
        found += ["break"] if block is BREAK else block["timestamp"].tolist()
    return found


def test_stored_rows_come_back_bit_for_bit(open_writer, directory):
    rows = rows_at([1, 5, 6])
    open_writer().store(rows)
    (block,) = read_log(directory)
    assert block.tobytes() == rows.tobytes()


@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("width", [1, 2, 1024])
def test_rows_of_every_layout_come_back_bit_for_bit_across_segments(tmp_path, datatype, width):
    layout = Layout(datatype, width)
    rows = np.frombuffer(np.random.default_rng(width).bytes(50 * layout.row_bytes), layout.dtype).copy()
    rows["timestamp"] = np.arange(-25, 25)
    writer = LogWriter(tmp_path, layout, stream="/a", holder="t", segment_bytes=64 + 10 * layout.row_bytes)
    for start in range(0, 50, 7):
        writer.store(rows[start : start + 7])
    writer.close()
    assert b"".join(block.tobytes() for block in read_log(tmp_path) if block is not BREAK) == rows.tobytes()


def test_a_huge_write_takes_no_memory_of_its_own(tmp_path):
    layout = Layout("int8", 1)
    rows = np.zeros(4_000_000, layout.dtype)
    rows["timestamp"] = np.arange(len(rows))
    writer = LogWriter(tmp_path, layout, stream="/a", holder="t")
    tracemalloc.start()
    try:
        writer.store(rows)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        writer.close()
    assert peak_bytes < 3_000_000  # a comparison of every row at once would take 4 MB
    assert inspect_log(tmp_path).rows == len(rows)


def test_rows_can_be_read_while_the_writer_is_open_and_after_it_has_closed(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([1, 2]))
    assert stored_times(directory) == [1, 2]
    writer.close()
    assert stored_times(directory) == [1, 2]


def test_the_next_writer_goes_on_behind_the_last_row(open_writer, directory):
    first = open_writer()
    first.store(rows_at([1, 2]))
    first.close()
    open_writer().store(rows_at([3]))
    assert stored_times(directory) == [1, 2, 3]


def test_rows_out_of_order_are_refused_and_the_others_stored(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([10, 20]))
    with pytest.raises(OutOfOrderError) as caught:
        writer.store(rows_at([20, 15, 30, 25, 30, 31]))
    assert stored_times(directory) == [10, 20, 30, 31]
    assert (caught.value.timestamp_us, caught.value.last_us, caught.value.refused) == (20, 20, 4)
    assert "/a/raw" in str(caught.value)
    assert inspect_log(directory).refused_rows == 4


def test_the_first_offender_is_named_with_the_row_before_it(open_writer):
    with pytest.raises(OutOfOrderError) as caught:
        open_writer().store(rows_at([1, 5, 4, 6]))
    assert (caught.value.timestamp_us, caught.value.last_us, caught.value.refused) == (4, 5, 1)


def test_a_timestamp_of_zero_and_a_row_of_zeros_are_legal(open_writer, directory):
    rows = np.zeros(1, LAYOUT.dtype)
    open_writer().store(rows)
    (block,) = read_log(directory)
    assert block.tobytes() == rows.tobytes()


def test_negative_timestamps_are_stored_in_order(open_writer, directory):
    open_writer().store(rows_at([-5, -3, 0, 4]))
    assert stored_times(directory) == [-5, -3, 0, 4]


def test_a_break_stands_between_the_rows_before_and_after_it(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([1, 2]))
    writer.mark_break()
    writer.store(rows_at([3]))
    assert stored_times(directory) == [1, 2, "break", 3]


def test_a_break_without_rows_since_the_last_one_is_no_break(open_writer, directory):
    writer = open_writer()
    writer.mark_break()
    writer.store(rows_at([1]))
    writer.mark_break()
    writer.mark_break()
    writer.close()
    writer = open_writer()
    writer.mark_break()
    writer.store(rows_at([2]))
    assert stored_times(directory) == [1, "break", 2]


def test_segments_roll_by_size_and_read_as_one(open_writer, directory):
    writer = open_writer(segment_bytes=200)
    for time in range(0, 100, 5):
        writer.store(rows_at(range(time, time + 5)))
    assert len(list(directory.glob("*.rows"))) > 5
    assert stored_times(directory) == list(range(100))


def test_segments_roll_by_the_time_they_span(open_writer, directory):
    writer = open_writer(segment_us=1000)
    for time in (0, 600, 1000, 1001, 5000):
        writer.store(rows_at([time]))
    names = sorted(path.name for path in directory.glob("*.rows"))
    assert names == [f"{first:020d}.rows" for first in (0, 3, 4)]


def test_a_write_larger_than_a_piece_is_stored_whole(open_writer, directory, monkeypatch):
    monkeypatch.setattr("joule.log._writer.PIECE_BYTES", 160)
    open_writer(segment_bytes=400).store(rows_at(range(1000)))
    assert stored_times(directory) == list(range(1000))


def test_bytes_behind_the_last_published_row_are_cut_off_by_the_next_writer(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([1, 2]))
    abandon(writer)
    with (directory / f"{0:020d}.rows").open("ab") as segment:
        segment.write(b"half a row that was never published")
    assert stored_times(directory) == [1, 2]
    open_writer().store(rows_at([3]))
    assert stored_times(directory) == [1, 2, 3]


@pytest.mark.parametrize("left", [b"", b"JOULEROW", None])
def test_a_segment_begun_by_a_dead_writer_is_taken_over(open_writer, directory, left):
    writer = open_writer()
    writer.store(rows_at([1, 2]))
    abandon(writer)
    header = (directory / f"{0:020d}.rows").read_bytes()[:16] + (2).to_bytes(8, "little")
    (directory / f"{2:020d}.rows").write_bytes(header[:10] if left is None else left)
    assert stored_times(directory) == [1, 2]
    open_writer().store(rows_at([3]))
    assert stored_times(directory) == [1, 2, 3]


def test_a_second_writer_is_refused_with_the_names_of_stream_and_holder(open_writer, directory):
    open_writer(holder="module 'first'")
    with pytest.raises(StreamBusyError, match="/a/raw.*this process"):
        open_writer()
    program = (
        "import sys; from pathlib import Path; from joule.core import Layout; from joule.log import LogWriter\n"
        "from joule.errors import StreamBusyError\n"
        "try: LogWriter(Path(sys.argv[1]), Layout('int32', 2), stream='/a/raw', holder='x')\n"
        "except StreamBusyError as error: print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", program, directory], capture_output=True, text=True, check=True)
    assert "/a/raw" in answer.stdout
    assert f"module 'first', process {os.getpid()}" in answer.stdout


def test_another_layout_is_refused_with_both_named(open_writer, directory):
    open_writer().close()
    with pytest.raises(LayoutMismatchError, match=r"int32_2.*float64_1"):
        LogWriter(directory, Layout("float64", 1), stream="/a/raw", holder="x")


def test_a_foreign_file_in_a_segments_place_is_named_and_left_alone(open_writer, directory):
    open_writer().close()
    segment = directory / f"{0:020d}.rows"
    segment.write_bytes(b"my holiday pictures, which must survive" * 10)
    with pytest.raises(ForeignFileError, match=segment.name):
        open_writer()
    assert segment.read_bytes().startswith(b"my holiday pictures")


def test_a_segment_that_lost_its_end_is_named_and_left_alone(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at(range(10)))
    writer.close()
    segment = directory / f"{0:020d}.rows"
    os.truncate(segment, 100)
    with pytest.raises(LogError, match=f"{segment.name}.*lacks its last"):
        open_writer()
    assert segment.stat().st_size == 100


def test_a_segment_behind_the_end_of_the_log_is_named_and_left_alone(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([1]))
    writer.close()
    stray = directory / f"{77:020d}.rows"
    stray.write_bytes((directory / f"{0:020d}.rows").read_bytes())
    with pytest.raises(DamagedLogError, match=stray.name):
        open_writer()
    assert stray.exists()


def test_other_files_in_the_directory_are_left_alone(open_writer, directory):
    open_writer().close()
    note = directory / "note to self.txt"
    note.write_text("calibrated on Monday")
    open_writer().store(rows_at([1]))
    assert note.read_text() == "calibrated on Monday"


class FullDisk(DiskFiles):
    """A disk that takes so many more bytes of rows, and writes what fits before it says that it is full."""

    room = 10_000

    def write(self, fd, data, size, offset):
        if isinstance(data, bytes):  # heads and headers
            return DISK.write(fd, data, size, offset)
        if size > self.room:
            part = np.frombuffer(memoryview(data), np.uint8)[: self.room]
            DISK.write(fd, part, len(part), offset)
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= size
        return DISK.write(fd, data, size, offset)


def test_a_full_disk_stores_nothing_by_halves_and_goes_on_when_there_is_room(open_writer, directory):
    files = FullDisk()
    writer = open_writer(files=files)
    files.room = 100
    with pytest.raises(DiskFullError) as caught:
        writer.store(rows_at(range(10)))
    assert caught.value.done == 0
    assert stored_times(directory) == []
    files.room = 10_000
    writer.store(rows_at(range(10)))
    assert stored_times(directory) == list(range(10))


def test_a_full_disk_says_how_far_a_large_write_has_come(open_writer, directory, monkeypatch):
    monkeypatch.setattr("joule.log._writer.PIECE_BYTES", 160)
    files = FullDisk()
    writer = open_writer(files=files)
    files.room = 400
    rows = rows_at(range(50))
    with pytest.raises(DiskFullError) as caught:
        writer.store(rows)
    assert stored_times(directory) == list(range(caught.value.done))
    assert caught.value.done == 20
    files.room = 10_000
    writer.store(rows[caught.value.done :])
    assert stored_times(directory) == list(range(50))


def test_a_full_disk_in_the_middle_of_disorder_counts_rows_of_the_callers_array(open_writer, directory, monkeypatch):
    monkeypatch.setattr("joule.log._writer.PIECE_BYTES", 160)
    files = FullDisk()
    writer = open_writer(files=files)
    files.room = 200
    rows = rows_at([*range(1, 9), 3, 4, *range(10, 20)])
    with pytest.raises(DiskFullError) as caught:
        writer.store(rows)
    files.room = 10_000
    writer.store(rows[caught.value.done :])
    assert stored_times(directory) == [*range(1, 9), *range(10, 20)]
    assert inspect_log(directory).refused_rows == 2


# Resuming


def test_a_resumed_module_may_write_again_what_is_stored(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([1, 2, 3, 4]))
    writer.resume(1)
    writer.store(rows_at([2, 3]))
    writer.store(rows_at([4, 5]))
    assert stored_times(directory) == [1, 2, 3, 4, 5]
    assert inspect_log(directory).repeated_rows == 3


def test_no_more_rows_are_dropped_than_were_stored_behind_the_commit(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([1, 2, 3]))
    writer.resume(2)
    with pytest.raises(OutOfOrderError) as caught:
        writer.store(rows_at([3, 2, 4]))
    assert caught.value.refused == 1
    assert stored_times(directory) == [1, 2, 3, 4]


def test_breaks_are_ignored_while_rows_are_written_again_and_obeyed_behind_them(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([1, 2]))
    writer.mark_break()
    writer.store(rows_at([3]))
    writer.resume(0)
    writer.store(rows_at([1, 2]))
    writer.mark_break()
    writer.store(rows_at([3]))
    writer.mark_break()
    writer.store(rows_at([4]))
    assert stored_times(directory) == [1, 2, "break", 3, "break", 4]


def test_the_resume_is_over_with_the_first_newer_row(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([1, 2, 3]))
    writer.resume(0)
    writer.store(rows_at([2, 10]))
    writer.mark_break()
    writer.store(rows_at([11]))
    assert stored_times(directory) == [1, 2, 3, 10, "break", 11]


def test_logical_rows_count_what_was_written_again(open_writer):
    writer = open_writer()
    writer.store(rows_at([1, 2, 3]))
    writer.resume(1)
    assert writer.logical_rows == 1
    writer.store(rows_at([2]))
    assert writer.logical_rows == 2
    writer.store(rows_at([3, 4]))
    assert writer.logical_rows == 4


def test_a_restarted_reader_begins_an_interval_and_its_overlap_is_dropped_and_counted(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([1, 2, 3]))
    writer.restart_reader()
    writer.store(rows_at([2, 3, 4, 5]))
    assert stored_times(directory) == [1, 2, 3, "break", 4, 5]
    assert inspect_log(directory).repeated_rows == 2
    with pytest.raises(OutOfOrderError):
        writer.store(rows_at([5, 6]))


def test_a_restarted_reader_may_overlap_with_more_rows_than_are_stored(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([0, 100]))
    writer.restart_reader()
    writer.store(rows_at([10, 20, 30, 40, 110]))
    assert stored_times(directory) == [0, 100, "break", 110]
    assert inspect_log(directory).repeated_rows == 4


def test_a_full_disk_behind_repeated_rows_counts_rows_of_the_callers_array(open_writer, directory, monkeypatch):
    monkeypatch.setattr("joule.log._writer.PIECE_BYTES", 160)
    files = FullDisk()
    writer = open_writer(files=files)
    writer.store(rows_at(range(5)))
    writer.resume(0)
    files.room = 200
    rows = rows_at([*range(1, 20), 12, *range(20, 30)])
    with pytest.raises(DiskFullError) as caught:
        writer.store(rows)
    assert stored_times(directory)[-1] == rows["timestamp"][caught.value.done - 1]
    files.room = 10_000
    with contextlib.suppress(OutOfOrderError):
        writer.store(rows[caught.value.done :])
    assert stored_times(directory) == list(range(30))
    assert inspect_log(directory).refused_rows == 1


@pytest.mark.parametrize("times", [[-(2**63) + 1, 0, 2**63 - 1], [0, 10**15, 2 * 10**15, 2**63 - 1]])
def test_wild_timestamps_are_stored_in_segments_of_their_own_and_found(open_writer, directory, times):
    writer = open_writer(segment_us=1000)
    for time in times:
        writer.store(rows_at([time]))
    assert stored_times(directory) == times
    for time in times:
        assert next(iter(read_log(directory, start_us=time)))["timestamp"][0] == time


def test_the_first_write_of_a_new_stream_is_checked_as_any_other(open_writer):
    writer = open_writer()
    writer.restart_reader()
    with pytest.raises(OutOfOrderError):
        writer.store(rows_at([2, 1]))
