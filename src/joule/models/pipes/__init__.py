"""Names of the newest era's `joule.models.pipes`; one-element rows that its pipes read have `data` of shape (n, 1).

Its helpers for the unframed format of byte streams are here too. Pipes of this version keep breaks out of band, and
need none of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from joule.core import Layout
from joule.errors import EmptyPipe, EmptyPipeError, PipeError
from joule.pipes import InputPipe, LocalPipe, OutputPipe, Pipe, reader_factory, writer_factory

__all__ = [
    "EmptyPipe",
    "EmptyPipeError",
    "InputPipe",
    "LocalPipe",
    "OutputPipe",
    "Pipe",
    "PipeError",
    "compute_dtype",
    "find_interval_token",
    "interval_token",
    "reader_factory",
    "writer_factory",
]


def compute_dtype(layout: str) -> np.dtype[np.void]:
    """Return the dtype of a layout's rows: `timestamp`, int64, and `data` of shape (width,), also for one element.

    Raises:
        BadLayoutError: The text is no layout; it is a ValueError, too.
    """
    return Layout.parse(layout).column_dtype


def interval_token(layout: str) -> npt.NDArray[Any]:
    """Return the row that means an interval break in the unframed format: all zeros. Shape (1,), dtype of the layout.

    Raises:
        BadLayoutError: The text is no layout.
    """
    return np.zeros(1, compute_dtype(layout))


def find_interval_token(raw: bytes, layout: str) -> tuple[int, int] | None:
    """Return where the first interval break lies in packed rows: its first byte and the one behind it, or None.

    Args:
        raw: Whole rows, from a row's first byte on; what is left of a row at the end is not looked at.
        layout: Of the rows.

    Raises:
        BadLayoutError: The text is no layout.
    """
    size = Layout.parse(layout).row_bytes
    rows = np.frombuffer(raw, np.uint8, count=len(raw) - len(raw) % size).reshape(-1, size)
    breaks = np.flatnonzero(~rows.any(axis=1))
    return (int(breaks[0]) * size, (int(breaks[0]) + 1) * size) if len(breaks) else None
