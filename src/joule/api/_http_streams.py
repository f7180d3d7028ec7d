"""Streams and folders as objects, over HTTP: the requests of `HttpNode` about them."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from joule.api._models import ChangeInfo, CopyProgress, FolderInfo, ProvenanceInfo, StreamInfo
from joule.api._stream_operations import StreamOperations
from joule.core import StreamSpec

__all__ = ["HttpStreamOperations"]


class HttpStreamOperations(StreamOperations):
    """The operations, by way of one request each."""

    @abc.abstractmethod
    async def _answer(self, method: str, path: str, query: Mapping[str, str], body: Any = None) -> Any:
        """Return the JSON of an answer; `body` is sent as JSON."""

    async def folder(self, folder: str | int) -> FolderInfo:
        """Return one folder with all that is below it."""
        return FolderInfo.from_json(await self._answer("GET", "/folder.json", _query(folder)))

    @abc.abstractmethod
    def _lines(self, path: str, body: Any) -> AsyncGenerator[Any]:
        """Yield the JSON lines of an answer that goes on for long, without the one that says that it is done."""

    async def stream_provenance(self, stream: str | int) -> list[ProvenanceInfo]:
        """Return who wrote which rows of a stream."""
        answer = await self._answer("GET", "/stream/provenance.json", _query(stream))
        return [ProvenanceInfo.from_json(body) for body in answer]

    async def stream_create(self, spec: StreamSpec) -> StreamInfo:
        """Make a stream without rows."""
        facts = {**dataclasses.asdict(spec), "name": spec.name}
        del facts["path"]
        body = {"stream": facts, "dest_path": spec.folder}
        return StreamInfo.from_json(await self._answer("POST", "/stream.json", {}, body))

    async def stream_update(self, stream: str | int, changes: Mapping[str, Any]) -> ChangeInfo:
        """Change attributes of a stream and of its elements."""
        body = {**_query(stream), "stream": dict(changes)}
        return ChangeInfo.from_json(await self._answer("PUT", "/stream.json", {}, body))

    async def stream_move(self, stream: str | int, folder: str) -> ChangeInfo:
        """Move a stream into a folder."""
        body = {**_source(stream), "dest_path": folder}
        return ChangeInfo.from_json(await self._answer("PUT", "/stream/move.json", {}, body))

    async def stream_delete(self, stream: str | int) -> ChangeInfo:
        """Delete a stream with all its rows."""
        return ChangeInfo.from_json(await self._answer("DELETE", "/stream.json", _query(stream)))

    async def folder_update(self, folder: str | int, changes: Mapping[str, Any]) -> ChangeInfo:
        """Change the description of a folder, or its name."""
        body = {**_query(folder), "folder": dict(changes)}
        return ChangeInfo.from_json(await self._answer("PUT", "/folder.json", {}, body))

    async def folder_move(self, folder: str | int, parent: str) -> ChangeInfo:
        """Move a folder into another one."""
        body = {**_source(folder), "dest_path": parent}
        return ChangeInfo.from_json(await self._answer("PUT", "/folder/move.json", {}, body))

    async def folder_copy(
        self, folder: str | int, destination: str, start_us: int | None = None, end_us: int | None = None
    ) -> AsyncGenerator[CopyProgress]:
        """Copy a folder with all streams below it."""
        body = {**_source(folder), "dest_path": destination, "start": start_us, "end": end_us}
        async with contextlib.aclosing(self._lines("/folder/copy", body)) as lines:
            async for line in lines:
                yield CopyProgress.from_json(line)

    async def folder_delete(self, folder: str | int, *, recursive: bool = False) -> ChangeInfo:
        """Delete a folder."""
        query = _query(folder) | ({"recursive": "1"} if recursive else {})
        return ChangeInfo.from_json(await self._answer("DELETE", "/folder.json", query))


def _query(path_or_id: str | int) -> dict[str, str]:
    return {"id": str(path_or_id)} if isinstance(path_or_id, int) else {"path": path_or_id}


def _source(path_or_id: str | int) -> dict[str, str]:
    return {f"src_{name}": value for name, value in _query(path_or_id).items()}
