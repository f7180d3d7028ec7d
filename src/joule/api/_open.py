"""Finding a node by name, directory or URL.

Names are kept in `nodes.json` below the user's configuration directory: one object, name to directory or URL.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import socket
import urllib.parse
from collections.abc import AsyncIterator
from pathlib import Path

from joule.api._node import Node
from joule.errors import BadRequestError, ConfigurationError, NotFoundError

__all__ = ["open_node"]

_URL_REMEDY = (
    "check the address. A jouled of this version answers only on its own machine, through its node's directory: "
    "joule -n DIR; a URL is for what hands that on, such as ssh -L PORT:DIR/run/api.sock"
)


@contextlib.asynccontextmanager
async def open_node(where: str | None = None) -> AsyncIterator[Node]:
    """Open a node, for `async with`.

    Args:
        where: Name (of `~/.config/joule/nodes.json`), directory, or URL. None takes the environment variable
            JOULE_NODE, else the user's default node.

    Yields:
        The node. When no `jouled` answers in a directory, one that reads streams and data from the files, and raises
        NodeUnreachableError for all else.

    Raises:
        NotFoundError: There is no node of that name, and no node's directory of that path.
        BadRequestError: A URL is none.
        ConfigurationError: `main.conf` or `nodes.json` cannot be read, or `main.conf` does not say where rows lie.
    """
    place = _find(where or os.environ.get("JOULE_NODE") or None)
    async with _connect(place) as node:
        yield node


def _connect(place: str | Path) -> Node:
    from joule.api._http_node import HttpNode  # aiohttp takes longer to load than a command to run without it

    if isinstance(place, str):
        return HttpNode(place, socket=None, remedy=_URL_REMEDY)
    from joule.config import load_node
    from joule.log import find_runtime_directory

    api_socket = find_runtime_directory(place, "api.sock") / "api.sock"
    if _is_answered(api_socket):
        return HttpNode(str(place), socket=api_socket, remedy=f"start it with 'jouled --config {place}'")
    from joule.api._offline_node import OfflineNode

    setup = load_node(place)
    setup.require_places()
    return OfflineNode(setup.config)


def _is_answered(path: Path) -> bool:
    """Return whether somebody listens on a unix socket; a killed process may have left its file."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        try:
            return probe.connect_ex(str(path)) == 0
        except OSError:  # a path too long for a socket's address: there cannot be one
            return False


def _find(where: str | None) -> str | Path:
    """Return a URL, or the directory of a node."""
    from joule.config import default_node_directory

    if where is None:
        return _check_directory(default_node_directory(), "start 'jouled' to make your own node, or name one with -n")
    if "://" in where:
        return _check_url(where)
    names = _known_nodes()
    if where in names:
        named = names[where]
        return (
            _check_url(named) if "://" in named else _check_directory(Path(named).expanduser(), "nodes.json names it")
        )
    path = Path(where)
    if path.name == "main.conf":
        path = path.parent
    if path.is_dir() or os.sep in where:
        return _check_directory(path, "'joule init' makes one")
    near = difflib.get_close_matches(where, names, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"name a directory, a URL, or a node of {_names_file()}"
    raise NotFoundError(f"there is no node {where!r}: {remedy}", node=where)


def _check_url(url: str) -> str:
    try:
        parts = urllib.parse.urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # brackets without an end, a port beyond 65535
        is_good = False
    if not is_good:
        raise BadRequestError(
            f"{url!r} is no URL of a node: write such as http://host:8088, or name the node's directory", node=url
        )
    return url


def _check_directory(path: Path, remedy: str) -> Path:
    path = path.absolute()
    try:
        is_there = (path / "main.conf").exists()
    except PermissionError:
        raise ConfigurationError(
            f"the node in {path} cannot be read: you may not look into its directory; check its permissions and owner",
            file=str(path),
        ) from None
    if not is_there:
        raise NotFoundError(f"there is no node in {path} (no main.conf): {remedy}", node=str(path))
    return path


def _names_file() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(home) if os.path.isabs(home) else Path.home() / ".config"
    return base / "joule" / "nodes.json"


def _known_nodes() -> dict[str, str]:
    path = _names_file()
    try:
        names = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error}; it holds one object, name to directory or URL"
        ) from error
    if not isinstance(names, dict) or not all(isinstance(value, str) for value in names.values()):
        raise ConfigurationError(f"{path} holds no names of nodes: it is one object, name to directory or URL")
    return names
