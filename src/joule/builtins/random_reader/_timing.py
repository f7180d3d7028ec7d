"""When the rows of an even rate are due, without drift.

Row k is due k / rate after row 0, computed from k each time and never by adding up steps: where a row falls on a whole
microsecond it is exact, and elsewhere it is early by less than one, after a year as after a second.
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from math import ceil

import numpy as np
import numpy.typing as npt

__all__ = ["MAX_RATE_HZ", "MIN_RATE_HZ", "Timing"]

MAX_RATE_HZ = 1_000_000.0  # timestamps are whole microseconds and never repeat
MIN_RATE_HZ = 0.000_001  # a row in eleven days: the precision to which a rate is kept
_CHUNK_S = 1
_SINGLE_ROWS_BELOW_HZ = 20  # a person sees rows come one by one, and a process that wakes 20 times a second is idle


@dataclasses.dataclass(frozen=True, slots=True)
class Timing:
    """The timestamps of rows at an even rate.

    Attributes:
        rate_hz: Rows a second, a fraction so that 0.1 is a tenth; `MIN_RATE_HZ` to `MAX_RATE_HZ`.
        start_us: Timestamp of row 0.
    """

    rate_hz: Fraction
    start_us: int

    @classmethod
    def at(cls, rate_hz: float, start_us: int) -> Timing:
        """Return the timing of a rate as a person writes it, exact to six decimal places."""
        return cls(Fraction(rate_hz).limit_denominator(1_000_000), start_us)

    def timestamps(self, first: int, count: int) -> npt.NDArray[np.int64]:
        """Return the timestamps [us] of the rows `first` to `first + count - 1`, shape (count,)."""
        period = 1_000_000 * self.rate_hz.denominator  # of a row, in units of 1 / numerator us
        whole_us, rest = divmod(first * period, self.rate_hz.numerator)
        steps = np.arange(count, dtype=np.int64) * period
        return (steps + rest) // self.rate_hz.numerator + (self.start_us + whole_us)

    @property
    def chunk_rows(self) -> int:
        """How many rows to write at a time: one at low rates, a second's worth at high ones."""
        return ceil(self.rate_hz * _CHUNK_S) if self.rate_hz > _SINGLE_ROWS_BELOW_HZ else 1

    def due_s(self, row: int) -> float:
        """Return how long after row 0 a row is due, in seconds."""
        return float(row / self.rate_hz)
