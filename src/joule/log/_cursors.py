"""How far a module has come: one small file a module, with the positions of all its inputs and outputs together.

A commit overwrites the older one of two slots, so there is always a whole record; the newer one counts. The positions
of one record belong together: they were true at one moment of the module's life.
"""

from __future__ import annotations

import dataclasses
import json
import struct
import time
import urllib.parse
import zlib
from collections.abc import Sequence
from pathlib import Path

from joule.errors import DamagedLogError, ForeignFileError
from joule.log._files import DISK, Files, replace_whole

__all__ = [
    "CURSOR_SUFFIX",
    "CursorFile",
    "InnerPosition",
    "InputPosition",
    "ModuleLogs",
    "cursor_path",
    "cursors_directory",
    "read_module_logs",
    "write_cursors",
]

CURSOR_SUFFIX = ".cursor"

_MAGIC = b"JOULECUR"
_VERSION = 1
_PREAMBLE = struct.Struct("<8sIIII")  # magic, version, bytes of the description, its checksum, offset of the slots
_SLOT = struct.Struct("<QII")  # sequence, number of values, checksum of sequence and values
_ALIGN = 512
_ATTEMPTS = 10


@dataclasses.dataclass(frozen=True, slots=True)
class InputPosition:
    """Where a module goes on reading: the first row that it has not consumed, and how many breaks it has passed."""

    row: int
    breaks: int


@dataclasses.dataclass(frozen=True, slots=True)
class InnerPosition:
    """What a composite has to skip in a pipe between two of its children, when it goes on at a record.

    Attributes:
        rows: How many of the rows that the pipe's writer makes again were consumed already.
        breaks: The same for breaks.
        is_open: The writer had written rows since its last break, so a break that it makes at once is one.
    """

    rows: int = 0
    breaks: int = 0
    is_open: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class ModuleLogs:
    """Which logs the positions of a module are positions in.

    Attributes:
        module: The module's name.
        inputs: Log ids by pipe name.
        outputs: The same for outputs.
        begin: The values of the first record; none in files of earlier versions. A power cut goes back to them where
            it comes before anything else is durable.
        inner: Layouts of the pipes between the children of a composite, in the order in which it makes them.
    """

    module: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    begin: Sequence[int] = ()
    inner: Sequence[str] = ()

    @property
    def values(self) -> int:
        """How many numbers a record has: two for an input, one for an output, three for an inner pipe."""
        return 2 * len(self.inputs) + len(self.outputs) + 3 * len(self.inner)

    @property
    def slot_bytes(self) -> int:
        """The room for a record."""
        return _aligned(_SLOT.size + 8 * self.values)


def _aligned(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN


def cursors_directory(data_directory: Path) -> Path:
    """Return the directory of a node's cursor files."""
    return data_directory / "cursors"


def cursor_path(data_directory: Path, module: str) -> Path:
    """Return the path of a module's cursor file; any name is fine."""
    return cursors_directory(data_directory) / (urllib.parse.quote(module, safe=" ") + CURSOR_SUFFIX)


class CursorFile:
    """The positions of one module.

    Attributes:
        logs: What the positions are positions in.
        inputs: By pipe name.
        outputs: Rows written to each output over the life of its stream, by pipe name.
        inner: What to skip in each pipe between the children of a composite, in the order of `logs.inner`.

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
            self.logs, self._slots = _load_description(path, self._fd, files)
            self._load_positions()
        except BaseException:
            self.close()
            raise

    @property
    def values(self) -> list[int]:
        """The numbers of the record that counts."""
        return _values(list(self.inputs.values()), list(self.outputs.values()), self.inner)

    @property
    def has_inner_rows(self) -> bool:
        """Whether going on here takes skipping in inner pipes; who cannot skip writes rows again from long before."""
        return any(position != InnerPosition() for position in self.inner)

    def commit(
        self, inputs: Sequence[InputPosition], outputs: Sequence[int], inner: Sequence[InnerPosition] = ()
    ) -> None:
        """Make positions count, all together; in the order of `inputs`, `outputs` and `inner`.

        Without `inner` there is nothing to skip.

        Raises:
            OSError: They could not be written; those of the commit before still count.
        """
        values = _values(inputs, outputs, inner or [InnerPosition()] * len(self.logs.inner))
        sequence = self._sequence + 1
        record = _pack_record(sequence, values)
        self._files.write(self._fd, record, len(record), self._slot_offset(sequence % 2))
        self._sequence = sequence  # not before it is written: the other slot must stay whole until then

    def describe_inner(self, layouts: Sequence[str]) -> None:
        """Make room for the inner pipes of a composite, in place of those known so far; there is nothing to skip yet.

        Where there was, the composite writes again what its outputs hold, from rows before its positions on: then each
        output's count goes to 0, so that all of that is dropped.

        Raises:
            OSError: It could not be written; all is as before.
            DamagedLogError: Neither of its records is whole.
        """
        self._load_positions()
        logs = dataclasses.replace(self.logs, inner=list(layouts))
        outputs = [0 if self.has_inner_rows else rows for rows in self.outputs.values()]
        values = _values(list(self.inputs.values()), outputs, [InnerPosition()] * len(layouts))
        write_cursors(self.path, logs, values, self._files)
        fd = self._files.open(self.path, write=True)
        self._files.close(self._fd)
        self._fd = fd
        self.logs, self._slots = _load_description(self.path, fd, self._files)
        self._load_positions()

    def reload(self) -> None:
        """Look again where the module is now.

        Raises:
            DamagedLogError: Neither of its records is whole.
        """
        self._load_positions()

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._files.close(fd)

    def _slot_offset(self, slot: int) -> int:
        return self._slots + slot * self.logs.slot_bytes

    def _load_positions(self) -> None:
        for attempt in range(_ATTEMPTS):  # a module that commits at full speed may be in the middle of either
            records = [record for slot in (0, 1) if (record := self._load_slot(slot)) is not None]
            if records:
                break
            time.sleep(attempt * 0.001)
        else:
            raise DamagedLogError(str(self.path), "neither of its two records is whole")
        self._sequence, values = max(records)
        numbers = iter(values)
        self.inputs = {name: InputPosition(next(numbers), next(numbers)) for name in self.logs.inputs}
        self.outputs = {name: next(numbers) for name in self.logs.outputs}
        self.inner = [InnerPosition(next(numbers), next(numbers), bool(next(numbers))) for _ in self.logs.inner]

    def _load_slot(self, slot: int) -> tuple[int, tuple[int, ...]] | None:
        count = self.logs.values
        data = self._files.read(self._fd, _SLOT.size + 8 * count, self._slot_offset(slot))
        if len(data) < _SLOT.size + 8 * count:
            return None
        sequence, stored, checksum = _SLOT.unpack_from(data)
        body = data[:8] + data[_SLOT.size :]
        if stored != count or zlib.crc32(body) != checksum:
            return None
        return sequence, struct.unpack(f"<{count}Q", data[_SLOT.size :])


def _values(inputs: Sequence[InputPosition], outputs: Sequence[int], inner: Sequence[InnerPosition]) -> list[int]:
    values = [value for position in inputs for value in (position.row, position.breaks)]
    values += outputs
    values += [value for at in inner for value in (at.rows, at.breaks, int(at.is_open))]
    return values


def _load_description(path: Path, fd: int, files: Files) -> tuple[ModuleLogs, int]:
    """Return what a cursor file's positions are positions in, and the offset of its records."""
    preamble = files.read(fd, _PREAMBLE.size, 0)
    if len(preamble) < _PREAMBLE.size or not preamble.startswith(_MAGIC):
        raise ForeignFileError(str(path), "it does not begin as a cursor file does")
    _, version, size, checksum, slots = _PREAMBLE.unpack(preamble)
    if version != _VERSION:
        raise ForeignFileError(str(path), f"it has format version {version}, this Joule reads {_VERSION}")
    text = files.read(fd, size, _PREAMBLE.size)
    if zlib.crc32(text) != checksum:
        raise DamagedLogError(str(path), "the checksum of its description does not match")
    return ModuleLogs(**json.loads(text)), slots


def read_module_logs(path: Path, files: Files = DISK) -> ModuleLogs:
    """Return what a cursor file's positions are positions in; its records need not be whole.

    Raises:
        ForeignFileError: The file is not a cursor file, or of a newer version.
        DamagedLogError: Its description is not whole.
    """
    fd = files.open(path)
    try:
        return _load_description(path, fd, files)[0]
    finally:
        files.close(fd)


def _pack_record(sequence: int, values: Sequence[int]) -> bytes:
    body = struct.pack(f"<Q{len(values)}Q", sequence, *values)
    return _SLOT.pack(sequence, len(values), zlib.crc32(body)) + body[8:]


def write_cursors(path: Path, logs: ModuleLogs, values: Sequence[int], files: Files) -> None:
    """Make a cursor file, in place of the one there; `values` are those of a record."""
    text = json.dumps(dataclasses.asdict(dataclasses.replace(logs, begin=list(values)))).encode()
    slots = _aligned(_PREAMBLE.size + len(text))
    size = logs.slot_bytes
    first = (_PREAMBLE.pack(_MAGIC, _VERSION, len(text), zlib.crc32(text), slots) + text).ljust(slots + size, b"\0")
    data = first + _pack_record(1, values).ljust(size, b"\0")  # in the second slot, as odd numbers are
    files.make_directory(path.parent)
    replace_whole(path, data, files)
