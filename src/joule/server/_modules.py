"""Routes about the node and its modules."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from aiohttp import web

from joule.server._log_tail import follow_lines, last_lines
from joule.server._query import flag, integer, required_text
from joule.server._view import NodeView

__all__ = ["ModuleRoutes"]

MAX_LINES = 100_000
DEFAULT_LINES = 100


class ModuleRoutes:
    """Handlers; each answers one question."""

    def __init__(self, node: NodeView) -> None:
        self._node = node

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/version.json", self.version),
            web.get("/modules.json", self.modules),
            web.get("/module.json", self.module),
            web.get("/module/logs.json", self.logs),
            web.get("/module/logs", self.follow_logs),
            web.post("/module/start.json", self.start),
            web.post("/module/stop.json", self.stop),
            web.post("/module/restart.json", self.restart),
        ]

    async def version(self, request: web.Request) -> web.Response:
        """GET /version.json: which node this is."""
        return web.json_response(self._node.version().to_json())

    async def modules(self, request: web.Request) -> web.Response:
        """GET /modules.json: all modules."""
        return web.json_response([module.to_json() for module in self._node.modules()])

    async def module(self, request: web.Request) -> web.Response:
        """GET /module.json?name=: one module."""
        return web.json_response(self._node.module(required_text(request, "name")).to_json())

    async def logs(self, request: web.Request) -> web.Response:
        """GET /module/logs.json?name=&lines=: the newest lines of its output, as a list."""
        path = self._node.module_log(required_text(request, "name"))
        lines = await asyncio.to_thread(last_lines, path, _lines(request))
        return web.json_response(lines)

    async def follow_logs(self, request: web.Request) -> web.StreamResponse:
        """GET /module/logs?name=&lines=[&follow=1]: the same as text; with follow, every further line too."""
        path = self._node.module_log(required_text(request, "name"))
        count = _lines(request)
        if not flag(request, "follow"):
            lines = await asyncio.to_thread(last_lines, path, count)
            return web.Response(text="".join(f"{line}\n" for line in lines))
        answer = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
        await answer.prepare(request)
        async with aclosing(follow_lines(path, count)) as pieces:
            async for piece in pieces:
                await answer.write(piece)
        return answer

    async def start(self, request: web.Request) -> web.Response:
        """POST /module/start.json?name=: start a module that does not run."""
        return web.json_response((await self._node.start_module(required_text(request, "name"))).to_json())

    async def stop(self, request: web.Request) -> web.Response:
        """POST /module/stop.json?name=: stop a module until somebody starts it."""
        return web.json_response((await self._node.stop_module(required_text(request, "name"))).to_json())

    async def restart(self, request: web.Request) -> web.Response:
        """POST /module/restart.json?name=: stop a module, if it runs, and start it again."""
        return web.json_response((await self._node.restart_module(required_text(request, "name"))).to_json())


def _lines(request: web.Request) -> int:
    lines = integer(request, "lines", low=0, high=MAX_LINES)
    return DEFAULT_LINES if lines is None else lines
