"""A filter whose taps are all that its author writes: each row becomes the weighted sum of a window of rows.

Windows, their time stamps, breaks and restarts are those of every window filter (`client/windows.py`). What is here is
a sum that is the same to the last bit for the same window, and fast enough for windows of ten thousand rows.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

from joule.client.windows import RowWindow, Values, WindowFilterModule
from joule.errors import ModuleError

__all__ = ["FIRFilterModule", "convolve_valid"]

Taps = npt.NDArray[np.float64]

_TURN_PRODUCTS = 2**26  # multiplications and additions in one turn: some 50 ms
# Measured: a tap costs 1.5 us beside its 0.5 ns for each value, a window 5 us beside its 5 ns for each value.
_TAP_NS, _WINDOW_NS, _WINDOW_VALUE_NS = 1500, 5000, 5


class FIRFilterModule(WindowFilterModule):
    """Base of finite impulse response filters: one pipe named `input`, one named `output`, of the same width."""

    def make_filter(self, parsed_args: argparse.Namespace) -> npt.ArrayLike:
        """Return the taps. Called once, before the first row is read. Must be implemented.

        Returns:
            Shape (n,), n at least 1, finite numbers. The first tap weighs the newest row of a window, as in
            `np.convolve`.
        """
        name = type(self).__name__
        raise ModuleError(f"{name} has no make_filter: implement `def make_filter(self, parsed_args)`, returning taps")

    def make_window(self, parsed_args: argparse.Namespace) -> RowWindow:
        """Return the window of the taps.

        Raises:
            ModuleError: `make_filter` returned no usable taps.
        """
        return _WeightedSum(_checked_taps(self.make_filter(parsed_args), type(self).__name__))


class _WeightedSum(RowWindow):
    def __init__(self, taps: Taps) -> None:
        super().__init__(len(taps))
        self._taps = taps

    def apply(self, values: Values) -> Values:
        return convolve_valid(values, self._taps)

    def turn_rows(self, width: int) -> int:
        return max(1, _TURN_PRODUCTS // (self.rows * width))


def convolve_valid(values: npt.NDArray[np.number], taps: Taps) -> npt.NDArray[np.float64]:
    """Return the weighted sums of all whole windows, column by column.

    Each sum runs from the oldest row to the newest, one multiplication and one addition at a time. A convolution by
    library, a matrix product or a reduction along an axis promise no order: they may choose it by length and
    alignment, and differ in the last bit. For many windows the sum goes tap by tap over whole columns; for few, window
    by window, by a running sum. Both do the same operations in the same order.

    Args:
        values: Shape (n, width).
        taps: Shape (window,).

    Returns:
        Shape (max(0, n - window + 1), width). NaN and infinities spread by the arithmetic, without a warning.
    """
    width, count = values.shape[1], max(0, len(values) - len(taps) + 1)
    columns = np.asarray(values, np.float64)
    by_window = count * (_WINDOW_NS + _WINDOW_VALUE_NS * width * len(taps)) < _TAP_NS * len(taps)
    with np.errstate(all="ignore"):
        return _by_window(columns, taps, count) if by_window else _by_tap(columns, taps, count)


def _by_tap(columns: Values, taps: Taps, count: int) -> Values:
    total: Values = columns[:count] * taps[-1]
    for start, tap in enumerate(taps[-2::-1], start=1):
        total += columns[start : start + count] * tap
    return total


def _by_window(columns: Values, taps: Taps, count: int) -> Values:
    elements, weights = np.ascontiguousarray(columns.T), np.ascontiguousarray(taps[::-1])
    sums = np.empty((count, len(elements)))
    products = np.empty((len(elements), len(taps)))
    for row in range(count):
        np.multiply(elements[:, row : row + len(taps)], weights, out=products)
        sums[row] = np.add.accumulate(products, axis=1, out=products)[:, -1]
    return sums


def _checked_taps(made: npt.ArrayLike, module: str) -> Taps:
    rule = f"{module}.make_filter() must return finite taps"
    try:
        taps = np.asarray(made, np.float64)
    except (TypeError, ValueError) as error:
        raise ModuleError(f"{rule}: it returned {made!r}") from error
    if taps.ndim != 1:
        raise ModuleError(f"{rule}, as a 1-D array: it returned an array of shape {taps.shape}")
    if not len(taps):
        raise ModuleError(f"{rule}, one at least: it returned none")
    if not np.isfinite(taps).all():
        raise ModuleError(f"{rule}: tap {int(np.argmin(np.isfinite(taps)))} is {taps[~np.isfinite(taps)][0]}")
    return taps
