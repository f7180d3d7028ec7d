"""Who wrote which rows of a stream: one small file beside its rows, written before the first of them.

Each line says from which row index on something wrote, and what: a module with its command and the version of its code,
or a copy of another stream. It lies in the log's directory, so that it survives a lost catalog, and goes where the rows
go. Starts of the same thing are one entry however often they happen, and entries that wrote no row are forgotten, so a
module that ends all the time does not fill the disk.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from joule.log._files import DISK, Files, read_whole, replace_whole
from joule.log._head import Head
from joule.log._reader import LogReader

__all__ = ["Origin", "Stretch", "add_origin", "add_process", "inspect_provenance"]

PROVENANCE_NAME = "provenance.jsonl"
_LARGEST_BYTES = 32 * 1024  # beyond this the file is written anew when at least half of it collapses
_MOST_ENTRIES = 500  # changes of code in the life of a stream that are remembered; the oldest go first


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What wrote rows. Texts are empty where something is not known.

    Attributes:
        kind: `module` or `copy`.
        name: The module's name; of a copy, the path of the stream that was copied.
        command: The command line, as the configuration gives it: secrets stand in it as `${NAME}`.
        code: Version of the code: a commit of git, or a distribution with its version.
        script: The file of the code, if it is one.
        script_sha256: Of that file.
        joule: Version of the Joule that ran it.
        python: Version of the Python that ran it.
        host: Name of the machine.
        user: Name of the user.
    """

    kind: str
    name: str
    command: str = ""
    code: str = ""
    script: str = ""
    script_sha256: str = ""
    joule: str = ""
    python: str = ""
    host: str = ""
    user: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows of one origin.

    Attributes:
        origin: What wrote them; None for rows from before that was recorded.
        row: Index of the first one.
        end: Index behind the last one.
        rows: How many of them are still stored.
        first_us: Timestamp of the first that is stored; None where none is.
        last_us: Timestamp of the last.
        since_us: When it was first started, Unix us; None where that is not known.
        starts: How often it was started.
        pid: Of the process of its last start; None where that is not known.
    """

    origin: Origin | None
    row: int
    end: int
    rows: int
    first_us: int | None
    last_us: int | None
    since_us: int | None
    starts: int
    pid: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    row: int
    time_us: int
    starts: int
    origin: Origin
    pid: int | None = None

    def line(self) -> bytes:
        return json.dumps(dataclasses.asdict(self)).encode() + b"\n"


def add_origin(directory: Path, origin: Origin, now_us: int, files: Files = DISK) -> None:
    """Record that the rows of a log come from `origin` from here on; call it before the first of them is written.

    Args:
        directory: The log's.
        origin: What is about to write.
        now_us: The present.
        files: The file system.

    Raises:
        LogError: There is no log, or it cannot be read.
        OSError: It cannot be recorded.
    """
    with LogReader(directory, files) as log:
        row = log.head().end
    path = directory / PROVENANCE_NAME
    fd = files.open(path, write=True, create=True)
    try:
        size = files.size(fd)
        data = files.read(fd, size, 0)
        written = _parse(data)
        entries = _collapsed(written)
        entry = _Entry(row=row, time_us=now_us, starts=1, origin=origin)
        # What a power cut tore off ends without a line end: it is no entry, and must not spoil the next one.
        lead = b"" if not data or data.endswith(b"\n") else b"\n"
        line = lead + entry.line()
        files.write(fd, line, len(line), size)
        if not entries or entries[-1].origin != origin:
            files.sync(fd)  # else rows of the new would be taken for rows of the old; a restart changes nothing
    finally:
        files.close(fd)
    kept = _collapsed([*entries, entry])[-_MOST_ENTRIES:]
    if size > _LARGEST_BYTES and len(written) >= 2 * len(kept):  # not at each start, when there is much to keep
        replace_whole(path, b"".join(entry.line() for entry in kept), files)


def add_process(directory: Path, pid: int, files: Files = DISK) -> None:
    """Record which process the last origin has come to be, once it is started.

    Raises:
        OSError: It cannot be recorded.
    """
    fd = files.open(directory / PROVENANCE_NAME, write=True)
    try:
        line = json.dumps({"pid": pid}).encode() + b"\n"
        files.write(fd, line, len(line), files.size(fd))
    finally:
        files.close(fd)


def inspect_provenance(directory: Path, files: Files = DISK) -> list[Stretch]:
    """Return who wrote the rows of a log, oldest first; the last one may have written none yet.

    Raises:
        LogError: There is no log, or it cannot be read.
    """
    with LogReader(directory, files) as log:
        # The entries first: rows that come meanwhile belong to the last of them.
        entries = _collapsed(_parse(read_whole(directory / PROVENANCE_NAME, files)))
        head = log.head()
        found = [_stretch(log, entry, following, head) for entry, following in _pairs(entries)]
        unknown = entries[0].row if entries else head.end
        if unknown and (before := _measured(log, None, 0, unknown, head)).rows:
            found.insert(0, before)
        return found


def _pairs(entries: Sequence[_Entry]) -> Iterable[tuple[_Entry, _Entry | None]]:
    """Return each entry with the one behind it, the last one with None."""
    return zip(entries, [*entries, None][1:], strict=True)


def _stretch(log: LogReader, entry: _Entry, following: _Entry | None, head: Head) -> Stretch:
    return _measured(log, entry, entry.row, head.end if following is None else following.row, head)


def _measured(log: LogReader, entry: _Entry | None, row: int, end: int, head: Head) -> Stretch:
    end = min(end, head.end)
    begin = max(row, log.segments.firsts[0]) if log.segments.firsts else end
    rows = log.segments.count(begin, end) if begin < end else 0
    behind_last = log.segments.advance(begin, rows)  # not `end`: a hole may lie before it
    return Stretch(
        origin=entry.origin if entry else None,
        row=row,
        end=end,
        rows=rows,
        first_us=_timestamp(log, begin, log.segments.advance(begin, 1)) if rows else None,
        last_us=_timestamp(log, behind_last - 1, behind_last) if rows else None,
        since_us=entry.time_us if entry else None,
        starts=entry.starts if entry else 0,
        pid=entry.pid if entry else None,
    )


def _timestamp(log: LogReader, start: int, stop: int) -> int | None:
    rows = log.copy(start, stop)
    return int(rows["timestamp"][-1]) if len(rows) else None  # none: trimmed since we looked


def _parse(data: bytes) -> list[_Entry]:
    """Return the entries of a file; a line that is none, such as one that a crash cut off, costs no other."""
    known = {field.name for field in dataclasses.fields(Origin)}
    entries: list[_Entry] = []
    for line in data.splitlines():
        try:
            facts: dict[str, Any] = json.loads(line)
            pid = int(facts["pid"]) if facts.get("pid") else None
            if "pid" in facts and "origin" not in facts and entries:
                entries[-1] = dataclasses.replace(entries[-1], pid=pid)
                continue
            origin = Origin(**{name: str(value) for name, value in facts["origin"].items() if name in known})
            row, time_us, starts = int(facts["row"]), int(facts["time_us"]), int(facts["starts"])
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        entries.append(_Entry(row=row, time_us=time_us, starts=starts, origin=origin, pid=pid))
    return entries


def _collapsed(entries: Sequence[_Entry]) -> list[_Entry]:
    """Return entries with one for each stretch of rows, and one for what writes now."""
    kept: list[_Entry] = []
    for entry in entries:
        if kept and kept[-1].row == entry.row and kept[-1].origin != entry.origin:
            kept.pop()  # it wrote nothing
        if kept and kept[-1].origin == entry.origin:
            kept[-1] = dataclasses.replace(kept[-1], starts=kept[-1].starts + entry.starts, pid=entry.pid)
        else:
            kept.append(entry)
    return kept
