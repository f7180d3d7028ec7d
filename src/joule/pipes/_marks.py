"""From where the children of a composite can go on, all together, so that no row is missing and none comes twice.

Each child leaves a mark when it begins a new cycle: what it had consumed of its inputs and written to its outputs. A
child that goes on at a mark makes again, from the same input rows, what it wrote behind it. A *line* has one mark of
each child. It can be gone on from when no pipe between two children has a gap: what the mark of its writer counts as
written, and will not be made again, the mark of its reader counts as consumed. What the reader has consumed beyond that
is made again, and skipped. Marks before the line that counts are forgotten.
"""

from __future__ import annotations

import abc
import bisect
import dataclasses

from joule.log import InnerPosition, InputPosition

__all__ = ["Child", "End", "Joint", "Line", "Mark", "Unstored", "live_children", "newest_line"]


class End:
    """A pipe, as the children of a composite use it.

    Attributes:
        reader: Who reads it; None while nobody has.
        writer: Who writes it; None while nobody has.
    """

    def __init__(self) -> None:
        self.reader: Child | None = None
        self.writer: Child | None = None


class Joint(End):
    """A pipe between two children.

    Attributes:
        start: What was to be skipped when this life of the process began: so much was consumed, and nothing written.
    """

    def __init__(self) -> None:
        super().__init__()
        self.start = InnerPosition()

    def consumed(self, line: Line) -> InputPosition:
        """Return what the mark of its reader counts as consumed."""
        start = InputPosition(self.start.rows, self.start.breaks)
        return start if self.reader is None else line[self.reader].consumed.get(self, start)

    def emitted(self, mark: Mark | None) -> InnerPosition:
        """Return what a mark of its writer counts as written."""
        start = InnerPosition(is_open=self.start.is_open)
        return start if mark is None else mark.emitted.get(self, start)

    def has_gap(self, mark: Mark, line: Line) -> bool:
        """Whether a mark of its writer counts rows or breaks as written that its reader has not consumed."""
        emitted, consumed = self.emitted(mark), self.consumed(line)
        return emitted.rows > consumed.row or emitted.breaks > consumed.breaks

    def skipped(self, line: Line) -> InnerPosition:
        """Return what is to be skipped by who goes on at a line."""
        consumed = self.consumed(line)
        emitted = self.emitted(None if self.writer is None else line[self.writer])
        return InnerPosition(consumed.row - emitted.rows, consumed.breaks - emitted.breaks, emitted.is_open)


class Unstored(abc.ABC):
    """Rows that a mark counts as written and that are still in a cache."""

    @abc.abstractmethod
    def stored(self) -> int | None:
        """Return how many rows the output had at the mark, once all of them are stored; None before."""


@dataclasses.dataclass(slots=True, eq=False)
class Mark:
    """Where a child began a cycle.

    Attributes:
        consumed: What it had consumed; an input that is not named, nothing in this life of the process.
        emitted: What it had written to inner pipes; likewise.
        stored: Rows of outputs, over the life of their streams; likewise.
        unstored: The same for outputs whose rows were not all stored at the mark. The mark counts when
            they are.
    """

    consumed: dict[End, InputPosition] = dataclasses.field(default_factory=dict)
    emitted: dict[End, InnerPosition] = dataclasses.field(default_factory=dict)
    stored: dict[End, int] = dataclasses.field(default_factory=dict)
    unstored: dict[End, Unstored] = dataclasses.field(default_factory=dict)

    def is_stored(self) -> bool:
        """Look whether all rows that the mark counts are stored by now."""
        for end, unstored in list(self.unstored.items()):
            rows = unstored.stored()
            if rows is not None:
                self.stored[end] = rows
                del self.unstored[end]
        return not self.unstored

    def writes_as(self, other: Mark) -> bool:
        """Whether nothing was written between this mark and the other one."""
        return not self.unstored and not other.unstored and (self.emitted, self.stored) == (other.emitted, other.stored)


Line = dict["Child", Mark]


@dataclasses.dataclass(eq=False)
class Child:
    """A child of a composite: it and the tasks that it makes.

    Attributes:
        marks: Where it began its cycles, from the mark that counts on.
        settled: How many of the marks, from the first on, are known to have all their rows stored.
    """

    marks: list[Mark] = dataclasses.field(default_factory=lambda: [Mark()])
    settled: int = 1

    def add(self, mark: Mark) -> None:
        """Keep a mark. One that nothing was written since is not needed any more: who goes on here repeats less."""
        if self.marks[-1].writes_as(mark):
            self.marks.pop()
            self.settled = min(self.settled, len(self.marks))
        self.marks.append(mark)

    def newest_stored(self) -> int:
        """Return the index of the newest mark whose rows are all stored."""
        while self.settled < len(self.marks) and self.marks[self.settled].is_stored():
            self.settled += 1
        return self.settled - 1

    def forget(self, marks: int) -> None:
        """Forget the oldest so many marks, which are settled."""
        del self.marks[:marks]
        self.settled -= marks


def newest_line(children: list[Child], joints: list[Joint]) -> Line:
    """Return the newest line that can be gone on from; marks before it are forgotten.

    It begins with the newest mark of each child. As long as some pipe has a gap, its writer goes back to the newest
    mark without one. The line that counted before is such a line, so this ends there at the latest.
    """
    chosen = {child: child.newest_stored() for child in children}
    line = {child: child.marks[index] for child, index in chosen.items()}
    has_changed = True
    while has_changed:
        has_changed = False
        for joint in joints:
            writer = joint.writer
            if writer is not None and joint.has_gap(line[writer], line):
                chosen[writer] = index = _last_without_gap(joint, writer, line)
                line[writer] = writer.marks[index]
                has_changed = True
    for child, index in chosen.items():
        child.forget(index)
    return line


def _last_without_gap(joint: Joint, writer: Child, line: Line) -> int:
    gap = True
    return bisect.bisect_left(writer.marks, gap, key=lambda mark: joint.has_gap(mark, line)) - 1


def live_children(children: list[Child], ends: list[End]) -> set[Child]:
    """Return the children whose rows cannot be made again: those without inputs, and those that read from such."""
    live = set(children) - {end.reader for end in ends}
    has_changed = True
    while has_changed:
        more = {end.reader for end in ends if end.reader is not None and end.writer in live} - live
        live |= more
        has_changed = bool(more)
    return live
