"""Streams and folders as objects: made, changed, moved and deleted while the node runs.

Every check and the transaction that follows it happen in one step of the event loop, so that no module can be started
between them. Rows are never touched here: a log keeps its directory, which is named by the stream's id.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from pathlib import Path
from typing import Any

from joule.api import ChangeInfo, CopyProgress, StreamInfo, describe_stream, log_directory
from joule.catalog import Catalog, FolderRecord, StreamRecord
from joule.core import StreamSpec, join_stream_path, split_stream_path
from joule.core.attributes import change_stream, check_text
from joule.daemon._copying import FolderCopies
from joule.daemon._log_removal import LogRemover
from joule.daemon._stream_usage import StreamUsage
from joule.daemon._tasks import thread_to_its_end
from joule.errors import LogError, StreamHeldError
from joule.log import create_log, current_writer, relabel_log

__all__ = ["StreamChanges"]

_log = logging.getLogger(__name__)


class StreamChanges:
    """The changes of one node.

    Args:
        catalog: Open for writing; used in the event loop's thread.
        data_directory: The node's.
        usage: Which modules and files use a stream.
        remover: Removes the logs of deleted streams.
    """

    def __init__(self, catalog: Catalog, data_directory: Path, usage: StreamUsage, remover: LogRemover) -> None:
        self._catalog = catalog
        self._data_directory = data_directory
        self._usage = usage
        self._remover = remover
        self._copies = FolderCopies(catalog, data_directory, remover)

    def folder_path(self, folder: str | int) -> str:
        """Return the path of a folder; a path that is none yet is returned as it is.

        Raises:
            NotFoundError: There is no folder of that id.
        """
        return self._catalog.folder(folder).path if isinstance(folder, int) else folder

    async def create_stream(self, spec: StreamSpec) -> StreamInfo:
        """Make a stream with an empty log; both are there, or neither.

        Raises:
            BadPathError, NameTakenError: As the catalog says.
            LogError: The log cannot be made.
        """
        stream_id = self._catalog.begin_stream(spec.path)
        self._remover.in_work.add(stream_id)
        try:
            directory = log_directory(self._data_directory, stream_id)
            await thread_to_its_end(lambda: _make_log(directory, spec))
            (record,) = self._catalog.complete_streams({stream_id: spec})
        except OSError as error:
            raise LogError(
                f"stream {spec.path!r} cannot be made: {error.filename}: {error.strerror}; check the disk",
                stream=spec.path,
            ) from error
        finally:
            self._remover.in_work.discard(stream_id)
            self._remover.wake()
        _log.info("stream %s is made, id %d", spec.path, stream_id)
        return await asyncio.to_thread(describe_stream, record, self._data_directory)

    async def update_stream(self, stream: str | int, changes: Mapping[str, Any]) -> ChangeInfo:
        """Change attributes of a stream and of its elements, and its name if `name` is among the changes.

        Raises:
            NotFoundError: There is no such stream.
            BadAttributeError: See `change_stream`; nothing has changed.
            BadPathError, NameTakenError, StreamHeldError: It cannot have that name.
        """
        attributes = {name: value for name, value in changes.items() if name != "name"}
        with self._catalog.transaction():
            before = self._catalog.stream(stream)
            record = self._catalog.update_stream(before.id, change_stream(before.spec, attributes))
            if "name" in changes:
                path = join_stream_path(before.spec.folder, check_text("name", changes["name"]))
                record = self._move(before, path)
        await self._relabel([record] if record.spec.path != before.spec.path else [])
        warnings = [*self._not_lasting(before, record), *self._old_names(before.spec.path, record.spec.path)]
        return ChangeInfo(path=record.spec.path, id=record.id, warnings=tuple(warnings))

    async def move_stream(self, stream: str | int, folder: str) -> ChangeInfo:
        """Move a stream into a folder, which is made if there is none; id, rows and attributes come with it.

        Raises:
            NotFoundError: There is no such stream.
            BadPathError, NameTakenError, StreamHeldError: It cannot go there.
        """
        before = self._catalog.stream(stream)
        record = self._move(before, join_stream_path(folder, before.spec.name))
        await self._relabel([record])
        warnings = self._old_names(before.spec.path, record.spec.path)
        return ChangeInfo(path=record.spec.path, id=record.id, warnings=tuple(warnings))

    async def delete_stream(self, stream: str | int) -> ChangeInfo:
        """Delete a stream and its rows, for good.

        Raises:
            NotFoundError: There is no such stream.
            StreamHeldError: A running module, or something else, uses it.
        """
        record = self._catalog.stream(stream)
        self._check_unused([record])
        self._catalog.delete_stream(record.id)
        self._remover.wake()
        _log.info("stream %s is deleted, id %d", record.spec.path, record.id)
        warnings = self._old_names(record.spec.path, None)
        return ChangeInfo(path=record.spec.path, id=record.id, warnings=tuple(warnings))

    async def update_folder(self, folder: str | int, changes: Mapping[str, Any]) -> ChangeInfo:
        """Change the description of a folder, and its name if that is among the changes.

        Raises:
            NotFoundError: There is no such folder.
            BadAttributeError: A value is none.
            BadPathError, BadMoveError, NameTakenError, StreamHeldError: It cannot have that name.
        """
        with self._catalog.transaction():
            before = self._catalog.folder(folder)
            after = before
            if "description" in changes:
                text = check_text("description", changes["description"])
                after = self._catalog.describe_folder(before.id, text)
            if "name" in changes:
                above, _ = split_stream_path(before.path)
                path = join_stream_path(above, check_text("name", changes["name"]))
                after = self._move_folder(before, path)
        return await self._moved(before, after)

    async def move_folder(self, folder: str | int, parent: str) -> ChangeInfo:
        """Move a folder, with all that is below it, into another folder, which is made if there is none.

        Raises:
            NotFoundError: There is no such folder.
            BadPathError, BadMoveError, NameTakenError, StreamHeldError: It cannot go there.
        """
        before = self._catalog.folder(folder)
        after = self._move_folder(before, f"{parent.rstrip('/')}/{before.name}")
        return await self._moved(before, after)

    async def delete_folder(self, folder: str | int, *, recursive: bool) -> ChangeInfo:
        """Delete a folder; if asked for with all streams and rows in it, for good.

        Raises:
            NotFoundError, BadMoveError, FolderNotEmptyError: As the catalog says.
            StreamHeldError: Something uses a stream in it; nothing was deleted.
        """
        before = self._catalog.folder(folder)
        streams = before.all_streams()
        if recursive:
            self._check_unused(streams)
        self._catalog.delete_folder(before.id, recursive=recursive)
        self._remover.wake()
        _log.info("folder %s is deleted; streams: %d", before.path, len(streams))
        warnings = [text for record in streams for text in self._old_names(record.spec.path, None)]
        return ChangeInfo(path=before.path, id=before.id, streams=len(streams), warnings=tuple(warnings))

    def copy_folder(
        self, folder: str | int, destination: str, start_us: int | None, end_us: int | None
    ) -> AsyncGenerator[CopyProgress]:
        """Copy a folder with all streams, rows and breaks in it; see `FolderCopies`."""
        return self._copies.copy_folder(folder, destination, start_us, end_us)

    def _move(self, record: StreamRecord, path: str) -> StreamRecord:
        if path != record.spec.path:
            self._check_unused([record])
        moved = self._catalog.move_stream(record.id, path)
        _log.info("stream %s is now %s", record.spec.path, path)
        return moved

    def _move_folder(self, record: FolderRecord, path: str) -> FolderRecord:
        if path != record.path:
            self._check_unused(record.all_streams())
        moved = self._catalog.move_folder(record.id, path)
        _log.info("folder %s is now %s", record.path, moved.path)
        return moved

    async def _moved(self, before: FolderRecord, after: FolderRecord) -> ChangeInfo:
        old, new = before.all_streams(), after.all_streams()
        has_moved = before.path != after.path
        await self._relabel(new if has_moved else [])
        places = {record.id: record.spec.path for record in new}
        warnings = [text for record in old for text in self._old_names(record.spec.path, places[record.id])]
        count = len(new) if has_moved else 0
        return ChangeInfo(path=after.path, id=after.id, streams=count, warnings=tuple(warnings))

    def _check_unused(self, records: Iterable[StreamRecord]) -> None:
        records = list(records)
        self._usage.check_unused(record.spec.path for record in records)
        for record in records:
            if self._copies.is_source(record.id):
                raise StreamHeldError(record.spec.path, "being copied", "wait for the end of that")
            writer = current_writer(log_directory(self._data_directory, record.id))
            if writer is not None:
                raise StreamHeldError(record.spec.path, f"written by {writer}", "end that first")

    async def _relabel(self, records: Iterable[StreamRecord]) -> None:
        """Let logs say where their streams are now, for the day on which the catalog is lost."""
        await asyncio.to_thread(_relabel, list(records), self._data_directory)

    def _old_names(self, old: str, new: str | None) -> list[str]:
        """Tell the files that go on naming a path where the stream is no more."""
        if old == new:
            return []
        remedy = "remove or correct that" if new is None else f"write {new!r} there"
        return [
            f"{place} still names {old!r}: {remedy}, or a new, empty stream is made there when it is next read"
            for place in self._usage.places(old)
        ]

    def _not_lasting(self, before: StreamRecord, after: StreamRecord) -> list[str]:
        """Tell the file whose values will replace those that were given now."""
        file = self._usage.defining_file(before.spec.path)
        if file is None or _without_path(before.spec) == _without_path(after.spec):
            return []
        return [f"{file} defines this stream, and its values return when it is next read: change them there too"]


def _without_path(spec: StreamSpec) -> StreamSpec:
    return dataclasses.replace(spec, path="")


def _make_log(directory: Path, spec: StreamSpec) -> None:
    create_log(directory, spec.layout, spec.path)


def _relabel(records: Iterable[StreamRecord], data_directory: Path) -> None:
    for record in records:
        try:
            relabel_log(log_directory(data_directory, record.id), record.spec.path)
        except (LogError, OSError) as error:
            _log.warning("stream %s has moved, and its log cannot say so: %s", record.spec.path, error)
