"""The mean filter: a moving average over a window of rows.

The sum of a window is built from sums of 2, 4, 8, ... neighbours, always the same ones: an order that belongs to the
window alone, so that the same window gives the same bits, and that takes some additions for each row whatever the
window's size. (A running total would be faster still, and would carry its rounding, and each NaN, from row to row.)
"""

from __future__ import annotations

import argparse
import functools

import numpy as np

from joule.client.windows import RowWindow, Values, WindowFilterModule, window_rows

__all__ = ["MeanFilter", "main"]

_TURN_VALUES = 2**20  # 8 MB of sums


class MeanFilter(WindowFilterModule):
    """Replaces each row by the mean of the `--window` rows around it, element by element."""

    def custom_args(self, parser: argparse.ArgumentParser) -> None:
        """Add `--window`."""
        parser.description = "Replaces each row by the mean of the rows around it, element by element."
        parser.add_argument("--window", type=window_rows, required=True, help="rows in a mean")

    def make_window(self, parsed_args: argparse.Namespace) -> RowWindow:
        """Return the mean of `--window` rows."""
        return _Mean(parsed_args.window)


class _Mean(RowWindow):
    def apply(self, values: Values) -> Values:
        with np.errstate(all="ignore"):
            means: Values = _window_sums(values, self.rows) / self.rows
        return means

    def turn_rows(self, width: int) -> int:
        return max(self.rows, _TURN_VALUES // width)


def _window_sums(values: Values, rows: int) -> Values:
    """Return the sums of all windows, shape (n - rows + 1, width): one block a binary digit of `rows`."""
    count = len(values) - rows + 1
    blocks, block_rows = values, 1  # sums of so many neighbours, of all neighbours
    parts, done = [], 0  # that make up the window, from its oldest row on
    while True:
        if rows & block_rows:
            parts.append(blocks[done : done + count])
            done += block_rows
        if done == rows:
            return functools.reduce(np.add, parts)
        blocks = blocks[:-block_rows] + blocks[block_rows:]
        block_rows *= 2


def main() -> None:
    """Run the module: the program `joule-mean-filter`."""
    MeanFilter().start()
