"""The output of a reader that runs on its own: one line per row on standard output.

`<timestamp_us> <v1> ... <vN>`, values as the shortest text that reads back as the same float64, integers plain. Rows go
to `sys.stdout` as it is at that moment and are flushed with each write. Timestamps must increase, as in a stream, so
that an author meets a fault of the source here and not under `jouled`. Interval breaks are marked on standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from joule.core import Layout, Rows
from joule.errors import BadLayoutError, OutOfOrderError, PipeError
from joule.pipes._pipe import Direction, Pipe
from joule.pipes._sink import RowSink
from joule.pipes._write_side import WriteSide

__all__ = ["StdoutPipe"]

_FORMAT_ROWS = 8192  # rows per text: a chunk of any size costs a few MB of text at a time


class StdoutPipe(Pipe):
    """An output without a stream: each write says by its own array how many elements of which type its rows have.

    `layout`, `dtype` and `width` are those of the last write; before the first one, of `float64_1`.

    Args:
        name: For messages.
        column: See `Pipe`; here it is the shape of `dtype` only.
        reader_gone: Called when nobody reads standard output any more, as behind `| head -2`; it should end the
            module. Without it, `write()` raises BrokenPipeError.
    """

    def __init__(
        self, name: str = "output", *, column: bool = False, reader_gone: Callable[[], object] | None = None
    ) -> None:
        writes = WriteSide(name, _Terminal(name, reader_gone))
        super().__init__(name, Direction.OUTPUT, layout=Layout("float64", 1), writes=writes, column=column)

    async def write(self, data: npt.ArrayLike) -> None:
        """Print rows; see `Pipe.write`.

        Raises:
            BadRowsError: The data is no rows; none was printed.
            OutOfOrderError: Some timestamps do not increase; the other rows were printed.
            BrokenPipeError: Nobody reads standard output any more.
            ClosedPipeError: The pipe was closed.
            PipeError: There is no standard output, or no room where it goes.
        """
        writes, array, layout = self._understand(data)
        if layout != self._layout:  # a cache holds rows of one layout
            await writes.flush_cache()
            self._layout = layout
        await writes.write(array, layout)

    def write_nowait(self, data: npt.ArrayLike) -> None:
        """Print rows; see `write`."""
        writes, array, layout = self._understand(data)
        if layout != self._layout:
            writes.flush_cache_nowait()
            self._layout = layout
        writes.write_nowait(array, layout)

    def _understand(self, data: object) -> tuple[WriteSide, object, Layout]:
        """Return where to write, the data (a list as an array), and the layout that it has by itself."""
        writes = self._writing()
        if isinstance(data, (list, tuple)):
            with contextlib.suppress(ValueError):  # rows of unequal length: refused further on, as by every pipe
                data = np.array(data)
        # Empty data, and what is no rows at all, has no layout of its own: any will do to ignore or refuse it.
        layout = _layout_of(data) if isinstance(data, np.ndarray) else None
        return writes, data, layout or self.parsed_layout


class _Terminal(RowSink):
    """Prints rows in order."""

    def __init__(self, name: str, reader_gone: Callable[[], object] | None) -> None:
        self._name = name
        self._reader_gone = reader_gone
        self._last_us = -(2**63)
        self._rows_since_break = False
        self._is_broken = False

    async def write(self, rows: Rows) -> None:
        self.write_nowait(rows)
        if self._is_broken:
            await asyncio.sleep(0)  # where `reader_gone` cancelled the module, it ends here

    def write_nowait(self, rows: Rows) -> None:
        self.taken_rows = len(rows)  # whatever happens: how much of a text has left is not known
        stamps = rows["timestamp"]
        # A row is in order if it is newer than every row before it: the newest is always among those printed.
        newest = np.maximum.accumulate(np.concatenate(([self._last_us], stamps)))
        in_order = stamps > newest[:-1]
        self._last_us = int(newest[-1])
        if in_order.all():
            self._print(rows)
            return
        if in_order.any():
            self._print(rows[in_order])
        wrong = int(np.argmin(in_order))
        raise OutOfOrderError(self._name, int(stamps[wrong]), int(newest[wrong]), int((~in_order).sum()))

    async def mark_break(self) -> None:
        self.mark_break_nowait()

    def mark_break_nowait(self) -> None:
        if self._rows_since_break:
            self._rows_since_break = False
            # For the person at the terminal: a stderr that is closed or full is no reason to end.
            with contextlib.suppress(AttributeError, OSError, ValueError):
                sys.stderr.write("--- interval gap ---\n")
                sys.stderr.flush()

    def _print(self, rows: Rows) -> None:
        if self._is_broken and self._reader_gone is not None:
            return
        self._rows_since_break = True
        if sys.stdout is None:
            raise PipeError(f"pipe {self._name!r}: this process has no standard output to print rows to")
        try:
            for start in range(0, len(rows), _FORMAT_ROWS):
                sys.stdout.write(_text(rows[start : start + _FORMAT_ROWS]))
            sys.stdout.flush()
        except BrokenPipeError:
            self._is_broken = True
            if self._reader_gone is None:
                raise
            self._reader_gone()
        except OSError as error:
            raise PipeError(f"pipe {self._name!r}: rows cannot be printed to standard output: {error}") from None


def _text(rows: Rows) -> str:
    """Return rows as lines. Via lists: Python's own numbers print as literals, NumPy's as `np.float64(...)`."""
    stamps, data = rows["timestamp"].tolist(), rows["data"]
    if data.ndim == 1:
        return "".join([f"{stamp} {value!r}\n" for stamp, value in zip(stamps, data.tolist(), strict=True)])
    values = data.tolist()
    return "".join([f"{stamp} {' '.join(map(repr, row))}\n" for stamp, row in zip(stamps, values, strict=True)])


def _layout_of(array: npt.NDArray[Any]) -> Layout | None:
    """Return the layout that an array would have as rows; None where it is no rows."""
    names = array.dtype.names
    if names is None:
        element, width = array.dtype, array.shape[1] - 1 if array.ndim == 2 else 0
    elif names == ("timestamp", "data"):
        element, width = array.dtype["data"].base, int(np.prod(array.dtype["data"].shape))
    else:
        return None
    try:
        return Layout("float64" if element.name == "float128" else element.name, width)
    except BadLayoutError:
        return None
