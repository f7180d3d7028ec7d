"""Finding a node by name, directory or URL."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from joule.api._node import Node

__all__ = ["open_node"]


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
        NodeUnreachableError: Nothing answers at that URL.
    """
    raise NotImplementedError(where)
    yield
