"""Whose turn it is to start: a few modules at a time, in the order in which they asked.

A Python program with NumPy takes a fifth of a second of a core before its first row. Two hundred that start at once
would all have to wait for the last of them, and so would the daemon that is to answer meanwhile.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from joule.daemon._process_table import process_info
from joule.log import lock_holder

__all__ = ["STARTS_AT_ONCE", "StartTurns", "Turn", "wait_for_start"]

STARTS_AT_ONCE = 2 * (os.cpu_count() or 1)
"""Twice the cores: one start reads files while another computes. With all at once, the list of modules took 2.6 s."""

_LONGEST_S = 3.0
_LOOK_S = 0.05  # a start takes some 0.3 s, and nothing tells us when it is over
_QUIET_LOOKS = 4  # so often without a clock tick of processor time: it waits for something, and is in nobody's way


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


async def wait_for_start(pid: int, lock: Path | None) -> None:
    """Wait until a process that was started leaves room for the next.

    That is when it has opened its pipes, has ended, computes no more, or has had some seconds.

    Args:
        pid: Of the process.
        lock: What a module locks when it opens its pipes; None for a program that has none, which is not waited for.
    """
    loop = asyncio.get_running_loop()
    limit_s = loop.time() + _LONGEST_S
    used_s, quiet_looks = -1.0, 0
    while lock is not None and lock_holder(lock) is None and quiet_looks < _QUIET_LOOKS and loop.time() < limit_s:
        info = process_info(pid)
        if info is None:
            return
        quiet_looks = quiet_looks + 1 if info.cpu_s == used_s else 0
        used_s = info.cpu_s
        await asyncio.sleep(_LOOK_S)
