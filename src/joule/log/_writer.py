"""The one writer of a stream's log.

`store()` puts rows in place and then publishes that they are there, in this order and with system calls, so that a
stored row survives the death of this process at any instant, and no reader ever sees a part of one. What a dead writer
left behind the last published row is cut off when the next one opens the log.

Rows are not synced here (see `_syncer`). The writer syncs only that it uses row indexes up to one far ahead, when it
opens the log and when half of them are used. So a recovery that lost rows goes on behind that, and no row index is ever
used twice.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from joule.core import Layout, Rows, first_disorder
from joule.errors import DamagedLogError, DiskFullError, LogError, StreamBusyError
from joule.log._bells import Ringer
from joule.log._breaks import BreakFile
from joule.log._files import DISK, Files
from joule.log._head import NO_TIMESTAMP, Head, HeadFile
from joule.log._identity import create_log
from joule.log._lock import ProcessLock
from joule.log._order import Horizon, refusal, sift
from joule.log._resume import Resume
from joule.log._segments import HEADER_BYTES, check_segment, make_segment, segment_names, segment_path

__all__ = ["LOCK_NAME", "SEGMENT_BYTES", "SEGMENT_US", "LogWriter"]

LOCK_NAME = "writer.lock"
SEGMENT_BYTES = 64 * 2**20
"""Size at which a segment is closed: some seconds of a fast stream, years of a slow one."""
SEGMENT_US = 3_600_000_000
"""Time span at which a segment is closed: what is trimmed goes in whole segments."""
PIECE_BYTES = 8 * 2**20
"""Rows of one write that are published at once: readers of a huge write can follow, and its memory is bounded."""

RESERVED_ROWS = 2**32
"""How far ahead row indexes are reserved: days of the fastest stream, and for 2^32 recoveries there are enough."""

_log = logging.getLogger("joule.log")

_FULL = (errno.ENOSPC, errno.EDQUOT)


class LogWriter:
    """Appends rows and breaks to a log; made if there is none.

    Args:
        directory: The log's.
        layout: Of the rows.
        stream: The stream's path, for messages.
        holder: Who writes, for those who are refused.
        bells: Where readers wait to be woken; None where nobody does.
        segment_bytes: Size at which a segment is closed.
        segment_us: Time span of rows at which a segment is closed, us.
        max_ahead_us: How far ahead of the node's clock a row may be, us; None for any time.
        is_transient: The stream keeps nothing: its rows need not be made durable.
        files: The file system.

    Raises:
        StreamBusyError: Another writer has the log.
        LayoutMismatchError: The log holds rows of another layout.
        ForeignFileError, DamagedLogError: A file is not what it must be; it was left alone.
        OSError: The disk is full, or may not be written.
    """

    def __init__(
        self,
        directory: Path,
        layout: Layout,
        *,
        stream: str,
        holder: str,
        bells: Path | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        segment_us: int = SEGMENT_US,
        max_ahead_us: int | None = None,
        is_transient: bool = False,
        files: Files = DISK,
    ) -> None:
        self.stream = stream
        self._is_transient = is_transient
        self.directory = directory
        self.layout = layout
        self._files = files
        self._row_bytes = layout.row_bytes
        self._piece_rows = max(1, PIECE_BYTES // layout.row_bytes)
        self._segment_bytes = segment_bytes
        self._segment_us = segment_us
        self._horizon = Horizon(max_ahead_us)
        self.identity = create_log(directory, layout, stream, files)
        try:
            self._lock = ProcessLock(directory / LOCK_NAME, holder)
        except BlockingIOError as error:
            raise StreamBusyError(stream, error.args[1]) from None
        self._fd = -1
        self._process = os.getpid()
        self._is_rolling = False
        self._segment_first_us = NO_TIMESTAMP
        self._resume: Resume | None = None
        with contextlib.ExitStack() as stack:
            stack.callback(self._lock.close)
            self._open(stack, bells)
            self._held = stack.pop_all()

    def _open(self, stack: contextlib.ExitStack, bells: Path | None) -> None:
        """Open all files, which the stack closes, and go on where the writer before came to."""
        self._head_file = HeadFile(self.directory, write=True, files=self._files)
        stack.callback(self._head_file.close)
        self._breaks = BreakFile(self.directory, write=True, files=self._files)
        stack.callback(self._breaks.close)
        self._ringer = Ringer(bells) if bells is not None else None
        if self._ringer is not None:
            stack.callback(self._ringer.close)
        stack.callback(self._close_segment)
        self._head = self._head_file.load()
        self._last_break = self._breaks.row(self._head.breaks - 1) if self._head.breaks else 0
        self._open_segment()
        self._begin()

    def _begin(self) -> None:
        """Let everybody know that there is a writer; durably, unless the head of the last one says all that already."""
        head, boot = self._head, self._files.boot(self.directory)
        self._reserve_from = head.reserved - RESERVED_ROWS // 2
        is_known = not head.is_closed and head.boot == boot and head.end <= self._reserve_from
        head.is_closed = head.is_sealed = False
        head.is_transient = self._is_transient
        head.boot = boot
        if is_known:
            self._head_file.publish(head)
        else:
            self._reserve()

    def _reserve(self) -> None:
        """Publish the head with row indexes reserved, and sync it.

        Where it cannot be synced, rows are stored all the same: the next open tries again.
        """
        head = self._head
        head.reserved = max(head.reserved, head.end + RESERVED_ROWS)
        self._reserve_from = head.reserved - RESERVED_ROWS // 2
        self._head_file.publish(head)
        try:
            self._head_file.sync()
        except OSError as error:
            _log.warning(
                "stream %r: that it is written cannot be made durable in %s: %s; check the disk",
                *(self.stream, self.directory, error.strerror),
            )

    # State

    @property
    def head(self) -> Head:
        """What is committed. Read only."""
        return self._head

    @property
    def logical_rows(self) -> int:
        """How many rows the module has written over the life of the stream, as its commits count them.

        While a resumed module writes again what is stored already, this is behind what is stored.
        """
        return self._head.stored - (0 if self._resume is None else self._resume.rows)

    def resume(self, logical_rows: int) -> None:
        """Go on for a module with inputs whose last commit counted `logical_rows` rows of this output.

        It will write the rows behind that commit again: they are dropped, and breaks among them are ignored.
        """
        repeated = self._head.stored - logical_rows
        self._resume = Resume(repeated) if repeated > 0 else None

    def restart_reader(self) -> None:
        """Go on for a module without inputs: a new interval, and a first write that may overlap what is stored."""
        self.mark_break()
        if self._head.stored:
            self._resume = Resume(None)

    # Writing

    def store(self, rows: Rows) -> None:
        """Store rows of the log's layout, shape (n,), n > 0. When it returns, they survive the death of any process.

        Raises:
            OutOfOrderError: Rows that are not newer than the one before them were refused; the others are stored.
            TooFarAheadError: The same for rows that are further ahead of the node's clock than they may be.
            DiskFullError: There is no room for some of them; call again with the rows from `done` on.
            OSError: They could not be written; of a large write (beyond 8 MB) the first rows may be stored.
        """
        if self._resume is not None:
            self._store_again(rows, self._resume)
            return
        times = rows["timestamp"]
        if first_disorder(times, self._head.last_us) is None and self._horizon.includes(times.item(-1)):
            self._append(rows)
        else:
            self._append_good(rows)

    def mark_break(self) -> None:
        """End the interval. Without rows since the last break it does nothing; nor among rows written again.

        Raises:
            DiskFullError: There is no room for the break; nothing has changed.
            OSError: It could not be written; nothing has changed.
        """
        if self._resume is None or not self._resume.hides_breaks:
            self.begin_interval()

    def begin_interval(self) -> None:
        """End the interval also where rows will be written again: what comes is not what an earlier life would write.

        Raises:
            DiskFullError: There is no room for the break; nothing has changed.
            OSError: It could not be written; nothing has changed.
        """
        if self._head.end == self._last_break:
            return
        try:
            self._append_break()
        except OSError as error:
            if error.errno in _FULL:
                raise DiskFullError(self.stream, self.directory, 0) from error
            raise

    def publish_waiting(self) -> None:
        """Let who looks at the head know that rows wait for room on the disk; the next publication ends that."""
        self._head.is_waiting = True
        self._publish_counters()
        self._head.is_waiting = False

    def close(self) -> None:
        """Close the log: readers that end with their writer come to the end. Closing twice is fine.

        Raises:
            OSError: That it is closed could not be written. It is all the same: what is stored stays stored.
        """
        with self._held:  # lets go of everything, whatever fails
            if self._fd >= 0 and os.getpid() == self._process:  # a forked child would publish a head of long ago
                self._head.is_closed = True
                self._publish()

    def _close_segment(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._files.close(fd)

    def _store_again(self, rows: Rows, resume: Resume) -> None:
        """Store what a restarted module writes, without the first rows that are stored already."""
        skipped = resume.skip(rows["timestamp"], self._head.last_us)
        if resume.is_over:
            self._resume = None
        if skipped:
            self._head.repeated += skipped
            self._publish_counters()
        if skipped == len(rows):
            return
        try:
            self.store(rows[skipped:])
        except DiskFullError as full:
            full.done += skipped
            raise

    def _append_good(self, rows: Rows) -> None:
        """Store the rows that may be stored, then say what was refused."""
        head = self._head
        times = rows["timestamp"]
        latest_us = self._horizon.last_us()
        good = sift(times, head.last_us, latest_us)
        if good.all():  # the clock has come nearer meanwhile
            self._append(rows)
            return
        error = refusal(self.stream, times, good, head.last_us, self._horizon)
        kept = np.flatnonzero(good)
        if len(kept):
            try:
                self._append(rows[kept])
            except DiskFullError as full:  # from here on in rows of the caller's array
                full.done = int(kept[full.done])
                self._count_refused(times[: full.done], good[: full.done], latest_us)
                raise
        self._count_refused(times, good, latest_us)
        self._publish_counters()
        raise error

    def _count_refused(self, times: npt.NDArray[np.int64], good: npt.NDArray[np.bool_], latest_us: int) -> None:
        self._head.refused += len(good) - int(np.count_nonzero(good))
        self._head.ahead += int(np.count_nonzero(times > latest_us))

    def _append(self, rows: Rows) -> None:
        piece = self._piece_rows
        start = 0
        try:
            if len(rows) <= piece:
                self._append_piece(rows)
                return
            for start in range(0, len(rows), piece):
                self._append_piece(rows[start : start + piece])
        except OSError as error:
            if error.errno in _FULL:
                raise DiskFullError(self.stream, self.directory, start) from error
            raise

    def _append_break(self) -> None:
        head = self._head
        self._breaks.put(head.breaks, head.end)
        head.breaks += 1
        try:
            self._publish()
        except OSError:
            head.breaks -= 1
            raise
        self._last_break = head.end

    def _append_piece(self, rows: Rows) -> None:
        head = self._head
        times = rows["timestamp"]
        last_us = times.item(-1)
        count = len(rows)
        size = count * self._row_bytes
        if head.end + count > self._reserve_from:
            self._reserve()
        offset = HEADER_BYTES + (head.end - head.segment) * self._row_bytes
        if offset > HEADER_BYTES and (
            offset + size > self._segment_bytes
            or last_us - self._segment_first_us > self._segment_us
            or self._is_rolling
        ):
            self._roll()
            offset = HEADER_BYTES
        if offset == HEADER_BYTES:
            self._segment_first_us = times.item(0)
        self._files.write(self._fd, rows, size, offset)
        before_us = head.last_us
        head.end += count
        head.stored += count
        head.last_us = last_us
        try:
            self._publish()
        except OSError:  # nobody knows of the rows: they are not stored, and may be written again
            head.end -= count
            head.stored -= count
            head.last_us = before_us
            raise

    def _publish(self) -> None:
        self._head_file.publish(self._head)
        if self._ringer is not None:
            self._ringer.ring()

    def _publish_counters(self) -> None:
        """Publish how many rows were refused or repeated; where that fails, the next publication says it."""
        with contextlib.suppress(OSError):
            self._head_file.publish(self._head)

    def _roll(self) -> None:
        """Begin a new segment. The old one must end behind its last row: readers go by its size.

        Once begun it must be done before the next row: the new file may be there although making it failed, and
        then the old one may not grow beyond its name.
        """
        self._is_rolling = True
        self._files.truncate(self._fd, HEADER_BYTES + (self._head.end - self._head.segment) * self.layout.row_bytes)
        fd = make_segment(self.directory, self._head.end, self.layout, self._files)
        self._is_rolling = False
        old, self._fd = self._fd, fd
        self._head.segment = self._head.end
        self._files.close(old)

    def _open_segment(self) -> None:
        """Open the newest segment, cut off what a dead writer left behind the last committed row."""
        head = self._head
        firsts = segment_names(self.directory, self._files)
        first = firsts[-1] if firsts else head.end
        path = segment_path(self.directory, first)
        if first > head.end:
            raise DamagedLogError(str(path), f"it begins behind the last row of the log, {head.end}")
        if first == head.end:
            self._fd = make_segment(self.directory, first, self.layout, self._files)
        else:
            self._fd = self._files.open(path, write=True)
            check_segment(path, self._fd, first, self.layout, self._files)
        head.segment = first
        committed = HEADER_BYTES + (head.end - first) * self.layout.row_bytes
        self._check_size(path, committed)
        self._files.truncate(self._fd, committed)
        if head.end > first:
            time = self._files.read(self._fd, 8, HEADER_BYTES)
            self._segment_first_us = int.from_bytes(time, "little", signed=True)

    def _check_size(self, path: Path, committed: int) -> None:
        size = self._files.size(self._fd)
        if size < committed:
            missing = (committed - size) // self.layout.row_bytes
            raise LogError(
                f"stream {self.stream!r}: {path} lacks its last {missing} rows, which its head counts: restore the "
                "file from a backup, or move the log's directory away to begin a new one",
                path=str(path),
                missing=missing,
            )
