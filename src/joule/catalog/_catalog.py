"""The node's list of streams: which there are, where, what they hold, under which ids.

One process writes it, the daemon; any number read it meanwhile. Each change is one transaction that is durable when
the call returns. It knows nothing of rows: those are in the stream logs, in directories named by the ids given here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from joule.catalog._file import connect, translated_errors
from joule.catalog._folders import delete_folder, find_folder, move_folder
from joule.catalog._records import FolderRecord, Removal, StreamRecord
from joule.catalog._rows import (
    find_stream_id,
    insert_stream,
    list_removal,
    make_folder,
    read_folders,
    read_removals,
    read_streams,
    reserve_stream_ids,
    take_stream_id,
    update_stream,
)
from joule.core import StreamSpec, check_stream_path, split_stream_path, time_now
from joule.errors import LayoutMismatchError, NameTakenError, NotFoundError

__all__ = ["Catalog"]


class Catalog:
    """An open catalog; a context manager, used from the thread that opened it."""

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._database = database
        self._path = path

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Open the catalog at `path`.

        Args:
            path: Of the file. A writer makes it, with its directory, when it is not there.
            read_only: Leave the directory as it is. While a daemon writes, each call shows what it committed; else the
                catalog is shown as it was when it was opened.

        Raises:
            ForeignCatalogError: The file is not a catalog, or a newer Joule's; it is left as it is.
            DamagedCatalogError: It is a catalog that cannot be read; it is left as it is.
            CatalogError: It cannot be opened for another reason, or is not there and `read_only`.
        """
        path = Path(path)
        return cls(connect(path, read_only=read_only), path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        self._database.close()

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Make the changes inside durable together, with one sync, or none of them when one raises.

        Transactions inside belong to the outermost. An error that is caught inside undoes nothing by itself:
        the methods of this class check before they write.
        """
        return self._transaction("BEGIN IMMEDIATE")

    def streams(self) -> list[StreamRecord]:
        """Return all streams, by path."""
        with self._transaction("BEGIN"):
            return sorted(read_streams(self._database), key=lambda record: record.spec.path)

    def stream(self, path_or_id: str | int) -> StreamRecord:
        """Return one stream.

        Raises:
            NotFoundError: There is none of that path or id; the message has the nearest path.
        """
        with self._transaction("BEGIN"):
            record = self._find(path_or_id)
            if record is None:
                raise self._not_found(path_or_id)
            return record

    def folders(self) -> FolderRecord:
        """Return the root folder with everything below it."""
        with self._transaction("BEGIN"):
            rows = read_folders(self._database)
            records = self.streams()
        children: dict[int | None, list[tuple[int, str, str]]] = defaultdict(list)
        for folder_id, parent_id, name, description in rows:
            children[parent_id].append((folder_id, name, description))
        streams: dict[str, list[StreamRecord]] = defaultdict(list)
        for record in records:
            streams[record.spec.folder].append(record)

        def build(folder_id: int, path: str, description: str) -> FolderRecord:
            below = tuple(build(child, f"{path.rstrip('/')}/{name}", text) for child, name, text in children[folder_id])
            return FolderRecord(
                id=folder_id, path=path, folders=below, streams=tuple(streams[path]), description=description
            )

        root_id, _, description = children[None][0]
        return build(root_id, "/", description)

    def folder(self, path_or_id: str | int) -> FolderRecord:
        """Return one folder with everything below it.

        Raises:
            NotFoundError: There is none of that path or id; the message has the nearest path.
        """
        with self._transaction("BEGIN"):
            _, path = find_folder(self._database, path_or_id)
            found = self.folders()
            for name in filter(None, path.split("/")):
                found = next(folder for folder in found.folders if folder.name == name)
            return found

    def has_stream(self, path: str) -> bool:
        """Return whether there is a stream at a path."""
        with self._transaction("BEGIN"):
            return self._find(path) is not None

    def reserve_ids(self, highest: int) -> None:
        """Never give an id up to `highest` to a stream that does not ask for it."""
        with self.transaction():
            reserve_stream_ids(self._database, highest)

    def ensure_stream(
        self, spec: StreamSpec, *, stream_id: int | None = None, names_only: bool = False
    ) -> StreamRecord:
        """Return the stream at the spec's path: made with its folders when new, else with the spec's attributes.

        Names of elements may change, as may everything that only describes; rows never do.

        Args:
            spec: The stream.
            stream_id: Its id if it is new: one that no stream has. None takes the next that was never used.
            names_only: The spec tells no more than a layout and names of elements: a stream that is there keeps its
                other attributes.

        Raises:
            LayoutMismatchError: A stream of another datatype or number of elements is there.
        """
        check_stream_path(spec.path)
        layout = str(spec.layout)
        with self.transaction():
            record = self._find(spec.path)
            if record is None:
                created_us = time_now()
                made_id = insert_stream(self._database, spec, created_us, stream_id)
                return StreamRecord(id=made_id, spec=spec, created_us=created_us)
            if str(record.spec.layout) != layout:
                raise LayoutMismatchError(spec.path, str(record.spec.layout), layout)
            if names_only:
                spec = _renamed_elements(record.spec, spec)
            if record.spec != spec:
                update_stream(self._database, record.id, spec)
            return StreamRecord(id=record.id, spec=spec, created_us=record.created_us)

    def update_stream(self, path_or_id: str | int, spec: StreamSpec) -> StreamRecord:
        """Give a stream and its elements other attributes; path and layout stay.

        Raises:
            NotFoundError: There is no such stream.
            LayoutMismatchError: The attributes are of another layout.
        """
        with self.transaction():
            record = self.stream(path_or_id)
            return self.ensure_stream(dataclasses.replace(spec, path=record.spec.path))

    def move_stream(self, path_or_id: str | int, path: str) -> StreamRecord:
        """Give a stream another path, and its id and rows with it.

        Raises:
            NotFoundError: There is no such stream.
            BadPathError: The new path is none.
            NameTakenError: Another stream has the new path.
        """
        check_stream_path(path)
        with self.transaction():
            record = self.stream(path_or_id)
            if record.spec.path == path:
                return record
            self._check_free(path)
            folder, name = split_stream_path(path)
            folder_id = make_folder(self._database, folder)
            self._database.execute(
                "UPDATE stream SET folder_id = ?, name = ? WHERE id = ?", (folder_id, name, record.id)
            )
            return self.stream(record.id)

    def delete_stream(self, path_or_id: str | int) -> StreamRecord:
        """Remove a stream, and list its log to be removed (`removals`).

        Raises:
            NotFoundError: There is no such stream.
        """
        with self.transaction():
            record = self.stream(path_or_id)
            list_removal(self._database, record.id, record.spec.path, time_now())
            return record

    def move_folder(self, path_or_id: str | int, path: str) -> FolderRecord:
        """Give a folder another path, and everything below it with it.

        Raises:
            NotFoundError, BadPathError: As for streams.
            BadMoveError: It is the root, or would come to lie in itself.
            NameTakenError: There is a folder of that path; folders are not merged.
        """
        with self.transaction():
            folder_id, _ = find_folder(self._database, path_or_id)
            move_folder(self._database, folder_id, path)
            return self.folder(folder_id)

    def has_folder(self, path: str) -> bool:
        """Return whether there is a folder of a path."""
        with contextlib.suppress(NotFoundError):
            find_folder(self._database, path)
            return True
        return False

    def ensure_folder(self, path: str) -> int:
        """Return the id of a folder, made with those above it when it is not there.

        Raises:
            BadPathError: The path is none.
        """
        check_stream_path(path)
        with self.transaction():
            return make_folder(self._database, path)

    def describe_folder(self, path_or_id: str | int, description: str) -> FolderRecord:
        """Give a folder a description.

        Raises:
            NotFoundError: There is no such folder.
        """
        with self.transaction():
            folder_id, _ = find_folder(self._database, path_or_id)
            self._database.execute("UPDATE folder SET description = ? WHERE id = ?", (description, folder_id))
            return self.folder(folder_id)

    def delete_folder(self, path_or_id: str | int, *, recursive: bool) -> FolderRecord:
        """Remove a folder, if asked for with all that is below it; the logs of its streams are listed to be removed.

        Raises:
            NotFoundError: There is no such folder.
            BadMoveError: It is the root.
            FolderNotEmptyError: Something is in it, and `recursive` is False.
        """
        with self.transaction():
            record = self.folder(path_or_id)
            delete_folder(self._database, record.id, time_now(), recursive=recursive)
            return record

    def begin_stream(self, path: str) -> int:
        """Return an id for a stream whose log is made elsewhere.

        Until `complete_streams` is called with it, its log is listed to be removed, so that a crash leaves nothing.

        Raises:
            BadPathError: The path is none.
            NameTakenError: A stream has it.
        """
        check_stream_path(path)
        with self.transaction():
            self._check_free(path)
            stream_id = take_stream_id(self._database)
            list_removal(self._database, stream_id, path, time_now())
            return stream_id

    def complete_streams(self, specs: Mapping[int, StreamSpec]) -> list[StreamRecord]:
        """Let streams that were begun appear, all together.

        Args:
            specs: By the ids that `begin_stream` gave.

        Raises:
            NameTakenError: Another stream has come to be at one of the paths; none appears.
        """
        with self.transaction():
            for spec in specs.values():
                self._check_free(spec.path)
            for stream_id in specs:
                self.finish_removal(stream_id)
            return [self.ensure_stream(spec, stream_id=stream_id) for stream_id, spec in specs.items()]

    def removals(self) -> list[Removal]:
        """Return the logs that are listed to be removed."""
        with self._transaction("BEGIN"):
            return read_removals(self._database)

    def finish_removal(self, stream_id: int) -> None:
        """Take a log off that list: it is gone."""
        with self.transaction():
            self._database.execute("DELETE FROM removal WHERE stream_id = ?", (stream_id,))

    def _check_free(self, path: str) -> None:
        if find_stream_id(self._database, path) is not None:
            raise NameTakenError("stream", path)

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        with translated_errors(self._path):
            if self._database.in_transaction:
                yield
                return
            self._database.execute(begin)
            try:
                yield
            except BaseException:
                self._database.rollback()
                raise
            self._database.execute("COMMIT")

    def _find(self, path_or_id: str | int) -> StreamRecord | None:
        try:
            stream_id = path_or_id if isinstance(path_or_id, int) else find_stream_id(self._database, path_or_id)
        except UnicodeEncodeError:  # bytes of a command line that are no UTF-8: no stream has such a path
            return None
        found = [] if stream_id is None else read_streams(self._database, stream_id)
        return found[0] if found else None

    def _not_found(self, path_or_id: str | int) -> NotFoundError:
        paths = [record.spec.path for record in self.streams()]
        near = difflib.get_close_matches(str(path_or_id), paths, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else "'joule stream list' shows those that are"
        return NotFoundError(f"there is no stream {path_or_id!r}: {remedy}", stream=path_or_id, nearest=near)


def _renamed_elements(stored: StreamSpec, names: StreamSpec) -> StreamSpec:
    pairs = zip(stored.elements, names.elements, strict=True)
    elements = tuple(dataclasses.replace(element, name=named.name) for element, named in pairs)
    return dataclasses.replace(stored, elements=elements)
