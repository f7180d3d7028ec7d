"""The files that hold a log's rows: consecutive rows each, named by the index of their first one.

    00000000000000000000.rows    header (64 bytes), then packed rows

Only the newest segment grows. Each older one ends exactly behind its last row, so its size tells how many it has.
Between two segments there may be a hole in the indexes, and at the front there is one as soon as segments were trimmed.
"""

from __future__ import annotations

import bisect
import itertools
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from joule.core import Layout, Rows
from joule.errors import DamagedLogError, ForeignFileError
from joule.log._files import DISK, Files

__all__ = ["HEADER_BYTES", "SegmentSet", "make_segment", "segment_names", "segment_path"]

HEADER_BYTES = 64
_MAGIC = b"JOULEROW"
_VERSION = 1
_HEADER = struct.Struct("<8sIIQ24s")  # magic, version, bytes of a row, first row index, layout
_CHECK = struct.Struct("<I")
_SUFFIX = ".rows"
_OPEN_SEGMENTS = 4  # descriptors that a reader keeps: where it is, and where its unconsumed rows begin


def segment_path(directory: Path, first: int) -> Path:
    """Return the path of the segment whose first row is `first`."""
    return directory / f"{first:020d}{_SUFFIX}"


def segment_names(directory: Path, files: Files = DISK) -> list[int]:
    """Return the first row indexes of all segments, sorted; files that are no segments are left alone."""
    stems = (name[: -len(_SUFFIX)] for name in files.names(directory) if name.endswith(_SUFFIX))
    return sorted(int(stem) for stem in stems if len(stem) == 20 and stem.isascii() and stem.isdigit())


def make_segment(directory: Path, first: int, layout: Layout, files: Files = DISK) -> int:
    """Make an empty segment; return its descriptor, open for writing.

    A file of that name may be there: a writer died before the log counted a row in it.

    Raises:
        ForeignFileError, DamagedLogError: The file that is there is something else; it was left alone.
    """
    path = segment_path(directory, first)
    fd = files.open(path, write=True, create=True)
    try:
        header = _HEADER.pack(_MAGIC, _VERSION, layout.row_bytes, first, str(layout).encode())
        header = (header + _CHECK.pack(zlib.crc32(header))).ljust(HEADER_BYTES, b"\0")
        # Begun by a writer that died, or grown without its bytes when the power failed.
        if not header.startswith(files.read(fd, HEADER_BYTES, 0).rstrip(b"\0")):
            check_segment(path, fd, first, layout, files)
        files.write(fd, header, HEADER_BYTES, 0)
    except BaseException:
        files.close(fd)
        raise
    return fd


def check_segment(path: Path, fd: int, first: int, layout: Layout, files: Files = DISK) -> None:
    """Check that a file is the segment that its name says.

    Raises:
        ForeignFileError: It is no segment, or one of a newer version.
        DamagedLogError: Its header does not fit its name or the log.
    """
    header = files.read(fd, HEADER_BYTES, 0)
    if len(header) < HEADER_BYTES or not header.startswith(_MAGIC):
        raise ForeignFileError(str(path), "it does not begin as a segment does")
    _, version, row_bytes, named, text = _HEADER.unpack_from(header)
    if version != _VERSION:
        raise ForeignFileError(str(path), f"it has format version {version}, this Joule reads version {_VERSION}")
    if _CHECK.pack(zlib.crc32(header[: _HEADER.size])) != header[_HEADER.size : _HEADER.size + 4]:
        raise DamagedLogError(str(path), "the checksum of its header does not match")
    stored = text.rstrip(b"\0").decode()
    if named != first or row_bytes != layout.row_bytes or stored != str(layout):
        raise DamagedLogError(
            str(path), f"its header says {stored} rows from index {named}, expected were {layout} rows from {first}"
        )


class SegmentSet:
    """The segments of a log as a reader sees them; follows the writer through `refresh()`."""

    def __init__(self, directory: Path, layout: Layout, files: Files = DISK) -> None:
        self._directory = directory
        self._layout = layout
        self._files = files
        self._firsts: list[int] = []
        self._ends: list[int] = []  # of all but the newest
        self._open: dict[int, int] = {}

    @property
    def firsts(self) -> list[int]:
        """First row indexes, sorted."""
        return self._firsts

    @property
    def newest(self) -> int:
        """First row index of the newest segment known; -1 where there is none."""
        return self._firsts[-1] if self._firsts else -1

    def refresh(self) -> None:
        """Look at the directory again. Segments may be trimmed meanwhile: their rows are a hole."""
        known = dict(zip(self._firsts, self._ends, strict=False))  # of all but the newest
        names = segment_names(self._directory, self._files)
        firsts: list[int] = []
        ends: list[int] = []
        for first, following in itertools.pairwise(names):
            try:
                end = known[first] if first in known else self._size_end(first, following)
            except FileNotFoundError:
                continue
            firsts.append(first)
            ends.append(end)
        self._firsts, self._ends = firsts + names[-1:], ends
        for first in self._open.keys() - set(names):  # a trimmed file's room is free when nobody has it open
            self._files.close(self._open.pop(first))

    def count(self, start: int, stop: int) -> int:
        """Return how many rows lie from `start` to `stop`, holes left out."""
        if start >= self.newest:
            return max(0, stop - start)
        rows = max(0, stop - max(start, self.newest))
        for position in range(self._position(start), len(self._ends)):
            first, end = self._firsts[position], self._ends[position]
            if first >= stop:
                break
            rows += max(0, min(stop, end) - max(start, first))
        return rows

    def advance(self, start: int, rows: int) -> int:
        """Return the index behind the next `rows` rows from `start`, holes left out."""
        if start >= self.newest:
            return start + rows
        for position in range(self._position(start), len(self._ends)):
            begin, end = max(start, self._firsts[position]), self._ends[position]
            if begin < end:
                if rows <= end - begin:
                    return begin + rows
                rows -= end - begin
        return max(start, self.newest) + rows

    def parts(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield what there is of the rows from `start` to `stop`, the part of each segment by itself."""
        for position in range(self._position(start), len(self._firsts)):
            end = self._ends[position] if position < len(self._ends) else stop
            begin, end = max(start, self._firsts[position]), min(stop, end)
            if begin < end:
                yield begin, end

    def copy(self, start: int, stop: int) -> Rows:
        """Return the rows from `start` to `stop`, holes left out, as an array of its own.

        Raises:
            DamagedLogError: A segment is shorter than the log says.
        """
        count = self.count(start, stop)
        rows = np.empty(count, self._layout.dtype)
        done = 0
        position = self._position(start)
        while done < count:
            first = self._firsts[position]
            end = self._ends[position] if position < len(self._ends) else stop
            begin = max(start, first)
            wanted = min(stop, end) - begin
            if wanted > 0:
                self._fill(rows[done : done + wanted], first, begin)
                done += wanted
            position += 1
        return rows

    def close(self) -> None:
        """Close all descriptors."""
        while self._open:
            self._files.close(self._open.popitem()[1])

    def _position(self, row: int) -> int:
        """Return the place in the list of the segment that holds a row, or of one before it; 0 at the front."""
        return max(0, bisect.bisect_right(self._firsts, row) - 1)

    def _fill(self, rows: Rows, first: int, begin: int) -> None:
        fd = self._descriptor(first)
        offset = HEADER_BYTES + (begin - first) * self._layout.row_bytes
        read = self._files.read_into(fd, rows, offset)
        if read != rows.nbytes:
            path = segment_path(self._directory, first)
            raise DamagedLogError(str(path), f"it ends {rows.nbytes - read} bytes before row {begin + len(rows)}")

    def _descriptor(self, first: int) -> int:
        fd = self._open.get(first)
        if fd is None:
            path = segment_path(self._directory, first)
            fd = self._files.open(path)
            try:
                check_segment(path, fd, first, self._layout, self._files)
            except BaseException:
                self._files.close(fd)
                raise
            while len(self._open) >= _OPEN_SEGMENTS:
                self._files.close(self._open.pop(min(self._open)))
            self._open[first] = fd
        return fd

    def _size_end(self, first: int, following: int) -> int:
        fd = self._open.get(first)
        temporary = fd is None
        if fd is None:
            fd = self._files.open(segment_path(self._directory, first))
        try:
            rows = max(0, self._files.size(fd) - HEADER_BYTES) // self._layout.row_bytes
        finally:
            if temporary:
                self._files.close(fd)
        return min(first + rows, following)
