"""Reading a log, while it is written and afterwards: any number of readers, none of which disturbs the writer."""

from __future__ import annotations

import bisect
import itertools
from pathlib import Path
from typing import Self

import numpy as np

from joule.core import Rows
from joule.log._breaks import BreakFile
from joule.log._files import DISK, Files
from joule.log._head import Head, HeadFile
from joule.log._identity import read_identity
from joule.log._segments import HEADER_BYTES, SegmentSet, segment_path

__all__ = ["LogReader"]


class LogReader:
    """Looks at what is committed and copies rows out; keeps no position of its own.

    Raises:
        LogError: There is no log in the directory.
        ForeignFileError, DamagedLogError: A file is not what it must be.
        OSError: A file cannot be read.
    """

    def __init__(self, directory: Path, files: Files = DISK) -> None:
        self.directory = directory
        self._files = files
        self.identity = read_identity(directory, files)
        self.layout = self.identity.layout
        self.segments = SegmentSet(directory, self.layout, files)
        self._head_file = HeadFile(directory, files=files)
        try:
            self._break_file = BreakFile(directory, files=files)
        except BaseException:
            self._head_file.close()
            raise
        self._break_number = -1
        self._break_row = 0

    def head(self) -> Head:
        """Return what is committed now, and know all segments that it spans."""
        head = self._head_file.load()
        if head.segment != self.segments.newest:
            self.segments.refresh()
        return head

    def break_row(self, number: int) -> int:
        """Return the row index of break `number`, which must be committed."""
        if number != self._break_number:
            self._break_row = self._break_file.row(number)
            self._break_number = number
        return self._break_row

    def breaks_before(self, row: int, head: Head) -> int:
        """Return how many breaks lie at or before a row index."""
        return int(np.searchsorted(self._break_file.rows(head.breaks), row, side="right"))

    def copy(self, start: int, stop: int) -> Rows:
        """Return committed rows, holes left out, as an array of its own, shape (n,)."""
        if start >= stop:
            return np.empty(0, self.layout.dtype)
        while True:
            try:
                return self.segments.copy(start, stop)
            except FileNotFoundError:  # trimmed since we looked: those rows are a hole now
                self.segments.refresh()

    def row_at(self, time_us: int, head: Head) -> int:
        """Return the index of the first row whose timestamp is not before `time_us`; `head.end` if none."""
        while True:
            try:
                return self._find(time_us, head)
            except FileNotFoundError:  # trimmed since we looked
                self.segments.refresh()

    def _find(self, time_us: int, head: Head) -> int:
        bounds = itertools.pairwise([*self.segments.firsts, head.end])
        firsts = [first for first, following in bounds if self.segments.count(first, min(following, head.end))]
        before = bisect.bisect_left(firsts, time_us, key=lambda first: self._timestamp(first, first))
        if before == 0:
            return firsts[0] if firsts else head.end
        first = firsts[before - 1]
        following = firsts[before] if before < len(firsts) else head.end
        rows = range(self.segments.count(first, following))
        found = bisect.bisect_left(rows, time_us, key=lambda row: self._timestamp(first, first + row))
        return first + found if found < len(rows) else following

    def close(self) -> None:
        """Close all files; closing twice is fine."""
        self.segments.close()
        self._head_file.close()
        self._break_file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _timestamp(self, first: int, row: int) -> int:
        fd = self._files.open(segment_path(self.directory, first))
        try:
            data = self._files.read(fd, 8, HEADER_BYTES + (row - first) * self.layout.row_bytes)
        finally:
            self._files.close(fd)
        return int.from_bytes(data, "little", signed=True)
