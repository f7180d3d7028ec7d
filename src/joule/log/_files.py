"""The one place where the stream log touches the disk.

A log makes, writes, reads and removes files through these few verbs and nothing else, so that another implementation
can record every step and replay any crash, or fail where a disk would. Offsets are explicit: a descriptor has no
position, and one may be shared. Errors are the operating system's own.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Buffer

from joule.errors import DamagedLogError

__all__ = [
    "BOOT_BYTES",
    "DISK",
    "DiskFiles",
    "Files",
    "open_part",
    "read_whole",
    "replace_whole",
    "sync_directory",
    "write_whole",
]

BOOT_BYTES = 24
"""What names a boot and a device: 16 bytes and 8."""


class Files(Protocol):
    """What a log needs of a file system.

    Notes to implementers: `write` writes all or raises, and may have written a part when it raises (of bytes within
    one block of 512 all or nothing, as every disk and page cache has it); a signal never interrupts a verb; `rename`
    replaces; nothing is durable before `sync`, a new name not before `sync` of its directory.
    """

    def open(self, path: Path, *, write: bool = False, create: bool = False) -> int:
        """Return a descriptor; `create` makes the file if there is none."""

    def close(self, fd: int) -> None:
        """Close a descriptor."""

    def read(self, fd: int, count: int, offset: int) -> bytes:
        """Return up to `count` bytes from `offset`; fewer only at the end of the file."""

    def read_into(self, fd: int, array: npt.NDArray[Any], offset: int) -> int:
        """Fill `array`, contiguous, from `offset`; return the bytes read, fewer only at the end of the file."""

    def write(self, fd: int, data: Buffer, size: int, offset: int) -> None:
        """Write `data`, which has `size` bytes, at `offset`."""

    def size(self, fd: int) -> int:
        """Return the size of the file in bytes."""

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file off at `size` bytes."""

    def sync(self, fd: int) -> None:
        """Make what was written to the file, or the names in a directory, survive a power cut."""

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, in place of what had that name."""

    def remove(self, path: Path) -> None:
        """Remove a file's name."""

    def names(self, directory: Path) -> list[str]:
        """Return the names in a directory, in no order."""

    def make_directory(self, path: Path) -> None:
        """Make a directory and those above it; one that is there is fine."""

    def inode(self, path: Path) -> int:
        """Return a number that tells a file from the one that replaces it, as long as somebody has it open."""

    def boot(self, directory: Path) -> bytes:
        """Return BOOT_BYTES that name the boot and the device of a directory, never all zeros.

        What was written while they were others, and was not synced, may be gone: with the page cache.
        """


class DiskFiles:
    """The operating system's file system."""

    def open(self, path: Path, *, write: bool = False, create: bool = False) -> int:
        flags = (os.O_RDWR if write else os.O_RDONLY) | (os.O_CREAT if create else 0) | os.O_CLOEXEC
        return os.open(path, flags, 0o644)

    def close(self, fd: int) -> None:
        os.close(fd)

    def read(self, fd: int, count: int, offset: int) -> bytes:
        return os.pread(fd, count, offset)

    def read_into(self, fd: int, array: npt.NDArray[Any], offset: int) -> int:
        done = os.preadv(fd, [array], offset)
        while 0 < done < array.nbytes:
            more = os.preadv(fd, [array.view(np.uint8)[done:]], offset + done)
            if not more:
                break
            done += more
        return done

    def write(self, fd: int, data: Buffer, size: int, offset: int) -> None:
        done = os.pwrite(fd, data, offset)
        if done < size:  # the disk is nearly full: the next call says so
            rest = np.frombuffer(memoryview(data), np.uint8)
            while done < size:
                done += os.pwrite(fd, rest[done:], offset + done)

    def size(self, fd: int) -> int:
        return os.fstat(fd).st_size

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def sync(self, fd: int) -> None:
        os.fsync(fd)

    def rename(self, source: Path, target: Path) -> None:
        os.replace(source, target)

    def remove(self, path: Path) -> None:
        os.unlink(path)

    def names(self, directory: Path) -> list[str]:
        return os.listdir(directory)

    def make_directory(self, path: Path) -> None:
        os.makedirs(path, exist_ok=True)

    def inode(self, path: Path) -> int:
        return os.stat(path).st_ino

    def boot(self, directory: Path) -> bytes:
        return _boot_id() + os.stat(directory).st_dev.to_bytes(8, "little")


@functools.cache
def _boot_id() -> bytes:
    """Return the kernel's name for this boot; where it has none, every boot counts as the same."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return bytes.fromhex(file.read().strip().replace("-", ""))
    except (OSError, ValueError):
        return b"\xff" * 16


DISK: Files = DiskFiles()
"""What every log uses unless a test hands it another."""


def open_part(path: Path, files: Files, *, write: bool = False) -> int:
    """Return a descriptor of a file that every log has.

    Raises:
        DamagedLogError: It is missing.
    """
    try:
        return files.open(path, write=write)
    except FileNotFoundError:
        raise DamagedLogError(str(path), "it is missing") from None


def read_whole(path: Path, files: Files) -> bytes:
    """Return all bytes of a file; none of a file that there is not."""
    try:
        fd = files.open(path)
    except FileNotFoundError:
        return b""
    try:
        return files.read(fd, files.size(fd), 0)
    finally:
        files.close(fd)


def write_whole(path: Path, data: bytes, files: Files) -> None:
    """Give a file these bytes and no others, synced; its name is not. A crash may leave a part of them."""
    fd = files.open(path, write=True, create=True)
    try:
        files.truncate(fd, 0)  # a process may have died here before
        files.write(fd, data, len(data), 0)
        files.sync(fd)
    finally:
        files.close(fd)


def replace_whole(path: Path, data: bytes, files: Files) -> None:
    """Put a file with these bytes in place of the one there: whatever happens, one of the two is whole."""
    making = path.with_name(path.name + ".new")
    write_whole(making, data, files)
    files.rename(making, path)
    sync_directory(path.parent, files)


def sync_directory(directory: Path, files: Files) -> None:
    """Make the names in a directory survive a power cut."""
    fd = files.open(directory)
    try:
        files.sync(fd)
    finally:
        files.close(fd)
