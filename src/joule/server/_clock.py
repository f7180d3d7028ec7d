"""Routes about the node's clock."""

from __future__ import annotations

from aiohttp import web

from joule.server._query import flag
from joule.server._view import NodeView

__all__ = ["ClockRoutes"]


class ClockRoutes:
    """Handlers; each answers one question or does one thing."""

    def __init__(self, node: NodeView) -> None:
        self._node = node

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/clock.json", self.clock),
            web.post("/clock/confirm.json", self.confirm),
            web.post("/clock/follow.json", self.follow),
        ]

    async def clock(self, request: web.Request) -> web.Response:
        """GET /clock.json: how the node's clock stands to the system's."""
        return web.json_response(self._node.clock().to_json())

    async def confirm(self, request: web.Request) -> web.Response:
        """POST /clock/confirm.json: the node's clock is right."""
        return web.json_response(self._node.clock_confirm().to_json())

    async def follow(self, request: web.Request) -> web.Response:
        """POST /clock/follow.json[?dry_run=1]: the system's clock is right, and the node's is set to it."""
        change = await self._node.clock_follow(dry_run=flag(request, "dry_run"))
        return web.json_response(change.to_json())
