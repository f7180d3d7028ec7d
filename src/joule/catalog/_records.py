"""What the catalog gives out: streams and folders with the ids that name them for good."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from joule.core import StreamSpec

__all__ = ["FolderRecord", "Removal", "StreamRecord"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StreamRecord:
    """A stream that the node has.

    Attributes:
        id: Names the stream for the life of the node, whatever happens to its path; never used again.
        spec: What it holds and where it is now.
        created_us: When the node first had it, Unix us.
    """

    id: int
    spec: StreamSpec
    created_us: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FolderRecord:
    """A folder with all that is in it.

    Attributes:
        id: As for streams.
        path: `/` for the root.
        folders: By name.
        streams: By name.
        description: For people.
    """

    id: int
    path: str
    folders: tuple[FolderRecord, ...]
    streams: tuple[StreamRecord, ...]
    description: str = ""

    @property
    def name(self) -> str:
        """Last component of the path; empty for the root."""
        return self.path.rpartition("/")[2]

    def walk(self) -> Iterator[FolderRecord]:
        """Yield this folder and all below it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()

    def all_streams(self) -> list[StreamRecord]:
        """Return all streams in this folder and below it."""
        return [stream for folder in self.walk() for stream in folder.streams]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A log that is to go: of a stream that was deleted, or of a copy that is not complete.

    Attributes:
        stream_id: Names its directory. No stream has this id.
        path: The stream's, for messages.
    """

    stream_id: int
    path: str
