"""Exclusive use of a thing by one process, which ends with that process however it ends.

A POSIX record lock on a file that nothing else opens. Such a lock dies with its process, is not inherited by forked
children, and does not exclude the own process: a registry beside it does. The file holds who has it, for messages.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import threading
from pathlib import Path
from typing import ClassVar

__all__ = ["ProcessLock", "lock_holder"]

_FLOCK = struct.Struct("hhqqi4x")  # struct flock of 64-bit Linux: type, whence, start, length, pid


class ProcessLock:
    """A lock that is held from construction to `close()`, or to the end of the process.

    Args:
        path: The lock file, made if there is none; never removed, since another process may be about to lock it.
        holder: Who we are, for the messages of those who are refused, such as `module 'reader'`.

    Raises:
        BlockingIOError: Another holds it; its text says who.
        OSError: The file cannot be opened for writing, or its file system has no locks.
    """

    # By device and inode, since one file may have several names; of which process, since a forked child holds none.
    _held: ClassVar[dict[tuple[int, int], int]] = {}
    _guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, path: Path, holder: str) -> None:
        with self._guard:
            if self._is_ours(path):
                # Opening and closing the file here would drop the lock that this process has.
                raise BlockingIOError(errno.EAGAIN, f"this process ({os.getpid()}) already")
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                text = _describe(self._fd)
                os.close(self._fd)
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise  # a file system without locks
                raise BlockingIOError(errno.EAGAIN, text) from None
            status = os.fstat(self._fd)
            self._key = (status.st_dev, status.st_ino)
            self._held[self._key] = os.getpid()
        with contextlib.suppress(OSError):  # a full disk: the lock holds, only messages say less
            os.pwrite(self._fd, f"{holder}, process {os.getpid()}".encode().ljust(256), 0)

    def close(self) -> None:
        """Release the lock; closing twice is fine."""
        with self._guard:
            fd, self._fd = self._fd, -1
            if fd >= 0:
                self._held.pop(self._key, None)
                os.close(fd)

    @classmethod
    def holder_of(cls, path: Path) -> str | None:
        """Return who holds a lock; see `lock_holder`."""
        with cls._guard:
            try:
                if cls._is_ours(path):
                    return f"this process ({os.getpid()})"
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return None
            try:
                return _describe(fd) if _locker(fd) else None
            finally:
                os.close(fd)

    @classmethod
    def _is_ours(cls, path: Path) -> bool:
        try:
            status = path.stat()
        except FileNotFoundError:
            return False
        return cls._held.get((status.st_dev, status.st_ino)) == os.getpid()


def lock_holder(path: Path) -> str | None:
    """Return who holds a lock, None if nobody does. Never opens a file that this process has locked."""
    return ProcessLock.holder_of(path)


def _locker(fd: int) -> int:
    asked = _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, asked))
    return 0 if kind == fcntl.F_UNLCK else int(pid)


def _describe(fd: int) -> str:
    text = os.pread(fd, 256, 0).decode(errors="replace").strip()
    return text or f"process {_locker(fd)}"
