"""Copies a folder of streams within a node, with all attributes, rows and breaks: whole, or not at all.

Until all of its logs are complete they lie under names that no log has, and the catalog lists them to be removed; then
they appear in one transaction. A crash, a full disk, or somebody who asked and went away leaves nothing behind. Rows
are copied in a thread: the daemon goes on answering meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import threading
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

from joule.api import CopyProgress, log_directory
from joule.catalog import Catalog, FolderRecord, StreamRecord
from joule.core import StreamSpec, check_stream_path, is_below, time_now
from joule.daemon._log_removal import LogRemover, draft_directory
from joule.daemon._preparation import segment_us
from joule.daemon._provenance import copy_origin
from joule.daemon._tasks import thread_to_its_end
from joule.errors import BadMoveError, NameTakenError
from joule.log import BREAK, LogWriter, add_origin, count_rows, create_log, read_log, seal_log, streams_directory

__all__ = ["FolderCopies"]

_PROGRESS_S = 0.5  # between two messages about it

_log = logging.getLogger(__name__)


@dataclasses.dataclass(slots=True, kw_only=True)
class _Job:
    """The copying of one stream; the thread that does it counts, others read.

    Attributes:
        source: The stream.
        stream_id: Of the copy.
        spec: Of the copy.
        total: How many rows there are to be copied.
        rows: How many have been.
        is_given_up: Set to end it before that.
    """

    source: StreamRecord
    stream_id: int
    spec: StreamSpec
    total: int
    rows: int = 0
    is_given_up: threading.Event = dataclasses.field(default_factory=threading.Event)


class FolderCopies:
    """The copies of one node.

    Args:
        catalog: Open for writing; used in the event loop's thread.
        data_directory: The node's.
        remover: Leaves alone what is in work, and removes what is left of it.
    """

    def __init__(self, catalog: Catalog, data_directory: Path, remover: LogRemover) -> None:
        self._sources: Counter[int] = Counter()
        self._catalog = catalog
        self._data_directory = data_directory
        self._remover = remover

    async def copy_folder(
        self, folder: str | int, destination: str, start_us: int | None, end_us: int | None
    ) -> AsyncGenerator[CopyProgress]:
        """Copy a folder with all streams below it; leaving early leaves nothing.

        Args:
            folder: What to copy.
            destination: Path of the copy; nothing may be there yet.
            start_us: First timestamp, inclusive; None begins with the oldest rows.
            end_us: Last timestamp, exclusive; None ends with the newest rows.

        Yields:
            How far it is, at once, then every half second; when it ends, the copy is there.

        Raises:
            NotFoundError: There is no such folder.
            BadPathError, BadMoveError, NameTakenError: The copy cannot be there.
            LogError, OSError: A log cannot be read, or the copy not be written.
        """
        source = self._catalog.folder(folder)
        destination = self._checked(source, destination)
        jobs = self._begin(source, destination)
        sources = [job.source.id for job in jobs]
        self._sources.update(sources)
        try:
            for job in jobs:
                directory = log_directory(self._data_directory, job.source.id)
                job.total = await asyncio.to_thread(count_rows, directory, start_us, end_us)
            yield _progress(jobs)
            for job in jobs:
                async with contextlib.aclosing(self._copy(job, start_us, end_us)) as ticks:
                    async for _ in ticks:
                        yield _progress(jobs)
            await thread_to_its_end(lambda: self._give_names(jobs))
            self._complete(jobs, source, destination)
            yield _progress(jobs)
        finally:
            self._sources.subtract(sources)
            self._remover.in_work.difference_update(job.stream_id for job in jobs)
            self._remover.wake()

    def is_source(self, stream_id: int) -> bool:
        """Return whether a stream is being copied."""
        return self._sources[stream_id] > 0

    def _checked(self, source: FolderRecord, destination: str) -> str:
        destination = check_stream_path(destination.removesuffix("/"))
        if destination == source.path or is_below(destination, source.path):
            raise BadMoveError(source.path, f"its copy cannot lie in itself, at {destination!r}")
        if self._catalog.has_folder(destination):
            raise NameTakenError("folder", destination)
        return destination

    def _begin(self, source: FolderRecord, destination: str) -> list[_Job]:
        jobs = []
        with self._catalog.transaction():
            for record in source.all_streams():
                path = destination + record.spec.path.removeprefix(source.path.rstrip("/"))
                stream_id = self._catalog.begin_stream(path)
                self._remover.in_work.add(stream_id)
                spec = dataclasses.replace(record.spec, path=path)
                jobs.append(_Job(source=record, stream_id=stream_id, spec=spec, total=0))
        return jobs

    async def _copy(self, job: _Job, start_us: int | None, end_us: int | None) -> AsyncGenerator[None]:
        """Copy one stream in a thread, yielding now and then; leaving early ends the thread first."""
        copying = asyncio.ensure_future(asyncio.to_thread(self._copy_log, job, start_us, end_us))
        try:
            while not copying.done():
                await asyncio.wait({copying}, timeout=_PROGRESS_S)
                yield
            copying.result()
        finally:
            job.is_given_up.set()
            await asyncio.wait({copying})

    def _copy_log(self, job: _Job, start_us: int | None, end_us: int | None) -> None:
        source = log_directory(self._data_directory, job.source.id)
        draft = draft_directory(log_directory(self._data_directory, job.stream_id))
        create_log(draft, job.spec.layout, job.spec.path)
        add_origin(draft, copy_origin(job.source.spec.path, _command(job, start_us, end_us)), time_now())
        writer = LogWriter(
            draft,
            job.spec.layout,
            stream=job.spec.path,
            holder=f"a copy of {job.source.spec.path}",
            segment_us=segment_us(job.spec.keep_us),
        )
        with contextlib.closing(writer):
            for block in read_log(source, start_us, end_us):
                if job.is_given_up.is_set():
                    return
                if block is BREAK:
                    writer.mark_break()
                else:
                    writer.store(block)
                    job.rows += len(block)
        seal_log(draft)  # the copy is there, whatever happens to the power or to its source

    def _give_names(self, jobs: list[_Job]) -> None:
        """Make logs of what is complete."""
        for job in jobs:
            directory = log_directory(self._data_directory, job.stream_id)
            draft_directory(directory).rename(directory)
        above = os.open(streams_directory(self._data_directory), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(above)
        finally:
            os.close(above)

    def _complete(self, jobs: list[_Job], source: FolderRecord, destination: str) -> None:
        with self._catalog.transaction():
            if self._catalog.has_folder(destination):
                raise NameTakenError("folder", destination)
            self._catalog.complete_streams({job.stream_id: job.spec for job in jobs})
            for folder in source.walk():
                copy = self._catalog.ensure_folder(destination + folder.path.removeprefix(source.path.rstrip("/")))
                self._catalog.describe_folder(copy, folder.description)
        rows = sum(job.rows for job in jobs)
        _log.info("folder %s is copied to %s; streams: %d, rows: %d", source.path, destination, len(jobs), rows)


def _command(job: _Job, start_us: int | None, end_us: int | None) -> str:
    bounds = (("from", start_us), ("to", end_us))
    span = " ".join(f"{word} {time_us}" for word, time_us in bounds if time_us is not None)
    return f"joule folder copy, of stream {job.source.id}, {span or 'all rows'}"


def _progress(jobs: list[_Job]) -> CopyProgress:
    return CopyProgress(
        streams=len(jobs), rows=sum(job.rows for job in jobs), total_rows=sum(job.total for job in jobs)
    )
