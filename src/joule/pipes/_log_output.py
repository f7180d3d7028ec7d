"""Writing a stream's log as a pipe: when `write()` returns, the rows are stored.

A full disk makes `write()` wait, say so, and go on by itself; so no row is lost that the source can hold back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Literal

from joule.core import Layout, Rows, clock_jumps
from joule.errors import DiskFullError, LogError, OutOfOrderError, PipeError
from joule.log import DISK, SEGMENT_US, Files, LogWriter, create_log
from joule.pipes._log_input import bells_directory
from joule.pipes._pipe import Direction, Pipe
from joule.pipes._sink import RowSink
from joule.pipes._write_side import WriteSide

__all__ = ["LogOutput"]

_log = logging.getLogger("joule.pipes")

RETRY_S = 0.25
"""How long to wait before a full disk is tried again."""
REMIND_S = 60.0
"""How often the log says that the disk is still full, and how many rows were dropped by `out_of_order = drop`."""
LONG_WAIT_S = 1.0
"""A reader that had to wait longer than this for the disk has missed what its sensor did meanwhile: a break."""


class LogSink(RowSink):
    """Rows into a log.

    Attributes:
        writer: The log's writer.
        is_reader: The module has no inputs: after a long wait its rows do not continue those before.
    """

    def __init__(self, writer: LogWriter, *, out_of_order: Literal["raise", "drop"], is_reader: bool) -> None:
        self.writer = writer
        self.is_reader = is_reader
        self._drops = out_of_order == "drop"
        self._warned_s = -REMIND_S
        self._jumps = clock_jumps()

    async def write(self, rows: Rows) -> None:
        began_s = 0.0
        while True:
            try:
                self._store(rows)
            except DiskFullError as full:
                rows = rows[full.done :]
                began_s = began_s or time.monotonic()
                await self._wait_for_room(
                    "%s: write() waits until there is room; nothing that was stored is lost", full
                )
            else:
                break
        if began_s:
            await self._go_on(time.monotonic() - began_s)

    def write_nowait(self, rows: Rows) -> None:
        self._store(rows)

    async def mark_break(self) -> None:
        while True:
            try:
                self.mark_break_nowait()
            except DiskFullError as full:
                await self._wait_for_room("%s: close_interval() waits until there is room", full)
            else:
                return

    def mark_break_nowait(self) -> None:
        try:
            self.writer.mark_break()
        except OSError as error:
            raise self._unwritable(error, "the interval has not ended") from error

    def mark_restart(self) -> None:
        """End the interval also where rows will be written again.

        Raises:
            LogError: It cannot be written, also for want of room.
        """
        try:
            self.writer.begin_interval()
        except OSError as error:
            raise self._unwritable(error, "the interval has not ended") from error

    def close(self) -> None:
        try:
            self.writer.close()
        except OSError as error:
            raise self._unwritable(error, "all rows are stored, but readers do not know that it has closed") from error

    def _unwritable(self, error: OSError, outcome: str) -> LogError:
        stream, directory = self.writer.stream, self.writer.directory
        return LogError(
            f"stream {stream!r} cannot be written to {directory}: {error.strerror}; {outcome}", stream=stream
        )

    def _store(self, rows: Rows) -> None:
        head = self.writer.head
        before = head.stored + head.repeated
        try:
            if self.is_reader and self._jumps != clock_jumps():
                self.writer.mark_break()  # time does not go on evenly from the rows before to these
                self._jumps = clock_jumps()
            self.writer.store(rows)
        except DiskFullError as full:
            self.taken_rows += full.done
            raise
        except OutOfOrderError as error:
            self.taken_rows += len(rows)
            if not self._drops:
                raise
            self._warn("dropped, as the stream's out_of_order says: %s", error)
        except OSError as error:
            stored = head.stored + head.repeated - before
            self.taken_rows += stored
            outcome = f"only the first {stored} of these rows are stored" if stored else "these rows are not stored"
            raise self._unwritable(error, outcome) from error
        else:
            self.taken_rows += len(rows)

    async def _wait_for_room(self, text: str, full: DiskFullError) -> None:
        self._warn(text, full)
        self.writer.publish_waiting()  # each time: who supervises the module sees that it is not stuck
        await asyncio.sleep(RETRY_S)

    async def _go_on(self, waited_s: float) -> None:
        _log.warning("stream %r: there is room again after %.1f s", self.writer.stream, waited_s)
        self._warned_s = -REMIND_S
        if self.is_reader and waited_s > LONG_WAIT_S:
            await self.mark_break()

    def _warn(self, text: str, *values: object) -> None:
        now_s = time.monotonic()
        if now_s - self._warned_s >= REMIND_S:
            self._warned_s = now_s
            _log.warning(text, *values)


class LogOutput(Pipe):
    """An output pipe over a stream's log: the log's one writer, for as long as the pipe is open.

    Args:
        name: For messages.
        directory: The log's; made if there is none.
        layout: Of the stream's rows.
        run: The node's runtime directory, where readers wait to be woken.
        stream: The stream's path, for messages.
        holder: Who writes, for those who are refused.
        out_of_order: Raise about rows that are not newer than the last, or drop and count them.
        is_reader: The module has no inputs.
        segment_us: Time span at which a segment is closed, us.
        max_ahead_us: How far ahead of the node's clock a row may be, us; None for any time.
        is_transient: The stream keeps nothing, so its rows are never synced.
        column: See `Pipe`.
        files: The file system.

    Attributes:
        log_sink: Where its rows go.
        write_side: Its cache, for what commits positions.

    Raises:
        StreamBusyError: Another writer has the stream.
        LayoutMismatchError: The log holds rows of another layout.
        ForeignFileError, DamagedLogError: A file is not what it must be; it was left alone.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        layout: str | Layout,
        run: Path,
        *,
        stream: str,
        holder: str,
        out_of_order: Literal["raise", "drop"] = "raise",
        is_reader: bool = False,
        segment_us: int = SEGMENT_US,
        max_ahead_us: int | None = None,
        is_transient: bool = False,
        column: bool = True,
        files: Files = DISK,
    ) -> None:
        parsed = Layout.parse(layout)
        identity = create_log(directory, parsed, stream, files)
        writer = LogWriter(
            directory,
            parsed,
            stream=stream,
            holder=holder,
            bells=bells_directory(run, identity.log_id),
            segment_us=segment_us,
            max_ahead_us=max_ahead_us,
            is_transient=is_transient,
            files=files,
        )
        self.log_sink = LogSink(writer, out_of_order=out_of_order, is_reader=is_reader)
        self.write_side = WriteSide(name, self.log_sink)
        super().__init__(name, Direction.OUTPUT, layout=parsed, writes=self.write_side, column=column)

    @property
    def logical_rows(self) -> int:
        """How many rows the module has written over the life of the stream, those in the cache included."""
        return self.log_sink.writer.logical_rows + self.write_side.cached_rows

    @property
    def last_us(self) -> int | None:
        """Timestamp of the newest stored row, us; None without one."""
        head = self.log_sink.writer.head
        return head.last_us if head.stored else None

    def change_layout(self, layout: str) -> None:
        """Refuse: a stream's rows all have one layout."""
        raise PipeError(f"stream {self.log_sink.writer.stream!r} has rows of {self.layout}: it cannot take {layout}")
