"""What programs can do with a node's streams and folders as objects: make, change, move, copy and delete them.

A stream keeps its id, its rows and its attributes wherever it is moved. What a running module reads or writes stays
where it is: `StreamHeldError` names the module. Each change is whole and durable when the call returns. Where no
`jouled` runs, all of this raises NodeUnreachableError.
"""

from __future__ import annotations

import abc
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from joule.core import StreamSpec

if TYPE_CHECKING:
    from joule.api._models import ChangeInfo, CopyProgress, FolderInfo, ProvenanceInfo, StreamInfo

__all__ = ["StreamOperations"]


class StreamOperations(abc.ABC):
    """The part of a `Node` that is about streams and folders. A folder is named by path or id, as a stream is."""

    @abc.abstractmethod
    async def folder(self, folder: str | int) -> FolderInfo:
        """Return one folder with all that is below it.

        Raises:
            NotFoundError: The node has no such folder.
        """

    @abc.abstractmethod
    async def stream_provenance(self, stream: str | int) -> list[ProvenanceInfo]:
        """Return who wrote which rows of a stream, oldest first; the last one may have written none yet.

        Raises:
            NotFoundError: The node has no such stream.
            LogError: Its log cannot be read.
        """

    @abc.abstractmethod
    async def stream_create(self, spec: StreamSpec) -> StreamInfo:
        """Make a stream without rows, with the folders that its path needs.

        Raises:
            NameTakenError: There is one at that path.
            BadPathError, BadAttributeError: It cannot be as it is described.
        """

    @abc.abstractmethod
    async def stream_update(self, stream: str | int, changes: Mapping[str, Any]) -> ChangeInfo:
        """Change attributes of a stream and of its elements.

        Args:
            stream: Path or id.
            changes: Values by attribute: `description`, `keep_us` (None for all, 0 for none), `decimate`,
                `out_of_order`; `elements` with a mapping from element names to such values of `name`, `units`,
                `plottable`, `display_type`, `offset`, `scale_factor`, `default_min` and `default_max`; and `name`,
                which renames the stream. Attributes that are not named stay.

        Raises:
            NotFoundError: The node has no such stream.
            BadAttributeError: An attribute cannot have that value; nothing has changed.
            NameTakenError, StreamHeldError: It cannot have that name; nothing has changed.
        """

    @abc.abstractmethod
    async def stream_move(self, stream: str | int, folder: str) -> ChangeInfo:
        """Move a stream into a folder, which is made if there is none.

        Raises:
            NotFoundError: The node has no such stream.
            NameTakenError: The folder has a stream of that name.
            StreamHeldError: A running module uses it.
        """

    @abc.abstractmethod
    async def stream_delete(self, stream: str | int) -> ChangeInfo:
        """Delete a stream with all its rows, for good.

        Raises:
            NotFoundError: The node has no such stream.
            StreamHeldError: A running module uses it.
        """

    @abc.abstractmethod
    async def folder_update(self, folder: str | int, changes: Mapping[str, Any]) -> ChangeInfo:
        """Change the `description` of a folder, or its `name`.

        Raises:
            NotFoundError: The node has no such folder.
            BadAttributeError: A value cannot be.
            BadMoveError, NameTakenError, StreamHeldError: It cannot have that name.
        """

    @abc.abstractmethod
    async def folder_move(self, folder: str | int, parent: str) -> ChangeInfo:
        """Move a folder with all that is below it into another one, which is made if there is none.

        Raises:
            NotFoundError: The node has no such folder.
            BadMoveError: It is the root, or would come to lie in itself.
            NameTakenError: There is such a folder already; folders are not merged.
            StreamHeldError: A running module uses a stream in it.
        """

    @abc.abstractmethod
    def folder_copy(
        self, folder: str | int, destination: str, start_us: int | None = None, end_us: int | None = None
    ) -> AsyncGenerator[CopyProgress]:
        """Copy a folder with all streams below it: their attributes, rows and breaks.

        The copy appears when all of it is complete. Leaving the generator early ends the copying and leaves nothing.

        Args:
            folder: What to copy.
            destination: Path that the copy will have; no folder may be there yet.
            start_us: First timestamp, inclusive; None begins with the oldest stored rows.
            end_us: Last timestamp, exclusive; None ends with the newest.

        Yields:
            How far it is.

        Raises:
            NotFoundError: The node has no such folder.
            BadMoveError: The copy would lie in itself.
            NameTakenError: There is a folder of that path; folders are not merged.
            LogError: The disk is full, or a log cannot be read.
            NodeUnreachableError: The node went away before the copy was complete.
        """

    @abc.abstractmethod
    async def folder_delete(self, folder: str | int, *, recursive: bool = False) -> ChangeInfo:
        """Delete an empty folder; with `recursive` one with all its streams and rows, for good.

        Raises:
            NotFoundError: The node has no such folder.
            FolderNotEmptyError: Something is in it; `recursive` deletes that too.
            BadMoveError: It is the root.
            StreamHeldError: A running module uses a stream in it; nothing was deleted.
        """
