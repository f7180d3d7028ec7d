"""One `jouled` for one node's directory.

A lock that the kernel lets go of when its process dies, however that happens: what a killed `jouled` left is no
obstacle.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from joule.errors import NodeBusyError
from joule.log import ProcessLock

__all__ = ["hold_node_lock"]


@contextlib.asynccontextmanager
async def hold_node_lock(path: Path, node_directory: Path) -> AsyncIterator[None]:
    """Hold the lock of a node as long as the context lasts.

    Args:
        path: The lock file; made when missing.
        node_directory: For the message.

    Raises:
        NodeBusyError: Another process holds it.
        OSError: The file cannot be opened for writing.
    """
    try:
        lock = ProcessLock(path, "jouled")
    except BlockingIOError as error:
        raise NodeBusyError(str(node_directory), _pid_in(path)) from error
    try:
        yield
    finally:
        lock.close()


def _pid_in(path: Path) -> int:
    """Return the pid that the lock's holder has noted; 0 when it could not (the disk was full)."""
    last_word = path.read_text(errors="replace").split()[-1:]
    return int(last_word[0]) if last_word and last_word[0].isdecimal() else 0
