"""Every single file operation of a log fails, or is the last one of its process; nothing that was stored is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from joule.errors import DiskFullError
from joule.log import (
    BREAK,
    DISK,
    CursorFile,
    DiskFiles,
    InputPosition,
    LogWriter,
    create_log,
    ensure_cursors,
    inspect_log,
    lowest_rows,
    read_log,
    trim_log,
)

from .conftest import LAYOUT, rows_at

DIES = 0
SEGMENT_BYTES = 64 + 16 * 8


class DiedError(BaseException):
    """The process ends here; not an error that anybody handles."""


class FaultyFiles(DiskFiles):
    """A disk on which operation number `fault_at` fails, or is cut off by the death of the process.

    Rows are then written by half; records within one block of the disk are written whole or not at all.
    """

    def __init__(self, fault_at: int, error: int) -> None:
        self.operations = 0
        self.fault_at = fault_at
        self.error = error
        self.has_died = False

    def _step(self, cut: Callable[[], object] | None = None) -> None:
        if self.has_died:
            raise DiedError
        self.operations += 1
        if self.operations != self.fault_at:
            return
        if cut is not None:
            cut()
        if self.error == DIES:
            self.has_died = True
            raise DiedError
        raise OSError(self.error, os.strerror(self.error))

    def open(self, path: Path, *, write: bool = False, create: bool = False) -> int:
        # What fails may have been done: a file may be there although it could not be opened.
        self._step(lambda: DISK.close(DISK.open(path, write=write, create=create)) if create else None)
        return super().open(path, write=write, create=create)

    def read(self, fd: int, count: int, offset: int) -> bytes:
        self._step()
        return super().read(fd, count, offset)

    def read_into(self, fd: int, array: np.ndarray, offset: int) -> int:
        self._step()
        return super().read_into(fd, array, offset)

    def write(self, fd: int, data: Any, size: int, offset: int) -> None:
        is_record = isinstance(data, bytes) and size <= 512
        half = b"" if is_record else np.frombuffer(memoryview(data), np.uint8)[: size // 2].tobytes()
        self._step(lambda: DISK.write(fd, half, len(half), offset) if half else None)
        super().write(fd, data, size, offset)

    def size(self, fd: int) -> int:
        self._step()
        return super().size(fd)

    def truncate(self, fd: int, size: int) -> None:
        self._step()
        super().truncate(fd, size)

    def sync(self, fd: int) -> None:
        self._step()  # and no more: what a power cut leaves is not the question here

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        self._step()
        super().remove(path)

    def names(self, directory: Path) -> list[str]:
        self._step()
        return super().names(directory)

    def make_directory(self, path: Path) -> None:
        self._step()
        super().make_directory(path)

    def close(self, fd: int) -> None:
        super().close(fd)  # the descriptor is gone, whatever close() says of the data
        if not self.has_died:
            self._step()


@dataclasses.dataclass
class Story:
    """What a program did, how far it came, and what it was told."""

    directory: Path
    files: FaultyFiles
    acknowledged: list[int | str] = dataclasses.field(default_factory=list)
    committed: int = 0
    attempted: int = 0

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def cursor(self) -> Path:
        return self.directory / "cursors" / "m.cursor"

    def again(self, step: Callable[[], Any]) -> Any:
        """Do a step; where the disk fails, do it again."""
        for _ in range(3):
            try:
                return step()
            except (OSError, DiskFullError):
                continue
        raise AssertionError("one fault made three attempts fail")

    def open(self) -> LogWriter:
        options = {"stream": "/a", "holder": "t", "segment_bytes": SEGMENT_BYTES, "files": self.files}
        return self.again(lambda: LogWriter(self.log, LAYOUT, **options))

    def store(self, writer: LogWriter, times: range) -> None:
        rows = rows_at(times)
        while len(rows):
            try:
                writer.store(rows)
            except DiskFullError as full:
                rows = rows[full.done :]
            except OSError:
                continue
            else:
                break
        self.acknowledged += times

    def end_interval(self, writer: LogWriter) -> None:
        self.again(writer.mark_break)
        self.acknowledged.append("break")

    def commit(self, row: int) -> None:
        cursor = self.again(lambda: CursorFile(self.cursor, self.files))
        try:
            for position in range(self.committed + 1, row + 1):
                self.attempted = position
                with contextlib.suppress(OSError):  # the next cycle tries again
                    cursor.commit([InputPosition(position, 0)], [])
                    self.committed = position
        finally:
            with contextlib.suppress(OSError):
                cursor.close()

    def trim(self) -> None:
        (row,) = lowest_rows(self.cursor.parent, self.files).values()
        trim_log(self.log, before_us=1000, keep_from_row=row, files=self.files)

    def tell(self) -> None:
        """Create, write, roll, break, commit, trim, close, reopen, go on."""
        self.again(lambda: create_log(self.log, LAYOUT, "/a", self.files))
        self.again(lambda: ensure_cursors(self.cursor, "m", {"in": self.log}, {}, self.files))
        for first in (0, 40):
            writer = self.open()
            try:
                self.store(writer, range(first, first + 3))
                self.store(writer, range(first + 3, first + 10))  # larger than the room that is left: a new segment
                self.store(writer, range(first + 10, first + 11))
                self.end_interval(writer)
                self.store(writer, range(first + 11, first + 20))
                self.commit(first // 2 + 12)
                self.again(self.trim)
                self.store(writer, range(first + 20, first + 23))
            finally:
                with contextlib.suppress(OSError):  # closing may fail, and has closed all the same
                    writer.close()


def contents(log: Path) -> list[int | str]:
    found: list[int | str] = []
    for block in read_log(log):
        found += ["break"] if block is BREAK else block["timestamp"].tolist()
        if block is not BREAK:
            assert block.tobytes() == rows_at(block["timestamp"].tolist()).tobytes()
    return found


def check(story: Story) -> None:
    """What was acknowledged is there and in order, but for what was trimmed at the front; and the log goes on."""
    writer = LogWriter(story.log, LAYOUT, stream="/a", holder="t", segment_bytes=SEGMENT_BYTES)
    writer.store(rows_at(range(1000, 1012)))
    writer.close()
    position = 0
    if story.cursor.exists():
        cursor = CursorFile(story.cursor)
        cursor.close()
        position = cursor.inputs["in"].row
    assert position in (story.committed, story.attempted)
    found = [item for item in contents(story.log) if not isinstance(item, int) or item < 1000]
    acknowledged = list(story.acknowledged)
    kept = acknowledged[acknowledged.index(found[0]) :] if found and found[0] in acknowledged else acknowledged
    assert found[: len(kept)] == kept
    # Rows of a call that was cut off may be there as well: from its first one, in order.
    behind = found[len(kept) :]
    assert len([item for item in kept if item != "break"]) >= len(set(acknowledged) - {"break"}) - position
    if not story.files.has_died:
        assert behind == []
    assert inspect_log(story.log).rows == len([item for item in found if item != "break"]) + 12


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, DIES], ids=["full", "io", "dies"])
def test_whatever_operation_fails_stored_rows_stay_and_the_log_goes_on(tmp_path, error):
    fault_at = 0
    while True:
        fault_at += 1
        story = Story(tmp_path / str(fault_at), FaultyFiles(fault_at, error))
        with contextlib.suppress(DiedError):
            story.tell()
        try:
            check(story)
        except BaseException as problem:
            problem.add_note(f"operation {fault_at} failed with {errno.errorcode.get(error, 'death')}")
            raise
        if story.files.operations < fault_at:
            break
    assert fault_at > 100


class RefusesOnce(DiskFiles):
    """Cannot make the next segment, but has made its file."""

    refuses = False

    def open(self, path: Path, *, write: bool = False, create: bool = False) -> int:
        fd = super().open(path, write=write, create=create)
        if create and self.refuses:
            self.refuses = False
            super().close(fd)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return fd


def test_a_segment_that_could_not_be_begun_is_begun_by_the_next_write_however_small(open_writer, directory):
    files = RefusesOnce()
    writer = open_writer(files=files, segment_bytes=SEGMENT_BYTES)
    writer.store(rows_at(range(6)))
    files.refuses = True
    with pytest.raises(OSError, match="Too many open files"):
        writer.store(rows_at(range(6, 12)))
    writer.store(rows_at([6]))  # there is room for it in the segment before
    writer.store(rows_at([7]))
    assert contents(directory) == list(range(8))
    writer.close()
    assert open_writer().head.end == 8


class RefusesHeads(DiskFiles):
    """Takes rows but no records."""

    refuses = False

    def write(self, fd: int, data: Any, size: int, offset: int) -> None:
        if self.refuses and isinstance(data, bytes):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().write(fd, data, size, offset)


class TearsRecords(RefusesHeads):
    """Writes a part of a record, as when it is longer than a block of the disk."""

    def write(self, fd: int, data: Any, size: int, offset: int) -> None:
        if self.refuses:
            DISK.write(fd, data[: size // 2], size // 2, offset)
        super().write(fd, data, size, offset)


def test_a_commit_that_fails_half_way_leaves_the_one_before_whole_however_often_it_is_tried(tmp_path):
    create_log(tmp_path / "log", LAYOUT, "/a")
    files = TearsRecords()
    path = tmp_path / "m.cursor"
    ensure_cursors(path, "m", {"in": tmp_path / "log"}, {})
    cursor = CursorFile(path, files)
    cursor.commit([InputPosition(5, 1)], [])
    files.refuses = True
    for _ in range(3):
        with pytest.raises(OSError, match="Input/output"):
            cursor.commit([InputPosition(6, 1)], [])
    cursor.close()
    assert CursorFile(path).inputs == {"in": InputPosition(5, 1)}


def test_rows_and_breaks_whose_head_could_not_be_written_are_not_stored_and_may_be_written_again(
    open_writer, directory
):
    files = RefusesHeads()
    writer = open_writer(files=files)
    writer.store(rows_at([1]))
    files.refuses = True
    for attempt in (lambda: writer.store(rows_at([2])), writer.mark_break):
        with pytest.raises(OSError, match="Input/output"):
            attempt()
    files.refuses = False
    writer.mark_break()
    writer.store(rows_at([2]))
    assert contents(directory) == [1, "break", 2]


def test_a_writer_that_cannot_say_that_it_closes_lets_go_of_the_stream_all_the_same(open_writer):
    files = RefusesHeads()
    writer = open_writer(files=files)
    writer.store(rows_at([1]))
    files.refuses = True
    with pytest.raises(OSError, match="Input/output"):
        writer.close()
    writer.close()
    assert open_writer().head.end == 1


def test_a_forked_child_that_unwinds_its_parents_writer_publishes_nothing(open_writer, directory):
    writer = open_writer()
    writer.store(rows_at([1]))
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover  # another process
        try:
            os.read(told, 1)
            writer.close()
        finally:
            os._exit(0)
    writer.store(rows_at([2]))
    os.write(tell, b"x")
    os.waitpid(child, 0)
    for fd in (told, tell):
        os.close(fd)
    assert contents(directory) == [1, 2]
    assert inspect_log(directory).writer is not None
