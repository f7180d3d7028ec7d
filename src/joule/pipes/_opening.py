"""Opening the far side of a pipe once, at its first use, whatever becomes of the read or write that began it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

__all__ = ["Opening"]

Opened = TypeVar("Opened")


@runtime_checkable
class Discardable(Protocol):
    """A factory that holds something, such as a descriptor, before it opens it."""

    def discard(self) -> None:
        """Let go of it; called at most once, when nothing was opened and nothing will be."""


class Opening(Generic[Opened]):
    """Calls a factory once; a use that is cancelled leaves what it began to the next one.

    Args:
        factory: Opens; called again by the next use where it raised.
    """

    def __init__(self, factory: Callable[[], Awaitable[Opened]]) -> None:
        self._factory = factory
        self._task: asyncio.Future[Opened] | None = None
        self._is_discarded = False

    async def result(self) -> Opened:
        """Return what was opened, opening it now if need be.

        Raises:
            ConnectionAbortedError: It was discarded, before or meanwhile.
        """
        if self._is_discarded:
            raise ConnectionAbortedError
        if self._task is None or _has_failed(self._task):
            self._task = asyncio.ensure_future(self._factory())
        task = self._task
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():  # by discard(); otherwise the use was cancelled, and the opening goes on
                raise ConnectionAbortedError from None
            raise

    def discard(self, close: Callable[[Opened], Any]) -> None:
        """Close what was opened, or never open it; whoever waits for it is told. Doing it twice is fine."""
        if self._is_discarded:
            return
        self._is_discarded = True
        if self._task is None:
            holder: object = self._factory
            if isinstance(holder, Discardable):
                holder.discard()
        elif not self._task.done():
            self._task.cancel()
        elif not _has_failed(self._task):
            close(self._task.result())


def _has_failed(task: asyncio.Future[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
