"""After a power cut: a node goes back to one whole record of what was durable, and on from there.

What was written and not synced may be there, or not, or in parts, in any order. So nothing behind the record is used:
logs are cut to its positions, and cursors are set to them. Since these belong together, a filter makes exactly those
rows of its output again that are gone. Row indexes that were used are not used again: a cut log goes on behind all
that its writer had reserved. A log whose rows came from outside goes on with a break, since some of them are lost.

Nothing happens where no page cache was lost: after the end of any process, and after an orderly stop.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from joule.errors import DamagedLogError, LogError
from joule.log._breaks import BreakFile
from joule.log._cursors import (
    CURSOR_SUFFIX,
    CursorFile,
    ModuleLogs,
    cursors_directory,
    read_module_logs,
    write_cursors,
)
from joule.log._files import DISK, Files, sync_directory
from joule.log._head import NO_BOOT, NO_TIMESTAMP, Head, HeadFile, read_head
from joule.log._identity import Identity, read_identity, streams_directory
from joule.log._record import LogPoint, NodeRecord, load_records
from joule.log._segments import HEADER_BYTES, SegmentSet, make_segment, segment_names, segment_path
from joule.log._synced_log import checksum, has_moved
from joule.log._syncer import Syncer
from joule.log._writer import RESERVED_ROWS

__all__ = ["Recovered", "Suspect", "is_whole", "recover_node", "suspect_log"]

_BLOCK_ROWS = 4096


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What became of a log.

    Attributes:
        stream: Path of its stream.
        directory: The log's.
        kept: How many rows of its life were durable.
        dropped: How many more were stored, as far as that is known.
        last_us: Timestamp of the last row that is kept, us; None without one.
        damage: What was durable and is not there; empty where the disk has kept its promise.
    """

    stream: str
    directory: Path
    kept: int
    dropped: int
    last_us: int | None
    damage: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A log that another boot has written, and what was durable of it.

    Attributes:
        directory: The log's.
        identity: What it is.
        head: What stands in its head now.
        point: What was durable; with an empty head where nothing was.
    """

    directory: Path
    identity: Identity
    head: Head
    point: LogPoint


def recover_node(data_directory: Path, files: Files = DISK) -> list[Recovered]:
    """Make a node whole, before any module starts; afterwards there is a record of this boot.

    It may be cut short at any moment, and then be called again.

    Args:
        data_directory: The node's, which nothing else uses.
        files: The file system.

    Returns:
        The logs that were cut.

    Raises:
        ForeignFileError, DamagedLogError: The records of what is durable cannot be read; nothing was changed.
        OSError: A file cannot be read or written.
    """
    for directory in (streams_directory(data_directory), cursors_directory(data_directory)):
        files.make_directory(directory)
    records = load_records(data_directory, files)
    boot = files.boot(data_directory)
    if records and records[0].boot == boot:
        return []
    for directory in (data_directory.parent, data_directory):
        sync_directory(directory, files)
    base, recovered = NodeRecord(), []
    if records:
        base, suspects = _choose(records, data_directory, boot, files)
        _restore_cursors(base, suspects, data_directory, files)
        remade = _remade(base, suspects)
        recovered = [_cut(s, end, boot, files, is_remade=s.identity.log_id in remade) for s, end in suspects]
    logs = {log_id: point for log_id, point in base.logs.items() if not point.fault}
    with Syncer(data_directory, files, record=dataclasses.replace(base, logs=logs)) as syncer:
        syncer.round()
    return recovered


# What was durable, and is it there?


def _choose(
    records: Sequence[NodeRecord], data_directory: Path, boot: bytes, files: Files
) -> tuple[NodeRecord, list[tuple[Suspect, int]]]:
    """Return the newest record of which everything is there, and the logs to be cut with their new ends.

    Where the disk has lost of both what it had called synced, the newest one counts, and such a log ends earlier.
    """
    found = []
    for record in records:
        suspects = list(_suspects(record, data_directory, boot, files))
        ends = [_sound_end(suspect, files) for suspect in suspects]
        cut = [(s, end) for s, end in zip(suspects, ends, strict=True) if end < s.point.head.end or not is_whole(s)]
        found.append((record, cut))
        if all(end == suspect.point.head.end for suspect, end in zip(suspects, ends, strict=True)):
            return found[-1]
    return found[0]


def _suspects(record: NodeRecord, data_directory: Path, boot: bytes, files: Files) -> Iterator[Suspect]:
    streams = streams_directory(data_directory)
    for name in sorted(name for name in files.names(streams) if name.isdecimal()):
        try:
            suspect = suspect_log(streams / name, record, boot, files)
        except (LogError, OSError):  # whoever uses it is told; nothing is made worse here
            continue
        if suspect is not None:
            yield suspect


def suspect_log(directory: Path, record: NodeRecord, boot: bytes, files: Files = DISK) -> Suspect | None:
    """Return what is known of a log of which the power may have cost a part; None of any other.

    Args:
        directory: The log's.
        record: What is durable of its node.
        boot: The present one.
        files: The file system.

    Raises:
        LogError, OSError: It cannot be looked at.
    """
    identity, head = read_identity(directory, files), read_head(directory, files)
    point = record.logs.get(identity.log_id)
    if head.boot in (boot, NO_BOOT) or head.is_sealed:
        return None
    if point is None and head.boot != record.boot:
        return None  # a whole log was put here from elsewhere, which no record of this node knows
    empty = LogPoint(name=directory.name, head=Head(is_transient=head.is_transient))
    return Suspect(directory=directory, identity=identity, head=head, point=point or empty)


def is_whole(suspect: Suspect) -> bool:
    """Whether nothing was written behind the record: then the log is just as it was."""
    head, point = suspect.head, suspect.point
    if head.is_transient or point.fault:  # it was not synced
        return False
    return head.is_closed and not has_moved(head, point.head)


def _sound_end(suspect: Suspect, files: Files) -> int:
    """Return up to which row what was durable is there. What is missing as a whole file was trimmed."""
    head = suspect.point.head
    if head.is_transient:
        return head.end
    with contextlib.closing(SegmentSet(suspect.directory, suspect.identity.layout, files)) as segments:
        segments.refresh()
        for piece in suspect.point.pieces:
            count = segments.count(piece.start, piece.stop) if segments.firsts else 0
            if not count:
                continue
            try:
                is_sound = count == piece.stop - piece.start and piece.checksum == checksum(
                    segments, piece.start, piece.stop, _BLOCK_ROWS
                )
            except DamagedLogError:  # shorter than it was
                is_sound = False
            if not is_sound:
                return min(piece.start, _present_end(suspect, files))
    return _present_end(suspect, files)


def _present_end(suspect: Suspect, files: Files) -> int:
    """Return up to which row the newest segment of the record reaches; at most its end."""
    head = suspect.point.head
    path = segment_path(suspect.directory, head.segment)
    try:
        fd = files.open(path)
    except FileNotFoundError:
        return head.end
    try:
        rows = max(0, files.size(fd) - HEADER_BYTES) // suspect.identity.layout.row_bytes
    finally:
        files.close(fd)
    return min(head.end, head.segment + rows)


# Going back


def _restore_cursors(
    record: NodeRecord, cut: Sequence[tuple[Suspect, int]], data_directory: Path, files: Files
) -> None:
    """Set the positions of all modules that use a cut log to those of the record. All of them before any log is cut."""
    log_ids = {suspect.identity.log_id for suspect, _ in cut}
    directory = cursors_directory(data_directory)
    for name in sorted(name for name in files.names(directory) if name.endswith(CURSOR_SUFFIX)):
        path = directory / name
        try:
            logs = read_module_logs(path, files)
        except LogError:  # its module is told when it starts
            continue
        if log_ids.isdisjoint((*logs.inputs.values(), *logs.outputs.values())) or not logs.begin:
            continue
        values = _durable_values(logs, record, name)
        if values != _present_values(path, files):
            write_cursors(path, logs, values, files)


def _durable_values(logs: ModuleLogs, record: NodeRecord, name: str) -> list[int]:
    """Return the values of a cursor file that the record has; for pipes that are newer, those that they began with."""
    point = record.cursors.get(name)
    begin = iter(logs.begin)
    values: list[int] = []
    known_inputs = point.inputs if point else {}
    known_outputs = dict(point.outputs.values()) if point else {}
    for pipe, log_id in logs.inputs.items():
        first = (log_id, next(begin), next(begin))
        at = known_inputs.get(pipe, first)
        values += (at if at[0] == log_id else first)[1:]
    inner = point.inner if point else ()
    is_same = [layout for layout, *_ in inner] == list(logs.inner)
    # A composite that cannot skip what it makes again begins long before: all that its outputs hold is to be dropped.
    forgets = not is_same and any(any(skipped) for _, *skipped in inner)
    first_outputs = itertools.islice(begin, len(logs.outputs))
    values += [
        0 if forgets else known_outputs.get(log_id, rows)
        for log_id, rows in zip(logs.outputs.values(), first_outputs, strict=True)
    ]
    values += [int(value) for _, *skipped in inner for value in skipped] if is_same else [0] * (3 * len(logs.inner))
    return values


def _present_values(path: Path, files: Files) -> list[int] | None:
    try:
        cursors = CursorFile(path, files)
    except DamagedLogError:  # none of its records is whole: they are never synced
        return None
    cursors.close()
    return cursors.values


def _remade(record: NodeRecord, cut: Sequence[tuple[Suspect, int]]) -> set[str]:
    """Return the logs whose lost rows will be made again: outputs of modules whose inputs are there."""
    lacking = {
        s.identity.log_id for s, end in cut if s.point.head.is_transient or s.point.fault or end < s.point.head.end
    }
    return {
        log_id
        for point in record.cursors.values()
        if point.inputs and lacking.isdisjoint(at[0] for at in point.inputs.values())
        for log_id, _ in point.outputs.values()
    }


def _cut(suspect: Suspect, end: int, boot: bytes, files: Files, *, is_remade: bool) -> Recovered:
    """Cut a log off at `end`, and let it go on behind all row indexes that were ever used."""
    directory, old, point = suspect.directory, suspect.head, suspect.point.head
    gone = _gone(suspect.point, end)
    resume = max(old.reserved, old.end, point.reserved, point.end)
    _cut_segments(suspect, 0 if point.is_transient else end, resume, files)
    last_us = point.last_us if end == point.end else _last_us(suspect, end, files)
    stored = max(old.stored, point.stored) if point.is_transient else point.stored - gone
    dropped = max(0, old.stored - stored)
    breaks = _cut_breaks(suspect, end, resume, files, with_break=stored > 0 and not is_remade)
    head = dataclasses.replace(
        old,
        end=resume,
        breaks=breaks,
        last_us=last_us,
        segment=resume,
        stored=stored,
        reserved=resume + RESERVED_ROWS,
        lost=max(old.lost, point.lost) + dropped,
        boot=boot,
        is_closed=True,
        is_waiting=False,
    )
    sync_directory(directory, files)  # before the head: what that says is there, whenever the power fails
    with contextlib.closing(HeadFile(directory, write=True, files=files)) as head_file:
        head_file.publish(head)
        head_file.sync()
    return Recovered(
        stream=suspect.identity.stream,
        directory=directory,
        kept=stored,
        dropped=dropped,
        last_us=None if last_us == NO_TIMESTAMP else last_us,
        damage=f"{gone} rows that were durable are not there" if gone else "",
    )


def _gone(point: LogPoint, end: int) -> int:
    """Return how many rows behind `end` were durable."""
    if end >= point.head.end:
        return 0
    measured = sum(max(0, piece.stop - max(piece.start, end)) for piece in point.pieces)
    return measured or point.head.end - max(end, point.head.segment)


def _cut_segments(suspect: Suspect, end: int, resume: int, files: Files) -> None:
    directory, layout = suspect.directory, suspect.identity.layout
    for first in segment_names(directory, files):
        if first >= end:
            files.remove(segment_path(directory, first))
    kept = segment_names(directory, files)
    if kept:
        fd = files.open(segment_path(directory, kept[-1]), write=True)
        try:
            # One that was full ends before, where its rows do.
            rows = max(0, files.size(fd) - HEADER_BYTES) // layout.row_bytes
            files.truncate(fd, HEADER_BYTES + min(rows, end - kept[-1]) * layout.row_bytes)
            files.sync(fd)
        finally:
            files.close(fd)
    fd = make_segment(directory, resume, layout, files)
    try:
        files.sync(fd)
    finally:
        files.close(fd)


def _last_us(suspect: Suspect, end: int, files: Files) -> int:
    with contextlib.closing(SegmentSet(suspect.directory, suspect.identity.layout, files)) as segments:
        segments.refresh()
        last = [stop for _, stop in segments.parts(0, end)][-1:]
        return int(segments.copy(last[0] - 1, last[0])["timestamp"][0]) if last else NO_TIMESTAMP


def _cut_breaks(suspect: Suspect, end: int, resume: int, files: Files, *, with_break: bool) -> int:
    """Let the breaks end with the rows; returns how many there are. A break behind the last row moves with the end."""
    with (
        contextlib.closing(SegmentSet(suspect.directory, suspect.identity.layout, files)) as segments,
        contextlib.closing(BreakFile(suspect.directory, write=True, files=files)) as breaks,
    ):
        segments.refresh()
        count = _breaks_up_to(suspect, end, breaks)
        first_moved = count
        while first_moved and not segments.count(breaks.row(first_moved - 1), resume):
            first_moved -= 1
        if suspect.point.head.is_transient:
            first_moved = 0  # they were not synced, and there are no rows between them any more
        for number in range(first_moved, count):
            breaks.put(number, resume)
        if with_break and first_moved == count:
            breaks.put(count, resume)
            count += 1
        breaks.sync()
        return count


def _breaks_up_to(suspect: Suspect, end: int, breaks: BreakFile) -> int:
    point = suspect.point.head
    if point.is_transient:
        return max(point.breaks, suspect.head.breaks)
    if end == point.end:
        return point.breaks
    return int((breaks.rows(point.breaks) <= end).sum())
