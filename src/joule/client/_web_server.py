"""The web server of one module: its application on one unix socket or one port. Loads aiohttp."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from joule.client._interface import Interface
from joule.client._options import WebOptions
from joule.client._web_keys import interface_key, state_key
from joule.errors import ModuleError

__all__ = ["WebServer", "create_app"]

_log = logging.getLogger("joule.client")

_PORTS = range(8000, 9000)
_BACKLOG = 128
_SOCKET_MODE = 0o660  # the group's too: the web server in front of a node often has a user of its own
_FINISH_S = 0.2  # of the 2 s that a module has to end; answers without an end are cut off after this long


def create_app(routes: Any, module: str) -> web.Application:
    """Return the application of a module, with a state of its own.

    Args:
        routes: What `routes()` returned.
        module: Its class's name, for messages.

    Raises:
        ModuleError: That is no list of routes.
    """
    app = web.Application()
    app[state_key] = {}
    try:
        app.add_routes(routes)
    except (TypeError, AttributeError, ValueError) as error:
        raise ModuleError(
            f"{module}.routes() must return a list of aiohttp routes, such as [web.get('/', self.index)]: {error}"
        ) from error
    return app


class WebServer(Interface):
    """Has its address from the beginning of the context to its end.

    Args:
        app: What it serves.
        path: Of a unix socket; None for the network address of the options. A socket that a killed process left is
            replaced.
        options: Of the command line.
        module: The class's name, for messages.

    Raises:
        ModuleError: The address cannot be had.
    """

    def __init__(self, app: web.Application, path: Path | None, options: WebOptions, module: str) -> None:
        self._app = app
        self._path = path
        try:
            self._socket = _listen_unix(path) if path is not None else _listen_network(options.host, options.port)
        except OSError as error:
            where = f"the unix socket {path}" if path is not None else _network_name(options.host, options.port)
            raise ModuleError(f"{module} cannot serve its web pages on {where}: {_why(error)}") from error
        self._inode = _inode(path)
        app[interface_key] = self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()
        if self._path is not None and _inode(self._path) == self._inode:  # not that of whoever came after us
            self._path.unlink(missing_ok=True)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer requests; those that came before are answered now."""
        runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=_FINISH_S)
        await runner.setup()
        try:
            await web.SockSite(runner, self._socket).start()
            _log.info("starting web server at %s", self._where())
            yield
        finally:
            await runner.cleanup()

    def _where(self) -> str:
        if self._path is not None:
            return str(self._path)
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listen_network(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens on a port, or on the first free one."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0]
    for candidate in _PORTS if port is None else (port,):
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address[0], candidate, *address[2:]))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            if port is not None or error.errno != errno.EADDRINUSE:
                raise
        else:
            return listener
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _listen_unix(path: Path) -> socket.socket:
    """Return a socket that listens on a path, without a moment in which its mode is another."""
    _check_path(path)
    draft = path.with_name(f".{path.stem}.new")
    listener = socket.socket(socket.AF_UNIX)
    try:
        if draft.is_socket():  # of a process that was killed at this very place
            draft.unlink()
        listener.bind(str(draft))
        os.chmod(draft, _SOCKET_MODE)
        listener.listen(_BACKLOG)
        os.rename(draft, path)
    except BaseException:
        listener.close()
        raise
    return listener


def _check_path(path: Path) -> None:
    """Refuse to take the place of anything but a socket that nobody listens to."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, "there is a file of that name that is no socket")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _inode(path: Path | None) -> int | None:
    try:
        return None if path is None else path.lstat().st_ino
    except FileNotFoundError:
        return None


def _network_name(host: str, port: int | None) -> str:
    return f"port {port} of {host}" if port is not None else f"ports {_PORTS[0]} to {_PORTS[-1]} of {host}"


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another process has it; choose another one, or end that process"
    return f"{error.strerror or error}; choose another one"
