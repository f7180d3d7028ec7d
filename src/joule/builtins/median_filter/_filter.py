"""The median filter: takes outliers away and leaves edges sharp.

A median is one of the window's values (or lies between two), so its bits depend on no order of additions. Where a
choice is left, between a positive and a negative zero, the positive one is taken.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

from joule.client.windows import RowWindow, Values, WindowFilterModule, window_rows

__all__ = ["MedianFilter", "main"]


class MedianFilter(WindowFilterModule):
    """Replaces each row by the median of the `--window` rows around it, element by element."""

    def custom_args(self, parser: argparse.ArgumentParser) -> None:
        """Add `--window`."""
        parser.description = "Replaces each row by the median of the rows around it, element by element."
        parser.add_argument("--window", type=window_rows, required=True, help="rows in a median")

    def make_window(self, parsed_args: argparse.Namespace) -> RowWindow:
        """Return the median of `--window` rows."""
        return _Median(parsed_args.window)


class _Median(RowWindow):
    def apply(self, values: Values) -> Values:
        columns = np.ascontiguousarray(values.T)
        return np.column_stack([_medians(column, self.rows) for column in columns])


def _medians(column: npt.NDArray[np.float64], rows: int) -> npt.NDArray[np.float64]:
    """Return the medians of all windows of one element, shape (n - rows + 1,); NaN where a window holds one."""
    middle = rows // 2
    ordered = np.partition(np.lib.stride_tricks.sliding_window_view(column, rows), middle, axis=-1)
    medians = ordered[:, middle]
    if rows % 2 == 0:
        with np.errstate(all="ignore"):
            medians = (ordered[:, :middle].max(axis=-1) + medians) / 2
    medians = medians + 0.0  # turns -0.0 into 0.0
    seen = np.concatenate(([0], np.cumsum(np.isnan(column))))
    medians[seen[rows:] > seen[:-rows]] = np.nan
    return medians


def main() -> None:
    """Run the module: the program `joule-median-filter`."""
    MedianFilter().start()
