"""Rows as text, a block at a time: formatting is what bounds `joule data read`, so it never calls print per row.

Plain text is `<timestamp_us> v1 v2 ...`, JSON one object a line. Integers stay integers; a float is the shortest text
that gives the same float of the stream's type back. A break is the same line in both forms, and begins with `#`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from joule.core import Rows

__all__ = ["BREAK_LINE", "format_rows"]

BREAK_LINE = "# interval break\n"

# Enough values to make a write worth its system call, few enough that Ctrl-C is answered at once (about 20 ms).
_VALUES_PER_CHUNK = 32_768


def format_rows(rows: Rows, *, as_json: bool) -> Iterator[str]:
    """Yield the text of `rows`, whole lines, in chunks of some tens of thousands of values.

    Args:
        rows: Structured rows, shape (n,), of any layout; `data` (n,) or (n, width).
        as_json: Write `{"timestamp": us, "data": [...]}` instead of plain text. NaN is null there, infinities are
            the strings "Infinity" and "-Infinity".
    """
    timestamps, data = rows["timestamp"], rows["data"]
    if data.ndim == 1:
        data = data[:, None]
    step = max(1, _VALUES_PER_CHUNK // data.shape[1])
    lines = _json_lines if as_json else _plain_lines
    for begin in range(0, len(rows), step):
        end = begin + step
        yield "".join(lines(timestamps[begin:end].tolist(), data[begin:end]))


def _plain_lines(timestamps: list[int], data: npt.NDArray[Any]) -> Iterator[str]:
    for timestamp, values in zip(timestamps, _texts(data), strict=True):
        yield f"{timestamp} {' '.join(values)}\n"


def _json_lines(timestamps: list[int], data: npt.NDArray[Any]) -> Iterator[str]:
    texts = _texts(data)
    if not np.isfinite(data).all():
        texts = ([_JSON.get(text, text) for text in row] for row in texts)
    for timestamp, values in zip(timestamps, texts, strict=True):
        yield f'{{"timestamp": {timestamp}, "data": [{", ".join(values)}]}}\n'


_JSON = {"nan": "null", "inf": '"Infinity"', "-inf": '"-Infinity"'}


def _texts(data: npt.NDArray[Any]) -> Iterable[Iterable[str]]:
    """Return the values of each row as text; `data` has shape (n, width)."""
    if data.dtype == np.float32:
        # Python has no float32: its repr would show the digits of the float64 next to it.
        texts: list[list[str]] = data.astype(np.str_).tolist()
        return texts
    return (map(repr, row) for row in data.tolist())
