"""Routes to what modules and `jouled` have printed, and go on to print."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from joule.api import LogLine, LogQuery, merged_lines, stored_lines
from joule.errors import BadRequestError
from joule.server._log_tail import follow_lines, follow_merged
from joule.server._query import flag, integer, required_text
from joule.server._view import NodeView

__all__ = ["LogRoutes"]

MAX_LINES = 100_000
DEFAULT_LINES = 100


class LogRoutes:
    """Handlers for logs: of one module by its name, or of all.

    All take `lines` (how many at most, the newest), `grep` (what they hold), `ignore_case=1`, `since` (inclusive) and
    `until` (exclusive), both in us. With `follow=1` an answer goes on with each further line, and takes no `until`.
    """

    def __init__(self, node: NodeView) -> None:
        self._node = node

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/module/logs.json", self.module_logs),
            web.get("/module/logs", self.module_text),
            web.get("/logs.json", self.logs),
            web.get("/logs", self.text),
        ]

    async def module_logs(self, request: web.Request) -> web.Response:
        """GET /module/logs.json?name=: the newest lines of a module's output, as a list."""
        path = self._node.module_log(required_text(request, "name"))
        return web.json_response(await asyncio.to_thread(stored_lines, path, _lines(request), _query(request)))

    async def module_text(self, request: web.Request) -> web.StreamResponse:
        """GET /module/logs?name=[&follow=1]: the same as text."""
        path = self._node.module_log(required_text(request, "name"))
        count, query = _lines(request), _query(request)
        if not flag(request, "follow"):
            lines = await asyncio.to_thread(stored_lines, path, count, query)
            return web.Response(text="".join(f"{line}\n" for line in lines))
        _check_endless(query)
        return await _send(request, "text/plain; charset=utf-8", follow_lines(path, count, query))

    async def logs(self, request: web.Request) -> web.Response:
        """GET /logs.json: the newest lines of all modules and of jouled, a list of objects `module`, `line`."""
        found = await asyncio.to_thread(merged_lines, self._node.logs(), _lines(request), _query(request))
        return web.json_response([dataclasses.asdict(line) for line in found])

    async def text(self, request: web.Request) -> web.StreamResponse:
        """GET /logs[?follow=1]: the same, an object a line."""
        count, query = _lines(request), _query(request)
        if not flag(request, "follow"):
            found = await asyncio.to_thread(merged_lines, self._node.logs(), count, query)
            return web.Response(text="".join(f"{json.dumps(dataclasses.asdict(line))}\n" for line in found))
        _check_endless(query)
        followed = follow_merged(self._node.logs, count, query)
        return await _send(request, "application/x-ndjson", _as_json(followed))


async def _as_json(followed: AsyncGenerator[list[LogLine]]) -> AsyncGenerator[list[str]]:
    async with aclosing(followed):
        async for lines in followed:
            yield [json.dumps(dataclasses.asdict(line)) for line in lines]


async def _send(request: web.Request, content_type: str, followed: AsyncGenerator[list[str]]) -> web.StreamResponse:
    """Send lines as they come, until the client goes away."""
    answer = web.StreamResponse(headers={"Content-Type": content_type})
    await answer.prepare(request)
    async with aclosing(followed):
        async for lines in followed:
            await answer.write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
    return answer


def _lines(request: web.Request) -> int:
    lines = integer(request, "lines", low=0, high=MAX_LINES)
    return DEFAULT_LINES if lines is None else lines


def _query(request: web.Request) -> LogQuery:
    return LogQuery(
        text=request.query.get("grep", ""),
        ignores_case=flag(request, "ignore_case"),
        since_us=_time(request, "since"),
        until_us=_time(request, "until"),
    )


def _time(request: web.Request, name: str) -> int | None:
    return integer(request, name, low=-(2**63), high=2**63 - 1)


def _check_endless(query: LogQuery) -> None:
    if query.until_us is not None:
        raise BadRequestError("'follow' goes on without end: it takes no 'until'")
