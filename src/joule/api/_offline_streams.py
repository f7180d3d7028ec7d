"""Streams and folders of a node that nobody runs: they can be looked at, and changed by its `jouled` alone."""

from __future__ import annotations

import abc
from collections.abc import AsyncGenerator, Mapping
from typing import Any, NoReturn

from joule.api._models import ChangeInfo, CopyProgress, StreamInfo
from joule.api._stream_operations import StreamOperations
from joule.core import StreamSpec

__all__ = ["RefusedStreamOperations"]


class RefusedStreamOperations(StreamOperations):
    """Refuses every change."""

    @abc.abstractmethod
    def _refuse(self, what: str) -> NoReturn:
        """Say that `what` is not to be had without a `jouled`, and what starts one."""

    async def stream_create(self, spec: StreamSpec) -> StreamInfo:
        """Not without a `jouled`."""
        self._refuse(f"making stream {spec.path!r}")

    async def stream_update(self, stream: str | int, changes: Mapping[str, Any]) -> ChangeInfo:
        """Not without a `jouled`."""
        self._refuse(f"changing stream {stream!r}")

    async def stream_move(self, stream: str | int, folder: str) -> ChangeInfo:
        """Not without a `jouled`."""
        self._refuse(f"moving stream {stream!r}")

    async def stream_delete(self, stream: str | int) -> ChangeInfo:
        """Not without a `jouled`."""
        self._refuse(f"deleting stream {stream!r}")

    async def folder_update(self, folder: str | int, changes: Mapping[str, Any]) -> ChangeInfo:
        """Not without a `jouled`."""
        self._refuse(f"changing folder {folder!r}")

    async def folder_move(self, folder: str | int, parent: str) -> ChangeInfo:
        """Not without a `jouled`."""
        self._refuse(f"moving folder {folder!r}")

    def folder_copy(
        self, folder: str | int, destination: str, start_us: int | None = None, end_us: int | None = None
    ) -> AsyncGenerator[CopyProgress]:
        """Not without a `jouled`."""
        self._refuse(f"copying folder {folder!r}")

    async def folder_delete(self, folder: str | int, *, recursive: bool = False) -> ChangeInfo:
        """Not without a `jouled`."""
        self._refuse(f"deleting folder {folder!r}")
