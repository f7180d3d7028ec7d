"""The node's API as an aiohttp application, and serving it on a unix socket.

Only the user who runs the node can open the socket (0600 in a directory 0700), so there are no keys here; an API on a
network port is another front for the same application.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from joule.server._clock import ClockRoutes
from joule.server._data import DataRoutes
from joule.server._errors import error_shape
from joule.server._folder_copy import FolderCopyRoutes
from joule.server._logs import LogRoutes
from joule.server._modules import ModuleRoutes
from joule.server._stream_changes import StreamChangeRoutes
from joule.server._streams import StreamRoutes
from joule.server._view import NodeView

__all__ = ["create_app", "serve_unix"]

_FINISH_S = 0.2  # answers without an end, such as live rows, are cut off after this long


def create_app(node: NodeView) -> web.Application:
    """Return the API of a node."""
    app = web.Application(middlewares=[error_shape])
    parts = (
        ModuleRoutes(node),
        LogRoutes(node),
        StreamRoutes(node),
        StreamChangeRoutes(node),
        FolderCopyRoutes(node),
        DataRoutes(node),
        ClockRoutes(node),
    )
    for part in parts:
        app.add_routes(part.routes())
    return app


@contextlib.asynccontextmanager
async def serve_unix(app: web.Application, path: Path) -> AsyncIterator[None]:
    """Serve an application on a unix socket as long as the context lasts.

    Args:
        app: The application.
        path: Of the socket. One that was left by a killed process is replaced: the caller holds the node's lock.

    Raises:
        OSError: The socket cannot be made.
    """
    # Handlers of clients that went away are cancelled: a live answer with no rows would not notice otherwise.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_FINISH_S)
    await runner.setup()
    try:
        await web.SockSite(runner, _bind(path)).start()
        yield
    finally:
        await runner.cleanup()
        path.unlink(missing_ok=True)


def _bind(path: Path) -> socket.socket:
    """Return a socket bound to a path, for its owner alone, without a moment in which it is open to others."""
    draft = path.with_name(".api.new")
    draft.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(draft))
        os.chmod(draft, 0o600)
        # A socket that nobody listens to yet refuses everybody; its name appears with the right mode.
        os.rename(draft, path)
    except BaseException:
        listener.close()
        raise
    return listener
