"""Reading a stream's log as a pipe: any number of modules may, and none of them disturbs the writer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np

from joule.core import Rows
from joule.log import BREAK, DISK, Bell, Break, Files, LogReader
from joule.pipes._pipe import Direction, Pipe
from joule.pipes._read_side import ReadSide
from joule.pipes._signal import ChangeSignal
from joule.pipes._source import Horizon, RowSource

__all__ = ["LogInput", "bells_directory", "follow_log"]

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

    @property
    def dtype(self) -> np.dtype[np.void]:
        return self.log.layout.dtype

    def look(self, row: int, breaks: int) -> Horizon:
        head = self.log.head()
        if breaks < head.breaks:
            return Horizon(self.log.break_row(breaks), is_break=True, is_end=False)
        return Horizon(head.end, is_break=False, is_end=self._ends_with_writer and head.is_closed)

    def copy(self, start: int, stop: int) -> Rows:
        return self.log.copy(start, stop)

    def count(self, start: int, stop: int) -> int:
        return self.log.segments.count(start, stop)

    def advance(self, start: int, rows: int) -> int:
        return self.log.segments.advance(start, rows)

    def discard(self, row: int, breaks: int) -> None:
        return  # the log keeps what others still need

    async def wait(self, row: int, breaks: int) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._listen(loop)
            return  # what was stored before the bell hung rang nobody: look again
        recheck = loop.call_later(RECHECK_S, self._rung.notify)
        try:
            await self._rung.wait()
        finally:
            recheck.cancel()

    def close(self) -> None:
        self._unlisten()
        self._rung.notify()
        self.log.close()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        self._unlisten()
        self._bell = Bell(bells_directory(self._run, self.log.identity.log_id))
        self._loop = loop
        loop.add_reader(self._bell.fd, self._answer, self._bell)

    def _unlisten(self) -> None:
        bell, self._bell = self._bell, None
        loop, self._loop = self._loop, None
        if bell is not None:
            if loop is not None and not loop.is_closed():
                loop.remove_reader(bell.fd)
            bell.close()

    def _answer(self, bell: Bell) -> None:
        bell.answer()
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
        super().__init__(
            name,
            Direction.INPUT,
            layout=source.log.layout,
            reads=ReadSide(name, source, row=row, breaks=breaks),
            column=column,
        )


async def follow_log(directory: Path, run: Path) -> AsyncGenerator[Rows | Break]:
    """Yield rows as they are stored, from now on, with BREAK between intervals; never ends by itself.

    Args:
        directory: The log's.
        run: The node's runtime directory.

    Raises:
        LogError: There is no log in the directory, or it cannot be read.
    """
    with LogReader(directory) as log:
        head = log.head()
    pipe = LogInput("live", directory, run, row=head.end, breaks=head.breaks, column=False)
    try:
        while True:
            rows = await pipe.read()
            pipe.consume(len(rows))
            if len(rows):
                yield rows
            if pipe.end_of_interval:
                yield BREAK
    finally:
        await pipe.close()
