"""Routes about the node and its modules."""

from __future__ import annotations

from aiohttp import web

from joule.server._query import required_text
from joule.server._view import NodeView

__all__ = ["ModuleRoutes"]


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
            web.get("/module/usage.json", self.usage),
            web.post("/reload.json", self.reload),
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

    async def usage(self, request: web.Request) -> web.Response:
        """GET /module/usage.json?name=: what it has used over the last day, a sample a minute."""
        return web.json_response(self._node.module_usage(required_text(request, "name")).to_json())

    async def start(self, request: web.Request) -> web.Response:
        """POST /module/start.json?name=: start a module that does not run."""
        return web.json_response((await self._node.start_module(required_text(request, "name"))).to_json())

    async def stop(self, request: web.Request) -> web.Response:
        """POST /module/stop.json?name=: stop a module until somebody starts it."""
        return web.json_response((await self._node.stop_module(required_text(request, "name"))).to_json())

    async def restart(self, request: web.Request) -> web.Response:
        """POST /module/restart.json?name=: stop a module, if it runs, and start it again."""
        return web.json_response((await self._node.restart_module(required_text(request, "name"))).to_json())

    async def reload(self, request: web.Request) -> web.Response:
        """POST /reload.json: read all files of the node again, and touch what they have changed."""
        return web.json_response((await self._node.reload()).to_json())
