"""What a restarted module writes again although the log already holds it: which rows to drop, and for how long.

A module with inputs goes on at its last commit, so it writes again what its output log holds behind that: at most so
many rows, none newer than the log's last, are dropped; breaks among them are there already. A reader has no commit:
its first write may overlap what is stored, by any number of rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Resume"]


class Resume:
    """The rows that are still to be dropped, from a restart until the module writes something new.

    Args:
        rows: How many there are, 1 or more; None for a reader: those of its first write.

    Attributes:
        is_over: What comes from now on is stored or refused as usual.
    """

    def __init__(self, rows: int | None) -> None:
        self._rows = rows
        self.is_over = False

    @property
    def rows(self) -> int:
        """How many rows of a module with inputs may still be dropped; 0 for a reader."""
        return self._rows or 0

    @property
    def hides_breaks(self) -> bool:
        """Whether a break that the module makes now is one that the log holds already."""
        return self._rows is not None

    def skip(self, timestamps: npt.NDArray[np.int64], last_us: int) -> int:
        """Return how many rows at the front of a write are stored already; the rest of the write ends the resume.

        Args:
            timestamps: Of the write, shape (n,), n > 0, us.
            last_us: Timestamp of the log's last row.
        """
        skipped = int(np.count_nonzero(np.maximum.accumulate(timestamps) <= last_us))
        if self._rows is not None:
            skipped = min(skipped, self._rows)
            self._rows -= skipped
        self.is_over = not self._rows or skipped < len(timestamps)
        return skipped
