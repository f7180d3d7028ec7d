"""Filters that look at a window of rows at a time: each whole window gives one row.

What all of them promise is kept here, once. A row is stamped with the time of its window's middle row (of the row
right of the middle, where the number of rows is even). Only whole windows count, so an interval of n rows gives
n - rows + 1 of them, and an interval shorter than the window gives none; no window reaches across a break.

An output row is a function of its own window and of nothing else, to the last bit: however reads cut the input into
chunks, and wherever a killed module resumes, the same rows come out. That is why a read leaves rows - 1 of them
unconsumed, why a break consumes everything, and why `RowWindow.apply` must not let one window's result depend on its
neighbours.
"""

from __future__ import annotations

import abc
import argparse
import asyncio

import numpy as np
import numpy.typing as npt

from joule.client._filter_module import FilterModule
from joule.core import Rows
from joule.errors import EmptyPipeError, ModuleError
from joule.pipes import Pipe

__all__ = ["RowWindow", "Values", "WindowFilterModule", "window_rows"]

Values = npt.NDArray[np.float64]
"""Elements of consecutive rows, shape (n, width)."""

_TURN_VALUES = 2**21  # of all windows of a turn: 16 MB as float64


class RowWindow(abc.ABC):
    """What is made of each window.

    Notes to implementers: equal windows must give equal bits, wherever they stand in `values` and whatever stands
    beside them. Sums by a matrix product, a reduction along an axis or a library's convolution do not promise that:
    they may choose their order by length and alignment.

    Args:
        rows: How many rows a window has.

    Attributes:
        rows: As above.

    Raises:
        ModuleError: A window cannot have so many.
    """

    def __init__(self, rows: int) -> None:
        if rows < 1:
            raise ModuleError(f"a window has 1 row or more, not {rows}")
        self.rows = rows

    @abc.abstractmethod
    def apply(self, values: Values) -> Values:
        """Return one row for each whole window, a new array of shape (n - rows + 1, width), column by column.

        Args:
            values: Consecutive rows of one interval, n at least `rows`; not to be changed.
        """

    def turn_rows(self, width: int) -> int:
        """Return how many windows of this width to apply at a time: some 50 ms of work, and little memory.

        Between two turns the event loop runs, so that a stop is seen in the middle of hours of rows. This one suits
        work and memory that grow with the rows of all windows together.
        """
        return max(1, _TURN_VALUES // (self.rows * width))


class WindowFilterModule(FilterModule):
    """Base of filters with a window: one pipe named `input`, one named `output`, of the same width."""

    def make_window(self, parsed_args: argparse.Namespace) -> RowWindow:
        """Return the window. Called once, before the first row is read. Must be implemented."""
        raise ModuleError(f"{type(self).__name__} has no make_window: implement `def make_window(self, parsed_args)`")

    async def run(self, parsed_args: argparse.Namespace, inputs: dict[str, Pipe], outputs: dict[str, Pipe]) -> None:
        """Filter until the input ends or the module is stopped.

        Raises:
            ModuleError: There is no usable window, or a pipe is missing.
        """
        window = self.make_window(parsed_args)
        source, target = _pipe(inputs, "input"), _pipe(outputs, "output")
        source.make_room(2 * window.rows)  # a read that finds room for a window's worth of new rows is no waste
        while not self.stop_requested:
            try:
                rows = await source.read()
            except EmptyPipeError:
                return
            left = await self._filter(rows, window, source, target)
            if source.end_of_interval and not self.stop_requested:
                source.consume(left)
                await target.close_interval()

    async def _filter(self, rows: Rows, window: RowWindow, source: Pipe, target: Pipe) -> int:
        """Write a row for each whole window, turn by turn, and return how many rows were left unconsumed."""
        count = max(0, len(rows) - window.rows + 1)
        turn = window.turn_rows(source.width)
        for start in range(0, count, turn):
            if start:
                await asyncio.sleep(0)
            if self.stop_requested:
                return len(rows) - start
            filtered = _filtered(rows[start : min(start + turn, count) + window.rows - 1], window)
            await target.write(filtered)
            source.consume(len(filtered))
        return len(rows) - count


def window_rows(text: str) -> int:
    """Return the number of rows that a person wrote behind `--window`, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a window is a number of rows (1, 2, 3, ...), not {text}")
    return int(text)


def _filtered(rows: Rows, window: RowWindow) -> Values:
    """Return a row for each window, timestamps [us] in column 0."""
    data = rows["data"]
    values = np.asarray(data[:, None] if data.ndim == 1 else data, np.float64)
    results = window.apply(values)
    # Which of two NaNs an addition passes on (their sign, their payload) is up to the instruction, not to the rows.
    results[np.isnan(results)] = np.nan
    middle = window.rows // 2
    filtered = np.empty((len(results), 1 + values.shape[1]))
    filtered[:, 0] = rows["timestamp"][middle : middle + len(results)]
    filtered[:, 1:] = results
    return filtered


def _pipe(pipes: dict[str, Pipe], name: str) -> Pipe:
    if name not in pipes:
        found = ", ".join(sorted(pipes)) or "none"
        raise ModuleError(f"this filter needs a pipe named {name!r}; there is {found}: name it so in the module's file")
    return pipes[name]
