"""The streams of a node as its files show them: catalog and logs, read by whoever has the directory.

The daemon answers from here, and so does the client where no daemon runs; both give the same answers.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from joule.api._models import FolderInfo, ProvenanceInfo, StreamInfo
from joule.core import Rows, time_now
from joule.errors import LogError
from joule.log import (
    Break,
    Durability,
    Head,
    NodeRecord,
    Origin,
    Stretch,
    inspect_durability,
    inspect_log,
    inspect_provenance,
    newest_record,
    read_log,
    streams_directory,
)

if TYPE_CHECKING:
    from joule.catalog import FolderRecord, StreamRecord

__all__ = [
    "catalog_path",
    "describe_folder",
    "describe_provenance",
    "describe_stream",
    "describe_streams",
    "log_directory",
    "node_lock_path",
    "read_stored",
]


_STANDS_STILL_US = 10_000_000  # what came before is no rate of now


def catalog_path(data_directory: Path) -> Path:
    """Return the path of a node's catalog."""
    return data_directory / "catalog.sqlite"


def log_directory(data_directory: Path, stream_id: int) -> Path:
    """Return the directory of a stream's log: named by id, so that a stream can be moved without touching its rows."""
    return streams_directory(data_directory) / str(stream_id)


def node_lock_path(data_directory: Path) -> Path:
    """Return the path of the lock that a node's `jouled` holds."""
    return data_directory / "node.lock"


def describe_streams(records: Iterable[StreamRecord], data_directory: Path) -> list[StreamInfo]:
    """Return streams with what their logs hold. Reads files: some 0.1 ms for each stream."""
    durable = newest_record(data_directory)
    return [_describe(record, data_directory, durable) for record in records]


def describe_stream(record: StreamRecord, data_directory: Path) -> StreamInfo:
    """Return a stream with what its log holds; a log that cannot be read is said to be so, no more."""
    return _describe(record, data_directory, newest_record(data_directory))


def _describe(record: StreamRecord, data_directory: Path, durable: NodeRecord | None) -> StreamInfo:
    spec = record.spec
    facts = StreamInfo(
        id=record.id,
        path=spec.path,
        layout=str(spec.layout),
        elements=spec.elements,
        keep_us=spec.keep_us,
        decimate=spec.decimate,
        description=spec.description,
    )
    directory = log_directory(data_directory, record.id)
    try:
        log = inspect_log(directory)
        durability = inspect_durability(directory, durable)
    except LogError as error:
        return dataclasses.replace(facts, problem=error.message)
    except OSError as error:  # another user's, a disk that fails, something else in its place
        return dataclasses.replace(facts, problem=f"{error.filename or directory}: {error.strerror or error}")
    age_us = None if log.last_us is None else time_now() - log.last_us
    is_moving = log.writer is not None and age_us is not None and age_us <= _STANDS_STILL_US
    return dataclasses.replace(
        facts,
        rows=log.rows,
        size_bytes=log.size_bytes,
        first_us=log.first_us,
        last_us=log.last_us,
        intervals=log.intervals,
        refused_rows=log.refused_rows,
        ahead_rows=log.ahead_rows,
        repeated_rows=log.repeated_rows,
        stored_rows=log.stored_rows,
        durable_rows=durability.rows,
        durable_us=durability.taken_us,
        lost_rows=log.lost_rows,
        problem=_doubt(durability),
        writer=log.writer,
        age_us=age_us,
        active=log.writer is not None,
        rate_hz=log.rate_hz if is_moving else None,
    )


def _doubt(durability: Durability) -> str | None:
    if durability.certain is not None:
        return (
            f"the power failed while it was written: only its first {durability.certain.stored} rows are certain, and "
            "are read, until jouled is started and goes on behind them"
        )
    if durability.fault:
        return (
            f"no row behind the first {durability.rows} is durable: {durability.fault}: check the disk, copy the data, "
            "then start the machine anew"
        )
    return None


def describe_folder(record: FolderRecord, data_directory: Path) -> FolderInfo:
    """Return a folder with all that is below it."""
    return FolderInfo(
        path=record.path,
        name=record.name,
        folders=tuple(describe_folder(folder, data_directory) for folder in record.folders),
        streams=tuple(describe_streams(record.streams, data_directory)),
        id=record.id,
        description=record.description,
    )


def describe_provenance(record: StreamRecord, data_directory: Path) -> list[ProvenanceInfo]:
    """Return who wrote the rows of a stream, oldest first.

    Raises:
        LogError, OSError: Its log cannot be read.
    """
    return [_provenance(stretch) for stretch in inspect_provenance(log_directory(data_directory, record.id))]


def _provenance(stretch: Stretch) -> ProvenanceInfo:
    origin = stretch.origin or Origin(kind="unknown", name="")
    facts = {field.name: getattr(stretch, field.name) for field in dataclasses.fields(stretch)}
    del facts["origin"]
    return ProvenanceInfo(**dataclasses.asdict(origin), **facts)


async def read_stored(
    directory: Path, start_us: int | None, end_us: int | None, at: Head | None = None
) -> AsyncGenerator[Rows | Break]:
    """Yield the stored rows of a time range; a thread reads them, a block of at most 1 MB at a time.

    Args:
        directory: Of the stream's log.
        start_us: First timestamp, inclusive; None begins with the oldest row.
        end_us: Last timestamp, exclusive; None ends with what is stored now.
        at: A former state of the log to read; None for the present one.

    Raises:
        LogError: The log cannot be read.
    """
    blocks = read_log(directory, start_us, end_us, at=at)
    reading: asyncio.Future[Rows | Break | None] | None = None
    try:
        while True:
            reading = asyncio.ensure_future(asyncio.to_thread(_next_block, blocks))
            block = await asyncio.shield(reading)
            if block is None:
                return
            yield block
    finally:
        # Whoever cancels us cannot cancel the thread: its files may only be closed when it is through.
        if reading is not None:
            await asyncio.wait([reading])


def _next_block(blocks: Iterator[Rows | Break]) -> Rows | Break | None:
    return next(blocks, None)
