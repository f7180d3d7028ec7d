"""Ending what prints for ever when nobody reads it any more.

`joule data read --live /slow | head -1` must end with `head`, not with the next row, which may come tomorrow. A write
notices that the reader has gone; between writes the event loop does: the closing of a pipe's reading end makes its
writing end ready.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import sys
from collections.abc import Awaitable

__all__ = ["while_read"]


async def while_read(work: Awaitable[None]) -> None:
    """Await `work`, and cancel it when stdout is a pipe whose reader has gone."""
    descriptor = _stdout_pipe()
    if descriptor is None:
        await work
        return
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)

    def reader_has_gone() -> None:
        loop.remove_reader(descriptor)
        task.cancel()

    loop.add_reader(descriptor, reader_has_gone)
    try:
        await asyncio.wait([task])
    finally:
        loop.remove_reader(descriptor)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _stdout_pipe() -> int | None:
    """Return the descriptor of stdout where it is a pipe; only those tell that their reader has gone."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # stdout of a test, or closed
        return None
    return descriptor if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else None
