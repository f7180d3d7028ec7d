"""How far a module has come: one small file a module, with the positions of all its inputs and outputs together.

A commit overwrites the older one of two slots, so there is always a whole record; the newer one counts. The positions
of one record belong together: they were true at one moment of the module's life.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import struct
import time
import urllib.parse
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from joule.errors import DamagedLogError, ForeignFileError
from joule.log._files import DISK, Files, sync_directory
from joule.log._head import HeadFile
from joule.log._identity import read_identity

__all__ = ["CursorFile", "InputPosition", "cursor_path", "ensure_cursors", "lowest_rows"]

_MAGIC = b"JOULECUR"
_VERSION = 1
_PREAMBLE = struct.Struct("<8sIIII")  # magic, version, bytes of the description, its checksum, offset of the slots
_SLOT = struct.Struct("<QII")  # sequence, number of values, checksum of sequence and values
_ALIGN = 512
_ATTEMPTS = 10
_SUFFIX = ".cursor"


@dataclasses.dataclass(frozen=True, slots=True)
class InputPosition:
    """Where a module goes on reading: the first row that it has not consumed, and how many breaks it has passed."""

    row: int
    breaks: int


def cursor_path(data_directory: Path, module: str) -> Path:
    """Return the path of a module's cursor file; any name is fine."""
    return data_directory / "cursors" / (urllib.parse.quote(module, safe=" ") + _SUFFIX)


class CursorFile:
    """The positions of one module.

    Attributes:
        inputs: By pipe name.
        outputs: Rows written to each output over the life of its stream, by pipe name.

    Raises:
        ForeignFileError: The file is not a cursor file, or of a newer version.
        DamagedLogError: Neither of its records is whole.
    """

    def __init__(self, path: Path, files: Files = DISK) -> None:
        self.path = path
        self._files = files
        self._sequence = 0
        self._fd = files.open(path, write=True)
        try:
            self._description, self._slots = self._load_description()
            self._load_positions()
        except BaseException:
            self.close()
            raise

    def logs(self, kind: str) -> dict[str, str]:
        """Return the log ids of the pipes, by name; `kind` is "inputs" or "outputs"."""
        return dict(self._description[kind])

    def commit(self, inputs: Sequence[InputPosition], outputs: Sequence[int]) -> None:
        """Make positions count, all together; in the order of `inputs` and `outputs`.

        Raises:
            OSError: They could not be written; those of the commit before still count.
        """
        values = [value for position in inputs for value in (position.row, position.breaks)]
        values.extend(outputs)
        sequence = self._sequence + 1
        record = _pack_record(sequence, values)
        self._files.write(self._fd, record, len(record), self._slot_offset(sequence % 2))
        self._sequence = sequence  # not before it is written: the other slot must stay whole until then

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._files.close(fd)

    def _slot_offset(self, slot: int) -> int:
        return self._slots + slot * _slot_bytes(self._description)

    def _load_description(self) -> tuple[dict[str, Any], int]:
        preamble = self._files.read(self._fd, _PREAMBLE.size, 0)
        if len(preamble) < _PREAMBLE.size or not preamble.startswith(_MAGIC):
            raise ForeignFileError(str(self.path), "it does not begin as a cursor file does")
        _, version, size, checksum, slots = _PREAMBLE.unpack(preamble)
        if version != _VERSION:
            raise ForeignFileError(str(self.path), f"it has format version {version}, this Joule reads {_VERSION}")
        text = self._files.read(self._fd, size, _PREAMBLE.size)
        if zlib.crc32(text) != checksum:
            raise DamagedLogError(str(self.path), "the checksum of its description does not match")
        description: dict[str, Any] = json.loads(text)
        return description, slots

    def _load_positions(self) -> None:
        for attempt in range(_ATTEMPTS):  # a module that commits at full speed may be in the middle of either
            records = [record for slot in (0, 1) if (record := self._load_slot(slot)) is not None]
            if records:
                break
            time.sleep(attempt * 0.001)
        else:
            raise DamagedLogError(str(self.path), "neither of its two records is whole")
        self._sequence, values = max(records)
        names = list(self._description["inputs"])
        pairs = zip(values[0::2], values[1::2], strict=False)
        self.inputs = {name: InputPosition(*pair) for name, pair in zip(names, pairs, strict=False)}
        self.outputs = dict(zip(self._description["outputs"], values[2 * len(names) :], strict=True))

    def _load_slot(self, slot: int) -> tuple[int, tuple[int, ...]] | None:
        count = _value_count(self._description)
        data = self._files.read(self._fd, _SLOT.size + 8 * count, self._slot_offset(slot))
        if len(data) < _SLOT.size + 8 * count:
            return None
        sequence, stored, checksum = _SLOT.unpack_from(data)
        body = data[:8] + data[_SLOT.size :]
        if stored != count or zlib.crc32(body) != checksum:
            return None
        return sequence, struct.unpack(f"<{count}Q", data[_SLOT.size :])


def _value_count(description: Mapping[str, Any]) -> int:
    return 2 * len(description["inputs"]) + len(description["outputs"])


def _pack_record(sequence: int, values: Sequence[int]) -> bytes:
    body = struct.pack(f"<Q{len(values)}Q", sequence, *values)
    return _SLOT.pack(sequence, len(values), zlib.crc32(body)) + body[8:]


def _slot_bytes(description: Mapping[str, Any]) -> int:
    return -(-(_SLOT.size + 8 * _value_count(description)) // _ALIGN) * _ALIGN


def ensure_cursors(
    path: Path, module: str, inputs: Mapping[str, Path], outputs: Mapping[str, Path], files: Files = DISK
) -> None:
    """Make sure that a module has positions for exactly these pipes; call it before any producer starts.

    An input that reads the same log under the same name as before keeps its position, and an output that writes the
    same log under any name. A new input begins at the end of its log, which for a new log is row 0; a new output has
    written what its log holds. Does nothing where nothing changed.

    Args:
        path: The module's cursor file, see `cursor_path`.
        module: Its name.
        inputs: The directory of each input's log, by pipe name.
        outputs: The same for outputs.
        files: The file system.

    Raises:
        LogError: A log does not exist or cannot be read.
        ForeignFileError, DamagedLogError: The cursor file there is none of ours; it was left alone.
    """
    description = {
        "module": module,
        "inputs": {name: read_identity(log, files).log_id for name, log in inputs.items()},
        "outputs": {name: read_identity(log, files).log_id for name, log in outputs.items()},
    }
    old_inputs: dict[str, InputPosition] = {}
    old_outputs: dict[str, int] = {}
    with contextlib.suppress(FileNotFoundError):
        old = CursorFile(path, files)
        old.close()
        if old.logs("inputs") == description["inputs"] and old.logs("outputs") == description["outputs"]:
            return
        old_inputs = _kept(old.inputs, old.logs("inputs"), description["inputs"])
        old_outputs = _renamed(old.outputs, old.logs("outputs"), description["outputs"])
    values: list[int] = []
    for name, log in inputs.items():
        head = _head(log, files)
        position = old_inputs.get(name, InputPosition(head[0], head[1]))
        values += [position.row, position.breaks]
    values += [old_outputs.get(name, _head(log, files)[2]) for name, log in outputs.items()]
    _write_cursors(path, description, values, files)


def _renamed(positions: Mapping[str, int], old: Mapping[str, str], new: object) -> dict[str, int]:
    """Positions of the same logs under whatever name: what the module will write again must be dropped all the same."""
    assert isinstance(new, dict)
    by_log = {old[name]: position for name, position in positions.items()}
    return {name: by_log[log_id] for name, log_id in new.items() if log_id in by_log}


def _kept(positions: Mapping[str, Any], old: Mapping[str, str], new: object) -> dict[str, Any]:
    assert isinstance(new, dict)
    return {name: position for name, position in positions.items() if old[name] == new.get(name)}


def _head(log: Path, files: Files) -> tuple[int, int, int]:
    head_file = HeadFile(log, files=files)
    try:
        head = head_file.load()
    finally:
        head_file.close()
    return head.end, head.breaks, head.stored


def _write_cursors(path: Path, description: Mapping[str, Any], values: Sequence[int], files: Files) -> None:
    text = json.dumps(description).encode()
    slots = -(-(_PREAMBLE.size + len(text)) // _ALIGN) * _ALIGN
    size = _slot_bytes(description)
    first = (_PREAMBLE.pack(_MAGIC, _VERSION, len(text), zlib.crc32(text), slots) + text).ljust(slots + size, b"\0")
    data = first + _pack_record(1, values).ljust(size, b"\0")  # in the second slot, as odd numbers are
    files.make_directory(path.parent)
    making = path.with_name(path.name + ".new")
    fd = files.open(making, write=True, create=True)
    try:
        files.truncate(fd, 0)
        files.write(fd, data, len(data), 0)
        files.sync(fd)
    finally:
        files.close(fd)
    files.rename(making, path)
    sync_directory(path.parent, files)


def lowest_rows(cursors_directory: Path, files: Files = DISK) -> dict[str, int]:
    """Return the lowest row index that some module still has to read, by log id; for trimming.

    Raises:
        ForeignFileError, DamagedLogError: A cursor file cannot be read; nothing should be trimmed then.
    """
    lowest: dict[str, int] = {}
    names: list[str] = []
    with contextlib.suppress(FileNotFoundError):
        names = files.names(cursors_directory)
    for name in sorted(names):
        if name.endswith(_SUFFIX):
            cursors = CursorFile(cursors_directory / name, files)
            cursors.close()
            for pipe, log_id in cursors.logs("inputs").items():
                row = cursors.inputs[pipe].row
                lowest[log_id] = min(row, lowest.get(log_id, row))
    return lowest
