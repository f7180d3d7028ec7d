"""Routes about streams and folders."""

from __future__ import annotations

from aiohttp import web

from joule.server._query import stream_key
from joule.server._view import NodeView

__all__ = ["StreamRoutes"]


class StreamRoutes:
    """Handlers; each answers one question."""

    def __init__(self, node: NodeView) -> None:
        self._node = node

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/streams.json", self.streams),
            web.get("/stream.json", self.stream),
            web.get("/stream/provenance.json", self.provenance),
            web.get("/folders.json", self.folders),
            web.get("/folder.json", self.folder),
        ]

    async def streams(self, request: web.Request) -> web.Response:
        """GET /streams.json: all streams."""
        return web.json_response([stream.to_json() for stream in await self._node.streams()])

    async def stream(self, request: web.Request) -> web.Response:
        """GET /stream.json?path=|id=: one stream."""
        return web.json_response((await self._node.stream(stream_key(request))).to_json())

    async def provenance(self, request: web.Request) -> web.Response:
        """GET /stream/provenance.json?path=|id=: who wrote which rows, oldest first."""
        return web.json_response([part.to_json() for part in await self._node.provenance(stream_key(request))])

    async def folders(self, request: web.Request) -> web.Response:
        """GET /folders.json: the root folder with all that is below it."""
        return web.json_response((await self._node.folders()).to_json())

    async def folder(self, request: web.Request) -> web.Response:
        """GET /folder.json?path=|id=: one folder with all that is below it."""
        return web.json_response((await self._node.folder(stream_key(request))).to_json())
