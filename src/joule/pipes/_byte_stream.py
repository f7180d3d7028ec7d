"""Pipes over a file descriptor or a socket, in the unframed format that clients of every era speak.

Rows are packed one after another; a row of zero bytes means an interval break. So this kind cannot carry a row whose
timestamp and values are all zero: the output refuses it. Rows may arrive in any fragments. Between our own processes
rows go through the stream log instead; this kind is for descriptors handed over by others.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from joule.core import Layout
from joule.pipes._byte_sink import ByteSink, WriterFactory
from joule.pipes._byte_source import BUFFER_ROWS, ByteSource, ReaderFactory
from joule.pipes._pipe import Direction, HasLayout, Pipe
from joule.pipes._read_side import ReadSide
from joule.pipes._write_side import WriteSide

__all__ = ["InputPipe", "OutputPipe", "reader_factory", "writer_factory"]


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
        source = ByteSource(name, self.parsed_layout, reader, reader_factory, buffer_size)
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
        writer_factory: Opens it at the first write or the close, if no writer is given; see `writer_factory()`.
        column: See `Pipe`; here it is the shape of `dtype` only.

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
        *,
        column: bool = True,
    ) -> None:
        name = "output pipe" if name is None else name
        super().__init__(name, Direction.OUTPUT, stream=stream, layout=layout, column=column, close_cb=close_cb)
        self._writes = WriteSide(name, ByteSink(name, self.parsed_layout, writer, writer_factory))


class _DescriptorReader:
    """Opens a descriptor for reading."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    async def __call__(self) -> tuple[asyncio.StreamReader, Callable[[], Any]]:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: protocol, os.fdopen(self._fd, "rb", buffering=0))
        return reader, transport.close

    def discard(self) -> None:
        os.close(self._fd)


def reader_factory(fd: int) -> ReaderFactory:
    """Return an opener for `InputPipe(reader_factory=...)`; the pipe closes `fd` with itself."""
    return _DescriptorReader(fd)


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
