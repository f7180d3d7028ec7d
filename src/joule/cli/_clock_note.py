"""What a person has to know about a node's clock, told with every status: timestamps may not be what they seem."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

from joule.cli._output import note

if TYPE_CHECKING:
    from joule.api import Node

__all__ = ["with_clock_note"]

T = TypeVar("T")


async def with_clock_note(node: Node, answer: Awaitable[T]) -> T:
    """Return what a node answers; on stderr, what is the matter with its clock, if anything is."""
    found = await answer
    facts = await node.version()
    if facts.clock_note:
        note(f"clock: {facts.clock_note}")
    return found
