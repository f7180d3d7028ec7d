"""The writing half of a byte-stream pipe: packed rows, and a row of zero bytes for a break."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from joule.core import Layout, Rows
from joule.errors import BadRowsError, PeerGoneError
from joule.pipes._byte_source import break_rows
from joule.pipes._opening import Opening
from joule.pipes._sink import RowSink

__all__ = ["ByteSink", "WriterFactory"]

WriterFactory = Callable[[], Awaitable[asyncio.StreamWriter]]


class ByteSink(RowSink):
    """Rows that leave as bytes.

    Args:
        name: Of the pipe, for messages.
        layout: Of the rows.
        writer: Where the bytes go.
        factory: Opens it at the first write, or at the close, if there is no writer.
    """

    def __init__(
        self, name: str, layout: Layout, writer: asyncio.StreamWriter | None, factory: WriterFactory | None
    ) -> None:
        self._name = name
        self._token = bytes(layout.row_bytes)
        self._writer = writer
        self._opening = Opening(factory) if factory is not None and writer is None else None
        self._waiting: list[bytes] = []
        self._has_rows = False  # since the last break
        self._closing: asyncio.Task[None] | None = None

    def check(self, rows: Rows) -> None:
        zeros = break_rows(rows)
        if zeros:
            raise BadRowsError(
                self._name,
                f"row {zeros[0]} of this write is all zeros, timestamp included, which means an interval break in the "
                "format of this pipe; give it another timestamp",
                row=zeros[0],
            )

    async def write(self, rows: Rows) -> None:
        self.write_nowait(rows)
        await self._drain()

    def write_nowait(self, rows: Rows) -> None:
        self._has_rows = True
        self.taken_rows = len(rows)  # they leave, whoever stops waiting for that; or the peer has gone for good
        self._send(rows.tobytes())

    async def mark_break(self) -> None:
        if self._has_rows:
            self.mark_break_nowait()
            await self._drain()

    def mark_break_nowait(self) -> None:
        if self._has_rows:
            self._has_rows = False
            self._send(self._token)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        elif self._opening is not None and self._closing is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # none runs: wait_closed() does it all
                return
            self._closing = loop.create_task(self._finish())

    async def wait_closed(self) -> None:
        if self._closing is not None:
            await self._closing
        else:
            await self._finish()

    async def _finish(self) -> None:
        """Send what waits, then end the stream: also one without a row has a reader who waits for the end."""
        await self._open()
        if self._waiting:
            await self._drain()
        if self._writer is None:
            return
        try:
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

    async def _open(self) -> None:
        if self._writer is None and self._opening is not None:
            self._writer = await self._opening.result()

    async def _drain(self) -> None:
        await self._open()
        if self._writer is None:
            raise PeerGoneError(self._name, "it was made without a writer")
        waiting, self._waiting = self._waiting, []
        try:
            for data in waiting:
                self._writer.write(data)
            await self._writer.drain()
        except ConnectionError as error:
            raise PeerGoneError(self._name, f"{error}; these rows may not have reached it") from error
