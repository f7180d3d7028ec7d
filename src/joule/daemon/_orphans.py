"""Processes whose parents have gone come to `jouled`, and leave with it.

What a module starts and leaves behind becomes, in the end, a child of process 1, which in a container may never wait
for it: its zombies add up. So `jouled` declares itself the one who takes in the orphans among its descendants (Linux:
a child subreaper). It waits for those that have ended, except its own children, whose zombies somebody keeps on
purpose (see `_child`). Those that live are found by what they carry (see `_ending`) when their module ends; what is
left when the node ends, and carries nothing, is ended then.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from joule.daemon._process_table import process_info

__all__ = ["adopt_orphans", "children", "reap_for_ever"]

_PR_SET_CHILD_SUBREAPER = 36
_REAP_S = 5.0  # a zombie holds nothing but its number; a look costs 40 us
_LOOK_S = 0.03
_GRACE_S = 1.0
_GIVE_UP_S = 2.0

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def adopt_orphans(own: AbstractSet[int]) -> AsyncIterator[None]:
    """Take in the orphans among our descendants as long as the context lasts; none is left when it ends.

    Where the kernel does not know that, they go to process 1 as ever.

    Args:
        own: Our own children, at any time: not waited for here, and not ended.
    """
    if not _set_subreaper(1):
        yield
        return
    try:
        yield
    finally:
        await _end(own)
        _set_subreaper(0)


async def reap_for_ever(own: AbstractSet[int]) -> None:
    """Wait for orphans that have ended, again and again.

    Not by SIGCHLD: a module with thousands of processes that is ended would fill the pipe through which the event loop
    hears of signals, and SIGTERM could be missed.

    Args:
        own: See `adopt_orphans`.
    """
    while True:
        _reap(own)
        await asyncio.sleep(_REAP_S)


def children() -> set[int]:
    """Return the process ids of all our children, zombies among them."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that has just ended, or a kernel without such lists
            found.update(map(int, (thread / "children").read_text().split()))
    return found


def _set_subreaper(value: int) -> bool:
    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, value, 0, 0, 0) == 0)
    except (OSError, AttributeError):  # no Linux
        return False


def _reap(own: AbstractSet[int]) -> None:
    """Wait for the orphans that have ended."""
    for pid in children() - own:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


async def _end(own: AbstractSet[int]) -> None:
    """End the orphans that are left: strays of modules that have shaken off everything by which they are found."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    asked: set[int] = set()
    while (left := _living(own)) and loop.time() < began_s + _GRACE_S + _GIVE_UP_S:
        new = left - asked
        if new:
            _log.warning("%d processes that modules have left behind are ended", len(new))
            _send(signal.SIGTERM, new)
            asked |= new
        if loop.time() > began_s + _GRACE_S:
            _send(signal.SIGKILL, left)
        await asyncio.sleep(_LOOK_S)  # what they have started comes to us when they end
    if left:
        _log.error("%d processes that modules have left behind cannot be ended", len(left))


def _living(own: AbstractSet[int]) -> set[int]:
    _reap(own)
    return {pid for pid in children() - own if process_info(pid) is not None}


def _send(number: signal.Signals, pids: AbstractSet[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
