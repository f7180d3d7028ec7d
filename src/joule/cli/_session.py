"""What every command shares: which node is meant, and one event loop for the time of the command."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from joule.api import Node

__all__ = ["Session"]

T = TypeVar("T")


def _open(where: str | None) -> AbstractAsyncContextManager[Node]:
    from joule.api import open_node  # loads NumPy and asyncio: only for commands that talk to a node

    return open_node(where)


@dataclasses.dataclass(slots=True, kw_only=True)
class Session:
    """The node that `-n` or `JOULE_NODE` names, opened when a command needs it.

    Attributes:
        where: A name, a directory or a URL; None for the default node.
        opener: Gives the client of a node; tests hand in a fake.
    """

    where: str | None = None
    opener: Callable[[str | None], AbstractAsyncContextManager[Node]] = _open

    def run(self, work: Callable[[Node], Awaitable[T]]) -> T:
        """Return what `work` returns for the open node, which is closed afterwards."""
        import asyncio

        async def with_node() -> T:
            async with self.opener(self.where) as node:
                return await work(node)

        return asyncio.run(with_node())

    def follow(self, work: Callable[[Node], Awaitable[None]]) -> None:
        """Run what would go on for ever, until Ctrl-C or until the program that reads stdout has gone.

        Both are the ordinary end of such a command, so neither is an error.
        """
        from joule.cli._follow import while_read

        try:
            self.run(lambda node: while_read(work(node)))
        except KeyboardInterrupt:
            return
