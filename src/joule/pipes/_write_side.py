"""The rules of writing, the same for every kind of pipe: checking rows, caching, subscribers.

Rows are checked and converted before anything is written, so that a refused write leaves no trace. The cache gathers
small writes; it is an author's choice, since rows in it are not stored yet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from joule.core import Layout, Rows, to_rows
from joule.errors import PipeError
from joule.pipes._read_side import YieldPoint
from joule.pipes._sink import RowSink
from joule.pipes._subscribers import Subscribers

__all__ = ["WriteSide"]

_log = logging.getLogger("joule.pipes")


class WriteSide:
    """One writer into a sink.

    Attributes:
        sink: Where rows go.
        subscribers: Pipes that get a copy of every write and break.
        rows_written: Rows accepted, those in the cache included.
        writes: Calls of write that had rows.
        before_write: Called before rows are taken; where it raises, they are not.
        before_break: The same for a break.
        after_flush: Called when cached rows have reached the sink and the subscribers.
    """

    def __init__(self, name: str, sink: RowSink) -> None:
        self.name = name
        self.sink = sink
        self.subscribers = Subscribers(name)
        self.rows_written = 0
        self.writes = 0
        self.before_write: Callable[[], None] | None = None
        self.before_break: Callable[[], None] | None = None
        self.after_flush: Callable[[], None] | None = None
        self._cache_rows = 0
        self._cached: list[Rows] = []
        self._cached_count = 0
        self._flushing_count = 0
        self._yield_point = YieldPoint()

    @property
    def cached_rows(self) -> int:
        """How many rows wait in the cache, or in a flush that waits for the sink."""
        return self._cached_count + max(0, self._flushing_count - self.sink.taken_rows)

    def prepare(self, data: object, layout: Layout) -> Rows | None:
        """Return `data` as rows of `layout`, None for an empty write.

        Raises:
            BadRowsError: `data` is no such rows, or the sink cannot carry them.
        """
        rows = to_rows(data, layout, self.name)
        if not len(rows):
            _log.info("pipe %r: ignored an empty write", self.name)
            return None
        self.sink.check(rows)
        if self.before_write is not None:
            self.before_write()
        return rows

    async def write(self, data: object, layout: Layout) -> None:
        """Write rows, or gather them in the cache; see `Pipe.write`."""
        rows = self.prepare(data, layout)
        if rows is None:
            return
        # The pause comes before the rows are taken: a write that is cancelled here has written nothing.
        await self._yield_point.pause_if_due()
        self._count(rows)
        if self._cache_rows:
            if self._gather(rows):
                await self.flush_cache()
            return
        await self._send(rows)

    def write_nowait(self, data: object, layout: Layout) -> None:
        """Write rows without waiting."""
        rows = self.prepare(data, layout)
        if rows is None:
            return
        self._count(rows)
        if self._cache_rows:
            if self._gather(rows):
                self.flush_cache_nowait()
            return
        self._send_nowait(rows)

    def enable_cache(self, rows: int) -> None:
        """Gather writes until there are `rows` rows."""
        if rows < 1:
            raise PipeError(f"pipe {self.name!r}: enable_cache takes a number of rows of 1 or more, not {rows}")
        self._cache_rows = int(rows)

    async def flush_cache(self) -> None:
        """Write what the cache holds."""
        rows = self._take_cached()
        if rows is None:
            return
        try:
            await self._send(rows)
        finally:
            self._put_back(rows[self.sink.taken_rows :])
        self._flushed()

    def flush_cache_nowait(self) -> None:
        """Write what the cache holds without waiting."""
        rows = self._take_cached()
        if rows is None:
            return
        try:
            self._send_nowait(rows)
        finally:
            self._put_back(rows[self.sink.taken_rows :])
        self._flushed()

    async def mark_break(self) -> None:
        """End the interval behind everything written so far."""
        self._begin_break()
        await self.flush_cache()
        await self.sink.mark_break()
        await self.subscribers.mark_break()

    def mark_break_nowait(self) -> None:
        """End the interval without waiting."""
        self._begin_break()
        self.flush_cache_nowait()
        self.sink.mark_break_nowait()
        self.subscribers.mark_break_nowait()

    def _begin_break(self) -> None:
        if self.before_break is not None:
            self.before_break()

    def _count(self, rows: Rows) -> None:
        self.writes += 1
        self.rows_written += len(rows)

    def _gather(self, rows: Rows) -> bool:
        self._cached.append(rows.copy())  # the author may reuse the array
        self._cached_count += len(rows)
        return self._cached_count >= self._cache_rows

    def _take_cached(self) -> Rows | None:
        if not self._cached:
            return None
        rows = np.concatenate(self._cached) if len(self._cached) > 1 else self._cached[0]
        self._cached.clear()
        self._cached_count = 0
        self.sink.taken_rows = 0
        self._flushing_count = len(rows)
        return rows

    def _put_back(self, rows: Rows) -> None:
        """Keep rows that the sink did not take, before those that were gathered since."""
        self._flushing_count = 0
        if len(rows):
            self._cached.insert(0, rows)
            self._cached_count += len(rows)

    def _flushed(self) -> None:
        if self.after_flush is not None:
            self.after_flush()

    # Subscribers get what the sink has dealt with: not what a full disk keeps out, but what was refused for its order.

    async def _send(self, rows: Rows) -> None:
        sink = self.sink
        sink.taken_rows = 0
        try:
            await sink.write(rows)
            sink.taken_rows = len(rows)
        finally:
            if self.subscribers.pipes and sink.taken_rows:
                await self.subscribers.write(rows[: sink.taken_rows])

    def _send_nowait(self, rows: Rows) -> None:
        sink = self.sink
        sink.taken_rows = 0
        try:
            sink.write_nowait(rows)
            sink.taken_rows = len(rows)
        finally:
            if self.subscribers.pipes and sink.taken_rows:
                self.subscribers.write_nowait(rows[: sink.taken_rows])
