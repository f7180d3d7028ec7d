"""Where the rows of an input come from: the seam between reading rules and kinds of pipe.

A source numbers its rows and its interval breaks. `ReadSide` keeps the positions and all rules of reading; a source
only says what there is, copies rows out, and wakes whoever waits. A new kind of pipe is a new source of some 50 lines,
and inherits the conformance kit of `joule.testing`.
"""

from __future__ import annotations

import abc
import dataclasses

import numpy as np

from joule.core import Rows

__all__ = ["Horizon", "RowSource"]


@dataclasses.dataclass(frozen=True, slots=True)
class Horizon:
    """What a source has beyond a position.

    Attributes:
        end: Rows up to this index (exclusive) can be copied; never beyond the next interval break.
        is_break: There is a break at `end`.
        is_end: The writer has closed: there is no row and no break beyond `end`, and there never will be.
    """

    end: int
    is_break: bool
    is_end: bool


class RowSource(abc.ABC):
    """Rows in order, with breaks between some of them.

    Notes to implementers: indexes never go back and never repeat, but may leave holes; a source with holes overrides
    `count` and `advance`. Rows before the last `discard()` are never asked for again.
    """

    capacity_rows: int | None = None
    """A reader that holds this many unconsumed rows gets them again at once instead of waiting; None: no limit."""

    @property
    @abc.abstractmethod
    def dtype(self) -> np.dtype[np.void]:
        """Of the rows that `copy` returns."""

    @abc.abstractmethod
    def look(self, row: int, breaks: int) -> Horizon:
        """Return what there is from `row` on for a reader that has passed `breaks` breaks. Never waits.

        Raises:
            PipeError: The source has failed.
        """

    @abc.abstractmethod
    def copy(self, start: int, stop: int) -> Rows:
        """Return rows start to stop as a private, writable array that nothing else refers to."""

    @abc.abstractmethod
    async def wait(self, row: int, breaks: int) -> None:
        """Wait until `look(row, breaks)` may answer more than nothing; may return early, must not return late."""

    @abc.abstractmethod
    def discard(self, row: int, breaks: int) -> None:
        """Forget rows before `row` and the first `breaks` breaks."""

    def count(self, start: int, stop: int) -> int:
        """Return how many rows lie from `start` to `stop`."""
        return stop - start

    def advance(self, start: int, rows: int) -> int:
        """Return the index behind the next `rows` rows from `start`."""
        return start + rows

    def close(self) -> None:
        """Let go of what the source holds; whoever waits in `wait()` returns. Closing twice is fine."""
        return
