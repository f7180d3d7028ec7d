"""The rows that all throughput measurements move: 72 bytes, as an author would hand them in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from joule.core import Layout, Rows

__all__ = ["LAYOUT", "make_chunk"]

LAYOUT = Layout("float64", 8)


def make_chunk(rows: int) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Return a chunk, shape (rows,), and its timestamps as a view; add `rows` to them for the next one [us]."""
    chunk = np.zeros(rows, LAYOUT.dtype)
    times: npt.NDArray[np.int64] = chunk["timestamp"]
    times[:] = np.arange(1, rows + 1)
    chunk["data"] = np.random.default_rng(1).random((rows, LAYOUT.width))
    return chunk, times
