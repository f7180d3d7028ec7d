"""Exact restarts of a composite: what its children leave in the pipes between them is made again.

`_marks.py` has the rule; here is who reads and writes which pipe, and when a child leaves a mark. A child is named by a
context variable, which the tasks that it makes inherit. Where that cannot be said, or what a pipe carries is not the
work of one child, no position counts any more until the composite ends: it then begins further back than needed after
a restart, and what it writes again is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from joule.errors import LogError
from joule.log import CursorFile, InnerPosition, InputPosition
from joule.pipes._ends import Link, Sink, Source
from joule.pipes._local import LocalPipe
from joule.pipes._log_input import LogInput
from joule.pipes._log_output import LogOutput
from joule.pipes._marks import Child, Mark, live_children, newest_line
from joule.pipes._scope import SCOPE, Scope

__all__ = ["Composition"]

_log = logging.getLogger("joule.pipes")


class _WritePositions(Protocol):
    """Makes positions count; False where the disk is full."""

    def __call__(
        self, inputs: Sequence[InputPosition], outputs: Sequence[int], inner: Sequence[InnerPosition]
    ) -> bool: ...


class Composition:
    """The pipes of a composite with inputs, and where its children are.

    Args:
        cursor: Its positions.
        inputs: By pipe name.
        outputs: By pipe name.
        write: Makes positions count.
    """

    def __init__(
        self,
        cursor: CursorFile,
        inputs: Mapping[str, LogInput],
        outputs: Mapping[str, LogOutput],
        write: _WritePositions,
    ) -> None:
        self._cursor = cursor
        self._write = write
        self._sources = [Source(pipe) for pipe in inputs.values()]
        self._sinks = [Sink(pipe) for pipe in outputs.values()]
        self._links: list[Link] = []
        self._ends: dict[int, Sink | Link] = {id(sink.pipe): sink for sink in self._sinks}
        self._children: list[Child] = []
        self._live: set[Child] = set()
        self._of_tasks: dict[asyncio.Future[Any], Child] = {}
        self._is_set_up = False
        self._doubt = ""
        self._written: tuple[list[InputPosition], list[int], list[InnerPosition]] | None = None
        for source in self._sources:
            source.side.before_read = functools.partial(self._before_read, source)
        for sink in self._sinks:
            sink.pipe.write_side.before_write = functools.partial(self._before_write, sink)
            sink.pipe.write_side.after_flush = self._advance

    # Setting up

    @contextlib.contextmanager
    def setting_up(self) -> Iterator[None]:
        """Take note of the local pipes that are made in this block, and by the tasks that it makes."""
        token = SCOPE.set(Scope(self))
        try:
            yield
        finally:
            SCOPE.reset(token)

    def add_pipe(self, pipe: LocalPipe) -> None:
        """Take note of a local pipe. One that a running child makes is its own, as long as no other child uses it."""
        link = Link(pipe)
        if not self._is_set_up:
            self._links.append(link)
            self._ends[id(pipe)] = link
        pipe.read_side.before_read = functools.partial(self._before_read, link)
        pipe.write_side.before_write = pipe.write_side.before_break = functools.partial(self._before_write, link)
        pipe.write_side.after_flush = self._advance

    def begin(self, children: Sequence[object]) -> None:
        """Go on where the children were, before the first of them runs.

        Args:
            children: What `setup` has returned.

        Raises:
            LogError: The positions cannot be written.
        """
        for child in children:
            if isinstance(child, asyncio.Future) and child not in self._of_tasks:
                self._of_tasks[child] = self._new_child()
        if not self._of_tasks.keys() <= {child for child in children if isinstance(child, asyncio.Future)}:
            self._give_up("its setup, or a task of it that is no child, reads or writes a pipe")
        layouts = [str(link.pipe.layout) for link in self._links]
        was_used = any(link.reader or link.writer for link in self._links)
        if list(self._cursor.logs.inner) == layouts and not (was_used and self._cursor.has_inner_rows):
            self._go_on()
        else:
            self._begin_anew(layouts)
        self._is_set_up = True

    def _go_on(self) -> None:
        for link, position in zip(self._links, self._cursor.inner, strict=True):
            link.go_on(position)
        for sink, rows in zip(self._sinks, self._cursor.outputs.values(), strict=True):
            if self._cursor.has_inner_rows:  # else it was resumed so when it was opened
                sink.go_on(rows)

    def _begin_anew(self, layouts: list[str]) -> None:
        if self._cursor.has_inner_rows:
            _log.warning(
                "the pipes inside this composite are not those of its last run: it begins at the oldest row that it "
                "may have to process again, and drops the rows that its outputs hold already"
            )
        try:
            self._cursor.describe_inner(layouts)
        except OSError as error:
            path = str(self._cursor.path)
            raise LogError(
                f"the positions of this composite cannot be written to {path}: {error}", path=path
            ) from error

    # Children

    def enter(self, child: object) -> None:
        """Let the running task, and those that it makes, be a child; one that is a task already is known."""
        if child not in self._of_tasks:
            SCOPE.set(Scope(self, self._new_child()))

    def leave(self, child: object) -> None:
        """Let a child that has returned have dealt with all that it has read."""
        scope = SCOPE.get()
        known = self._of_tasks.get(child) if isinstance(child, asyncio.Future) else scope and scope.child
        if known is not None:
            self._mark(known)

    def finish(self) -> None:
        """Make the positions count that the children have returned at."""
        if not self._doubt:
            self._advance()
        elif not any(link.pipe.read_side.row < link.pipe.emitted().rows for link in self._links):
            inputs = [source.position() for source in self._sources]
            self._write(inputs, [sink.pipe.log_sink.writer.logical_rows for sink in self._sinks], [])

    def _new_child(self) -> Child:
        child = Child()
        self._children.append(child)
        self._find_live()
        return child

    def _running_child(self) -> Child | None:
        """Return the child that runs; None, and no position counts any more, where that cannot be said."""
        scope = SCOPE.get()
        if scope is not None and scope.composite is self and scope.child is not None:
            return scope.child
        task = _running_task()
        if task is not None and task not in self._of_tasks and not self._is_set_up:
            self._of_tasks[task] = self._new_child()
        child = self._of_tasks.get(task) if task is not None else None
        if child is None:
            self._give_up("a task that its setup made, and that is no child, reads or writes a pipe")
        else:
            SCOPE.set(Scope(self, child))  # for the tasks that it makes
        return child

    # What they do

    def _before_read(self, end: Source | Link) -> None:
        child = None if self._doubt else self._running_child()
        if child is None:
            return
        if end.reader is None:
            end.reader = child
            self._find_live()
        if end.reader is not child or self._is_shared(end):
            self._give_up(
                f"two children read pipe {end.side.name!r}, or it joins two of them and was not made in setup"
            )
        elif end.side.was_read and self._is_known(end):
            self._mark(child)

    def _before_write(self, end: Sink | Link) -> None:
        child = None if self._doubt else self._running_child()
        if child is None or end.writer is child:
            return
        if end.writer is not None:
            self._give_up(f"two children write pipe {end.pipe.name!r}")
            return
        self._attach(end, child)
        if self._is_shared(end):
            self._give_up(f"pipe {end.pipe.name!r} joins two children and was not made in setup")

    def _attach(self, end: Sink | Link, child: Child) -> None:
        end.writer = child
        self._find_live()
        if isinstance(end, Sink) and child in self._live:
            end.pipe.log_sink.mark_restart()

    def _is_known(self, end: Source | Sink | Link) -> bool:
        """Whether a pipe is there before the children run, so that it is found again after a restart."""
        return not isinstance(end, Link) or id(end.pipe) in self._ends

    def _is_shared(self, end: Source | Sink | Link) -> bool:
        """Whether a pipe joins two children although one of them has made it."""
        return not self._is_known(end) and None not in (end.reader, end.writer) and end.reader is not end.writer

    def _find_live(self) -> None:
        self._live = live_children(self._children, [*self._sources, *self._ends.values()])

    def _give_up(self, reason: str) -> None:
        if not self._doubt:
            _log.warning(
                "no position of this composite counts any more until it ends, since %s: after a restart it begins at "
                "the last that did, and what it writes again is dropped",
                reason,
            )
        self._doubt = self._doubt or reason

    def _mark(self, child: Child) -> None:
        if self._doubt:
            return
        mark = Mark()
        for source in self._read_by(child):
            source.side.was_read = False
            mark.consumed[source] = source.position()
        self._attach_subscribers(child)
        written = self._written_by(child)
        for end in written:
            end.count(mark, _cached_above(end, written))
        child.add(mark)
        self._advance()

    def _attach_subscribers(self, child: Child) -> None:
        """Find the pipes that get copies of a child's rows before it has written any: a cache may hold the first."""
        copies = [copy for end in self._written_by(child) for copy in end.pipe.subscribers]
        while copies:
            known = self._ends.get(id(copies.pop()))
            if known is not None and known.writer is None:
                self._attach(known, child)
                copies += known.pipe.subscribers

    def _read_by(self, child: Child) -> list[Source | Link]:
        ends: list[Source | Link] = [*self._sources, *self._links]
        return [end for end in ends if end.reader is child]

    def _written_by(self, child: Child) -> list[Sink | Link]:
        return [end for end in self._ends.values() if end.writer is child]

    def _advance(self) -> None:
        if self._doubt or not self._is_set_up:
            return
        line = newest_line(self._children, list(self._links))
        positions = (
            [source.consumed(line) for source in self._sources],
            [sink.stored(line, self._live) for sink in self._sinks],
            [InnerPosition() if link.writer in self._live else link.skipped(line) for link in self._links],
        )
        if positions != self._written and self._write(*positions):
            self._written = positions


def _running_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        return None


def _cached_above(end: Sink | Link, written: list[Sink | Link]) -> int:
    """Return how many rows wait in caches of pipes that `end` gets copies of, and that count them already."""
    rows = 0
    for other in written:
        if any(copy is end.pipe for copy in other.pipe.subscribers):
            rows += other.pipe.write_side.cached_rows + _cached_above(other, written)
    return rows
