"""Making the rows of a node durable, one round after the other: see `NodeRecord` for what a round leaves behind.

A round looks at the cursors first and then at the logs, sinks before sources; syncs the logs that have moved; and then
writes one record of all positions, which counts from the moment at which it is synced itself. When nothing has moved it
writes nothing, so a node at rest does not wake its disk. Writers are not involved, and wait for nothing.

A failed sync is never tried again: the kernel has dropped what it could not write, and would call the next one good.
Such a log stays where it was in all records to come, with the reason, until the machine has started anew and a recovery
has looked at what is there. A record that cannot be written just leaves things as they were.
"""

from __future__ import annotations

import contextlib
import dataclasses
import graphlib
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self

from joule.core import time_now
from joule.errors import LogError
from joule.log._cursors import CURSOR_SUFFIX, CursorFile, cursors_directory
from joule.log._files import DISK, Files
from joule.log._head import Head
from joule.log._identity import streams_directory
from joule.log._record import CursorPoint, LogPoint, NodeRecord, RecordFiles, load_records
from joule.log._synced_log import SyncedLog, UnsyncedError, has_moved

__all__ = ["Syncer", "Task"]

_log = logging.getLogger("joule.syncer")

Task = Callable[[], None]


def _one_by_one(tasks: Iterable[Task]) -> None:
    for task in tasks:
        task()


class Syncer:
    """Makes what a node has stored durable; `with` closes its files.

    Args:
        data_directory: The node's.
        files: The file system.
        record: What is durable; None for the newest record that there is.
        run_all: Runs tasks, in any order or at the same time; one disk can do many syncs at once.

    Attributes:
        record: What is durable now.

    Raises:
        ForeignFileError, DamagedLogError: The records there cannot be read; they were left alone.
        OSError: Likewise.
    """

    def __init__(
        self,
        data_directory: Path,
        files: Files = DISK,
        *,
        record: NodeRecord | None = None,
        run_all: Callable[[Iterable[Task]], None] = _one_by_one,
    ) -> None:
        self._data_directory = data_directory
        self._files = files
        self._run_all = run_all
        self._faults: dict[str, LogPoint] = {}  # until a record has them
        if record is None:
            record = self._last_record(load_records(data_directory, files))
        self.record = record
        self._writer = RecordFiles(data_directory, files)
        self._logs: dict[str, SyncedLog] = {}
        self._cursors: dict[str, tuple[int, CursorFile]] = {}
        self._present: set[str] = set()
        self._directories: dict[str, str] = {}
        self._order: list[str] = []
        self._order_of: object = None
        self._told: dict[str, str] = {}

    def _last_record(self, records: list[NodeRecord]) -> NodeRecord:
        """Return the newest record that is on the disk.

        One that is not confirmed was written by a syncer which died before it was synced: it is written again, in its
        place, since the other file has the only one that is certain. What it knows of failed syncs stays true.
        """
        if not records or records[0].is_confirmed:
            return records[0] if records else NodeRecord()
        self._faults = {log_id: point for log_id, point in records[0].logs.items() if point.fault}
        return records[1] if len(records) > 1 else NodeRecord()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def round(self) -> bool:
        """Make everything durable that is stored now; returns whether there was anything.

        Raises:
            OSError: The record cannot be written: what was durable before is so still, and the next round tries again.
        """
        boot = self._files.boot(self._data_directory)
        cursors = self._look_at_cursors()
        self._find_logs()
        points, heads = self._look_at_logs(cursors)
        dirty = [log_id for log_id in heads if self._is_dirty(heads[log_id], points.get(log_id))]
        is_news = self._is_news(boot, cursors, points, heads)
        if not dirty and not is_news:
            return False
        taken_us = time_now()
        self._run_all([self._task(log_id, heads[log_id], points) for log_id in dirty])
        if not is_news and points == self.record.logs:  # none of them could be looked at
            return False
        for log_id, head in heads.items():
            if head.is_transient:
                points[log_id] = LogPoint(name=self._name(log_id), head=head)
        sequence = self.record.sequence + 1
        record = NodeRecord(sequence=sequence, boot=boot, taken_us=taken_us, logs=points, cursors=cursors)
        self._writer.write(record)
        self.record = record
        self._faults.clear()
        return True

    def close(self) -> None:
        """Close all files; closing twice is fine."""
        while self._logs:
            self._logs.popitem()[1].close()
        while self._cursors:
            self._cursors.popitem()[1][1].close()
        self._writer.close()

    def _is_dirty(self, head: Head, point: LogPoint | None) -> bool:
        if head.is_transient:
            return False
        if point is None or point.head.is_transient:  # a stream that kept nothing until now was never synced
            return True
        return not point.fault and has_moved(head, point.head)

    def _is_news(
        self,
        boot: bytes,
        cursors: Mapping[str, CursorPoint],
        points: Mapping[str, LogPoint],
        heads: Mapping[str, Head],
    ) -> bool:
        """Whether a record is worth its wear of the disk: what only concerns streams that keep nothing is not."""
        before = self.record
        if boot != before.boot or cursors.keys() != before.cursors.keys() or points.keys() != before.logs.keys():
            return True
        if heads.keys() - points.keys() or self._faults:
            return True
        transient = {log_id for log_id, head in heads.items() if head.is_transient}
        return any(_moves(point, before.cursors[name], transient) for name, point in cursors.items())

    def _task(self, log_id: str, head: Head, points: dict[str, LogPoint]) -> Task:
        def sync() -> None:
            before = points.get(log_id)
            before = None if before is not None and before.head.is_transient else before
            try:
                points[log_id] = self._logs[self._directories[log_id]].sync(head, before)
                self._told.pop(log_id, None)
            except UnsyncedError as error:
                empty = LogPoint(name=self._name(log_id), head=Head())
                points[log_id] = self._faults[log_id] = dataclasses.replace(before or empty, fault=str(error))
                _log.error(
                    "the log in %s is not durable from row %d on, and will not be while this machine runs: %s; rows go "
                    "on being stored: check the disk (dmesg), copy the data, then start the machine anew",
                    *(streams_directory(self._data_directory) / self._name(log_id), points[log_id].head.end, error),
                )
            except (LogError, OSError) as error:
                self._tell(log_id, f"the log in {self._name(log_id)} cannot be made durable at the moment: {error}")

        return sync

    def _tell(self, key: str, text: str) -> None:
        """Log what is wrong, once."""
        if self._told.get(key) != text:
            self._told[key] = text
            _log.warning("%s", text)

    # Looking

    def _look_at_cursors(self) -> dict[str, CursorPoint]:
        directory = cursors_directory(self._data_directory)
        names: set[str] = set()
        with contextlib.suppress(FileNotFoundError):
            names = {name for name in self._files.names(directory) if name.endswith(CURSOR_SUFFIX)}
        for name in self._cursors.keys() - names:
            self._cursors.pop(name)[1].close()
        found = {}
        for name in sorted(names):
            try:
                found[name] = CursorPoint.of(self._cursor(name, directory / name))
            except FileNotFoundError:  # removed since we looked
                continue
            except (LogError, OSError) as error:
                self._tell(name, f"the positions in {directory / name} cannot be made durable: {error}")
                if name in self.record.cursors:
                    found[name] = self.record.cursors[name]
        return found

    def _cursor(self, name: str, path: Path) -> CursorFile:
        """Return a cursor file with its present positions; another one may have been put in its place."""
        inode = self._files.inode(path)
        known = self._cursors.get(name)
        if known is not None and known[0] == inode:
            known[1].reload()
            return known[1]
        if known is not None:
            del self._cursors[name]
            known[1].close()
        cursor = CursorFile(path, self._files)
        self._cursors[name] = (inode, cursor)
        return cursor

    def _find_logs(self) -> None:
        """Open new logs, let go of those that are gone."""
        directory = streams_directory(self._data_directory)
        names: set[str] = set()
        with contextlib.suppress(FileNotFoundError):
            names = {name for name in self._files.names(directory) if name.isdecimal()}
        self._present = names
        for name in self._logs.keys() - names:
            self._logs.pop(name).close()
        for name in sorted(names - self._logs.keys()):
            try:
                self._logs[name] = SyncedLog(directory / name, self._files)
            except (LogError, OSError) as error:  # one that is being made has no description yet
                self._tell(name, f"there is nothing to make durable in {directory / name}: {error}")
        self._directories = {log.log_id: name for name, log in self._logs.items()}

    def _look_at_logs(self, cursors: Mapping[str, CursorPoint]) -> tuple[dict[str, LogPoint], dict[str, Head]]:
        """Return what is durable of each log, and what is committed; sinks are looked at before sources."""
        known = {**self.record.logs, **self._faults}
        points = {log_id: point for log_id, point in known.items() if self._is_there(log_id, point)}
        heads = {}
        for log_id in self._sinks_first(cursors):
            try:
                heads[log_id] = self._logs[self._directories[log_id]].look()
            except (LogError, OSError) as error:
                self._tell(log_id, f"the log in {self._name(log_id)} cannot be made durable: {error}")
        return points, heads

    def _is_there(self, log_id: str, point: LogPoint) -> bool:
        """Whether the log of a point is still there; one that cannot be opened at the moment is."""
        log = self._logs.get(point.name)
        return point.name in self._present and (log is None or log.log_id == log_id)

    def _sinks_first(self, cursors: Mapping[str, CursorPoint]) -> list[str]:
        graph = [([at[0] for at in c.inputs.values()], [at[0] for at in c.outputs.values()]) for c in cursors.values()]
        key = (graph, list(self._directories))
        if self._order_of != key:
            self._order, self._order_of = _sinks_first(self._directories, graph), key
        return self._order

    def _name(self, log_id: str) -> str:
        return self._directories[log_id]


def _moves(point: CursorPoint, before: CursorPoint, transient: set[str]) -> bool:
    if point == before:
        return False
    return point.inputs.keys() != before.inputs.keys() or any(
        at != before.inputs[name] and at[0] not in transient for name, at in point.inputs.items()
    )


def _sinks_first(logs: Iterable[str], graph: list[tuple[list[str], list[str]]]) -> list[str]:
    sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter(dict.fromkeys(logs, ()))
    for inputs, outputs in graph:
        for log_id in inputs:
            sorter.add(log_id, *outputs)
    known = set(logs)
    try:
        return [log_id for log_id in sorter.static_order() if log_id in known]
    except graphlib.CycleError:  # the configuration refuses it, so nothing of the kind runs
        return list(logs)
