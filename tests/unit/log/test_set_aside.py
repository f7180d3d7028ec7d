"""Setting the newest rows of a log aside: none is lost, the log goes on behind a hole, and a crash costs nothing."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joule.errors import DiskFullError, StreamBusyError
from joule.log import (
    BREAK,
    DiskFiles,
    LogReader,
    LogWriter,
    copy_later_rows,
    cut_later_rows,
    inspect_log,
    inspect_provenance,
    read_log,
)

from .conftest import LAYOUT, rows_at

ROWS_IN_SEGMENT = 10
SEGMENT_BYTES = 64 + ROWS_IN_SEGMENT * LAYOUT.row_bytes


def times_in(directory):
    found = []
    for block in read_log(directory):
        found += ["break"] if block is BREAK else block["timestamp"].tolist()
    return found


def fill(directory, times, breaks_behind=()):
    writer = LogWriter(directory, LAYOUT, stream="/a/raw", holder="t", segment_bytes=SEGMENT_BYTES)
    for time in times:
        writer.store(rows_at([time]))
        if time in breaks_behind:
            writer.mark_break()
    writer.close()


def store(directory, *times):
    writer = LogWriter(directory, LAYOUT, stream="/a/raw", holder="t", segment_bytes=SEGMENT_BYTES)
    writer.store(rows_at(list(times)))
    writer.close()


@pytest.mark.parametrize("after_us", [-1, 0, 5, 9, 10, 34, 38])
def test_later_rows_go_and_the_log_goes_on_behind_them_in_a_new_interval(directory, after_us):
    fill(directory, range(40))
    before = inspect_log(directory)
    kept = list(range(after_us + 1))
    assert cut_later_rows(directory, "/a/raw", after_us) == 40 - len(kept)
    assert times_in(directory) == kept
    store(directory, after_us + 1, after_us + 2)
    assert times_in(directory) == [*kept, *(["break"] if kept else []), after_us + 1, after_us + 2]
    after = inspect_log(directory)
    assert after.stored_rows == before.stored_rows + 2
    with LogReader(directory) as log:
        assert log.head().end == 42  # no index is used twice


def test_nothing_later_changes_nothing(directory):
    fill(directory, range(25))
    files = {path.name: path.read_bytes() for path in directory.iterdir()}
    assert cut_later_rows(directory, "/a/raw", 24) == 0
    assert {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "writer.lock"} == {
        name: data for name, data in files.items() if name != "writer.lock"
    }


def test_a_log_that_somebody_writes_is_left_alone(directory, open_writer):
    writer = open_writer()
    writer.store(rows_at([1, 2]))
    with pytest.raises(StreamBusyError, match="the test|this process"):
        cut_later_rows(directory, "/a/raw", 1)
    assert times_in(directory) == [1, 2]


def test_copied_rows_are_a_log_with_the_same_bytes_and_breaks(directory, tmp_path):
    fill(directory, range(40), breaks_behind=(12, 25, 30))
    assert copy_later_rows(directory, tmp_path / "aside", "/a/raw-ahead", 20) == 19
    assert times_in(tmp_path / "aside") == [*range(21, 26), "break", *range(26, 31), "break", *range(31, 40)]
    assert inspect_log(tmp_path / "aside").stream == "/a/raw-ahead"
    (stretch,) = inspect_provenance(tmp_path / "aside")
    assert (stretch.origin.kind, stretch.origin.name) == ("copy", "/a/raw")
    original = b"".join(block.tobytes() for block in read_log(directory, 21) if block is not BREAK)
    assert b"".join(block.tobytes() for block in read_log(tmp_path / "aside") if block is not BREAK) == original


@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 100), min_size=1, unique=True).map(sorted),
    st.sets(st.integers(0, 100)),
    st.integers(-1, 100),
    st.integers(-1, 100),
)
def test_what_is_kept_and_what_is_copied_are_all_rows(tmp_path_factory, times, breaks, first_us, second_us):
    directory = tmp_path_factory.mktemp("node")
    fill(directory / "log", times, breaks)
    asides = []
    for number, after_us in enumerate((first_us, second_us)):
        aside = directory / f"aside {number}"
        copied = copy_later_rows(directory / "log", aside, "/aside", after_us)
        assert cut_later_rows(directory / "log", "/a/raw", after_us) == copied
        asides = [time for time in times_in(aside) if time != "break"] + asides
    assert [time for time in times_in(directory / "log") if time != "break"] + asides == times
    store(directory / "log", 101)
    assert times_in(directory / "log")[-1] == 101
    shutil.rmtree(directory)


class Crash(Exception):
    pass


class DyingDisk(DiskFiles):
    """The process dies before one of its changes."""

    def __init__(self, changes_left):
        self.left = changes_left

    def _change(self):
        if self.left == 0:
            raise Crash
        self.left -= 1

    def write(self, *args):
        self._change()
        super().write(*args)

    def remove(self, path):
        self._change()
        super().remove(path)

    def rename(self, source, target):
        self._change()
        super().rename(source, target)

    def truncate(self, fd, size):
        self._change()
        super().truncate(fd, size)


@pytest.mark.parametrize("opens_between", [False, True])
def test_a_crash_at_any_moment_leaves_a_log_that_opens_and_can_be_cut_again(tmp_path, opens_between):
    changes = 0
    while True:
        directory = tmp_path / str(changes)
        fill(directory, range(35))
        try:
            cut_later_rows(directory, "/a/raw", 14, DyingDisk(changes))
            break
        except Crash:
            kept = [time for time in times_in(directory) if time != "break"]
            assert kept[:15] == list(range(15))
            if opens_between:
                LogWriter(directory, LAYOUT, stream="/a/raw", holder="t").close()
            cut_later_rows(directory, "/a/raw", 14)
            assert times_in(directory) == list(range(15))
            store(directory, 15)
            assert times_in(directory) == [*range(15), "break", 15]
        changes += 1
    assert changes > 5


def test_a_disk_that_is_full_while_rows_are_copied_costs_no_row(directory, tmp_path):
    fill(directory, range(40))

    class FullDisk(DiskFiles):
        def write(self, fd, data, size, offset):
            if offset == 64:  # where the rows of a segment begin
                raise OSError(28, "No space left on device")
            super().write(fd, data, size, offset)

    with pytest.raises(DiskFullError):
        copy_later_rows(directory, tmp_path / "aside", "/aside", 5, FullDisk())
    assert times_in(directory) == list(range(40))
