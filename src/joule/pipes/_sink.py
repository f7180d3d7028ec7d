"""Where the rows of an output go: the seam between writing rules and kinds of pipe.

`WriteSide` turns what authors write into rows, caches, and serves subscribers; a sink stores, sends or prints rows.
"""

from __future__ import annotations

import abc

from joule.core import Rows

__all__ = ["RowSink"]


class RowSink(abc.ABC):
    """Takes rows and breaks in order.

    Attributes:
        taken_rows: How many rows of the present write, from its first on, are dealt with: taken, or refused for their
            order. The write side sets it to 0 before a write and to all after it. A sink that takes some rows, or all,
            and may then still raise or be cancelled, says here how far it came: the others go back into the cache.
    """

    taken_rows: int = 0

    def check(self, rows: Rows) -> None:
        """Refuse rows that this kind cannot carry, before any row is taken; kinds that carry all do nothing.

        Raises:
            BadRowsError: Some row cannot be carried.
        """
        return

    @abc.abstractmethod
    async def write(self, rows: Rows) -> None:
        """Take rows, shape (n,), n > 0; when it returns, the kind's promise holds for them (stored, sent, printed).

        The sink may not keep a reference to `rows`.

        Raises:
            OutOfOrderError: Some rows are not newer than the last; the others were taken.
            PipeError: The sink can take no more rows.
        """

    @abc.abstractmethod
    def write_nowait(self, rows: Rows) -> None:
        """Take rows as `write()` does, at once: into memory of the kind's own where it would have to wait."""

    @abc.abstractmethod
    async def mark_break(self) -> None:
        """End the interval. A break with no rows since the last one is no break."""

    @abc.abstractmethod
    def mark_break_nowait(self) -> None:
        """End the interval, at once."""

    def close(self) -> None:
        """Begin to close: readers come to the end of the data once they have read what was written."""
        return

    async def wait_closed(self) -> None:
        """Wait until all that was written has left."""
        return
