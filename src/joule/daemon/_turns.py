"""Whose turn it is to start: a few modules at a time, in the order in which they asked.

A Python program with NumPy takes a fifth of a second of a core before its first row. Two hundred that start at once
would all have to wait for the last of them, and so would the daemon that is to answer meanwhile.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

__all__ = ["STARTS_AT_ONCE", "StartTurns", "Turn"]

STARTS_AT_ONCE = 2 * (os.cpu_count() or 1)
"""Twice the cores: one start reads files while another computes. More gain nothing (see docs/benchmarks.md)."""


class StartTurns:
    """Gives out turns.

    Args:
        limit: How many there are at a time.
    """

    def __init__(self, limit: int = STARTS_AT_ONCE) -> None:
        self._free = limit
        self._waiting: dict[str, asyncio.Future[Turn | None]] = {}

    def places(self) -> dict[str, int]:
        """Return how many start before each of those who wait, by name."""
        return {name: place for place, name in enumerate(self._waiting)}

    async def take(self, name: str) -> Turn | None:
        """Wait for a turn; None when `withdraw` was called meanwhile."""
        if self._free:  # then nobody waits
            self._free -= 1
            return Turn(self._pass_on)
        future: asyncio.Future[Turn | None] = asyncio.get_running_loop().create_future()
        self._waiting[name] = future
        try:
            return await future
        except asyncio.CancelledError:
            self._waiting.pop(name, None)
            if not future.cancelled() and (turn := future.result()) is not None:
                turn.give_back()
            raise

    def withdraw(self, name: str) -> None:
        """Let a name wait no longer."""
        future = self._waiting.pop(name, None)
        if future is not None and not future.done():
            future.set_result(None)

    def _pass_on(self) -> None:
        while self._waiting:
            future = self._waiting.pop(next(iter(self._waiting)))
            if not future.done():  # else its waiter was cancelled and has not noticed yet
                future.set_result(Turn(self._pass_on))
                return
        self._free += 1


class Turn:
    """The right to start now; whoever has it gives it back."""

    def __init__(self, pass_on: Callable[[], None]) -> None:
        self._pass_on = pass_on
        self._is_held = True

    def give_back(self) -> None:
        """Let the next one start; giving back twice is fine."""
        if self._is_held:
            self._is_held = False
            self._pass_on()
