"""The names by which programs of the newest era get at a node. In this version they say what there is instead.

They can be imported, so that a module file that asks a node only now and then runs all the same; the first use of one
raises a `NotYetError`. What this version answers, it answers through `open_node`.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NoReturn

from joule.errors import NotYetError

__all__ = [
    "BaseNode",
    "NodeConfig",
    "TcpNode",
    "UnixNode",
    "create_tcp_node",
    "delete_node",
    "get_node",
    "get_nodes",
    "save_node",
    "set_default_node",
]

_REMEDY = "joule.api.open_node() gives a client that reads streams, rows, modules and their logs"


@dataclasses.dataclass
class NodeConfig:
    """Where a node is, and the key to it.

    Attributes:
        name: By which it is known here.
        url: Where it answers.
        key: What it knows its users by.
    """

    name: str
    url: str
    key: str


class BaseNode:
    """What the nodes of the newest era have in common; none can be made in this version."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        _refuse(type(self).__name__)


class TcpNode(BaseNode):
    """A node at a URL."""


class UnixNode(BaseNode):
    """A node behind a unix socket."""


def get_node(name: str = "") -> BaseNode:
    """Raise NotYetError: nodes by name come in a later version."""
    _refuse("get_node()")


def get_nodes() -> list[BaseNode]:
    """Raise NotYetError, as `get_node` does."""
    _refuse("get_nodes()")


def create_tcp_node(url: str, key: str, name: str = "node") -> BaseNode:
    """Raise NotYetError, as `get_node` does."""
    _refuse("create_tcp_node()")


def save_node(node: BaseNode) -> None:
    """Raise NotYetError, as `get_node` does."""
    _refuse("save_node()")


def delete_node(node: BaseNode | str) -> None:
    """Raise NotYetError, as `get_node` does."""
    _refuse("delete_node()")


def set_default_node(node: BaseNode | str) -> None:
    """Raise NotYetError, as `get_node` does."""
    _refuse("set_default_node()")


def _refuse(what: str) -> NoReturn:
    raise NotYetError(f"joule.api.{what}", _REMEDY)
