"""What the running node tells its API: the daemon's side of `joule.server.NodeView`."""

from __future__ import annotations

import asyncio
import difflib
import os
from pathlib import Path

from joule._version import __version__
from joule.api import (
    FolderInfo,
    ModuleInfo,
    StreamInfo,
    VersionInfo,
    describe_folder,
    describe_stream,
    describe_streams,
    log_directory,
)
from joule.catalog import Catalog
from joule.config import ModuleConfig, NodeSetup
from joule.daemon._preparation import Preparation, module_log_file
from joule.daemon._states import ModuleState, ModuleStatus
from joule.daemon._supervisor import Supervisor
from joule.daemon._usage import Usage, UsageMeter
from joule.errors import NotFoundError

__all__ = ["RunningNode"]


class RunningNode:
    """A node under this daemon."""

    def __init__(
        self,
        setup: NodeSetup,
        preparation: Preparation,
        catalog: Catalog,
        supervisor: Supervisor,
        run_directory: Path,
    ) -> None:
        self.run_directory = run_directory
        self._setup = setup
        self._problems = preparation.problems
        self._catalog = catalog
        self._supervisor = supervisor
        self._configs = {module.name: module for module in setup.modules}
        self._meter = UsageMeter()

    def version(self) -> VersionInfo:
        """Return which node this is."""
        config = self._setup.config
        return VersionInfo(version=__version__, name=config.name, directory=str(config.directory), pid=os.getpid())

    def modules(self) -> list[ModuleInfo]:
        """Return all modules, also those that cannot be started, sorted by name."""
        now_s = asyncio.get_running_loop().time()
        names = sorted({*self._configs, *self._problems})
        statuses = {name: self._status(name) for name in names}
        started = {
            status.pid: status.started_s
            for status in statuses.values()
            if status.pid is not None and status.started_s is not None
        }
        usage = self._meter.measure(started, now_s)
        return [self._describe(name, statuses[name], usage, now_s) for name in names]

    def module(self, name: str) -> ModuleInfo:
        """Return one module.

        Raises:
            NotFoundError: There is none of that name; the message has the nearest.
        """
        self._check_name(name)
        return next(info for info in self.modules() if info.name == name)

    def module_log(self, name: str) -> Path:
        """Return the file that has a module's output; it need not be there yet.

        Raises:
            NotFoundError: There is no module of that name.
        """
        self._check_name(name)
        return module_log_file(self._setup.config.log_directory, name)

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

    def stream_log(self, stream: str | int) -> Path:
        """Return the directory of a stream's log.

        Raises:
            NotFoundError: There is no such stream.
        """
        return log_directory(self._data_directory, self._catalog.stream(stream).id)

    @property
    def _data_directory(self) -> Path:
        return self._setup.config.data_directory

    def _check_name(self, name: str) -> None:
        known = {*self._configs, *self._problems}
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else "'joule module list' shows those that are"
            raise NotFoundError(f"there is no module {name!r}: {remedy}", module=name, nearest=near)

    def _status(self, name: str) -> ModuleStatus:
        status = self._supervisor.status(name)
        return status or ModuleStatus(state=ModuleState.FAILED, reason=self._problems[name])

    def _describe(self, name: str, status: ModuleStatus, usage: dict[int, Usage], now_s: float) -> ModuleInfo:
        config: ModuleConfig | None = self._configs.get(name)
        is_up = status.pid is not None and status.started_s is not None
        used = usage.get(status.pid) if status.pid is not None else None
        return ModuleInfo(
            name=name,
            description=config.description if config else "",
            state=str(status.state),
            reason=_reason(status, now_s),
            pid=status.pid,
            uptime_s=now_s - status.started_s if is_up and status.started_s is not None else None,
            restarts=status.restarts,
            exit_code=status.exit_code,
            inputs={pipe.name: pipe.stream for pipe in config.inputs.values()} if config else {},
            outputs={pipe.name: pipe.stream for pipe in config.outputs.values()} if config else {},
            cpu_percent=used.cpu_percent if used else None,
            memory_bytes=used.memory_bytes if used else None,
        )


def _reason(status: ModuleStatus, now_s: float) -> str:
    if status.next_start_s is None:
        return status.reason
    return f"{status.reason}; starts again in {max(0.0, status.next_start_s - now_s):.0f} s"
