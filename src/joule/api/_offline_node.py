"""A node of which only the files are there: its streams and rows can be read, by anybody who may read them.

Nothing is written, not even a lock, so it works on a read-only copy of a node's directory too.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncGenerator
from typing import NoReturn

from joule._version import __version__
from joule.api._clock_models import ClockChange, ClockInfo
from joule.api._log_lines import LogLine, LogQuery, find_logs, merged_lines, stored_lines
from joule.api._models import (
    FolderInfo,
    ModuleChange,
    ModuleInfo,
    ModuleUsage,
    ProvenanceInfo,
    ReloadReport,
    StreamInfo,
    VersionInfo,
)
from joule.api._node import Node
from joule.api._offline_streams import RefusedStreamOperations
from joule.api._stored import (
    catalog_path,
    describe_folder,
    describe_provenance,
    describe_stream,
    describe_streams,
    log_directory,
    node_lock_path,
    read_stored,
)
from joule.catalog import Catalog, FolderRecord
from joule.config import NodeConfig
from joule.core import Rows
from joule.errors import NodeUnreachableError, NotFoundError
from joule.log import Break, inspect_durability, lock_holder, newest_record

__all__ = ["OfflineNode"]


class OfflineNode(RefusedStreamOperations, Node):
    """The files of a node.

    Args:
        config: Its `main.conf`.
    """

    def __init__(self, config: NodeConfig) -> None:
        self.where = str(config.directory)
        self._config = config
        path = catalog_path(config.data_directory)
        # A node that was never started has no catalog yet: it has no streams, which is no error.
        self._catalog = Catalog.open(path, read_only=True) if path.exists() else None

    async def close(self) -> None:
        """Close the catalog."""
        if self._catalog is not None:
            self._catalog.close()

    async def version(self) -> VersionInfo:
        """Return which node this is; its pid is None."""
        return VersionInfo(version=__version__, name=self._config.name, directory=self.where)

    async def clock(self) -> ClockInfo:
        """Not without a `jouled`."""
        self._refuse("the node's clock")

    async def clock_confirm(self) -> ClockInfo:
        """Not without a `jouled`."""
        self._refuse("the node's clock")

    async def clock_follow(self, *, dry_run: bool = False) -> ClockChange:
        """Not without a `jouled`."""
        self._refuse("the node's clock")

    async def modules(self) -> list[ModuleInfo]:
        """Not without a `jouled`."""
        self._refuse("modules")

    async def module(self, name: str) -> ModuleInfo:
        """Not without a `jouled`."""
        self._refuse(f"module {name!r}")

    async def module_logs(self, name: str, lines: int = 100, query: LogQuery | None = None) -> list[str]:
        """Return the newest lines of a module's output: what has happened is asked most when nothing runs."""
        logs = find_logs(self._config.log_directory)
        if name not in logs:
            near = difflib.get_close_matches(name, logs, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else "no module of that name has run here"
            raise NotFoundError(f"{self._config.log_directory} has no log of a module {name!r}: {remedy}", module=name)
        return await asyncio.to_thread(stored_lines, logs[name], lines, query or LogQuery())

    def follow_module_logs(self, name: str, lines: int = 10, query: LogQuery | None = None) -> AsyncGenerator[str]:
        """Not without a `jouled`."""
        self._refuse(f"lines to come of module {name!r}")

    async def logs(self, lines: int = 100, query: LogQuery | None = None) -> list[LogLine]:
        """Return the newest lines of all modules."""
        logs = find_logs(self._config.log_directory)
        return await asyncio.to_thread(merged_lines, logs, lines, query or LogQuery())

    def follow_logs(self, lines: int = 10, query: LogQuery | None = None) -> AsyncGenerator[LogLine]:
        """Not without a `jouled`."""
        self._refuse("lines to come of all modules")

    async def module_usage(self, name: str) -> ModuleUsage:
        """Not without a `jouled`."""
        self._refuse(f"what module {name!r} has used")

    async def module_start(self, name: str) -> ModuleChange:
        """Not without a `jouled`."""
        self._refuse(f"start of module {name!r}")

    async def module_stop(self, name: str) -> ModuleChange:
        """Not without a `jouled`."""
        self._refuse(f"stop of module {name!r}")

    async def module_restart(self, name: str) -> ModuleChange:
        """Not without a `jouled`."""
        self._refuse(f"restart of module {name!r}")

    async def reload(self) -> ReloadReport:
        """Not without a `jouled`."""
        self._refuse("reload")

    async def streams(self) -> list[StreamInfo]:
        """Return all streams."""
        if self._catalog is None:
            return []
        return await asyncio.to_thread(describe_streams, self._catalog.streams(), self._config.data_directory)

    async def stream(self, stream: str | int) -> StreamInfo:
        """Return one stream."""
        record = self._open_catalog().stream(stream)
        return await asyncio.to_thread(describe_stream, record, self._config.data_directory)

    async def folders(self) -> FolderInfo:
        """Return the root folder with all that is below it."""
        root = (
            self._catalog.folders()
            if self._catalog is not None
            else FolderRecord(id=0, path="/", folders=(), streams=())
        )
        return await asyncio.to_thread(describe_folder, root, self._config.data_directory)

    async def stream_provenance(self, stream: str | int) -> list[ProvenanceInfo]:
        """Return who wrote which rows of a stream."""
        record = self._open_catalog().stream(stream)
        return await asyncio.to_thread(describe_provenance, record, self._config.data_directory)

    async def folder(self, folder: str | int) -> FolderInfo:
        """Return one folder with all that is below it."""
        record = self._open_catalog().folder(folder)
        return await asyncio.to_thread(describe_folder, record, self._config.data_directory)

    async def read_data(
        self, stream: str | int, start_us: int | None = None, end_us: int | None = None
    ) -> AsyncGenerator[Rows | Break]:
        """Yield stored rows and breaks."""
        record = self._open_catalog().stream(stream)
        directory = log_directory(self._config.data_directory, record.id)
        durability = inspect_durability(directory, newest_record(self._config.data_directory))
        async for block in read_stored(directory, start_us, end_us, durability.certain):
            yield block

    def follow_data(self, stream: str | int) -> AsyncGenerator[Rows | Break]:
        """Not without a `jouled`."""
        self._refuse(f"rows to come of stream {stream!r}")

    def _open_catalog(self) -> Catalog:
        # Opening raises the catalog's own sentence, that the node was never started.
        return self._catalog or Catalog.open(catalog_path(self._config.data_directory), read_only=True)

    def _refuse(self, what: str) -> NoReturn:
        holder = lock_holder(node_lock_path(self._config.data_directory))
        if holder is not None:
            raise NodeUnreachableError(
                f"{what}: {holder}, runs the node in {self.where} but cannot be asked: it is starting or stopping, it "
                "is another user's, or its socket is gone (then start it again)",
                node=self.where,
            )
        start = f"start it with 'jouled --config {self._config.main_file}'"
        raise NodeUnreachableError(f"{what}: no jouled runs the node in {self.where}: {start}", node=self.where)
