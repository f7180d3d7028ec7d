"""The pipes of a composite, as its children use them: its inputs, its outputs, and those between two children."""

from __future__ import annotations

from joule.log import InnerPosition, InputPosition
from joule.pipes._local import LocalPipe
from joule.pipes._log_input import LogInput
from joule.pipes._log_output import LogOutput
from joule.pipes._marks import Child, End, Joint, Line, Mark, Unstored

__all__ = ["Link", "Sink", "Source"]


class Source(End):
    """An input of the composite."""

    def __init__(self, pipe: LogInput) -> None:
        super().__init__()
        self.side = pipe.read_side
        self._start = self.position()

    def position(self) -> InputPosition:
        """Return what is consumed now."""
        return InputPosition(self.side.row, self.side.breaks)

    def consumed(self, line: Line) -> InputPosition:
        """Return what the mark of its reader counts as consumed."""
        return self._start if self.reader is None else line[self.reader].consumed.get(self, self._start)


class Sink(End):
    """An output of the composite."""

    def __init__(self, pipe: LogOutput) -> None:
        super().__init__()
        self.pipe = pipe
        self._start = pipe.logical_rows

    def go_on(self, rows: int) -> None:
        """Drop what was stored behind so many rows, which will be written again; before anything is written."""
        self.pipe.log_sink.writer.resume(rows)
        self._start = self.pipe.logical_rows

    def count(self, mark: Mark, cached_above: int) -> None:
        """Note in a mark of its writer how many rows are written."""
        rows = self.pipe.logical_rows + cached_above
        if cached_above or self.pipe.write_side.cached_rows:
            mark.unstored[self] = _Cached(self.pipe, rows)
        else:
            mark.stored[self] = rows

    def stored(self, line: Line, live: set[Child]) -> int:
        """Return the rows that count. Of an output of a live child none do: all that it makes again is dropped."""
        if self.writer is None:
            return self._start
        return 0 if self.writer in live else line[self.writer].stored.get(self, self._start)


class _Cached(Unstored):
    """Rows of an output that were in a cache at a mark: its own, or that of a pipe that it gets copies of."""

    def __init__(self, pipe: LogOutput, rows: int) -> None:
        self._writer = pipe.log_sink.writer
        self._rows = rows
        self._refused = self._writer.head.refused

    def stored(self) -> int | None:
        refused = self._writer.head.refused - self._refused  # these left the cache, and are not stored
        rows = self._rows - refused
        return rows if self._writer.logical_rows >= rows else None


class Link(Joint):
    """A local pipe."""

    def __init__(self, pipe: LocalPipe) -> None:
        super().__init__()
        self.pipe = pipe
        self.side = pipe.read_side

    def go_on(self, position: InnerPosition) -> None:
        """Skip what was consumed in an earlier life of the process; before anything is read or written."""
        self.pipe.go_on(position)
        self.start = position

    def position(self) -> InputPosition:
        """Return what is consumed now."""
        return InputPosition(self.side.row, self.side.breaks)

    def count(self, mark: Mark, cached_above: int) -> None:
        """Note in a mark of its writer how many rows and breaks are written."""
        emitted = self.pipe.emitted()
        is_open = emitted.is_open or cached_above > 0
        mark.emitted[self] = InnerPosition(emitted.rows + cached_above, emitted.breaks, is_open)
