"""Rows on their way in memory, as a list of blocks: what local pipes and byte-stream inputs hold.

Appending is O(1) and takes the array over; copying touches only the rows asked for; discarding frees whole blocks, so
that a consumed row pins at most the block that it came in.
"""

from __future__ import annotations

import collections
import dataclasses

import numpy as np

from joule.core import Rows
from joule.pipes._source import Horizon

__all__ = ["RowBuffer"]

SMALL_ROWS = 256  # blocks below this are gathered: an ndarray of its own costs 100 bytes and more
GATHER_ROWS = 1024


@dataclasses.dataclass(slots=True)
class _Block:
    """Rows in an array that may have room for more: `first` is the index of its first row."""

    first: int
    array: Rows
    used: int

    @property
    def end(self) -> int:
        return self.first + self.used


class RowBuffer:
    """Rows and breaks between a writer and one reader, numbered from 0.

    Attributes:
        dtype: Of the rows.
        end: Index behind the last row appended.
        breaks: How many breaks were marked.
        is_closed: No more rows will come.
    """

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self.dtype = dtype
        self.end = 0
        self.breaks = 0
        self.is_closed = False
        self._blocks: collections.deque[_Block] = collections.deque()
        self._break_rows: collections.deque[int] = collections.deque()
        self._forgotten_breaks = 0
        self._last_break = 0

    @property
    def blocks(self) -> int:
        """How many blocks hold rows that were not discarded."""
        return len(self._blocks)

    @property
    def is_open(self) -> bool:
        """Whether there are rows since the last break, so that a break now is one."""
        return self.end != self._last_break

    def open_interval(self) -> None:
        """Go on in an interval that has rows already, which are not here."""
        self._last_break = -1

    def append(self, rows: Rows) -> None:
        """Add rows; the buffer may keep the array, and nobody else may change it from now on."""
        count = len(rows)
        tail = self._blocks[-1] if self._blocks else None
        if tail is not None and count <= len(tail.array) - tail.used:
            tail.array[tail.used : tail.used + count] = rows
            tail.used += count
        elif 0 < count < SMALL_ROWS:
            gathered = np.empty(GATHER_ROWS, self.dtype)
            gathered[:count] = rows
            self._blocks.append(_Block(self.end, gathered, count))
        elif count:
            self._blocks.append(_Block(self.end, rows, count))
        self.end += count

    def mark_break(self) -> bool:
        """End the interval; False if there was no row since the last break."""
        if not self.is_open:
            return False
        self._last_break = self.end
        self._break_rows.append(self.end)
        self.breaks += 1
        return True

    def look(self, breaks: int) -> Horizon:
        """Return what there is for a reader that has passed `breaks` breaks."""
        passed = breaks - self._forgotten_breaks
        if passed < len(self._break_rows):
            return Horizon(self._break_rows[passed], is_break=True, is_end=False)
        return Horizon(self.end, is_break=False, is_end=self.is_closed)

    def copy(self, start: int, stop: int) -> Rows:
        """Return rows start to stop as an array of its own."""
        rows = np.empty(stop - start, self.dtype)
        for block in self._blocks:
            if block.first >= stop:
                break
            begin, end = max(start, block.first), min(stop, block.end)
            if begin < end:
                rows[begin - start : end - start] = block.array[begin - block.first : end - block.first]
        return rows

    def discard(self, row: int, breaks: int) -> None:
        """Forget rows before `row` and the first `breaks` breaks; memory goes in whole blocks."""
        while self._blocks and self._blocks[0].end <= row:
            self._blocks.popleft()
        while self._forgotten_breaks < breaks and self._break_rows:
            self._break_rows.popleft()
            self._forgotten_breaks += 1
