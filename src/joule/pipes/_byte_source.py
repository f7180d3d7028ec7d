"""The reading half of a byte-stream pipe: from fragments of any size to rows and breaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from joule.core import Layout, Rows
from joule.errors import PeerGoneError
from joule.pipes._memory import RowBuffer
from joule.pipes._opening import Opening
from joule.pipes._source import Horizon, RowSource

__all__ = ["BUFFER_ROWS", "ByteSource", "ReaderFactory", "break_rows"]

_log = logging.getLogger("joule.pipes")

ReaderFactory = Callable[[], Awaitable[tuple[asyncio.StreamReader, Callable[[], Any]]]]

BUFFER_ROWS = 10_000


def break_rows(rows: Rows) -> list[int]:
    """Return the indexes of the rows that are breaks: all bytes zero."""
    candidates = np.flatnonzero(rows["timestamp"] == 0)
    return [int(i) for i in candidates if not np.any(rows[i : i + 1].view(np.uint8))]


class ByteSource(RowSource):
    """Rows that arrive as bytes; nothing is read ahead of what a reader asks for, so a slow one holds its writer back.

    Args:
        name: Of the pipe, for messages.
        layout: Of the rows.
        reader: Where the bytes come from.
        factory: Opens it at the first read, if there is no reader.
        buffer_rows: How many unconsumed rows are held.
    """

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
        self._opening = Opening(factory) if factory is not None and reader is None else None
        self._waits = False
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
        room = max(1, (self.capacity_rows or BUFFER_ROWS) - (self._buffer.end - self._first_row))
        try:
            data = await self._read_bytes(room * self.dtype.itemsize)
        except ConnectionError as error:
            if self._buffer.is_closed:  # by our own close(), to end this wait
                return
            raise PeerGoneError(self._name, f"{error}; rows that were on their way are lost") from error
        if data:
            self._take(data)
        else:
            self._end()

    async def _read_bytes(self, limit_bytes: int) -> bytes:
        if self._reader is None and self._opening is not None:
            self._reader, _ = await self._opening.result()
        if self._reader is None:
            return b""
        self._waits = True
        try:
            return await self._reader.read(limit_bytes)
        finally:
            self._waits = False

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
        if self._opening is not None:
            self._opening.discard(lambda opened: opened[1]())
        if self._waits and self._reader is not None:
            self._reader.set_exception(ConnectionAbortedError())
