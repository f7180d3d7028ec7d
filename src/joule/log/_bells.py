"""Waking the readers of a log: a FIFO for each, which the writer rings.

A reader makes its FIFO under a name of its own, opens it, gives it its final name and then changes the `bells` file;
the writer, which has that file mapped, sees the change at its next write and opens what is there. A FIFO is portable,
has no limit per user, and an event loop can wait on it. FIFOs of dead readers are removed by the writer.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import stat
from pathlib import Path

__all__ = ["Bell", "Ringer"]

_COUNTER_NAME = "bells"
_COUNTER_BYTES = 16
_SUFFIX = ".fifo"


def _open_counter(directory: Path) -> int:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(directory / _COUNTER_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.fstat(fd).st_size < _COUNTER_BYTES:
        os.ftruncate(fd, _COUNTER_BYTES)
    return fd


class Bell:
    """A reader's end: a descriptor that becomes readable when the writer rings."""

    def __init__(self, directory: Path) -> None:
        counter = _open_counter(directory)
        try:
            self._path = directory / f"{os.getpid()}-{secrets.token_hex(8)}{_SUFFIX}"
            making = self._path.with_suffix(".new")
            os.mkfifo(making, 0o600)
            # Reading and writing: so the FIFO never ends, and opening waits for nobody.
            self.fd = os.open(making, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            os.rename(making, self._path)
            os.pwrite(counter, secrets.token_bytes(_COUNTER_BYTES), 0)
        finally:
            os.close(counter)

    def answer(self) -> None:
        """Forget all rings so far."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, 65536)  # a FIFO holds no more

    def close(self) -> None:
        """Remove the FIFO; closing twice is fine."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)
            self._path.unlink(missing_ok=True)


class Ringer:
    """The writer's end: rings every reader's bell."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        counter = _open_counter(directory)
        try:
            self._counter = mmap.mmap(counter, _COUNTER_BYTES, prot=mmap.PROT_READ)
        finally:
            os.close(counter)
        self._seen = b""
        self._bells: dict[str, int] = {}

    def ring(self) -> None:
        """Wake every reader that waits, and every one that is about to."""
        if self._counter[:] != self._seen:
            self._find()
        for name, fd in list(self._bells.items()):
            try:
                os.write(fd, b"\0")
            except BlockingIOError:  # full of rings that were not answered yet
                continue
            except BrokenPipeError:  # the reader has died
                self._drop(name)

    def close(self) -> None:
        """Let go of all bells; closing twice is fine."""
        while self._bells:
            os.close(self._bells.popitem()[1])
        self._counter.close()

    def _find(self) -> None:
        self._seen = self._counter[:]  # before looking: a bell hung up meanwhile is found by the next ring
        present = {name for name in os.listdir(self._directory) if name.endswith(_SUFFIX)}
        for name in self._bells.keys() - present:
            os.close(self._bells.pop(name))
        for name in present - self._bells.keys():
            self._open(name)

    def _open(self, name: str) -> None:
        path = self._directory / name
        try:
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        except OSError:  # ENXIO: nobody reads it any more
            path.unlink(missing_ok=True)
            return
        if not stat.S_ISFIFO(os.fstat(fd).st_mode):
            os.close(fd)
            return
        self._bells[name] = fd

    def _drop(self, name: str) -> None:
        os.close(self._bells.pop(name))
        (self._directory / name).unlink(missing_ok=True)
