"""Pipes over a file descriptor or a socket, in the unframed format that clients of every era speak.

Rows are packed one after another; a row of zero bytes means an interval break. So this kind cannot carry a row whose
timestamp and values are all zero: the output refuses it. Rows may arrive in any fragments. Between our own processes
rows go through the stream log instead; this kind is for descriptors handed over by others.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from joule.core import Layout, Rows
from joule.errors import BadRowsError, PeerGoneError
from joule.pipes._memory import RowBuffer
from joule.pipes._pipe import Direction, HasLayout, Pipe
from joule.pipes._read_side import ReadSide
from joule.pipes._sink import RowSink
from joule.pipes._source import Horizon, RowSource
from joule.pipes._write_side import WriteSide

__all__ = ["InputPipe", "OutputPipe", "reader_factory", "writer_factory"]

_log = logging.getLogger("joule.pipes")

ReaderFactory = Callable[[], Awaitable[tuple[asyncio.StreamReader, Callable[[], Any]]]]
WriterFactory = Callable[[], Awaitable[asyncio.StreamWriter]]

BUFFER_ROWS = 10_000


def break_rows(rows: Rows) -> list[int]:
    """Return the indexes of the rows that are breaks: all bytes zero."""
    candidates = np.flatnonzero(rows["timestamp"] == 0)
    return [int(i) for i in candidates if not np.any(rows[i : i + 1].view(np.uint8))]


class _ByteSource(RowSource):
    def __init__(
        self,
        name: str,
        layout: Layout,
        reader: asyncio.StreamReader | None,
        factory: ReaderFactory | None,
        buffer_rows: int,
    ) -> None:
        self.capacity_rows = buffer_rows
        self._name = name
        self._buffer = RowBuffer(layout.dtype)
        self._reader = reader
        self._factory = factory
        self._close_reader: Callable[[], Any] | None = None
        self._partial = b""
        self._first_row = 0

    @property
    def dtype(self) -> np.dtype[np.void]:
        return self._buffer.dtype

    def look(self, row: int, breaks: int) -> Horizon:
        return self._buffer.look(breaks)

    def copy(self, start: int, stop: int) -> Rows:
        return self._buffer.copy(start, stop)

    def discard(self, row: int, breaks: int) -> None:
        self._first_row = row
        self._buffer.discard(row, breaks)

    async def wait(self, row: int, breaks: int) -> None:
        if self._reader is None:
            if self._factory is None:
                self._buffer.is_closed = True
                return
            self._reader, self._close_reader = await self._factory()
        room = max(1, (self.capacity_rows or BUFFER_ROWS) - (self._buffer.end - self._first_row))
        try:
            data = await self._reader.read(room * self.dtype.itemsize)
        except ConnectionError as error:
            raise PeerGoneError(self._name, f"{error}; rows that were on their way are lost") from error
        if data:
            self._take(data)
        else:
            self._end()

    def _take(self, data: bytes) -> None:
        data = self._partial + data
        whole = len(data) - len(data) % self.dtype.itemsize
        self._partial = data[whole:]
        rows = np.frombuffer(data, self.dtype, count=whole // self.dtype.itemsize)
        start = 0
        for stop in break_rows(rows):
            self._buffer.append(rows[start:stop])
            self._buffer.mark_break()
            start = stop + 1
        self._buffer.append(rows[start:])

    def _end(self) -> None:
        if self._partial:
            _log.warning("pipe %r ended within a row: %d bytes dropped", self._name, len(self._partial))
            self._partial = b""
        self._buffer.is_closed = True

    def close(self) -> None:
        self._buffer.is_closed = True
        close, self._close_reader = self._close_reader, None
        if close is not None:
            close()


class _ByteSink(RowSink):
    def __init__(
        self, name: str, layout: Layout, writer: asyncio.StreamWriter | None, factory: WriterFactory | None
    ) -> None:
        self._name = name
        self._token = bytes(layout.row_bytes)
        self._writer = writer
        self._factory = factory
        self._waiting: list[bytes] = []
        self._has_rows = False  # since the last break

    async def write(self, rows: Rows) -> None:
        self.write_nowait(rows)
        await self._drain()

    def write_nowait(self, rows: Rows) -> None:
        zeros = break_rows(rows)
        if zeros:
            raise BadRowsError(
                self._name,
                f"row {zeros[0]} of this write is all zeros, timestamp included, which means an interval break in the "
                "format of this pipe; give it another timestamp",
                row=zeros[0],
            )
        self._has_rows = True
        self._send(rows.tobytes())

    async def mark_break(self) -> None:
        self.mark_break_nowait()
        await self._drain()

    def mark_break_nowait(self) -> None:
        if self._has_rows:
            self._has_rows = False
            self._send(self._token)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    async def wait_closed(self) -> None:
        if self._writer is None and not self._waiting:
            return
        try:
            if self._waiting:
                await self._drain()
            if self._writer is not None:
                self._writer.close()
                await self._writer.wait_closed()
        except ConnectionError as error:
            raise PeerGoneError(self._name, f"{error}; the last rows did not reach it") from error

    def _send(self, data: bytes) -> None:
        if self._writer is None:
            self._waiting.append(data)
        elif self._writer.is_closing():
            raise PeerGoneError(self._name, "these rows were not written")
        else:
            self._writer.write(data)

    async def _drain(self) -> None:
        if self._writer is None and self._factory is not None:
            self._writer = await self._factory()
        if self._writer is None:
            raise PeerGoneError(self._name, "it was made without a writer")
        waiting, self._waiting = self._waiting, []
        try:
            for data in waiting:
                self._writer.write(data)
            await self._writer.drain()
        except ConnectionError as error:
            raise PeerGoneError(self._name, f"{error}; these rows may not have reached it") from error


class InputPipe(Pipe):
    """Rows that arrive as bytes from a descriptor or socket.

    Args:
        name: For messages.
        stream: A stream object, whose layout is used where none is given.
        layout: Such as `float32_2`.
        reader: Where the bytes come from.
        reader_factory: Opens it at the first read, if no reader is given; see `reader_factory()`.
        close_cb: Called once when the pipe is closed; may be a coroutine function.
        buffer_size: A reader that holds this many unconsumed rows gets them again at once.
        column: See `Pipe`.

    Raises:
        BadLayoutError: There is no layout.
    """

    def __init__(
        self,
        name: str | None = None,
        stream: HasLayout | None = None,
        layout: str | Layout | None = None,
        reader: asyncio.StreamReader | None = None,
        reader_factory: ReaderFactory | None = None,
        close_cb: Callable[[], Any] | None = None,
        buffer_size: int = BUFFER_ROWS,
        *,
        column: bool = True,
    ) -> None:
        name = "input pipe" if name is None else name
        super().__init__(name, Direction.INPUT, stream=stream, layout=layout, column=column, close_cb=close_cb)
        source = _ByteSource(name, self.parsed_layout, reader, reader_factory, buffer_size)
        self._reads = ReadSide(name, source)


class OutputPipe(Pipe):
    """Rows that leave as bytes through a descriptor or socket.

    `write()` returns when the bytes are with the operating system, or waiting in a buffer of bounded size for a slow
    reader; nothing is checked about the order of timestamps.

    Args:
        name: For messages.
        stream: A stream object, whose layout is used where none is given.
        layout: Such as `float32_2`.
        close_cb: Called once when the pipe is closed; may be a coroutine function.
        writer: Where the bytes go.
        writer_factory: Opens it at the first write, if no writer is given; see `writer_factory()`.

    Raises:
        BadLayoutError: There is no layout.
    """

    def __init__(
        self,
        name: str | None = None,
        stream: HasLayout | None = None,
        layout: str | Layout | None = None,
        close_cb: Callable[[], Any] | None = None,
        writer: asyncio.StreamWriter | None = None,
        writer_factory: WriterFactory | None = None,
    ) -> None:
        name = "output pipe" if name is None else name
        super().__init__(name, Direction.OUTPUT, stream=stream, layout=layout, close_cb=close_cb)
        self._writes = WriteSide(name, _ByteSink(name, self.parsed_layout, writer, writer_factory))


def reader_factory(fd: int) -> ReaderFactory:
    """Return an opener for `InputPipe(reader_factory=...)`; the pipe closes `fd` with itself."""

    async def open_reader() -> tuple[asyncio.StreamReader, Callable[[], Any]]:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: protocol, os.fdopen(fd, "rb", buffering=0))
        return reader, transport.close

    return open_reader


def writer_factory(fd: int) -> WriterFactory:
    """Return an opener for `OutputPipe(writer_factory=...)`; the pipe closes `fd` with itself."""

    async def open_writer() -> asyncio.StreamWriter:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "wb", buffering=0)
        )
        return asyncio.StreamWriter(transport, protocol, reader, loop)

    return open_writer
