"""What the server needs of a node to change its streams and folders; the daemon fulfils it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol

from joule.api import ChangeInfo, CopyProgress, StreamInfo
from joule.core import StreamSpec

__all__ = ["StreamChangesView"]


class StreamChangesView(Protocol):
    """The operations of `joule.api.Node` on streams and folders, with the same errors."""

    async def create_stream(self, spec: StreamSpec) -> StreamInfo:
        """Make a stream without rows."""

    async def update_stream(self, stream: str | int, changes: Mapping[str, Any]) -> ChangeInfo:
        """Change attributes of a stream and its elements, or its name."""

    async def move_stream(self, stream: str | int, folder: str) -> ChangeInfo:
        """Move a stream into a folder."""

    async def delete_stream(self, stream: str | int) -> ChangeInfo:
        """Delete a stream and its rows."""

    async def update_folder(self, folder: str | int, changes: Mapping[str, Any]) -> ChangeInfo:
        """Change the description of a folder, or its name."""

    async def move_folder(self, folder: str | int, parent: str) -> ChangeInfo:
        """Move a folder into another one."""

    async def delete_folder(self, folder: str | int, *, recursive: bool) -> ChangeInfo:
        """Delete a folder, if asked for with all that is in it."""

    def copy_folder(
        self, folder: str | int, destination: str, start_us: int | None, end_us: int | None
    ) -> AsyncGenerator[CopyProgress]:
        """Copy a folder with all that is in it, yielding how far it is, at once and then now and then."""

    def folder_path(self, folder: str | int) -> str:
        """Return the path of a folder; a path that is none yet is returned as it is."""
