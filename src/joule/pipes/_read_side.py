"""The rules of reading, the same for every kind of pipe: positions, breaks, consuming, the end of data.

Three positions say everything: `row` (what was consumed), `delivered` (what the last read returned up to) and
`breaks` (how many interval breaks the reader has passed). They are what a stream log's cursor stores, so a module
that restarts goes on from them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from joule.core import Rows
from joule.errors import EmptyPipeError, PipeError
from joule.pipes._source import Horizon, RowSource

__all__ = ["ReadSide", "YieldPoint"]

READ_LIMIT_BYTES = 16_000_000
"""New rows that one read returns at most: a reader may be hours behind, and its memory must not grow with that."""


class YieldPoint:
    """Lets the event loop run now and then in loops that never wait, so that signals and other tasks are seen."""

    __slots__ = ("_due",)

    INTERVAL_S = 0.005

    def __init__(self) -> None:
        self._due = 0.0

    async def pause_if_due(self) -> None:
        """Yield to the event loop if the last yield here is 5 ms ago."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + self.INTERVAL_S
            await asyncio.sleep(0)


class ReadSide:
    """One reader of a source.

    Attributes:
        source: Where the rows come from.
        row: Index of the first unconsumed row.
        breaks: How many breaks were passed.
        delivered: Index behind the last row that a read returned.
        end_of_interval: The last read stopped at a break.
        was_read: A read has looked for new rows since this was last set to False; the commit rule of a stream log
            asks.
        ended_by: Why nothing can be read any more, where this end was closed or failed; a read that waits raises it.
        rows_read: Rows returned by reads for the first time.
        rows_consumed: Rows consumed.
    """

    def __init__(self, name: str, source: RowSource, *, row: int = 0, breaks: int = 0) -> None:
        self.name = name
        self.source = source
        self.row = row
        self.delivered = row
        self.breaks = breaks
        self.end_of_interval = False
        self.was_read = False
        self.before_read: Callable[[], None] | None = None
        self.ended_by: PipeError | None = None
        self.rows_read = 0
        self.rows_consumed = 0
        self._reread = False
        self._reads_since_consume = 0
        self._repeats_at_end = 0
        self._yield_point = YieldPoint()

    @property
    def unconsumed(self) -> int:
        """How many rows the last read returned that were not consumed since."""
        return self.source.count(self.row, self.delivered)

    async def read(self) -> Rows:
        """Return the unconsumed rows and new ones up to the next break; wait while there is nothing new.

        Raises:
            EmptyPipeError: The writer has closed and every row was consumed, or the rest was returned again and this
                is the third read in a row that consumed nothing.
            PipeError: This end was closed, or has failed, while the read waited.
        """
        if self._take_reread():
            return self._copy()
        self._begin()
        await self._yield_point.pause_if_due()
        if self._is_full():
            return self._copy()
        while True:
            if self.ended_by is not None:
                raise self.ended_by
            horizon = self.source.look(self.delivered, self.breaks)
            if self._is_new(horizon):
                return self._deliver(horizon)
            if horizon.is_end:
                return self._repeat_at_end()
            await self.source.wait(self.delivered, self.breaks)

    def read_nowait(self) -> Rows:
        """As `read()`, but with nothing new it returns the unconsumed rows, perhaps none, and never waits."""
        if self._take_reread():
            return self._copy()
        self._begin()
        horizon = self.source.look(self.delivered, self.breaks)
        if self._is_new(horizon):
            return self._deliver(horizon, limit_bytes=None)
        return self._repeat_at_end() if horizon.is_end else self._copy()

    def reread_last(self) -> None:
        """Let the next read return the unconsumed rows of the last one and nothing new."""
        self._reread = True

    def make_room(self, rows: int) -> None:
        """Let at least this many rows stay unconsumed, where the source has a limit."""
        if self.source.capacity_rows is not None:
            self.source.capacity_rows = max(self.source.capacity_rows, rows)

    def consume(self, rows: int) -> None:
        """Drop the first `rows` unconsumed rows.

        Raises:
            PipeError: `rows` is negative, or more than the last read returned.
        """
        available = self.unconsumed
        if rows < 0:
            raise PipeError(f"pipe {self.name!r}: cannot consume a negative number of rows ({rows})")
        if rows > available:
            raise PipeError(
                f"pipe {self.name!r}: cannot consume {rows} rows: the last read returned {available} that are still "
                "there; consume() takes at most the rows that read() returned"
            )
        if rows == available:
            self._reread = False  # nothing of the last read is left to return again
        if rows == 0:
            return
        self.row = self.source.advance(self.row, int(rows))
        self.rows_consumed += int(rows)
        self._reads_since_consume = self._repeats_at_end = 0
        self.source.discard(self.row, self.breaks)

    def _take_reread(self) -> bool:
        taken, self._reread = self._reread, False
        return taken

    def _begin(self) -> None:
        """A read that looks for new rows: the reader has dealt with the break that the last one stopped at."""
        if self.end_of_interval:
            self.breaks += 1
            self.end_of_interval = False
            self.source.discard(self.row, self.breaks)
        if self.before_read is not None:
            self.before_read()
        self.was_read = True

    def _is_full(self) -> bool:
        capacity = self.source.capacity_rows
        return capacity is not None and self.unconsumed >= capacity

    def _is_new(self, horizon: Horizon) -> bool:
        # Counted, not compared: behind the last row that was returned there may be nothing but a hole.
        return horizon.is_break or self.source.count(self.delivered, horizon.end) > 0

    def _deliver(self, horizon: Horizon, limit_bytes: int | None = READ_LIMIT_BYTES) -> Rows:
        stop = horizon.end
        if limit_bytes is not None:
            stop = min(stop, self.source.advance(self.delivered, self._limit_rows(limit_bytes)))
        before = self.unconsumed
        self.end_of_interval = horizon.is_break and stop == horizon.end
        self.delivered = stop
        self._repeats_at_end = 0
        rows = self._copy()
        self.rows_read += len(rows) - before
        return rows

    def _limit_rows(self, limit_bytes: int) -> int:
        return max(1, limit_bytes // self.source.dtype.itemsize)

    def _repeat_at_end(self) -> Rows:
        if self.unconsumed == 0 or (self._repeats_at_end >= 1 and self._reads_since_consume >= 2):
            raise EmptyPipeError(self.name)
        self._repeats_at_end += 1
        return self._copy()

    def _copy(self) -> Rows:
        self._reads_since_consume += 1
        return self.source.copy(self.row, self.delivered)
