"""Waking coroutines that wait for something to change, in whichever event loop they run.

asyncio's own primitives belong to one loop; a local pipe may be filled before any loop runs, used inside one and read
after it has closed, as the unit tests of the seed page do.
"""

from __future__ import annotations

import asyncio

__all__ = ["ChangeSignal"]


class ChangeSignal:
    """Wakes every waiter at each `notify()`; a waiter re-checks its condition itself."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def notify(self) -> None:
        """Wake all who wait now. Call it in the waiters' loop, or where no loop runs."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done() and not waiter.get_loop().is_closed():
                waiter.set_result(None)

    async def wait(self) -> None:
        """Wait for the next `notify()`; nothing else ends it but cancellation."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if not waiter.done() or waiter.cancelled():
                self._waiters = [other for other in self._waiters if other is not waiter]
