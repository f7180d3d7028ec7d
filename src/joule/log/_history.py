"""What a log holds, for programs that look at it from outside: a summary, rows of a time range, trimming."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import numpy as np

from joule.core import Layout, Rows
from joule.errors import LogError
from joule.log._files import DISK, Files
from joule.log._head import NO_TIMESTAMP, Head, HeadFile
from joule.log._lock import lock_holder
from joule.log._reader import LogReader
from joule.log._segments import HEADER_BYTES, segment_names, segment_path
from joule.log._writer import LOCK_NAME

__all__ = [
    "BREAK",
    "Break",
    "LogSummary",
    "count_rows",
    "current_writer",
    "inspect_log",
    "later_rows",
    "newest_timestamps",
    "read_log",
    "trim_log",
]

BLOCK_BYTES = 2**20
RATE_US = 10_000_000
"""Over how long the newest rows are counted for their rate: a reader may write once a second, or in chunks."""


class Break(enum.Enum):
    """The type of BREAK, so that `if block is BREAK` tells it from rows for type checkers too."""

    BREAK = "break"


BREAK: Final[Literal[Break.BREAK]] = Break.BREAK
"""Stands between the rows of two intervals."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LogSummary:
    """A log at one moment.

    Attributes:
        stream: The stream's path when the log was made.
        layout: Of its rows.
        rows: Rows that it holds now.
        stored_rows: Rows that were ever stored, trimmed ones included.
        refused_rows: Rows that `write()` refused for their timestamps.
        ahead_rows: How many of these were too far ahead of the node's clock; the others were out of order.
        repeated_rows: Rows that restarted modules wrote again and that were dropped for that.
        lost_rows: Rows that were stored, and that power cuts have cost, as far as that is known.
        size_bytes: Of its row files.
        first_us: Timestamp of the oldest row it holds, us; None without rows.
        last_us: Timestamp of the newest.
        rate_hz: Rows a second in the 10 s before the newest row, by their timestamps; None with fewer than two.
        intervals: Into how many intervals its rows fall.
        writer: Who writes it now; None if nobody does.
    """

    stream: str
    layout: Layout
    rows: int
    stored_rows: int
    refused_rows: int
    ahead_rows: int
    repeated_rows: int
    lost_rows: int
    size_bytes: int
    first_us: int | None
    last_us: int | None
    rate_hz: float | None
    intervals: int
    writer: str | None


def inspect_log(directory: Path, files: Files = DISK) -> LogSummary:
    """Return what a log holds; disturbs nobody.

    Raises:
        LogError: There is no log, or it cannot be read.
    """
    with LogReader(directory, files) as log:
        head = log.head()
        first_us = _first_us(log, head)
        oldest = _oldest(log, head)
        rows = log.segments.count(oldest, head.end)
        return LogSummary(
            stream=log.identity.stream,
            layout=log.layout,
            rows=rows,
            stored_rows=head.stored,
            refused_rows=head.refused,
            ahead_rows=head.ahead,
            repeated_rows=head.repeated,
            lost_rows=head.lost,
            size_bytes=rows * log.layout.row_bytes + HEADER_BYTES * len(log.segments.firsts),
            first_us=first_us,
            last_us=head.last_us if rows else None,
            rate_hz=_rate_hz(log, head) if rows else None,
            intervals=_intervals(log, head, oldest) if rows else 0,
            writer=lock_holder(directory / LOCK_NAME),
        )


def later_rows(directory: Path, after_us: int, files: Files = DISK) -> tuple[int, int, int]:
    """Return how many rows of a log are later than a time, and the first and last of their timestamps, us.

    Raises:
        LogError: There is no log, or it cannot be read.
    """
    with LogReader(directory, files) as log:
        head = log.head()
        row = log.row_at(after_us + 1, head) if head.last_us > after_us else head.end
        first = log.copy(row, log.segments.advance(row, 1)) if row < head.end else np.empty(0, log.layout.dtype)
        if not len(first):  # none, or trimmed since we looked
            return 0, 0, 0
        return log.segments.count(row, head.end), int(first["timestamp"][0]), head.last_us


def newest_timestamps(directory: Path, files: Files = DISK) -> list[int]:
    """Return the newest timestamp of each log in a directory of logs, us; those that cannot be read have none."""
    found = []
    try:
        names = files.names(directory)
    except FileNotFoundError:  # a new node
        return []
    for name in names:
        with (
            contextlib.suppress(LogError, OSError),
            contextlib.closing(HeadFile(directory / name, files=files)) as head,
        ):
            found.append(head.load().last_us)
    return [last_us for last_us in found if last_us != NO_TIMESTAMP]


def current_writer(directory: Path) -> str | None:
    """Return who writes a log now, None if nobody does or there is no log; does not look at its rows."""
    return lock_holder(directory / LOCK_NAME)


def _oldest(log: LogReader, head: Head) -> int:
    return min(log.segments.firsts[0], head.end) if log.segments.firsts else head.end


def _first_us(log: LogReader, head: Head) -> int | None:
    while (oldest := _oldest(log, head)) < head.end:
        row = log.copy(oldest, log.segments.advance(oldest, 1))
        if len(row):  # else it was trimmed since we looked
            return int(row["timestamp"][0])
    return None


def _rate_hz(log: LogReader, head: Head) -> float | None:
    begin = log.row_at(head.last_us - RATE_US, head)
    count = log.segments.count(begin, head.end)
    if count < 2:
        return None
    first = log.copy(begin, log.segments.advance(begin, 1))
    if not len(first):  # trimmed since we looked
        return None
    return (count - 1) * 1e6 / (head.last_us - int(first["timestamp"][0]))


def _intervals(log: LogReader, head: Head, oldest: int) -> int:
    """Breaks with rows on both sides, plus one."""
    return 1 + log.breaks_before(head.end - 1, head) - log.breaks_before(oldest, head)


def read_log(
    directory: Path,
    start_us: int | None = None,
    end_us: int | None = None,
    files: Files = DISK,
    at: Head | None = None,
) -> Iterator[Rows | Break]:
    """Yield the rows of a time range in order, blocks of at most 1 MB, with BREAK between intervals.

    What is stored when the reading begins is read; rows that come later are not.

    Args:
        directory: The log's.
        start_us: First timestamp, inclusive; None for the oldest row.
        end_us: Last timestamp, exclusive; None for the newest row.
        files: The file system.
        at: A former state of the log to read; None for the present one.

    Raises:
        LogError: There is no log, or it cannot be read.
    """
    with LogReader(directory, files) as log:
        present = log.head()
        head = present if at is None else at
        row = _oldest(log, head) if start_us is None else log.row_at(start_us, head)
        end = head.end if end_us is None else log.row_at(end_us, head)
        passed = log.breaks_before(row, head)
        block = max(1, BLOCK_BYTES // log.layout.row_bytes)
        had_rows = is_broken = False
        while row < end:
            stop = min(end, log.segments.advance(row, block))
            boundary = log.break_row(passed) if passed < head.breaks else None
            if boundary is not None and boundary <= stop:
                stop = boundary
            rows = log.copy(row, stop)
            if len(rows):
                if is_broken:
                    yield BREAK
                yield rows
                had_rows, is_broken = True, False
            row = stop
            if row == boundary:
                passed += 1
                is_broken = had_rows  # a break stands between rows: those on one side may have been trimmed meanwhile


def count_rows(directory: Path, start_us: int | None = None, end_us: int | None = None, files: Files = DISK) -> int:
    """Return how many rows `read_log` would yield now.

    Raises:
        LogError: There is no log, or it cannot be read.
    """
    with LogReader(directory, files) as log:
        head = log.head()
        start = _oldest(log, head) if start_us is None else log.row_at(start_us, head)
        end = head.end if end_us is None else log.row_at(end_us, head)
        return log.segments.count(start, end)


def trim_log(
    directory: Path,
    *,
    before_us: int | None,
    keep_from_row: int | None,
    keep_segments: int = 1,
    files: Files = DISK,
) -> int:
    """Remove whole segments whose rows are all older than a time and that every reader is through with.

    The newest segments always stay. Readers that have a removed segment open keep reading it.

    Args:
        directory: The log's.
        before_us: Rows from this timestamp on stay, us; None lets rows of any age go.
        keep_from_row: Rows from this index on stay (the lowest cursor); None if nobody reads the stream.
        keep_segments: How many of the newest segments stay whatever is in them, 1 or more.
        files: The file system.

    Returns:
        How many rows were removed.
    """
    removed = 0
    with LogReader(directory, files) as log:
        head = log.head()
        firsts = [first for first in segment_names(directory, files) if first <= head.segment]
        for first, following in itertools.pairwise(firsts[: max(0, len(firsts) - keep_segments) + 1]):
            if keep_from_row is not None and following > keep_from_row:
                break
            count = log.segments.count(first, following)
            last = log.copy(first + count - 1, first + count) if count else np.empty(0, log.layout.dtype)
            if before_us is not None and len(last) and int(last["timestamp"][0]) >= before_us:
                break
            files.remove(segment_path(directory, first))
            removed += count
    return removed
