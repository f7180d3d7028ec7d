"""Turning what module authors write into rows, and rows into what they read.

Authors hand in 2-D arrays (timestamps in column 0), structured arrays, lists or tuples; a pipe carries structured rows
of its layout. Everything that could put a wrong row into a stream is refused here, before any row is written: another
width, a column of timestamps that cannot hold microseconds, NaN or infinite timestamps, and values that the stream's
integer type cannot hold. NaN and infinity as *values* of floating-point streams are data and pass bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from joule.core.layout import Layout
from joule.errors import BadRowsError, BadTimestampError, RowWidthError

__all__ = ["Rows", "first_disorder", "flatten_rows", "to_rows"]

Rows = npt.NDArray[np.void]
"""Structured rows, shape (n,), fields `timestamp` (int64, us) and `data`."""

_BLOCK_ROWS = 2**20  # rows compared at once: checking a huge write takes no memory worth mentioning
_MAX_US = 2.0**63  # the first float64 that int64 cannot hold


def to_rows(data: object, layout: Layout, pipe: str) -> Rows:
    """Return `data` as structured rows of `layout`; shares memory with `data` where it already is that.

    Args:
        data: 2-D array, list or tuple of shape (n, 1 + width), timestamps [us] in column 0; or a structured array of
            the layout's dtype, `data` (n,) or (n, 1) alike for one element. Empty data of any shape gives no rows.
        layout: What the rows must be.
        pipe: Name of the pipe, for messages.

    Returns:
        Rows of `layout.dtype`, contiguous, shape (n,). A timestamp given as float is rounded, halves up.

    Raises:
        RowWidthError: Another number of columns.
        BadTimestampError: A timestamp is NaN, infinite, beyond int64, or of a type that cannot hold microseconds.
        BadRowsError: Anything else that is no row of this layout.
    """
    if type(data) is np.ndarray and data.dtype is layout.dtype and data.ndim == 1 and data.flags.c_contiguous:
        return data  # as fast modules write: nothing to look at
    array = _as_array(data, pipe)
    if array.size == 0:
        return np.empty(0, layout.dtype)
    if array.dtype.names is not None:
        return _from_structured(array, layout, pipe)
    if array.ndim != 2 or array.shape[1] != layout.width + 1:
        raise RowWidthError(pipe, str(layout), layout.width, array.shape)
    rows = np.empty(len(array), layout.dtype)
    rows["timestamp"] = _timestamps(array[:, 0], pipe)
    values = array[:, 1:]
    _check_values(values, layout, pipe)
    try:
        with np.errstate(over="raise", invalid="ignore"):  # NaN of any kind is data; an overflow would store infinity
            rows["data"] = values[:, 0] if layout.width == 1 else values
    except FloatingPointError:
        with np.errstate(all="ignore"):
            good = np.isfinite(values.astype(np.float32)) | ~np.isfinite(values)
        raise _out_of_range(values, good, layout, pipe) from None
    return rows


def _as_array(data: object, pipe: str) -> npt.NDArray[Any]:
    if isinstance(data, np.ndarray):
        if np.any(getattr(data, "mask", False)):  # of a masked array, whose numbers below the mask mean nothing
            raise BadRowsError(pipe, "some values are masked; give them a number: write(np.ma.filled(array, np.nan))")
        return np.asarray(data)  # matrices and other subclasses slice in ways of their own
    if not isinstance(data, (list, tuple)):
        raise BadRowsError(pipe, f"rows are a 2-D array, a list or a tuple, not {type(data).__name__}")
    try:
        array = np.array(data)
    except ValueError as error:  # NumPy's word for rows of unequal length
        raise BadRowsError(pipe, f"the rows of this {type(data).__name__} have different lengths") from error
    if array.dtype.kind not in "iufb" and array.size:
        raise BadRowsError(pipe, f"rows are numbers; this {type(data).__name__} holds {array.dtype}")
    return array


def _from_structured(array: npt.NDArray[Any], layout: Layout, pipe: str) -> Rows:
    if array.ndim != 1:
        raise BadRowsError(pipe, f"structured rows are 1-D; this array has shape {array.shape}")
    if array.dtype not in (layout.dtype, layout.column_dtype):
        raise BadRowsError(
            pipe,
            f"rows of {layout} have dtype {layout.dtype}; this array has {array.dtype}",
            layout=str(layout),
        )
    return np.ascontiguousarray(array).view(layout.dtype)


def _timestamps(column: npt.NDArray[Any], pipe: str) -> npt.NDArray[Any]:
    kind, size = column.dtype.kind, column.dtype.itemsize
    if kind == "f" and size >= 8:
        good = np.abs(column) < _MAX_US  # False for NaN too
        if not good.all():
            row = int(np.argmin(good))
            raise BadTimestampError(pipe, f"timestamp {column[row]} is no Unix time in microseconds", row)
        # Halves up, not to even: at 2^50 a float64 has steps of 0.25 us, and an even series would come out uneven.
        whole: npt.NDArray[Any] = np.floor(column)
        rounded: npt.NDArray[Any] = whole + (column - whole >= 0.5)
        return rounded
    if kind == "i":
        return column
    if kind == "u":
        if size == 8 and (column >= 2**63).any():
            row = int(np.argmax(column >= 2**63))
            raise BadTimestampError(pipe, f"timestamp {column[row]} does not fit int64 microseconds", row)
        return column
    if kind == "f":
        raise BadTimestampError(
            pipe,
            f"a {column.dtype} column cannot hold Unix microseconds (it is off by up to a minute): use float64",
        )
    raise BadTimestampError(pipe, f"timestamps are numbers, not {column.dtype}")


def _check_values(values: npt.NDArray[Any], layout: Layout, pipe: str) -> None:
    """Refuse values that a cast to the layout's type would turn into other numbers."""
    kind = values.dtype.kind
    if kind not in "iufb":
        raise BadRowsError(pipe, f"values are numbers, not {values.dtype}")
    target = layout.element_dtype
    if target.kind == "f" or np.can_cast(values.dtype, target):
        return
    bounds = np.iinfo(target.name)
    if kind == "f":  # a fraction is cut off towards zero
        cut = np.trunc(values)
        # The upper bound of 64-bit types is no float64; the next number above it is: 2^63, 2^64.
        good = (cut >= float(bounds.min)) & (cut < float(int(bounds.max) + 1))
    else:
        good = (values >= bounds.min) & (values <= bounds.max)
    if not good.all():
        raise _out_of_range(values, good, layout, pipe)


def _out_of_range(values: npt.NDArray[Any], good: npt.NDArray[np.bool_], layout: Layout, pipe: str) -> BadRowsError:
    """Return the error about the first value that is not good."""
    target = layout.element_dtype
    bounds: Any = np.finfo(target.name) if target.kind == "f" else np.iinfo(target.name)
    row, element = (int(i) for i in np.argwhere(~good)[0])
    return BadRowsError(
        pipe,
        f"row {row} of this write: element {element} is {values[row, element]}, and {layout.datatype} holds "
        f"{bounds.min} to {bounds.max}",
        row=row,
        element=element,
    )


def flatten_rows(rows: Rows) -> npt.NDArray[Any]:
    """Return rows as a 2-D array with timestamps in column 0.

    Returns:
        Shape (n, 1 + width), float64; int64 for int64 streams. Values of uint64 beyond 2^53 are rounded: read those
        as structured rows.
    """
    data = rows["data"]
    if data.ndim == 1:
        data = data[:, None]
    flat = np.empty((len(rows), 1 + data.shape[1]), np.int64 if data.dtype == np.int64 else np.float64)
    flat[:, 0] = rows["timestamp"]
    flat[:, 1:] = data
    return flat


def first_disorder(timestamps: npt.NDArray[np.int64], last_us: int | None) -> int | None:
    """Return the index of the first timestamp that is not greater than the one before it, None if all are.

    Args:
        timestamps: Shape (n,), us.
        last_us: The timestamp before the first, None where there is none.
    """
    count = len(timestamps)
    if not count:
        return None
    if last_us is not None and timestamps.item(0) <= last_us:
        return 0
    if count == 1:
        return None
    for start in range(0, count - 1, _BLOCK_ROWS):
        block = timestamps[start : start + _BLOCK_ROWS + 1]
        later = block[1:] > block[:-1]
        if not later.all():
            return start + int(np.argmin(later)) + 1
    return None
