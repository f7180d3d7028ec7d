"""One input of a merge: its rows at hand, and the line through them.

Values between two rows are theirs, weighted by nearness; on a row they are the row's own, bit for bit. They depend on
the two rows on either side and on nothing else.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from joule.core import Rows
from joule.errors import EmptyPipeError
from joule.pipes import Pipe

__all__ = ["Line"]

Times = npt.NDArray[np.int64]
"""Timestamps, shape (n,), us, increasing."""
Values = npt.NDArray[np.float64]
"""Elements, shape (n, width)."""


class Line:
    """The unconsumed rows of an input that were read; its length is their number.

    Attributes:
        times: Of these rows.
        is_at_break: A break follows them; reading on goes behind it.
    """

    def __init__(self, pipe: Pipe) -> None:
        self.is_at_break = False
        self.times: Times = np.empty(0, np.int64)
        self._rows: Rows = np.empty(0, pipe.dtype)
        self._pipe = pipe

    def __len__(self) -> int:
        return len(self.times)

    @property
    def first_us(self) -> int:
        """Timestamp of the first row."""
        return self.times.item(0)

    @property
    def last_us(self) -> int:
        """Timestamp of the last row."""
        return self.times.item(-1)

    async def read(self) -> bool:
        """Wait for more rows, a break or the end; False at the end."""
        try:
            rows = await self._pipe.read()
        except EmptyPipeError:
            return False
        self.is_at_break = self._pipe.end_of_interval
        self._rows, self.times = rows, np.ascontiguousarray(rows["timestamp"])
        return True

    def consume(self, count: int) -> None:
        """Consume the first rows."""
        self._pipe.consume(count)
        self._rows = self._rows[count:]
        self.times = self.times[count:]

    def forget_before(self, time_us: int) -> None:
        """Consume what no time from this one on needs: all rows before the newest that is not later."""
        needless = int(np.searchsorted(self.times, time_us, "right")) - 1
        if needless > 0:
            self.consume(needless)

    def values(self, count: int) -> Values:
        """Return the elements of the first rows."""
        return _elements(self._rows[:count])

    def knows(self, times: Times, max_gap_us: float) -> npt.NDArray[np.bool_]:
        """Return which times, none after the last row, lie on a row or between two that are near enough."""
        left, right, is_row = self._neighbours(times)
        gaps_us = self.times[right] - self.times[left]
        known: npt.NDArray[np.bool_] = (left >= 0) & (is_row | (gaps_us <= max_gap_us))
        return known

    def at(self, times: Times) -> Values:
        """Return the elements at times that this line knows, shape (n, width)."""
        left, right, is_row = self._neighbours(times)
        span_us = np.where(is_row, 1, self.times[right] - self.times[left])
        share = ((times - self.times[left]) / span_us)[:, None]  # of the row on the right
        before, after = _elements(self._rows[left]), _elements(self._rows[right])
        with np.errstate(all="ignore"):
            between = before * (1 - share) + after * share
        # Which NaN an addition passes on is up to the processor's instruction; and a constant stays what it is.
        between[np.isnan(between)] = np.nan
        result: Values = np.where(is_row[:, None] | (before == after), before, between)
        return result

    def _neighbours(self, times: Times) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """Return the rows on the left of each time (-1: none) and on the right, and whether the left one is on it."""
        left = np.searchsorted(self.times, times, "right") - 1
        return left, np.minimum(left + 1, len(self.times) - 1), self.times[left] == times


def _elements(rows: Rows) -> Values:
    data = rows["data"]
    return np.asarray(data[:, None] if data.ndim == 1 else data, np.float64)
