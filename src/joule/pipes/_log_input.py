"""Reading a stream's log as a pipe: any number of modules may, and none of them disturbs the writer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np

from joule.core import Rows
from joule.errors import LogError
from joule.log import BREAK, DISK, Bell, Break, Files, LogReader
from joule.pipes._pipe import Direction, Pipe
from joule.pipes._read_side import ReadSide
from joule.pipes._signal import ChangeSignal
from joule.pipes._source import Horizon, RowSource

__all__ = ["LogInput", "bells_directory", "follow_log"]

_log = logging.getLogger("joule.pipes")

FAST_S = 0.0003
"""A reader that is rung again this soon is in a fast stream: rings would cost both sides more than the rows."""
PAUSE_S = 0.001
"""In a fast stream a reader looks again after this long, without asking to be rung, and finds many writes at once."""
PAUSES = 16
"""Pauses until a reader of a fast stream asks to be rung again, to see whether the stream still is fast."""
RECHECK_S = 1.0
"""A reader looks again after this long even if nobody rang: the writer may have died between storing and ringing."""


def bells_directory(run: Path, log_id: str) -> Path:
    """Return where the readers of a log wait to be woken, below a node's runtime directory."""
    return run / "bells" / log_id


class LogSource(RowSource):
    """Rows of a log, from a position on.

    Args:
        directory: The log's.
        run: The node's runtime directory.
        name: Of the pipe, for messages.
        ends_with_writer: When the writer has closed the log and all was read, the data ends; otherwise the next
            writer is waited for.
        files: The file system.
    """

    def __init__(
        self, directory: Path, run: Path, name: str, *, ends_with_writer: bool = False, files: Files = DISK
    ) -> None:
        self.log = LogReader(directory, files)
        self._run = run
        self._name = name
        self._ends_with_writer = ends_with_writer
        self._bell: Bell | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = ChangeSignal()
        self._last_s = 0.0
        self._pauses = 0
        self._was_rung = False
        self._is_deaf = False

    @property
    def dtype(self) -> np.dtype[np.void]:
        return self.log.layout.dtype

    def bounded(self, row: int, breaks: int) -> tuple[int, int]:
        """Return a position, or the end of the log where that lies before it: an older copy was put in its place."""
        head = self.log.head()
        if row <= head.end and breaks <= head.breaks:
            return row, breaks
        _log.warning(
            "pipe %r was read up to row %d, but the log in %s ends at row %d: going on there (is it an older copy?)",
            *(self._name, row, self.log.directory, head.end),
        )
        return min(row, head.end), min(breaks, head.breaks)

    def look(self, row: int, breaks: int) -> Horizon:
        try:
            head = self.log.head()
            if breaks < head.breaks:
                return Horizon(self.log.break_row(breaks), is_break=True, is_end=False)
        except OSError as error:
            raise self._unreadable(error) from error
        return Horizon(head.end, is_break=False, is_end=self._ends_with_writer and head.is_closed)

    def copy(self, start: int, stop: int) -> Rows:
        try:
            return self.log.copy(start, stop)
        except OSError as error:
            raise self._unreadable(error) from error

    def count(self, start: int, stop: int) -> int:
        return self.log.segments.count(start, stop)

    def advance(self, start: int, rows: int) -> int:
        return self.log.segments.advance(start, rows)

    def discard(self, row: int, breaks: int) -> None:
        return  # the log keeps what others still need

    async def wait(self, row: int, breaks: int) -> None:
        loop = asyncio.get_running_loop()
        if self._pauses:
            self._pauses -= 1
            await self._sleep(loop, PAUSE_S)
            return
        self._ask(loop)
        if self._has_news(row, breaks):  # stored before we asked: nobody rings for it
            return
        self._was_rung = False
        await self._sleep(loop, RECHECK_S)
        now_s = loop.time()
        if now_s - self._last_s < FAST_S:
            self._pauses = PAUSES
        self._last_s = now_s
        if not self._was_rung and self._bell is not None and self._has_news(row, breaks):
            self._unlisten()  # somebody may have removed it: the next wait hangs up another

    def close(self) -> None:
        self._unlisten()
        self._rung.notify()
        self.log.close()

    def _unreadable(self, error: OSError) -> LogError:
        stream, directory = self.log.identity.stream, self.log.directory
        return LogError(f"stream {stream!r} cannot be read from {directory}: {error.strerror}", stream=stream)

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ask to be rung. Where no bell can be hung up, rows come all the same, only later."""
        try:
            bell = self._bell if self._bell is not None and self._loop is loop else self._listen(loop)
            bell.ask()
        except OSError as error:  # no descriptors left, or no room for a FIFO on a full disk
            if not self._is_deaf:
                _log.warning("pipe %r cannot be rung, so it looks again every second: %s", self._name, error)
            self._is_deaf = True
        else:
            self._is_deaf = False

    def _has_news(self, row: int, breaks: int) -> bool:
        horizon = self.look(row, breaks)
        return horizon.end > row or horizon.is_break or horizon.is_end

    async def _sleep(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Wait for a ring, the end of the pipe, or this long."""
        alarm = loop.call_later(seconds, self._rung.notify)
        try:
            await self._rung.wait()
        finally:
            alarm.cancel()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> Bell:
        self._unlisten()
        bell = self._bell = Bell(bells_directory(self._run, self.log.identity.log_id))
        self._loop = loop
        loop.add_reader(bell.fd, self._answer, bell)
        return bell

    def _unlisten(self) -> None:
        bell, self._bell = self._bell, None
        loop, self._loop = self._loop, None
        if bell is not None:
            if loop is not None and not loop.is_closed():
                loop.remove_reader(bell.fd)
            bell.close()

    def _answer(self, bell: Bell) -> None:
        bell.answer()
        self._was_rung = True
        self._rung.notify()


class LogInput(Pipe):
    """An input pipe over a stream's log.

    Args:
        name: For messages.
        directory: The log's.
        run: The node's runtime directory.
        row: Where to begin: the first row that was not consumed.
        breaks: How many breaks lie before that, or were passed.
        ends_with_writer: When the writer has closed the log and all was read, the data ends; otherwise the pipe waits
            for the next writer.
        column: See `Pipe`.
        files: The file system.

    Attributes:
        read_side: Its positions, for what commits them.

    Raises:
        LogError: There is no log in the directory, or it cannot be read.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        run: Path,
        *,
        row: int = 0,
        breaks: int = 0,
        ends_with_writer: bool = False,
        column: bool = True,
        files: Files = DISK,
    ) -> None:
        source = LogSource(directory, run, name, ends_with_writer=ends_with_writer, files=files)
        try:
            row, breaks = source.bounded(row, breaks)
        except BaseException:
            source.close()
            raise
        self.read_side = ReadSide(name, source, row=row, breaks=breaks)
        super().__init__(name, Direction.INPUT, layout=source.log.layout, reads=self.read_side, column=column)


async def follow_log(directory: Path, run: Path) -> AsyncGenerator[Rows | Break]:
    """Yield rows as they are stored, from now on, with BREAK between intervals; never ends by itself.

    Args:
        directory: The log's.
        run: The node's runtime directory.

    Raises:
        LogError: There is no log in the directory, or none any more, or it cannot be read.
    """
    with LogReader(directory) as log:
        head = log.head()
    pipe = LogInput("live", directory, run, row=head.end, breaks=head.breaks, column=False)
    try:
        while True:
            rows = await _read_while_there(pipe, directory)
            pipe.consume(len(rows))
            if len(rows):
                yield rows
            if pipe.end_of_interval:
                yield BREAK
    finally:
        await pipe.close()


async def _read_while_there(pipe: LogInput, directory: Path) -> Rows:
    """Return the next rows; the log of a deleted stream would be waited on for ever."""
    reading = asyncio.ensure_future(pipe.read())
    try:
        while not reading.done():
            await asyncio.wait({reading}, timeout=RECHECK_S)
            if not reading.done() and not directory.is_dir():
                raise LogError(f"the stream that was followed is deleted: {directory} is gone", path=str(directory))
        return reading.result()
    finally:
        reading.cancel()
