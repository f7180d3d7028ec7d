"""A filter whose taps are all that its author writes.

Each output row is the weighted sum of a window of input rows, stamped with the time of the window's middle row. Only
whole windows give rows, so an interval of n rows gives n - window + 1 of them, and an interval shorter than the window
gives none.

Output rows are a function of their own window and of nothing else, to the last bit: however reads cut the input into
chunks, and wherever a killed module resumes, the same rows come out. That is why a read leaves window - 1 rows
unconsumed, why an interval break consumes everything, and why the sum is taken tap by tap (see `convolve_valid`).
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

from joule.client._filter_module import FilterModule
from joule.core import Rows
from joule.errors import EmptyPipeError, ModuleError
from joule.pipes import Pipe

__all__ = ["FIRFilterModule", "convolve_valid"]

Taps = npt.NDArray[np.float64]


class FIRFilterModule(FilterModule):
    """Base of finite impulse response filters: one pipe named `input`, one named `output`, of the same width."""

    def make_filter(self, parsed_args: argparse.Namespace) -> npt.ArrayLike:
        """Return the taps. Called once, before the first row is read. Must be implemented.

        Returns:
            Shape (n,), n odd, finite numbers. The first tap weighs the newest row of a window, as in `np.convolve`.
        """
        name = type(self).__name__
        raise ModuleError(f"{name} has no make_filter: implement `def make_filter(self, parsed_args)`, returning taps")

    async def run(self, parsed_args: argparse.Namespace, inputs: dict[str, Pipe], outputs: dict[str, Pipe]) -> None:
        """Filter until the input ends or the module is stopped.

        Raises:
            ModuleError: `make_filter` returned no usable taps, or a pipe is missing.
        """
        taps = _checked_taps(self.make_filter(parsed_args), type(self).__name__)
        source, target = _pipe(inputs, "input"), _pipe(outputs, "output")
        while not self.stop_requested:
            try:
                rows = await source.read()
            except EmptyPipeError:
                return
            filtered = _filter_rows(rows, taps)
            if len(filtered):
                await target.write(filtered)
            if source.end_of_interval:
                source.consume(len(rows))
                await target.close_interval()
            else:
                source.consume(max(0, len(rows) - len(taps) + 1))


def convolve_valid(values: npt.NDArray[np.number], taps: Taps) -> npt.NDArray[np.float64]:
    """Return the weighted sums of all whole windows, column by column.

    The sum runs over the taps, each a multiplication and an addition of whole columns. So every element sees the same
    operations in the same order wherever it stands in a chunk. A convolution by library, a matrix product or a
    reduction along an axis promise no order: they may choose it by length and alignment, and differ in the last bit.

    Args:
        values: Shape (n, width).
        taps: Shape (window,).

    Returns:
        Shape (max(0, n - window + 1), width). NaN and infinities spread by the arithmetic, without a warning.
    """
    count = max(0, len(values) - len(taps) + 1)
    columns = np.asarray(values, np.float64)
    with np.errstate(all="ignore"):
        total: npt.NDArray[np.float64] = columns[:count] * taps[-1]
        for start, tap in enumerate(taps[-2::-1], start=1):
            total += columns[start : start + count] * tap
    return total


def _filter_rows(rows: Rows, taps: Taps) -> npt.NDArray[np.float64]:
    """Return the filtered rows as a 2-D array with timestamps [us] in column 0."""
    data = rows["data"]
    values = data[:, None] if data.ndim == 1 else data
    sums = convolve_valid(values, taps)
    edge = len(taps) // 2
    filtered = np.empty((len(sums), 1 + values.shape[1]))
    filtered[:, 0] = rows["timestamp"][edge : edge + len(sums)]
    filtered[:, 1:] = sums
    return filtered


def _checked_taps(made: npt.ArrayLike, module: str) -> Taps:
    rule = f"{module}.make_filter() must return an odd number of finite taps"
    try:
        taps = np.asarray(made, np.float64)
    except (TypeError, ValueError) as error:
        raise ModuleError(f"{rule}: it returned {made!r}") from error
    if taps.ndim != 1:
        raise ModuleError(f"{rule}, as a 1-D array: it returned an array of shape {taps.shape}")
    if len(taps) % 2 == 0:
        raise ModuleError(f"{rule}, so that a window has a middle row: it returned {len(taps)}; append or drop one")
    if not np.isfinite(taps).all():
        raise ModuleError(f"{rule}: tap {int(np.argmin(np.isfinite(taps)))} is {taps[~np.isfinite(taps)][0]}")
    return taps


def _pipe(pipes: dict[str, Pipe], name: str) -> Pipe:
    if name not in pipes:
        found = ", ".join(sorted(pipes)) or "none"
        raise ModuleError(f"this filter needs a pipe named {name!r}; there is {found}: name it so in the module's file")
    return pipes[name]
