"""What a pipe is: the contract that every kind keeps, in prose and as one class.

**Order.** Rows come out in the order in which they went in, and breaks stay between the same rows.
**Loss.** None: a row whose `write()` has returned reaches every reader that keeps reading (what else it means, each
kind says: stored in the stream log, sent, printed). A write that raises a `BadRowsError` has written nothing.
**Private copies.** An array handed to `write()` may be changed afterwards, and so may one that `read()` returned.
**Waiting.** `read()` waits for a new row, a break, or the end of the data; nothing polls. Three endings are kept
apart: you closed the pipe (`ClosedPipeError`), the pipe failed (`PipeError`), no more data (`EmptyPipeError`).
**Sharing.** One reader and one writer at a time, in one event loop.

A kind of pipe is a `RowSource`, a `RowSink` or both, joined here; `joule.testing` has the conformance kit.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from joule.core import Layout, Rows, flatten_rows
from joule.errors import BadLayoutError, ClosedPipeError, EmptyPipeError, PipeError
from joule.pipes._closing import Closing
from joule.pipes._read_side import ReadSide
from joule.pipes._subscribers import Subscriber
from joule.pipes._write_side import WriteSide

__all__ = ["Direction", "Pipe", "PipeStatistics"]


class Direction(enum.Enum):
    """Which way rows go, seen from the module."""

    INPUT = 1
    OUTPUT = 2
    TWOWAY = 3


class HasLayout(Protocol):
    """A stream object of any era."""

    @property
    def layout(self) -> str:
        """Such as `float32_8`."""


class PipeStatistics(NamedTuple):
    """What passed through a pipe since it was made."""

    rows_written: int  # rows that write() accepted, those still in a cache included
    writes: int  # calls of write() that had rows
    rows_cached: int  # rows in the writer's cache, not yet on their way
    rows_read: int  # rows that a read returned for the first time
    rows_consumed: int  # rows consumed
    rows_unconsumed: int  # rows that the last read returned and that are not consumed
    breaks_passed: int  # interval breaks that the reader has gone beyond


class Pipe:
    """One end, or both, of a stream between a module and whatever is on the other side.

    Attributes:
        name: For messages and for the dictionaries of filters.
        direction: INPUT pipes are read, OUTPUT pipes written, TWOWAY ones (local pipes) both.
        stream: The stream object that the pipe belongs to, where there is one.
        closed: This end was closed.
        decimation_level: Rows of the stream per row here; 1 for whole data.
        column: One-element rows are read with `data` of shape (n, 1), as newer eras have it, instead of (n,).
    """

    DIRECTION = Direction

    def __init__(
        self,
        name: str | None = None,
        direction: Direction | None = None,
        module: object = None,
        stream: HasLayout | None = None,
        layout: str | Layout | None = None,
        *,
        reads: ReadSide | None = None,
        writes: WriteSide | None = None,
        column: bool = True,
        close_cb: Callable[[], Any] | None = None,
    ) -> None:
        self.name = "pipe" if name is None else name
        self.direction = direction
        self.module = module
        self.stream = stream
        self.closed = False
        self.decimation_level = 1
        self.column = column
        self._layout = layout
        self._reads = reads
        self._writes = writes
        self._close_cb = close_cb
        self._failed = False
        self._closing: Closing | None = None

    # What the rows look like

    @property
    def layout(self) -> str:
        """Such as `float32_8`: the pipe's own, else its stream's.

        Raises:
            BadLayoutError: There is none.
        """
        if self._layout is not None:
            return str(self._layout)
        if self.stream is not None:
            return self.stream.layout
        raise BadLayoutError(None, f"pipe {self.name!r} was made without a layout and without a stream")

    @property
    def parsed_layout(self) -> Layout:
        """The layout as an object; a text that is none raises BadLayoutError, here and not before."""
        if not isinstance(self._layout, Layout):
            self._layout = Layout.parse(self.layout)
        return self._layout

    @property
    def dtype(self) -> np.dtype[np.void]:
        """Of the structured rows that `read()` returns."""
        layout = self.parsed_layout
        return layout.column_dtype if self.column else layout.dtype

    @property
    def width(self) -> int:
        """Number of elements of a row."""
        return self.parsed_layout.width

    @property
    def decimated(self) -> bool:
        """Whether rows are means of several."""
        return self.decimation_level > 1

    @property
    def last_us(self) -> int | None:
        """Timestamp of the newest row that an output's stream holds, us; None without one, and where none are kept.

        A reader whose source remembers goes on behind it.
        """
        return None

    # Reading

    @property
    def end_of_interval(self) -> bool:
        """Whether the last read stopped at an interval break; the next one goes on behind it."""
        return self._reads is not None and self._reads.end_of_interval

    async def read(self, flatten: bool = False) -> npt.NDArray[Any]:  # noqa: FBT001, FBT002  # the page's signature
        """Return the unconsumed rows, waiting for a new row, a break (then perhaps none) or the end.

        New rows never span an interval break: when `end_of_interval` is set afterwards, the next read goes on behind
        the break, with the rows left unconsumed before it in front. At most 16 MB of new rows come at once. The array
        is a private copy; changing it changes nothing else.

        Args:
            flatten: Return a 2-D array, timestamps in column 0, instead of a structured one.

        Returns:
            Structured rows, shape (n,), fields `timestamp` [us, int64] and `data` (n,) or (n, width); or, flattened,
            shape (n, 1 + width), float64 (int64 for int64 streams).

        Raises:
            EmptyPipeError: The writer has closed and every row was consumed, or the rest was returned again and this
                is the third read in a row that consumed nothing.
            ClosedPipeError: This end was closed, before the read or while it waited.
            PipeError: The pipe is an output, or has failed.
        """
        return self._shown(await self._reading().read(), flatten)

    def read_nowait(self, flatten: bool = False) -> npt.NDArray[Any]:  # noqa: FBT001, FBT002  # the page's signature
        """Return the unconsumed rows and those there are now, perhaps none, without waiting; for tests.

        Raises:
            EmptyPipeError: The writer has closed and no row is left.
        """
        return self._shown(self._reading().read_nowait(), flatten)

    async def read_all(
        self,
        flatten: bool = False,  # noqa: FBT001, FBT002  # as in every era
        maxrows: int | None = 100_000,
        error_on_overflow: bool = False,  # noqa: FBT001, FBT002
    ) -> npt.NDArray[Any]:
        """Read and consume until the data ends, across breaks; then the pipe is closed.

        Args:
            flatten: As in `read()`.
            maxrows: Stop at this many rows; None for no limit.
            error_on_overflow: Raise instead of cutting when there are more.

        Raises:
            PipeError: There was no row ("No data in pipe"), or too many.
        """
        blocks: list[Rows] = []
        count = 0
        enough = None if maxrows is None else maxrows + error_on_overflow
        try:
            while enough is None or count < enough:
                rows = await self._reading().read()
                self.consume(len(rows))
                blocks.append(rows)
                count += len(rows)
        except EmptyPipeError:
            pass  # how the data ends
        if maxrows is not None and count > maxrows and error_on_overflow:
            await self.close()
            raise PipeError(f"pipe {self.name!r} holds more than {maxrows} rows; raise maxrows or read in pieces")
        await self.close()
        if not count:
            raise PipeError(f"No data in pipe {self.name!r}: it ended before its first row")
        return self._shown(np.concatenate(blocks)[:maxrows], flatten)

    def consume(self, num_rows: int) -> None:
        """Drop the first rows of the last read; what stays comes first in the next one. Zero is fine.

        Raises:
            PipeError: A negative number, or more rows than the last read returned.
        """
        self._reading().consume(num_rows)

    def consume_all(self) -> None:
        """Consume everything that the last read returned."""
        reads = self._reading()
        reads.consume(reads.unconsumed)

    def make_room(self, num_rows: int) -> None:
        """Let at least this many rows stay unconsumed: pipes that hold their rows in a buffer make it larger."""
        self._reading().make_room(num_rows)

    def reread_last(self) -> None:
        """Let the next read return what is unconsumed of the last one, and nothing new; `end_of_interval` stays."""
        self._reading().reread_last()

    async def is_empty(self) -> bool:
        """Wait for rows, a break or the end; True at the end of the data. The next read returns what came."""
        try:
            await self._reading().read()
        except EmptyPipeError:
            return True
        self.reread_last()
        return False

    async def not_empty(self) -> bool:
        """Return the contrary of `is_empty()`: `while await pipe.not_empty(): rows = await pipe.read() ...`."""
        return not await self.is_empty()

    # Writing

    async def write(self, data: npt.ArrayLike) -> None:
        """Write rows; when it returns, the promise of this kind of pipe holds for them.

        Cancelled while it waits, it may have written the first of the rows; with a cache, the cache keeps the others.

        Args:
            data: 2-D array, list or tuple, shape (n, 1 + width): Unix microseconds in column 0, then the elements,
                cast to the stream's datatype; or structured rows of `dtype`. The array stays the caller's. Empty
                data is ignored.

        Raises:
            BadRowsError: The data is no rows of this layout, or a timestamp or value cannot be kept; none was written.
            OutOfOrderError: Some timestamps do not increase, at a pipe whose kind checks that; the other rows were
                written.
            ClosedPipeError: This end was closed.
            PipeError: The pipe is an input, or has failed.
        """
        await self._writing().write(data, self.parsed_layout)

    def write_nowait(self, data: npt.ArrayLike) -> None:
        """Write rows without waiting, as `write()` otherwise; kinds that may have to wait raise PipeError."""
        self._writing().write_nowait(data, self.parsed_layout)

    async def close_interval(self) -> None:
        """End the interval: the rows before and after it do not belong together. Without rows before it: nothing."""
        await self._writing().mark_break()

    def close_interval_nowait(self) -> None:
        """End the interval without waiting; cached rows are written first."""
        self._writing().mark_break_nowait()

    def enable_cache(self, lines: int) -> None:
        """Gather writes until `lines` rows are there; a break, `flush_cache()` and `close()` write them too.

        Rows in the cache are not stored: a module that dies loses them. They leave the cache when they are written:
        what a cancelled or failed write did not write stays in it.
        """
        self._writing().enable_cache(lines)

    async def flush_cache(self) -> None:
        """Write what the cache holds."""
        await self._writing().flush_cache()

    def subscribe(self, pipe: Pipe) -> Callable[[], None]:
        """Copy every write, break and close to `pipe` from now on.

        A subscriber that is closed, or whose peer has gone, is dropped, and writing goes on without it. Errors of one
        that is open come out of `write()`, when the rows are written here and to the others.

        Returns:
            A function that ends the subscription; calling it again does nothing.

        Raises:
            PipeError: This pipe is an input.
        """
        return self._writing().subscribers.add(pipe)

    def add_subscriber(self, pipe: Pipe) -> Callable[[], None]:
        """Return `subscribe(pipe)`: the name of an earlier era."""
        return self.subscribe(pipe)

    @property
    def subscribers(self) -> list[Subscriber]:
        """The pipes that get copies."""
        return [] if self._writes is None else list(self._writes.subscribers.pipes)

    # Ending

    def close(self) -> Awaitable[None]:
        """Write what the cache holds and close this end; readers come to the end of the data. Closing twice is fine.

        Returns:
            An awaitable that ends when everything has left and the close callback has run. Ignoring it is legal, as
            code of early eras does: closing has begun when `close()` returns.
        """
        if self._closing is not None:
            return self._closing
        self.closed = True
        writes = self._writes
        self._closing = Closing(writes.sink if writes else None, self.subscribers, self._close_cb)
        try:
            if writes is not None and not self._failed:
                writes.flush_cache_nowait()
        finally:  # rows that cannot be written any more do not keep the pipe open
            self._close_sides()
            if writes is not None:
                writes.subscribers.close()
        return self._closing

    def close_nowait(self) -> None:
        """Close without waiting.

        Raises:
            PipeError: Someone would have to be waited for: subscribers or a close callback.
        """
        if not self.closed and (self.subscribers or self._close_cb is not None):
            raise PipeError(f"pipe {self.name!r} has subscribers or a close callback: await pipe.close() instead")
        self.close()

    def fail(self) -> None:
        """Mark the pipe as failed: every read and write from now on raises PipeError, one that waits too."""
        self._failed = True
        self.closed = True
        self._close_sides()

    def change_layout(self, layout: str) -> None:
        """Carry rows of another layout from now on; only local pipes can.

        Raises:
            PipeError: This kind of pipe cannot, or rows of the old layout are waiting.
        """
        raise PipeError(f"pipe {self.name!r}: only local pipes can change their layout (to {layout})")

    def statistics(self) -> PipeStatistics:
        """Return what passed through so far."""
        reads, writes = self._reads, self._writes
        return PipeStatistics(
            rows_written=writes.rows_written if writes else 0,
            writes=writes.writes if writes else 0,
            rows_cached=writes.cached_rows if writes else 0,
            rows_read=reads.rows_read if reads else 0,
            rows_consumed=reads.rows_consumed if reads else 0,
            rows_unconsumed=reads.unconsumed if reads else 0,
            breaks_passed=reads.breaks if reads else 0,
        )

    def __repr__(self) -> str:
        layout = self._layout if self._layout is not None else getattr(self.stream, "layout", None)
        direction = self.direction.name if self.direction else None
        return f"<joule.models.Pipe name={self.name!r} direction={direction} layout={layout}>"

    # For the kinds

    def _reading(self) -> ReadSide:
        if self._reads is None:
            raise PipeError(f"pipe {self.name!r} is an output: it can be written, not read")
        if self.closed and (ended_by := self._reading_ended_by()) is not None:
            raise ended_by
        return self._reads

    def _reading_ended_by(self) -> PipeError | None:
        """Return why a closed pipe cannot be read; None where only its writer has closed."""
        if self._failed:
            return PipeError(f"pipe failed: {self.name!r}")
        return None if self._reads_after_close() else ClosedPipeError(self.name, "read from")

    def _writing(self) -> WriteSide:
        if self._writes is None:
            raise PipeError(f"pipe {self.name!r} is an input: it can be read, not written")
        if self._failed:
            raise PipeError(f"pipe failed: {self.name!r}")
        if self.closed:
            raise ClosedPipeError(self.name, "write to")
        return self._writes

    def _reads_after_close(self) -> bool:
        """Whether the reader may go on after `close()`: in a local pipe it is the other side that closed."""
        return False

    def _close_sides(self) -> None:
        if self._writes is not None:
            self._writes.sink.close()
        if self._reads is not None:
            self._reads.ended_by = self._reading_ended_by()
            self._reads.source.close()

    def _shown(self, rows: Rows, flatten: bool) -> npt.NDArray[Any]:  # noqa: FBT001
        if flatten:
            return flatten_rows(rows)
        dtype = self.dtype
        return rows if rows.dtype is dtype else rows.view(dtype)
