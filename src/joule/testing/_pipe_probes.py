"""How the pipe conformance kit makes rows, reads until it has them, and looks at reads that wait.

Nothing here sleeps: whether a read waits is seen by letting the event loop go round a number of times, in which every
pending event of this process has been dealt with.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import numpy.typing as npt

from joule.core import Layout, Rows
from joule.errors import EmptyPipeError, PipeError
from joule.pipes import Pipe

__all__ = [
    "assert_rows",
    "assert_waits",
    "make_rows",
    "raises",
    "read_rows",
    "read_to_break",
    "read_to_end",
    "settle",
    "waiting_read",
    "woken",
]

PASSES = 25
"""Rounds of the event loop in which whatever is under way arrives; a pipe that polls needs thousands."""


def make_rows(layout: str, first_us: int, count: int) -> Rows:
    """Return `count` rows, timestamps `first_us` and on, each element a small number of its own."""
    parsed = Layout.parse(layout)
    rows = np.zeros(count, parsed.column_dtype)
    rows["timestamp"] = np.arange(first_us, first_us + count)
    rows["data"] = (rows["timestamp"][:, None] * 7 + np.arange(parsed.width)) % 101
    return rows


def assert_rows(actual: npt.NDArray[Any], expected: npt.NDArray[Any], what: str = "") -> None:
    """Check that two structured arrays hold the same rows, bit for bit, whatever shape one-element data has."""
    came, due = actual["timestamp"].tolist(), expected["timestamp"].tolist()
    assert came == due, f"{what} timestamps {_short(came)} came, expected were {_short(due)}"
    assert actual.tobytes() == expected.tobytes(), f"{what} values {actual['data']}, expected {expected['data']}"


def _short(values: list[int]) -> str:
    return str(values) if len(values) <= 20 else f"[{values[0]} .. {values[-1]}] ({len(values)})"


class raises:  # noqa: N801  # reads as the statement that it is
    """Check that the block raises `error` and that its message has all `texts`."""

    def __init__(self, error: type[Exception], *texts: str) -> None:
        self._error = error
        self._texts = texts

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, caught: BaseException | None, _: object) -> bool:
        assert caught is not None, f"{self._error.__name__} was not raised"
        if not isinstance(caught, self._error):
            return False
        for text in self._texts:
            assert text in str(caught), f"{text!r} is not in the message: {caught}"
        return True


async def read_rows(reader: Pipe, count: int) -> npt.NDArray[Any]:
    """Read until `count` rows are there or an interval ends; consume nothing. A kind may deliver in any pieces."""
    rows = await reader.read()
    while len(rows) < count and not reader.end_of_interval:
        rows = await reader.read()
    return rows


async def read_to_break(reader: Pipe) -> npt.NDArray[Any]:
    """Read until an interval ends; consume nothing."""
    rows = await reader.read()
    while not reader.end_of_interval:
        rows = await reader.read()
    return rows


async def read_to_end(reader: Pipe) -> list[list[int]]:
    """Read and consume everything; return the timestamps of each interval, the last one open or empty."""
    intervals: list[list[int]] = [[]]
    with contextlib.suppress(EmptyPipeError):
        while True:
            rows = await reader.read()
            reader.consume(len(rows))
            intervals[-1].extend(rows["timestamp"].tolist())
            if reader.end_of_interval:
                intervals.append([])
    return intervals


async def settle(passes: int = PASSES) -> None:
    """Let everything that is under way arrive."""
    for _ in range(passes):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def waiting_read(reader: Pipe) -> AsyncIterator[asyncio.Task[npt.NDArray[Any]]]:
    """Start a read that has nothing to return yet; end it afterwards if it still waits."""
    task = asyncio.create_task(reader.read())
    try:
        await settle()
        assert not task.done(), f"a read returned, although nothing was new: {task}"
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, PipeError):
            await task


async def assert_waits(reader: Pipe) -> None:
    """Check that a read has nothing to return, and cancel it."""
    async with waiting_read(reader):
        pass


async def woken(task: asyncio.Task[Any], passes: int = PASSES) -> Any:
    """Return the result of a task that must end now: within some rounds of the event loop, without any timer."""
    for _ in range(passes):
        if task.done():
            return task.result()
        await asyncio.sleep(0)
    raise AssertionError(f"a waiting read was not woken within {passes} rounds of the event loop")
