"""What is committed in a log: one small record, published by the writer, read by everyone else.

The writer overwrites it with one system call after the rows are in place, so a reader that looks no further than it
says never sees part of a row. A reader that catches the record half written sees a wrong checksum and looks again.
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from pathlib import Path

from joule.errors import DamagedLogError
from joule.log._files import DISK, Files

__all__ = ["HEAD_NAME", "Head", "HeadFile"]

HEAD_NAME = "head"
NO_TIMESTAMP = -(2**63)
"""`last_us` of a log without rows: below every timestamp that can be stored."""

_RECORD = struct.Struct("<QQqQQQQQ")
_CHECK = struct.Struct("<I")
_SIZE = _RECORD.size + _CHECK.size
_FLAG_CLOSED = 1
_ATTEMPTS = 1000


@dataclasses.dataclass(slots=True)
class Head:
    """The state of a log at one moment.

    Attributes:
        end: Index behind the last committed row.
        breaks: How many breaks there are, over the life of the stream.
        last_us: Timestamp of the last row; NO_TIMESTAMP without one.
        segment: First row index of the newest segment.
        stored: How many rows were ever stored. (Indexes may have holes, so this is not `end`.)
        refused: How many rows `write()` has refused because they were out of order.
        repeated: How many rows were dropped because a restarted module wrote them again.
        is_closed: The writer has closed; there is none now.
    """

    end: int = 0
    breaks: int = 0
    last_us: int = NO_TIMESTAMP
    segment: int = 0
    stored: int = 0
    refused: int = 0
    repeated: int = 0
    is_closed: bool = True

    def pack(self) -> bytes:
        """Return the record as it lies in the file."""
        record = _RECORD.pack(
            self.end,
            self.breaks,
            self.last_us,
            self.segment,
            self.stored,
            self.refused,
            self.repeated,
            _FLAG_CLOSED if self.is_closed else 0,
        )
        return record + _CHECK.pack(zlib.crc32(record))


def _unpack(data: bytes) -> Head | None:
    record = data[: _RECORD.size]
    if len(data) != _SIZE or _CHECK.pack(zlib.crc32(record)) != data[_RECORD.size :]:
        return None
    end, breaks, last_us, segment, stored, refused, repeated, flags = _RECORD.unpack(record)
    return Head(end, breaks, last_us, segment, stored, refused, repeated, bool(flags & _FLAG_CLOSED))


class HeadFile:
    """The head of one log, open for reading or, by its writer, for both."""

    def __init__(self, directory: Path, *, write: bool = False, files: Files = DISK) -> None:
        self._path = directory / HEAD_NAME
        self._files = files
        self._fd = files.open(self._path, write=write)

    def load(self) -> Head:
        """Return the state that the writer published last.

        Raises:
            DamagedLogError: The record is none.
        """
        for _ in range(_ATTEMPTS):  # a writer may be in the middle of the call that overwrites it
            head = _unpack(self._files.read(self._fd, _SIZE, 0))
            if head is not None:
                return head
        raise DamagedLogError(str(self._path), "its checksum does not match")

    def publish(self, head: Head) -> None:
        """Make a state visible to all readers."""
        self._files.write(self._fd, head.pack(), _SIZE, 0)

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._files.close(fd)
