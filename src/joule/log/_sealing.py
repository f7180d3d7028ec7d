"""Making a log durable as a whole, by itself: for copies, which must be durable before their originals may go."""

from __future__ import annotations

import contextlib
from pathlib import Path

from joule.log._files import DISK, Files, sync_directory
from joule.log._head import HeadFile

__all__ = ["seal_log"]


def seal_log(directory: Path, files: Files = DISK) -> None:
    """Sync all files of a log that nobody writes, and let its head say so: no record of its node is needed for it.

    Raises:
        LogError: There is no log.
        OSError: Something cannot be synced; the log is not durable.
    """
    for name in files.names(directory):
        fd = files.open(directory / name)
        try:
            files.sync(fd)
        finally:
            files.close(fd)
    sync_directory(directory, files)
    with contextlib.closing(HeadFile(directory, write=True, files=files)) as head_file:
        head = head_file.load()
        head.is_sealed = True
        head_file.publish(head)
        head_file.sync()
