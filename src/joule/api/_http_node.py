"""A node whose `jouled` answers over HTTP: on the unix socket of its directory, or at a URL."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from joule.api._clock_models import ClockChange, ClockInfo
from joule.api._frames import LAYOUT_HEADER, read_frames
from joule.api._http_streams import HttpStreamOperations
from joule.api._log_lines import LogLine, LogQuery
from joule.api._models import (
    FolderInfo,
    ModuleChange,
    ModuleInfo,
    ModuleUsage,
    ReloadReport,
    StreamInfo,
    VersionInfo,
)
from joule.api._node import Node
from joule.core import Layout, Rows
from joule.errors import JouleError, NodeError, NodeUnreachableError, from_wire
from joule.log import Break

__all__ = ["HttpNode"]

_CONNECT_S = 5.0
_ANSWER_S = 60.0  # for answers that have an end, between two pieces of it
_BUFFER_BYTES = 2**20
_LINE_BYTES = 2**20  # a log's lines are cut at some 8 KiB; escapes make them longer


class HttpNode(HttpStreamOperations, Node):
    """A client of a running node.

    Args:
        where: Directory or URL, for messages.
        socket: Path of the unix socket; None for a node at a URL.
        remedy: What a person can do when nothing answers.
    """

    def __init__(self, where: str, *, socket: Path | None, remedy: str) -> None:
        self.where = where
        self._remedy = remedy
        self._base = "http://node" if socket is not None else where.rstrip("/")
        connector = aiohttp.UnixConnector(str(socket)) if socket is not None else aiohttp.TCPConnector()
        self._session = aiohttp.ClientSession(connector=connector, read_bufsize=_BUFFER_BYTES)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def version(self) -> VersionInfo:
        """Return which node this is."""
        return VersionInfo.from_json(await self._json("/version.json"))

    async def clock(self) -> ClockInfo:
        """Return how the node's clock stands."""
        return ClockInfo.from_json(await self._json("/clock.json"))

    async def clock_confirm(self) -> ClockInfo:
        """Say that the node's clock is right."""
        return ClockInfo.from_json(await self._post("/clock/confirm.json"))

    async def clock_follow(self, *, dry_run: bool = False) -> ClockChange:
        """Set the node's clock to the system's."""
        query = {"dry_run": "1"} if dry_run else {}
        async with self._request("POST", "/clock/follow.json", query, answer_s=None) as answer:  # rows are copied
            return ClockChange.from_json(await answer.json())

    async def modules(self) -> list[ModuleInfo]:
        """Return all modules."""
        return [ModuleInfo.from_json(body) for body in await self._json("/modules.json")]

    async def module(self, name: str) -> ModuleInfo:
        """Return one module."""
        return ModuleInfo.from_json(await self._json("/module.json", name=name))

    async def module_logs(self, name: str, lines: int = 100, query: LogQuery | None = None) -> list[str]:
        """Return the newest lines of a module's output."""
        return [str(line) for line in await self._json("/module/logs.json", name=name, **_log_query(lines, query))]

    async def follow_module_logs(
        self, name: str, lines: int = 10, query: LogQuery | None = None
    ) -> AsyncGenerator[str]:
        """Yield the newest lines of a module's output, then each new one."""
        async for line in self._follow_lines("/module/logs", {"name": name, **_log_query(lines, query)}):
            yield line

    async def logs(self, lines: int = 100, query: LogQuery | None = None) -> list[LogLine]:
        """Return the newest lines of all modules."""
        return [LogLine(**body) for body in await self._json("/logs.json", **_log_query(lines, query))]

    async def follow_logs(self, lines: int = 10, query: LogQuery | None = None) -> AsyncGenerator[LogLine]:
        """Yield the newest lines of all modules, then each new one."""
        async for line in self._follow_lines("/logs", _log_query(lines, query)):
            yield LogLine(**json.loads(line))

    async def _follow_lines(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[str]:
        async with self._get(path, {**query, "follow": "1"}, answer_s=None) as answer:
            while line := await answer.content.readuntil(b"\n"):
                yield line.decode("utf-8", "backslashreplace").rstrip("\n")
            raise self._gone("the log broke off")

    async def module_usage(self, name: str) -> ModuleUsage:
        """Return what a module has used over the last day."""
        return ModuleUsage.from_json(await self._json("/module/usage.json", name=name))

    async def module_start(self, name: str) -> ModuleChange:
        """Start a module."""
        return ModuleChange.from_json(await self._post("/module/start.json", name=name))

    async def module_stop(self, name: str) -> ModuleChange:
        """Stop a module."""
        return ModuleChange.from_json(await self._post("/module/stop.json", name=name))

    async def module_restart(self, name: str) -> ModuleChange:
        """Stop a module, if it runs, and start it again."""
        return ModuleChange.from_json(await self._post("/module/restart.json", name=name))

    async def reload(self) -> ReloadReport:
        """Let the node read its files again."""
        return ReloadReport.from_json(await self._post("/reload.json"))

    async def streams(self) -> list[StreamInfo]:
        """Return all streams."""
        return [StreamInfo.from_json(body) for body in await self._json("/streams.json")]

    async def stream(self, stream: str | int) -> StreamInfo:
        """Return one stream."""
        return StreamInfo.from_json(await self._json("/stream.json", **_stream_query(stream)))

    async def folders(self) -> FolderInfo:
        """Return the root folder with all that is below it."""
        return FolderInfo.from_json(await self._json("/folders.json"))

    async def read_data(
        self, stream: str | int, start_us: int | None = None, end_us: int | None = None
    ) -> AsyncGenerator[Rows | Break]:
        """Yield stored rows and breaks."""
        bounds = {"start": start_us, "end": end_us}
        query = _stream_query(stream) | {name: str(time) for name, time in bounds.items() if time is not None}
        async with self._get("/data", query, answer_s=_ANSWER_S) as answer:
            async for block in self._frames(answer):
                yield block

    async def follow_data(self, stream: str | int) -> AsyncGenerator[Rows | Break]:
        """Yield rows and breaks as they are stored."""
        query = {**_stream_query(stream), "subscribe": "1"}
        async with self._get("/data", query, answer_s=None) as answer:
            async for block in self._frames(answer):
                yield block
            raise self._gone("the rows ended")

    async def _json(self, path: str, /, **query: str) -> Any:
        return await self._answer("GET", path, query)

    async def _post(self, path: str, /, **query: str) -> Any:
        return await self._answer("POST", path, query)

    async def _lines(self, path: str, body: Any) -> AsyncGenerator[Any]:
        async with self._request("POST", path, {}, body=body, answer_s=_ANSWER_S) as answer:
            while line := await answer.content.readuntil(b"\n"):
                facts = json.loads(line)
                if "error" in facts:
                    raise from_wire(facts)
                if facts == {"done": True}:
                    return
                yield facts
            raise self._gone("the answer broke off")

    async def _answer(self, method: str, path: str, query: Mapping[str, str], body: Any = None) -> Any:
        async with self._request(method, path, query, body=body, answer_s=_ANSWER_S) as answer:
            try:
                return await answer.json()
            except ValueError as error:
                raise NodeError(f"{self.where} gave an answer that is no JSON: {error}") from error

    def _get(
        self, path: str, query: Mapping[str, str], *, answer_s: float | None
    ) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self._request("GET", path, query, answer_s=answer_s)

    @contextlib.asynccontextmanager
    async def _request(
        self, method: str, path: str, query: Mapping[str, str], *, body: Any = None, answer_s: float | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open an answer; every trouble with the connection, also in the body of the context, is NodeUnreachable."""
        timeout = aiohttp.ClientTimeout(total=None, connect=_CONNECT_S, sock_read=answer_s)
        try:
            async with self._session.request(
                method, self._base + path, params=query, json=body, timeout=timeout
            ) as answer:
                if answer.status != 200:
                    raise await self._error(answer)
                yield answer
        except (aiohttp.ClientConnectorError, ConnectionRefusedError, FileNotFoundError) as error:
            raise NodeUnreachableError(f"no jouled answers at {self.where}: {self._remedy}", node=self.where) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise NodeUnreachableError(f"no jouled answers at {self.where}: {self._remedy}", node=self.where) from error
        except TimeoutError as error:
            raise NodeUnreachableError(
                f"the jouled at {self.where} has not answered for {_ANSWER_S:.0f} s: is it stopped, or its disk stuck?",
                node=self.where,
            ) from error
        except (aiohttp.ClientError, asyncio.IncompleteReadError, ConnectionError) as error:
            raise self._gone("the answer broke off") from error

    async def _error(self, answer: aiohttp.ClientResponse) -> JouleError:
        try:
            return from_wire(await answer.json())
        except (aiohttp.ContentTypeError, ValueError):
            return NodeError(f"{self.where} is no Joule node: it answered {answer.status} {answer.reason}")

    async def _frames(self, answer: aiohttp.ClientResponse) -> AsyncGenerator[Rows | Break]:
        layout = Layout.parse(answer.headers.get(LAYOUT_HEADER, ""))
        async for block in read_frames(layout, answer.content.readexactly):
            yield block

    def _gone(self, what: str) -> NodeUnreachableError:
        message = f"{what}: the jouled at {self.where} was stopped or has died; what came until then is right"
        return NodeUnreachableError(message, node=self.where)


def _stream_query(stream: str | int) -> dict[str, str]:
    return {"id": str(stream)} if isinstance(stream, int) else {"path": stream}


def _log_query(lines: int, query: LogQuery | None) -> dict[str, str]:
    """Return the parameters of a request for log lines."""
    wanted = query or LogQuery()
    facts = {"grep": wanted.text, "since": wanted.since_us, "until": wanted.until_us}
    found = {name: str(value) for name, value in facts.items() if value not in (None, "")}
    return {"lines": str(lines), **found, **({"ignore_case": "1"} if wanted.ignores_case else {})}
