"""What the pipe conformance kit asks of a kind of pipe, and how its tests run.

The kit needs no test framework: each test is a plain method without arguments, which runs its coroutine in an event
loop of its own, within a deadline. So it works under pytest, with or without plugins, and mixed into a
`unittest.TestCase`.
"""

from __future__ import annotations

import abc
import asyncio
import functools
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, TypeVar

from joule.pipes import Pipe

__all__ = ["PipeKind", "behaviour"]

DEADLINE_S = 5.0
"""A test that has not ended by then has found a read or write that nothing wakes."""


class PipeKind(abc.ABC):
    """A kind of pipe under test: how to make a connected pair, and what this kind promises beyond the contract.

    Attributes:
        is_one_object: Writer and reader are the same object, which can still be read when it was closed.
        ends_with_writer: When the writer closes, the reader comes to the end of the data.
        carries_zero_rows: A row whose timestamp and values are all zero is carried; otherwise it is refused.
        carries_nan_payloads: Every NaN keeps its bits; otherwise it is read as the usual NaN.
        checks_layout: Rows must be of the layout that the pipe was made with; otherwise each write says by its own
            array what its rows are, as on standard output.
        checks_order: Timestamps must increase; otherwise they may repeat and go back.
        holds_any_amount: A write of any size returns although nobody reads.
        reads_nowait: `read_nowait()` sees what was written.
        column: One-element rows are read with `data` of shape (n, 1), otherwise (n,).
    """

    is_one_object: ClassVar[bool] = False
    ends_with_writer: ClassVar[bool] = True
    carries_zero_rows: ClassVar[bool] = True
    carries_nan_payloads: ClassVar[bool] = True
    checks_layout: ClassVar[bool] = True
    checks_order: ClassVar[bool] = False
    holds_any_amount: ClassVar[bool] = True
    reads_nowait: ClassVar[bool] = True
    column: ClassVar[bool] = True

    @abc.abstractmethod
    def open_pair(self, layout: str) -> AbstractAsyncContextManager[tuple[Pipe, Pipe]]:
        """Make a connected pair and close what is left of it afterwards; runs in the test's event loop.

        Args:
            layout: Of the rows, such as `float32_2`.

        Returns:
            An async context manager that gives the pipe to write to and the pipe to read from.
        """


Kind = TypeVar("Kind", bound=PipeKind)


def behaviour(test: Callable[[Kind], Awaitable[None]]) -> Callable[[Kind], None]:
    """Make a coroutine method a plain test method with an event loop and a deadline of its own."""

    @functools.wraps(test)
    def run(self: Kind) -> None:
        async def within_deadline() -> None:
            async with asyncio.timeout(DEADLINE_S):
                await test(self)

        asyncio.run(within_deadline())

    # pytest plugins look behind wrappers, and would run the coroutine themselves.
    del run.__wrapped__
    return run
