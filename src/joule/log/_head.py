"""What is committed in a log: one small record, published by the writer, read by everyone else.

The writer overwrites it with one system call after the rows are in place, so a reader that looks no further than it
says never sees part of a row. A reader that catches the record half written sees a wrong checksum and looks again.
It lies within one block of a disk, so a call that overwrites it does so whole or not at all, whatever else fails.

    0   magic, format version, flags          16  end, breaks, last_us, segment, stored, refused, repeated, ahead
    80  reserved, lost, boot and device; then 4 zeros
    124 checksum of all that

Earlier versions have zeros from byte 80 on, and so they name no boot.
"""

from __future__ import annotations

import dataclasses
import struct
import time
import zlib
from pathlib import Path

from joule.errors import DamagedLogError, ForeignFileError
from joule.log._files import BOOT_BYTES, DISK, Files, open_part

__all__ = ["HEAD_NAME", "NO_BOOT", "NO_TIMESTAMP", "Head", "HeadFile", "read_head", "unpack_head"]

HEAD_NAME = "head"
NO_TIMESTAMP = -(2**63)
"""`last_us` of a log without rows: below every timestamp that can be stored."""
NO_BOOT = bytes(BOOT_BYTES)
"""`boot` in heads of earlier versions."""

_MAGIC = b"JOULEHED"
_VERSION = 1
_PREFIX = struct.pack("<8sI", _MAGIC, _VERSION)
_RECORD = struct.Struct("<12sIQQqQQQQQQQ24s4x")
_CHECK = struct.Struct("<I")
_SIZE = _RECORD.size + _CHECK.size
_FLAG_CLOSED = 1
_FLAG_WAITING = 2
_FLAG_SEALED = 4
_FLAG_TRANSIENT = 8
_ATTEMPTS = 10
_PATIENCE_S = 0.1  # a writer that lost its processor in the middle of a call gets it back within milliseconds


@dataclasses.dataclass(slots=True)
class Head:
    """The state of a log at one moment.

    Attributes:
        end: Index behind the last committed row.
        breaks: How many breaks there are, over the life of the stream.
        last_us: Timestamp of the last row; NO_TIMESTAMP without one.
        segment: First row index of the newest segment.
        stored: How many rows were ever stored. (Indexes may have holes, so this is not `end`.)
        refused: How many rows `write()` has refused for their timestamps.
        repeated: How many rows were dropped because a restarted module wrote them again.
        ahead: How many of the refused rows were too far ahead of the node's clock. (Zero in heads of earlier versions.)
        reserved: No row index from here on was ever used; this was synced before.
        lost: How many stored rows power cuts have cost, as far as that is known.
        boot: Under which boot and on which device the writer wrote it, see `Files.boot`.
        is_closed: The writer has closed; there is none now.
        is_waiting: The writer waits for room on a full disk; it is not stuck.
        is_sealed: All that it counts was synced before this was written. The next writer says otherwise, durably,
            before it writes.
        is_transient: The stream keeps nothing: its rows are never synced.
    """

    end: int = 0
    breaks: int = 0
    last_us: int = NO_TIMESTAMP
    segment: int = 0
    stored: int = 0
    refused: int = 0
    repeated: int = 0
    ahead: int = 0
    reserved: int = 0
    lost: int = 0
    boot: bytes = NO_BOOT
    is_closed: bool = True
    is_waiting: bool = False
    is_sealed: bool = False
    is_transient: bool = False

    def pack(self) -> bytes:
        """Return the record as it lies in the file."""
        record = _RECORD.pack(
            _PREFIX,
            (_FLAG_CLOSED if self.is_closed else 0)
            | (_FLAG_WAITING if self.is_waiting else 0)
            | (_FLAG_SEALED if self.is_sealed else 0)
            | (_FLAG_TRANSIENT if self.is_transient else 0),
            self.end,
            self.breaks,
            self.last_us,
            self.segment,
            self.stored,
            self.refused,
            self.repeated,
            self.ahead,
            self.reserved,
            self.lost,
            self.boot,
        )
        return record + _CHECK.pack(zlib.crc32(record))


def unpack_head(data: bytes) -> Head | None:
    """Return the head that a record holds; None where it is not whole, or of another version."""
    record = data[: _RECORD.size]
    if len(data) != _SIZE or _CHECK.pack(zlib.crc32(record)) != data[_RECORD.size :] or not data.startswith(_PREFIX):
        return None
    _, flags, *values = _RECORD.unpack(record)
    head = Head(*values)
    head.is_closed = bool(flags & _FLAG_CLOSED)
    head.is_waiting = bool(flags & _FLAG_WAITING)
    head.is_sealed = bool(flags & _FLAG_SEALED)
    head.is_transient = bool(flags & _FLAG_TRANSIENT)
    return head


class HeadFile:
    """The head of one log, open for reading or, by its writer, for both."""

    def __init__(self, directory: Path, *, write: bool = False, files: Files = DISK) -> None:
        self.path = directory / HEAD_NAME
        self._files = files
        self._fd = open_part(self.path, files, write=write)

    def load(self) -> Head:
        """Return the state that the writer published last.

        Raises:
            ForeignFileError: It is of a newer version.
            DamagedLogError: The record is none.
        """
        head = unpack_head(self._files.read(self._fd, _SIZE, 0))
        return self._load_again() if head is None else head

    def _load_again(self) -> Head:
        """Look until the record is whole: a writer may be in the middle of the call that overwrites it."""
        for attempt in range(_ATTEMPTS):
            data = self._files.read(self._fd, _SIZE, 0)
            head = unpack_head(data)
            if head is not None:
                return head
            if data.startswith(_MAGIC) and not data.startswith(_PREFIX):
                version = int.from_bytes(data[len(_MAGIC) : len(_PREFIX)], "little")
                raise ForeignFileError(str(self.path), f"it has format version {version}, this Joule reads {_VERSION}")
            time.sleep(_PATIENCE_S * attempt / sum(range(_ATTEMPTS)))
        raise DamagedLogError(str(self.path), "its checksum does not match")

    def read(self) -> bytes:
        """Return the bytes of the record as they are now: what has not changed need not be loaded again."""
        return self._files.read(self._fd, _SIZE, 0)

    def publish(self, head: Head) -> None:
        """Make a state visible to all readers."""
        self._files.write(self._fd, head.pack(), _SIZE, 0)

    def sync(self) -> None:
        """Make what was published last survive a power cut."""
        self._files.sync(self._fd)

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._files.close(fd)


def read_head(directory: Path, files: Files = DISK) -> Head:
    """Return the state of a log that its writer published last: one small read, whatever the log holds.

    Raises:
        LogError: There is no log, or its head cannot be read.
    """
    head_file = HeadFile(directory, files=files)
    try:
        return head_file.load()
    finally:
        head_file.close()
