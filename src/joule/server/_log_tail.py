"""The end of log files that other processes append to and rotate: their newest lines, then each further one."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path

from joule.api import LogLine, LogMatcher, LogQuery, merged_lines, stored_lines

__all__ = ["follow_lines", "follow_merged"]

_LOOK_S = 0.2  # a person watches; the file's writer knows nothing of us
_CHUNK_BYTES = 65536
_PIECES = 16  # of one log in a row, so that a flood in it keeps no other waiting


async def follow_lines(path: Path, count: int, query: LogQuery) -> AsyncGenerator[list[str]]:
    """Yield the newest `count` lines of a log that a query wants, then those that are appended, without end."""
    tail, matcher = _Tail(path), LogMatcher(query)
    try:
        # The position first, the older lines up to it second: a line that comes between them is seen once.
        start = tail.open_at_end()
        lines = await asyncio.to_thread(stored_lines, path, count, query, start)
        while True:
            if lines:
                yield lines
            piece = await asyncio.to_thread(tail.read)
            if not piece:
                await asyncio.sleep(_LOOK_S)
            lines = [line for _, line in matcher.take_all(piece)]
    finally:
        tail.close()


async def follow_merged(
    find: Callable[[], Mapping[str, Path]], count: int, query: LogQuery
) -> AsyncGenerator[list[LogLine]]:
    """Yield the newest `count` lines of all logs, then those that are appended to any, without end.

    Args:
        find: Returns the logs that there are now, by module.
        count: How many of the stored lines, of all together.
        query: Which lines.
    """
    tails: dict[str, _Tail] = {}
    matchers: dict[str, LogMatcher] = {}

    def look() -> list[LogLine]:
        found: list[tuple[int, LogLine]] = []
        for module, path in find().items():
            tail = tails.setdefault(module, _Tail(path))
            matcher = matchers.setdefault(module, LogMatcher(query))
            for piece in itertools.islice(iter(tail.read, []), _PIECES):
                found += [(time_us, LogLine(module=module, line=line)) for time_us, line in matcher.take_all(piece)]
        return [line for _, line in sorted(found, key=lambda entry: entry[0])]

    try:
        logs = find()
        for module, path in logs.items():
            tails[module] = _Tail(path)
        ends = {module: tail.open_at_end() for module, tail in tails.items()}
        lines = await asyncio.to_thread(merged_lines, logs, count, query, ends)
        while True:
            if lines:
                yield lines
            lines = await asyncio.to_thread(look)
            if not lines:
                await asyncio.sleep(_LOOK_S)
    finally:
        for tail in tails.values():
            tail.close()


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

    def read(self) -> list[bytes]:
        """Return some of the whole lines that have come since; empty when none have."""
        if self._descriptor < 0:
            self._open()
        if self._descriptor < 0:
            return []
        data = os.read(self._descriptor, _CHUNK_BYTES)
        if not data:
            if self._is_rotated():
                self.close()
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

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
