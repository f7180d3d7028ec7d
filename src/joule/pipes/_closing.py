"""What is left to do of a pipe's closing once it has begun."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any

from joule.pipes._sink import RowSink
from joule.pipes._subscribers import Subscriber

__all__ = ["Closing"]


class Closing(Awaitable[None]):
    """Result of `Pipe.close()`: closing has begun; awaiting it completes it, ignoring it is legal and warns of nothing.

    Args:
        sink: What was written has to leave from.
        followers: The subscribers, which close with the pipe.
        callback: To be called in the end, once; may be a coroutine function.
    """

    __slots__ = ("_callback", "_followers", "_is_finished", "_sink")

    def __init__(
        self, sink: RowSink | None, followers: Sequence[Subscriber], callback: Callable[[], object] | None
    ) -> None:
        self._sink = sink
        self._followers = followers
        self._callback = callback
        self._is_finished = False

    def __await__(self) -> Generator[Any, None, None]:
        if not self._is_finished:
            self._is_finished = True
            yield from self._finish().__await__()

    async def _finish(self) -> None:
        # A stack, last in first out: each step is taken whatever the ones before it raise.
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(_call, self._callback)
            for pipe in reversed(self._followers):
                stack.push_async_callback(_complete, pipe)
            if self._sink is not None:
                stack.push_async_callback(self._sink.wait_closed)


async def _complete(pipe: Subscriber) -> None:
    await pipe.close()


async def _call(callback: Callable[[], object] | None) -> None:
    result = callback() if callback is not None else None
    if isinstance(result, Awaitable):
        await result
