"""Pipes inside one process: between the modules of a composite, and in tests.

Nothing is checked that storing would check: timestamps may repeat or go back, as unit tests of every era do. Nothing
is lost and nothing blocks, however much waits, unless a `write_limit` was asked for.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import numpy as np

from joule.core import Layout, Rows
from joule.errors import BadLayoutError, ClosedPipeError, PipeError
from joule.log import InnerPosition
from joule.pipes._memory import RowBuffer
from joule.pipes._pipe import Direction, HasLayout, Pipe
from joule.pipes._read_side import ReadSide
from joule.pipes._scope import SCOPE
from joule.pipes._signal import ChangeSignal
from joule.pipes._sink import RowSink
from joule.pipes._source import Horizon, RowSource
from joule.pipes._write_side import WriteSide

__all__ = ["LocalNumpyPipe", "LocalPipe"]


class _LocalStore(RowSource, RowSink):
    """Both ends of a local pipe: rows in memory."""

    def __init__(self, name: str, layout: Layout, write_limit: int) -> None:
        self._name = name
        self._buffer = RowBuffer(layout.dtype)
        self._arrived = ChangeSignal()
        self._taken = ChangeSignal()
        self._write_limit = write_limit
        self._first = 0  # rows before it were consumed in an earlier life of the process
        self._unread: collections.deque[int] = collections.deque()  # where each write ends that nobody has read whole

    @property
    def dtype(self) -> np.dtype[np.void]:
        return self._buffer.dtype

    def change_layout(self, layout: Layout) -> None:
        """Carry other rows; none was written yet. A reader may be waiting."""
        is_open = self._buffer.is_open
        self._buffer = RowBuffer(layout.dtype)
        if is_open:
            self._buffer.open_interval()

    @property
    def buffer(self) -> RowBuffer:
        """What is on its way."""
        return self._buffer

    def begin_at(self, row: int, *, is_open: bool) -> None:
        """Take rows before `row` without keeping them; with `is_open`, in an interval that has rows already."""
        self._first = row
        if is_open:
            self._buffer.open_interval()

    def look(self, row: int, breaks: int) -> Horizon:
        return self._buffer.look(breaks)

    def copy(self, start: int, stop: int) -> Rows:
        if self._unread and self._unread[0] <= stop:
            while self._unread and self._unread[0] <= stop:
                self._unread.popleft()
            self._taken.notify()
        return self._buffer.copy(start, stop)

    async def wait(self, row: int, breaks: int) -> None:
        await self._arrived.wait()

    def discard(self, row: int, breaks: int) -> None:
        self._buffer.discard(row, breaks)

    async def write(self, rows: Rows) -> None:
        while self._write_limit and len(self._unread) >= self._write_limit and not self._buffer.is_closed:
            await self._taken.wait()
        if self._buffer.is_closed:
            raise ClosedPipeError(self._name, "write to")
        self.write_nowait(rows)

    def write_nowait(self, rows: Rows) -> None:
        self._buffer.append(rows.copy())
        if self._buffer.end <= self._first:  # nobody will read them
            self._buffer.discard(self._buffer.end, 0)
            return
        if self._write_limit:
            self._unread.append(self._buffer.end)
        self._arrived.notify()

    async def mark_break(self) -> None:
        self.mark_break_nowait()

    def mark_break_nowait(self) -> None:
        if self._buffer.mark_break():
            self._arrived.notify()

    def close(self) -> None:
        self._buffer.is_closed = True
        self._arrived.notify()
        self._taken.notify()


class LocalPipe(Pipe):
    """A pipe whose both ends are in this process: what is written to it can be read from it.

    Works without a running event loop (`write_nowait`, `read_nowait`), inside any loop, and after that loop closed.
    Closing it is the writer's act: what was written can still be read.

    Args:
        first: The layout, such as `float32_2`; or the name, where the layout is given by its keyword.
        name: For messages.
        close_cb: Called once when the pipe is closed; may be a coroutine function.
        debug: Accepted for code of earlier eras; has no effect.
        stream: A stream object, whose layout is used where none is given.
        write_limit: `write()` waits while this many writes are unread; 0 never waits.
        layout: Such as `float32_2`.
        buffer_size: Accepted for code of earlier eras; the pipe holds whatever is written.
        column: See `Pipe`.

    Attributes:
        read_side: Its reader's positions, for what commits them.
        write_side: Its cache, likewise.

    Raises:
        BadLayoutError: The layout is none.
    """

    def __init__(
        self,
        first: str | Layout | None = None,
        /,
        name: str | None = None,
        close_cb: Callable[[], Any] | None = None,
        debug: bool = False,  # noqa: FBT001, FBT002  # as in every era
        stream: HasLayout | None = None,
        write_limit: int = 0,
        *,
        layout: str | Layout | None = None,
        buffer_size: int = 0,
        column: bool = True,
    ) -> None:
        if layout is None:
            layout = stream.layout if first is None and stream is not None else first
        elif first is not None:
            name = str(first)
        parsed = Layout.parse("" if layout is None else layout)
        name = "local pipe" if name is None else name
        self._local = _LocalStore(name, parsed, write_limit)
        self.read_side = ReadSide(name, self._local)
        self.write_side = WriteSide(name, self._local)
        super().__init__(
            name,
            Direction.TWOWAY,
            stream=stream,
            layout=parsed,
            reads=self.read_side,
            writes=self.write_side,
            column=column,
            close_cb=close_cb,
        )
        scope = SCOPE.get()
        if scope is not None:
            scope.composite.add_pipe(self)

    def emitted(self) -> InnerPosition:
        """Return how many rows and breaks were written, those in the cache included."""
        buffer, cached = self._local.buffer, self.write_side.cached_rows
        return InnerPosition(buffer.end + cached, buffer.breaks, buffer.is_open or cached > 0)

    def go_on(self, position: InnerPosition) -> None:
        """Skip what the reader consumed in an earlier life of the process; before anything is read or written."""
        reads = self.read_side
        reads.row = reads.delivered = position.rows
        reads.breaks = position.breaks
        self._local.begin_at(position.rows, is_open=position.is_open)

    def change_layout(self, layout: str) -> None:
        """Carry rows of another layout from now on; a read that waits already will return such rows.

        Raises:
            PipeError: Rows were already written.
            BadLayoutError: The layout is none.
        """
        if self.statistics().rows_written:
            raise PipeError(f"pipe {self.name!r} has carried rows of {self.layout}: it cannot change to {layout} now")
        parsed = Layout.parse(layout)
        self._layout = parsed
        self._local.change_layout(parsed)

    def _reads_after_close(self) -> bool:
        return True


class LocalNumpyPipe(LocalPipe):
    """A local pipe as the seed page makes it: name first, and one-element rows read with `data` of shape (n,).

    Args:
        name: For messages.
        layout: Such as `float32_1`.
        buffer_size: Accepted for code of earlier eras; the pipe holds whatever is written.
        debug: Accepted likewise.
        stream: A stream object, whose layout is used where none is given.

    Raises:
        BadLayoutError: The layout is none.
    """

    def __init__(
        self,
        name: str,
        layout: str | Layout | None = None,
        buffer_size: int = 3000,
        debug: bool = False,  # noqa: FBT001, FBT002  # as in every era
        stream: HasLayout | None = None,
    ) -> None:
        if layout is None and stream is None:
            raise BadLayoutError(None, f"LocalNumpyPipe({name!r}) needs a layout: LocalNumpyPipe(name, layout=...)")
        super().__init__(name=name, layout=layout, debug=debug, stream=stream, buffer_size=buffer_size, column=False)
