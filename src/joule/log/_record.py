"""What of a node is durable: one record of all its logs and cursors together, whole or not at all.

Two files are written in turn, and each is synced before its record counts. So whatever a power cut does to one of them,
the other holds the record before. The positions of one record belong together: cursors were looked at first, then logs
from the sinks to the sources, so every row of an output that a record counts was made of rows that it counts too.

     0  magic, format version, checksum of what lies behind the next field
    16  once the record is synced: its sequence
    24  size of the body, sequence, body (JSON, deflated)

The second field is for those who look while the machine runs: they see the page cache, which is ahead of the disk.
After a power cut it means nothing, and a record that is whole counts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from joule.errors import DamagedLogError, ForeignFileError
from joule.log._cursors import CursorFile
from joule.log._files import DISK, Files, read_whole, sync_directory
from joule.log._head import NO_BOOT, Head, unpack_head

__all__ = ["CursorPoint", "LogPoint", "NodeRecord", "Piece", "RecordFiles", "load_records", "record_paths"]

_MAGIC = b"JOULEDUR"
_VERSION = 1
_START = struct.Struct("<8sII")
_FACTS = struct.Struct("<QQ")
_CONFIRMED = struct.Struct("<Q")
_BEHIND = _START.size + _CONFIRMED.size  # where what the checksum is of begins


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one segment that became durable with a record.

    Attributes:
        start: Index of the first one.
        stop: Index behind the last one.
        checksum: CRC-32 of their bytes.
    """

    start: int
    stop: int
    checksum: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LogPoint:
    """Up to where a log is durable.

    Attributes:
        name: Of the log's directory.
        head: What was committed when it was synced.
        pieces: The rows since the record before, to be checked after a power cut.
        fault: Why it is not made durable any more; empty while it is.
    """

    name: str
    head: Head
    pieces: tuple[Piece, ...] = ()
    fault: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CursorPoint:
    """The positions of one module.

    Attributes:
        inputs: Log id, row and passed breaks, by pipe name.
        outputs: Log id and rows written, by pipe name.
        inner: Layout of each inner pipe of a composite, and what is to be skipped in it: rows, breaks, whether its
            interval is open.
    """

    inputs: Mapping[str, tuple[str, int, int]]
    outputs: Mapping[str, tuple[str, int]]
    inner: tuple[tuple[str, int, int, bool], ...] = ()

    @classmethod
    def of(cls, cursors: CursorFile) -> Self:
        """Return the positions that a cursor file has."""
        logs = cursors.logs
        return cls(
            inputs={name: (logs.inputs[name], at.row, at.breaks) for name, at in cursors.inputs.items()},
            outputs={name: (logs.outputs[name], rows) for name, rows in cursors.outputs.items()},
            inner=tuple(
                (layout, at.rows, at.breaks, at.is_open) for layout, at in zip(logs.inner, cursors.inner, strict=True)
            ),
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """What is durable of a node.

    Attributes:
        sequence: Counts records.
        boot: Under which boot it was written, see `Files.boot`.
        taken_us: When the positions were looked at, us.
        logs: By log id.
        cursors: By the name of the cursor file.
        is_confirmed: Whether the record itself is known to be synced, in the boot that has written it.
    """

    sequence: int = 0
    boot: bytes = NO_BOOT
    taken_us: int = 0
    logs: Mapping[str, LogPoint] = dataclasses.field(default_factory=dict)
    cursors: Mapping[str, CursorPoint] = dataclasses.field(default_factory=dict)
    is_confirmed: bool = dataclasses.field(default=False, compare=False)

    def pack(self) -> bytes:
        """Return the record as it lies in its file, not confirmed."""
        logs = {
            log_id: [point.name, point.head.pack().hex(), [dataclasses.astuple(p) for p in point.pieces], point.fault]
            for log_id, point in self.logs.items()
        }
        cursors = {name: [point.inputs, point.outputs, point.inner] for name, point in self.cursors.items()}
        facts = {"boot": self.boot.hex(), "taken_us": self.taken_us, "logs": logs, "cursors": cursors}
        # Heads are zeros for the most part: a fifth of the bytes, and of the wear of a disk.
        body = zlib.compress(json.dumps(facts, separators=(",", ":")).encode(), 1)
        data = _FACTS.pack(len(body), self.sequence) + body
        return _START.pack(_MAGIC, _VERSION, zlib.crc32(data)) + _CONFIRMED.pack(0) + data

    @classmethod
    def unpack(cls, data: bytes) -> Self | None:
        """Return the record of a file's bytes, None where it is not whole."""
        if len(data) < _BEHIND + _FACTS.size:
            return None
        _, _, checksum = _START.unpack_from(data)
        (confirmed,) = _CONFIRMED.unpack_from(data, _START.size)
        size, sequence = _FACTS.unpack_from(data, _BEHIND)
        if zlib.crc32(data[_BEHIND : _BEHIND + _FACTS.size + size]) != checksum:
            return None
        facts = json.loads(zlib.decompress(data[_BEHIND + _FACTS.size :][:size]))
        return cls(
            sequence=sequence,
            boot=bytes.fromhex(facts["boot"]),
            taken_us=facts["taken_us"],
            logs={log_id: _log_point(*values) for log_id, values in facts["logs"].items()},
            cursors={name: _cursor_point(*values) for name, values in facts["cursors"].items()},
            is_confirmed=confirmed == sequence,
        )


def _log_point(name: str, head: str, pieces: list[list[int]], fault: str) -> LogPoint:
    found = unpack_head(bytes.fromhex(head))
    if found is None:
        raise ValueError(f"the head of log {name}")
    return LogPoint(name=name, head=found, pieces=tuple(Piece(*piece) for piece in pieces), fault=fault)


def _cursor_point(
    inputs: dict[str, list[Any]], outputs: dict[str, list[Any]], inner: list[list[Any]] | None = None
) -> CursorPoint:
    return CursorPoint(
        inputs={name: (str(log_id), int(row), int(breaks)) for name, (log_id, row, breaks) in inputs.items()},
        outputs={name: (str(log_id), int(rows)) for name, (log_id, rows) in outputs.items()},
        inner=tuple(
            (str(layout), int(rows), int(breaks), bool(is_open)) for layout, rows, breaks, is_open in inner or ()
        ),
    )


def record_paths(data_directory: Path) -> tuple[Path, Path]:
    """Return the two files that hold a node's records."""
    return data_directory / "durable.0", data_directory / "durable.1"


def load_records(data_directory: Path, files: Files = DISK) -> list[NodeRecord]:
    """Return the whole records of a node, the newest first: two, or one, or none of a node that had none yet.

    Raises:
        ForeignFileError: A file is none of ours, or of a newer version.
        DamagedLogError: There are files, and none of them holds a whole record.
        OSError: A file cannot be read.
    """
    found, records = [], []
    for path in record_paths(data_directory):
        data = read_whole(path, files)
        if data.strip(b"\0"):
            found.append(path)
            record = _parse(path, data)
            records += [record] if record is not None else []
    if len(found) == 2 and not records:
        raise DamagedLogError(str(found[0]), f"neither it nor {found[1].name} holds a whole record")
    return sorted(records, key=lambda record: -record.sequence)


def _parse(path: Path, data: bytes) -> NodeRecord | None:
    if len(data) >= _START.size and not data.startswith(_MAGIC):
        if any(data[:512]):
            raise ForeignFileError(str(path), "it does not begin as a record of what is durable does")
        return None  # of its first writing, only later blocks came to the disk
    version = int.from_bytes(data[8:12], "little")
    if data.startswith(_MAGIC) and version > _VERSION:
        raise ForeignFileError(str(path), f"it has format version {version}, this Joule reads {_VERSION}")
    try:
        return NodeRecord.unpack(data)
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise ForeignFileError(str(path), f"it is whole, but no record that this Joule knows ({error})") from error


class RecordFiles:
    """The two files, as their one writer has them; made when the first record is written."""

    def __init__(self, data_directory: Path, files: Files = DISK) -> None:
        self._directory = data_directory
        self._files = files
        self._paths = record_paths(data_directory)
        self._fds = [-1, -1]

    def write(self, record: NodeRecord) -> None:
        """Write a record in place of the one before the last; when this returns, it is durable.

        Raises:
            OSError: It could not be written or synced. The last one still counts, and the same may be tried again.
        """
        data, slot = record.pack(), record.sequence % 2
        is_first = self._fds[slot] < 0
        if is_first:
            self._fds[slot] = self._files.open(self._paths[slot], write=True, create=True)
        self._files.write(self._fds[slot], data, len(data), 0)
        self._files.sync(self._fds[slot])
        if is_first:
            sync_directory(self._directory, self._files)
        with contextlib.suppress(OSError):  # then those who look see the record before
            self._files.write(self._fds[slot], _CONFIRMED.pack(record.sequence), _CONFIRMED.size, _START.size)

    def close(self) -> None:
        """Close both; closing twice is fine."""
        for slot, fd in enumerate(self._fds):
            self._fds[slot] = -1
            if fd >= 0:
                self._files.close(fd)
