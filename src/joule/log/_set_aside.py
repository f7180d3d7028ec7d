"""Taking the rows later than a time out of a log, without losing one: first they are copied, then they are cut off.

For logs whose newest rows have timestamps of a clock that was wrong: nothing could be stored behind them until that
time has come. What is cut off leaves a hole in the row indexes, which are never used twice, and a break.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from joule.core import time_now
from joule.errors import StreamBusyError
from joule.log._breaks import BreakFile
from joule.log._files import DISK, Files, sync_directory
from joule.log._head import NO_TIMESTAMP, Head, HeadFile
from joule.log._history import BREAK, read_log
from joule.log._identity import read_identity
from joule.log._lock import ProcessLock
from joule.log._provenance import Origin, add_origin
from joule.log._reader import LogReader
from joule.log._sealing import seal_log
from joule.log._segments import HEADER_BYTES, make_segment, segment_path
from joule.log._writer import LOCK_NAME, LogWriter

__all__ = ["copy_later_rows", "cut_later_rows"]

_HOLDER = "whoever sets rows aside"
_BLOCK_BYTES = 2**20


def copy_later_rows(source: Path, target: Path, stream: str, after_us: int, files: Files = DISK) -> int:
    """Copy the rows later than a time, with their breaks, into a log of their own; when it returns, they are durable.

    Args:
        source: Directory of the log that has them.
        target: Directory of the new log.
        stream: Path of the new log's stream.
        after_us: The time, us.
        files: The file system.

    Returns:
        How many rows there are.

    Raises:
        LogError: The source cannot be read, or the disk is full; the target is then of no use.
        OSError: A file cannot be read or written.
    """
    layout = read_identity(source, files).layout
    copied = 0
    with contextlib.closing(LogWriter(target, layout, stream=stream, holder=_HOLDER, files=files)) as writer:
        add_origin(target, Origin(kind="copy", name=read_identity(source, files).stream), time_now(), files)
        for block in read_log(source, after_us + 1, files=files):
            if block is BREAK:
                writer.mark_break()
            else:
                writer.store(block)
                copied += len(block)
    seal_log(target, files)
    return copied


def cut_later_rows(directory: Path, stream: str, after_us: int, files: Files = DISK) -> int:
    """Remove the rows later than a time from a log, which goes on behind them with a break.

    It may be cut short at any moment, and then be called again.

    Args:
        directory: The log's, which nobody writes.
        stream: The stream's path, for messages.
        after_us: The time, us.
        files: The file system.

    Returns:
        How many rows were removed.

    Raises:
        StreamBusyError: Somebody writes the log.
        LogError: It cannot be read.
        OSError: A file cannot be read or written.
    """
    try:
        lock = ProcessLock(directory / LOCK_NAME, _HOLDER)
    except BlockingIOError as error:
        raise StreamBusyError(stream, error.args[1]) from None
    with contextlib.closing(lock), LogReader(directory, files) as log:
        head = log.head()
        if head.last_us <= after_us:
            return 0
        row = log.row_at(after_us + 1, head)
        count = log.segments.count(row, head.end)
        firsts = [first for first in log.segments.firsts if first < head.end]
        # From here on there is an empty segment behind them all: without the others the log is still whole.
        files.close(make_segment(directory, head.end, log.layout, files))
        for first in firsts:
            if first >= row:
                files.remove(segment_path(directory, first))
        kept = [first for first in firsts if first < row]
        if kept and count:
            _shorten(directory, kept[-1], HEADER_BYTES + (row - kept[-1]) * log.layout.row_bytes, files)
        head.last_us = _last_us(log, row)
        head.segment = head.end
        _publish(directory, head, files)
        sync_directory(directory, files)
        return count


def _shorten(directory: Path, first: int, size_bytes: int, files: Files) -> None:
    """Put a shorter copy in a segment's place, in one step: whoever has the old file open goes on reading that."""
    path = segment_path(directory, first)
    making = path.with_name(f"{path.name}.new")
    source = files.open(path)
    try:
        target = files.open(making, write=True, create=True)
        try:
            files.truncate(target, 0)
            for offset in range(0, size_bytes, _BLOCK_BYTES):
                block = files.read(source, min(_BLOCK_BYTES, size_bytes - offset), offset)
                files.write(target, block, len(block), offset)
            files.sync(target)
        finally:
            files.close(target)
    finally:
        files.close(source)
    files.rename(making, path)


def _last_us(log: LogReader, row: int) -> int:
    """Return the timestamp of the last row before a row index; NO_TIMESTAMP where there is none."""
    log.segments.refresh()
    holding = [first for first in log.segments.firsts if first < row and log.segments.count(first, row)]
    if not holding:
        return NO_TIMESTAMP
    count = log.segments.count(holding[-1], row)
    last = log.copy(holding[-1] + count - 1, holding[-1] + count)
    return int(last["timestamp"][0])


def _publish(directory: Path, head: Head, files: Files) -> None:
    with (
        contextlib.closing(BreakFile(directory, write=True, files=files)) as breaks,
        contextlib.closing(HeadFile(directory, write=True, files=files)) as head_file,
    ):
        if not head.breaks or breaks.row(head.breaks - 1) != head.end:
            breaks.put(head.breaks, head.end)
            head.breaks += 1
        head_file.publish(head)
