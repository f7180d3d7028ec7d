"""Where the bytes come from: a file that may grow, a named pipe, a device, or standard input.

Named pipes and devices are waited for in the event loop. A file cannot be waited for: at its end it is looked at twice
a second. Reading goes on where a writer has closed a named pipe and the next one opens it, where a file was cut short
or another took its name, and ends where nothing more can come.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
from collections.abc import AsyncGenerator
from io import FileIO
from pathlib import Path

from joule.errors import ModuleError

__all__ = ["END", "Block", "Source"]

_log = logging.getLogger("joule.builtins.file_reader")

BLOCK_BYTES = 2**20
LOOK_AGAIN_S = 0.5
END = b""
"""Stands between what one writer and the next one wrote: the last line is whole, and numbers start anew."""

Block = bytes


class Source:
    """A path that lines are read from.

    Args:
        path: Of the file, the named pipe or the device; `-` for standard input.
        follow: At the end, wait for more (not standard input, and not a device that is gone).

    Attributes:
        is_device: Reading begins in the middle of what it sends.
        is_file: It has a beginning to which a restart goes back.

    Raises:
        ModuleError: There is nothing that can be read.
    """

    def __init__(self, path: str, *, follow: bool) -> None:
        self._path = path
        self._follow = follow
        self._kind = os.fstat(0).st_mode if path == "-" else _checked_kind(path)
        self.is_device = path != "-" and stat.S_ISCHR(self._kind)
        self.is_file = path != "-" and stat.S_ISREG(self._kind)

    async def blocks(self, *, from_end: bool = False) -> AsyncGenerator[Block]:
        """Yield what there is, up to 1 MB at a time, with `END` where the next bytes begin a new line.

        Args:
            from_end: Leave out what a file holds now, up to the end of its last line.
        """
        try:
            if self._path == "-":
                blocks = _input_blocks()
            elif self.is_file:
                blocks = self._file_blocks(from_end=from_end)
            else:
                blocks = self._waiting_blocks()
            async with contextlib.aclosing(blocks):
                async for block in blocks:
                    yield block
        except OSError as error:
            raise ModuleError(f"{self._path} cannot be read any more: {error.strerror}") from error

    async def _file_blocks(self, *, from_end: bool) -> AsyncGenerator[Block]:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(_opened(self._path))
            if from_end:
                _go_behind_last_line(file)
            waits = False
            while True:
                block = file.read(BLOCK_BYTES)
                if block:
                    waits = False
                    yield block
                    continue
                if not self._follow:
                    yield END
                    return
                if not waits:
                    _log.info("%s was read to its end: waiting for more lines (--follow no ends here)", self._path)
                waits = True
                await asyncio.sleep(LOOK_AGAIN_S)
                if _is_another(self._path, file):
                    _log.warning("%s was replaced or cut short: reading it from its beginning", self._path)
                    yield END
                    stack.pop_all().close()
                    file = stack.enter_context(_opened(self._path))

    async def _waiting_blocks(self) -> AsyncGenerator[Block]:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
        fd = os.open(self._path, flags)
        try:
            while True:
                await _readable(fd)
                with contextlib.suppress(BlockingIOError):
                    block = os.read(fd, BLOCK_BYTES)
                    yield block
                    if block == END:
                        if self.is_device or not self._follow:
                            return
                        # The new descriptor waits for the next writer; the old one would go on saying "end".
                        old, fd = fd, os.open(self._path, flags)
                        os.close(old)
        finally:
            os.close(fd)


def _opened(path: str) -> FileIO:
    return open(path, "rb", buffering=0)


async def _input_blocks() -> AsyncGenerator[Block]:
    while block := await asyncio.to_thread(os.read, 0, BLOCK_BYTES):
        yield block
    yield END


async def _readable(fd: int) -> None:
    """Wait until there are bytes, or an end; a device that cannot be waited for always has some."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(fd, ready.set)
    except PermissionError:
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(fd)


def _go_behind_last_line(file: FileIO) -> None:
    """Leave everything out that is there, the line that is being written included."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - BLOCK_BYTES)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            file.seek(start + newline + 1)
            return
        end = start
    file.seek(0)


def _is_another(path: str, file: FileIO) -> bool:
    """Whether the path now names another file than this one, or this one was cut short."""
    here = os.fstat(file.fileno())
    try:
        there = os.stat(path)
    except FileNotFoundError:  # between an old file and a new one
        return False
    return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino) or there.st_size < file.tell()


def _checked_kind(path: str) -> int:
    try:
        kind = Path(path).stat().st_mode
        if not os.access(path, os.R_OK):
            raise ModuleError(f"{path} may not be read by this user: change its permissions, or the user's groups")
    except OSError as error:
        where = "" if os.path.isabs(path) else f" (in {os.getcwd()})"
        raise ModuleError(f"{path}{where} cannot be read: {error.strerror}") from error
    if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind) or stat.S_ISCHR(kind)):
        raise ModuleError(f"{path} is neither a file, nor a named pipe, nor a serial device")
    return kind
