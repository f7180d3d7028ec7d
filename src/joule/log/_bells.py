"""Waking the readers of a log: a FIFO for each, which the writer rings when a reader has asked for it.

A reader makes its FIFO under a name of its own, opens it, gives it its final name and then changes the first half of
the `bells` file. Whenever it is about to wait it changes the second half, and looks once more before it waits. The
writer has that file mapped and looks at it after each publication: it opens new FIFOs, and rings all when a reader has
asked since it rang last. So readers that are busy cost it nothing. A FIFO is portable, has no limit per user, and an
event loop can wait on it. FIFOs of dead readers are removed by the writer. Bells only save time: a reader looks again
every second whatever happens to them, and nothing that goes wrong with them keeps a writer from writing.
"""

from __future__ import annotations

import contextlib
import errno
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
_DEAD = (errno.ENXIO, errno.ELOOP)  # nobody reads it any more; it is a link, which no reader makes
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_QUIET_RINGS = 64  # rings without anybody having asked, after which it is worth a system call to see whether one could


def _open_counter(directory: Path) -> int:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(directory / _COUNTER_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.fstat(fd).st_size < _COUNTER_BYTES:
        os.ftruncate(fd, _COUNTER_BYTES)
    return fd


def _map_counter(directory: Path) -> tuple[mmap.mmap, int]:
    """Return the counters, read only, and the inode of their file."""
    fd = _open_counter(directory)
    try:
        return mmap.mmap(fd, _COUNTER_BYTES, prot=mmap.PROT_READ), os.fstat(fd).st_ino
    finally:
        os.close(fd)


class Bell:
    """A reader's end: a descriptor that becomes readable when the writer rings.

    Raises:
        OSError: It cannot be made: no descriptors, no room on the disk.
    """

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
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


class Ringer:
    """The writer's end: rings every reader's bell."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._counter, self._inode = _map_counter(directory)
        self._hung = self._asked = b""  # so that the first ring reaches those who asked a writer before this one
        self._bells: dict[str, int] = {}
        self._quiet_rings = 0

    def ring(self) -> None:
        """Wake every reader that waits, and every one that is about to; nobody if none has asked.

        Call it after what they wait for is in place. Should this processor still hold that back when it loads what
        was asked, a reader may wait for its re-check: the system call before makes that all but impossible.
        """
        asked = self._counter[_ASKED]
        if asked == self._asked:
            self._quiet_rings += 1
            if self._quiet_rings >= _QUIET_RINGS:
                self._look_after_counter()
            return
        self._asked = asked
        self._quiet_rings = 0
        with contextlib.suppress(OSError):  # no descriptors left, or the directory is gone: those known are rung
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

    def _look_after_counter(self) -> None:
        """Go over to the file that readers use now: whoever cleans up temporary files may have removed ours."""
        self._quiet_rings = 0
        with contextlib.suppress(OSError):
            if os.stat(self._directory / _COUNTER_NAME).st_ino != self._inode:
                counter, self._inode = _map_counter(self._directory)
                self._counter.close()
                self._counter = counter
                self._hung = self._asked = b""

    def _find(self) -> None:
        hung = self._counter[_HUNG]  # before looking: a bell hung up meanwhile is found by the next ring
        present = {name for name in os.listdir(self._directory) if name.endswith(_SUFFIX)}
        for name in self._bells.keys() - present:
            os.close(self._bells.pop(name))
        if all(self._open(name) for name in present - self._bells.keys()):
            self._hung = hung  # not before all are open: the next ring tries again

    def _open(self, name: str) -> bool:
        """Open a bell; False if there is none left to open it with."""
        try:
            fd = os.open(self._directory / name, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno in _DEAD:
                self._remove(name)
            return error.errno not in _NO_DESCRIPTORS
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            self._bells[name] = fd
        else:
            os.close(fd)
        return True

    def _drop(self, name: str) -> None:
        os.close(self._bells.pop(name))
        self._remove(name)

    def _remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            (self._directory / name).unlink()
