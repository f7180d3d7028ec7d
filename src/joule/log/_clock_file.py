"""A node's clock in a file: the law that all processes of the node go by, and what a restart has to know.

`jouled` alone writes it, in place, and every process maps it. It is never cut off or replaced, so a process that
outlives its `jouled` goes on by the last law, and by the next one when there is a `jouled` again.

      0   the law of this boot, see `joule.core.clock_law`
    512   magic, format version, floor, unconfirmed, checksum
"""

from __future__ import annotations

import contextlib
import dataclasses
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from joule.core import ClockLaw, NodeClock, follow_clock
from joule.core.clock_law import LAW_BYTES
from joule.errors import ForeignFileError, LogError
from joule.log._files import DISK, Files

__all__ = ["ClockFile", "ClockMemory", "clock_path", "following_clock"]

_FILE_BYTES = 4096  # a page, so that it can be mapped whole
_MEMORY_OFFSET = 512
_MAGIC = b"JOULECLM"
_VERSION = 1
_MEMORY = struct.Struct("<8sI4xqq")
_CHECK = struct.Struct("<I")


def clock_path(data_directory: Path) -> Path:
    """Return the path of a node's clock."""
    return data_directory / "clock"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClockMemory:
    """What has to be known of a clock after a restart of the machine.

    Attributes:
        floor_us: A node time that was reached: the clock does not start before it.
        unconfirmed_us: By how much the clock went forward in steps that nobody has confirmed.
    """

    floor_us: int
    unconfirmed_us: int = 0


class ClockFile:
    """The clock of a node, as its one writer has it; made if there is none.

    Attributes:
        law: What stands in it; None where nothing whole does.
        memory: Likewise.

    Raises:
        ForeignFileError: The file is none of ours, or of a newer version; it was left alone.
        OSError: It cannot be opened, or the disk is full.
    """

    def __init__(self, path: Path, files: Files = DISK) -> None:
        self.path = path
        self._files = files
        self._fd = files.open(path, write=True, create=True)
        try:
            self._check()
            if files.size(self._fd) < _FILE_BYTES:
                files.write(self._fd, bytes(_FILE_BYTES), _FILE_BYTES, 0)
            self.law = ClockLaw.unpack(files.read(self._fd, LAW_BYTES, 0))
            self.memory = self._load_memory()
        except BaseException:
            self.close()
            raise

    def publish(self, law: ClockLaw) -> None:
        """Let every process of the node go by a law from now on.

        Raises:
            OSError: It could not be written; all go on by the one before.
        """
        self._files.write(self._fd, law.pack(), LAW_BYTES, 0)
        self.law = law

    def remember(self, memory: ClockMemory) -> None:
        """Write what a restart has to know."""
        record = _MEMORY.pack(_MAGIC, _VERSION, memory.floor_us, memory.unconfirmed_us)
        record += _CHECK.pack(zlib.crc32(record))
        self._files.write(self._fd, record, len(record), _MEMORY_OFFSET)
        self.memory = memory

    def mend(self) -> bool:
        """Write the file again where somebody has cut it off; returns whether that was so.

        Raises:
            OSError: It cannot be written.
        """
        if self._files.size(self._fd) >= _FILE_BYTES:
            return False
        self._files.write(self._fd, bytes(_FILE_BYTES), _FILE_BYTES, 0)
        if self.memory is not None:
            self.remember(self.memory)
        if self.law is not None:
            self.publish(self.law)
        return True

    def is_in_place(self) -> bool:
        """Return whether processes that begin now find this file, and no other one or none."""
        try:
            found = os.stat(self.path)
        except OSError:
            return False
        return os.path.samestat(found, os.fstat(self._fd))

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        self._files.sync(self._fd)

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._files.close(fd)

    def _check(self) -> None:
        for what, offset, magic in (("a clock", 0, b"JOULECLK"), ("a clock's memory", _MEMORY_OFFSET, _MAGIC)):
            begin = self._files.read(self._fd, 12, offset)
            if not begin.strip(b"\0"):
                continue  # new, or made by a jouled that died at once
            if begin[:8] != magic:
                raise ForeignFileError(str(self.path), f"it does not begin as {what} does", "clock of a node")
            version = int.from_bytes(begin[8:], "little")
            if version != _VERSION:
                reason = f"it has format version {version}, this Joule reads {_VERSION}"
                raise ForeignFileError(str(self.path), reason, "clock of a node")

    def _load_memory(self) -> ClockMemory | None:
        data = self._files.read(self._fd, _MEMORY.size + _CHECK.size, _MEMORY_OFFSET)
        record = data[: _MEMORY.size]
        if len(data) < _MEMORY.size + _CHECK.size or _CHECK.pack(zlib.crc32(record)) != data[_MEMORY.size :]:
            return None
        _, _, floor_us, unconfirmed_us = _MEMORY.unpack(record)
        return ClockMemory(floor_us=floor_us, unconfirmed_us=unconfirmed_us)


@contextlib.contextmanager
def following_clock(path: Path, *, mapped: bool = True) -> Iterator[None]:
    """Let `time_now()` go by a node's clock as long as the context lasts.

    Args:
        path: The clock's file.
        mapped: Map it, so that a look costs no system call; a process that has mapped a file dies when it looks at it
            and somebody has cut it off.

    Raises:
        LogError: The file holds no law.
        OSError: It cannot be read.
    """
    record = _open_record(path, mapped=mapped)
    try:
        try:
            clock = NodeClock(record)
        except ValueError as error:
            raise LogError(f"{path} holds no clock of a node: {error}", path=str(path)) from error
        before = follow_clock(clock)
        try:
            yield
        finally:
            follow_clock(before)
    finally:
        record.close()


def _open_record(path: Path, *, mapped: bool) -> mmap.mmap | _ReadRecord:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(fd).st_size < LAW_BYTES:
            raise LogError(f"{path} holds no clock of a node: it is too short", path=str(path))
        if mapped:
            with contextlib.suppress(OSError):  # a file system without mappings
                return mmap.mmap(fd, LAW_BYTES, prot=mmap.PROT_READ)
        return _ReadRecord(os.dup(fd))
    finally:
        os.close(fd)


class _ReadRecord:
    """The record where it cannot be mapped: a system call each time."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __getitem__(self, part: slice) -> bytes:
        return os.pread(self._fd, part.stop - part.start, part.start)

    def close(self) -> None:
        os.close(self._fd)
