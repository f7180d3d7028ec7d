"""The end of a log file that other processes append to and rotate."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path

__all__ = ["follow_lines", "last_lines"]

_LOOK_S = 0.2  # a person watches; the file's writer knows nothing of us
_CHUNK_BYTES = 65536


def last_lines(path: Path, count: int) -> list[str]:
    """Return the newest lines of a log, oldest first, the rotated file's included. No file has no lines."""
    text = _last_bytes(path, count).decode("utf-8", "backslashreplace")
    return text.removesuffix("\n").split("\n") if text else []


async def follow_lines(path: Path, count: int) -> AsyncGenerator[bytes]:
    """Yield the newest `count` lines of a log, then what is appended to it, in pieces of whole lines, without end."""
    tail = _Tail(path)
    try:
        # The position first, the older lines up to it second: a line that comes between them is seen once.
        start = tail.open_at_end()
        lines = await asyncio.to_thread(_last_bytes, path, count, start)
        if lines:
            yield lines
        while True:
            piece = await asyncio.to_thread(tail.read)
            if piece:
                yield piece
            else:
                await asyncio.sleep(_LOOK_S)
    finally:
        tail.close()


def _last_bytes(path: Path, count: int, end: int | None = None) -> bytes:
    """Return the last `count` lines of the first `end` bytes of a log (None: of all), and of the rotated file."""
    if not count:
        return b""
    data = _bytes_of(path)[:end]
    if data.count(b"\n") < count:
        data = _bytes_of(path.with_name(path.name + ".1")) + data
    return b"".join(data.splitlines(keepends=True)[-count:])


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


class _Tail:
    """Reads on in a file, and goes over to the next one when it was rotated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._rest = b""

    def open_at_end(self) -> int:
        """Begin behind what there is; returns how many bytes that are."""
        self._open()
        return os.lseek(self._descriptor, 0, os.SEEK_END) if self._descriptor >= 0 else 0

    def read(self) -> bytes:
        """Return the whole lines that have come since; empty when none have."""
        if self._descriptor < 0:
            self._open()
        if self._descriptor < 0:
            return b""
        data = os.read(self._descriptor, _CHUNK_BYTES)
        if not data:
            if self._is_rotated():
                self.close()
            return b""
        lines, newline, self._rest = (self._rest + data).rpartition(b"\n")
        return lines + newline

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        try:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._descriptor = -1

    def _is_rotated(self) -> bool:
        try:
            return not os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False
