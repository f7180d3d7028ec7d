"""The node's API over HTTP: what modules and streams there are, and their rows.

An aiohttp application made for whatever fulfils `NodeView`; it knows nothing of the daemon behind it. Every error has
one shape, `{"error": {"code", "message", "detail"}}`, and the client in `joule.api` raises the same class again.
"""

from joule.server._app import create_app, serve_unix
from joule.server._operations import StreamChangesView
from joule.server._view import NodeView

__all__ = ["NodeView", "StreamChangesView", "create_app", "serve_unix"]
