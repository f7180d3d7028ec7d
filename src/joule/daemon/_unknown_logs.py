"""Logs on the disk that the catalog does not know: it was lost, or an older copy of it was put back.

Directories of logs are named by the ids of streams, and a new catalog counts from 1 again: without care, a stream
would be given the directory, and so the rows, of another. Here a stream that is new to the catalog gets back the log
that was made for its path; and the id of every other directory is never given away. A log that the catalog lists to be
removed is not unknown, and never comes back.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path

from joule.api import log_directory
from joule.catalog import Catalog, StreamRecord
from joule.core import StreamSpec
from joule.errors import JouleError, LayoutMismatchError
from joule.log import Identity, read_identity, streams_directory

__all__ = ["UnknownLogs", "find_unknown_logs"]

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnknownLogs:
    """What was found.

    Attributes:
        logs: Id and description of the newest log that was made for a path.
        highest_id: Of all directories, also of those that hold no log; 0 where there is none.
    """

    logs: Mapping[str, tuple[int, Identity]]
    highest_id: int

    def ensure_stream(self, catalog: Catalog, spec: StreamSpec, *, names_only: bool) -> StreamRecord:
        """Return the stream of a configuration from the catalog, with its log's id if it is new there.

        Args:
            catalog: Open for writing.
            spec: The stream.
            names_only: See `Catalog.ensure_stream`.

        Raises:
            LayoutMismatchError: The stream has, or its log holds, rows of another layout.
        """
        if spec.path not in self.logs or catalog.has_stream(spec.path):
            return catalog.ensure_stream(spec, names_only=names_only)
        stream_id, identity = self.logs[spec.path]
        if identity.layout != spec.layout:
            raise LayoutMismatchError(spec.path, str(identity.layout), str(spec.layout))
        _log.warning("stream %s: the catalog did not know it, but its rows were found: id %d", spec.path, stream_id)
        return catalog.ensure_stream(spec, stream_id=stream_id)


def find_unknown_logs(catalog: Catalog, data_directory: Path) -> UnknownLogs:
    """Look for directories of logs that no stream of the catalog has; nothing in them is touched."""
    known = {record.id for record in catalog.streams()} | {removal.stream_id for removal in catalog.removals()}
    directory = streams_directory(data_directory)
    names = [entry.name for entry in directory.iterdir()] if directory.is_dir() else []
    numbers = sorted(int(name) for name in names if name.isascii() and name.isdecimal() and len(name) < 19)
    logs: dict[str, tuple[int, Identity]] = {}
    for number in numbers:
        if number in known or str(number) not in names:
            continue
        try:
            identity = read_identity(log_directory(data_directory, number))
        except (JouleError, OSError) as error:
            _log.warning("%s is unknown to the catalog and is left alone: %s", directory / str(number), error)
        else:
            logs[identity.stream] = number, identity
    return UnknownLogs(logs=logs, highest_id=numbers[-1] if numbers else 0)
