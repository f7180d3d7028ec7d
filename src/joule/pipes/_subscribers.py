"""The pipes that get a copy of what is written to another one.

A subscriber's end is its own: one that was closed, or whose peer has gone, is dropped, and the writer goes on. What a
subscriber refuses while it is open (rows of another layout, rows out of order) is reported to the writer, after all
others have their copy.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

from joule.core import Rows
from joule.errors import JouleError

__all__ = ["Subscriber", "Subscribers"]

_log = logging.getLogger("joule.pipes")


class Subscriber(Protocol):
    """What a pipe needs of those that get its copies; every pipe that can be written has it."""

    name: str
    closed: bool

    async def write(self, data: Rows, /) -> None:
        """Write rows."""

    def write_nowait(self, data: Rows, /) -> None:
        """Write rows without waiting."""

    async def close_interval(self) -> None:
        """End the interval."""

    def close_interval_nowait(self) -> None:
        """End the interval without waiting."""

    def close(self) -> Awaitable[None]:
        """Begin to close; the awaitable ends when everything has left."""


class Subscribers:
    """Pipes in the order in which they subscribed.

    Attributes:
        name: Of the pipe that they subscribed to.
        pipes: Those that still get copies.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.pipes: list[Subscriber] = []

    def add(self, pipe: Subscriber) -> Callable[[], None]:
        """Serve `pipe` from now on; return what ends that, also when called twice."""
        self.pipes.append(pipe)
        return lambda: self._drop(pipe)

    async def write(self, rows: Rows) -> None:
        """Write `rows` to each.

        Raises:
            JouleError, OSError: The first that an open subscriber raised.
        """
        with self._failures() as failures:
            for pipe in list(self.pipes):
                with self._serving(pipe, failures):
                    await pipe.write(rows)

    def write_nowait(self, rows: Rows) -> None:
        """Write `rows` to each, without waiting."""
        with self._failures() as failures:
            for pipe in list(self.pipes):
                with self._serving(pipe, failures):
                    pipe.write_nowait(rows)

    async def mark_break(self) -> None:
        """End the interval of each."""
        with self._failures() as failures:
            for pipe in list(self.pipes):
                with self._serving(pipe, failures):
                    await pipe.close_interval()

    def mark_break_nowait(self) -> None:
        """End the interval of each, without waiting."""
        with self._failures() as failures:
            for pipe in list(self.pipes):
                with self._serving(pipe, failures):
                    pipe.close_interval_nowait()

    def close(self) -> None:
        """Begin to close each."""
        with self._failures() as failures:
            for pipe in self.pipes:
                try:
                    pipe.close()
                except (JouleError, OSError) as error:  # rows in its cache that it cannot write any more
                    failures.append(error)

    def _drop(self, pipe: Subscriber) -> None:
        self.pipes[:] = [other for other in self.pipes if other is not pipe]

    @contextlib.contextmanager
    def _failures(self) -> Iterator[list[Exception]]:
        """Gather what goes wrong with some, and raise the first of it when all were served."""
        failures: list[Exception] = []
        yield failures
        if failures:
            raise failures[0]

    @contextlib.contextmanager
    def _serving(self, pipe: Subscriber, failures: list[Exception]) -> Iterator[None]:
        try:
            yield
        except (JouleError, OSError) as error:
            if pipe.closed or isinstance(error, BrokenPipeError):
                self._drop(pipe)
                _log.info("pipe %r: its subscriber %r gets no more copies: %s", self.name, pipe.name, error)
            else:
                failures.append(error)
