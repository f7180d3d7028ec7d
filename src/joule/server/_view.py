"""What the server needs to know of a node; the daemon fulfils it, and tests do with a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from joule.api import (
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
)
from joule.server._operations import StreamChangesView

__all__ = ["NodeView"]


class NodeView(Protocol):
    """A node, seen from its API. Every lookup raises NotFoundError, naming what is near, for what there is not."""

    @property
    def run_directory(self) -> Path:
        """Where FIFOs and sockets of the node live."""

    def version(self) -> VersionInfo:
        """Return which node this is."""

    def clock(self) -> ClockInfo:
        """Return how the node's clock stands to the system's."""

    def clock_confirm(self) -> ClockInfo:
        """Take the node's clock for right; returns how it stands then."""

    async def clock_follow(self, *, dry_run: bool) -> ClockChange:
        """Set the node's clock to the system's, or tell what that would do."""

    def modules(self) -> list[ModuleInfo]:
        """Return all modules, sorted by name."""

    def module(self, name: str) -> ModuleInfo:
        """Return one module."""

    def module_log(self, name: str) -> Path:
        """Return the file that has a module's output, or `jouled`'s own; it need not be there yet."""

    def logs(self) -> Mapping[str, Path]:
        """Return the logs that there are, by module, and that of the daemon itself as `jouled`."""

    def module_usage(self, name: str) -> ModuleUsage:
        """Return what a module has used over the last day."""

    async def start_module(self, name: str) -> ModuleChange:
        """Start a module, whoever asked stays or goes; see `joule.api.Node.module_start`."""

    async def stop_module(self, name: str) -> ModuleChange:
        """Stop a module, likewise."""

    async def restart_module(self, name: str) -> ModuleChange:
        """Stop a module, if it runs, and start it again, likewise."""

    async def reload(self) -> ReloadReport:
        """Read all files of the node again, whoever asked stays or goes; see `joule.api.Node.reload`."""

    async def streams(self) -> list[StreamInfo]:
        """Return all streams, sorted by path."""

    async def stream(self, stream: str | int) -> StreamInfo:
        """Return one stream, by path or id."""

    async def folders(self) -> FolderInfo:
        """Return the root folder with all that is below it."""

    async def folder(self, folder: str | int) -> FolderInfo:
        """Return one folder, by path or id, with all that is below it."""

    async def provenance(self, stream: str | int) -> list[ProvenanceInfo]:
        """Return who wrote which rows of a stream, oldest first."""

    @property
    def changes(self) -> StreamChangesView:
        """What makes, changes, moves and deletes streams and folders."""

    def stream_log(self, stream: str | int) -> Path:
        """Return the directory of a stream's log."""
