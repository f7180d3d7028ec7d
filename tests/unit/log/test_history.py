"""Looking at a log from outside: ranges, summaries, trimming, cursors."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.core import Layout
from joule.errors import DamagedLogError, ForeignFileError
from joule.log import (
    BREAK,
    CursorFile,
    DiskFiles,
    InputPosition,
    LogReader,
    LogWriter,
    create_log,
    cursor_path,
    ensure_cursors,
    inspect_log,
    lowest_rows,
    read_log,
    trim_log,
)

from .conftest import LAYOUT, rows_at


def times_in(directory, start_us=None, end_us=None):
    found = []
    for block in read_log(directory, start_us, end_us):
        found += ["break"] if block is BREAK else block["timestamp"].tolist()
    return found


@pytest.fixture
def filled(open_writer, directory):
    """Rows 0, 10, ... 190 with breaks before 50 and 120, in many segments."""
    writer = open_writer(segment_bytes=64 + 3 * 16)
    for time in range(0, 200, 10):
        if time in (50, 120):
            writer.mark_break()
        writer.store(rows_at([time]))
    return directory


@given(st.integers(-5, 205), st.integers(-5, 205))
def test_a_range_gives_its_rows_and_the_breaks_between_them(tmp_path_factory, start, end):
    directory = tmp_path_factory.getbasetemp() / "range-log"
    if not directory.exists():
        writer = LogWriter(directory, LAYOUT, stream="/a", holder="x", segment_bytes=64 + 3 * 16)
        for time in range(0, 200, 10):
            if time in (50, 120):
                writer.mark_break()
            writer.store(rows_at([time]))
        writer.close()
    expected: list[int | str] = []
    for time in range(0, 200, 10):
        if start <= time < end:
            if expected and time in (50, 120):
                expected.append("break")
            expected.append(time)
    assert times_in(directory, start, end) == expected


def test_a_summary_says_what_there_is(filled):
    summary = inspect_log(filled)
    assert (summary.rows, summary.stored_rows, summary.first_us, summary.last_us) == (20, 20, 0, 190)
    assert (summary.intervals, summary.layout, summary.stream) == (3, LAYOUT, "/a/raw")
    assert summary.writer is not None
    assert summary.size_bytes == sum(path.stat().st_size for path in filled.glob("*.rows"))


def test_a_log_without_rows_has_a_summary_too(tmp_path):
    create_log(tmp_path / "log", LAYOUT, "/a")
    summary = inspect_log(tmp_path / "log")
    assert (summary.rows, summary.first_us, summary.last_us) == (0, None, None)
    assert (summary.intervals, summary.writer) == (0, None)
    assert list(read_log(tmp_path / "log")) == []


def test_trimming_removes_whole_segments_that_are_old_and_read(filled):
    removed = trim_log(filled, before_us=100, keep_from_row=None)
    assert removed == 9
    assert times_in(filled) == [90, 100, 110, "break", *range(120, 200, 10)]
    summary = inspect_log(filled)
    assert (summary.rows, summary.stored_rows, summary.first_us, summary.intervals) == (11, 20, 90, 2)


def test_trimming_leaves_what_a_cursor_still_needs(filled):
    assert trim_log(filled, before_us=10_000, keep_from_row=4) == 3
    assert times_in(filled)[0] == 30


def test_trimming_leaves_the_newest_segment(filled):
    trim_log(filled, before_us=10_000, keep_from_row=None)
    assert times_in(filled) == [180, 190]


def test_a_reader_goes_on_reading_a_segment_that_was_trimmed_under_it(filled):
    with LogReader(filled) as log:
        head = log.head()
        log.copy(0, 1)
        trim_log(filled, before_us=10_000, keep_from_row=None)
        assert log.copy(0, 3)["timestamp"].tolist() == [0, 10, 20]
        assert log.copy(18, head.end)["timestamp"].tolist() == [180, 190]


def test_rows_trimmed_before_they_were_read_are_a_hole(filled):
    with LogReader(filled) as log:
        head = log.head()
        trim_log(filled, before_us=10_000, keep_from_row=None)
        assert log.copy(3, head.end)["timestamp"].tolist() == [180, 190]
        assert log.segments.count(3, head.end) == 2
        assert log.segments.advance(3, 1) == 19


# Cursors


@pytest.fixture
def two_logs(tmp_path):
    logs = {}
    for name in ("raw", "out"):
        logs[name] = tmp_path / name
        writer = LogWriter(logs[name], Layout("int8", 1), stream=f"/{name}", holder="x")
        rows = np.zeros(3, Layout("int8", 1).dtype)
        rows["timestamp"] = [1, 2, 3]
        writer.store(rows)
        writer.mark_break()
        writer.close()
    return logs


def test_a_new_input_begins_at_the_end_of_a_log_that_has_rows_and_at_row_0_of_a_new_one(two_logs, tmp_path):
    create_log(tmp_path / "new", Layout("int8", 1), "/new")
    path = cursor_path(tmp_path / "data", "my module")
    ensure_cursors(path, "my module", {"a": two_logs["raw"], "b": tmp_path / "new"}, {"o": two_logs["out"]})
    cursors = CursorFile(path)
    assert cursors.inputs == {"a": InputPosition(3, 1), "b": InputPosition(0, 0)}
    assert cursors.outputs == {"o": 3}
    cursors.close()


def test_positions_are_kept_for_the_same_pipes_and_dropped_with_the_others(two_logs, tmp_path):
    path = tmp_path / "m.cursor"
    ensure_cursors(path, "m", {"a": two_logs["raw"]}, {"o": two_logs["out"]})
    cursors = CursorFile(path)
    cursors.commit([InputPosition(1, 0)], [2])
    cursors.close()
    ensure_cursors(path, "m", {"a": two_logs["raw"], "b": two_logs["out"]}, {"o": two_logs["raw"]})
    cursors = CursorFile(path)
    assert cursors.inputs == {"a": InputPosition(1, 0), "b": InputPosition(3, 1)}
    assert cursors.outputs == {"o": 3}
    cursors.close()


def test_a_log_that_was_made_anew_is_read_from_its_beginning(two_logs, tmp_path):
    path = tmp_path / "m.cursor"
    ensure_cursors(path, "m", {"a": two_logs["raw"]}, {})
    shutil.rmtree(two_logs["raw"])
    create_log(two_logs["raw"], Layout("int8", 1), "/raw")
    ensure_cursors(path, "m", {"a": two_logs["raw"]}, {})
    cursors = CursorFile(path)
    assert cursors.inputs == {"a": InputPosition(0, 0)}
    cursors.close()


@pytest.mark.parametrize(("damaged_slot", "row"), [(0, 2), (1, 1)])
def test_one_of_two_records_may_be_damaged(two_logs, tmp_path, damaged_slot, row):
    path = tmp_path / "m.cursor"
    ensure_cursors(path, "m", {"a": two_logs["raw"]}, {"o": two_logs["out"]})
    cursors = CursorFile(path)
    cursors.commit([InputPosition(1, 0)], [1])
    cursors.commit([InputPosition(2, 0)], [2])
    cursors.close()
    data = bytearray(path.read_bytes())
    data[cursors._slots + damaged_slot * 512 + 20] ^= 1
    path.write_bytes(data)
    cursors = CursorFile(path)
    assert cursors.inputs["a"].row == row
    cursors.close()


def test_cursor_files_that_are_none_are_named_and_left_alone(tmp_path):
    path = tmp_path / "m.cursor"
    path.write_bytes(b"not a cursor file, by far not")
    with pytest.raises(ForeignFileError, match=r"m\.cursor"):
        ensure_cursors(path, "m", {}, {})
    assert path.read_bytes().startswith(b"not a cursor")


def test_both_records_damaged_are_said_to_be(two_logs, tmp_path):
    path = tmp_path / "m.cursor"
    ensure_cursors(path, "m", {"a": two_logs["raw"]}, {})
    cursors = CursorFile(path)
    cursors.close()
    path.write_bytes(path.read_bytes()[: cursors._slots])
    with pytest.raises(DamagedLogError, match="neither"):
        CursorFile(path)


def test_the_lowest_position_of_all_modules_counts_for_trimming(two_logs, tmp_path):
    for module, row in (("one", 2), ("a/b \u00b5", 1)):
        path = cursor_path(tmp_path, module)
        ensure_cursors(path, module, {"a": two_logs["raw"]}, {})
        cursors = CursorFile(path)
        cursors.commit([InputPosition(row, 0)], [])
        cursors.close()
    with LogReader(two_logs["raw"]) as log:
        assert lowest_rows(tmp_path / "cursors") == {log.identity.log_id: 1}
    assert lowest_rows(tmp_path / "none") == {}


def test_a_segment_trimmed_while_the_directory_is_looked_at_is_a_hole(filled):
    class TrimsMeanwhile(DiskFiles):
        def names(self, directory):
            found = super().names(directory)
            for name in sorted(name for name in os.listdir(directory) if name.endswith(".rows"))[:2]:
                os.unlink(directory / name)
            return found

    with LogReader(filled, TrimsMeanwhile()) as log:
        head = log.head()
        rows = log.copy(0, head.end)
        assert 0 < len(rows) < head.stored
        assert len(rows) == log.segments.count(0, head.end)
    assert inspect_log(filled).rows == len(rows)


def test_a_break_whose_interval_is_trimmed_while_it_is_read_is_none(open_writer, directory):
    writer = open_writer(segment_us=5)
    for time in (0, 100, 200, 300):
        writer.store(rows_at([time]))
        writer.mark_break()
    blocks = read_log(directory)
    first = next(blocks)
    trim_log(directory, before_us=300, keep_from_row=None)
    rest = [block if block is BREAK else block["timestamp"].tolist() for block in blocks]
    assert (first["timestamp"].tolist(), rest) == ([0], [BREAK, [300]])


def test_an_output_under_another_name_keeps_its_position_and_an_input_does_not(two_logs, tmp_path):
    raw, other = two_logs["raw"], two_logs["out"]
    path = tmp_path / "m.cursor"
    ensure_cursors(path, "m", {"in": raw}, {"out": other})
    cursors = CursorFile(path)
    cursors.commit([InputPosition(0, 0)], [1])
    cursors.close()
    ensure_cursors(path, "m", {"renamed in": raw}, {"renamed out": other})
    cursors = CursorFile(path)
    cursors.close()
    assert (cursors.inputs["renamed in"].row > 0, cursors.outputs) == (True, {"renamed out": 1})


def test_the_rate_is_that_of_the_newest_ten_seconds(open_writer, directory):
    writer = open_writer(segment_bytes=64 + 3 * 16)
    for seconds in (0, 1, 100):
        writer.store(rows_at([seconds * 1_000_000]))
    assert inspect_log(directory).rate_hz is None
    for seconds in (104, 105, 106, 107, 108):
        writer.store(rows_at([seconds * 1_000_000]))
    assert inspect_log(directory).rate_hz == 5 / 8
    writer.store(rows_at([112_000_000]))
    assert inspect_log(directory).rate_hz == 5 / 8
