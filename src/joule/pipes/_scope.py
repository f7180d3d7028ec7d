"""Which composite, and which of its children, the running code belongs to.

A context variable, as tasks that a child makes inherit it: so all of them are that child. Outside of composites, in
tests and in single modules, it is not set.
"""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from joule.pipes._local import LocalPipe
    from joule.pipes._marks import Child

__all__ = ["SCOPE", "Maker", "Scope"]


class Maker(Protocol):
    """Who wants to know of the local pipes that are made."""

    def add_pipe(self, pipe: LocalPipe) -> None:
        """Take note of a pipe."""


class Scope(NamedTuple):
    """A composite, and the child that runs; None while the composite is set up, and in tasks that this has made."""

    composite: Maker
    child: Child | None = None


SCOPE: contextvars.ContextVar[Scope | None] = contextvars.ContextVar("joule composite", default=None)
