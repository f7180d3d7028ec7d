"""The interval breaks of a log: row indexes, out of band, so that no row value is special.

Break number k says: rows before this index and rows from it on belong to different intervals. The file only grows; the
head says how many entries count.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from joule.errors import DamagedLogError, ForeignFileError
from joule.log._files import DISK, Files, open_part

__all__ = ["BREAKS_NAME", "BreakFile", "make_breaks"]

BREAKS_NAME = "breaks"
_MAGIC = b"JOULEBRK"
_VERSION = 1
_HEADER = struct.Struct("<8sII")
_ENTRY = struct.Struct("<Q")


def make_breaks(directory: Path, files: Files = DISK) -> None:
    """Make the file of a log without breaks."""
    fd = files.open(directory / BREAKS_NAME, write=True, create=True)
    try:
        files.write(fd, _HEADER.pack(_MAGIC, _VERSION, 0), _HEADER.size, 0)
        files.sync(fd)
    finally:
        files.close(fd)


class BreakFile:
    """The breaks of one log, open for reading or, by its writer, for both."""

    def __init__(self, directory: Path, *, write: bool = False, files: Files = DISK) -> None:
        self._path = directory / BREAKS_NAME
        self._files = files
        self._fd = open_part(self._path, files, write=write)
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def _check(self) -> None:
        header = self._files.read(self._fd, _HEADER.size, 0)
        if len(header) < _HEADER.size or not header.startswith(_MAGIC):
            raise ForeignFileError(str(self._path), "it does not begin as a file of breaks does")
        version = _HEADER.unpack(header)[1]
        if version != _VERSION:
            raise ForeignFileError(str(self._path), f"it has format version {version}, this Joule reads {_VERSION}")

    def row(self, number: int) -> int:
        """Return the row index of break `number`, counted from 0.

        Raises:
            DamagedLogError: The file ends before it.
        """
        entry = self._files.read(self._fd, _ENTRY.size, _HEADER.size + number * _ENTRY.size)
        if len(entry) < _ENTRY.size:
            raise DamagedLogError(str(self._path), f"it ends before break {number}, which the head counts")
        return int(_ENTRY.unpack(entry)[0])

    def rows(self, count: int) -> npt.NDArray[np.uint64]:
        """Return the row indexes of the first `count` breaks, shape (count,), sorted."""
        data = self._files.read(self._fd, count * _ENTRY.size, _HEADER.size)
        if len(data) < count * _ENTRY.size:
            raise DamagedLogError(str(self._path), f"it holds {len(data) // _ENTRY.size} of {count} breaks")
        return np.frombuffer(data, "<u8")

    def put(self, number: int, row: int) -> None:
        """Write break `number`; it counts when the head says so."""
        self._files.write(self._fd, _ENTRY.pack(row), _ENTRY.size, _HEADER.size + number * _ENTRY.size)

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        self._files.sync(self._fd)

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._files.close(fd)
