"""One log as the syncer has it: open, so that the kernel tells it of all that could not be brought to the disk."""

from __future__ import annotations

import dataclasses
import zlib
from pathlib import Path

from joule.log._breaks import BREAKS_NAME
from joule.log._files import DISK, Files, sync_directory
from joule.log._head import Head, HeadFile
from joule.log._identity import read_identity
from joule.log._record import LogPoint, Piece
from joule.log._segments import SegmentSet, segment_names, segment_path

__all__ = ["SyncedLog", "UnsyncedError", "has_moved"]

_BLOCK_BYTES = 2**20


class UnsyncedError(Exception):
    """The kernel could not bring something to the disk, and may have dropped it: trying again would prove nothing."""


def has_moved(head: Head, before: Head) -> bool:
    """Whether there is anything to be made durable between two states of a log. Counters alone are not worth it."""
    return (head.end, head.breaks, head.segment, head.stored, head.is_closed) != (
        *(before.end, before.breaks, before.segment, before.stored),
        before.is_closed,
    )


class SyncedLog:
    """Makes one log durable, again and again.

    Attributes:
        log_id: The log's.

    Raises:
        LogError: There is no log in the directory, or a file of it is not what it must be.
        OSError: A file cannot be opened.
    """

    def __init__(self, directory: Path, files: Files = DISK) -> None:
        self._directory = directory
        self._files = files
        identity = read_identity(directory, files)
        self.log_id = identity.log_id
        self._row_bytes = identity.layout.row_bytes
        self._segments = SegmentSet(directory, identity.layout, files)
        self._seen = b""
        self._head = Head()
        self._held: dict[Path, int] = {}
        self._head_file = HeadFile(directory, files=files)

    def look(self) -> Head:
        """Return what is committed now.

        Raises:
            LogError: It cannot be read.
        """
        data = self._head_file.read()
        if data != self._seen:
            self._head = self._head_file.load()
            self._head.is_waiting = False
            self._seen = data
        return self._head

    def sync(self, head: Head, before: LogPoint | None) -> LogPoint:
        """Make all that `head` counts durable.

        Args:
            head: What `look` has returned.
            before: What was durable before; None of a log that never was.

        Returns:
            What is durable now.

        Raises:
            UnsyncedError: Something could not be synced; the log must not be taken for durable any more.
            LogError, OSError: It could not be looked at; nothing was decided, and the next round may try again.
        """
        pieces = self._measure(before.head.end, head) if before else ()
        known = set(self._held)
        for path in self._unsynced_files(head, before):
            self._sync(path)
        if before is None or self._held.keys() - known:  # files that were made since, perhaps
            self._sync_names()
            self._let_go_of_old(head.segment)
        return LogPoint(name=self._directory.name, head=dataclasses.replace(head), pieces=pieces)

    def close(self) -> None:
        """Close all files; closing twice is fine."""
        while self._held:
            self._files.close(self._held.popitem()[1])
        self._segments.close()
        self._head_file.close()

    def _unsynced_files(self, head: Head, before: LogPoint | None) -> list[Path]:
        firsts = [head.segment]
        if before is None or head.segment != before.head.segment:
            begin = before.head.segment if before else 0
            names = segment_names(self._directory, self._files)
            firsts = [first for first in names if begin <= first <= head.segment]
        paths = [segment_path(self._directory, first) for first in firsts]
        if before is None or head.breaks != before.head.breaks:
            paths.append(self._directory / BREAKS_NAME)
        if head.is_closed:  # so that an orderly end is seen as one after a power cut
            paths.append(self._head_file.path)
        return paths

    def _sync(self, path: Path) -> None:
        fd = self._held.get(path)
        if fd is None:
            try:
                fd = self._held[path] = self._files.open(path)
            except FileNotFoundError:  # trimmed meanwhile; or a log that never had a writer has no segment
                return
        try:
            self._files.sync(fd)
        except OSError as error:
            raise UnsyncedError(f"{path}: {error.strerror}") from error

    def _sync_names(self) -> None:
        try:
            sync_directory(self._directory, self._files)
        except OSError as error:
            raise UnsyncedError(f"{self._directory}: {error.strerror}") from error

    def _let_go_of_old(self, segment: int) -> None:
        keep = {segment_path(self._directory, segment), self._directory / BREAKS_NAME, self._head_file.path}
        for path in self._held.keys() - keep:
            self._files.close(self._held.pop(path))
        self._segments.close()  # else those that are trimmed later would keep their room on the disk

    def _measure(self, start: int, head: Head) -> tuple[Piece, ...]:
        """Return the checksums of rows, which are read back from the page cache; so they cost no writer anything."""
        if head.end <= start or head.is_transient:
            return ()
        if self._segments.newest != head.segment:
            self._segments.refresh()
        parts = list(self._segments.parts(start, head.end))
        return tuple(Piece(begin, end, self._checksum(begin, end)) for begin, end in parts)

    def _checksum(self, begin: int, end: int) -> int:
        return checksum(self._segments, begin, end, max(1, _BLOCK_BYTES // self._row_bytes))


def checksum(segments: SegmentSet, begin: int, end: int, block: int) -> int:
    """Return the CRC-32 of rows of one segment, read `block` rows at a time."""
    value = 0
    for start in range(begin, end, block):
        value = zlib.crc32(segments.copy(start, min(end, start + block)), value)
    return value
