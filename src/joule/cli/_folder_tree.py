"""A tree of folders and streams as lines, the same on a terminal and in a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from joule.cli._output import painted
from joule.cli._text import age, printable

if TYPE_CHECKING:
    from joule.api import FolderInfo, StreamInfo

__all__ = ["FolderTree"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FolderTree:
    """How a tree is drawn.

    Attributes:
        with_layout: Tell the layout of each stream.
        with_status: Tell who writes each stream, and how old its last row is.
        with_id: Tell the ids of streams and folders.
    """

    with_layout: bool
    with_status: bool
    with_id: bool

    def lines(self, root: FolderInfo) -> Iterator[str]:
        """Yield the lines of a folder and all that is below it, folders before streams."""
        yield self._folder(root, root.path)
        yield from self._below(root, "")

    def _below(self, folder: FolderInfo, indent: str) -> Iterator[str]:
        left = len(folder.folders) + len(folder.streams)
        for child in folder.folders:
            left -= 1
            yield indent + ("├── " if left else "└── ") + self._folder(child, child.name)
            yield from self._below(child, indent + ("│   " if left else "    "))
        for stream in folder.streams:
            left -= 1
            yield indent + ("├── " if left else "└── ") + self._stream(stream)

    def _folder(self, folder: FolderInfo, name: str) -> str:
        told = [f"id {folder.id}" if self.with_id else "", folder.description]
        return painted(printable(name), "bold") + _in_brackets(told)

    def _stream(self, stream: StreamInfo) -> str:
        told = [
            f"id {stream.id}" if self.with_id else "",
            stream.layout if self.with_layout else "",
            _status(stream) if self.with_status else "",
        ]
        name = stream.path.rpartition("/")[2]
        return painted(printable(name), "green" if stream.active and self.with_status else "") + _in_brackets(told)


def _in_brackets(told: list[str]) -> str:
    text = ", ".join(filter(None, told))
    return f"  ({printable(text)})" if text else ""


def _status(stream: StreamInfo) -> str:
    if stream.problem:
        return stream.problem
    last = "no rows" if stream.age_us is None else f"last row {age(stream.age_us)}"
    return f"written by {stream.writer}, {last}" if stream.writer else f"not written, {last}"
