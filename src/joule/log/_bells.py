"""Waking the readers of a log: a FIFO for each, which the writer rings when a reader has asked for it.

A reader makes its FIFO under a name of its own, opens it, gives it its final name and then changes the first half of
the `bells` file. Whenever it is about to wait it changes the second half, and looks once more before it waits. The
writer has that file mapped and looks at it after each publication: it opens new FIFOs, and rings all when a reader has
asked since it rang last. So readers that are busy cost it nothing. A FIFO is portable, has no limit per user, and an
event loop can wait on it. FIFOs of dead readers are removed by the writer.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
from pathlib import Path

__all__ = ["Bell", "Ringer"]

_COUNTER_NAME = "bells"
_HUNG = slice(0, 16)  # any new value: a bell was hung
_ASKED = slice(16, 32)  # any new value: a reader is about to wait
_COUNTER_BYTES = 32
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
        self._path = directory / f"{os.getpid()}-{os.urandom(8).hex()}{_SUFFIX}"
        self._counter = _open_counter(directory)
        self._asker = os.urandom(8)
        self._asked = 0
        self.fd = -1
        try:
            making = self._path.with_suffix(".new")
            os.mkfifo(making, 0o600)
            # Reading and writing: so the FIFO never ends, and opening waits for nobody.
            self.fd = os.open(making, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            os.rename(making, self._path)
            os.pwrite(self._counter, os.urandom(16), _HUNG.start)
        except BaseException:
            self.close()
            raise

    def ask(self) -> None:
        """Have the next publication ring. Look once more before waiting: what came before it rings nobody."""
        self._asked += 1
        os.pwrite(self._counter, self._asker + self._asked.to_bytes(8, "little"), _ASKED.start)

    def answer(self) -> None:
        """Forget all rings so far."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, 4096)  # more than a few rings never wait: each was asked for

    def close(self) -> None:
        """Remove the FIFO; closing twice is fine."""
        counter, self._counter = self._counter, -1
        if counter < 0:
            return
        os.close(counter)
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)
        for path in (self._path, self._path.with_suffix(".new")):
            path.unlink(missing_ok=True)


class Ringer:
    """The writer's end: rings every reader's bell."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        counter = _open_counter(directory)
        try:
            self._counter = mmap.mmap(counter, _COUNTER_BYTES, prot=mmap.PROT_READ)
        finally:
            os.close(counter)
        self._hung = self._asked = b""  # so that the first ring reaches those who asked a writer before this one
        self._bells: dict[str, int] = {}

    def ring(self) -> None:
        """Wake every reader that waits, and every one that is about to; nobody if none has asked.

        Call it after what they wait for is in place. Should this processor still hold that back when it loads what
        was asked, a reader may wait for its re-check: the system call before makes that all but impossible.
        """
        asked = self._counter[_ASKED]
        if asked == self._asked:
            return
        self._asked = asked
        if self._counter[_HUNG] != self._hung:
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
        self._hung = self._counter[_HUNG]  # before looking: a bell hung up meanwhile is found by the next ring
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
