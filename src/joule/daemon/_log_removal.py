"""Removes the logs that the catalog lists to be removed: the one owner of that, at start-up and after every change.

The list was committed before, so whatever happens in between, a deleted stream never comes back and no other directory
is touched. A log first loses its name, in one step, and is none from then on; its files follow in a thread, a few at a
time. What cannot be removed stays on the list, and is tried again at the next change or start.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from pathlib import Path

from joule.api import log_directory
from joule.catalog import Catalog, Removal

__all__ = ["LogRemover", "doomed_directory", "draft_directory"]

_FILES_AT_ONCE = 50  # 3 GB of rows: some 10 ms, so that stopping jouled does not wait for a large log

_log = logging.getLogger(__name__)


class LogRemover:
    """Removes logs of a node.

    Args:
        catalog: Open for writing.
        data_directory: The node's.

    Attributes:
        in_work: Ids of streams whose copies are being made: they are on the list until they are complete.
    """

    def __init__(self, catalog: Catalog, data_directory: Path) -> None:
        self.in_work: set[int] = set()
        self._catalog = catalog
        self._data_directory = data_directory
        self._wanted = asyncio.Event()
        self._wanted.set()

    def wake(self) -> None:
        """Look at the list again."""
        self._wanted.set()

    async def run(self) -> None:
        """Remove what is listed, now and whenever `wake` was called, without end."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            for removal in self._catalog.removals():
                if removal.stream_id not in self.in_work:
                    await self._remove(removal)

    async def _remove(self, removal: Removal) -> None:
        try:
            directory = log_directory(self._data_directory, removal.stream_id)
            await asyncio.to_thread(_take_name, directory)
            for rest in (doomed_directory(directory), draft_directory(directory)):
                while await asyncio.to_thread(_remove_some, rest):
                    pass
        except OSError as error:
            _log.error(
                "the log of deleted stream %s cannot be removed: %s: %s; it is tried again when jouled next starts",
                removal.path,
                error.filename,
                error.strerror,
            )
        else:
            self._catalog.finish_removal(removal.stream_id)
            _log.info("stream %s: its log is removed", removal.path)


def doomed_directory(directory: Path) -> Path:
    """Return where a log's files are when it is none any more: no stream's id is such a name."""
    return directory.with_name(f"{directory.name}.removed")


def draft_directory(directory: Path) -> Path:
    """Return where a log's files are while it is made, as a copy is: likewise."""
    return directory.with_name(f"{directory.name}.copy")


def _take_name(directory: Path) -> None:
    if directory.is_dir():
        directory.rename(doomed_directory(directory))


def _remove_some(directory: Path) -> bool:
    """Remove a few files of a directory, at last the directory; returns whether anything is left."""
    if not directory.is_dir():
        return False
    with os.scandir(directory) as entries:
        some = list(itertools.islice(entries, _FILES_AT_ONCE))
    for entry in some:
        os.unlink(entry.path)
    if some:
        return True
    directory.rmdir()
    return False
