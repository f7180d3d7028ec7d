"""What the running node tells its API: the daemon's side of `joule.server.NodeView`."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from pathlib import Path

from joule._version import __version__
from joule.api import (
    JOULED,
    ClockChange,
    ClockInfo,
    FolderInfo,
    ModuleChange,
    ModuleInfo,
    ModuleUsage,
    ProvenanceInfo,
    ReloadReport,
    StreamInfo,
    VersionInfo,
    describe_folder,
    describe_provenance,
    describe_stream,
    describe_streams,
    find_logs,
    log_directory,
    module_log_file,
)
from joule.catalog import Catalog
from joule.config import ModuleConfig
from joule.core import format_duration
from joule.daemon._clock import ClockKeeper
from joule.daemon._clock_follow import ClockFollowing
from joule.daemon._log_removal import LogRemover
from joule.daemon._node import ManagedNode
from joule.daemon._process_table import peak_bytes
from joule.daemon._states import ModuleState, ModuleStatus
from joule.daemon._stream_changes import StreamChanges
from joule.daemon._stream_usage import StreamUsage
from joule.daemon._usage import Usage, UsageMeter
from joule.daemon._usage_history import UsageHistory
from joule.daemon._web_sockets import web_socket

__all__ = ["RunningNode"]


class RunningNode:
    """A node under this daemon."""

    def __init__(
        self,
        node: ManagedNode,
        catalog: Catalog,
        run_directory: Path,
        remover: LogRemover,
        clock: ClockKeeper,
        history: UsageHistory,
    ) -> None:
        self.run_directory = run_directory
        self._node = node
        self._catalog = catalog
        self._clock = clock
        self._remover = remover
        self._meter = UsageMeter()
        self._history = history
        self.changes = StreamChanges(catalog, node.setup.config.data_directory, StreamUsage(node), remover)

    def version(self) -> VersionInfo:
        """Return which node this is."""
        config = self._node.setup.config
        return VersionInfo(
            version=__version__,
            name=config.name,
            directory=str(config.directory),
            pid=os.getpid(),
            clock=str(self._clock.state),
            clock_note=self._clock.note(),
        )

    def clock(self) -> ClockInfo:
        """Return how the node's clock stands to the system's."""
        return self._clock.describe()

    def clock_confirm(self) -> ClockInfo:
        """Take the node's clock for right; returns how it stands then."""
        self._clock.confirm()
        return self._clock.describe()

    async def clock_follow(self, *, dry_run: bool) -> ClockChange:
        """Set the node's clock to the system's, or tell what that would do; see `ClockFollowing`."""
        following = ClockFollowing(self._node, self._clock, self._catalog, self._remover)
        return await (following.preview() if dry_run else following.follow())

    def modules(self) -> list[ModuleInfo]:
        """Return all modules, also those that cannot be started, sorted by name."""
        now_s = asyncio.get_running_loop().time()
        statuses = {name: self._node.status(name) for name in self._node.names()}
        running = {
            keeper.launch.mark: (keeper.status.pid, keeper.status.started_s)
            for keeper in self._node.supervisor.keepers()
            if keeper.status.pid is not None and keeper.status.started_s is not None
        }
        usage = self._meter.measure(running, now_s)
        places = self._node.supervisor.places()
        return [self._describe(name, statuses[name], usage, places, now_s) for name in statuses]

    def module(self, name: str) -> ModuleInfo:
        """Return one module.

        Raises:
            NotFoundError: There is none of that name; the message has the nearest.
        """
        self._node.check_name(name)
        return next(info for info in self.modules() if info.name == name)

    def module_usage(self, name: str) -> ModuleUsage:
        """Return what a module has used, minute by minute.

        Raises:
            NotFoundError: There is no module of that name.
        """
        self._node.check_name(name)
        return ModuleUsage(name=name, samples=self._history.samples(name))

    async def start_module(self, name: str) -> ModuleChange:
        """Start a module that does not run."""
        changed = await self._node.start_module(name)
        return ModuleChange(changed=changed, module=self.module(name))

    async def stop_module(self, name: str) -> ModuleChange:
        """Stop a module until somebody starts it."""
        changed = await self._node.stop_module(name)
        return ModuleChange(changed=changed, module=self.module(name))

    async def restart_module(self, name: str) -> ModuleChange:
        """Stop a module, if it runs, and start it again."""
        await self._node.restart_module(name)
        return ModuleChange(changed=True, module=self.module(name))

    async def reload(self) -> ReloadReport:
        """Read all files again, and touch what they have changed."""
        return await self._node.reload()

    def module_log(self, name: str) -> Path:
        """Return the file that has a module's output, or our own for `jouled`; it need not be there yet.

        Raises:
            NotFoundError: There is no module of that name.
        """
        if name != JOULED:
            self._node.check_name(name)
        return module_log_file(self._node.setup.config.log_directory, name)

    def logs(self) -> dict[str, Path]:
        """Return all logs that there are, by module."""
        return find_logs(self._node.setup.config.log_directory)

    async def streams(self) -> list[StreamInfo]:
        """Return all streams, sorted by path."""
        return await asyncio.to_thread(describe_streams, self._catalog.streams(), self._data_directory)

    async def stream(self, stream: str | int) -> StreamInfo:
        """Return one stream.

        Raises:
            NotFoundError: There is no such stream.
        """
        return await asyncio.to_thread(describe_stream, self._catalog.stream(stream), self._data_directory)

    async def folders(self) -> FolderInfo:
        """Return the root folder with all that is below it."""
        return await asyncio.to_thread(describe_folder, self._catalog.folders(), self._data_directory)

    async def folder(self, folder: str | int) -> FolderInfo:
        """Return one folder with all that is below it.

        Raises:
            NotFoundError: There is no such folder.
        """
        return await asyncio.to_thread(describe_folder, self._catalog.folder(folder), self._data_directory)

    async def provenance(self, stream: str | int) -> list[ProvenanceInfo]:
        """Return who wrote which rows of a stream, oldest first.

        Raises:
            NotFoundError: There is no such stream.
            LogError: Its log cannot be read.
        """
        return await asyncio.to_thread(describe_provenance, self._catalog.stream(stream), self._data_directory)

    def stream_log(self, stream: str | int) -> Path:
        """Return the directory of a stream's log.

        Raises:
            NotFoundError: There is no such stream.
        """
        return log_directory(self._data_directory, self._catalog.stream(stream).id)

    @property
    def _data_directory(self) -> Path:
        return self._node.setup.config.data_directory

    def _peak_bytes(self, name: str, status: ModuleStatus, used: Usage | None) -> int | None:
        """Return the most memory that was seen of a module's process: the kernel counts it of each process alone."""
        if used is None or status.pid is None or status.started_s is None:
            return None
        seen = max(used.memory_bytes, peak_bytes(status.pid))
        return self._history.note_memory(name, status.pid, status.started_s, seen)

    def _describe(
        self, name: str, status: ModuleStatus, usage: dict[int, Usage], places: dict[str, int], now_s: float
    ) -> ModuleInfo:
        config: ModuleConfig | None = self._node.modules.get(name)
        keeper = self._node.supervisor.keeper(name)
        is_up = status.pid is not None and status.started_s is not None
        used = usage.get(status.pid) if status.pid is not None else None
        return ModuleInfo(
            name=name,
            description=config.description if config else "",
            state=str(status.state),
            reason=_reason(status, places.get(name, 0), now_s) + self._outdated(name),
            pid=status.pid,
            uptime_s=now_s - status.started_s if is_up and status.started_s is not None else None,
            restarts=status.restarts,
            exit_code=status.exit_code,
            inputs={pipe.name: pipe.stream for pipe in config.inputs.values()} if config else {},
            outputs={pipe.name: pipe.stream for pipe in config.outputs.values()} if config else {},
            cpu_percent=used.cpu_percent if used else None,
            memory_bytes=used.memory_bytes if used else None,
            peak_memory_bytes=self._peak_bytes(name, status, used),
            next_start_s=None if status.next_start_s is None else max(0.0, status.next_start_s - now_s),
            outdated=self._node.outdated.get(name),
            recent_ends=keeper.recent_ends() if keeper else 0,
            limits=dataclasses.asdict(keeper.launch.limits) if keeper else {},
            socket=str(web_socket(config, self.run_directory)) if config and config.is_app else None,
        )

    def _outdated(self, name: str) -> str:
        why = self._node.outdated.get(name)
        return f"; what its file says now is not in effect: {why}" if why else ""


def _reason(status: ModuleStatus, place: int, now_s: float) -> str:
    if status.state is ModuleState.WAITING and place:
        return f"{status.reason}: {place} modules start before it"
    if status.next_start_s is None:
        return status.reason
    after = format_duration(round(max(0.0, status.next_start_s - now_s)) * 1_000_000)
    return f"{status.reason}; starts again in {after}"
